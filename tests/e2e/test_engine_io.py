"""Engine.IO 4 at /engine.io/: handshake, polling, WebSocket, closing. Each case with one shard and with four, in the
clear and over TLS; each request comes on a TCP connection of its own, so with four shards most come to another one than
the session's. The upgrade is in test_engine_io_upgrade.py."""

import json
import os
import time

import pytest

from sluicetest import Closed, CloseFrame, Gateway, Http, SharedGateway, eventually
from sluicetest.engine_io import EngineIo, SEPARATOR, error_body
from sluicetest.tokens import Issuer
from sluicetest.websocket import BINARY

OPTIONS = ("--client-publish", "*", "--max-message", "2M")
WORLDS = ["clear-1", "clear-4", "tls-1", "tls-4"]


@pytest.fixture(scope="module", params=WORLDS)
def shared_gateway(request):
    kind, shards = request.param.split("-")
    with SharedGateway("--shards", shards, *OPTIONS, secure=kind == "tls") as shared:
        yield shared


def assert_unknown(engine):
    response = engine.get()
    assert (response.status, response.body) == (400, error_body(1))


def open_socket(gateway, query=""):
    socket = EngineIo(gateway, query, shake_hands=False).upgrade()
    opened = socket.next_data().payload
    assert opened.startswith(b"0{"), opened
    return socket, json.loads(opened[1:])


# ---- the handshake ----

def test_a_handshake_tells_what_the_client_parses(gateway):
    response = EngineIo(gateway, shake_hands=False).shake_hands()
    assert response.header("Content-Type") == "text/plain; charset=UTF-8"
    assert response.header("Cache-Control") == "no-store"
    sid = json.loads(response.body[1:])["sid"]
    assert len(sid) == 20
    assert response.body == (b'0{"sid":"%s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,'
                             b'"maxPayload":1000000}' % sid.encode())


def test_a_handshake_on_a_websocket_has_no_upgrades(gateway):
    socket, opened = open_socket(gateway)
    with socket:
        assert list(opened) == ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]
        assert opened["upgrades"] == []


@pytest.mark.parametrize("method,query,code", [
    ("GET", "EIO=4", 0), ("GET", "EIO=4&transport=abc", 0), ("POST", "EIO=4&transport=abc", 0),
    ("GET", "EIO=4&transport=polling&sid=nobody", 1), ("POST", "EIO=4&transport=polling&sid=nobody", 1),
    ("GET", "EIO=4&transport=websocket&sid=nobody", 1),
    ("POST", "EIO=4&transport=polling", 2), ("PUT", "EIO=4&transport=polling", 2),
    ("DELETE", "EIO=4&transport=polling", 2), ("HEAD", "EIO=4&transport=polling", 2),
    ("GET", "EIO=4&transport=websocket", 3),
    ("GET", "transport=polling", 5), ("GET", "EIO=abc&transport=polling", 5), ("GET", "EIO=3&transport=polling", 5),
])
def test_errors_are_those_of_the_reference_to_the_byte(gateway, method, query, code):
    with Http(gateway.address) as http:
        response = http.request(method, "/engine.io/?" + query)
        assert response.status == 400
        assert response.header("Content-Type") == "application/json"
        assert response.body == (b"" if method == "HEAD" else error_body(code))


@pytest.mark.parametrize("query,code", [
    ("transport=websocket", 5), ("EIO=abc&transport=websocket", 5), ("EIO=4", 0), ("EIO=4&transport=abc", 0),
    ("EIO=4&transport=websocket&sid=nobody", 1),
])
def test_an_upgrade_is_refused_with_the_same_errors(gateway, query, code):
    engine = EngineIo(gateway, shake_hands=False)
    engine.target = lambda transport, more="": "/engine.io/?" + query
    if "transport=websocket" in query:
        response = engine.upgrade()
        assert (response.status, response.body) == (400, error_body(code))
    else:
        response = engine.request("GET")
        assert (response.status, response.body) == (400, error_body(code))


