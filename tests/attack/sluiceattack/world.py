"""One run of one attack: two gateways with the same honest clients, of which one is attacked.

Both are measured in the same seconds, so the CPU that the attackers burn, and that of whatever else
the machine does, is in both: the second gateway is the control."""

import multiprocessing
import os
import re
import secrets
import subprocess
import threading
import time

from . import offenders, tricks, victims
from sluicetest import tls, tokens
from sluicetest.gateway import Gateway, binary

GROUPS = 10
DRAIN_S = 8
WARM_S = 0.4
_fork = multiprocessing.get_context("fork")
_OF_INTEREST = re.compile(
    r"limit|refused|closes|deferred|waits|evicted|ends|timeouts|errors|slow|forgotten|failed"
    r"|status=\"[45]|overruns|gaps_told|forbidden|tls_handshakes_total|behind|expired|accepted|silent|unknown|recovered")
_LONGEST = re.compile(r"longest")


class Scale:
    """How large a run is: seconds of attack, clients of each kind in each group, messages and
    newcomers a second, more options of the gateways."""

    def __init__(self, seconds=3.0, each=3, rate=10, newcomers=10, options=(), is_short=False):
        self.seconds, self.each, self.rate = seconds, each, rate
        self.newcomers, self.options, self.is_short = newcomers, options, is_short

    @classmethod
    def short(cls, seconds):
        """Limits that an attack of a second reaches on a slow machine, under a sanitizer."""
        return cls(seconds, each=1, rate=5, newcomers=5, is_short=True, options=(
            "--request-rate", "200", "--publish-rate", "500", "--delivery-rate", "5000",
            "--subscribe-rate", "300", "--history-rate", "1M", "--token-failure-rate", "5"))


class Tokens:
    """Of the group's clients, of the attacker, and ones that do not count."""

    def __init__(self):
        self.pair = tokens.pair(tokens.P256)
        everything = dict(subscribe=["*"], publish=["*"])
        self.groups = [tokens.mint(self.pair, tokens.claims("group-%d" % at, **everything))
                       for at in range(GROUPS)]
        self.operator = tokens.mint(self.pair, tokens.claims("operator", **everything))
        self.attack = tokens.mint(self.pair, tokens.claims("attacker", **everything))
        self.stranger = tokens.mint(self.pair, tokens.claims("stranger", ["stranger.*"], ["stranger.*"]))
        self.options = ["--token-key", self.pair.file()]

    def bad(self):
        """Each of them has to be verified: a signature of something else."""
        signature = self.attack.rpartition(".")[2]
        heads = [tokens.join({"alg": self.pair.alg, "typ": "JWT"},
                             tokens.claims("nobody-%d" % at), lambda signed: b"")
                 for at in range(300)]
        return [head + signature for head in heads]


_made = []


def made_tokens():
    if not _made:
        _made.append(Tokens())
    return _made[0]


_help = []


def knows(option):
    """Whether this gateway has the option: older ones are measured too."""
    if not _help:
        _help.append(subprocess.run([binary(), "--help"], capture_output=True).stdout.decode())
    return option in _help[0]


def start_gateway(options, secure, namespace=False, ports=None):
    """With default limits. `ports` has the port of False (clear) or True (TLS) where it matters."""
    host, ports = "127.0.0.1", ports or {}
    what = ["--listen", "%s:%d" % (host, ports.get(False, 0)), "--admin-listen", host + ":0"]
    if secure:
        what += ["--tls-listen", "%s:%d" % (host, ports.get(True, 0))] + tls.certificate_options()
    if namespace:
        what += ["--listen", "[::1]:0"] + (["--tls-listen", "[::1]:0"] if secure else [])
    if knows("--limits") and "--limits" not in options:
        what += ["--limits", "on"]
    return Gateway(*what, *options, secure=False)


def address_of(gateway, secure, is_v6=False):
    return next(one for one in gateway.listeners
                if tls.is_secure(one) == secure and (":" in one[0]) == is_v6)


