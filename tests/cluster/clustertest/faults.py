"""The faults, in one table."""

import collections
import json
import os
import re
import shutil
import time

from . import network_faults
from .fault import Fault
from .gateways import has_faketime
from .nats import ApiError
from .relay import Relays
from .servers import STREAM
from .world import FOREIGN

ONE_S, ALL_S = 12, 20  # publishing resumes so soon after one server, or all of them, died
AWAY_S = 3             # a gateway that is away says so within


# ---- servers that die ----

def _kill(choose, seconds=6):
    def act(world):
        server = choose(world.nats)
        world.note("kill -9 %s" % server.name)
        server.kill()
        world.sleep(seconds)
        world.healed()
        server.start()
        world.nats.wait_ready()
        world.nats.wait_leader()
    return act


def kill_follower(world):
    """No gateway is away but those that are connected to it or have their consumer there."""
    nats = world.nats
    server = nats.follower()
    if server not in nats.consumer_nodes():
        world.may_be_away = [node.number for node in world.nodes if node.talks_to(server)]
    world.note("kill -9 %s; away may be: %s" % (server.name, world.may_be_away))
    server.kill()
    world.sleep(6)
    world.healed()
    server.start()
    nats.wait_ready()


def empty_store(world):
    """What doc/cluster.md has an operator do with a copy that differs. What is acknowledged while another server is
    dead depends on the new copy."""
    server = world.nats.wait_leader()
    world.note("%s ends, and its store is emptied" % server.name)
    server.terminate()
    shutil.rmtree(server.store)
    os.makedirs(server.store)
    server.start()
    world.nats.wait_ready()
    world.nats.wait_for(lambda: _is_current(world.nats), 30, "the new copy is not current")
    world.note("its new copy is current")
    world.healed()
    other = next(one for one in world.nats.servers if one is not server)
    world.note("kill -9 %s" % other.name)
    other.kill()
    world.sleep(12)
    other.start()
    world.nats.wait_ready()


def _is_current(nats):
    cluster = nats.stream()["cluster"]
    replicas = cluster.get("replicas") or []
    return cluster.get("leader") and len(replicas) == 2 and all(one["current"] for one in replicas)


def kill_all(world):
    for server in world.nats.servers:
        server.kill()
    for server in world.nats.servers:
        server.start()
    world.note("kill -9 of all, started again at once")
    _expect_away(world)
    world.nats.wait_ready(30)


def kill_gateways(world):
    """One after the other."""
    for node in world.nodes:
        world.note("kill -9 gateway %d" % node.number)
        node.kill()
        world.sleep(2)
        node.start()
        world.sleep(2)


def _expect_away(world, nodes=None):
    took = world.wait_statuses(503, 10, nodes)
    world.note("/readyz is 503 after %s s" % (took and round(took, 1)))
    world.away_took = took


def _check_away(world):
    took = world.away_took
    if took is None or took > AWAY_S + 0.5:  # the prober itself takes a tenth, and a busy machine some
        return [("readyz", "503 after %s s, and %d are allowed" % (took and round(took, 1), AWAY_S))]
    return []


def _check_told(world):
    """Streams stay open while their gateway is away, and are told of it."""
    counts = world.read_counts
    world.note("readers were told %d times away, %d times back" % (
        counts.get("backend away", 0), counts.get("backend back", 0)))
    if not counts.get("backend away") or not counts.get("backend back"):
        return [("told", "no stream was told that its gateway was away, and back")]
    return []


def _check_ends(world):
    """Streams end for another log, and their clients know why."""
    count = world.read_counts.get("bye: epoch", 0)
    world.note("%d streams ended for the epoch" % count)
    return [] if count else [("told", "no stream ended with the reason epoch")]


# ---- servers that stop ----

def _pause(choose, seconds):
    def act(world):
        server = choose(world.nats)
        world.note("SIGSTOP %s" % server.name)
        server.pause()
        world.sleep(seconds)
        world.healed()
        server.resume()
        world.note("SIGCONT %s" % server.name)
        world.nats.wait_leader()
    return act


