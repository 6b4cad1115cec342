"""Refusals: the right status and code, JSON, and always the gateway's own mark."""

import time

import pytest

from checks import await_connections, check_error, served
from sluicetest import (
    STREAMING, Closed, Http, SharedGateway, SseReader, WebSocket, eventually, open_subscriber)
from sluicetest.subscriber import Refused

PATHS = {"websocket": "/ws", "sse": "/sse", "stream": "/stream",
         "longpoll": "/poll", "poll": "/poll"}


def ask(gateway, transport, query, **headers):
    """A delivery request of this transport that is expected to be refused."""
    with WebSocket(gateway.address) as ws:
        if transport == "websocket":
            return ws.handshake("/ws" + query, headers)
        if transport == "poll":
            query += ("&" if "?" in query else "?") + "wait=0"
        return ws.request("GET", PATHS[transport] + query, headers)


@pytest.mark.parametrize("path", [
    "/nothing", "/ws/", "/sse/x", "/publish/", "/probe", "/probe/nothing", "/stats/", "//", "/%00",
    "/stats%2f", "/STATS", "/client", "/favicon.ico.png"])
def test_unknown_path_is_404(gateway, path):
    check_error(gateway.get(path), 404)


@pytest.mark.parametrize("path,allow", [
    ("/ws", "GET"), ("/sse", "GET"), ("/stream", "GET"), ("/poll", "GET"), ("/publish", "POST"),
    ("/transports", "GET"), ("/probe/echo", "POST"), ("/probe/seen", "GET"), ("/stats", "GET"),
    ("/metrics", "GET"), ("/healthz", "GET"), ("/readyz", "GET"), ("/", "GET")])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "other"])
def test_wrong_method_is_405_with_allow(gateway, path, allow, method):
    if method == "other":
        method = "GET" if allow == "POST" else "BREW" if path == "/poll" else "POST"
    response = gateway.request(method, path, {}, None if method in ("GET", "DELETE") else b"")
    check_error(response, 405)
    assert allow.lower() in response.tokens("Allow"), response


@pytest.mark.parametrize("method", ["BREW", "get", "PROPFIND"])
def test_unheard_of_method_is_refused(gateway, method):
    assert gateway.request(method, "/sse?channels=a").status in (400, 405, 501)


def test_missing_channels_is_400(gateway, transport):
    check_error(ask(gateway, transport, ""), 400)
    check_error(ask(gateway, transport, "?channels="), 400)


@pytest.mark.parametrize("name", [
    "~", "a*", "a.*", "%C3", "%ED%A0%80", "x" * 256, "%C3%BC" * 128, "a,", ",a", "a,,b", "a,*", "*",
    "a%C2%80", "%C2%9Fa"])
def test_bad_channel_names_are_refused(gateway, transport, name):
    check_error(ask(gateway, transport, "?channels=" + name), 400, "bad_channel")


@pytest.mark.parametrize("name", ["%", "%zz", "a%0d%0ab", "a%00b", "a%"])
def test_bad_escapes_in_the_query_are_refused(gateway, transport, name):
    check_error(ask(gateway, transport, "?channels=" + name), 400)


def test_sixty_five_channels_are_refused(gateway, transport):
    names = ",".join("c%d" % n for n in range(65))
    check_error(ask(gateway, transport, "?channels=" + names), 400)


def test_thousands_of_channels_are_refused(gateway, transport):
    names = ",".join("c%d" % n for n in range(1500))
    check_error(ask(gateway, transport, "?channels=" + names), 400)
    served(gateway)


@pytest.mark.parametrize("query", [
    "format=xml", "format=", "format=JSON", "heartbeat=3", "heartbeat=61", "heartbeat=x",
    "heartbeat=", "heartbeat=-5", "heartbeat=1e1", "heartbeat=99999999999999999999", "since=zzz"])
def test_bad_parameter_values_are_refused(gateway, transport, query):
    check_error(ask(gateway, transport, "?channels=a&" + query), 400)


@pytest.mark.parametrize("wait", ["-1", "56", "x", "", "1.5", "99999999999999999999"])
def test_bad_wait_is_refused(gateway, wait):
    check_error(gateway.get("/poll?channels=a&wait=" + wait), 400)


