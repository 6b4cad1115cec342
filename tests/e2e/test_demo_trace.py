"""`--demo`: what the trace shows is what the sockets carried."""

import json
import socket
import time

import pytest

from checks import check_error, wire_bytes
from sluicetest import (
    HELD, STREAMING, TRANSPORTS, Closed, Http, Recorder, SharedGateway, WebSocket, block, carried,
    eventually, lanes, new_name, open_subscriber, request_bytes, trace)
from sluicetest.tls import Profile
from sluicetest.websocket import frame_bytes

CAPTURE = 2048
EVENTS = 256
NAMES = 64


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--demo", "--shards", "2") as shared:
        yield shared


@pytest.fixture
def recorder(monkeypatch):
    return Recorder(monkeypatch)


def kinds(told):
    return [(e["from"], e["what"]) for e in told["events"]]


def closed_trace(gateway, name, closed=1):
    """The trace once `closed` connections of the name have been seen to end."""
    def ask():
        told = trace(gateway, name)
        count = sum(e["what"] == "close" for e in told["events"])
        return told if count >= closed else None
    return eventually(ask)


def grown_trace(gateway, name, count, after=0):
    """The trace with this many new events: the client has a write's bytes before its event
    is noted."""
    def ask():
        told = trace(gateway, name, after)
        return told if len(told["events"]) >= count else None
    return eventually(ask)


def check_counts(told, sent, received):
    """Counters are those of the bytes the client sent and received; heads end where heads
    end."""
    for direction, events_of, whole in (("received", "client", sent), ("sent", "gateway", received)):
        events = [e for e in told["events"] if e["from"] == events_of]
        heads = sum(e["bytes"] for e in events if e["what"] == "head")
        bodies = sum(e["bytes"] for e in events if e["what"] == "bytes")
        added = sum(e.get("tls", 0) for e in events)
        added += sum(e["handshake"][direction] for e in told["events"] if "handshake" in e)
        assert told[direction] == {"heads": heads, "bodies": bodies, **({"tls": added} if added else {})}, (
            direction, told)
        assert heads + bodies == len(whole), (direction, told)
        for event in events:
            if event["what"] == "head" and event["bytes"] <= CAPTURE:
                assert event["data"].endswith(b"\r\n\r\n") and event["data"].count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_trace_counts_what_tls_adds(start_gateway, channel, transport, version):
    gateway = start_gateway("--demo", secure=True)
    name = new_name()
    with open_subscriber(transport, gateway, channel, demo=name, how=Profile(version)) as sub:
        for number in range(3):
            gateway.publish(channel, "x" * 6000 * number)
            sub.next_message()

        def counted():
            told = trace(gateway, name)
            handshake = told["events"][0]["handshake"]
            wire = {"received": sub.wire.tls.sent, "sent": sub.wire.tls.received}  # behind it
            carried_bytes = {way: sum(told[way].values()) - handshake[way] for way in wire}
            return told if carried_bytes == wire else None
        told = eventually(counted)
    opened, *rest = told["events"]
    assert opened["what"] == "open" and opened["handshake"]["received"] > 200
    # A record's head and tag, and what the version has besides (RFC 8446, 5.2; RFC 5288, 3).
    record = {"1.2": 5 + 16 + 8, "1.3": 5 + 16 + 1}[version]
    assert {event["tls"] % record for event in rest if "tls" in event} == {0}
    check_counts(told, *(b"x" * (told[way]["heads"] + told[way]["bodies"]) for way in ("received", "sent")))


