"""Honest clients in a process of their own: groups that publish and receive on all transports, and
newcomers. They check that each message comes once and in order, and how long it takes.

A message says which one of its group's it is and when it was due, so a publisher that has to wait
is measured too. Whatever else comes on the channel is passed over unread."""

import array
import collections
import json
import re
import time

from . import wires
from .loop import Connection, Loop, client_context

KINDS = ("websocket", "sse", "stream", "longpoll", "poll")
POLL_EVERY_S = 0.25
RETRY_S = 0.1
KEPT_BYTES = 400  # of what may be the beginning of an object; ours are shorter
_CONTROL = re.compile(rb'\{"type":"(gap|bye)"(?:,"reason":"(\w+)")?,')
_CURSOR = re.compile(rb'"(?:cursor|id)":"([0-9a-f]{8}-[0-9]+)"')
_ANSWER = re.compile(rb'\{"type":"(ack|error)",[^}]*?\}')


class Plan:
    """What a process of victims does. `groups` are numbers; each has `each` clients of each kind
    and its publisher, with addresses 127.N.g.c of their own, unless `client_source` and
    `publisher_source` say which. `channels` is how many a client subscribes to; messages come on the
    first one. `tokens` has one for each group."""

    def __init__(self, address, secure, groups, nonce, each=3, rate=10, network=10, tokens=None,
                 newcomers=10, kinds=KINDS, channels=1, client_source=None, publisher_source=None):
        self.address, self.secure, self.groups, self.nonce = address, secure, groups, nonce
        self.each, self.rate, self.network, self.tokens = each, rate, network, tokens
        self.newcomers = newcomers  # a second
        self.kinds, self.channels = kinds, channels
        self.client_source, self.publisher_source = client_source, publisher_source


def channel_of(group):
    return "group.%d" % group


class Checker:
    """One client's messages: numbers from 1 that rise by one."""

    def __init__(self, last=0):
        self.last = last
        self.lost = self.repeated = 0

    def see(self, number):
        """Whether it is new."""
        if number <= self.last:
            self.repeated += 1
            return False
        self.lost += number - self.last - 1
        self.last = number
        return True


class Tally:
    """What all victims of a process have met."""

    def __init__(self):
        self.samples = array.array("d")
        self.entries = array.array("d")
        self.window = (0, float("inf"))
        self.counts = collections.Counter()

    def add(self, due, now):
        if self.window[0] <= due < self.window[1]:
            self.samples.append(now - due)


class Group:
    def __init__(self, world, number):
        plan = world.plan
        self.channel = channel_of(number)
        self.channels = ",".join([self.channel] + [
            "%s.more.%d" % (self.channel, at) for at in range(1, plan.channels)])
        self.number = number
        self.token = plan.tokens[number] if plan.tokens else None
        sources = ("127.%d.%d.%d" % (plan.network, number, at) for at in range(1, 250))
        self.clients = [_CLIENTS[kind](world, self, plan.client_source or next(sources))
                        for kind in plan.kinds for _ in range(plan.each)]
        publisher = PostPublisher if number % 2 else SocketPublisher
        self.publisher = publisher(world, self, plan.publisher_source or next(sources))


class Client(Connection):
    """Finds the group's messages in whatever bytes carry them."""

    times_messages = True

    def __init__(self, world, group, source):
        super().__init__(world.loop, world.plan.address, source, world.context)
        self.world, self.group = world, group
        self.checker = Checker()
        self.cursor = self.bye = None
        self.heard = False
        self.begin()

    def begin(self):
        self.rest = b""
        self.open()

    def on_end(self, why):
        self.world.tally.counts["ended by " + (self.bye or why)] += 1
        self.bye = None
        self.world.loop.after(RETRY_S, self.begin)

    def is_ready(self):
        return self.heard

    def scan(self, data):
        buffer = self.rest + data
        end, now = 0, time.monotonic()
        for found in self.world.message.finditer(buffer):
            end = found.end()
            if self.checker.see(int(found[1])) and self.times_messages:
                self.world.tally.add(int(found[2]) / 1e6, now)
        end = max(end, self.scan_control(buffer))
        at = max(buffer.rfind(b'"id":"'), buffer.rfind(b'"cursor":"'))
        cursor = _CURSOR.match(buffer, at) if at >= 0 else None
        if cursor:
            self.cursor, self.heard = cursor[1].decode(), True
        self.rest = buffer[max(end, len(buffer) - KEPT_BYTES):]

    def scan_control(self, buffer):
        end = 0
        if b'{"type":"' in buffer:
            for found in _CONTROL.finditer(buffer):
                end = found.end()
                if found[1] == b"gap":
                    self.world.tally.counts["gaps"] += 1
                else:
                    self.bye = "bye " + (found[2] or b"").decode()
        return end

    def since(self):
        return "&since=" + self.cursor if self.cursor else ""