def test_plain_get_of_ws_is_426(gateway, channel):
    response = gateway.get("/ws?channels=" + channel)
    check_error(response, 426)
    assert response.header("Sec-WebSocket-Version") == "13"


@pytest.mark.parametrize("change", [
    {"Sec-WebSocket-Version": "12"}, {"Sec-WebSocket-Version": None},
    {"Sec-WebSocket-Version": "14"}, {"Upgrade": None}, {"Upgrade": "h2c"},
    {"Connection": "keep-alive"}, {"Connection": None}])
def test_unusable_upgrades_are_426(gateway, channel, change):
    response = ask(gateway, "websocket", "?channels=" + channel, **change)
    check_error(response, 426)
    assert response.header("Sec-WebSocket-Version") == "13"


@pytest.mark.parametrize("key", [None, "", "short", "x" * 24, "dGhlIHNhbXBsZSBub25jZQ=",
                                 "dGhlIHNhbXBsZSBub25jZSBidXQgbG9uZ2Vy", "!!!!HNhbXBsZSBub25jZQ=="])
def test_bad_websocket_keys_are_400(gateway, channel, key):
    response = ask(gateway, "websocket", "?channels=" + channel, **{"Sec-WebSocket-Key": key})
    check_error(response, 400)


@pytest.mark.parametrize("headers", [
    {"Connection": "close, upgrade"}, {"Connection": "keep-alive, Upgrade"},
    {"Connection": "UPGRADE"}, {"Upgrade": "WebSocket"}, {"Upgrade": "WEBSOCKET"},
    {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}])
def test_upgrades_as_browsers_and_proxies_write_them_work(gateway, channel, headers):
    with WebSocket(gateway.address) as ws:
        assert ws.handshake("/ws?channels=" + channel, headers).status == 101
        assert ws.next_object()["type"] == "open"


def test_http_1_0_upgrade_is_refused(gateway, channel):
    with WebSocket(gateway.address) as ws:
        response = ws.request("GET", "/ws?channels=" + channel, ws.upgrade_headers(), version="1.0")
        assert response.status in (400, 426), response


@pytest.mark.parametrize("target", [
    "/nothing", "/sse", "/stream?channels=a*b", "/poll", "/ws?channels=a", "/healthz", "/readyz",
    "/stats", "/metrics", "/transports", "/", "/probe/seen?nonce=abcdefgh", "/client/nothing.js"])
def test_every_response_carries_the_mark(gateway, target):
    response = gateway.get(target)
    assert response.header("Sluice"), response


def test_the_mark_is_the_version(gateway):
    mark = gateway.get("/healthz").header("Sluice")
    assert mark == gateway.get("/transports").json()["version"]


def test_base_path_moves_everything(start_gateway, channel):
    gateway = start_gateway("--base-path", "/push/")
    assert gateway.get("/push/healthz").status == 200
    check_error(gateway.get("/sse?channels=a"), 404)
    check_error(gateway.get("/pushsse?channels=a"), 404)
    response = gateway.request("POST", "/push/publish?channel=" + channel,
                               {"Content-Type": "text/plain"}, b"x")
    assert response.status == 200
    with Http(gateway.address) as http:
        cursor = response.json()["id"]
        for _ in range(3):
            answer = http.request("GET", "/push/poll?channels=%s&since=0&wait=0" % channel)
            assert answer.json()["cursor"] == cursor


# Limits.

@pytest.fixture(scope="module")
def shared_small_gateway():
    with SharedGateway("--max-connections", "6", "--shards", "1") as shared:
        yield shared


@pytest.fixture
def full_gateway(shared_small_gateway, channel):
    """All the connections it takes are streams."""
    with shared_small_gateway.use() as gateway:
        yield from fill(gateway, channel)


def fill(gateway, channel):
    subs = [open_subscriber("stream", gateway, channel) for _ in range(6)]
    gateway.held = subs
    yield gateway
    for sub in subs:
        sub.close()

    def is_empty():
        try:
            with open_subscriber("stream", gateway, channel):
                return True
        except (Refused, Closed, ConnectionError):
            return False
    eventually(is_empty)


