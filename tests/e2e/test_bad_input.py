"""Bad input of every kind gets its error and costs nothing else: a live subscriber beside
each test must lose nothing."""

import os
import random
import struct
import time

import pytest

from checks import await_connections, served
from sluicetest import (
    STREAMING, Closed, Http, SharedGateway, WebSocket, open_subscriber,
    request_bytes, send_quietly)
from sluicetest.websocket import BINARY, CLOSE, CONT, PING, TEXT, frame_bytes

MAX_MESSAGE = 65536


@pytest.fixture(autouse=True)
def witness(request, channel):
    """Watches a channel of its own beside the test."""
    gateway = request.getfixturevalue(
        "hasty" if "hasty" in request.fixturenames else "gateway")
    name = channel + ".witness"
    with open_subscriber("sse", gateway, name) as sub:
        gateway.publish(name, "before")
        yield
        gateway.publish(name, "after")
        assert sub.next_data(2) == ["before", "after"]
        served(gateway)


# HTTP.

def whole_requests(channel):
    return {
        "get": request_bytes("GET", "/healthz"),
        "poll": request_bytes("GET", "/poll?channels=%s&wait=0&since=0" % channel),
        "publish": request_bytes("POST", "/publish?channel=" + channel,
                                 {"Content-Type": "text/plain"}, b"body of it"),
        "stream": request_bytes("GET", "/stream?channels=" + channel),
        "websocket": request_bytes("GET", "/ws?channels=" + channel, WebSocket.upgrade_headers())}


KINDS = ["get", "poll", "publish", "stream", "websocket"]


@pytest.mark.parametrize("kind", KINDS)
def test_request_byte_by_byte_is_served(gateway, channel, kind):
    with Http(gateway.address) as http:
        http.send_bytewise(whole_requests(channel)[kind], 0.0005)
        assert http.read_head().status == (101 if kind == "websocket" else 200)


@pytest.mark.parametrize("kind", KINDS)
def test_request_cut_at_every_length_is_survived(gateway, channel, kind):
    whole = whole_requests(channel)[kind]
    for length in range(1, len(whole)):
        with Http(gateway.address) as http:
            http.send(whole[:length])
            if length % 2:
                http.abort()


@pytest.fixture(scope="module")
def shared_hasty():
    with SharedGateway("--request-timeout", "2") as shared:
        yield shared


@pytest.fixture
def hasty(shared_hasty):
    """A gateway whose requests have two seconds."""
    with shared_hasty.use() as gateway:
        yield gateway


def drip(wire, data, pause=0.1, most=25):
    """Sends a byte now and then until the gateway cuts; returns whether it did."""
    end = time.monotonic() + most
    for i in range(len(data)):
        try:
            wire.send(data[i:i + 1])
            if not wire.is_silent(pause):
                wire.read_to_end(most)
                return True
        except Closed:
            return True
        if time.monotonic() > end:
            return False
    return False


@pytest.mark.parametrize("kind", ["header", "body", "chunked", "behind a poll"])
def test_request_that_drips_is_cut_after_its_time(hasty, channel, kind):
    head = b"POST /publish?channel=" + channel.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    text = head + b"Content-Type: text/plain\r\n"
    begun, data = {
        "header": (b"", head + b"X-Filler: " + b"x" * 400),
        "body": (text + b"Content-Length: 5000\r\n\r\n", b"x" * 500),
        "chunked": (text + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 200),
        "behind a poll": (b"", b"GET /poll?channels=" + b"x" * 400)}[kind]
    with Http(hasty.address) as http:
        if kind == "behind a poll":
            assert http.request("GET", "/poll?channels=" + channel).status == 200
        http.send(begun)
        assert drip(http, data), "a dripping request lived on"


def test_streams_and_held_polls_outlive_the_request_timeout(hasty, channel):
    cursor = hasty.head()
    subs = [open_subscriber(t, hasty, channel) for t in STREAMING]
    with Http(hasty.address) as http:
        http.send_request("GET", "/poll?channels=%s&since=%s&wait=30" % (channel, cursor))
        assert http.is_silent(3.5)
        hasty.publish(channel, 1)
        assert len(http.read_response().json()["messages"]) == 1
    for sub in subs:
        assert sub.next_message()["data"] == 1
        sub.close()