class Process:
    """A child with a pipe."""

    def __init__(self, target, *arguments, nice=0):
        self.pipe, other = _fork.Pipe()
        self.process = _fork.Process(target=_child, args=(target, nice, other) + arguments,
                                     daemon=True)
        self.process.start()
        other.close()

    def get(self, timeout):
        if not self.pipe.poll(timeout):
            raise TimeoutError("no word of a client process")
        return self.pipe.recv()

    def tell(self, what):
        self.pipe.send(what)

    def end(self):
        self.pipe.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _child(target, nice, pipe, *arguments):
    try:
        os.nice(nice)  # what measures should not be what waits; needs root
    except OSError:
        pass
    try:
        target(*arguments, pipe)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        pass
    os._exit(0)


class Side:
    """One gateway with its victims."""

    def __init__(self, attack, secure, scale, network):
        self.tokens = made_tokens() if attack.needs_token else None
        options = list(attack.options) + (list(scale.options) if knows("--limits") else []) + (
            self.tokens.options if self.tokens else [])
        if scale.is_short:
            options += attack.short_options
        self.gateway = start_gateway(options, secure, attack.namespace)
        self.address = address_of(self.gateway, secure)
        self.nonce = secrets.token_hex(6)
        parts = [[0], list(range(1, GROUPS))] if attack.own else [list(range(GROUPS))]
        self.processes = [Process(victims.serve, victims.Plan(
            self.address, secure, groups, self.nonce, scale.each, scale.rate, network + 3 * at,
            self.tokens and self.tokens.groups, scale.newcomers if at == len(parts) - 1 else 0),
            nice=-10) for at, groups in enumerate(parts)]

    def get_ready(self):
        for process in self.processes:
            assert process.get(40), "the honest clients did not get in"

    def finish(self):
        return [process.get(DRAIN_S + 60) for process in self.processes]

    def end(self):
        for process in self.processes:
            process.end()

    def cpu_s(self):
        with open("/proc/%d/stat" % self.gateway.pid) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        with open("/proc/%d/status" % self.gateway.pid) as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1024


class Watch(threading.Thread):
    """The most memory that TCP has in the kernel meanwhile, MiB."""

    def __init__(self):
        super().__init__(daemon=True)
        self.first = self.most = self._read()
        self.is_over = threading.Event()

    def _read(self):
        with open("/proc/net/sockstat") as file:
            return int(re.search(r"^TCP:.* mem (\d+)", file.read(), re.M)[1]) * 4096 / 2**20

    def run(self):
        while not self.is_over.wait(0.1):
            self.most = max(self.most, self._read())

    def finish(self):
        self.is_over.set()
        self.join()
        return self.most - self.first


def run(attack, secure, scale, swap=False):
    """One run; the report of it as a dict."""
    sides = []
    try:
        for network in (20, 40) if swap else (40, 20):
            sides.append(Side(attack, secure, scale, network))
        if swap:
            sides.reverse()
        return _attack(attack, secure, scale, *sides)
    finally:
        for side in sides:
            side.end()
        for side in sides:
            side.gateway.kill()


def _attack(attack, secure, scale, attacked, control):
    operator = attacked.tokens.operator if attacked.tokens else None
    for side in attacked, control:
        side.get_ready()
    target = victims_target(attack, attacked, secure)
    quiet = tricks.Quiet(attacked.address, operator)
    quiet.leave()
    if attack.prepare:
        attack.prepare(attacked.gateway, target)
    crews = _start_crews(attack, target, secure)
    before = [tricks.read_metrics(side.gateway) for side in (attacked, control)]
    start = time.monotonic() + 0.1
    window = start + WARM_S, start + WARM_S + scale.seconds
    order = {"at": start, "window": window, "stop_at": window[1] + 0.3, "drain": DRAIN_S}
    for side in attacked, control:
        for process in side.processes:
            process.tell(order)
    for crew in crews:
        crew.tell({"start_at": window[0], "stop_at": window[1]})
    watch, cpu = Watch(), [attacked.cpu_s(), control.cpu_s()]
    watch.start()
    offence = merge_offences([crew.get(scale.seconds + 30) for crew in crews])
    cpu = [attacked.cpu_s() - cpu[0], control.cpu_s() - cpu[1]]
    for crew in crews:
        crew.end()
    reports = [side.finish() for side in (attacked, control)]
    kernel = watch.finish()
    after = [tricks.read_metrics(side.gateway) for side in (attacked, control)]
    lost_quiet, lost_notes = quiet.find()
    for side in attacked, control:
        side.gateway.check()
    moved = _moved(before, after)
    return {
        "attack": attack.name, "tls": secure, "seconds": scale.seconds,
        "others": _compare(*[merge_reports(side[-1:]) for side in reports]),
        "own": _compare(*[merge_reports(side[:1]) for side in reports]) if attack.own else None,
        "quiet_lost": lost_quiet, "probe_notes_lost": lost_notes,
        "offender": offence, "moved": moved,
        "longest": {name: value for name, value in after[0].items() if _LONGEST.search(name)},
        "rss_peak_mib": attacked.peak_mib(), "rss_control_mib": control.peak_mib(),
        "kernel_mib": kernel, "cpu_s": cpu[0], "cpu_control_s": cpu[1]}


