"""Hosts of a cluster, each a network namespace with a stack of its own (ip-netns(8)), around a hub that
forwards between them. Between hosts the hub can cut any path without a word, and the links can be made
lossy and slow. Whoever sits in the hub reaches every host whatever is cut or degraded.

Needs root; `find_why_not()` says what is missing."""

import atexit
import contextlib
import ctypes
import itertools
import math
import os
import select
import shutil
import signal
import subprocess

CLONE_NEWNET = 0x40000000
FORWARDED = "100"  # the routing table of what the hub forwards; its own packets use `main`
START_TIMEOUT = 30

_numbers = itertools.count(1)


class NetworkFailed(Exception):
    pass


def _run(*words, stdin=""):
    done = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise NetworkFailed("%s: %s" % (" ".join(words), (done.stderr or done.stdout).strip()))
    return done.stdout


def find_why_not():
    """What is missing for a network here, in words; None for nothing."""
    for tool in ("ip", "nft"):
        if not shutil.which(tool):
            return "the program %s is missing" % tool
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with Network(["a", "b"]) as network:
            network.cut(("a", "b"))
            network.mend()
    except NetworkFailed as failure:
        return "network namespaces are not permitted here: %s" % failure
    return None


def _enter(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise NetworkFailed("setns: %s" % os.strerror(ctypes.get_errno()))


class Network:
    """`hosts` are names of at most seven characters. Nothing runs in them but what `prefix()` brings."""

    def __init__(self, hosts):
        self.hosts = list(hosts)
        self._prefix = "sluice-%d-%d" % (os.getpid(), next(_numbers))
        self._carriers = []
        self._names = []
        self._degraded = None
        atexit.register(self.remove)
        try:
            self._create()
        except BaseException:
            self.remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.remove()

    def name(self, host):
        return "%s-%s" % (self._prefix, host)

    def address(self, host):
        return "10.83.0.%d" % (self.hosts.index(host) + 1)

    def prefix(self, host):
        """The words before a command that shall run at a host; its process id is the command's."""
        return ["ip", "netns", "exec", self.name(host)]

    @contextlib.contextmanager
    def inside(self):
        """The calling thread, and what it starts from then on, is in the hub meanwhile."""
        with open("/proc/thread-self/ns/net") as home, open("/run/netns/" + self.name("hub")) as hub:
            _enter(hub.fileno())
            try:
                yield self
            finally:
                _enter(home.fileno())

    def cut(self, *pairs):
        """Packets between the two hosts of each pair vanish, both ways: no RST, no ICMP. All at the same moment."""
        rules = ["add rule ip path forward ip saddr %s ip daddr %s counter drop\n" % (
            self.address(source), self.address(target))
            for one, other in pairs for source, target in ((one, other), (other, one))]
        _run(*self.prefix("hub"), "nft", "-f", "-", stdin="".join(rules))

    def cut_off(self, host, others=None):
        """The same between a host and each of `others`, by default all."""
        self.cut(*((host, other) for other in others or self.hosts if other != host))

    def mend(self):
        self._at("hub", "nft", "flush", "chain", "ip", "path", "forward")

    def dropped(self):
        """How many packets were cut since the last mend()."""
        rules = self._at("hub", "nft", "list", "chain", "ip", "path", "forward")
        words = rules.split()
        return sum(int(words[i + 1]) for i, word in enumerate(words) if word == "packets")

    def degrade(self, loss_percent, rtt_ms):
        """Every path between two hosts loses so many percent of its packets in each direction, and
        has this round trip. A path is two links, carried by the bench's emulator."""
        share = 100 * (1 - math.sqrt(1 - loss_percent / 100))
        kind = "rtt=%g,loss=%.3f" % (rtt_ms / 2, share)
        for host in self.hosts:
            self._carriers.append(self._carry(host, kind))
        for carrier in self._carriers:
            self._wait_for(carrier)
        self._route(over_emulator=True)
        self._degraded = kind

    def restore(self):
        self._route(over_emulator=False)
        self._end_carriers()
        self._degraded = None

    def remove(self):
        """Ends what still runs in the hosts, and the namespaces."""
        atexit.unregister(self.remove)
        self._end_carriers()
        hub = self.name("hub")
        for name in self._names:
            if name != hub:  # where only the caller may be
                _kill_all_in(name)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
        self._names = []

    # Building it.

    def _create(self):
        for host in ["hub"] + self.hosts:
            _run("ip", "netns", "add", self.name(host))
            self._names.append(self.name(host))
            self._ip(host, "link", "set", "dev", "lo", "up")
        self._at("hub", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        self._at("hub", "nft", "add", "table", "ip", "path")
        self._at("hub", "nft", "add", "chain", "ip", "path", "forward",
                 "{ type filter hook forward priority 0; }")
        self._ip("hub", "rule", "add", "pref", FORWARDED, "not", "iif", "lo", "lookup", FORWARDED)
        for number, host in enumerate(self.hosts, 1):
            self._connect(host, number)
        self._route(over_emulator=False)

    def _connect(self, host, number):
        """A veth pair; beside it the pair of TUN devices that the emulator carries between."""
        near, far = "10.83.%d.1" % number, "10.83.%d.2" % number
        self._ip("hub", "link", "add", "name", host, "type", "veth", "peer", "name", "wire", "netns",
                 self.name(host))
        for place, device, address in (("hub", host, near), (host, "wire", far)):
            self._ip(place, "addr", "add", address + "/24", "dev", device)
            self._ip(place, "link", "set", "dev", device, "up")
        self._ip(host, "addr", "add", self.address(host) + "/32", "dev", "lo")
        self._ip("hub", "route", "add", self.address(host), "via", far, "dev", host)
        for place, device in (("hub", host + "-far"), (host, "far")):
            self._ip(place, "tuntap", "add", "dev", device, "mode", "tun")
            self._ip(place, "link", "set", "dev", device, "up")

    def _route(self, over_emulator):
        """Moves what is between hosts; connections stay, since addresses do."""
        for number, host in enumerate(self.hosts, 1):
            own = self.address(host)
            if over_emulator:
                there, back = ["dev", host + "-far"], ["dev", "far"]
            else:
                there = ["via", "10.83.%d.2" % number, "dev", host]
                back = ["via", "10.83.%d.1" % number, "dev", "wire"]
            self._ip("hub", "route", "replace", own, *there, "table", FORWARDED)
            self._ip(host, "route", "replace", "default", *back, "src", own)

    def _carry(self, host, kind):
        bench = os.environ.get("SLUICE_BENCH")
        assert bench, "set SLUICE_BENCH to the path of the bench's program"
        ends = "/run/netns/%s:%s-far,/run/netns/%s:far" % (self.name("hub"), host, self.name(host))
        return subprocess.Popen([os.path.abspath(bench), "link", "--between", ends, kind],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def _wait_for(self, carrier):
        ready = select.select([carrier.stdout], [], [], START_TIMEOUT)[0]
        if not ready or carrier.stdout.readline() != b"carrying\n":
            raise NetworkFailed("sluice-bench link did not begin")

    def _end_carriers(self):
        for carrier in self._carriers:
            carrier.terminate()
        for carrier in self._carriers:
            carrier.communicate()
        self._carriers = []

    def _ip(self, host, *words):
        return _run("ip", "-n", self.name(host), *words)

    def _at(self, host, *words):
        return _run(*self.prefix(host), *words)


def _kill_all_in(name):
    pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout
    for pid in pids.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
