"""What requests get on either kind of socket, fresh or kept: names compared as what they mean,
files that have not changed, bodies that are too long, HEAD, pipelining, pieces, HTTP/1.0."""

import contextlib

import pytest

from checks import NOBODY, check_error, connections, published, relayed
from sluicetest import (
    Closed, Http, Response, SharedGateway, WebSocket, eventually, request_bytes, send_quietly)

TEXT = {"Content-Type": "text/plain"}
FILE = "/client/sluice.js"


def lines(line, *fields):
    return "".join(one + "\r\n" for one in (line, *fields, "")).encode()


def post(channel, body=b"hello", **fields):
    return request_bytes("POST", "/publish?channel=" + channel,
                         dict(TEXT, **{name.replace("_", "-"): value
                                       for name, value in fields.items()}), body)


def get(target, method="GET", **fields):
    return request_bytes(method, target, {
        name.replace("_", "-"): value for name, value in fields.items()})


# Host and Origin are names, ports and schemes, not texts.

def options(name, *values):
    return [word for value in values for word in (name, value)]


@pytest.fixture(scope="module")
def shared_named():
    with SharedGateway(
            *options("--public-origin", "https://push.example", "http://plain.example",
                     "https://port.example:443", "http://odd.example:8080"),
            *options("--allow-origin", "https://page.example:443", "http://page.example:80",
                     "https://other.example:8443")) as shared:
        yield shared


@pytest.fixture
def named(shared_named):
    with shared_named.use() as gateway:
        yield gateway


def ask_all(gateway, fields):
    """One request each that is answered in its own way: by libmicrohttpd, by a transport, as a
    publish, and as the next one on a kept connection."""
    yield gateway.get("/transports", fields)
    yield gateway.get("/poll?channels=a", fields)
    yield gateway.request("POST", "/publish?channel=a", dict(TEXT, **fields), b"x")
    with gateway.connect() as http:
        assert http.request("GET", "/poll?channels=a").status == 200
        yield http.request("GET", "/poll?channels=a", fields)


