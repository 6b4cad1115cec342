"""What the faults of single messages do: those that drop one and those that garble one."""

import json
import zlib

import pytest

from sluicetest import STREAMING, Http, Obstacle, Origin, WebSocket, eventually, open_subscriber
from sluicetest.websocket import BINARY, CLOSE, CONT, PING, TEXT, frame_bytes

GARBAGE = b"<!-- scanned -->"
POLLS = ["longpoll", "poll"]

streaming = pytest.mark.parametrize("transport", STREAMING)
polls = pytest.mark.parametrize("transport", POLLS)


def frame(opcode, payload, **how):
    return frame_bytes(opcode, payload, mask=False, **how)


def chunk(text):
    return b"%x\r\n%s\r\n" % (len(text), text)


class Pieces(Origin):
    """Answers everything with a head and these pieces; each is sent when `obstacle` has read the
    one before and `goes_on` says so."""

    def __init__(self, head, *pieces):
        super().__init__(self._send)
        self.pieces = [b"HTTP/1.1 " + head + b"\r\n\r\n", *pieces]
        self.obstacle = None
        self.goes_on = lambda number: True

    def _send(self, request, sock):
        for number, piece in enumerate(self.pieces):
            eventually(lambda: self.goes_on(number), pause=0.002)
            before = self.obstacle.counts()["bytes"]["down"]
            sock.sendall(piece)
            eventually(lambda: self.obstacle.counts()["bytes"]["down"] == before + len(piece), pause=0.001)


UPGRADED = b"101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"


def read_frames(obstacle, count):
    with WebSocket(obstacle.address) as ws:
        ws.send_request("GET", "/ws", WebSocket.upgrade_headers())
        assert ws.read_head().status == 101
        return [(f.opcode, f.fin, f.payload) for f in (ws.read_frame() for _ in range(count))]


# ---- with a gateway ----

@streaming
def test_drop_every_lets_each_kth_message_vanish(gateway, channel, transport):
    with Obstacle(gateway, "drop-every=3") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:  # its open is the first
            gateway.publish_all(channel, range(1, 11))
            assert sub.next_data(7) == [1, 3, 4, 6, 7, 9, 10]
        assert obstacle.counts()["faults"] == {"drop-every=3": 3}


@streaming
def test_garble_every_puts_text_before_the_json_of_each_kth(gateway, channel, transport):
    with Obstacle(gateway, "garble-every=3") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            gateway.publish(channel, "first")
            assert sub.next_data(1) == ["first"]
            sent = gateway.publish(channel, "second")
            if transport == "websocket":
                text = sub.wire.next_data().payload.decode()
            elif transport == "sse":
                event = sub.reader.next_event()
                assert (event.name, event.id) == ("message", sent), "the other fields are whole"
                text = event.text
            else:
                text = sub.reader.next_line().decode()
            assert text.startswith(GARBAGE.decode())
            assert json.loads(text[len(GARBAGE):])["data"] == "second"
            gateway.publish(channel, "third")
            assert sub.next_data(1) == ["third"]


@pytest.mark.parametrize("length", [1, 300, 65500])
def test_garble_every_makes_frames_longer_of_any_length(gateway, channel, length):
    with Obstacle(gateway, "garble-every=2") as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            gateway.publish(channel, "x" * length)
            text = sub.wire.next_data().payload
            assert text.startswith(GARBAGE)
            assert json.loads(text[len(GARBAGE):])["data"] == "x" * length
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]


@pytest.mark.parametrize("fault, body", [("drop-every=2", b""), ("garble-every=2", GARBAGE)])
@polls
def test_of_polls_each_kth_answer_is_one(gateway, channel, transport, fault, body):
    wait = 0 if transport == "poll" else 20
    target = "/poll?channels=%s&since=0&wait=%d" % (channel, wait)
    gateway.publish_all(channel, [1, 2, 3])
    with Obstacle(gateway, fault) as obstacle, Http(obstacle.address) as http:
        for _ in range(2):
            first = http.request("GET", target)
            assert [message["data"] for message in first.json()["messages"]] == [1, 2, 3]
            assert first.header("Content-Length"), "one that passes keeps its length"
            second = http.request("GET", target)
            assert second.status == 200 and second.header("Sluice-Cursor")
            assert second.body == (body + first.body if body else b"")
        assert http.request("GET", "/poll").status == 400, "an error is no answer"
        assert obstacle.counts()["faults"] == {fault: 2}


