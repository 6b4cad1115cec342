"""The raw format: payloads alone, for clients that know nothing of Sluice."""

import base64

import pytest

from checks import check_error
from sluicetest import Http, SseReader, WebSocket

OTHER_EPOCH = "00000001-5"


def raw_websocket(gateway, channel, extra=""):
    ws = WebSocket(gateway.address)
    response = ws.handshake("/ws?channels=%s&format=raw%s" % (channel, extra))
    assert response.status == 101, response
    return ws


def await_subscriber(ws):
    """The subscription stands once the gateway answers a ping."""
    ws.send_frame(9, b"there?")
    assert ws.await_pong() == b"there?"


def test_raw_websocket_delivers_payloads_by_type(gateway, channel):
    with raw_websocket(gateway, channel) as ws:
        await_subscriber(ws)
        gateway.publish(channel, {"a": 1})
        gateway.publish(channel, "text")
        gateway.publish(channel, b"\x00\xff")
        frames = [ws.next_data() for _ in range(3)]
        assert frames[0].opcode == 1 and frames[0].payload.replace(b" ", b"") == b'{"a":1}'
        assert (frames[1].opcode, frames[1].payload) == (1, b"text")
        assert (frames[2].opcode, frames[2].payload) == (2, b"\x00\xff")


def test_raw_websocket_echoes_to_the_lone_publisher(gateway, channel):
    with raw_websocket(gateway, channel) as ws:
        for opcode, payload in ((1, b"hello"), (2, b"\x00\x01\xff"), (1, b""), (2, b""),
                                (1, "ünï".encode()), (1, b"x" * 60000), (2, b"y" * 65536)):
            ws.send_frame(opcode, payload)
            frame = ws.next_data()
            assert (frame.opcode, frame.payload) == (opcode, payload)


def test_raw_websocket_publishes_to_its_channel(gateway, channel):
    from sluicetest import open_subscriber
    with open_subscriber("stream", gateway, channel) as reader, \
            raw_websocket(gateway, channel) as ws:
        ws.send_text("some text")
        ws.send_frame(2, b"\x01\x02")
        assert reader.next_message()["data"] == "some text"
        assert reader.next_message()["base64"] == base64.b64encode(b"\x01\x02").decode()


def test_raw_websocket_pipelined_frames_all_echo_in_order(gateway, channel):
    from sluicetest.websocket import frame_bytes
    with raw_websocket(gateway, channel) as ws:
        ws.send(b"".join(frame_bytes(1, b"%d" % n) for n in range(300)))
        assert [int(ws.next_data().payload) for _ in range(300)] == list(range(300))


def test_raw_websocket_gap_closes_4001(gateway, channel):
    with raw_websocket(gateway, channel, "&since=" + OTHER_EPOCH) as ws:
        assert ws.await_close().code == 4001


def test_raw_websocket_since_zero_gets_history(gateway, channel):
    gateway.publish_all(channel, ["a", "b"])
    with raw_websocket(gateway, channel, "&since=0") as ws:
        assert [ws.next_data().payload for _ in range(2)] == [b"a", b"b"]


@pytest.mark.slow
def test_raw_websocket_heartbeat_is_a_ping(gateway, channel):
    with raw_websocket(gateway, channel, "&heartbeat=4") as ws:
        assert ws.read_frame(20).opcode == 9


def test_raw_websocket_ping_of_the_client_is_answered(gateway, channel):
    with raw_websocket(gateway, channel) as ws:
        await_subscriber(ws)


def test_raw_stream_is_payload_and_line_feed(gateway, channel):
    with Http(gateway.address) as http:
        http.send_request("GET", "/stream?channels=%s&format=raw" % channel)
        response = http.read_head()
        assert response.status == 200 and response.header("Sluice")
        gateway.publish(channel, [1, 2])
        gateway.publish(channel, "text")
        gateway.publish(channel, b"\x00\xfe")
        got = b"".join(http.read_chunk() for _ in range(3))
        assert got.replace(b", ", b",") == b"[1,2]\ntext\n\x00\xfe\n"


def test_raw_stream_http_1_0(gateway, channel):
    gateway.publish_all(channel, ["a", "b"])
    with Http(gateway.address) as http:
        http.send_request(
            "GET", "/stream?channels=%s&format=raw&since=0" % channel, version="1.0")
        assert not http.read_head().is_chunked
        assert http.read_exact(4) == b"a\nb\n"


def test_raw_stream_tells_a_gap_in_its_head(gateway, channel):
    gateway.publish(channel, "held")
    with Http(gateway.address) as http:
        http.send_request(
            "GET", "/stream?channels=%s&format=raw&since=%s" % (channel, OTHER_EPOCH))
        response = http.read_head()
        assert response.status == 200 and response.header("Sluice-Gap"), response
        assert http.read_chunk() == b"held\n"


