"""Path diagnosis: the mark, the echo, and what the gateway saw of a WebSocket request."""

import itertools
import os
import time

import pytest

from checks import check_error
from sluicetest import STREAMING, Http, WebSocket, eventually, open_subscriber, request_bytes

_nonces = itertools.count(1)

streaming = pytest.mark.parametrize("transport", STREAMING)


@pytest.fixture
def nonce():
    return "nonce%d-%d" % (os.getpid(), next(_nonces))


@streaming
def test_mark_comes_in_a_write_of_its_own_after_open(gateway, channel, transport, nonce):
    with open_subscriber(transport, gateway, channel, probe=nonce) as sub:
        assert not sub.wire.buffer, "the mark came with open"
        mark = sub.next_object()
        assert mark == {"type": "mark"}
        assert not sub.wire.buffer


@streaming
def test_probe_is_silent_for_two_seconds_then_loses_nothing(gateway, channel, transport, nonce):
    with open_subscriber(transport, gateway, channel, probe=nonce) as sub:
        gateway.publish(channel, 0)
        assert sub.next_object() == {"type": "mark"}
        gateway.publish_all(channel, range(1, 4))
        assert sub.wire.is_silent(1.0), "something came during the silence"
        gateway.publish(channel, 4)
        assert sub.next_data(5) == list(range(5))
        gateway.publish(channel, 5)
        assert sub.next_message()["data"] == 5


@streaming
def test_probe_with_since_replays_after_the_silence(gateway, channel, transport, nonce):
    gateway.publish_all(channel, range(3))
    with open_subscriber(transport, gateway, channel, since="0", probe=nonce) as sub:
        assert sub.next_object() == {"type": "mark"}
        assert sub.next_data(3) == list(range(3))


@streaming
def test_two_marks_are_seen_by_a_live_path(gateway, channel, transport, nonce):
    """What a client does: open and mark, both within a second and a half."""
    start = time.monotonic()
    with open_subscriber(transport, gateway, channel, probe=nonce) as sub:
        sub.await_control("mark")
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("body", [b"", b"x", b"\x00\xff" * 500, b"a" * 60000])
def test_echo_returns_its_body(gateway, body):
    response = gateway.request(
        "POST", "/probe/echo", {"Content-Type": "application/octet-stream"}, body)
    assert response.status == 200 and response.body == body
    assert response.header("Sluice")


def test_echo_too_large_is_413(gateway):
    check_error(gateway.request("POST", "/probe/echo", {}, b"x" * 200000), 413)


def head_lines(response):
    assert response.status == 200 and response.header("Sluice"), response
    return response.json()["headers"]


def test_head_is_echoed_as_it_arrived(gateway):
    response = gateway.get("/probe/head?n=1", {"vIA": "1.1 some-proxy", "Last-Event-ID": "probe", "X-Own": "x"})
    lines = head_lines(response)
    assert ["vIA", "1.1 some-proxy"] in lines and ["Last-Event-ID", "probe"] in lines
    assert ["X-Own", None] in lines and any(name == "Host" and value for name, value in lines)
    answer = response.json()
    assert (answer["method"], answer["version"], answer["more"]) == ("GET", "HTTP/1.1", 0)
    assert (answer["client"], answer["secure"]) == ("127.0.0.1", gateway.scheme == "https")


def test_head_shows_no_credentials(gateway):
    response = gateway.get("/probe/head", {"Authorization": "Bearer hunter2", "Cookie": "a=hunter2",
                                           "Proxy-Authorization": "Basic hunter2", "X-Token": "hunter2"})
    shown = dict(head_lines(response))
    assert shown["X-Token"] is None
    assert shown["Authorization"] == "*" * len("Bearer hunter2")
    assert shown["Cookie"] == "*" * len("a=hunter2")
    assert shown["Proxy-Authorization"] == "*" * len("Basic hunter2")
    assert b"hunter2" not in response.body


def test_head_is_bounded(gateway):
    lines = {"Via": "v" * 2000, **{"X-%d" % n: "x" for n in range(100)}}
    answer = gateway.get("/probe/head", lines).json()
    assert len(answer["headers"]) == 64 and answer["more"] > 30
    assert max(len(value) for _, value in answer["headers"] if value) == 256


def test_head_can_be_read_by_an_allowed_page_only(gateway):
    origin = gateway.origin
    assert gateway.get("/probe/head", {"Origin": origin}).header("Access-Control-Allow-Origin") == origin
    check_error(gateway.get("/probe/head", {"Origin": "http://elsewhere.example"}), 403)
    check_error(gateway.request("POST", "/probe/head", {}, b""), 405)


def seen(gateway, nonce):
    response = gateway.get("/probe/seen?nonce=" + nonce)
    assert response.status == 200 and response.header("Sluice"), response
    return response.json()["seen"]


def test_seen_nothing(gateway, nonce):
    assert seen(gateway, nonce) == "nothing"