GARBAGE = {
    "nulls": b"\x00" * 200, "binary": bytes(range(256)) * 4, "newlines": b"\r\n" * 500,
    "no method": b" / HTTP/1.1\r\n\r\n", "words": b"hello there\r\n\r\n",
    "null in path": b"GET /he\x00althz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "null in header": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
    "null in value": b"GET /sse?channels=a%00b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303") + b"\x5a" * 200,
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version": b"GET /healthz HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "folded": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\n\r\n",
    "no colon": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nnothing\r\n\r\n",
    "space before colon": b"GET /healthz HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
    "negative length": b"POST /publish?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                       b"Content-Type: text/plain\r\nContent-Length: -5\r\n\r\nhello",
    "two lengths": b"POST /publish?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   b"Content-Type: text/plain\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "huge length": b"POST /publish?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   b"Content-Type: text/plain\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
    "both framings": b"POST /publish?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     b"Content-Type: text/plain\r\nContent-Length: 5\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk": b"POST /publish?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
    "huge chunk": b"POST /publish?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                  b"text/plain\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n",
    "percent": b"GET /%zz?channels=%zz&since=% HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "absolute": b"GET http://evil.example/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "connect": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


@pytest.mark.parametrize("kind", sorted(GARBAGE))
def test_garbage_instead_of_a_request(gateway, kind):
    with Http(gateway.address) as http:
        send_quietly(http, GARBAGE[kind])
        try:
            http.read_head(1)
        except (Closed, TimeoutError):
            return
        assert http.response.status < 500 or http.response.status in (501, 505), http.response


WRONG_VALUES = {
    b"Content-Length: -5": 'Content-Length: "-5" is not a number',
    b"Content-Length: 5\r\nContent-Length: 6": 'Content-Length: "6" is not a number, or differs',
    b"Transfer-Encoding: gzip": 'Transfer-Encoding: "gzip" is not accepted; use chunked',
    b"Transfer-Encoding: gzip\"\\\x80": 'Transfer-Encoding: "gzip???" is not accepted; use chunked',
    b"Transfer-Encoding: " + b"x" * 20: 'Transfer-Encoding: "***..." is not accepted; use chunked',
    b"Host: b": "Host is repeated; use one",
}


@pytest.mark.parametrize("lines", sorted(WRONG_VALUES))
def test_refusal_shows_the_value_that_is_wrong(gateway, lines):
    with Http(gateway.address) as http:
        send_quietly(http, b"POST /publish?channel=a HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % lines)
        http.read_head()
        assert http.read_body().json()["error"]["message"].startswith(WRONG_VALUES[lines])


@pytest.mark.parametrize("request_line, message", [
    (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 'version: "HTTP/9.9" is unknown; use HTTP/1.1 or HTTP/1.0'),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 'Host: "a b" is malformed; use host or host:port'),
    (b"GET / HTTP/1.1\r\n\r\n", "Host is missing; use host or host:port"),
])
def test_refusal_says_what_is_wrong_with_the_request(gateway, request_line, message):
    with Http(gateway.address) as http:
        send_quietly(http, request_line)
        http.read_head()
        assert http.read_body().json()["error"]["message"] == message


def test_very_long_url_is_refused(gateway):
    for size in (10_000, 40_000, 200_000, 3_000_000):
        with Http(gateway.address) as http:
            send_quietly(http, request_bytes("GET", "/sse?channels=" + "a" * size))
            try:
                assert 400 <= http.read_head().status < 500
            except Closed:
                pass


def test_very_many_headers_are_refused_or_served(gateway):
    for count in (50, 500, 20_000):
        with Http(gateway.address) as http:
            send_quietly(http, request_bytes(
                "GET", "/healthz", [("X-%d" % n, "v") for n in range(count)]))
            try:
                status = http.read_head().status
                assert status == 200 if count == 50 else status < 500
            except Closed:
                assert count > 50


def test_very_many_parameters(gateway, start_gateway, channel):
    """On a gateway of its own, so that a sanitizer's report of leaks names this test."""
    gateway = start_gateway()
    query = "&".join("p%d=%d" % (n, n) for n in range(800))
    for _ in range(20):
        try:
            response = gateway.get("/poll?%s&channels=%s" % (query, channel))
        except Closed:
            continue  # libmicrohttpd's memory for one request is used up
        assert response.status in (200, 400, 414, 431), response


def test_repeated_parameters_are_decided_somehow(gateway, channel):
    response = gateway.get("/poll?channels=%s&channels=b&since=0&since=zzz" % channel)
    assert response.status in (200, 400), response


def test_pipelined_requests_are_all_answered(gateway):
    with Http(gateway.address) as http:
        http.send(request_bytes("GET", "/healthz") * 50)
        for _ in range(50):
            assert http.read_response().status == 200


