"""Requests as RFC 9112 wants them read: malformed ones get one 400 and the connection closes,
unusual ones are served, on both kinds of sockets, fresh and kept connections alike."""

import json

import pytest

from checks import check_closing_refusal, check_error, published, refusals
from sluicetest import responses_in, send_quietly
from sluicetest.websocket import TEXT, frame_bytes

HOST = b"Host: 127.0.0.1"
TYPE = b"Content-Type: text/plain"
LENGTH = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"
CLOSE = b"Connection: close"
POST = b"POST /publish?channel=CHANNEL HTTP/1.1"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
MAX_HEADER = 16384


def head(line, *fields):
    return b"".join(one + b"\r\n" for one in (line, *fields)) + b"\r\n"


def publish(*fields, line=POST, host=HOST, framing=LENGTH, body=b"hello"):
    """A publish of `hello` with further field lines in the middle of its head."""
    return head(line, *(one for one in (host, *fields, TYPE, framing) if one)) + body


def chunked(body, *fields):
    return publish(*fields, framing=CHUNKED, body=body)


def get(target, *fields):
    return head(b"GET " + target + b" HTTP/1.1", HOST, *fields)


def handshake(*fields, target=b"/ws?channels=CHANNEL", connection=b"Connection: Upgrade",
              upgrade=b"Upgrade: websocket", key=b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="):
    return get(target, connection, upgrade, key, b"Sec-WebSocket-Version: 13", *fields)


def of(channel, data):
    return data.replace(b"CHANNEL", channel.encode())


def ask(place, channel, data):
    return responses_in(place.ask(of(channel, data)))


# What is refused. Each would publish if it were taken.

MALFORMED = {
    # The body's length.
    "two lengths": publish(b"Content-Length: 6", body=b"hello!"),
    "two lengths, the longer last": publish(LENGTH, framing=b"Content-Length: 6", body=b"hello!"),
    "three lengths": publish(LENGTH, LENGTH, framing=b"Content-Length: 3"),
    "length and chunks": publish(LENGTH, framing=CHUNKED, body=CHUNKS),
    "chunks and length": publish(CHUNKED, body=CHUNKS),
    "two codings": chunked(CHUNKS, CHUNKED),
    "two codings, one of another kind": chunked(CHUNKS, b"Transfer-Encoding: gzip"),
    "gzip": publish(framing=b"Transfer-Encoding: gzip"),
    "identity": publish(framing=b"Transfer-Encoding: identity"),
    "gzip in chunks": publish(framing=b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "chunks in gzip": publish(framing=b"Transfer-Encoding: chunked, gzip", body=CHUNKS),
    "chunks in chunks": publish(framing=b"Transfer-Encoding: chunked, chunked", body=CHUNKS),
    "xchunked": publish(framing=b"Transfer-Encoding: xchunked", body=CHUNKS),
    "no coding": publish(framing=b"Transfer-Encoding:", body=CHUNKS),
    # Field lines.
    "a space before the colon": publish(b"X-A : b"),
    "a tab before the colon": publish(b"X-A\t: b"),
    "a space before the length's colon": publish(framing=b"Content-Length : 5"),
    "a space before the host's colon": publish(host=b"Host : 127.0.0.1"),
    "a bare CR in a value": publish(b"X-A: b\rc"),
    "a bare CR in a name": publish(b"X-\rA: b"),
    "a bare CR that hides a field": publish(b"X-A: b\rContent-Length: 3"),
    "a CR too much": publish(b"X-A: b\r"),
    "a NUL in a value": publish(b"X-A: b\0c"),
    "a NUL at a value's end": publish(b"X-A: b\0"),
    "a NUL in a name": publish(b"X\0A: b"),
    "folded by a space": publish(b"X-A: b\r\n c"),
    "folded by a tab": publish(b"X-A: b\r\n\tc"),
    "folded to a space alone": publish(b"X-A: b\r\n "),
    "folded before the first field": publish(host=b" X-A: b\r\n" + HOST),
    "a second host": publish(HOST),
    "a second host, another": publish(b"Host: evil.example"),
    "a name with a space": publish(b"X A: b"),
    "a name with an at sign": publish(b"X@A: b"),
    "a name in brackets": publish(b"(X-A): b"),
    "a name in quotes": publish(b'"X-A": b'),
    "a name with a slash": publish(b"X/A: b"),
    "a name beyond ASCII": publish(b"X-\xc3\xa9: b"),
    "a name with a DEL": publish(b"X-A\x7f: b"),
    "no name": publish(b": x"),
    "no name and no value": publish(b":"),
    "no colon": publish(b"nothing"),
    # Line ends.
    "LF alone everywhere": publish(b"X-A: b").replace(b"\r\n", b"\n"),
    "LF alone behind the request line": publish().replace(b"\r\n", b"\n", 1),
    "LF alone behind a field": publish(b"X-A: b\nX-B: c"),
    "LF alone behind the last field": publish().replace(b"5\r\n\r\n", b"5\n\r\n"),
    "LF alone as the empty line": publish().replace(b"5\r\n\r\n", b"5\r\n\n"),
    "LF alone before the request": b"\n" + publish(),
    # The request line.
    "no host": publish(host=None),
    "two spaces before the target": publish(line=POST.replace(b" ", b"  ", 1)),
    "two spaces before the version": publish(line=POST.replace(b" H", b"  H")),
    "tabs for spaces": publish(line=POST.replace(b" ", b"\t")),
    "a space before the method": publish(line=b" " + POST),
    "a space behind the version": publish(line=POST + b" "),
    "a space in the target": publish(line=POST.replace(b"=CHANNEL", b"=CHANNEL &a=b")),
    "a NUL in the target": publish(line=POST.replace(b"=CHANNEL", b"=CHANNEL\0")),
    "a CR in the target": publish(line=POST.replace(b"=CHANNEL", b"=CHANNEL\r")),
    "a method that is no token": publish(line=b"{" + POST),
    "no version": publish(line=POST.replace(b" HTTP/1.1", b"")),
    "a version in lower case": publish(line=POST.replace(b"HTTP", b"http")),
    "a version without a number": publish(line=POST.replace(b"1.1", b"1.x")),
    "a target without a slash": publish(line=POST.replace(b"/publish", b"publish")),
    "an authority as the target": publish(line=b"POST 127.0.0.1:80 HTTP/1.1"),
    "an absolute target without a host": publish(
        line=POST.replace(b"/publish", b"http:///publish")),
    "an absolute target, no host field": publish(
        line=POST.replace(b"/publish", b"http://127.0.0.1/publish"), host=None),
    # Chunks.
    "LF alone behind a chunk's size": chunked(b"5\nhello\r\n0\r\n\r\n"),
    "LF alone behind a chunk": chunked(b"5\r\nhello\n0\r\n\r\n"),
    "LF alone behind the last chunk": chunked(b"5\r\nhello\r\n0\n\r\n"),
    "LF alone at the end of chunks": chunked(b"5\r\nhello\r\n0\r\n\n"),
    "LF alone behind a trailer": chunked(b"5\r\nhello\r\n0\r\nX-A: b\n\r\n"),
    "a chunk size in words": chunked(b"five\r\nhello\r\n0\r\n\r\n"),
    "no chunk size": chunked(b"\r\nhello\r\n0\r\n\r\n"),
    "a chunk size below zero": chunked(b"-5\r\nhello\r\n0\r\n\r\n"),
    "a chunk size with 0x": chunked(b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk size behind a space": chunked(b" 5\r\nhello\r\n0\r\n\r\n"),
    "a second chunk size in words": chunked(b"5\r\nhello\r\nnone\r\n\r\n"),
    "a chunk longer than its size": chunked(b"4\r\nhello\r\n0\r\n\r\n"),
    # Lengths that are no number (more of them in test_smuggling.py).
    "a length in words": publish(framing=b"Content-Length: five"),
    "an empty length": publish(framing=b"Content-Length:"),
    "a length below zero": publish(framing=b"Content-Length: -5"),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_malformed_requests_get_one_400_and_the_end(two_sockets, place, channel, fault):
    before = refusals(two_sockets)
    check_closing_refusal(ask(place, channel, MALFORMED[fault]), 400)
    assert published(two_sockets, channel) == []
    assert refusals(two_sockets) == before + 1


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9"])
def test_other_versions_are_refused(two_sockets, place, channel, version):
    data = publish(line=POST.replace(b"HTTP/1.1", version))
    check_closing_refusal(ask(place, channel, data), 400, 505)
    assert published(two_sockets, channel) == []


KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


@pytest.mark.parametrize("key", [KEY, KEY.replace(b"dGhl", b"AAAA")], ids=["equal", "another"])
def test_a_second_websocket_key_is_refused(two_sockets, place, channel, key):
    before = refusals(two_sockets)
    check_closing_refusal(ask(place, channel, handshake(key)), 400)
    assert refusals(two_sockets) == before + 1


def test_http_1_1_without_host_gets_one_400_with_one_head(place):
    answer = place.ask(head(b"GET /healthz HTTP/1.1", b"X-A: b"))
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    check_closing_refusal(responses_in(answer), 400)


def test_connect_is_refused(place):
    answer = place.ask(head(b"CONNECT 127.0.0.1:22 HTTP/1.1", HOST, CLOSE))
    [response] = responses_in(answer)
    assert response.status in (400, 405, 501), response
    assert response.header("Sluice"), response


@pytest.mark.parametrize("method", [b"post", b"Post", b"BREW", b"POSTS", b"M-SEARCH"])
def test_methods_in_lower_case_or_unknown_are_refused(two_sockets, place, channel, method):
    before = refusals(two_sockets)
    [response] = ask(place, channel, publish(CLOSE, line=POST.replace(b"POST", method)))
    assert response.status in (400, 405, 501), response
    check_error(response, response.status)
    if response.status == 405:
        assert "post" in response.tokens("Allow"), response
    if response.status < 500:
        assert refusals(two_sockets) == before + 1
    assert published(two_sockets, channel) == []


# What is unusual and yet right.

def served(place, channel, data, status=200, method="GET"):
    """The connection stays open behind the answer, unless it says otherwise."""
    with place.connect() as wire:
        wire.send(of(channel, data))
        response = wire.read_response(method)
        assert response.status == status and response.header("Sluice"), response
        if wire.is_reusable():
            assert wire.request("GET", "/healthz").status == 200
        else:
            wire.expect_end()
        return response


UPGRADES = {
    "two Connection lines": handshake(connection=b"Connection: keep-alive\r\nConnection: Upgrade"),
    "two Connection lines, upgrade first": handshake(
        connection=b"Connection: Upgrade\r\nConnection: keep-alive"),
    "lists in two lines": handshake(
        connection=b"Connection: a, b\r\nConnection: c ,\tupgrade\t, d"),
    "two Upgrade lines": handshake(upgrade=b"Upgrade: h2c\r\nUpgrade: websocket"),
    "two Upgrade lines, websocket first": handshake(upgrade=b"Upgrade: websocket\r\nUpgrade: h2c"),
    "a list in Upgrade": handshake(upgrade=b"Upgrade: h2c, websocket"),
    "empty elements": handshake(connection=b"Connection: , ,upgrade,"),
    "no spaces": handshake(connection=b"Connection:Upgrade", upgrade=b"Upgrade:websocket"),
    "tabs around values": handshake(
        connection=b"Connection:\tUpgrade\t", upgrade=b"Upgrade: \t websocket \t ",
        key=b"Sec-WebSocket-Key:\tdGhlIHNhbXBsZSBub25jZQ==\t"),
    "an absolute target": handshake(target=b"ws://127.0.0.1/ws?channels=CHANNEL"),
    "an absolute target, TLS before us": handshake(target=b"wss://127.0.0.1/ws?channels=CHANNEL"),
    "an absolute target of http": handshake(target=b"http://127.0.0.1:80/ws?channels=CHANNEL"),
    "empty lines before it": b"\r\n\r\n" + handshake(),
}


def check_websocket(wire, gateway, channel):
    """The handshake of RFC 6455's own key was taken, and messages flow."""
    response = wire.read_head()
    assert response.status == 101, response
    assert response.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", response
    assert wire.next_object()["type"] == "open"
    gateway.publish(channel, "over it")
    assert wire.next_object()["data"] == "over it"


@pytest.mark.parametrize("kind", UPGRADES)
def test_handshakes_as_proxies_write_them_upgrade(two_sockets, place, channel, kind):
    with place.connect() as wire:
        wire.send(of(channel, UPGRADES[kind]))
        check_websocket(wire, two_sockets, channel)


@pytest.mark.parametrize("data", [
    handshake(connection=b"Connection: keep-alive\r\nConnection: Upgraded"),
    handshake(connection=b"Connection: close\r\nX-Connection: Upgrade"),
    handshake(upgrade=b"Upgrade: websocket2"), handshake(upgrade=b"Upgrade: h2c\r\nX: websocket")])
def test_near_misses_of_an_upgrade_are_426(place, channel, data):
    with place.connect() as wire:
        wire.send(of(channel, data))
        check_error(wire.read_response(), 426)


REQUESTS = {"healthz": get(b"/healthz"), "file": get(b"/client/sluice.js"),
            "poll": get(b"/poll?channels=CHANNEL"), "publish": publish(),
            "options": get(b"/poll").replace(b"GET", b"OPTIONS")}


@pytest.mark.parametrize("connection", [
    b"Connection: keep-alive\r\nConnection: close", b"Connection: close\r\nConnection: keep-alive",
    b"Connection: a, b\r\nConnection: c\t,\tCLOSE", b"Connection:\tclose\t"],
    ids=["last", "first", "in a list", "between tabs"])
@pytest.mark.parametrize("kind", REQUESTS)
def test_close_in_any_connection_line_closes(place, channel, kind, connection):
    data = REQUESTS[kind].replace(HOST, HOST + b"\r\n" + connection)
    [response] = ask(place, channel, data)
    assert response.status in (200, 204), response
    assert "close" in response.tokens("Connection"), response


ABSOLUTE = {
    "healthz": get(b"http://127.0.0.1/healthz"),
    "another port": get(b"http://localhost:8080/healthz"),
    "https": get(b"https://127.0.0.1/healthz"),
    "the scheme in upper case": get(b"HTTP://127.0.0.1/healthz"),
    "no path": get(b"http://127.0.0.1"),
    "file": get(b"http://127.0.0.1/client/sluice.js"),
    "poll": get(b"http://127.0.0.1/poll?channels=CHANNEL"),
    "publish": publish(line=POST.replace(b"/publish", b"http://127.0.0.1/publish")),
    "its authority counts": get(b"http://127.0.0.1/healthz").replace(HOST, b"Host: evil.example"),
}


@pytest.mark.parametrize("kind", ABSOLUTE)
def test_absolute_targets_are_served(place, channel, kind):
    served(place, channel, ABSOLUTE[kind])


def test_an_absolute_target_of_a_publish_publishes(two_sockets, place, channel):
    served(place, channel, ABSOLUTE["publish"])
    assert published(two_sockets, channel) == ["hello"]


@pytest.mark.parametrize("kind", ["healthz", "poll", "publish", "file"])
def test_the_authority_of_an_absolute_target_counts_in_place_of_host(
        two_sockets, place, channel, kind):
    """RFC 9112, section 3.2.2; the name in it is judged as one in Host is."""
    data = ABSOLUTE[kind].replace(b"//127.0.0.1", b"//evil.example")
    with place.connect() as wire:
        wire.send(of(channel, data))
        check_error(wire.read_response(), 403, "bad_host")
    assert published(two_sockets, channel) == []


def test_a_user_in_an_absolute_target_is_refused(two_sockets, place, channel):
    """RFC 9110, section 4.2.4: it hides who is meant."""
    data = ABSOLUTE["publish"].replace(b"//127.0.0.1", b"//127.0.0.1@evil.example")
    with place.connect() as wire:
        wire.send(of(channel, data))
        assert wire.read_response().status in (400, 403)
    assert published(two_sockets, channel) == []


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_empty_lines_before_a_request_are_skipped(place, channel, kind, count):
    served(place, channel, b"\r\n" * count + REQUESTS[kind],
           204 if kind == "options" else 200, "OPTIONS" if kind == "options" else "GET")


def test_empty_lines_between_requests_are_skipped(two_sockets, place, channel):
    data = b"\r\n".join([publish(), publish(), publish(CLOSE)])
    assert [one.status for one in ask(place, channel, data)] == [200, 200, 200]
    assert published(two_sockets, channel) == ["hello"] * 3


@pytest.mark.parametrize("count", [1000, 100_000])
def test_empty_lines_without_end_are_refused(place, channel, count):
    check_closing_refusal(ask(place, channel, b"\r\n" * count + get(b"/healthz")), 400, 431)


def test_tabs_and_spaces_around_values_are_no_part_of_them(two_sockets, place, channel):
    data = publish(b"Idempotency-Key: \t a-key-of-mine\t ", framing=b"Content-Length:\t5 \t",
                   host=b"Host:\t 127.0.0.1 \t").replace(TYPE, b"Content-Type:text/plain\t")
    first = served(place, channel, data)
    again = served(place, channel, publish(b"Idempotency-Key:a-key-of-mine"))
    assert first.json() == again.json()
    assert published(two_sockets, channel) == ["hello"]


def test_values_are_echoed_without_what_is_around_them(place, channel):
    response = served(place, channel, get(b"/probe/head", b"Via:\t1.1 a \t", b"X-Forwarded-For:b"))
    assert ["Via", "1.1 a"] in response.json()["headers"], response
    assert ["X-Forwarded-For", "b"] in response.json()["headers"], response


def test_options_of_everything_is_answered_with_all_methods(place, channel):
    response = served(place, channel, get(b"*").replace(b"GET", b"OPTIONS"), 204, "OPTIONS")
    assert response.tokens("Allow") >= {"get", "head", "post", "options"}, response


def test_a_star_is_a_target_of_options_alone(place, channel):
    with place.connect() as wire:
        wire.send(get(b"*"))
        assert wire.read_response().status in (400, 404)


@pytest.mark.parametrize("count", [2, 3])
def test_equal_lengths_are_one(two_sockets, place, channel, count):
    served(place, channel, publish(framing=b"\r\n".join([LENGTH] * count)))
    assert published(two_sockets, channel) == ["hello"]


# How long a head may be.

def filled(data, size, filler):
    """The request with fields of one kind that make its head exactly `size` bytes long, if the
    kind allows, else at most that."""
    room = size - data.index(b"\r\n\r\n") - 4
    if filler == "cookie":
        field = b"Cookie: " + b"c" * (room - len(b"Cookie: \r\n")) + b"\r\n"
    elif filler == "name":
        field = b"X" * (room - 3) + b":\r\n"
    elif filler == "short lines":
        field = b"a:\r\n" * (room // 4)
    else:
        field = b"X-A: b\r\n" * (room // 8)
    end = data.index(b"\r\n") + 2
    return data[:end] + field + data[end:]


TAKEN = dict(REQUESTS, **{"probe": get(b"/probe/head"), "handshake": handshake()})


@pytest.mark.parametrize("filler", ["cookie", "name", "short lines", "lines"])
@pytest.mark.parametrize("kind", TAKEN)
def test_a_head_as_long_as_allowed_is_taken(two_sockets, place, channel, kind, filler):
    data = filled(of(channel, TAKEN[kind]), MAX_HEADER, filler)
    assert MAX_HEADER - 8 < data.index(b"\r\n\r\n") + 4 <= MAX_HEADER
    if kind == "handshake":
        with place.connect() as wire:
            wire.send(data)
            check_websocket(wire, two_sockets, channel)
    elif kind == "options":
        served(place, channel, data, 204, "OPTIONS")
    else:
        response = served(place, channel, data)
        if kind == "publish":
            assert published(two_sockets, channel) == ["hello"]
        if kind == "probe" and filler == "short lines":
            assert response.json()["more"] == data.count(b"a:\r\n") + 1 - 64


@pytest.mark.parametrize("target", [
    b"/healthz?", b"/poll?channels=CHANNEL&", b"/client/sluice.js?"])
def test_a_target_as_long_as_allowed_is_taken(place, channel, target):
    data = of(channel, get(target))
    served(place, channel, data.replace(b" HTTP", b"x" * (MAX_HEADER - len(data)) + b" HTTP"))


LONG = {
    "one byte too many": lambda data: filled(data, MAX_HEADER + 1, "cookie"),
    "a cookie": lambda data: filled(data, 20_000, "cookie"),
    "a long cookie": lambda data: filled(data, 300_000, "cookie"),
    "short lines": lambda data: filled(data, 20_000, "short lines"),
    "many short lines": lambda data: filled(data, 300_000, "short lines"),
    "a long name": lambda data: filled(data, 20_000, "name"),
    "no end": lambda data: filled(data, 20_000, "lines").replace(b"\r\n\r\n", b""),
    "no line end": lambda data: b"GET /" + b"a" * 20_000,
    "no line end and no space": lambda data: b"A" * 20_000,
    "no line end in a field":
        lambda data: data[:data.index(b"\r\n") + 2] + b"X-A: " + b"b" * 20_000,
    "a target": lambda data: data.replace(b" HTTP", b"&" + b"a" * 20_000 + b" HTTP"),
    "a long target": lambda data: data.replace(b" HTTP", b"&" + b"a" * 300_000 + b" HTTP"),
}


@pytest.mark.parametrize("kind", LONG)
def test_a_head_longer_than_allowed_is_431(two_sockets, place, channel, kind):
    before = refusals(two_sockets)
    data = LONG[kind](of(channel, publish()))
    check_closing_refusal(responses_in(place.ask(data)), 431)
    assert published(two_sockets, channel) == []
    assert refusals(two_sockets) == before + 1


def test_a_head_longer_than_allowed_that_comes_in_pieces_is_431(two_sockets, place, channel):
    data = LONG["a cookie"](of(channel, publish()))
    with place.connect() as wire:
        for at in range(0, len(data), 500):
            send_quietly(wire, data[at:at + 500])
        check_closing_refusal(responses_in(wire.read_to_end()), 431)
    assert published(two_sockets, channel) == []


def test_the_options_limit_of_a_head_is_exact(start_gateway, channel):
    gateway = start_gateway("--max-header", "4K")
    for target in (b"/healthz", b"/poll?channels=CHANNEL"):
        for size, status in ((4096, 200), (4097, 431)):
            with gateway.connect() as http:
                http.send(filled(of(channel, get(target)), size, "cookie"))
                assert http.read_response().status == status, (target, size)


# A WebSocket client that does not wait for its 101.

def frame_of(channel, data, ref):
    return frame_bytes(TEXT, json.dumps(
        {"type": "publish", "channel": channel, "data": data, "ref": ref}))


def check_early(wire, channel, count):
    assert wire.read_head().status == 101
    assert wire.next_object()["type"] == "open"
    objects = [wire.next_object() for _ in range(2 * count)]
    acks = [one for one in objects if one.get("type") == "ack"]
    messages = [one for one in objects if "type" not in one]
    assert [one["ref"] for one in acks] == list(range(count)), objects
    assert [one["data"] for one in messages] == ["early %d" % n for n in range(count)], objects


@pytest.mark.parametrize("count", [1, 40])
def test_frames_in_the_packet_of_the_handshake_are_served(place, channel, count):
    with place.connect() as wire:
        wire.send(of(channel, handshake()) + b"".join(
            frame_of(channel, "early %d" % n, n) for n in range(count)))
        check_early(wire, channel, count)


def test_a_frame_that_ends_after_the_packet_of_the_handshake_is_served(place, channel):
    frame = frame_of(channel, "early 0", 0)
    for cut in (1, 3, 6, len(frame) - 1):
        with place.connect() as wire:
            wire.send(of(channel, handshake()) + frame[:cut])
            assert wire.read_head().status == 101
            assert wire.next_object()["type"] == "open"
            wire.send(frame[cut:])
            assert {wire.next_object().get("type") for _ in range(2)} == {"ack", None}


def test_a_handshake_with_a_frame_behind_a_request_is_served(place, channel):
    with place.connect() as wire:
        wire.send(of(channel, get(b"/healthz") + handshake()) + frame_of(channel, "early 0", 0))
        assert wire.read_response().status == 200
        check_early(wire, channel, 1)


def test_bytes_behind_a_refused_handshake_are_no_frames(two_sockets, place, channel):
    """They are the next request, and no request at that."""
    with place.connect() as wire:
        data = handshake().replace(b"Version: 13", b"Version: 12")
        wire.send(of(channel, data) + frame_of(channel, "early", 0))
        check_error(wire.read_response(), 426)
        rest = responses_in(wire.read_to_end())
        assert [one.status for one in rest] in ([], [400]), rest
    assert published(two_sockets, channel) == []