def test_a_preflight_is_answered(gateway):
    headers = {"Origin": gateway.origin, "Access-Control-Request-Method": "POST",
               "Access-Control-Request-Headers": "x-of-the-app"}
    with Http(gateway.address) as http:
        response = http.request("OPTIONS", "/engine.io/?EIO=4&transport=polling", headers)
    assert response.status == 204
    assert response.header("Access-Control-Allow-Headers") == "x-of-the-app"


def test_a_page_of_another_origin_is_refused_in_the_clients_words(gateway):
    response = EngineIo(gateway, shake_hands=False).request("GET", headers={"Origin": "https://evil.example"})
    assert response.status == 403
    assert response.json()["code"] == 4


# ---- messages ----

@pytest.mark.parametrize("packets", [
    [b"4hello"], [b"4test1", b"4test2", b"4test3"], [b"4hello", b"bAQIDBA=="], [b"4"], [b"4\xc3\xa9\xf0\x9f\x99\x82"],
])
def test_a_poll_takes_what_a_post_has_brought(gateway, packets):
    engine = EngineIo(gateway)
    response = engine.post(*packets)
    assert (response.status, response.body) == (200, b"ok")
    assert response.header("Content-Type") == "text/html"
    answer = engine.get()
    assert answer.header("Content-Type") == "text/plain; charset=UTF-8"
    assert answer.body == SEPARATOR.join(packets)


def test_a_poll_is_held_until_something_comes(gateway, channel):
    engine = EngineIo(gateway, "channels=" + channel)
    held = engine.hold()
    gateway.publish(channel, "one")
    assert held.packets() == [b"4one"]
    for text in "two", "three":
        gateway.publish(channel, text)
    assert engine.take() == [b"4two", b"4three"]


def test_payloads_come_in_their_kinds(gateway, channel):
    engine = EngineIo(gateway, "channels=" + channel)
    for payload in {"a": [1]}, "text", b"\x00\xff", "a\x1e1":
        gateway.publish(channel, payload)
    assert engine.take() == [b'4{"a": [1]}', b"4text", b"bAP8=", b"bYR4x"]


def test_a_session_with_one_channel_publishes_there(gateway, channel):
    engine, other = EngineIo(gateway, "channels=" + channel), EngineIo(gateway, "channel=" + channel)
    engine.say(b"4mine", b"bAQID")
    assert other.take() == [b"4mine", b"bAQID"]
    assert engine.take() == [b"4mine", b"bAQID"]


def test_messages_go_both_ways_on_a_websocket(gateway):
    socket, _ = open_socket(gateway)
    with socket:
        socket.send_text("4hello")
        assert socket.next_data().payload == b"4hello"
        socket.send_frame(BINARY, b"\x01\x02\x03\x04")
        frame = socket.next_data()
        assert (frame.opcode, frame.payload) == (BINARY, b"\x01\x02\x03\x04")


def test_a_large_message_comes_back_whole(gateway):
    large = b"4" + os.urandom(300000).hex().encode()
    engine = EngineIo(gateway)
    engine.say(large)
    assert engine.take() == [large]
    socket, _ = open_socket(gateway)
    with socket:
        socket.send_text(large.decode())
        assert socket.next_data().payload == large


def test_a_body_that_is_too_large_is_refused(gateway):
    engine = EngineIo(gateway)
    assert engine.post(b"4" + b"x" * 1000000).status == 413
    engine.say(b"4" + b"x" * 999999)


@pytest.mark.parametrize("body", [b"abc", b"", b"4a\x1e", b"9", b"bA", b"4\xff\xfe"])
def test_what_is_no_packet_ends_the_session(gateway, body):
    engine = EngineIo(gateway)
    response = engine.post(body)
    assert (response.status, response.body) == (400, error_body(3))
    assert_unknown(engine)


def test_a_binary_body_is_of_another_revision(gateway):
    engine = EngineIo(gateway)
    response = engine.request("POST", b"4a", {"Content-Type": "application/octet-stream"})
    assert (response.status, response.body) == (400, error_body(3))
    assert_unknown(engine)


def test_chunks_are_put_together(gateway):
    engine = EngineIo(gateway)
    body = b"3\r\n4he\r\n3\r\nllo\r\n0\r\n\r\n"
    with Http(gateway.address) as http:
        http.send_request("POST", engine.target("polling"), {"Transfer-Encoding": "chunked"})
        http.send(body)
        assert http.read_response().body == b"ok"
    assert engine.take() == [b"4hello"]


