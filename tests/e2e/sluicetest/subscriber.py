"""One interface over the five transports, so that a test is written once.

A subscriber checks on every object what must hold on every transport: `open` comes first,
ids rise strictly, cursors never go back, SSE's `id:` agrees with the object, and `sent` is the
number of messages and gaps that came before it."""

import json
import time
import urllib.parse

from .http import Http
from .streams import LineReader, SseReader
from .websocket import WebSocket
from .wire import TIMEOUT

TRANSPORTS = ["websocket", "sse", "stream", "longpoll", "poll"]
STREAMING = TRANSPORTS[:3]
HELD = TRANSPORTS[:4]
COUNTING = ("open", "heartbeat", "pong", "bye")


class Gap(Exception):
    """A gap object arrived where the test waited for a message."""

    def __init__(self, obj):
        super().__init__(repr(obj))
        self.obj = obj


class Bye(Exception):
    def __init__(self, obj):
        super().__init__(repr(obj))
        self.obj = obj


def split_cursor(cursor):
    epoch, dash, seq = cursor.partition("-")
    assert dash and len(epoch) == 8 and epoch == epoch.lower() and int(epoch, 16), cursor
    assert seq == str(int(seq)), cursor
    return epoch, int(seq)


def target_of(path, channels, **params):
    """A delivery request's target; parameters that are None are left out. A text is taken as it is; of a
    list those that have a comma are named one by one."""
    query = []
    if not isinstance(channels, str):
        query += [("channel", name) for name in channels if "," in name]
        channels = ",".join(name for name in channels if "," not in name)
    query += [("channels", channels)] if channels or not query else []
    query += [(k, v) for k, v in params.items() if v is not None]
    return path + "?" + urllib.parse.urlencode(query, safe=",:-_.", quote_via=urllib.parse.quote)


class Subscriber:
    """What all five share; a transport's class yields objects."""

    transport = None
    path = None
    connection_class = Http
    is_poll = False

    def __init__(self, gateway, channels, since=None, headers=(), version="1.1", rcvbuf=None,
                 listener=None, how=None, **params):
        self.channels = [channels] if isinstance(channels, str) else list(channels)
        self.params = params
        self.headers = dict(headers)
        self.version = version
        self.cursor = since
        self.opened = None
        self.gaps = []
        self.last_seq = None
        self.seen = []
        self.counts = []  # each `sent` that was told
        self.path_loses = False  # set where what is sent is not all to arrive
        address = listener or gateway.address
        self.how = how
        self.wire = self.connection_class(address, rcvbuf=rcvbuf, how=how)
        try:
            self._open(since)
        except BaseException:
            self.wire.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def _open(self, since):
        raise NotImplementedError

    def _next(self, timeout):
        raise NotImplementedError

    def _target(self, since):
        return target_of(self.path, self.channels, since=since, **self.params)

    def next_object(self, timeout=TIMEOUT):
        """The next object, message or control; keeps `cursor`."""
        obj = self._next(timeout)
        self._check(obj)
        return obj

    def _check(self, obj):
        if "type" not in obj:
            self._move(obj["id"], strictly=True)
            self.seen.append(obj)
        elif obj["type"] == "gap":
            self.gaps.append(obj)  # `resumed` is its channel's, not the connection's position
        elif "cursor" in obj and obj["type"] in ("open", "heartbeat", "subscribed", "unsubscribed"):
            self._move(obj["cursor"])
        if "sent" in obj:
            got = len(self.seen) + len(self.gaps)
            assert obj["sent"] == got or (self.path_loses and obj["sent"] > got), (obj, got)
            self.counts.append(obj["sent"])
        else:
            assert self.is_poll or obj.get("type") not in COUNTING, obj

    def _move(self, cursor, strictly=False):
        seq = split_cursor(cursor)[1]
        if self.last_seq is not None:
            assert seq > self.last_seq or (seq == self.last_seq and not strictly), \
                "%s after sequence %d" % (cursor, self.last_seq)
        self.last_seq = seq
        self.cursor = cursor

    def next_message(self, timeout=TIMEOUT):
        """The next message, over heartbeats; raises Gap or Bye."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no message")
            obj = self.next_object(left)
            kind = obj.get("type")
            if kind is None:
                return obj
            if kind == "gap":
                raise Gap(obj)
            if kind == "bye":
                raise Bye(obj)
            assert kind in ("heartbeat", "mark", "backend"), obj

    def next_data(self, count, timeout=TIMEOUT):
        """The payloads of the next `count` messages."""
        deadline = time.monotonic() + timeout
        return [self.next_message(deadline - time.monotonic())["data"] for _ in range(count)]

    def await_control(self, kind, timeout=TIMEOUT):
        """The next control object of this type; other objects pass by."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no %s" % kind)
            obj = self.next_object(left)
            if obj.get("type") == kind:
                return obj

    def close(self):
        self.wire.close()

    def cut(self):
        self.wire.abort()


