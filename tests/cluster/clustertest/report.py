"""What a run says, and the table of all."""

import collections
import json


class Row:
    """One run."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.acked = self.uncertain = self.refused = self.checked = self.excused = 0
        self.gaps, self.gaps_after, self.away, self.back = {}, {}, [], []
        self.counts, self.read_counts, self.turns = {}, {}, []

    def take(self, run, seconds):
        self.seconds, self.folder = seconds, run.folder
        self.violations, self.notes = list(run.violations), list(run.world.notes)
        self.is_clean = not self.violations
        self.turns = [node.longest_turn for node in run.world.nodes]
        if run.writers and run.writers.told:
            told = run.writers.told
            self.acked, self.uncertain = len(told["acks"]), len(told["uncertain"])
            self.refused, self.counts = len(told["refused"]), dict(run.writers.counts)
            self.read_counts = dict(run.readers.counts)
        if hasattr(run, "ledger"):
            self.checked, self.excused = run.ledger.checked, run.ledger.excused
            self.gaps, self.gaps_after = (
                {"all" if key is None else str(key): round(value, 2) for key, value in gaps.items()}
                for gaps in (run.gaps, run.gaps_after))
        self.forked_at = run.forked_at
        self.left = list(run.world.left.values())
        if run.world.began:
            self.away = [prober.first(503, run.world.began) for prober in run.world.probers]
            self.back = [prober.total(503, run.world.began, run.world.ended or run.world.began)
                         for prober in run.world.probers]

    @property
    def is_void(self):
        """It says nothing of the gateways: the servers contradict each other."""
        return not self.is_clean and self.forked_at is not None

    @property
    def is_bad(self):
        return not self.is_clean and not self.is_void

    @property
    def gap(self):
        return self.gaps.get("all", 0.0)


def _times(values):
    return " ".join("-" if value is None else "%.1f" % value for value in values) or "-"


def print_row(row, number, tap):
    verdict = "clean" if row.is_clean else "VOID" if row.is_void else "NOT CLEAN"
    print("cluster: %-18s %s; %d acked, %d uncertain, %d compared, %d excused by gaps; no answer for "
          "%.2f s (by gateway: %s; once servers are back: %s); 503 after %s s, for %s s; longest turn %s "
          "ms; %.0f s" % (
              row.name, verdict, row.acked, row.uncertain, row.checked, row.excused, row.gap,
              " ".join("%s" % row.gaps[key] for key in sorted(row.gaps) if key != "all"),
              row.gaps_after.get("all", "-"),
              _times(row.away), _times(row.back), " ".join("%.1f" % (turn * 1000) for turn in row.turns),
              row.seconds))
    if row.forked_at:
        print("    the servers' own copies of the log differ from number %d on" % row.forked_at)
    if row.left:
        print("    gateways left their server after %s s" % _times(row.left))
    if not row.is_clean:
        print("    writers: %r\n    readers: %r" % (row.counts, row.read_counts))
        for note in row.notes:
            print("    " + note)
        for kind, text in row.violations[:12]:
            print("    %s: %s" % (kind, text[:2000]))
        print("    the logs are in %s" % row.folder)
    if tap:
        print("%s %d - %s" % ("not ok" if row.is_bad else "ok", number, row.name))


def _spread(values):
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    return "%.1f" % values[0] if len(values) == 1 else "%.1f-%.1f" % (min(values), max(values))


def write_report(path, rows):
    """A line a fault, lowest and highest of its runs."""
    by_name = collections.defaultdict(list)
    for row in rows:
        by_name[row.name].append(row)
    lines = ["| fault | runs | no publish answered, s | a gateway's own, s | once servers are back, s | 503 after, s | 503 for, s "
             "| left its server after, s | acked | compared | ledger |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for name, runs in by_name.items():
        bad, void = sum(row.is_bad for row in runs), sum(row.is_void for row in runs)
        kinds = sorted({kind for row in runs if row.is_bad for kind, _ in row.violations})
        verdict = "clean" if not bad else "%d of %d not: %s" % (bad, len(runs), ", ".join(kinds))
        forked = sum(row.forked_at is not None for row in runs)
        if forked:
            verdict += "; in %d the servers' own copies differ, %d of them void" % (forked, void)
        lines.append("| %s: %s | %d | %s | %s | %s | %s | %s | %s | %d | %d | %s |" % (
            name, runs[0].text, len(runs), _spread([row.gap for row in runs]),
            _spread([value for row in runs for key, value in row.gaps.items() if key != "all"]),
            _spread([row.gaps_after.get("all") for row in runs]),
            _spread([value for row in runs for value in row.away]),
            _spread([value for row in runs for value in row.back]),
            _spread([value for row in runs for value in row.left]),
            sum(row.acked for row in runs), sum(row.checked for row in runs),
            verdict))
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    with open(path + ".json", "w") as file:
        json.dump([vars(row) for row in rows], file, indent=1, default=str)