def test_a_plain_get_for_a_websocket_takes_nothing(gateway):
    engine = EngineIo(gateway)
    engine.say(b"4kept")
    response = engine.request("GET", transport="websocket")
    assert (response.status, response.body) == (400, error_body(3))
    assert engine.take() == [b"4kept"]


# ---- two requests at a time ----

def test_a_second_poll_ends_the_session(gateway):
    engine = EngineIo(gateway)
    held = [engine.hold(), engine.hold()]  # which comes first is the network's
    answers = sorted((one.read() for one in held), key=lambda response: response.status)
    assert (answers[0].status, answers[0].body) == (200, b"1")
    assert (answers[1].status, answers[1].body) == (400, error_body(3))
    assert_unknown(engine)


def test_posts_that_overlap_are_taken_as_they_are_complete(gateway):
    engine = EngineIo(gateway)
    with Http(gateway.address) as first:
        first.send_request("POST", engine.target("polling"), {"Content-Length": "6"})
        first.send(b"4f")
        engine.say(b"4second")
        first.send(b"irst")
        assert first.read_response().body == b"ok"
    taken = []
    while len(taken) < 2:
        taken += engine.take()
    assert taken == [b"4second", b"4first"]


def test_a_poll_that_breaks_off_ends_the_session(gateway):
    engine = EngineIo(gateway)
    held = engine.hold()
    time.sleep(0.05)
    held.break_off()
    eventually(lambda: engine.post(b"6").status == 400)
    assert_unknown(engine)


# ---- pings ----

@pytest.fixture(params=[1, 4])
def pinging(request):
    """Pings each half a second, and waits long for their answers."""
    with Gateway("--shards", request.param, "--engineio-ping-interval", "0.5", "--engineio-ping-timeout", "3") as gateway:
        yield gateway


@pytest.fixture(params=[1, 4])
def impatient(request):
    """Waits no time for answers."""
    with Gateway("--shards", request.param, "--engineio-ping-interval", "0.3", "--engineio-ping-timeout", "0.2") as gateway:
        yield gateway


def test_pings_come_and_are_answered(pinging):
    engine = EngineIo(pinging)
    for _ in range(3):
        before = time.monotonic()
        assert engine.take() == [b"2"]
        assert time.monotonic() - before > 0.3
        engine.say(b"3")


def test_a_missing_pong_is_judged_when_a_request_comes(impatient):
    for _ in range(5):
        engine = EngineIo(impatient)
        time.sleep(0.5)
        assert_unknown(engine)


def test_a_missing_pong_ends_a_poll_that_is_held(pinging):
    engine = EngineIo(pinging)
    assert engine.take() == [b"2"]
    assert engine.take() == [b"1"]
    assert_unknown(engine)


def test_pings_come_on_a_websocket_however_busy_it_is(pinging, channel):
    socket, _ = open_socket(pinging, "channels=" + channel)
    with socket:
        pings = 0
        while pings < 3:
            pinging.publish(channel, "x")
            if socket.next_data().payload == b"2":
                pings += 1
                socket.send_text("3")


def test_a_missing_pong_closes_a_websocket(pinging):
    socket, _ = open_socket(pinging)
    with socket:
        assert socket.next_data().payload == b"2"
        with pytest.raises((CloseFrame, Closed)):
            socket.next_data()


# ---- closing ----

def test_a_client_that_leaves_ends_its_poll(gateway):
    engine = EngineIo(gateway)
    held = engine.hold()
    engine.say(b"1")
    assert held.packets() == [b"6"]
    assert_unknown(engine)


def test_a_client_may_leave_before_its_poll_has_come(gateway):
    engine = EngineIo(gateway)
    engine.say(b"1")
    assert engine.take() == [b"6"]
    assert_unknown(engine)


@pytest.mark.parametrize("text", ["abc", "2", "2probe", "1"])
def test_a_websocket_is_closed_by_what_ends_it(gateway, text):
    socket, _ = open_socket(gateway)
    with socket:
        socket.send_text(text)
        with pytest.raises(CloseFrame):
            socket.next_data()