def test_trace_equals_what_the_client_sent_and_received(gateway, channel, transport, recorder):
    name = new_name()
    with open_subscriber(transport, gateway, channel, demo=name) as sub:
        for number in range(5):
            gateway.publish(channel, {"number": number, "fill": "x" * 100 * number})
            assert sub.next_message()["data"]["number"] == number
        if transport == "websocket":
            sub.wire.send_object({"type": "publish", "channel": channel, "data": 1, "ref": "a"})
            sub.await_control("ack")
            sub.wire.send_frame(0x9, b"are you there")
            while sub.wire.read_frame().opcode != 0xA:
                pass
    told = closed_trace(gateway, name)
    sent, received = recorder.of(sub.wire)
    assert carried(told["events"], "client") == sent
    assert carried(told["events"], "gateway") == received
    check_counts(told, sent, received)
    assert told["connections"] == 1
    assert told["requests"] == (sub.answers if transport in ("longpoll", "poll") else 1)
    assert kinds(told)[:3] == [("client", "open"), ("client", "head"), ("gateway", "head")]
    assert {e["transport"] for e in told["events"]} == {transport}
    assert [e["n"] for e in told["events"]] == list(range(1, told["next"] + 1))
    times = [e["time"] for e in told["events"]]
    assert times == sorted(times) and abs(times[0] / 1e6 - time.time()) < 60


@pytest.mark.parametrize("length", ["length", "chunked", "expected close"])
def test_trace_of_publishes_equals_what_was_sent(gateway, channel, recorder, length):
    name = new_name()
    target = "/publish?channel=%s&demo=%s" % (channel, name)
    headers = {"Content-Type": "text/plain"}
    with Http(gateway.address) as http:
        if length == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            http.send_request("POST", target, headers, b"5\r\nhello\r\n0\r\n\r\n")
            assert http.read_response().status == 200
        elif length == "expected close":
            headers["Connection"] = "close"
            assert http.request("POST", target, headers, b"hello").status == 200
        else:
            for _ in range(3):
                assert http.request("POST", target, headers, b"hello").status == 200
        if length == "expected close":
            http.expect_end()
    told = closed_trace(gateway, name)
    sent, received = recorder.of(http)
    check_counts(told, sent, received)
    assert carried(told["events"], "gateway") == received
    if length != "chunked":  # which is decoded as it comes: counted, not shown
        assert carried(told["events"], "client") == sent
    assert told["requests"] == (3 if length == "length" else 1)
    assert {e["transport"] for e in told["events"]} == {"http"}


def test_publish_body_that_comes_apart_from_its_head(gateway, channel, recorder):
    name = new_name()
    whole = request_bytes("POST", "/publish?channel=%s&demo=%s" % (channel, name),
                          {"Content-Type": "text/plain"}, b"hello")
    with Http(gateway.address) as http:
        for _ in range(3):
            http.send(whole[:-5])
            time.sleep(0.05)
            http.send(whole[-5:])
            assert http.read_response().status == 200
    told = closed_trace(gateway, name)
    sent, received = recorder.of(http)
    assert carried(told["events"], "client") == sent
    assert carried(told["events"], "gateway") == received
    check_counts(told, sent, received)


def test_refusals_are_traced(gateway, recorder):
    name = new_name()
    with Http(gateway.address) as http:
        check_error(http.request("GET", "/ws?channels=a&demo=%s" % name), 426)
    told = closed_trace(gateway, name)
    assert carried(told["events"], "gateway") == recorder.of(http)[1]


def test_head_that_comes_byte_by_byte_is_shown_whole(gateway, channel, recorder):
    name = new_name()
    with Http(gateway.address) as http:
        http.send_bytewise(request_bytes("GET", "/poll?channels=%s&wait=0&demo=%s" % (channel, name)))
        assert http.read_response().status == 200
    told = closed_trace(gateway, name)
    assert carried(told["events"], "client") == recorder.of(http)[0]


@pytest.mark.slow
def test_head_that_takes_seconds_is_shown_whole(gateway, channel, recorder):
    name = new_name()
    whole = request_bytes("GET", "/poll?channels=%s&wait=0&demo=%s" % (channel, name))
    with Http(gateway.address) as http:
        http.send(whole[:-2])
        time.sleep(2.5)
        http.send(whole[-2:])
        assert http.read_response().status == 200
    told = closed_trace(gateway, name)
    assert (told["received"]["heads"], told["received"]["bodies"]) == (len(whole), 0)
    assert carried(told["events"], "client") == whole