def test_seen_plain_get(gateway, channel, nonce):
    """A proxy that took Upgrade away leaves Sec-WebSocket-Key."""
    response = gateway.get("/ws?channels=%s&probe=%s" % (channel, nonce), {
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"})
    check_error(response, 426)
    assert response.header("Sec-WebSocket-Version") == "13"
    assert seen(gateway, nonce) == "plain_get"


def test_seen_upgraded_without_a_frame_then_with_one(gateway, channel, nonce):
    with open_subscriber("websocket", gateway, channel, probe=nonce) as sub:
        assert seen(gateway, nonce) == "upgraded_no_frame"
        sub.wire.send_object({"type": "ping", "data": 1})
        eventually(lambda: seen(gateway, nonce) == "upgraded")


@pytest.mark.parametrize("opcode,payload", [(9, b"ping"), (10, b""), (1, b"not json")])
def test_any_frame_of_the_client_counts(gateway, channel, nonce, opcode, payload):
    with open_subscriber("websocket", gateway, channel, probe=nonce) as sub:
        sub.wire.send_frame(opcode, payload)
        eventually(lambda: seen(gateway, nonce) == "upgraded")


def test_ping_is_answered_during_the_silence(gateway, channel, nonce):
    """The client's third gate: an answer to its first frame within 1.5 s."""
    with open_subscriber("websocket", gateway, channel, probe=nonce) as sub:
        sub.wire.send_object({"type": "ping", "data": nonce})
        assert sub.await_control("pong")["data"] == nonce


@pytest.mark.shards
def test_seen_is_shared_by_all_shards(gateway, channel, nonce):
    with open_subscriber("websocket", gateway, channel, probe=nonce):
        assert {seen(gateway, nonce) for _ in range(20)} == {"upgraded_no_frame"}


def test_seen_remembers_after_the_socket_closed(gateway, channel, nonce):
    with open_subscriber("websocket", gateway, channel, probe=nonce) as sub:
        sub.wire.close_handshake()
    assert seen(gateway, nonce) == "upgraded"


def test_seen_is_bounded(gateway, channel):
    """Thousands of nonces neither grow it without end nor break it."""
    with Http(gateway.address) as http:
        for start in range(0, 5000, 100):
            http.send(b"".join(request_bytes(
                "GET", "/ws?channels=%s&probe=many-nonce-%d" % (channel, n),
                {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}, host=http.host)
                for n in range(start, start + 100)))
            for _ in range(100):
                assert http.read_response().status == 426
    assert seen(gateway, "many-nonce-4999") == "plain_get"


@pytest.mark.parametrize("query", ["", "?nonce=", "?nonce=" + "x" * 5000])
def test_seen_without_a_usable_nonce_is_400(gateway, query):
    response = gateway.get("/probe/seen" + query)
    assert response.status == 400, response


@pytest.mark.parametrize("target", [
    "/stream?channels=a&probe=" + "x" * 1000, "/stream?channels=a&probe="])
def test_bad_probe_nonce_is_refused(gateway, target):
    check_error(gateway.get(target), 400)


@streaming
def test_abandoned_probes_are_forgotten(gateway, channel, transport, nonce):
    from checks import await_connections
    for n in range(5):
        open_subscriber(transport, gateway, channel, probe=nonce + str(n)).cut()
    await_connections(gateway, transport, 0)
    with WebSocket(gateway.address):
        pass


# ---- why a client is on its transport ----

def clients(gateway, transport, reason):
    wanted = 'sluice_clients_total{transport="%s",reason="%s"} ' % (transport, reason)
    lines = gateway.get("/metrics").body.decode().splitlines()
    return [int(line[len(wanted):]) for line in lines if line.startswith(wanted)][0]


@streaming
@pytest.mark.parametrize("reason,counted", [("refused", "refused"), ("because", "other"), ("", "other")])
def test_reason_is_counted_by_transport(gateway, channel, transport, reason, counted):
    before = clients(gateway, transport, counted)
    with open_subscriber(transport, gateway, channel, reason=reason) as sub:
        gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1
    assert clients(gateway, transport, counted) == before + 1


def test_reason_of_a_poll_is_that_of_its_transport(gateway, channel):
    cursor = gateway.get("/poll?channels=" + channel).json()["cursor"]
    for wait, transport in (("0", "poll"), ("1", "longpoll")):
        before = clients(gateway, transport, "died")
        response = gateway.get("/poll?channels=%s&since=%s&wait=%s&reason=died" % (channel, cursor, wait))
        assert response.status == 200
        assert clients(gateway, transport, "died") == before + 1


def test_no_reason_is_not_counted(gateway, channel):
    def total():
        return sum(int(line.split()[-1]) for line in gateway.get("/metrics").body.decode().splitlines()
                   if line.startswith("sluice_clients_total{"))
    before = total()
    with open_subscriber("sse", gateway, channel):
        assert total() == before