def test_a_slow_consumer_loses_its_session(gateway):
    engine = EngineIo(gateway)
    engine.say(b"4" + b"x" * 40000)
    engine.say(b"4" + b"y" * 40000)  # more waits than may
    assert_unknown(engine)


# ---- the gateway's own ends ----

@pytest.mark.parametrize("shards", [1, 4])
def test_a_drain_ends_sessions_so_that_clients_come_again(shards):
    with Gateway("--shards", shards, "--drain", "2") as gateway:
        engines = [EngineIo(gateway) for _ in range(8)]
        held = [engine.hold() for engine in engines]
        socket, _ = open_socket(gateway)
        # All GETs that are held are read, and the connections of the handshakes have gone.
        eventually(lambda: gateway.metric("sluice_connections_opened_total", transport="engineio-polling") == 16 and
                   gateway.metric("sluice_connections", transport="engineio-polling") == 8)
        gateway.signal(15)
        assert [one.packets() for one in held] == [[b"1"]] * 8
        with pytest.raises(CloseFrame) as close, socket:
            socket.next_data()
        assert close.value.code == 1012
        assert gateway.wait() == 0


@pytest.mark.parametrize("shards", [1, 4])
def test_a_token_that_expires_ends_its_session(shards):
    issuer = Issuer()
    with Gateway("--shards", shards, *issuer.options, bearer=issuer.operator) as gateway:
        refused = EngineIo(gateway, "channels=a", shake_hands=False).request("GET")
        assert refused.status == 403 and refused.json()["code"] == 4
        token = issuer.ending_in(2, subscribe=["a"])
        engine = EngineIo(gateway, "channels=a&token=" + token)
        held = engine.hold()
        gateway.publish("a", "one")
        assert held.packets() == [b"4one"]
        assert engine.hold().packets() == [b"1"]


def test_lost_messages_end_a_session_since_no_client_can_be_told(gateway, channel):
    with Gateway("--shards", "2", "--history-bytes", "100K") as small:
        engine = EngineIo(small, "channels=" + channel)
        for _ in range(3):
            small.publish(channel, "x" * 50000)
        assert engine.take() == [b"1"]
        assert_unknown(engine)


def test_another_log_ends_sessions_and_websockets():
    with Gateway("--backend", "slow", "--shards", "2") as gateway:
        engine = EngineIo(gateway, "channels=a")
        held = engine.hold()
        socket, _ = open_socket(gateway, "channels=a")
        gateway.publish("slow.control", "reset")
        assert held.packets() == [b"1"]
        with pytest.raises(CloseFrame) as close, socket:
            socket.next_data()
        assert close.value.code == 4003


def test_sessions_have_bounds():
    with Gateway("--max-sessions-per-client", "3") as gateway:
        engines = [EngineIo(gateway) for _ in range(3)]
        response = EngineIo(gateway, shake_hands=False).request("GET")
        assert response.status == 429
        engines[0].say(b"1")
        assert engines[0].take() == [b"6"]
        # The place is free a moment after the answer.
        eventually(lambda: EngineIo(gateway, shake_hands=False).request("GET").status == 200)
    with Gateway("--shards", "1", "--max-sessions", "2") as gateway:
        engines = [EngineIo(gateway) for _ in range(2)]
        EngineIo(gateway)
        assert_unknown(engines[0])  # the one idle for longest made room
        engines[1].say(b"4a")


def test_no_session_is_unknown_over_new_connections_with_four_shards():
    """Four hundred requests, each on a connection of its own."""
    with Gateway("--shards", "4") as gateway:
        engines = [EngineIo(gateway) for _ in range(10)]
        for number in range(20):
            for engine in engines:
                engine.say(b"4%d" % number)
            for engine in engines:
                assert engine.take() == [b"4%d" % number]
        assert gateway.metric("sluice_session_requests_forwarded_total") > 0
        assert gateway.metric("sluice_session_requests_unknown_total") == 0


def test_it_can_be_switched_off():
    with Gateway("--no-engine-io") as gateway, Http(gateway.address) as http:
        assert http.request("GET", "/engine.io/?EIO=4&transport=polling").status == 404

