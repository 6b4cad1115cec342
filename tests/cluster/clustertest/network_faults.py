"""Faults of the network: partitions and bad links, between hosts that are network namespaces."""

import contextlib
import time

from . import networks
from .fault import Fault
from .servers import NOT_NOW, Place
from .world import Loopback

LEAVE_S = 8  # a gateway leaves a server that is isolated
ROOM_S = 1   # for looking, on a busy machine
ONE_S = 12
LOSS_PERCENT, RTT_MS = 30, 200


class Networks(Loopback):
    """Each server and each gateway on a host of its own. What tests start besides is in the hub."""

    def __init__(self):
        self.held = contextlib.ExitStack()

    def open(self, world):
        fault = world.fault
        self.servers = ["n%d" % n for n in range(fault.servers)]
        self.gateways = ["g%d" % n for n in range(fault.gateways)]
        self.network = self.held.enter_context(networks.Network(self.servers + self.gateways))
        self.held.enter_context(self.network.inside())

    def close(self):
        self.held.close()

    def _place(self, host, options=()):
        return Place(self.network.address(host), self.network.prefix(host), options)

    def place_of_server(self, number):
        return self._place(self.servers[number])

    def place_of_gateway(self, number):
        return self._place(self.gateways[number], ["--allow-anonymous"])


# ---- who is connected to whom ----

def _connections(server):
    """The addresses of those that are connected to a server; () where it does not answer."""
    try:
        return [one["ip"] for one in server.monitor("/connz?limit=10000")["connections"]]
    except NOT_NOW:
        return []


def _server_of(world, number):
    """The server that a gateway is connected to, or None."""
    address = world.layout.network.address(world.layout.gateways[number])
    return next((server for server in world.nats.servers if address in _connections(server)), None)


def _wait_until_left(world, number, server, seconds):
    """Until a gateway is connected to another server; seconds that it took, or None."""
    address = world.layout.network.address(world.layout.gateways[number])
    others = [other for other in world.nats.servers if other is not server]
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if any(address in _connections(other) for other in others):
            return time.monotonic() - began
        time.sleep(0.1)
    return None


def _keep_cut(world, began, seconds):
    world.sleep(max(began + seconds - time.monotonic(), 0))
    world.note("%d packets were cut" % world.layout.network.dropped())
    world.layout.network.mend()
    world.note("mended")


def _note_left(world, number, took):
    world.note("gateway %d is at another server after %s s" % (number, took and round(took, 1)))
    world.left[number] = took


def _check_left(world):
    if not world.left:
        return [("left", "no gateway was at the server that was isolated")]
    return [("left", "gateway %d left after %s s, and %d are allowed" % (
        number, took and round(took, 1), LEAVE_S))
        for number, took in world.left.items() if took is None or took > LEAVE_S + ROOM_S]


# ---- partitions ----

def _cut_gateway(seconds):
    """Gateway 0 reaches no server."""
    def act(world):
        network, began = world.layout.network, time.monotonic()
        network.cut_off(world.layout.gateways[0], world.layout.servers)
        world.note("gateway 0 is cut from all servers")
        world.away_took = world.wait_statuses(503, seconds, [0])
        _keep_cut(world, began, seconds)
    return act


def _check_away(world):
    took = world.away_took
    if took is None or took > 3 + ROOM_S:
        return [("readyz", "503 after %s s, and 3 are allowed" % (took and round(took, 1)))]
    return []


def _cut_path(seconds):
    """Gateway 0 does not reach the server that it is connected to; all others see everybody."""
    def act(world):
        network = world.layout.network
        server = world.nats.wait_for(lambda: _server_of(world, 0), 15, "gateway 0 is at no server")
        began = time.monotonic()
        network.cut((world.layout.gateways[0], world.layout.servers[server.number]))
        world.note("gateway 0 is cut from %s" % server.name)
        _note_left(world, 0, _wait_until_left(world, 0, server, seconds))
        _keep_cut(world, began, seconds)
    return act


def _cut_leader(seconds, is_quiet=False):
    """The stream's leader does not reach its peers; gateways reach all. Quiet: nobody publishes, so that no answer
    is missing that would show it."""
    def act(world):
        if is_quiet:
            world.pause_writers()
        leader = world.nats.wait_leader()
        here = [node.number for node in world.nodes if _server_of(world, node.number) is leader]
        began = time.monotonic()
        world.layout.network.cut_off(world.layout.servers[leader.number], world.layout.servers)
        world.note("%s, where gateways %r are, is cut from its peers" % (leader.name, here))
        for number in here:
            left_s = began + seconds - time.monotonic()
            took = _wait_until_left(world, number, leader, left_s)
            _note_left(world, number, None if took is None else time.monotonic() - began)
        _keep_cut(world, began, seconds)
        if is_quiet:
            world.resume_writers()
        world.nats.wait_leader(60)
    return act


# ---- bad links ----

def bad_links(world):
    """All paths lose packets and are slow, for a while."""
    world.layout.network.degrade(LOSS_PERCENT, RTT_MS)
    world.note("every path loses %d %% and takes %d ms" % (LOSS_PERCENT, RTT_MS))
    world.sleep(20)
    world.layout.network.restore()
    world.note("links are good again")
    world.nats.wait_leader(60)


def _fault(name, act, text, **more):
    return Fault(name, act, text, layout=Networks, needs=(networks.find_why_not,), **more)


def _partitions(seconds):
    """One that is over before a gateway has to leave says nothing of that."""
    check_left = _check_left if seconds > LEAVE_S + ROOM_S else None
    return [
        _fault("cut_gateway_%d" % seconds, _cut_gateway(seconds),
               "a gateway is cut from all servers, %d s" % seconds, away=(0,), spared=(0,), resume_s=ONE_S,
               check=_check_away),
        _fault("cut_path_%d" % seconds, _cut_path(seconds),
               "a gateway is cut from its server, %d s" % seconds, check=check_left),
        _fault("cut_leader_%d" % seconds, _cut_leader(seconds),
               "the leader is cut from its peers, %d s" % seconds, gateways=3, check=check_left),
    ]


FAULTS = _partitions(8) + _partitions(14) + [
    _fault("cut_leader_quiet", _cut_leader(14, is_quiet=True),
           "the leader is cut from its peers, 14 s, and nobody publishes", gateways=3, check=_check_left),
    _fault("bad_links", bad_links, "links lose %d %% and take %d ms" % (LOSS_PERCENT, RTT_MS)),
]