class StreamClient(Client):
    path = "/stream"

    def on_open(self):
        self.send(wires.get("%s?channels=%s%s" % (self.path, self.group.channels, self.since()),
                            token=self.group.token))

    def on_data(self, data):
        if data.startswith(b"HTTP/1.1 4") or data.startswith(b"HTTP/1.1 5"):
            self.world.tally.counts["refused %s" % data[9:12].decode()] += 1
        self.scan(data)


class SseClient(StreamClient):
    path = "/sse"


class SocketClient(StreamClient):
    def on_open(self):
        self.send(wires.upgrade(self.group.channels + self.since(), self.group.token))


class PollClient(Client):
    """A short poll now and then; the sample is its round trip."""

    wait, times_messages = 0, False

    def on_open(self):
        self.answer, self.has_asked = b"", False
        self.due = time.monotonic()
        self.ask()

    def ask(self):
        if self.is_open and not self.has_asked:
            self.has_asked = True
            self.send(wires.get("/poll?channels=%s&wait=%d%s" % (
                self.group.channels, self.wait, self.since()), token=self.group.token))

    def on_data(self, data):
        self.answer += data
        body = self.answer.find(b"\r\n\r\n") + 4
        if body < 4:
            return
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", self.answer[:body])
        if length and len(self.answer) < body + int(length[1]):
            return
        answer, self.answer, self.has_asked = self.answer, b"", False
        if not answer.startswith(b"HTTP/1.1 200"):
            self.world.tally.counts["refused %s" % answer[9:12].decode()] += 1
            self.loop.after(RETRY_S, self.ask)
            return
        self.rest = b""
        self.scan(answer[body:])
        self.again()

    def again(self):
        now = time.monotonic()
        self.world.tally.add(self.due, now)
        self.due = max(self.due + POLL_EVERY_S, now)
        self.loop.at(self.due, self.ask)


class LongpollClient(PollClient):
    wait, times_messages = 20, True

    def again(self):
        self.ask()


_CLIENTS = {"websocket": SocketClient, "sse": SseClient, "stream": StreamClient,
            "longpoll": LongpollClient, "poll": PollClient}


class Publisher(Connection):
    """One message each 1/rate seconds, the next one once the one before is answered. What is refused or
    unanswered is repeated with its key, as the protocol says."""

    def __init__(self, world, group, source):
        super().__init__(world.loop, world.plan.address, source, world.context)
        self.world, self.group = world, group
        self.waiting = collections.deque()
        self.number = self.taken = 0
        self.flying = False
        self.buffer = b""
        self.is_on = False
        self.open()

    def start(self, at):
        self.loop.at(at, lambda: self.publish(at))

    def publish(self, due):
        if due >= self.world.stop_at:
            return
        self.number += 1
        self.waiting.append((self.number, due))
        self.push()
        self.start(due + 1 / self.world.plan.rate)

    def push(self):
        if self.is_on and self.waiting and not self.flying:
            self.flying = True
            number, due = self.waiting[0]
            self.send(self.encode({"v": self.world.plan.nonce, "n": number, "t": int(due * 1e6)},
                                  "%s-%d-%d" % (self.world.plan.nonce, self.group.number, number)))

    def answered(self, is_taken, why):
        self.flying = False
        if is_taken:
            self.taken = self.waiting.popleft()[0]
            self.push()
        else:
            self.world.tally.counts["publish refused " + why] += 1
            self.loop.after(RETRY_S, self.push)

    def on_end(self, why):
        self.world.tally.counts["publisher ended by " + why] += 1
        self.flying = self.is_on = False
        self.buffer = b""
        self.loop.after(RETRY_S, self.open)

    def is_ready(self):
        return self.is_on


class SocketPublisher(Publisher):
    def on_open(self):
        self.send(wires.upgrade("publisher.%d" % self.group.number, self.group.token))

    def encode(self, data, key):
        return wires.publish_frame(self.group.channel, data, key=key)

    def on_data(self, data):
        self.buffer += data
        if not self.is_on:
            self.is_on = b'"type":"open"' in self.buffer
            self.push()
        end = 0
        for found in _ANSWER.finditer(self.buffer):
            end = found.end()
            code = re.search(rb'"code":"(\w+)"', found[0])
            self.answered(found[1] == b"ack", code[1].decode() if code else "")
        self.buffer = self.buffer[max(end, len(self.buffer) - KEPT_BYTES):]