def test_pipelined_refusals_are_all_answered_or_closed(gateway):
    with Http(gateway.address) as http:
        http.send(request_bytes("GET", "/nothing") * 20)
        try:
            for _ in range(20):
                assert http.read_response().status == 404
        except Closed:
            pass


def test_stream_request_behind_a_pipelined_one(gateway, channel):
    with Http(gateway.address) as http:
        http.send(request_bytes("GET", "/healthz")
                  + request_bytes("GET", "/stream?channels=" + channel))
        assert http.read_response().status == 200
        assert http.read_head().status == 200
        assert b'"open"' in http.read_chunk()


@pytest.mark.parametrize("transport", ["sse", "stream"])
@pytest.mark.parametrize("garbage", [b"x", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5000])
def test_bytes_sent_into_a_stream_harm_nobody(gateway, channel, transport, garbage):
    """They are thrown away or end this stream; never more."""
    with open_subscriber(transport, gateway, channel) as sub:
        send_quietly(sub.wire, garbage)
        try:
            gateway.publish(channel, 1)
            assert sub.next_message()["data"] == 1
        except Closed:
            pass


@pytest.mark.parametrize("transport", ["sse", "stream"])
def test_flood_sent_into_a_stream_is_not_kept(gateway, channel, transport):
    before = gateway.memory_kib()
    with open_subscriber(transport, gateway, channel) as sub:
        try:
            for _ in range(50):
                sub.wire.send(b"x" * (1 << 20), timeout=5)
        except (Closed, OSError):
            pass
        assert gateway.memory_kib() - before < 30_000


@pytest.mark.parametrize("transport", ["sse", "stream"])
def test_bytes_in_the_segment_of_the_stream_request(gateway, channel, transport):
    with Http(gateway.address) as http:
        http.send(request_bytes("GET", "/%s?channels=%s" % (transport, channel)) + b"trailing")
        try:
            assert http.read_head().status == 200
        except Closed:
            pass


def test_garbage_while_a_poll_is_held(hasty, channel):
    cursor = hasty.head()
    with Http(hasty.address) as http:
        http.send_request("GET", "/poll?channels=%s&since=%s&wait=30" % (channel, cursor))
        assert http.is_silent(0.2)
        http.send(b"\x00garbage\r\n\r\n")
        hasty.publish(channel, 1)
        try:
            assert http.read_response().status == 200
            http.read_to_end(10)
        except (Closed, TimeoutError):
            pass


def test_garbage_after_a_poll(hasty, channel):
    with Http(hasty.address) as http:
        assert http.request("GET", "/poll?channels=" + channel).status == 200
        send_quietly(http, b"\x00\xffgarbage\r\n\r\n")
        try:
            assert http.read_head(15).status < 500
        except (Closed, TimeoutError):
            pass


SECOND_REQUESTS = {
    "bare lf": b"GET /poll?channels=%s&wait=0 HTTP/1.1\nHost: 127.0.0.1\n\n",
    "with body": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 b"Content-Length: 4\r\n\r\nbody",
    "chunked body": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    "expect": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
              b"Expect: 100-continue\r\n\r\n",
    "upgrade": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
               b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "no host": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 b"Host: evil.example\r\n\r\n",
    "http 1.0": b"GET /poll?channels=%s&wait=0 HTTP/1.0\r\n\r\n",
    "no such version": b"GET /poll?channels=%s&wait=0 HTTP/1.7\r\nHost: 127.0.0.1\r\n\r\n",
    "encoded path": b"GET /p%%6fll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "folded": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\n\r\n",
    "head": b"HEAD /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "tabs": b"GET\t/poll?channels=%s&wait=0\tHTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "leading line": b"\r\nGET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "bad parameter": b"GET /poll?channels=%s&wait=x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "null": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \x00\r\n\r\n",
    "get of length 0": b"GET /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                       b"Content-Length: 0\r\n\r\n",
    "post": b"POST /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "post of length 0": b"POST /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        b"Content-Length: 0\r\n\r\n",
    "post with body": b"POST /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                      b"Content-Length: 4\r\n\r\nbody",
    "post of two lengths": b"POST /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                           b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "post of no chunks": b"POST /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "post of chunks": b"POST /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    "post by http 1.0": b"POST /poll?channels=%s&wait=0 HTTP/1.0\r\n\r\n",
    "post with expect": b"POST /poll?channels=%s&wait=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        b"Content-Length: 0\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.mark.parametrize("kind", sorted(SECOND_REQUESTS))
def test_odd_second_request_after_a_poll_is_answered_as_a_first_one(gateway, channel, kind):
    """The shard's own reading of polls must not be laxer or stricter than the front's."""
    data = SECOND_REQUESTS[kind] % channel.encode()

    def answer(after_poll):
        with Http(gateway.address) as http:
            if after_poll:
                assert http.request("GET", "/poll?channels=" + channel).status == 200
            send_quietly(http, data)
            try:
                return http.read_head(4).status
            except Closed:
                return "closed"
            except TimeoutError:
                return "nothing"
    assert answer(True) == answer(False)


# WebSocket framing (RFC 6455), json and raw.

def websocket(gateway, channel, form="raw"):
    ws = WebSocket(gateway.address)
    assert ws.handshake("/ws?channels=%s&format=%s" % (channel, form)).status == 101
    if form == "json":
        assert ws.next_object()["type"] == "open"
    return ws


def echo(ws, opcode, payload):
    frame = ws.next_data()
    assert (frame.opcode, frame.payload) == (opcode, payload)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 128, 65535, 65536])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_frames_at_every_length_boundary_echo(gateway, channel, opcode, length):
    payload = b"*" * length if opcode == TEXT else bytes(n & 255 for n in range(length))
    with websocket(gateway, channel) as ws:
        ws.send_frame(opcode, payload)
        echo(ws, opcode, payload)