@pytest.mark.parametrize("transport", ["websocket", "stream", "longpoll", "poll"])
def test_beyond_the_connection_limit_is_429(full_gateway, channel, transport):
    response = ask(full_gateway, transport, "?channels=%s&since=0" % channel)
    check_error(response, 429)
    full_gateway.publish_all  # the held streams go on:
    held = full_gateway.held[0]
    held.wire.sock.getpeername()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_beyond_the_connection_limit_sse_says_bye(full_gateway, channel, version):
    with Http(full_gateway.address) as http:
        http.send_request("GET", "/sse?channels=" + channel, version=version)
        response = http.read_head()
        assert response.status == 200 and response.header("Sluice")
        assert response.header("Content-Type").startswith("text/event-stream")
        reader = SseReader(http)
        event = reader.next_event()
        assert event.name == "bye", event
        import json
        bye = json.loads(event.text)
        assert list(bye) == ["type", "reason", "retry", "sent"] and bye["type"] == "bye", bye
        assert reader.retry and reader.retry > 0, "no retry field"
        if response.is_chunked:
            with pytest.raises(Closed):
                reader.next_event()
            assert reader.ended
        else:
            http.expect_end()


def test_room_is_made_when_a_connection_leaves(full_gateway, channel):
    check_error(ask(full_gateway, "stream", "?channels=" + channel), 429)
    full_gateway.held.pop().close()

    def fits():
        try:
            full_gateway.held.append(open_subscriber("stream", full_gateway, channel))
            return True
        except Refused as refused:
            check_error(refused.response, 429)
            return False
    eventually(fits)


def test_far_beyond_the_limit_connections_are_closed_at_accept(full_gateway, channel):
    """The hard limit: no answer, but those within go on and room comes back."""
    https, closed = [], 0
    for _ in range(400):
        try:
            https.append(Http(full_gateway.address))
        except ConnectionError:
            closed += 1
    for http in https:
        try:
            http.send_request("GET", "/nothing")
            http.read_head(5)
        except (Closed, OSError, TimeoutError):
            closed += 1
    for http in https:
        http.close()
    assert closed > 0, "400 connections beyond a limit of 6 were all served"


def test_limit_of_connections_per_address(start_gateway, channel):
    gateway = start_gateway("--max-connections-per-address", "3")
    subs = [open_subscriber(t, gateway, channel) for t in STREAMING]
    check_error(ask(gateway, "stream", "?channels=" + channel), 429)
    subs.pop().close()

    def fits():
        response = ask(gateway, "poll", "?channels=" + channel)
        return response.status == 200
    eventually(fits)
    for sub in subs:
        sub.close()


def test_sockets_that_ask_nothing_do_not_count_for_ever(start_gateway, channel):
    gateway = start_gateway("--request-timeout", "1", "--max-connections", "20")
    idle = []
    for n in range(30):
        try:
            http = Http(gateway.address)
            http.send(b"GET /sse?chann")
            idle.append(http)
        except (Closed, OSError):
            pass

    def fits():
        try:
            with open_subscriber("stream", gateway, channel):
                return True
        except (Refused, Closed, OSError):
            return False
    eventually(fits)
    for http in idle:
        http.close()


@pytest.mark.parametrize("size,fine", [(2000, True), (6000, False), (60000, False)])
def test_header_limit(start_gateway, size, fine):
    gateway = start_gateway("--max-header", "4K", "--shards", "1")
    with Http(gateway.address) as http:
        try:
            http.send_request("GET", "/healthz", {"X-Filler": "x" * size})
            status = http.read_head().status
        except Closed:
            status = None
    assert (status == 200) == fine, status
    assert status is None or 200 <= status < 500
    served(gateway)


def test_channel_limit_option(start_gateway, channel):
    gateway = start_gateway("--max-channels", "2")
    check_error(gateway.get("/stream?channels=a,b,c"), 400)
    with open_subscriber("websocket", gateway, ["a", "b"]) as sub:
        sub.wire.send_object({"type": "subscribe", "channels": ["c"], "ref": 1})
        assert sub.next_object()["type"] == "error"


def test_message_limit_option(start_gateway, channel):
    gateway = start_gateway("--max-message", "100")
    gateway.publish(channel, "x" * 100)
    check_error(gateway.request("POST", "/publish?channel=" + channel,
                                {"Content-Type": "text/plain"}, b"x" * 101), 413)


def test_no_error_takes_long(gateway):
    start = time.monotonic()
    for _ in range(50):
        gateway.get("/nothing")
    assert time.monotonic() - start < 30
    await_connections(gateway, "stream", 0)