@pytest.mark.parametrize("fault", ["drop-every=1", "garble-every=1"])
def test_nothing_else_is_a_message(gateway, channel, fault):
    with Obstacle(gateway, fault) as obstacle:
        with Http(obstacle.address) as http:
            assert http.request("GET", "/healthz").json() == {"status": "ok"}
            assert gateway.publish(channel, 1, on=http)
            assert http.request("GET", "/nothing").json()["error"]
        with WebSocket(obstacle.address) as ws:
            assert ws.handshake("/ws?channels=" + channel).status == 101
            ws.send_frame(PING, b"are you there")
            frame = ws.read_frame()
            while frame.opcode == TEXT:
                assert frame.payload.startswith(GARBAGE)
                frame = ws.read_frame()
            assert frame.payload == b"are you there"


def test_messages_are_counted_over_all_connections(gateway, channel):
    with Obstacle(gateway, "drop-every=4") as obstacle:
        with open_subscriber("stream", obstacle, channel) as first:
            gateway.publish(channel, 1)
            assert first.next_data(1) == [1]
        with open_subscriber("websocket", obstacle, channel) as second:
            gateway.publish_all(channel, [2, 3])
            assert second.next_data(1) == [3]


# ---- with bytes that come in pieces ----

def bytewise(text):
    return [text[i:i + 1] for i in range(len(text))]


SHORT, LONG = b'{"a":1}', b'{"b":"%s"}' % (b"x" * 300)


@pytest.mark.parametrize("cut", [bytewise, lambda text: [text], lambda text: [text[:1], text[1:]]])
def test_frames_are_found_across_segments(cut):
    text = frame(TEXT, SHORT) + frame(TEXT, LONG) + frame(BINARY, b"\0")
    for fault, expected in [
            ("drop-every=2", [(TEXT, True, SHORT), (BINARY, True, b"\0")]),
            ("garble-every=2", [(TEXT, True, SHORT), (TEXT, True, GARBAGE + LONG), (BINARY, True, b"\0")])]:
        with Pieces(UPGRADED, *cut(text)) as origin, Obstacle(origin, fault) as origin.obstacle:
            assert read_frames(origin.obstacle, len(expected)) == expected


def test_a_message_of_several_frames_is_one_and_control_frames_between_pass():
    frames = [frame(TEXT, b"one"), frame(TEXT, b"tw", fin=False), frame(PING, b"p"), frame(CONT, b"o"),
              frame(TEXT, b"three"), frame(TEXT, b""), frame(CLOSE, b"\x03\xe8")]
    for fault, expected in [
            ("drop-every=2", [(TEXT, True, b"one"), (PING, True, b"p"), (TEXT, True, b"three"),
                              (CLOSE, True, b"\x03\xe8")]),
            ("garble-every=2", [(TEXT, True, b"one"), (TEXT, False, GARBAGE + b"tw"), (PING, True, b"p"),
                                (CONT, True, b"o"), (TEXT, True, b"three"), (TEXT, True, GARBAGE),
                                (CLOSE, True, b"\x03\xe8")])]:
        with Pieces(UPGRADED, *frames) as origin, Obstacle(origin, fault) as origin.obstacle:
            assert read_frames(origin.obstacle, len(expected)) == expected