def test_long_heads_and_messages_are_counted_whole_and_shown_in_part(gateway, channel, recorder):
    name = new_name()
    with open_subscriber("sse", gateway, channel, demo=name, headers={"X-Long": "x" * 6000}) as sub:
        gateway.publish(channel, "y" * 20000)
        assert sub.next_message()["data"] == "y" * 20000
    told = closed_trace(gateway, name)
    sent, received = recorder.of(sub.wire)
    check_counts(told, sent, received)
    head = next(e for e in told["events"] if e["from"] == "client" and e["what"] == "head")
    assert head["bytes"] == len(sent) and head["data"] == sent[:CAPTURE]
    assert all(len(e["data"]) == min(e["bytes"], CAPTURE) for e in told["events"])
    at = 0
    for event in told["events"]:
        if event["from"] == "gateway" and event["bytes"]:
            assert event["data"] == received[at:at + len(event["data"])]
            at += event["bytes"]


def test_one_event_a_write(gateway, channel):
    name = new_name()
    with open_subscriber("stream", gateway, channel, demo=name) as sub:
        before = grown_trace(gateway, name, 4)["next"]  # open, two heads, the open object
        for number in range(4):
            gateway.publish(channel, number)
            sub.next_message()
        events = grown_trace(gateway, name, 4, before)["events"]
        assert [(e["from"], e["what"]) for e in events] == [("gateway", "bytes")] * 4
        assert all(e["data"].endswith(b"}\n\r\n") for e in events)


def test_reader_gets_only_what_is_new(gateway, channel):
    name = new_name()
    with open_subscriber("stream", gateway, channel, demo=name) as sub:
        first = grown_trace(gateway, name, 4)
        assert trace(gateway, name, first["next"])["events"] == []
        gateway.publish(channel, "new")
        sub.next_message()
        new = grown_trace(gateway, name, 1, first["next"])
        assert [e["n"] for e in new["events"]] == [first["next"] + 1] and new["dropped"] == 0
        assert trace(gateway, name, 10 ** 9)["events"][0]["n"] == 1  # of an earlier life


def test_bytes_come_only_for_names_to_be_shown(gateway, channel):
    names = new_name(), new_name()
    for name in names:
        open_subscriber("poll", gateway, channel, demo=name).close()
    told = gateway.get("/demo/api/trace?of=%s:0,%s&show=%s" % (names + names[1:])).json()["names"]
    assert not any("base64" in e for e in told[names[0]]["events"])
    assert all("base64" in e for e in told[names[1]]["events"])


def test_of_may_be_percent_encoded_as_a_browser_does(gateway):
    told = gateway.get("/demo/api/trace?of=some-name%3A0%2Cother-name%3A7").json()
    assert set(told["names"]) == {"some-name", "other-name"}


def test_ring_holds_the_last_events_and_says_how_many_are_gone(gateway, channel):
    name = new_name()
    before = gateway.metric("sluice_demo_events_dropped_total")
    with open_subscriber("stream", gateway, channel, demo=name) as sub:
        with gateway.connect() as http:
            for number in range(EVENTS + 40):
                gateway.publish(channel, number, on=http)
                sub.next_message()
        told = trace(gateway, name)
    assert len(told["events"]) == EVENTS
    assert told["dropped"] == told["next"] - EVENTS and told["dropped"] > 0
    assert told["events"][0]["n"] == told["dropped"] + 1
    assert gateway.metric("sluice_demo_events_dropped_total") > before
    assert trace(gateway, name, told["next"] - 1)["dropped"] == 0


def test_ring_of_bytes_is_limited_too(gateway, channel):
    name = new_name()
    with open_subscriber("stream", gateway, channel, demo=name) as sub:
        for number in range(50):
            gateway.publish(channel, "z" * 3000)
            sub.next_message()
        told = trace(gateway, name)
    assert sum(len(e["data"]) for e in told["events"]) <= 65536
    assert told["dropped"] > 0 and len(told["events"]) > 30


def test_name_that_nobody_used_has_zeros(gateway):
    told = trace(gateway, new_name())
    assert told == {"connections": 0, "requests": 0, "received": {"heads": 0, "bodies": 0},
                    "sent": {"heads": 0, "bodies": 0}, "blocked": [], "next": 0, "dropped": 0,
                    "events": []}