class _Streaming(Subscriber):
    def _open(self, since):
        self.wire.send_request("GET", self._target(since), self.headers, version=self.version)
        self.response = self.wire.read_head()
        if self.response.status != 200:
            raise Refused(self.wire.read_body())
        self._start()
        self.opened = self.next_object()
        assert self.opened["type"] == "open", self.opened

    def _start(self):
        raise NotImplementedError


class Refused(Exception):
    """The gateway answered with another status; `response` is the whole of it."""

    def __init__(self, response):
        super().__init__(repr(response))
        self.response = response


class Sse(_Streaming):
    transport, path = "sse", "/sse"

    def _start(self):
        self.reader = SseReader(self.wire)

    def _next(self, timeout):
        event = self.reader.next_event(timeout)
        self.event = event
        obj = json.loads(event.text)
        if "type" in obj:
            assert event.name == obj["type"], event
            if obj["type"] in ("open", "heartbeat"):
                assert event.id == obj["cursor"], event
            elif obj["type"] == "gap":
                self._move(event.id)
        else:
            assert event.name == "message" and event.id == obj["id"], event
        return obj


class Stream(_Streaming):
    transport, path = "stream", "/stream"

    def _start(self):
        self.reader = LineReader(self.wire)

    def _next(self, timeout):
        return self.reader.next_object(timeout)


class Websocket(Subscriber):
    transport, path, connection_class = "websocket", "/ws", WebSocket

    def _open(self, since):
        self.response = self.wire.handshake(self._target(since), self.headers)
        if self.response.status != 101:
            raise Refused(self.response)
        self.opened = self.next_object()
        assert self.opened["type"] == "open", self.opened

    def _next(self, timeout):
        return self.wire.next_object(timeout)


class Poll(Subscriber):
    """Keeps its connection while the gateway does, makes a new one when told `close` or
    when the old one has gone; `answers` counts polls, `connections` sockets."""

    transport, path = "poll", "/poll"
    is_poll = True
    wait = 0
    method = "GET"

    def _open(self, since):
        self.queue = []
        self.answers = 0
        self.connections = 1
        self.reusable = True
        self.address = self.wire.address
        self.bytes_before = [0, 0]
        if since is None:
            self._ask(TIMEOUT)
            self.next_object()
            assert not self.queue, "a poll without since brought messages"
        # opened stays None: polls have no open object.

    def _ask(self, timeout):
        if not self.reusable:
            self._reconnect()
        self.wire.send_request(
            self.method, target_of(self.path, self.channels, since=self.cursor, wait=self.wait,
                                   **self.params), self.headers, version=self.version)
        response = self.response = self.wire.read_response(timeout=max(timeout, self.wait + 10))
        if response.status != 200:
            raise Refused(response)
        self.reusable = self.wire.is_reusable()
        answer = response.json()
        self.answers += 1
        own = ["limits"] + (["n"] if "n" in self.params else [])
        may_be_shared = answer["messages"] and not answer["gaps"]
        assert list(answer) == ["cursor", "messages", "gaps"] + own or (
            may_be_shared and list(answer) == ["cursor", "messages", "gaps"]), answer
        assert answer.get("n", self.params.get("n")) == self.params.get("n"), answer
        assert response.header("Sluice-Cursor") == answer["cursor"], response
        if answer["messages"]:
            assert answer["messages"][-1]["id"] == answer["cursor"], answer
        self.queue += answer["gaps"] + answer["messages"]
        if not answer["messages"]:
            self.queue.append({"type": "heartbeat", "cursor": answer["cursor"]})

    def _reconnect(self):
        self.bytes_before[0] += self.wire.sent
        self.bytes_before[1] += self.wire.received
        self.wire.close()
        self.wire = Http(self.address, how=self.how)
        self.connections += 1

    def _next(self, timeout):
        deadline = time.monotonic() + timeout
        while not self.queue:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no message in %d polls" % self.answers)
            self._ask(left)
        if self.wait == 0 and self.queue[0].get("type") == "heartbeat":
            time.sleep(0.02)  # between short polls that bring nothing
        return self.queue.pop(0)


class Longpoll(Poll):
    transport, wait = "longpoll", 25

    def _next(self, timeout):
        if not self.queue:
            # A short deadline asks for a short hold, so that the poll itself ends.
            self.wait = 25 if timeout >= 25 else max(int(timeout), 1)
        return super()._next(timeout)


_CLASSES = {cls.transport: cls for cls in (Websocket, Sse, Stream, Longpoll, Poll)}
assert list(_CLASSES) == TRANSPORTS


def open_subscriber(transport, gateway, channels, since=None, **how):
    return _CLASSES[transport](gateway, channels, since, **how)