def test_compressed_messages_are_found_and_garbled_within_their_compression():
    def compressed(text):
        deflate = zlib.compressobj(wbits=-15)
        return (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    frames = [frame(TEXT, compressed(text), rsv=4) for text in (SHORT, LONG, SHORT)]
    with Pieces(UPGRADED, *frames) as origin, Obstacle(origin, "garble-every=2") as origin.obstacle:
        with WebSocket(origin.obstacle.address) as ws:
            ws.send_request("GET", "/ws", WebSocket.upgrade_headers())
            ws.read_head()
            ws.agree("permessage-deflate")
            assert [ws.next_data().payload for _ in range(3)] == [SHORT, GARBAGE + LONG, SHORT]


@pytest.mark.parametrize("fault, follower", [
    ("drop-every=1", b"p"), ("garble-every=1", GARBAGE + b"next"), ("max-frame=1", b"p"),
    ("answer-pings", b"next"), ("cut-frames=2,fin", b"next")])
def test_a_fault_that_is_set_in_the_middle_of_a_frame_begins_at_the_next(fault, follower):
    whole = frame(TEXT, LONG)
    rest = frame(TEXT, b"next") + frame(PING, b"p") + frame(TEXT, b"9")
    with Pieces(UPGRADED, whole[:100], whole[100:] + rest) as origin, Obstacle(origin) as origin.obstacle:
        is_set = []
        origin.goes_on = lambda number: number < 2 or is_set
        with WebSocket(origin.obstacle.address) as ws:
            ws.send_request("GET", "/ws", WebSocket.upgrade_headers())
            ws.read_head()
            eventually(lambda: len(ws.buffer) == 100 or ws.fill())
            origin.obstacle.set(fault)
            is_set.append(True)
            assert ws.read_frame().payload == LONG
            assert ws.read_frame().payload == follower


@pytest.mark.parametrize("fault, follower", [("drop-every=1", b"p"), ("garble-every=1", GARBAGE + b"next")])
def test_a_fault_that_waits_for_bytes_begins_between_two_messages(fault, follower):
    whole, head_len = frame(TEXT, LONG), len(UPGRADED) + 13
    with Pieces(UPGRADED, whole[:200], whole[200:] + frame(TEXT, b"next") + frame(PING, b"p")) as origin:
        with Obstacle(origin, "%s@bytes=%d" % (fault, head_len + 420)) as origin.obstacle:
            assert [payload for _, _, payload in read_frames(origin.obstacle, 2)] == [LONG, follower]


EVENTS = b"id: 1\r\ndata: {}\r\n\r\n: ping\n\nevent: open\rdata:{1}\r\r\ndata: {2}\ndata: {3}\n\n"


@pytest.mark.parametrize("cut", [bytewise, lambda text: [text]])
@pytest.mark.parametrize("fault, expected", [
    ("drop-every=2", b"id: 1\r\ndata: {}\r\n\r\nevent: open\rdata:{1}\r\r\n"),
    ("garble-every=2", b"id: 1\r\ndata: {}\r\n\r\n: ping\n\nevent: open\rdata:" + GARBAGE
     + b"{1}\r\r\ndata: {2}\ndata: {3}\n\n"),
])
def test_events_are_found_however_they_come(cut, fault, expected):
    head = b"200 OK\r\nContent-Type: text/event-stream\r\n"
    for more, end in [(b"Transfer-Encoding: chunked", b"0\r\n\r\n"), (b"Content-Length: %d" % len(EVENTS), b"")]:
        pieces = [chunk(piece) if end else piece for piece in cut(EVENTS)] + ([end] if end else [])
        with Pieces(head + more, *pieces) as origin, Obstacle(origin, fault) as origin.obstacle:
            with Http(origin.obstacle.address) as http:
                assert http.request("GET", "/sse").body == expected


@pytest.mark.parametrize("cut", [bytewise, lambda text: [text]])
def test_lines_are_found_however_they_come(cut):
    head = b"200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked"
    pieces = [chunk(piece) for piece in cut(b'{"a":1}\n\n{"b":2}\n{"c":3}')] + [b"0\r\n\r\n"]
    for fault, expected in [("drop-every=2", b'{"a":1}\n\n{"c":3}'),
                            ("garble-every=2", b'{"a":1}\n\n' + GARBAGE + b'{"b":2}\n{"c":3}')]:
        with Pieces(head, *pieces) as origin, Obstacle(origin, fault) as origin.obstacle:
            with Http(origin.obstacle.address) as http:
                assert http.request("GET", "/stream").body == expected


def test_a_length_that_was_promised_is_kept():
    text = b'{"a":1}\n{"b":2}\n'
    head = b"200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d" % len(text)
    with Pieces(head, text) as origin, Obstacle(origin) as origin.obstacle:
        is_set = []
        origin.goes_on = lambda number: number == 0 or is_set
        with Http(origin.obstacle.address) as http:
            http.send_request("GET", "/stream")
            http.read_head()
            origin.obstacle.set("drop-every=1")
            is_set.append(True)
            assert http.read_exact(len(text)) == text