def test_names_do_not_see_each_other(gateway, channel, recorder):
    names = new_name(), new_name()
    subs = [open_subscriber("sse", gateway, channel, demo=name) for name in names]
    with open_subscriber("sse", gateway, channel) as unnamed:
        gateway.publish(channel, "all")
        for sub in subs + [unnamed]:
            sub.next_message()
    subs[0].close()
    assert carried(closed_trace(gateway, names[0])["events"], "client") == recorder.of(subs[0].wire)[0]
    assert "close" not in [e["what"] for e in trace(gateway, names[1])["events"]]
    subs[1].close()
    assert carried(closed_trace(gateway, names[1])["events"], "client") == recorder.of(subs[1].wire)[0]


def test_one_connection_may_serve_several_names_and_none(gateway, channel, recorder):
    names = new_name(), new_name()
    mine = {name: [b"", b""] for name in names}
    with Http(gateway.address) as http:
        for name in [names[0], names[1], None, names[0], None, names[1]]:
            before = [len(b) for b in recorder.of(http)]
            demo = "&demo=" + name if name else ""
            assert http.request("GET", "/poll?wait=0&channels=%s%s" % (channel, demo)).status == 200
            assert http.request("GET", "/healthz").status == 200 if name is None else True
            if name:
                for side, all_bytes in enumerate(recorder.of(http)):
                    mine[name][side] += all_bytes[before[side]:]
    for name in names:
        told = closed_trace(gateway, name)
        assert told["connections"] == 1 and told["requests"] == 2
        assert [carried(told["events"], "client"), carried(told["events"], "gateway")] == mine[name]


def test_65th_name_takes_the_place_of_the_one_longest_unused(gateway, channel):
    names = [new_name() for _ in range(NAMES + 1)]
    before = gateway.metric("sluice_demo_names_dropped_total")
    for name in names:
        open_subscriber("poll", gateway, channel, demo=name).close()
        time.sleep(0.002)  # unused for longer than the next
    assert gateway.metric("sluice_demo_names_dropped_total") > before
    assert trace(gateway, names[0])["requests"] == 0
    assert trace(gateway, names[1])["requests"] == trace(gateway, names[-1])["requests"] == 1


def test_name_that_made_room_begins_anew_with_its_next_request(gateway, channel):
    name = new_name()
    target = "/poll?wait=0&channels=%s&demo=%s" % (channel, name)
    with Http(gateway.address) as http:
        http.request("GET", target)
        for other in [new_name() for _ in range(NAMES)]:
            time.sleep(0.002)
            open_subscriber("poll", gateway, channel, demo=other).close()
        assert trace(gateway, name)["requests"] == 0
        http.request("GET", target)
        assert trace(gateway, name)["requests"] == trace(gateway, name)["connections"] == 1


def test_connection_has_8_names_in_its_life(gateway, channel):
    names = [new_name() for _ in range(9)]
    with Http(gateway.address) as http:
        for name in names:
            assert http.request(
                "GET", "/poll?wait=0&channels=%s&demo=%s" % (channel, name)).status == 200
    told = gateway.get("/demo/api/trace?of=" + ",".join(names)).json()["names"]
    assert [told[name]["requests"] for name in names] == [1] * 8 + [0]


@pytest.mark.parametrize("query", [
    "", "of=", "of=abc", "of=name:", "of=name:x", "of=name:-1", "of=name:1234567890123456789",
    "of=nam%20e", "of=name,", "of=,name", "of=name,name", "of=" + "n" * 65,
    "of=" + ",".join("name%d" % i for i in range(65))])
def test_questions_that_make_no_sense_are_refused(gateway, query):
    check_error(gateway.get("/demo/api/trace?" + query), 400, "bad_of")