def _pause_all(seconds):
    def act(world):
        for server in world.nats.servers:
            server.pause()
        world.note("SIGSTOP of all")
        if seconds > 10:
            _expect_away(world)
        world.sleep(max(world.began + seconds - time.monotonic(), 0))
        for server in world.nats.servers:
            server.resume()
        world.note("SIGCONT of all")
        world.nats.wait_ready(30)
    return act


def _pause_gateway(seconds):
    def act(world):
        node = world.nodes[0]
        node.pause()
        world.note("SIGSTOP gateway 0")
        world.sleep(seconds)
        node.resume()
        world.note("SIGCONT gateway 0")
    return act


# ---- disks ----

DISK_MIB = 96


def _mount(*numbers):
    def prepare(world):
        for number in numbers:
            world.mount(world.nats.servers[number].store, DISK_MIB)
    return prepare


def _fill(server):
    """Takes all room that is left; returns the file."""
    name = os.path.join(os.path.dirname(server.store), "store", "ballast")
    with open(name, "wb", buffering=0) as file:
        block = b"\0" * 65536
        try:
            while True:
                file.write(block)
        except OSError:
            pass
        try:
            while True:
                file.write(b"\0" * 512)
        except OSError:
            pass
    return name


def _disk(choose, seconds):
    def act(world):
        server = choose(world)
        name = _fill(server)
        world.note("the disk of %s is full" % server.name)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            world.sleep(0.5)
            _fill_on(name)
        _read_history(world)
        os.unlink(name)
        world.note("there is room again")
        server.kill()
        server.start()
        world.nats.wait_ready(30)
        world.nats.wait_leader(40)
    return act