@pytest.mark.parametrize("piece", [1, 3, 997])
def test_frames_chopped_on_the_socket_echo(gateway, channel, piece):
    payload = "chopped ünïcödé ".encode() * 40
    data = frame_bytes(TEXT, payload) + frame_bytes(PING, b"p") + frame_bytes(BINARY, payload)
    with websocket(gateway, channel) as ws:
        for at in range(0, len(data), piece):
            ws.send(data[at:at + piece])
        echo(ws, TEXT, payload)
        echo(ws, BINARY, payload)
        assert ws.pongs == [b"p"]


def test_fragments_with_control_frames_between(gateway, channel):
    with websocket(gateway, channel) as ws:
        ws.send_frame(TEXT, b"one ", fin=False)
        ws.send_frame(PING, b"between")
        assert ws.await_pong() == b"between"
        ws.send_frame(CONT, b"", fin=False)
        ws.send_frame(10, b"unasked pong")
        ws.send_frame(CONT, b"two ", fin=False)
        ws.send_frame(PING, b"again")
        ws.send_frame(CONT, b"three")
        echo(ws, TEXT, b"one two three")


def test_utf8_may_be_cut_by_fragments(gateway, channel):
    text = "κόσμε \U0001f600".encode()
    with websocket(gateway, channel) as ws:
        for at in range(len(text)):
            ws.send_frame(TEXT if at == 0 else CONT, text[at:at + 1], fin=at == len(text) - 1)
        echo(ws, TEXT, text)