@pytest.mark.parametrize("name", ["abc", "n" * 65, "a%20name", "na.me", "%C3%A9%C3%A9"])
def test_bad_names_are_refused(gateway, name):
    check_error(gateway.get("/sse?channels=a&demo=" + name), 400, "bad_demo")
    check_error(gateway.get("/poll?channels=a&wait=0&demo=" + name), 400, "bad_demo")
    check_error(gateway.request("POST", "/demo/api/blocked?name=" + name, {}, b"[]"), 400, "bad_name")


# Blocks.

def test_block_cuts_what_runs_and_refuses_what_is_new(gateway, channel, transport):
    name = new_name()
    # Several, so that both shards have some; a poll between two requests runs too.
    subs = [open_subscriber(transport, gateway, channel, demo=name) for _ in range(8)]
    other = open_subscriber(transport, gateway, channel, demo=new_name())
    assert block(gateway, name, [transport]) == [transport]
    for sub in subs:
        with pytest.raises(Closed) as cut:
            while True:
                sub.wire.fill()
        assert cut.value.reset
    with (WebSocket if transport == "websocket" else Http)(gateway.address) as http:
        target = {"websocket": "/ws?", "sse": "/sse?", "stream": "/stream?", "longpoll": "/poll?",
                  "poll": "/poll?wait=0&"}[transport] + "channels=%s&demo=%s" % (channel, name)
        fields = {"Origin": gateway.origin}
        if transport == "websocket":
            response = http.handshake(target, fields)
        else:
            response = http.request("GET", target, fields)
        assert response.status == 403
        assert response.header("Sluice") is None
        assert response.header("Access-Control-Allow-Origin") is None
        assert response.header("Content-Type") == "text/html"
    assert trace(gateway, name)["blocked"] == [transport]
    gateway.publish(channel, "still here")
    assert other.next_message()["data"] == "still here"
    other.close()
    for free in set(TRANSPORTS) - {transport}:
        open_subscriber(free, gateway, channel, demo=name).close()
    assert block(gateway, name, []) == []
    open_subscriber(transport, gateway, channel, demo=name).close()


def test_block_reaches_a_poll_that_is_held(gateway, channel):
    name = new_name()
    with open_subscriber("longpoll", gateway, channel, demo=name) as sub:
        requests = trace(gateway, name)["requests"]
        sub.wire.send_request("GET", "/poll?channels=%s&since=%s&demo=%s" % (
            channel, sub.cursor, name))
        eventually(lambda: trace(gateway, name)["requests"] > requests)
        block(gateway, name, ["longpoll"])
        with pytest.raises(Closed) as cut:
            sub.wire.fill()
        assert cut.value.reset


def test_kept_poll_is_refused_without_a_word_of_ours(gateway, channel):
    """The block comes before the connection's first poll of that transport."""
    name = new_name()
    block(gateway, name, ["poll"])
    with Http(gateway.address) as http:
        assert http.request("GET", "/poll?channels=%s&demo=%s" % (channel, name)).status == 200
        response = http.request("GET", "/poll?wait=0&channels=%s&demo=%s" % (channel, name))
        assert response.status == 403 and response.header("Sluice") is None


def test_publishes_go_on_when_transports_are_blocked(gateway, channel):
    name = new_name()
    assert block(gateway, name, TRANSPORTS) == TRANSPORTS
    response = gateway.request("POST", "/publish?channel=%s&demo=%s" % (channel, name),
                               {"Content-Type": "text/plain"}, b"hello")
    assert response.status == 200


def test_refusal_by_a_block_is_traced_and_counted(gateway, channel, recorder):
    name = new_name()
    before = gateway.metric("sluice_demo_refused_total")
    block(gateway, name, ["sse"])
    with Http(gateway.address) as http:
        assert http.request("GET", "/sse?channels=%s&demo=%s" % (channel, name)).status == 403
        http.expect_end()
    told = closed_trace(gateway, name)
    assert (carried(told["events"], "client"), carried(told["events"], "gateway")) == recorder.of(http)
    assert gateway.metric("sluice_demo_refused_total") == before + 1


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'["sse"', b'["http"]', b'["carrier pigeon"]',
                                  b'"sse"', b'["sse"] x', b"\xff"])
