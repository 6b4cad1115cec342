"""Runs faults, judges what was written down, and reports."""

import argparse
import collections
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

from chaostest.run import Process

from . import faults as table, stores
from .judge import Judge
from .processes import Rates, run_readers, run_writers
from .report import Row, print_row, write_report
from .servers import NOT_NOW
from .world import END, FOREIGN, World
from .writer import as_acks

WARM_S = 3
SETTLE_S = 40
VOID_MAX = 3
LINGER_S = 2
HEALED_S = 30  # a server that was stopped begins an election, and loses one or two


class Run:
    """One run of one fault."""

    def __init__(self, fault, options, number):
        self.fault, self.options, self.number = fault, options, number
        self.folder = tempfile.mkdtemp(prefix="sluice-cluster-")
        self.world = World(fault, self.folder, options.backend)
        self.violations = []
        self.forked_at = None  # the number from which on the servers' own copies of the log differ
        self.readers = self.writers = None
        self.world.pause_writers = lambda: self._pause("pause")
        self.world.resume_writers = lambda: self.writers.connection.send("go on")
        self.world.wait_acked = self._wait_acked

    # ---- the writers, for faults ----

    def _listen(self):
        self.writers.listen()
        self.readers.listen()
        for process in self.writers, self.readers:
            assert process.process.is_alive() or process.told, "a process of the run's own has died"

    def _wait(self, what, seconds, complaint):
        deadline = time.monotonic() + seconds
        while not what():
            self._listen()
            if time.monotonic() > deadline:
                raise AssertionError(complaint)
            time.sleep(0.05)

    def _acked(self):
        self._listen()
        return self.writers.counts.get("acked", [0])

    def _wait_acked(self, count, seconds):
        before = sum(self._acked())
        self._wait(lambda: sum(self._acked()) >= before + count, seconds,
                   "%d publishes are not answered in %d s" % (count, seconds))

    def _pause(self, word):
        self.writers.connection.send(word)
        self._wait(lambda: self.writers.counts.get("resting"), 40, "the writers do not rest")

    # ---- the run ----

    def run(self):
        """Returns a Row."""
        began = time.monotonic()
        try:
            self.world.start()
            self._run()
        except Exception:  # noqa: BLE001 (it is a result, and the next fault has its turn)
            self.violations.append(("run", traceback.format_exc(limit=6)))
        finally:
            self._end()
        row = Row(self.fault.name, self.fault.text)
        row.take(self, time.monotonic() - began)
        if not self.violations and not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        return row

    def _run(self):
        world = self.world
        rates = Rates([node.address for node in world.nodes],
                      "%s/%s/%d" % (self.options.seed, self.fault.name, self.number),
                      self.options.rate, self.options.readers, self.fault.stay_s)
        self.readers = Process(run_readers, rates)
        # What is published before a reader's first cursor does not concern it.
        self._wait_readers(rates.readers)
        self.writers = Process(run_writers, rates)
        self._wait(lambda: min(self._acked()) > 0, 30, "nothing is acknowledged at the start")
        time.sleep(WARM_S)
        world.began = time.monotonic()
        self.fault.act(world)
        world.ended = time.monotonic()
        self._settle()
        self._stop_writers()
        self._end_readers()
        self.judge()

    def _wait_readers(self, count):
        deadline = time.monotonic() + 30
        while self.readers.open < count:
            self.readers.listen()
            assert time.monotonic() < deadline, "%d of %d readers begin" % (self.readers.open, count)
            time.sleep(0.05)

    def _settle(self):
        """Until every gateway answers publishes again, and is ready."""
        before = self._acked()
        self._wait(lambda: all(now > then for now, then in zip(self._acked(), before)), SETTLE_S,
                   "publishing does not resume through every gateway: %r after %r" % (self._acked(), before))
        took = self.world.wait_statuses(200, SETTLE_S)
        if took is None:
            self.violations.append(("readyz", "not all gateways are ready %d s after the fault" % SETTLE_S))
        time.sleep(LINGER_S)

    def _stop_writers(self):
        self.writers.connection.send("stop")
        self._wait(lambda: self.writers.told is not None, 130, "the writers do not end")
        self.violations += self.writers.told["violations"]

    def _end_readers(self):
        """Each gateway passes on a last message; the readers are done when they have the last."""
        self.ends = [self._publish_end(node) for node in self.world.nodes]
        heads = self._heads()
        if len(set(heads)) > 1:
            self.violations.append(("head", "the gateways end at %r" % (heads,)))
        epoch, _, seq = max(self.ends, key=lambda one: int(one[1].partition("-")[2]))[1].partition("-")
        self.readers.connection.send((epoch, int(seq)))
        self._wait(lambda: self.readers.told is not None, 90, "the readers do not end")
        self.violations += self.readers.told["violations"]

    def _publish_end(self, node):
        """(n, id). Messages must flow: a heartbeat proves nothing."""
        body = {"c": END, "n": node.number, "t": time.time(), "s": 0, "text": ""}
        headers = {"Content-Type": "application/json", "Idempotency-Key": "the-end-of-%d-%d" % (
            node.number, os.getpid())}
        deadline = time.monotonic() + 40
        while True:
            try:
                answer = node.ask("POST", "/publish?channel=" + END, json.dumps(body).encode(), headers, 25)
                if answer.status == 200:
                    return node.number, answer.json()["id"]
            except NOT_NOW:
                pass
            assert time.monotonic() < deadline, "gateway %d takes no last message" % node.number
            time.sleep(0.2)

    def _heads(self):
        """Of all gateways; they are to be equal soon after the last message."""
        deadline = time.monotonic() + 10
        while True:
            heads = [node.head() for node in self.world.nodes]
            if len(set(heads)) == 1 or time.monotonic() > deadline:
                return heads
            time.sleep(0.1)

    # ---- judging ----

    def judge(self):
        told = self.writers.told
        acks = as_acks(told["acks"])
        epoch = self.ends[0][1].partition("-")[0]
        entries = [(END, n, *answer.split("-")) for n, answer in self.ends]
        entries += [(FOREIGN, n, epoch, seq) for n, seq in self.world.foreign]
        acks += as_acks([(channel, n, at, int(seq)) for channel, n, at, seq in entries])
        self.ledger = Judge(self.fault.gaps, self.fault.resets)
        self.violations += self.ledger.judge(acks, told["refused"], self.readers.told["readers"])
        self._judge_times(told["silences"])
        self._judge_probes()
        self.world.read, self.world.read_counts = self.readers.told["readers"], self.readers.counts
        self.violations += self.fault.check(self.world)

    def _judge_times(self, silences):
        """The longest time without an answered publish, of all and of each gateway, that touches the
        fault; and apart from it what begins once the servers are back."""
        self.gaps, self.gaps_after = collections.defaultdict(float), collections.defaultdict(float)
        healed = self.world.healed_at or float("inf")
        for gateway, begin, end in silences:
            if end > self.world.began:
                gaps = self.gaps if begin < healed else self.gaps_after
                gaps[gateway] = max(gaps[gateway], end - begin)
        self._judge_gaps(self.gaps, self.fault.resume_s)
        if self.fault.resume_s:
            self._judge_gaps(self.gaps_after, max(self.fault.resume_s, HEALED_S))

    def _judge_gaps(self, gaps, limit):
        for gateway, seconds in gaps.items():
            if limit and gateway not in self.fault.spared and seconds > limit:
                who = "nobody" if gateway is None else "gateway %d not" % gateway
                self.violations.append(("resume", "%s answered a publish for %.1f s, %d are allowed" % (
                    who, seconds, limit)))
    def _judge_probes(self):
        for prober in self.world.probers:
            number = prober.node.number
            seconds = prober.total(503, self.world.began, time.monotonic())
            allowed = self.world.may_be_away
            if allowed is not None and number not in allowed and seconds:
                self.violations.append(("readyz", "gateway %d was 503 for %.1f s, and was not away" % (
                    number, seconds)))

    def _end(self):
        for process in self.readers, self.writers:
            if process and process.process.is_alive():
                process.process.kill()
                process.process.join()
        for node in self.world.nodes:
            try:
                if node.is_running():
                    node.resume()
                    node.measure()
            except Exception:  # noqa: BLE001 (it is only a figure)
                pass
        self.violations += self.world.stop()
        if self.world.nats:
            self.forked_at = stores.find_difference([server.store for server in self.world.nats.servers])
        if self.violations or self.options.keep:
            self._write_logs()

    def _write_logs(self):
        for node in self.world.nodes:
            with open(os.path.join(self.folder, "gateway-%d.log" % node.number), "w") as file:
                file.write(node.log)
        with open(os.path.join(self.folder, "run.log"), "w") as file:
            lines = self.world.notes + [""] + ["%s: %s" % one for one in self.violations]
            file.write("\n".join(lines) + "\n")
            for prober in self.world.probers:
                if self.world.began:
                    file.write("readyz of %d: %s\n" % (prober.node.number, [
                        (round(at - self.world.began, 2), status) for at, status in prober.changes]))


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", default="all", help="names with commas, all, or short")
    parser.add_argument("--runs", type=int, default=1, help="of each fault")
    parser.add_argument("--rate", type=float, default=500, help="messages a second")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--backend", choices=["nats", "memory"], default="nats")
    parser.add_argument("--report", help="a file for the table (Markdown), and beside it one .json")
    parser.add_argument("--tap", action="store_true", help="say the results as TAP too")
    parser.add_argument("--keep", action="store_true", help="keep the folder and the logs of each run")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args(arguments)


