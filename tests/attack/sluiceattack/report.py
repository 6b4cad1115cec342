"""The results of an attack, as a line of a table and as JSON."""

import json
import os
import platform
import statistics

GOAL = 2.0
_HEAD = "%-25s %-5s %13s %13s %13s %5s %5s %6s %7s  %s"


def summarize(attack, place, runs):
    row = {"attack": attack.name, "text": attack.text, "place": place, "runs": runs}
    for name in "p50", "p99", "entry_p50", "entry_p99":
        row[name] = _spread([run["others"][name] for run in runs])
    row["own_p99"] = _spread([run["own"]["p99"] for run in runs]) if attack.own else None
    row["lost"] = sum(_lost(run) for run in runs)
    row["locked_out"] = sum(_sum(run["others"]["counts"], "newcomer") for run in runs)
    row["hurt"] = sum(_sum(run[of]["counts"], "ended by", "refused", "publish refused", "publisher ended",
                           "gaps") for run in runs for of in ("others", "own") if run[of])
    row["rss_peak_mib"] = max(run["rss_peak_mib"] for run in runs)
    row["kernel_mib"] = max(run["kernel_mib"] for run in runs)
    row["moved"] = _merge(run["moved"] for run in runs)
    row["offender"] = _merge(run["offender"]["counts"] for run in runs)
    row["evidence"] = sorted(name for name in row["moved"]
                             if any(word in name for word in attack.evidence))
    row["good"] = row["lost"] == 0 and row["locked_out"] == 0 and all(
        row[name] is None or row[name]["median"] is None or row[name]["median"] <= GOAL
        for name in ("p50", "p99", "own_p99"))
    return row


def _lost(run):
    lost = run["quiet_lost"] + run["probe_notes_lost"]
    for of in "others", "own":
        if run[of]:
            lost += run[of]["lost"] + run[of]["repeated"]
    return lost


def _sum(counts, *beginnings):
    return sum(count for name, count in counts.items() if name.startswith(beginnings))


def _merge(dicts):
    merged = {}
    for one in dicts:
        for name, count in one.items():
            merged[name] = merged.get(name, 0) + count
    return merged


def _spread(values):
    values = [value for value in values if value is not None]
    if not values:
        return {"median": None, "least": None, "most": None}
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def _show(spread):
    if not spread or spread["median"] is None:
        return "-"
    return "%.1f %.1f-%.1f" % (spread["median"], spread["least"], spread["most"])


def print_head():
    print(_HEAD % ("attack", "", "p50", "p99", "entry p99", "lost", "hurt", "RSS", "kernel",
                   "offender; counters"))


def print_row(row):
    offender = ", ".join("%s %d" % pair for pair in sorted(
        row["offender"].items(), key=lambda pair: -pair[1])[:5])
    moved = ", ".join("%s %d" % (name.replace("sluice_", "").replace("_total", ""), row["moved"][name])
                      for name in row["evidence"][:4])
    p99 = _show(row["p99"]) if not row["own_p99"] else "%s own %.1f" % (
        _show(row["p99"]), row["own_p99"]["median"] or 0)
    print(_HEAD % (row["attack"], row["place"], _show(row["p50"]), p99, _show(row["entry_p99"]),
                   row["lost"] + row["locked_out"], row["hurt"], "%d" % row["rss_peak_mib"],
                   "%d" % row["kernel_mib"],
                   "%s%s; %s" % ("" if row["good"] else "ABOVE THE GOAL: ", offender, moved)),
          flush=True)


def print_crowd(crowd):
    print("%-25s %-5s %s: %d published, %d lost, %d repeated, %d unpublished, refused %s, counters %s" % (
        crowd["crowd"], crowd["place"], "untouched" if crowd["good"] else "TOUCHED",
        crowd["published"], crowd["lost"], crowd["repeated"], crowd["unpublished"],
        crowd["refused"] or "none", crowd["counters"] or "none"), flush=True)


def describe(arguments, rows, crowds, seconds):
    bad = [row for row in rows if not row["good"]]
    lines = ["%d of %d within %.0fx and without loss, %d of %d honest crowds untouched; medians of %d, "
             "%.0f s of attack each; %s, %d cores; %d s" % (
                 len(rows) - len(bad), len(rows), GOAL, sum(crowd["good"] for crowd in crowds),
                 len(crowds), arguments.repeats, arguments.seconds, platform.platform(),
                 os.cpu_count(), seconds)]
    for row in bad:
        lines.append("above the goal: %s over %s: p50 %s, p99 %s, lost %d, locked out %d" % (
            row["attack"], row["place"], _show(row["p50"]), _show(row["p99"]), row["lost"],
            row["locked_out"]))
    return "\n".join(lines)


def list_markdown(rows):
    """The table of doc/attack.md."""
    lines = ["| attack | | p50 | p99 | entry p99 | lost | memory, MiB | answers to the attacker |",
             "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        worst = sorted(row["offender"].items(), key=lambda pair: -pair[1])
        told = ", ".join("%s %d" % pair for pair in worst if pair[0] != "opened")
        own = ", own %s" % _show(row["own_p99"]) if row["own_p99"] else ""
        lines.append("| %s | %s | %s | %s%s | %s | %d | %d + %d | %s |" % (
            row["attack"], row["place"], _show(row["p50"]), _show(row["p99"]), own,
            _show(row["entry_p99"]), row["lost"] + row["locked_out"], row["rss_peak_mib"],
            row["kernel_mib"], told[:90].rpartition(",")[0] if len(told) > 90 else told))
    return "\n".join(lines)


def write(path, arguments, rows, crowds):
    with open(path, "w") as file:
        json.dump({"command": vars(arguments), "machine": platform.platform(),
                   "cores": os.cpu_count(), "goal": GOAL, "attacks": rows, "crowds": crowds}, file, indent=1)
        file.write("\n")