def victims_target(attack, side, secure):
    from .catalogue import Target
    known = side.tokens and {"attack": side.tokens.attack, "stranger": side.tokens.stranger,
                             "bad": side.tokens.bad()}
    return Target(address_of(side.gateway, secure, attack.namespace), secure, known)


def _start_crews(attack, target, secure):
    processes = max(part.processes for part in attack.build(target))
    crews = [Process(_crew, attack, target, secure, at, processes) for at in range(processes)]
    for crew in crews:
        crew.get(60)
    return crews


def _crew(attack, target, secure, share, shares, pipe):
    offenders.serve(lambda: offenders.Crew(target.address, secure, attack.build(target), share,
                                           shares), pipe)


def merge_offences(offences):
    merged = {"sent": 0, "received": 0, "held": 0, "most": 0, "counts": {}}
    for one in offences:
        for name in "sent", "received", "held", "most":
            merged[name] += one[name]
        for name, count in one["counts"].items():
            merged["counts"][name] = merged["counts"].get(name, 0) + count
    return merged


def percentile(samples, share):
    ordered = sorted(samples)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


def merge_reports(reports):
    merged = {"lost": 0, "repeated": 0, "published": 0, "samples": [], "entries": [], "counts": {}}
    for report in reports:
        for name in "lost", "repeated", "published":
            merged[name] += report[name]
        merged["samples"] += report["samples"]
        merged["entries"] += report["entries"]
        for name, count in report["counts"].items():
            merged["counts"][name] = merged["counts"].get(name, 0) + count
    return merged


def _compare(attacked, control):
    def ms(samples, share):
        value = percentile(samples, share)
        return None if value is None else value * 1000

    def ratio(kind, share):
        a, b = (percentile(one[kind], share) for one in (attacked, control))
        return a / b if a is not None and b else None
    return {
        "p50": ratio("samples", 0.5), "p99": ratio("samples", 0.99),
        "entry_p50": ratio("entries", 0.5), "entry_p99": ratio("entries", 0.99),
        "ms": {name: [ms(one[kind], share) for one in (attacked, control)]
               for name, kind, share in (("p50", "samples", 0.5), ("p99", "samples", 0.99),
                                         ("entry_p50", "entries", 0.5),
                                         ("entry_p99", "entries", 0.99))},
        "samples": len(attacked["samples"]), "published": attacked["published"],
        "lost": attacked["lost"] + attacked["counts"].get("unpublished", 0),
        "repeated": attacked["repeated"],
        "control_lost": control["lost"] + control["counts"].get("unpublished", 0),
        "counts": attacked["counts"], "control_counts": control["counts"]}


def _moved(before, after):
    """What the attacked gateway counted and the other one did not, or much less."""
    moved = {}
    for name, value in after[0].items():
        if _OF_INTEREST.search(name) and not _LONGEST.search(name):
            mine = value - before[0].get(name, 0)
            other = after[1].get(name, 0) - before[1].get(name, 0)
            if mine > 0 and mine > 3 * other:
                moved[name] = mine
    return moved