def test_masks_of_all_kinds(gateway, channel):
    with websocket(gateway, channel) as ws:
        for mask in (b"\x00\x00\x00\x01", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"):
            for size in (1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65):
                ws.send_frame(BINARY, bytes(range(size)), mask=mask)
                echo(ws, BINARY, bytes(range(size)))


FAILING = {
    "rsv1": (frame_bytes(TEXT, b"x", rsv=4), 1002),
    "rsv2": (frame_bytes(TEXT, b"x", rsv=2), 1002),
    "rsv3": (frame_bytes(BINARY, b"x", rsv=1), 1002),
    "rsv on ping": (frame_bytes(PING, b"", rsv=7), 1002),
    "opcode 3": (frame_bytes(3, b"x"), 1002),
    "opcode 7": (frame_bytes(7), 1002),
    "opcode 11": (frame_bytes(11, b"x"), 1002),
    "opcode 15": (frame_bytes(15), 1002),
    "not masked": (frame_bytes(TEXT, b"hello", mask=False), 1002),
    "ping not masked": (frame_bytes(PING, b"", mask=False), 1002),
    "ping of 126": (frame_bytes(PING, b"x" * 126), 1002),
    "close of 126": (frame_bytes(CLOSE, struct.pack("!H", 1000) + b"x" * 124), 1002),
    "fragmented ping": (frame_bytes(PING, b"x", fin=False), 1002),
    "fragmented close": (frame_bytes(CLOSE, b"", fin=False), 1002),
    "continuation of nothing": (frame_bytes(CONT, b"x"), 1002),
    "open continuation of nothing": (frame_bytes(CONT, b"x", fin=False), 1002),
    "text within text": (frame_bytes(TEXT, b"a", fin=False) + frame_bytes(TEXT, b"b"), 1002),
    "binary within text": (frame_bytes(TEXT, b"a", fin=False) + frame_bytes(BINARY, b"b"), 1002),
    "16 bit length of 5": (frame_bytes(TEXT, b"hello", form=16), 1002),
    "64 bit length of 5": (frame_bytes(TEXT, b"hello", form=64), 1002),
    "64 bit length of 1000": (frame_bytes(BINARY, b"x" * 1000, form=64), 1002),
    "length's top bit": (frame_bytes(BINARY, b"", form=0x8000000000000000), 1002),
    "length of 2^40": (frame_bytes(BINARY, b"", form=1 << 40), 1009),
    "one too long": (frame_bytes(BINARY, b"x" * (MAX_MESSAGE + 1)), 1009),
    "too long in fragments": (
        frame_bytes(BINARY, b"x" * MAX_MESSAGE, fin=False) + frame_bytes(CONT, b"x"), 1009),
    "bad utf8": (frame_bytes(TEXT, b"a\xff"), 1007),
    "surrogate": (frame_bytes(TEXT, b"\xed\xa0\x80"), 1007),
    "overlong": (frame_bytes(TEXT, b"\xc0\x80"), 1007),
    "above U+10FFFF": (frame_bytes(TEXT, b"\xf4\x90\x80\x80"), 1007),
    "ends in a character": (frame_bytes(TEXT, b"\xce"), 1007),
    "bad utf8 in a fragment": (frame_bytes(TEXT, b"ok", fin=False)
                               + frame_bytes(CONT, b"\xfe", fin=False), 1007),
    "bad utf8 before the message ends": (frame_bytes(TEXT, b"\xf4\x90", fin=False), 1007),
    "close of one byte": (frame_bytes(CLOSE, b"\x03"), 1002),
    "close with bad utf8": (frame_bytes(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
}
FAILING.update({"close code %d" % code: (frame_bytes(CLOSE, struct.pack("!H", code)), 1002)
                for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)})


# A json frame may be larger than its payload; long frames are chopped elsewhere.
FAILING_WAYS = [
    (kind, form, chop) for kind in sorted(FAILING) for form in ("json", "raw")
    for chop in (False, True)
    if not (form == "json" and FAILING[kind][1] == 1009 and kind != "length of 2^40")
    and not (chop and len(FAILING[kind][0]) > 2000)]


@pytest.mark.parametrize("kind,form,chop", FAILING_WAYS)
def test_malformed_frames_close_with_their_code(gateway, channel, kind, form, chop):
    data, code = FAILING[kind]
    with websocket(gateway, channel, form) as ws:
        if chop:
            for at in range(len(data)):
                send_quietly(ws, data[at:at + 1])
        else:
            send_quietly(ws, data)
        close = ws.await_close()
        assert close.code == code
        ws.read_to_end()


@pytest.mark.parametrize("where", range(1, 8))
def test_early_failure_of_utf8_within_a_frame(gateway, channel, where):
    """The message is not complete, yet what came of it is already wrong."""
    whole = frame_bytes(TEXT, b"\xce\xba\xe1\xbd\xb9\xcf\x83"[:where] + b"\xf4\x90\x80\x80" + b"e" * 50)
    with websocket(gateway, channel) as ws:
        send_quietly(ws, whole[:-45])
        assert ws.await_close().code == 1007


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000,
                                  3999, 4000, 4999])
def test_close_is_answered_with_its_code(gateway, channel, code):
    with websocket(gateway, channel, "json") as ws:
        ws.send_frame(CLOSE, struct.pack("!H", code) + "grüß Gott".encode())
        assert ws.await_close().code == code
        ws.expect_end()


@pytest.mark.parametrize("code", [1012, 1013, 1014])
def test_registered_close_codes_are_accepted(gateway, channel, code):
    with websocket(gateway, channel, "json") as ws:
        ws.send_frame(CLOSE, struct.pack("!H", code))
        assert ws.await_close().code == code


def test_close_without_a_code_is_answered(gateway, channel):
    with websocket(gateway, channel, "json") as ws:
        ws.send_frame(CLOSE)
        assert ws.await_close().code in (None, 1000)
        ws.expect_end()