def test_block_takes_a_list_of_transports_only(gateway, body):
    response = gateway.request("POST", "/demo/api/blocked?name=some-name", {}, body)
    check_error(response, 400, "bad_transports")


def test_cut_connections_are_counted(gateway, channel):
    name = new_name()
    before = gateway.metric("sluice_demo_cut_total")
    subs = [open_subscriber(t, gateway, channel, demo=name) for t in STREAMING]
    block(gateway, name, STREAMING)
    eventually(lambda: gateway.metric("sluice_demo_cut_total") == before + len(subs))
    for sub in subs:
        sub.close()


# Lanes.

def test_lanes_serve_every_transport(gateway, channel, transport):
    for lane in lanes(gateway):
        with open_subscriber(transport, gateway, channel, listener=lane) as sub:
            gateway.publish(channel, "hello")
            assert sub.next_message()["data"] == "hello"


def test_six_lanes_beside_the_first_listener(gateway):
    answer = gateway.get("/demo/api/origins").json()
    found = lanes(gateway)
    assert len(set(found)) == 6 and {host for host, _ in found} == {"127.0.0.1"}
    assert len(gateway.listeners) == 1 and gateway.address not in found
    assert abs(answer["time"] / 1e6 - time.time()) < 60


def test_a_gateway_that_is_started_again_has_the_same_lanes_but_the_taken_one(start_gateway):
    first = start_gateway("--demo", "--listen", "127.0.0.1:0")
    before = lanes(first)
    first.stop()
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(before[2])
        taker.listen()
        second = start_gateway("--demo", "--listen", "127.0.0.1:%d" % first.address[1])
        after = lanes(second)
    assert before[2] not in after and len(set(after)) == 6
    behind = {("127.0.0.1", first.address[1] + number) for number in range(1, 7)}
    assert set(before) & behind - {before[2]} <= set(after)


def test_transports_tells_of_the_demo(gateway):
    assert gateway.get("/transports").json()["demo"] is True


def test_lanes_and_the_page_are_each_others_origins(gateway):
    origins = gateway.get("/demo/api/origins").json()["origins"]
    for address in [gateway.address] + lanes(gateway):
        for origin in origins + [gateway.origin, gateway.origin.replace("127.0.0.1", "localhost")]:
            with Http(address) as http:
                response = http.request("GET", "/demo/api/origins", {"Origin": origin})
                assert response.status == 200
                assert response.header("Access-Control-Allow-Origin") == origin
                response = http.request("OPTIONS", "/publish?channel=a", {
                    "Origin": origin, "Access-Control-Request-Method": "POST"})
                assert response.status == 204
                assert "POST" in response.header("Access-Control-Allow-Methods")


def test_policy_of_the_page_names_the_lanes_and_nothing_foreign(gateway):
    policy = dict(part.strip().partition(" ")[::2] for part in gateway.get("/").header(
        "Content-Security-Policy").split(";"))
    sources = policy["connect-src"].split()
    http, ws = gateway.scheme, gateway.scheme.replace("http", "ws")
    want = ["'self'"] + ["%s://%s:%d" % (ws, name, gateway.address[1]) for name in ("localhost", "127.0.0.1")]
    for host, port in lanes(gateway):
        want += ["%s://%s:%d" % (http, host, port), "%s://%s:%d" % (ws, host, port)]
    obstacle = gateway.get("/demo/api/obstacle").json()
    want += [obstacle["origin"], obstacle["origin"].replace("http", "ws"), obstacle["control"]]
    assert sorted(sources) == sorted(want)
    assert policy["default-src"] == policy["style-src"] == "'self'"


def test_no_lanes_without_a_loopback_listener(start_gateway, tmp_path):
    gateway = start_gateway("--demo", "--listen", "unix:%s/socket" % tmp_path)
    assert gateway.get("/demo/api/origins").json()["origins"] == []
    assert "connect-src 'self'" in gateway.get("/").header("Content-Security-Policy")


