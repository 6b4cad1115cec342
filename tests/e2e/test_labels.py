"""A client whose channels are framed under labels, the namespaces of Socket.IO: whatever it joins, leaves and has replayed, and
whatever carries it, each channel of each namespace brings each message once and in order."""

import json
import random
import threading
import time

import pytest

from sluicetest import Gateway, Http
from sluicetest.families import EIO_MESSAGE, EIO_NOOP, EIO_PING, EIO_PONG, Polled, Upgraded
from sluicetest.websocket import WebSocket

CHANNELS = ["a", "b", "c", "d"]
NAMESPACES = ["/", "/a", "/b", "/x"]  # the second and the third have a channel by their name
STEPS = 120


@pytest.fixture(scope="module")
def gateway():
    with Gateway("--shards", "4", "--history-messages", "100000", "--history-bytes", "64M") as started:
        yield started


class Feed(threading.Thread):
    """Publishes 1, 2, 3 ... to each channel; `begun` and `known` are the last number whose request was sent, and answered."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.http = Http(gateway.address)
        self.begun, self.known = {name: 0 for name in CHANNELS}, {name: 0 for name in CHANNELS}
        self.ids, self.stops, self.random = {name: [] for name in CHANNELS}, threading.Event(), random.Random(5)

    def publish(self, name):
        self.begun[name] += 1
        response = self.http.request("POST", "/publish?channel=" + name, {"Content-Type": "application/json"},
                                     b"%d" % self.begun[name])
        assert response.status == 200, response
        self.ids[name].append(response.json()["id"])
        self.known[name] = self.begun[name]

    def run(self):
        while not self.stops.is_set():
            for _ in range(self.random.choice([1, 1, 1, 40])):
                self.publish(self.random.choice(CHANNELS))
            time.sleep(0.002)

    def stop(self):
        self.stops.set()
        self.join()
        for name in CHANNELS:
            self.publish(name)
        self.http.close()


class Promise:
    """A channel in a namespace. The first number that comes is above `after` and at most `before`."""

    def __init__(self, after, before):
        self.after, self.before, self.last = after, before, None

    def take(self, number):
        if self.last is None:
            assert self.after < number <= self.before(), (self.after, number, self.before())
        else:
            assert number == self.last + 1, (self.last, number)
        self.last = number


class Client:
    """Speaks Socket.IO by hand over what carries it."""

    query = {}

    def __init__(self, gateway, feed, packets_class, seed):
        self.gateway, self.feed, self.random, self.packets_class = gateway, feed, random.Random(seed), packets_class
        self.open()
        self.promises, self.joined, self.acks, self.answers = {}, set(), 0, {}
        self.taken, self.replays = 0, 0

    def open(self):
        self.packets = self.packets_class(self.gateway.address, "/socket.io/", {}, self.query)
        self.packets.open()

    # What comes.

    def take(self, packet):
        if packet == EIO_PING:
            self.packets.send(EIO_PONG)
        if packet in (EIO_PING, EIO_NOOP):
            return
        assert packet[0] == EIO_MESSAGE, packet
        kind, rest, namespace = packet[1], packet[2:], "/"
        if rest.startswith("/"):
            namespace, rest = rest.split(",", 1)
        if kind in "03":
            at = min(at for at in (rest.find("["), rest.find("{")) if at >= 0)
            self.answers[rest[:at] or namespace] = json.loads(rest[at:])
            return
        assert kind == "2" and namespace in self.joined, packet
        self.take_event(namespace, json.loads(rest))

    def take_event(self, namespace, event):
        name, message = event
        assert name == "message"
        promise = self.promises.get((namespace, message["channel"]))
        assert promise, "it has no longer %s in %s" % (message["channel"], namespace)
        promise.take(message["data"])
        self.taken += 1

    def read(self, count=1):
        for _ in range(count):
            self.take(self.packets.next())

    def answer(self, key):
        while key not in self.answers:
            self.read()
        return self.answers.pop(key)

    # What it asks for.

    def promise(self, namespace, name, after=None):
        """From now on, or after a number."""
        if (namespace, name) in self.promises:
            return
        if after is None:
            # The answer may come before what is published meanwhile.
            promise = Promise(self.feed.known[name], lambda: self.feed.begun[name])
        else:
            promise = Promise(after, lambda: after + 1)
        self.promises[namespace, name] = promise

    def settle(self, namespace, names):
        """What is published from here on must come."""
        for name in names:
            promise, latest = self.promises[namespace, name], self.feed.begun[name] + 1
            promise.before = lambda old=promise.before, latest=latest: min(old(), latest)

    def connect(self, namespace):
        names = self.random.sample(CHANNELS, self.random.randint(0, 2))
        own = namespace[1:] if namespace[1:] in CHANNELS else None
        self.joined.add(namespace)
        every = sorted(set(names + ([own] if own else [])))
        for name in every:
            self.promise(namespace, name)
        head = "" if namespace == "/" else namespace + ","
        self.packets.send(EIO_MESSAGE + "0" + head + json.dumps({"channels": names}))
        self.begin(namespace, names, self.answer(namespace))
        self.settle(namespace, every)

    def begin(self, namespace, names, answer):
        assert "sid" in answer, answer

    def forget(self, namespace, names):
        """Those that are on their way may come still: they are read first."""
        self.emit(namespace, "unsubscribe", names)
        for name in names:
            self.promises.pop((namespace, name), None)

    def emit(self, namespace, *event):
        self.acks += 1
        head = "" if namespace == "/" else namespace + ","
        self.packets.send("%s2%s%d%s" % (EIO_MESSAGE, head, self.acks, json.dumps(event)))
        answer, = self.answer(str(self.acks))
        assert "error" not in answer, answer
        return answer

    def subscribe(self, namespace):
        names = self.random.sample(CHANNELS, self.random.randint(1, 2))
        if self.random.random() < 0.5 or not self.feed.known[names[0]]:
            for name in names:
                self.promise(namespace, name)
            self.emit(namespace, "subscribe", names)
            self.settle(namespace, names)
            return
        name = names[0]
        known = self.feed.known[name]
        if not self.may_replay(namespace):
            return
        after = self.random.randint(max(1, known - 200), known)
        self.replays += after < known and (namespace, name) not in self.promises
        self.promise(namespace, name, after)
        answer = self.emit(namespace, "subscribe", name, {"since": self.feed.ids[name][after - 1]})
        assert not answer.get("lost"), answer

    def may_replay(self, namespace):
        return True

    def step(self):
        what = self.random.random()
        apart = [one for one in NAMESPACES if one not in self.joined]
        namespace = self.random.choice(sorted(self.joined)) if self.joined else None
        if apart and (what < 0.1 or not namespace):
            self.connect(self.random.choice(apart))
        elif what < 0.5:
            self.subscribe(namespace)
        elif what < 0.7:
            self.forget(namespace, self.random.sample(CHANNELS, 2))
        elif what < 0.75 and namespace != "/" and "/" in self.joined:
            self.forget(namespace, CHANNELS)
            self.packets.send(EIO_MESSAGE + "1" + namespace + ",")
            self.joined.discard(namespace)
        elif self.promises:
            self.read(self.random.randint(1, 30))

    def upgrade(self):
        """With a GET held, as the client library does it: what that brings comes first."""
        polled, queue = self.packets, []
        get = threading.Thread(target=lambda: queue.append(polled.ask("GET")))
        get.start()
        upgraded = Upgraded(self.gateway.address, "/socket.io/", {}, {})
        upgraded.wire = WebSocket(self.gateway.address)
        response = upgraded.wire.handshake("/socket.io/?EIO=4&transport=websocket&sid=" + polled.sid)
        assert response.status == 101, response
        upgraded.send("2probe")
        assert upgraded.next() == "3probe"
        get.join()
        assert queue[0].status == 200, queue
        for packet in polled.queue + queue[0].body.decode().split("\x1e"):
            self.take(packet)
        self.packets = upgraded
        upgraded.send("5")

    def finish(self):
        """All of it has come."""
        while any(promise.last != self.feed.begun[name] for (_, name), promise in self.promises.items()):
            self.read()
        self.packets.close()


class Recovering(Client):
    """Is cut off now and then, with messages on their way, and recovers each of its namespaces."""

    query = {"recovery": "1"}
    most_replays = 6  # of a namespace; the gateway tells nine apart

    def __init__(self, *args):
        self.pids, self.offsets, self.asked, self.cuts = {}, {}, {}, 0
        super().__init__(*args)

    def take_event(self, namespace, event):
        self.offsets[namespace] = event.pop()
        assert isinstance(self.offsets[namespace], str)
        if event[0] not in ("subscribed", "unsubscribed"):
            super().take_event(namespace, event)

    def begin(self, namespace, names, answer):
        self.pids[namespace], self.asked[namespace] = answer["pid"], names
        self.offsets.pop(namespace, None)
        self.left = getattr(self, "left", {})
        self.left[namespace] = self.most_replays

    def may_replay(self, namespace):
        self.left[namespace] -= 1
        return self.left[namespace] >= 0

    def step(self):
        if self.random.random() < 0.12:
            self.cut()
        else:
            super().step()

    def cut(self):
        self.cuts += 1
        if isinstance(self.packets, Polled) and self.random.random() < 0.7:
            with Http(self.gateway.address) as lost:  # its answer reaches nobody
                lost.send_request("GET", self.packets.target())
                time.sleep(0.01 * self.random.random())
        self.packets.close()
        self.open()
        for namespace in sorted(self.joined):
            auth = {"channels": self.asked[namespace], "pid": self.pids[namespace]}
            if namespace in self.offsets:
                auth["offset"] = self.offsets[namespace]
            self.packets.send(EIO_MESSAGE + "0" + ("" if namespace == "/" else namespace + ",") + json.dumps(auth))
            answer = self.answer(namespace)
            assert answer["pid"] == self.pids[namespace], "not recovered: %r %r" % (namespace, auth)


@pytest.mark.shards
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("carrier", ["polling", "websocket", "upgrade"])
def test_each_channel_of_each_namespace_brings_each_message_once(gateway, carrier, seed):
    feed = Feed(gateway)
    client = Client(gateway, feed, Upgraded if carrier == "websocket" else Polled, seed)
    feed.start()
    try:
        client.connect("/")
        for step in range(STEPS):
            client.step()
            if carrier == "upgrade" and step == STEPS // 2:
                client.upgrade()
    finally:
        feed.stop()
    assert client.promises
    client.finish()
    assert client.taken > STEPS and client.replays > 3


@pytest.mark.shards
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("carrier", [Polled, Upgraded])
def test_each_channel_of_each_namespace_is_recovered_whatever_was_joined_left_and_replayed(gateway, carrier, seed):
    feed = Feed(gateway)
    client = Recovering(gateway, feed, carrier, seed)
    feed.start()
    try:
        client.connect("/")
        for _ in range(STEPS):
            client.step()
    finally:
        feed.stop()
    client.finish()
    assert client.cuts > 5 and client.taken > STEPS and client.replays > 2