def choose(options):
    if options.faults == "all":
        return table.FAULTS if options.backend == "nats" else table.IN_MEMORY
    if options.faults == "short":
        return table.find(table.SHORT)
    return table.find(options.faults.split(","), options.backend)


def missing(fault):
    """Why a fault cannot be had here, or None."""
    return next((why for need in fault.needs if (why := need())), None)


def run_until_valid(fault, options, number, rows):
    """One run, or some more where it says nothing of the gateways; False: none did."""
    for _ in range(VOID_MAX + 1):
        row = Run(fault, options, number).run()
        rows.append(row)
        print_row(row, len(rows), options.tap)
        sys.stdout.flush()
        if not row.is_void:
            return True
    return False


def main(arguments=None):
    options = parse(arguments)
    if options.list:
        for fault in table.FAULTS:
            print("%-20s %s" % (fault.name, fault.text))
        return 0
    if not os.environ.get("SLUICE"):
        print("cluster: set SLUICE to the path of the gateway's binary")
        return 1
    if options.backend == "nats" and not shutil.which(os.environ.get("NATS_SERVER", "nats-server")):
        print("cluster: nats-server is not installed")
        return 1
    signal.signal(signal.SIGTERM, lambda *what: sys.exit(1))  # so that everything is ended and unmounted
    rows, failed = [], 0
    for fault in choose(options):
        why = missing(fault)
        if why:
            print("cluster: %s is left out: %s" % (fault.name, why))
            failed += bool(os.environ.get("SLUICE_REQUIRE_TOOLS"))
            continue
        for number in range(options.runs):
            failed += not run_until_valid(fault, options, number, rows)
    if options.report:
        write_report(options.report, rows)
    bad = sum(row.is_bad for row in rows) + failed
    if options.tap:
        print("# pass %d\n# fail %d" % (len(rows) - (bad - failed), bad))
    print("cluster: %d runs, %d not clean" % (len(rows), bad))
    return 1 if bad else 0
