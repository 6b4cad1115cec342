"""Every family of clients behind one interface, each by hand: what comes, why it ends, how it is refused.
Each reader checks that it gets nothing of another family's control objects."""

import base64
import json
import time
import urllib.parse

from .http import Http
from .streams import LineReader, SseReader
from .websocket import BINARY, TEXT, CloseFrame, WebSocket
from .wire import TIMEOUT, Closed

CONTROL = ("open", "heartbeat", "gap", "bye", "mark", "backend", "subscribed", "unsubscribed", "ack", "error",
           "pong", "limits")
EIO_CLOSE, EIO_PING, EIO_PONG, EIO_MESSAGE, EIO_UPGRADE, EIO_NOOP = "123456"
SEPARATOR = "\x1e"


class Refused(Exception):
    """`code` is what the family calls the reason; `response` where it was an answer to a request."""

    def __init__(self, code, response=None, text=""):
        super().__init__("%s %r %s" % (code, response, text))
        self.code, self.response = code, response


class Ended(Exception):
    """The gateway ended it; `reason` as the family says it, None where it has no words for it."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Message:
    """`event`, and `channel`, are None where the family does not tell them."""

    def __init__(self, data, event=None, channel=None):
        self.data, self.event, self.channel = data, event, channel

    def __repr__(self):
        return "<%r %r %r>" % (self.channel, self.event, self.data)


def query_of(**params):
    return urllib.parse.urlencode({k: v for k, v in params.items() if v is not None}, safe=",:-_.*")


def error_code(response):
    """Of a native error answer."""
    return response.json()["error"]["code"]


class Family:
    """`gaps` counts gaps that were told. `cursor` is where it could be resumed, if the family tells it."""

    name = metric = None
    has_events = has_many_channels = is_streaming = can_publish = can_resume = False
    wire_class = Http

    def __init__(self, gateway, channels, token=None, since=None, rcvbuf=None, address=None):
        self.channels = [channels] if isinstance(channels, str) else list(channels)
        self.token, self.since, self.gaps, self.cursor = token, since, [], None
        self.address, self.rcvbuf = address or gateway.address, rcvbuf
        self.wire = self.new_wire()
        try:
            self.open()
        except BaseException:
            self.close()
            raise

    def new_wire(self):
        return self.wire_class(self.address, rcvbuf=self.rcvbuf)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def headers(self):
        return {} if self.token is None else {"Authorization": "Bearer " + self.token}

    def take(self, count):
        return [self.next() for _ in range(count)]

    def read_to_end(self, timeout=TIMEOUT):
        """The messages that come until the gateway ends it, and its reason."""
        messages, deadline = [], time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                messages.append(self.next())
        except Ended as ended:
            return messages, ended.reason
        raise TimeoutError("it does not end")

    def close(self):
        self.wire.close()


# ---- the native ones ----

class Native(Family):
    has_events = has_many_channels = is_streaming = can_resume = True
    path, format = None, None

    def target(self, **more):
        return self.path + "?" + query_of(channels=",".join(self.channels), since=self.since, format=self.format,
                                          **more)

    def take_object(self, obj):
        """A message, or None."""
        assert not isinstance(obj, list) and obj, "another family's: %r" % obj
        if "type" not in obj:
            self.cursor = obj["id"]
            return Message(obj.get("data", obj.get("base64")), obj.get("event"), obj["channel"])
        assert obj["type"] in CONTROL, obj
        if obj["type"] == "gap":
            self.gaps.append(obj)
        if obj["type"] == "bye":
            raise Ended(obj["reason"])
        return None


class JsonWebsocket(Native):
    name, metric, path, wire_class = "websocket json", "websocket", "/ws", WebSocket
    can_publish = True

    def open(self):
        response = self.wire.handshake(self.target(), self.headers())
        if response.status != 101:
            raise Refused(error_code(response), response)

    def next(self):
        while True:
            try:
                message = self.take_object(self.wire.next_object())
            except CloseFrame as close:
                raise Ended(close.reason) from None
            except Closed:
                raise Ended(None) from None
            if message:
                return message

    def tell(self, **what):
        """The answer to one verb."""
        self.wire.send_object({**what, "ref": 1})
        while True:
            obj = self.wire.next_object()
            if obj.get("ref") == 1:
                return obj
            self.take_object(obj)

    def publish(self, channel, data):
        answer = self.tell(type="publish", channel=channel, data=data)
        return answer["code"] if answer["type"] == "error" else None

    def send_garbage(self):
        """How it is told."""
        self.wire.send_text('{"type":')
        while True:
            obj = self.wire.next_object()
            if obj.get("type") == "error":
                return obj["code"]


class RawWebsocket(Native):
    name, metric, path, wire_class = "websocket raw", "websocket", "/ws", WebSocket
    format, has_events, has_many_channels, can_resume = "raw", False, False, False

    def open(self):
        response = self.wire.handshake(self.target(), self.headers())
        if response.status != 101:
            raise Refused(error_code(response), response)

    def next(self):
        try:
            frame = self.wire.next_data()
        except CloseFrame as close:
            raise Ended(close.reason) from None
        except Closed:
            raise Ended(None) from None
        assert frame.opcode in (TEXT, BINARY), frame
        return Message(json.loads(frame.payload))


class SseFamily(Native):
    name, metric, path, reader_class = "sse", "sse", "/sse", SseReader

    def open(self):
        self.wire.send_request("GET", self.target(), self.headers())
        response = self.wire.read_head()
        if response.status != 200:
            raise Refused(error_code(self.wire.read_body()), response)
        self.reader = self.reader_class(self.wire)

    def next_object(self):
        return json.loads(self.reader.next_event().text)

    def next(self):
        while True:
            try:
                message = self.take_object(self.next_object())
            except Closed:
                raise Ended(None) from None
            if message:
                return message


class StreamFamily(SseFamily):
    name, metric, path, reader_class = "stream", "stream", "/stream", LineReader

    def next_object(self):
        return self.reader.next_object()


class LongpollFamily(Native):
    name, metric, path, is_streaming = "longpoll", "longpoll", "/poll", False

    def open(self):
        self.queue = []
        if self.since is None:
            self.ask(0)

    def ask(self, wait):
        if self.wire is None:
            self.wire = self.new_wire()
        try:
            response = self.wire.request("GET", self.target(wait=wait), self.headers(), timeout=TIMEOUT + 30)
        except Closed:
            raise Ended(None) from None
        if response.status != 200:
            raise (Refused if not self.cursor else lambda code, _: Ended(code))(error_code(response), response)
        if not self.wire.is_reusable():
            self.wire.close()
            self.wire = None
        answer = response.json()
        self.cursor = self.since = answer["cursor"]
        for gap in answer["gaps"]:
            self.gaps.append(gap)
        self.queue += answer["messages"]

    def next(self):
        while not self.queue:
            self.ask(25)
        obj = self.queue.pop(0)
        assert "type" not in obj, obj
        return Message(obj.get("data"), obj.get("event"), obj["channel"])

    def close(self):
        if self.wire:
            self.wire.close()


# ---- Engine.IO ----

class Polled:
    """Packets of a session on polling: each request a connection of its own, as socket.io-client in Node."""

    def __init__(self, address, path, headers, query):
        self.address, self.path, self.fields, self.query, self.sid = address, path, headers, query, None
        self.queue, self.handshake, self.wire, self.rcvbuf = [], None, None, None

    def target(self):
        return self.path + "?" + query_of(**self.query, EIO=4, transport="polling", sid=self.sid)

    def open(self):
        response = self.ask("GET")
        if response.status != 200:
            raise Refused(response.json().get("code"), response, response.json().get("message"))
        packet, = response.body.decode().split(SEPARATOR)
        assert packet[0] == "0", packet
        self.handshake = json.loads(packet[1:])
        self.sid = self.handshake["sid"]

    def ask(self, method, body=None):
        fields = {"Connection": "close", **self.fields}
        if body is not None:
            fields["Content-Type"] = "text/plain;charset=UTF-8"
        with Http(self.address, rcvbuf=self.rcvbuf) as self.wire:
            return self.wire.request(method, self.target(), fields, body, timeout=TIMEOUT + 30)

    def send(self, *packets):
        """None, or the code of the refusal."""
        response = self.ask("POST", SEPARATOR.join(packets).encode())
        if response.status == 200:
            assert response.body == b"ok", response
            return None
        return response.json().get("code")

    def next(self):
        while not self.queue:
            try:
                response = self.ask("GET")
            except Closed:
                raise Ended(None) from None
            if response.status != 200:
                raise Ended(response.json()["message"])
            self.queue = response.body.decode().split(SEPARATOR)
        packet = self.queue.pop(0)
        if packet == EIO_CLOSE:
            raise Ended("close")
        return base64.b64decode(packet[1:]) if packet[0] == "b" else packet

    def close(self):
        if self.wire:
            self.wire.close()


class Upgraded:
    """Packets of a WebSocket."""

    def __init__(self, address, path, headers, query):
        self.address, self.path, self.fields, self.query = address, path, headers, query
        self.handshake, self.wire, self.rcvbuf = None, None, None

    def open(self):
        self.wire = WebSocket(self.address, rcvbuf=self.rcvbuf)
        response = self.wire.handshake(self.path + "?" + query_of(**self.query, EIO=4, transport="websocket"), self.fields)
        if response.status != 101:
            raise Refused(response.json().get("code"), response, response.json().get("message"))
        self.handshake = json.loads(self.next()[1:])
        self.sid = self.handshake["sid"]

    def send(self, *packets):
        for packet in packets:
            if isinstance(packet, bytes):
                self.wire.send_frame(BINARY, packet)
            else:
                self.wire.send_text(packet)

    def next(self):
        try:
            frame = self.wire.next_data()
        except CloseFrame as close:
            raise Ended(close.code) from None
        except Closed:
            raise Ended(None) from None
        return frame.payload.decode() if frame.opcode == TEXT else frame.payload

    def close(self):
        if self.wire:
            self.wire.close()


class EngineIo(Family):
    """Payloads as they are, of one channel or more."""

    path, packets_class = "/engine.io/", None
    can_publish = has_many_channels = True

    def new_wire(self):
        self.packets = self.packets_class(self.address, self.path, self.headers(), self.query())
        self.packets.rcvbuf = self.rcvbuf
        return self.packets

    def query(self):
        return {"channels": ",".join(self.channels)}

    def open(self):
        self.packets.open()

    def next_packet(self):
        """Over pings, which it answers."""
        while True:
            packet = self.packets.next()
            if isinstance(packet, bytes):
                return packet
            if packet == EIO_PING:
                self.packets.send(EIO_PONG)
            elif packet[0] == EIO_MESSAGE:
                return packet[1:]
            else:
                assert packet in (EIO_NOOP,), packet

    def next(self):
        payload = json.loads(self.next_packet())
        assert not (isinstance(payload, dict) and payload.get("type") in CONTROL), payload
        return Message(payload)

    def publish(self, channel, data):
        assert [channel] == self.channels
        self.packets.send(EIO_MESSAGE + json.dumps(data))

    def send_garbage(self):
        refused = self.packets.send("x")
        if refused is None:
            _, refused = self.read_to_end()
        return refused


class EngineIoPolling(EngineIo):
    name, metric, packets_class = "engine.io polling", "engineio-polling", Polled


class EngineIoWebsocket(EngineIo):
    name, metric, packets_class, is_streaming = "engine.io websocket", "engineio-websocket", Upgraded, True


# ---- Socket.IO ----

class SocketIo(EngineIo):
    path, has_events, recovers = "/socket.io/", True, False

    def query(self):
        return {"channels": ",".join(self.channels), "recovery": "1" if self.recovers else None}

    def headers(self):
        return {}

    def open(self):
        super().open()
        self.acks = 0
        self.packets.send(EIO_MESSAGE + "0" + json.dumps({} if self.token is None else {"token": self.token}))
        packet = self.next_packet()
        if packet[0] == "4":
            error = json.loads(packet[1:])
            raise Refused(error["data"]["code"], None, error["message"])
        assert packet[0] == "0", packet
        self.connected = json.loads(packet[1:])

    def take(self, count=None, until=None):
        return super().take(count)

    def next(self):
        while True:
            packet = self.next_packet()
            if packet[0] == "2":
                return self.take_event(json.loads(packet[1:]))
            assert packet[0] == "3", packet

    def take_event(self, args):
        assert isinstance(args, list) and isinstance(args[0], str), args
        for value in args[1:]:
            assert not (isinstance(value, dict) and "channel" not in value and value.get("type") in CONTROL), args
        if args[0] == "message" and isinstance(args[1], dict) and "channel" in args[1]:
            return Message(args[1].get("data"), None, args[1]["channel"])
        return Message(args[1], args[0])

    def ask(self, *event):
        """The ack's argument; messages before it are taken as they come."""
        self.acks += 1
        self.packets.send("%s2%d%s" % (EIO_MESSAGE, self.acks, json.dumps(event)))
        head = "3%d[" % self.acks
        while True:
            packet = self.next_packet()
            if packet.startswith(head):
                return json.loads(packet[len(head) - 1:])[0]
            assert packet[0] == "2", packet

    def publish(self, channel, data):
        answer = self.ask("publish", channel, data)
        return answer["error"]["code"] if "error" in answer else None

    def send_garbage(self):
        self.packets.send(EIO_MESSAGE + "9nonsense")
        return self.read_to_end()[1]


class SocketIoPolling(SocketIo):
    name, metric, packets_class = "socket.io polling", "engineio-polling", Polled


class SocketIoWebsocket(SocketIo):
    name, metric, packets_class, is_streaming = "socket.io websocket", "engineio-websocket", Upgraded, True


FAMILIES = (JsonWebsocket, RawWebsocket, SseFamily, StreamFamily, LongpollFamily, EngineIoPolling, EngineIoWebsocket,
            SocketIoPolling, SocketIoWebsocket)