def open_raw_sse(gateway, channel, extra="", headers=()):
    http = Http(gateway.address)
    http.send_request("GET", "/sse?channels=%s&format=raw%s" % (channel, extra), headers)
    assert http.read_head().status == 200
    reader = SseReader(http)
    opened = reader.next_event()
    assert opened.name == "open" and opened.id, opened
    return http, reader


def test_raw_sse_is_id_and_data_lines(gateway, channel):
    http, reader = open_raw_sse(gateway, channel)
    with http:
        ident = gateway.publish(channel, "one\ntwo\n\nfour")
        event = reader.next_event()
        assert (event.name, event.id) == ("message", ident)
        assert event.data == ["one", "two", "", "four"]


@pytest.mark.parametrize("text,lines", [
    ("\n", ["", ""]), ("a\r\nb", ["a", "b"]), ("a\rb", ["a", "b"]), (" led", [" led"]),
    ("a\n", ["a", ""]), ("id: 7\nevent: x", ["id: 7", "event: x"]), (": no", [": no"])])
def test_raw_sse_line_breaks_cannot_leave_the_data_field(gateway, channel, text, lines):
    http, reader = open_raw_sse(gateway, channel)
    with http:
        ident = gateway.publish(channel, text)
        event = reader.next_event()
        assert (event.name, event.id, event.data) == ("message", ident, lines)


def test_raw_sse_binary_is_base64(gateway, channel):
    http, reader = open_raw_sse(gateway, channel)
    with http:
        gateway.publish(channel, bytes(range(200)))
        assert base64.b64decode(reader.next_event().text) == bytes(range(200))


def test_raw_sse_json_payload(gateway, channel):
    http, reader = open_raw_sse(gateway, channel)
    with http:
        gateway.publish(channel, [1])
        assert reader.next_event().text == "[1]"


def test_raw_sse_gap_is_a_named_event(gateway, channel):
    gateway.publish(channel, "held")
    http, reader = open_raw_sse(gateway, channel, "&since=" + OTHER_EPOCH)
    with http:
        gap = reader.next_event()
        assert gap.name == "gap" and gap.id
        assert reader.next_event().text == "held"


def raw_poll(gateway, channel, extra=""):
    return gateway.get("/poll?channels=%s&format=raw%s" % (channel, extra))


@pytest.mark.parametrize("value,kind,body", [
    ({"a": 1}, "application/json", b'{"a": 1}'),
    ("text ü", "text/plain", "text ü".encode()),
    (b"\x00\xff\n", "application/octet-stream", b"\x00\xff\n")])
def test_raw_poll_answers_one_message_as_the_body(gateway, channel, value, kind, body):
    cursor = gateway.head()
    first = gateway.publish(channel, value)
    gateway.publish(channel, "second")
    response = raw_poll(gateway, channel, "&since=" + cursor)
    assert response.status == 200 and response.header("Sluice"), response
    assert response.body == body
    assert response.header("Content-Type").split(";")[0] == kind
    assert response.header("Sluice-Cursor") == first
    assert response.header("Sluice-Gap") is None
    response = raw_poll(gateway, channel, "&since=" + first)
    assert response.body == b"second"


@pytest.mark.parametrize("wait", [0, 1])
def test_raw_poll_answers_204_for_none(gateway, channel, wait):
    cursor = gateway.head()
    response = raw_poll(gateway, channel, "&wait=%d&since=%s" % (wait, cursor))
    assert response.status == 204 and response.body == b"", response
    assert response.header("Sluice") and response.header("Sluice-Cursor"), response
    gateway.publish(channel, "x")
    response = raw_poll(gateway, channel, "&since=" + response.header("Sluice-Cursor"))
    assert response.body == b"x"


def test_raw_poll_without_since_answers_204_with_the_cursor(gateway, channel):
    gateway.publish(channel, "before")
    response = raw_poll(gateway, channel)
    assert response.status == 204, response
    gateway.publish(channel, "after")
    again = raw_poll(gateway, channel, "&since=" + response.header("Sluice-Cursor"))
    assert again.body == b"after"


def test_raw_poll_tells_a_gap_in_a_header(gateway, channel):
    gateway.publish(channel, "held")
    response = raw_poll(gateway, channel, "&since=" + OTHER_EPOCH)
    assert response.status == 200 and response.body == b"held"
    assert response.header("Sluice-Gap"), response


def test_raw_poll_204_keeps_the_connection(gateway, channel):
    cursor = gateway.head()
    target = "/poll?channels=%s&format=raw&wait=0&since=%s" % (channel, cursor)
    with Http(gateway.address) as http:
        for _ in range(3):
            assert http.request("GET", target).status == 204
        gateway.publish(channel, "x", on=http)
        assert http.request("GET", target).body == b"x"


@pytest.mark.parametrize("path", ["/ws", "/sse", "/stream", "/poll"])
def test_raw_wants_exactly_one_channel(gateway, channel, path):
    target = "%s?channels=%s,b&format=raw" % (path, channel)
    with WebSocket(gateway.address) as http:
        if path == "/ws":
            response = http.handshake(target)
        else:
            response = http.request("GET", target)
    check_error(response, 400)