def test_nothing_is_served_behind_a_close(gateway, channel):
    with websocket(gateway, channel) as ws:
        ws.send(frame_bytes(CLOSE, struct.pack("!H", 1000)) + frame_bytes(TEXT, b"too late")
                + frame_bytes(PING, b"x"))
        assert ws.await_close().code == 1000
        ws.expect_end()
    assert gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()["messages"] == []


def test_frames_before_a_close_are_all_served(gateway, channel):
    with websocket(gateway, channel) as ws:
        ws.send(frame_bytes(TEXT, b"in time") + frame_bytes(CLOSE, struct.pack("!H", 1000)))
        assert ws.await_close().code == 1000
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    assert [m["data"] for m in answer["messages"]] == ["in time"]


def test_client_that_cuts_after_its_close(gateway, channel):
    for _ in range(20):
        with websocket(gateway, channel) as ws:
            ws.send_frame(CLOSE)
            ws.abort()
    await_connections(gateway, "websocket", 0)


def test_binary_frame_in_json_format_closes_1003(gateway, channel):
    with websocket(gateway, channel, "json") as ws:
        ws.send_frame(BINARY, b"\x01")
        assert ws.await_close().code == 1003


def test_oversized_json_message_closes_1009(gateway, channel):
    with websocket(gateway, channel, "json") as ws:
        send_quietly(ws, frame_bytes(TEXT, b'"' + b"x" * (4 << 20) + b'"'))
        assert ws.await_close().code == 1009


def test_too_many_fragments_close_the_socket(gateway, channel):
    with websocket(gateway, channel) as ws:
        send_quietly(ws, frame_bytes(TEXT, b"a", fin=False)
                     + frame_bytes(CONT, b"a", fin=False) * 1100)
        assert ws.await_close().code in (1008, 1009)


def test_as_many_fragments_as_allowed_echo(gateway, channel):
    with websocket(gateway, channel) as ws:
        ws.send(frame_bytes(TEXT, b"a", fin=False) + frame_bytes(CONT, b"a", fin=False) * 1022
                + frame_bytes(CONT, b"z"))
        echo(ws, TEXT, b"a" * 1023 + b"z")


def test_frame_in_the_segment_of_the_handshake(gateway, channel):
    """A client must wait for the 101; one that does not is served all the same."""
    with WebSocket(gateway.address) as ws:
        ws.send(request_bytes("GET", "/ws?format=raw&channels=" + channel, ws.upgrade_headers())
                + frame_bytes(TEXT, b"early"))
        assert ws.read_head().status == 101
        echo(ws, TEXT, b"early")


def test_ping_flood_is_answered_or_ended(gateway, channel):
    """The client reads no pongs: they must not pile up without end."""
    before = gateway.memory_kib()
    with websocket(gateway, channel) as ws:
        flood = frame_bytes(PING, b"x" * 125) * 4000
        try:
            for _ in range(60):
                ws.send(flood, timeout=5)
        except (Closed, OSError):
            pass
        assert gateway.memory_kib() - before < 40_000


def test_random_bytes_after_a_handshake(gateway, channel):
    seed = int(os.environ.get("SLUICE_TEST_SEED", "4182"))
    rng = random.Random(seed)
    for n in range(60):
        with websocket(gateway, channel, rng.choice(["json", "raw"])) as ws:
            send_quietly(ws, rng.randbytes(rng.randint(1, 400)))
            if n % 3:
                ws.abort()


def test_random_requests(gateway):
    rng = random.Random(int(os.environ.get("SLUICE_TEST_SEED", "4182")))
    words = ["GET", "POST", " ", "/", "sse", "ws", "poll", "?channels=a", "&since=0", "HTTP/1.1",
             "\r\n", "\n", ":", "Host", "127.0.0.1", "%00", "Content-Length", "5", "chunked",
             "Transfer-Encoding", "Upgrade", "\x00", "\xff"]
    for _ in range(150):
        with Http(gateway.address) as http:
            send_quietly(http, "".join(
                rng.choice(words) for _ in range(rng.randint(1, 40))).encode("latin-1"))


@pytest.mark.parametrize("transport", STREAMING)
def test_hundreds_of_clients_that_come_and_go_at_once(gateway, channel, transport):
    subs = []
    for n in range(150):
        sub = open_subscriber(transport, gateway, channel)
        if n % 3 == 0:
            sub.cut()
        elif n % 3 == 1:
            sub.close()
        else:
            subs.append(sub)
    gateway.publish(channel, "x")
    for sub in subs:
        assert sub.next_message()["data"] == "x"
        sub.close()
    await_connections(gateway, transport, 0 if transport != "sse" else 1)