HOSTS = ["push.example", "push.example:443", "PUSH.Example", "PUSH.EXAMPLE:443", "plain.example",
         "plain.example:80", "Plain.Example:80", "port.example", "port.example:443",
         "odd.example:8080", "ODD.example:8080"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_public_host_may_name_its_default_port_in_any_case(named, host):
    for response in ask_all(named, {"Host": host}):
        assert response.status == 200, response


@pytest.mark.parametrize("host", [
    "push.example:80", "push.example:8443", "plain.example:443", "plain.example:8080",
    "port.example:80", "odd.example", "odd.example:80", "odd.example:443", "push.example:",
    "push.example:0443", "push.example:4430", "push.example:99999", "push.example.evil",
    "page.example", "evil.push.example", "push.example@evil.example"])
def test_another_port_or_name_is_another_host(named, host):
    """`push.example:` and a port with zeros may count as either (RFC 3986, section 6.2.3)."""
    for response in ask_all(named, {"Host": host}):
        if host in ("push.example:", "push.example:0443"):
            assert response.status in (200, 400, 403), response
        elif response.status != 400:
            check_error(response, 403, "bad_host")


@pytest.mark.parametrize("host", HOSTS)
def test_a_websocket_may_name_its_host_in_either_way(named, host):
    with WebSocket(named.address, host=host) as ws:
        assert ws.handshake("/ws?channels=a").status == 101


@pytest.mark.parametrize("origin", [
    "https://push.example", "http://plain.example", "https://port.example",
    "http://odd.example:8080", "https://page.example", "http://page.example",
    "https://other.example:8443"])
def test_origins_as_browsers_write_them_are_allowed_and_echoed(named, origin):
    """A page compares the echo with its own origin, byte for byte, however the option wrote it."""
    for response in ask_all(named, {"Origin": origin}):
        assert response.status == 200, response
        assert response.header("Access-Control-Allow-Origin") == origin


@pytest.mark.parametrize("origin", [
    "https://push.example:443", "http://plain.example:80", "https://port.example:443",
    "https://page.example:443", "http://page.example:80", "https://PUSH.example"])
def test_origins_written_in_full_are_allowed(named, origin):
    for response in ask_all(named, {"Origin": origin}):
        assert response.status == 200, response


@pytest.mark.parametrize("origin", [
    "http://push.example:443", "https://push.example:80", "https://push.example:8443",
    "https://plain.example", "http://plain.example:443", "http://port.example",
    "http://odd.example", "https://odd.example:8080", "https://other.example",
    "http://other.example:8443", "https://push.example/", "https://push.example.evil.example",
    "https://evil.example#push.example", "https://push.example@evil.example"])
def test_other_schemes_and_ports_are_other_origins(named, origin):
    for response in ask_all(named, {"Origin": origin}):
        check_error(response, 403, "bad_origin")


def test_files_are_for_every_origin_and_the_rest_is_not(place):
    with place.connect() as wire:
        for _ in range(2):
            assert wire.request("GET", FILE, {"Origin": NOBODY}).status == 200
            assert wire.request("GET", "/", {"Origin": "null"}).status == 200
            check_error(wire.request("GET", "/transports", {"Origin": NOBODY}), 403, "bad_origin")
            check_error(wire.request("GET", "/poll?channels=a", {"Origin": NOBODY}), 403)
            check_error(wire.request("GET", FILE, {"Host": "evil.example"}), 403, "bad_host")
        assert wire.is_reusable()


# Files that have not changed.

def matching(tag):
    """If-None-Match lines that name the file, as pairs."""
    def line(*values):
        return [("If-None-Match", value) for value in values]
    return {
        "the tag": line(tag), "anything": line("*"), "a weak tag": line("W/" + tag),
        "a list": line('"a", %s, "b"' % tag), "a list without spaces": line('"a",%s,"b"' % tag),
        "a weak tag in a list": line('W/"a", W/%s' % tag), "the first line": line(tag, '"a"'),
        "the last line": line('"a"', 'W/"b", "c"', tag),
        "lists in lines": line('"a", "b"', '"c",' + tag),
        "a tag with a comma before": line('"a,b", ' + tag),
        "an empty element": line('"a", , ' + tag), "tabs": line("\t%s\t" % tag),
        "the middle line": line('"a"', tag, '"b"')}


def other(tag):
    def line(*values):
        return [("If-None-Match", value) for value in values]
    bare = tag.strip('"')
    return {
        "another": line('"a"'), "a list": line('"a", W/"b"'), "lines": line('"a"', '"b"'),
        "a star in quotes": line('"*"'), "a part": line('"%s"' % bare[:-1]),
        "more": line('"%sx"' % bare), "within another": line('"a,%s,b"' % bare), "empty": line(""),
        "a part of a list in quotes": line('"a, %s"' % bare)}


MATCHING, OTHER = matching('"x"'), other('"x"')  # for their names


@pytest.mark.parametrize("kind", MATCHING)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_that_has_not_changed_is_304(place, kind, method):
    with place.connect() as wire:
        plain = wire.request("GET", FILE)
        response = wire.request(method, FILE, matching(plain.header("ETag"))[kind])
        check_not_modified(response, plain)
        assert wire.is_reusable()
        assert wire.request("GET", FILE).body == plain.body


def check_not_modified(response, plain):
    assert response.status == 304, response
    assert response.header("Content-Length") is None, response
    assert response.header("Transfer-Encoding") is None, response
    assert response.header("Sluice"), response
    for name in ("ETag", "Vary", "Cache-Control"):
        assert response.header(name) == plain.header(name), response


@pytest.mark.parametrize("kind", OTHER)
def test_a_file_that_has_changed_is_sent(place, kind):
    with place.connect() as wire:
        plain = wire.request("GET", FILE)
        response = wire.request("GET", FILE, other(plain.header("ETag"))[kind])
        assert response.status == 200 and response.body == plain.body


@pytest.mark.parametrize("value", ["*", '"a"'])
def test_a_file_that_is_not_there_is_404_whatever_the_client_has(two_sockets, value):
    check_error(two_sockets.get("/client/nothing.js", {"If-None-Match": value}), 404)


@pytest.mark.parametrize("target", ["/transports", "/healthz", "/poll?channels=a"])
def test_what_is_no_file_has_no_304(two_sockets, target):
    assert two_sockets.get(target, {"If-None-Match": "*"}).status == 200


# Bodies that are too long.

LONG = 5 << 20


def too_long(kind):
    """Target, fields and body of a request that is refused for its length."""
    target, fields, body = "/publish?channel=a", TEXT, b"x" * LONG
    if kind == "batch":
        target, fields = "/publish", {"Content-Type": "application/x-ndjson"}
    elif kind == "echo":
        target = "/probe/echo"
    if kind == "chunked":
        fields = dict(fields, **{"Transfer-Encoding": "chunked"})
        body = (b"10000\r\n" + body[:65536] + b"\r\n") * (LONG // 65536) + b"0\r\n\r\n"
    return target, fields, body


@pytest.mark.parametrize("kind", ["length", "chunked", "batch", "echo"])
def test_a_client_that_sends_all_before_it_reads_gets_its_413(place, kind):
    """Closed at once, the connection would be reset under the client's hands."""
    with contextlib.ExitStack() as stack:
        for _ in range(20 if kind == "length" and place.before in ("fresh", "publish") else 2):
            wire = stack.enter_context(place.connect())
            target, fields, body = too_long(kind)
            wire.send_request("POST", target, fields, body)
            check_error(wire.read_response("POST"), 413, "too_large")
            stack.close()


def test_a_client_that_waits_for_100_gets_413_in_its_place(place):
    with place.connect() as wire:
        wire.send_request("POST", "/publish?channel=a", dict(
            TEXT, **{"Content-Length": str(LONG), "Expect": "100-continue"}))
        raw = wire.read_until(b"\r\n\r\n")
        assert raw.startswith(b"HTTP/1.1 413 "), raw
        wire.response = Response(raw)
        check_error(wire.read_body("POST"), 413, "too_large")
        assert not wire.is_reusable()
        wire.expect_end()


def test_a_body_without_end_is_cut_and_not_kept(two_sockets, place):
    memory = two_sockets.memory_kib()
    with place.connect() as wire:
        wire.send_request("POST", "/publish?channel=a",
                          dict(TEXT, **{"Content-Length": str(1 << 40)}))
        piece = b"x" * (1 << 20)
        with pytest.raises(Closed):
            for _ in range(1 << 20):
                wire.send(piece)
        wire.read_head()
        assert wire.response.status == 413
    assert two_sockets.memory_kib() - memory < 30_000


@pytest.mark.parametrize("size", [65537, 200_000, 1 << 20])
def test_a_body_that_is_a_little_too_long_costs_no_connection(two_sockets, place, channel, size):
    with place.connect() as wire:
        for _ in range(2):
            wire.send_request("POST", "/publish?channel=" + channel, TEXT, b"x" * size)
            check_error(wire.read_response("POST"), 413, "too_large")
        assert wire.is_reusable()
        two_sockets.publish(channel, "after it", on=wire)
    assert published(two_sockets, channel) == ["after it"]


# The subprotocol.

def offering(values):
    fields = dict(WebSocket.upgrade_headers(), Host="127.0.0.1")
    return list(fields.items()) + [("Sec-WebSocket-Protocol", value) for value in values]


def chosen(wire, channel, values):
    wire.send_request("GET", "/ws?channels=" + channel, offering(values))
    response = wire.read_head()
    assert response.status == 101, response
    assert wire.next_object()["type"] == "open"
    return [value for name, value in response.pairs if name.lower() == "sec-websocket-protocol"]


@pytest.mark.parametrize("values", [
    ["sluice.v1"], ["chat, sluice.v1"], ["sluice.v1, bearer.abc"], ["bearer.abc,sluice.v1"],
    ["chat", "sluice.v1"], ["sluice.v1", "chat"], ["a, b", "c , sluice.v1\t, d"],
    ["a", "b", "bearer.abc, sluice.v1"]])
def test_the_gateways_subprotocol_is_chosen_when_offered(place, channel, values):
    with place.connect() as wire:
        assert chosen(wire, channel, values) == ["sluice.v1"]


@pytest.mark.parametrize("values", [
    [], ["chat"], ["sluice.v2"], ["sluice.v10"], ["xsluice.v1"], ["SLUICE.V1"], ["bearer.abc"],
    ["chat, superchat", "mqtt"], ["sluice", "v1"], ["sluice.v1.bearer"]])
def test_no_other_subprotocol_is_chosen(place, channel, values):
    with place.connect() as wire:
        assert chosen(wire, channel, values) == []


# HEAD of what would be delivered.

DELIVERIES = ["/sse?channels=CHANNEL", "/sse?channels=CHANNEL&since=0", "/stream?channels=CHANNEL",
              "/sse?channels=CHANNEL&format=raw", "/stream?channels=CHANNEL&format=raw",
              "/stream?channels=CHANNEL&heartbeat=4&verify=1", "/poll?channels=CHANNEL",
              "/poll?channels=CHANNEL&wait=0", "/poll?channels=CHANNEL&wait=0&n=abc"]
# Fields that a HEAD may leave out (RFC 9110, section 9.3.2), and one that differs by itself.
FRAMING = {"content-length", "transfer-encoding", "date"}


def fields_of(response):
    return {name.lower(): value for name, value in response.pairs if name.lower() not in FRAMING}


def opened(gateway):
    """How many connections each transport has had; HTTP's own count our questions too."""
    return {transport: counted["opened"] for transport, counted
            in gateway.stats()["transports"].items() if transport != "http"}


def head_of_get(address, target, fields, version):
    with Http(address, host="127.0.0.1") as http:
        http.send_request("GET", target, fields, version=version)
        return http.read_head()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("target", DELIVERIES)
def test_head_of_a_delivery_is_that_of_get_and_joins_nothing(
        two_sockets, place, channel, target, version):
    target = target.replace("CHANNEL", channel)
    fields = {"Origin": two_sockets.origin}
    with place.connect() as wire:
        want = head_of_get(place.address, target, fields, version)
        before = opened(two_sockets)
        wire.send_request("HEAD", target, fields, version=version)
        response = wire.read_response("HEAD")
        assert response.status == want.status == 200
        assert fields_of(response) == fields_of(want)
        if target.startswith("/poll") and version == "1.1":
            assert wire.is_reusable()
            two_sockets.publish(channel, "after it", on=wire)
            assert wire.request("HEAD", target).status == 200
            assert wire.request("GET", "/healthz").json() == {"status": "ok"}
        else:
            wire.expect_end()
        assert opened(two_sockets) == before


def test_head_of_a_poll_that_would_be_held_is_answered_at_once(two_sockets, place, channel):
    target = "/poll?channels=%s&wait=55&since=%s" % (channel, two_sockets.head())
    with place.connect() as wire:
        for _ in range(3):
            response = wire.request("HEAD", target)
            assert response.status == 200 and response.header("Sluice-Cursor"), response
        assert wire.request("GET", "/healthz").status == 200
    assert connections(two_sockets, "longpoll") == 0


@pytest.mark.parametrize("target,status", [
    ("/sse", 400), ("/stream?channels=a*b", 400), ("/poll?channels=a&wait=x", 400),
    ("/poll?channels=a,b&format=raw", 400), ("/sse?channels=%zz", 400), ("/ws?channels=a", 405)])
def test_head_of_a_refused_delivery_is_refused_without_a_body(place, target, status):
    with place.connect() as wire:
        response = wire.request("HEAD", target)
        assert response.status == status and response.header("Sluice"), response
        if wire.is_reusable():
            assert wire.request("GET", "/healthz").json() == {"status": "ok"}
        else:
            wire.expect_end()


def test_head_of_a_delivery_asks_who_is_there(place):
    with place.connect() as wire:
        assert wire.request("HEAD", "/sse?channels=a", {"Origin": NOBODY}).status == 403
    with place.connect() as wire:
        assert wire.request("HEAD", "/poll?channels=a", {"Host": "evil.example"}).status == 403


@pytest.mark.parametrize("path", ["/sse", "/stream", "/poll"])
def test_options_name_head(two_sockets, path):
    allowed = two_sockets.request("OPTIONS", path).tokens("Allow")
    assert allowed >= {"get", "head", "options"}, allowed
    assert two_sockets.request("PUT", path, {}, b"").tokens("Allow") == allowed


# Requests in one packet, and in pieces.

def mixed(channel):
    """Requests of every kind, and what each answer is known by."""
    def says(text):
        return lambda response: response.status == 200 and text in response.body

    def is_file(response):
        return response.status == 200 and response.header("ETag")
    return [
        ("GET", get("/healthz"), says(b'"ok"')),
        ("GET", get("/poll?channels=%s&since=0&wait=0&n=one" % channel), says(b'"n":"one"')),
        ("GET", get(FILE), is_file),
        ("POST", post(channel, b"one"), says(b'"id"')),
        ("GET", get("/nothing"), lambda one: one.status == 404),
        ("HEAD", get(FILE, "HEAD"), is_file),
        ("GET", get("/stats"), says(b'"transports"')),
        ("POST", post(channel, b"two", Content_Type="text/html"), lambda one: one.status == 415),
        ("OPTIONS", get("/poll", "OPTIONS"), lambda one: one.status == 204 and one.header("Allow")),
        ("GET", get(FILE, If_None_Match='"a"'), is_file),
        ("POST", request_bytes("POST", "/probe/echo", TEXT, b"echo"), says(b"echo")),
        ("GET", get("/sse"), lambda one: one.status == 400),
        ("POST", post(channel, b"three"), says(b'"id"')),
        ("GET", get("/poll?channels=%s&since=0&wait=0" % channel), says(b'"three"')),
        ("GET", get("/metrics"), says(b"sluice_")),
        ("GET", get("/transports"), says(b'"websocket"')),
    ]


def read_mixed(wire, requests):
    for method, data, is_right in requests:
        response = wire.read_response(method)
        assert is_right(response), (data, response)
        assert wire.is_reusable(), (data, response)


def test_requests_of_every_kind_in_one_packet_are_answered_in_order(two_sockets, place, channel):
    requests = mixed(channel)
    with place.connect() as wire:
        for _ in range(2):
            wire.send(b"".join(data for _, data, _ in requests))
            read_mixed(wire, requests)
    assert published(two_sockets, channel) == ["one", "three"] * 2


def test_requests_of_every_kind_one_after_the_other_keep_the_connection(place, channel):
    with place.connect() as wire:
        for one in mixed(channel) * 2:
            wire.send(one[1])
            read_mixed(wire, [one])


def test_more_requests_in_a_row_than_are_kept_are_all_answered(two_sockets, place, channel):
    """What waits behind a request is bounded; the rest waits in the kernel."""
    count = 400
    with place.connect() as wire:
        wire.send(b"".join(post(channel, b"%d" % n) + get("/healthz") for n in range(count)))
        for _ in range(count):
            assert "id" in wire.read_response("POST").json()
            assert wire.read_response().json() == {"status": "ok"}
    assert published(two_sockets, channel) == [str(n) for n in range(count)]


def test_many_files_in_a_row_are_all_answered(place):
    count = 40
    with place.connect() as wire:
        wire.send(get(FILE) * count)
        bodies = {wire.read_response().body for _ in range(count)}
    assert len(bodies) == 1 and len(bodies.pop()) > 1000


@pytest.mark.parametrize("first", ["/healthz", FILE, "/poll?channels=a", "publish"])
def test_a_handshake_behind_another_request_is_served(two_sockets, place, channel, first):
    data = post(channel + ".a") if first == "publish" else get(first)
    with place.connect() as wire:
        wire.send(data + request_bytes("GET", "/ws?channels=" + channel, wire.upgrade_headers()))
        assert wire.read_response().status == 200
        assert wire.read_head().status == 101
        assert wire.next_object()["type"] == "open"
        two_sockets.publish(channel, "over it")
        assert wire.next_object()["data"] == "over it"


@pytest.mark.parametrize("kind", ["/sse?channels=CHANNEL", "/stream?channels=CHANNEL"])
def test_a_stream_behind_other_requests_is_served(two_sockets, place, channel, kind):
    with place.connect() as wire:
        wire.send(get("/healthz") + post(channel, b"before")
                  + get(kind.replace("CHANNEL", channel) + "&since=0"))
        assert wire.read_response().status == 200
        assert wire.read_response("POST").status == 200
        assert wire.read_head().status == 200
        got = b""
        while b"before" not in got:
            got += wire.read_chunk()
        two_sockets.publish(channel, "after")
        while b"after" not in got:
            got += wire.read_chunk()


def test_requests_behind_a_poll_that_is_held_are_served_after_it(two_sockets, place, channel):
    cursor = two_sockets.head()
    with place.connect() as wire:
        wire.send(get("/poll?channels=%s&wait=50&since=%s" % (channel, cursor))
                  + get("/healthz") + post(channel, b"behind"))
        assert wire.is_silent(0.1)
        assert published(two_sockets, channel) == []
        two_sockets.publish(channel, "first")
        assert [one["data"] for one in wire.read_response().json()["messages"]] == ["first"]
        assert wire.read_response().json() == {"status": "ok"}
        assert wire.read_response("POST").status == 200
    assert published(two_sockets, channel) == ["first", "behind"]


@pytest.mark.parametrize("kind", ["healthz", "file", "poll", "publish", "probe"])
def test_a_request_byte_by_byte_is_served_wherever_it_comes(place, channel, kind):
    data = {"healthz": get("/healthz"), "file": get(FILE), "poll": get("/poll?channels=" + channel),
            "publish": post(channel),
            "probe": request_bytes("POST", "/probe/echo", TEXT, b"x")}[kind]
    with place.connect() as wire:
        for _ in range(2):
            wire.send_bytewise(data)
            assert wire.read_response().status == 200
        assert wire.is_reusable()


def test_a_handshake_byte_by_byte_is_served_wherever_it_comes(place, channel):
    with place.connect() as wire:
        wire.send_bytewise(request_bytes("GET", "/ws?channels=" + channel, wire.upgrade_headers()))
        assert wire.read_head().status == 101
        assert wire.next_object()["type"] == "open"


def test_a_publish_in_two_pieces_is_served_wherever_it_is_cut(two_sockets, place, channel):
    """On one connection, the second piece with the first one of the next request."""
    data = post(channel)
    with place.connect() as wire:
        wire.send(data[:1])
        for at in range(1, len(data)):
            wire.send(data[at:] + data[:at + 1])
            assert wire.read_response("POST").status == 200, at
        assert wire.read_response("POST").status == 200
    assert published(two_sockets, channel) == ["hello"] * len(data)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_in_pieces_is_one_message(two_sockets, place, channel, size):
    body = b"0123456789" * (3 if size < 1000 else 6000)
    data = post(channel, body)
    head = len(data) - len(body)
    with place.connect() as wire:
        wire.send(data[:head])
        for at in range(head, len(data), size):
            wire.send(data[at:at + size])
        assert wire.read_response("POST").status == 200
        assert wire.is_reusable()
        two_sockets.publish(channel, "after it", on=wire)
    assert published(two_sockets, channel) == [body.decode(), "after it"]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_chunked_body_in_pieces_is_one_message(two_sockets, place, channel, size):
    chunks = b"5;a=b\r\nhello\r\n1\r\n \r\n00a\r\n0123456789\r\n0\r\nX-A: b\r\n\r\n"
    data = request_bytes("POST", "/publish?channel=" + channel,
                         dict(TEXT, **{"Transfer-Encoding": "chunked"}))
    with place.connect() as wire:
        for _ in range(2):
            wire.send(data)
            for at in range(0, len(chunks), size):
                wire.send(chunks[at:at + size])
            assert wire.read_response("POST").status == 200
        assert wire.is_reusable()
    assert published(two_sockets, channel) == ["hello 0123456789"] * 2


# Expect.

@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_that_waits_for_100_gets_it(two_sockets, place, channel, framing):
    fields = dict(TEXT, Expect="100-continue")
    if framing == "chunked":
        fields["Transfer-Encoding"], body = "chunked", b"5\r\nhello\r\n0\r\n\r\n"
    else:
        fields["Content-Length"], body = "5", b"hello"
    with place.connect() as wire:
        for _ in range(2):
            wire.send_request("POST", "/publish?channel=" + channel, fields)
            assert wire.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            wire.send(body)
            raw = wire.read_until(b"\r\n\r\n")
            assert raw.startswith(b"HTTP/1.1 200 "), raw
            wire.response = Response(raw)
            assert "id" in wire.read_body().json()
        assert wire.is_reusable()
    assert published(two_sockets, channel) == ["hello"] * 2


def test_a_body_sent_without_waiting_for_100_is_read(two_sockets, place, channel):
    with place.connect() as wire:
        for _ in range(2):
            wire.send(post(channel, Expect="100-Continue"))
            assert wire.read_response("POST").status == 200
    assert published(two_sockets, channel) == ["hello"] * 2


def test_http_1_0_gets_no_100(place, channel):
    """RFC 9110, section 10.1.1."""
    data = post(channel, Expect="100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = place.ask(data)
    assert b" 100 " not in answer and b" 200 " in answer.partition(b"\r\n")[0], answer


# HTTP/1.0.

OLD = {"healthz": ("GET", "/healthz"), "file": ("GET", FILE), "nothing": ("GET", "/nothing"),
       "poll": ("GET", "/poll?channels=CHANNEL"), "publish": ("POST", "/publish?channel=CHANNEL")}


def ask_old(wire, channel, kind, fields):
    method, target = OLD[kind]
    return wire.request(method, target.replace("CHANNEL", channel), dict(TEXT, **fields),
                        b"hello" if method == "POST" else None, version="1.0")


@pytest.mark.parametrize("kind", OLD)
def test_http_1_0_is_answered_and_closed(place, channel, kind):
    with place.connect() as wire:
        response = ask_old(wire, channel, kind, {})
        assert response.status == (404 if kind == "nothing" else 200), response
        assert not response.is_chunked
        assert "keep-alive" not in response.tokens("Connection"), response
        wire.expect_end()


@pytest.mark.parametrize("kind", OLD)
def test_http_1_0_with_keep_alive_is_kept_or_closed_as_the_answer_says(place, channel, kind):
    with place.connect() as wire:
        response = ask_old(wire, channel, kind, {"Connection": "keep-alive"})
        assert response.status == (404 if kind == "nothing" else 200), response
        assert not response.is_chunked
        if "keep-alive" in response.tokens("Connection"):
            assert ask_old(wire, channel, "healthz", {}).status == 200
        wire.expect_end()


def test_http_1_0_without_a_host_is_served(place):
    answer = place.ask(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert answer.partition(b"\r\n")[0].endswith(b" 200 OK"), answer


# Bytes and requests are counted as they are.

def http_bytes(wire):
    """What /stats counts for requests of no transport, itself included up to its head."""
    counted = wire.request("GET", "/stats").json()["transports"]["http"]
    return counted["wire_bytes_in"], counted["wire_bytes_out"]


def test_wire_bytes_are_those_of_the_socket(place, channel):
    """A /stats on another connection of the same place lies between all readings, so that only what
    is measured makes a difference between differences."""
    with place.connect() as wire, place.connect() as asking:
        before = settled_readings(asking)
        sent, received = wire.sent, wire.received
        assert wire.request("POST", "/publish?channel=" + channel, TEXT, b"hello").status == 200
        assert wire.request("GET", FILE).status == 200
        assert wire.request("GET", "/nothing").status == 404
        sent, received = wire.sent - sent, wire.received - received
        # A shard counts an answer when it has sent it; its client may have it, and another shard may tell
        # its numbers, before that.
        eventually(lambda: is_counted(before, settled_readings(asking), sent, received))


def is_counted(before, after, sent, received):
    """True when just what one client sent and received was counted between the readings. The numbers in
    /stats grow, and with them its length."""
    asked, answered = (after[-1][way] - after[-2][way] for way in (0, 1))
    assert before[-1][0] - before[-2][0] == asked
    more_in, more_out = (after[-1][way] - before[-1][way] for way in (0, 1))
    rounds = round((more_in - sent) / asked)
    return more_in - rounds * asked == sent and \
        abs(more_out - rounds * answered - received) < 40 * rounds


def settled_readings(asking):
    """Readings until nothing is added but what they cost: a shard counts an answer when it has sent it,
    and another shard may tell its numbers before that."""
    readings = [http_bytes(asking) for _ in range(3)]
    for _ in range(100):
        costs = [readings[i][1] - readings[i - 1][1] for i in (-1, -2)]
        if abs(costs[0] - costs[1]) < 40:
            break
        readings.append(http_bytes(asking))
    return readings


def test_the_requests_that_libmicrohttpd_serves_are_counted(two_sockets, place, channel):
    with place.connect() as wire:
        before = relayed(two_sockets)
        for _ in range(3):
            assert wire.request("GET", FILE).status == 200
        assert relayed(two_sockets) - before == 3 + 1
        before = relayed(two_sockets)
        two_sockets.publish(channel, "x", on=wire)
        assert wire.request("GET", "/poll?channels=" + channel).status == 200
        assert wire.request("OPTIONS", "/poll").status == 204
        assert wire.request("GET", "/sse").status == 400
        assert wire.request("PUT", "/poll?channels=a", {}, b"").status == 405
        assert wire.request("GET", "/transports", {"Origin": NOBODY}).status == 403
        assert wire.request("HEAD", "/poll?channels=a").status == 200
        assert relayed(two_sockets) - before == 1


@pytest.mark.parametrize("gone", ["handovers", "given_back", "wire_estimated"])
def test_counters_of_what_is_no_more_are_gone(two_sockets, gone):
    assert b"sluice_" + gone.encode() not in two_sockets.get("/metrics").body
    assert gone.encode() not in two_sockets.get("/stats").body


def test_nothing_is_left_open_by_clients_that_leave_half_way(two_sockets, place):
    """Half a head, half a body, half a row of requests."""
    for data in (get("/healthz")[:-2], post("a")[:-3], get(FILE) * 30 + get(FILE)[:10]):
        with place.connect() as wire:
            send_quietly(wire, data)
    with Http(two_sockets.address) as http:
        eventually(lambda: http.request("GET", "/stats").json()["transports"]["http"]["connections"]
                   == 1)