def test_frame_in_the_packet_of_the_handshake_is_traced(gateway, channel, recorder):
    name = new_name()
    before = wire_bytes(gateway, "websocket")[0]
    with WebSocket(gateway.address) as ws:
        fields = ws.upgrade_headers("dGhlIHNhbXBsZSBub25jZQ==")
        ws.send(request_bytes("GET", "/ws?channels=%s&demo=%s" % (channel, name), fields) +
                frame_bytes(0x9, b"early"))
        assert ws.read_head().status == 101
        while ws.read_frame().opcode != 0xA:
            pass
    told = closed_trace(gateway, name)
    sent, received = recorder.of(ws)
    check_counts(told, sent, received)
    assert carried(told["events"], "client") == sent
    added = sum(event.get("tls", 0) for event in told["events"] if event["from"] == "client")
    assert wire_bytes(gateway, "websocket")[0] == before + len(sent) + added


def test_client_of_a_held_poll_that_leaves_closes_first(gateway, channel):
    name = new_name()
    with Http(gateway.address) as http:
        http.send_request("GET", "/poll?channels=%s&demo=%s" % (channel, name))
        eventually(lambda: trace(gateway, name)["requests"])
    assert kinds(closed_trace(gateway, name))[-1] == ("client", "close")


def test_trace_over_a_unix_socket(start_gateway, tmp_path, channel, recorder):
    gateway = start_gateway("--demo", "--listen", "unix:%s/socket" % tmp_path)
    name = new_name()
    with open_subscriber("sse", gateway, channel, demo=name) as sub:
        gateway.publish(channel, "hello")
        sub.next_message()
    told = closed_trace(gateway, name)
    assert (carried(told["events"], "client"), carried(told["events"], "gateway")) == \
        recorder.of(sub.wire)


# Before a request.

def test_sockets_that_wait_for_a_request_end_with_the_gateway(start_gateway):
    gateway = start_gateway("--demo")
    silent, half = Http(gateway.address), Http(gateway.address)
    half.send(b"GET /poll?demo=some-name")
    gateway.get("/healthz")
    gateway.stop()
    silent.expect_end()
    half.expect_end()
    silent.close()
    half.close()


def test_requests_end_to_end_on_one_connection_are_all_answered(gateway, channel):
    name = new_name()
    with Http(gateway.address) as http:
        http.send(request_bytes("GET", "/healthz") * 3 +
                  request_bytes("GET", "/poll?wait=0&channels=%s&demo=%s" % (channel, name)))
        for _ in range(4):
            assert http.read_response().status == 200
    told = closed_trace(gateway, name)
    assert told["requests"] == 1 and told["received"]["heads"] > 40


@pytest.mark.parametrize("head", [b"\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                                  b"GET /x?demo=name HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                                  b"GET /poll?demo=" + b"n" * 40000])
def test_heads_that_make_no_sense_leave_the_gateway_well(gateway, head):
    with Http(gateway.address) as http:
        try:
            http.send(head)
            http.shut()
        except (Closed, OSError):
            pass
        http.read_to_end()
    assert gateway.get("/healthz").status == 200


# Without --demo.

def test_nothing_of_it_without_demo(start_gateway, channel):
    gateway = start_gateway()
    assert "demo" not in gateway.get("/transports").json()
    check_error(gateway.get("/demo/api/origins"), 404)
    check_error(gateway.get("/demo/api/trace?of=some-name:0"), 404)
    check_error(gateway.get("/demo/api/blocked?name=some-name"), 404)
    check_error(gateway.request("POST", "/demo/api/blocked?name=some-name", {}, b"[]"), 404)
    assert "ws:" not in gateway.get("/").header("Content-Security-Policy")
    for transport in TRANSPORTS:
        with open_subscriber(transport, gateway, channel, demo="!") as sub:
            gateway.publish(channel, transport)
            assert sub.next_message()["data"] == transport


def test_demo_is_quiet_about_connections_without_a_name(gateway, channel):
    for transport in HELD:
        with open_subscriber(transport, gateway, channel) as sub:
            gateway.publish(channel, json.dumps(transport))
            sub.next_message()
    assert trace(gateway, "nobody-at-all")["connections"] == 0