def _fill_on(name):
    """What the server has given back is taken too."""
    with open(name, "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def _read_history(world):
    """What is held is served though NATS stores nothing."""
    for node in world.nodes:
        answer = node.ask("GET", "/poll?wait=0&since=0&channels=chaos.ledger.0")
        world.history_read = answer.status == 200 and len(answer.json()["messages"]) > 0
        world.note("gateway %d serves %d held messages" % (node.number, len(answer.json()["messages"])))


def _check_history(world):
    return [] if world.history_read else [("history", "what was held is not served")]


def _is_root():
    return None if os.geteuid() == 0 else "mounting a small disk needs root"


def _on_disk_leader(world):
    return world.nats.wait_leader()


# ---- the stream itself ----

def purge(world):
    world.nats.ask("STREAM.PURGE." + STREAM)
    world.note("purged")
    world.sleep(3)


def _make_again(world, config):
    """As an operator would from the configuration that was written down."""
    kept = {name: value for name, value in config.items() if name != "description"}
    kept["description"] = "sluice generation=0"
    deadline = time.monotonic() + 20
    while True:
        try:
            world.nats.ask("STREAM.CREATE." + STREAM, kept, 5.0)
            break
        except (ApiError, AssertionError):
            if time.monotonic() > deadline:
                raise
            world.sleep(0.2)
    world.note("made again")


def recreate(world):
    config = world.nats.stream()["config"]
    world.nats.ask("STREAM.DELETE." + STREAM)
    world.note("deleted")
    _make_again(world, config)
    world.sleep(4)


def delete(world):
    config = world.nats.stream()["config"]
    world.nats.ask("STREAM.DELETE." + STREAM)
    world.note("deleted")
    _expect_away(world)
    world.sleep(5)
    _read_history(world)
    _make_again(world, config)
    world.sleep(4)


def _generation(world):
    return int(re.search(r"generation=(\d+)", world.nats.stream()["config"]["description"]).group(1))


def roll_back(world):
    """The servers' folders are copied, 1,000 messages more are acknowledged, the copies are put back."""
    world.generation = _generation(world)
    world.pause_writers()
    for server in world.nats.servers:
        server.terminate()
    copies = os.path.join(world.folder, "copies")
    for server in world.nats.servers:
        shutil.copytree(server.store, os.path.join(copies, server.name))
        server.start()
    world.nats.wait_ready(30)
    world.nats.wait_leader()
    before = {node.number: node.head() for node in world.nodes}
    world.note("copied at %r" % (before[0],))
    world.resume_writers()
    world.wait_acked(1000, 60)
    world.note("1000 more are acknowledged")
    for server in world.nats.servers:
        server.kill()
    for server in world.nats.servers:
        shutil.rmtree(server.store)
        shutil.copytree(os.path.join(copies, server.name), server.store)
        server.start()
    world.note("put back")
    world.nats.wait_ready(30)
    world.nats.wait_leader(40)
    world.epoch_before = before[0][0]
    deadline = time.monotonic() + 25
    while any(node.head()[0] == world.epoch_before for node in world.nodes):
        if time.monotonic() > deadline:
            break
        world.sleep(0.2)
    world.note("heads: %r" % ([node.head() for node in world.nodes],))


def _check_roll_back(world):
    wrong = [("epoch", "gateway %d is still in %s" % (node.number, world.epoch_before))
             for node in world.nodes if node.head()[0] == world.epoch_before]
    generation = _generation(world)
    world.note("generation %d, before %d" % (generation, world.generation))
    if generation != world.generation + 1:
        wrong.append(("generation", "%d, before it was %d" % (generation, world.generation)))
    return wrong


# ---- time ----

def _keep(world, count):
    """How many messages the log keeps. Its time would not do: it must not be shorter than that for keys, and
    where those expire while they are used, replicas no longer agree."""
    config = world.nats.stream()["config"]
    world.nats.ask("STREAM.UPDATE." + STREAM, dict(config, max_msgs=count))


def outlive(world):
    """A gateway hears nothing for longer than the log keeps anything. (What is sent to one that is stopped
    waits in the kernel, and is read afterwards.)"""
    _keep(world, 300)
    world.note("the log keeps 300 messages")
    world.sleep(1)
    world.layout.cut(0)
    world.note("gateway 0 is cut off at %d" % world.nats.stream()["state"]["last_seq"])
    world.sleep(14)
    state = world.nats.stream()["state"]
    world.layout.heal(0)
    world.note("gateway 0 hears again, the log holds %d to %d" % (state["first_seq"], state["last_seq"]))
    world.sleep(3)
    _keep(world, -1)


def _check_gaps_once(world):
    """Who was on that gateway is told one gap a channel, and has all that follows."""
    counts = [collections.Counter(gap[0] for gap in told["gaps"]) for told in world.read.values()]
    world.note("%d readers were told gaps, %d in all" % (
        sum(bool(one) for one in counts), sum(sum(one.values()) for one in counts)))
    if not any(counts):
        return [("told", "no reader was told a gap")]
    return [("gap", "%s was told %d gaps of %s" % (name, n, channel))
            for name, one in zip(world.read, counts) for channel, n in one.items() if n > 1]


def _skew(seconds):
    def prepare_node(world, node):
        if node.number == 0:
            node.skew(seconds)
    return prepare_node


def live_on(world):
    """History is the same whatever a gateway's clock says; it starts once more and reads the log again."""
    world.sleep(6)
    world.nodes[0].kill()
    world.nodes[0].start()
    world.sleep(3)


def _check_same_history(world):
    def ids(node):
        found, since = [], "0"
        while True:
            answer = node.ask("GET", "/poll?wait=0&channels=chaos.ledger.0&since=" + since).json()
            found += [message["id"] for message in answer["messages"]]
            if not answer["messages"]:
                return found
            since = answer["cursor"]
    lists = [ids(node) for node in world.nodes]
    world.note("history holds %r messages" % ([len(one) for one in lists],))
    if not lists[0] or any(one != lists[0] for one in lists):
        return [("history", "%r messages of one channel" % ([len(one) for one in lists],))]
    return []


def _needs_faketime():
    return None if has_faketime() else "faketime is not installed"


# ---- foreign publishers ----

FOREIGN_BAD = 5


def foreign(world):
    """Others write into the stream: what a gateway can understand is delivered, the rest is counted."""
    leader = world.nats.wait_leader()
    with leader.connect() as nats:
        for n in range(200):
            data = json.dumps({"c": FOREIGN, "n": n, "t": time.time(), "s": 0, "text": ""}).encode()
            headers = {"Sluice-Type": "json"} if n % 2 else None
            world.foreign.append((n, nats.store("sluice.main." + FOREIGN, data, headers)))
        bad = [("sluice.main." + FOREIGN, b'{"c":', {"Sluice-Type": "json"}),
               ("sluice.main." + FOREIGN, b"\xff\xfe", {"Sluice-Type": "text"}),
               ("sluice.main.no=ZZname", b"{}", None),
               ("sluice.main." + "x" * 200, b"{}", None),
               ("sluice.main." + FOREIGN, b'"' + b"x" * (2 << 20) + b'"', None)]
        world.foreign_bad = 0
        for subject, data, headers in bad:
            try:
                nats.store(subject, data, headers, 5.0)
                world.foreign_bad += 1
            except ApiError as error:
                world.note("the stream refuses %d bytes to %s: %s" % (len(data), subject[:30], error))
    world.note("%d are stored that no gateway can pass on" % world.foreign_bad)
    world.sleep(3)


def _check_foreign(world):
    wrong = []
    for node in world.nodes:
        count = node.metric("sluice_backend_foreign_total")
        world.note("gateway %d counts %s" % (node.number, count))
        if count != world.foreign_bad:
            wrong.append(("foreign", "gateway %d counts %s of %d" % (node.number, count, world.foreign_bad)))
    return wrong


# ---- a gateway that is cut off ----

def cut_off(world):
    """Nothing passes between gateway 0 and any server; its connections stay open."""
    world.layout.cut(0)
    world.note("gateway 0 is cut off")
    _expect_away(world, [0])
    world.sleep(6)
    world.layout.heal(0)
    world.note("healed")


def _leader(nats):
    return nats.wait_leader()


def _follower(nats):
    return nats.follower()


def _consumer(nats):
    return nats.consumer_node()


def _meta(nats):
    return nats.meta_leader() or nats.servers[0]


_DISK_NEEDS = (_is_root,)
FAULTS = [
    Fault("kill_leader", _kill(_leader), "kill -9 of the stream's leader", resume_s=ONE_S),
    Fault("kill_follower", kill_follower, "kill -9 of a follower", resume_s=ONE_S),
    Fault("kill_consumer", _kill(_consumer), "kill -9 of a server with a gateway's consumer", resume_s=ONE_S),
    Fault("kill_meta", _kill(_meta), "kill -9 of the cluster's leader", resume_s=ONE_S),
    Fault("empty_store", empty_store, "a server's store is emptied, then another server dies"),
    Fault("kill_gateways", kill_gateways, "kill -9 of each gateway", gateways=3, spared=(0, 1, 2)),
    Fault("kill_all", kill_all, "kill -9 of all NATS servers", resume_s=ALL_S, check=_check_away),
    Fault("stop_leader_2", _pause(_leader, 2), "SIGSTOP of the leader, 2 s", resume_s=ONE_S),
    Fault("stop_leader_15", _pause(_leader, 15), "SIGSTOP of the leader, 15 s", resume_s=ONE_S),
    Fault("stop_follower_2", _pause(_follower, 2), "SIGSTOP of a follower, 2 s", resume_s=ONE_S),
    Fault("stop_follower_15", _pause(_follower, 15), "SIGSTOP of a follower, 15 s", resume_s=ONE_S),
    Fault("stop_consumer_2", _pause(_consumer, 2), "SIGSTOP of a consumer's server, 2 s", resume_s=ONE_S),
    Fault("stop_consumer_15", _pause(_consumer, 15), "SIGSTOP of a consumer's server, 15 s",
          resume_s=ONE_S),
    Fault("stop_meta_2", _pause(_meta, 2), "SIGSTOP of the cluster's leader, 2 s", resume_s=ONE_S),
    Fault("stop_meta_15", _pause(_meta, 15), "SIGSTOP of the cluster's leader, 15 s", resume_s=ONE_S),
    Fault("stop_gateway_2", _pause_gateway(2), "SIGSTOP of a gateway, 2 s", resume_s=ONE_S, spared=(0,)),
    Fault("stop_gateway_15", _pause_gateway(15), "SIGSTOP of a gateway, 15 s", resume_s=ONE_S, spared=(0,)),
    Fault("stop_all_2", _pause_all(2), "SIGSTOP of all NATS servers, 2 s", resume_s=2 + ALL_S),
    Fault("stop_all_15", _pause_all(15), "SIGSTOP of all NATS servers, 15 s", resume_s=15 + ALL_S,
          check=lambda world: _check_away(world) + _check_told(world)),
    Fault("disk_single", _disk(lambda world: world.nats.servers[0], 25), "full disk under a single server",
          servers=1, prepare=_mount(0), needs=_DISK_NEEDS, check=_check_history),
    Fault("disk_follower", _disk(lambda world: world.nats.follower(), 15), "full disk under a follower",
          prepare=_mount(0, 1, 2), needs=_DISK_NEEDS, check=_check_history),
    Fault("disk_leader", _disk(_on_disk_leader, 25), "full disk under the leader",
          prepare=_mount(0, 1, 2), needs=_DISK_NEEDS, check=_check_history),
    Fault("purge", purge, "the stream is purged", gaps=True, resume_s=ONE_S),
    Fault("recreate", recreate, "the stream is deleted and made again", gaps=True, resets=True,
          check=_check_ends),
    Fault("delete", delete, "the stream is deleted, and made again after a while", gaps=True, resets=True,
          check=lambda world: _check_away(world) + _check_history(world) + _check_ends(world)),
    Fault("roll_back", roll_back, "the stores are put back to a copy", gaps=True, resets=True,
          check=lambda world: _check_roll_back(world) + _check_ends(world)),
    Fault("outlive", outlive, "a gateway hears nothing for longer than the log keeps", gaps=True, spared=(0,),
          resume_s=ONE_S, stay_s=60.0, layout=Relays, check=_check_gaps_once),
    Fault("clock_ahead", live_on, "a gateway's clock is an hour ahead", prepare_node=_skew(3600),
          needs=(_needs_faketime,), check=_check_same_history, spared=(0,), resume_s=ONE_S),
    Fault("clock_behind", live_on, "a gateway's clock is an hour behind", prepare_node=_skew(-3600),
          needs=(_needs_faketime,), check=_check_same_history, spared=(0,), resume_s=ONE_S),
    Fault("foreign", foreign, "others publish bad JSON, no header, illegal channels, 2 MB",
          check=_check_foreign, resume_s=ONE_S),
    Fault("cut_off", cut_off, "a gateway is cut off from all servers", layout=Relays, spared=(0,),
          away=(0,), resume_s=ONE_S, check=_check_away),
] + network_faults.FAULTS
SHORT = ["kill_leader", "stop_leader_15", "cut_off", "roll_back"]


def calm(world):
    """Nothing happens."""
    world.sleep(5)


CALM = Fault("calm", calm, "nothing happens", resume_s=5)
# On one gateway with its log in memory: a new life is a new log.
IN_MEMORY = [
    Fault("calm", calm, "nothing happens", gateways=1, resume_s=5),
    Fault("kill_gateways", kill_gateways, "kill -9 of the gateway", gateways=1, gaps=True, resets=True),
]


def find(names, backend="nats"):
    table = {fault.name: fault for fault in (FAULTS + [CALM] if backend == "nats" else IN_MEMORY)}
    for name in names:
        if name not in table:
            raise SystemExit("no fault %s; there are: %s" % (name, " ".join(table)))
    return [table[name] for name in names]