class PostPublisher(Publisher):
    def on_open(self):
        self.is_on = True
        self.push()

    def encode(self, data, key):
        return wires.publish(self.group.channel, json.dumps(data, separators=(",", ":")).encode(),
                             key=key, token=self.group.token)

    def on_data(self, data):
        self.buffer += data
        body = self.buffer.find(b"\r\n\r\n") + 4
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", self.buffer[:max(body, 0)])
        if body < 4 or not length or len(self.buffer) < body + int(length[1]):
            return
        status, self.buffer = self.buffer[9:12], self.buffer[body + int(length[1]):]
        self.answered(status == b"200", status.decode())


class Newcomer(Connection):
    """Connects, asks once, and leaves: how long that takes, and whether it gets in."""

    def __init__(self, world, source, token):
        super().__init__(world.loop, world.plan.address, source, world.context)
        self.world = world
        self.token = token
        self.began = time.monotonic()
        self.world.newcomers.add(self)
        self.open()

    def on_open(self):
        self.send(wires.get("/poll?channels=%s&wait=0" % channel_of(self.world.plan.groups[0]),
                            token=self.token))

    def on_data(self, data):
        if data.startswith(b"HTTP/1.1 200"):
            self.leave(None)
        else:
            self.leave("newcomer refused %s" % data[9:12].decode("latin-1"))

    def on_end(self, why):
        self.leave("newcomer ended by " + why)

    def leave(self, why):
        self.close(resets=False)
        self.world.newcomers.discard(self)
        tally = self.world.tally
        if why:
            tally.counts[why] += 1
        elif tally.window[0] <= self.began < tally.window[1]:
            tally.entries.append(time.monotonic() - self.began)


class Victims:
    """All of one process."""

    def __init__(self, plan):
        self.plan = plan
        self.context = client_context() if plan.secure else None
        self.loop = Loop()
        self.tally = Tally()
        self.newcomers = set()
        self.arrived = 0
        self.stop_at = float("inf")
        self.message = re.compile(rb'"v":"%s","n":([0-9]+),"t":([0-9]+)\}' % plan.nonce.encode())
        self.groups = [Group(self, number) for number in plan.groups]

    def storm(self):
        """Every client leaves and is back at once, at its cursor."""
        for group in self.groups:
            for client in group.clients:
                client.close(resets=False)
                client.begin()

    def forget_cursors(self):
        """Nobody is ready before it has heard of the gateway again."""
        for group in self.groups:
            for client in group.clients:
                client.heard = False

    def all_ready(self):
        return all(one.is_ready() for group in self.groups
                   for one in group.clients + [group.publisher])

    def get_ready(self, timeout):
        self.loop.run(time.monotonic() + timeout, self.all_ready)
        return self.all_ready()

    def start(self, at, window, stop_at):
        """Publishing begins at `at`; samples are those due in `window`."""
        self.tally.window, self.stop_at = window, stop_at
        for index, group in enumerate(self.groups):
            group.publisher.start(at + index / len(self.groups) / self.plan.rate)
        if self.plan.newcomers:
            self.loop.at(at, lambda: self.bring_newcomer(at))

    def bring_newcomer(self, due):
        if due < self.tally.window[1]:
            self.arrived += 1
            token = self.plan.tokens[self.plan.groups[0]] if self.plan.tokens else None
            Newcomer(self, "127.%d.%d.%d" % (self.plan.network + 1, self.arrived // 250,
                                             1 + self.arrived % 250), token)
            self.loop.at(due + 1 / self.plan.newcomers,
                         lambda: self.bring_newcomer(due + 1 / self.plan.newcomers))

    def run(self, until):
        self.loop.run(until)

    def have_all(self):
        return not self.newcomers and all(
            not group.publisher.waiting and client.checker.last >= group.publisher.taken
            for group in self.groups for client in group.clients)

    def finish(self, timeout):
        """Waits for what is on its way; what has not come then is lost. The report."""
        self.loop.run(time.monotonic() + timeout, self.have_all)
        counts, lost, repeated = self.tally.counts, 0, 0
        for newcomer in list(self.newcomers):
            newcomer.leave("newcomer unanswered")
        for group in self.groups:
            counts["unpublished"] += len(group.publisher.waiting)
            for client in group.clients:
                lost += client.checker.lost + max(
                    0, group.publisher.taken - client.checker.last)
                repeated += client.checker.repeated
        self.loop.close()
        return {"lost": lost, "repeated": repeated,
                "published": sum(group.publisher.taken for group in self.groups),
                "counts": {name: count for name, count in counts.items() if count},
                "samples": self.tally.samples.tolist(), "entries": self.tally.entries.tolist()}


def serve(plan, pipe):
    """The life of a process: ready, start, report; the other side says when."""
    victims = Victims(plan)
    pipe.send(victims.get_ready(20))
    order = pipe.recv()
    if order:
        victims.start(order["at"], order["window"], order["stop_at"])
        victims.run(order["stop_at"])
        pipe.send(victims.finish(order["drain"]))
