"""What each fault that holds, cuts, delays or eats bytes does to each transport it concerns."""

import time

import pytest

from sluicetest import (STREAMING, TIMEOUT, Closed, Http, Obstacle, WebSocket, eventually,
                        open_subscriber)
from sluicetest.websocket import PING, PONG, TEXT

RESPONSES = ["sse", "stream"]

streaming = pytest.mark.parametrize("transport", STREAMING)
responses = pytest.mark.parametrize("transport", RESPONSES)


def path_of(transport, channel):
    return "/%s?channels=%s" % ("ws" if transport == "websocket" else transport, channel)


def ask(http, transport, channel):
    http.send_request("GET", path_of(transport, channel))
    return http


def stays_silent(wire, seconds=0.4):
    return wire.is_silent(seconds)


# ---- half a WebSocket ----

def test_half_up_delivers_and_never_hears(gateway, channel):
    with Obstacle(gateway, "half-up") as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]
            sub.wire.send_object({"type": "ping", "data": 1})
            assert stays_silent(sub.wire)


def test_half_down_hears_and_never_delivers(gateway, channel):
    with Obstacle(gateway, "half-down") as obstacle, WebSocket(obstacle.address) as ws:
        ws.handshake(path_of("websocket", channel))
        ws.send_object({"type": "publish", "channel": channel, "data": 1, "ref": 1})
        assert stays_silent(ws)
        with open_subscriber("poll", gateway, channel, since="0") as other:
            assert other.next_data(1) == [1]


def test_dead_101_is_dead_both_ways(gateway, channel):
    with Obstacle(gateway, "dead-101") as obstacle, WebSocket(obstacle.address) as ws:
        assert ws.handshake(path_of("websocket", channel)).status == 101
        ws.send_object({"type": "publish", "channel": channel, "data": 1, "ref": 1})
        assert stays_silent(ws)
        answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel)
        assert answer.json()["messages"] == []


@pytest.mark.parametrize("fault", ["half-up", "half-down", "dead-101", "max-frame=10"])
@responses
def test_faults_of_websocket_leave_responses_alone(gateway, channel, transport, fault):
    with Obstacle(gateway, fault) as obstacle, open_subscriber(transport, obstacle, channel) as sub:
        gateway.publish(channel, 1)
        assert sub.next_data(1) == [1]


@streaming
def test_inject_bytes_come_before_the_first(gateway, channel, transport):
    with Obstacle(gateway, "inject-bytes") as obstacle, WebSocket(obstacle.address) as ws:
        if transport == "websocket":
            ws.handshake(path_of(transport, channel))
            assert ws.read_exact(17) == b"<!-- scanned -->\n"
            assert ws.next_object()["type"] == "open"
        else:
            ask(ws, transport, channel).read_head()
            assert ws.read_chunk() == b"<!-- scanned -->\n"


def test_max_frame_lets_longer_frames_vanish(gateway, channel):
    with Obstacle(gateway, "max-frame=1K") as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            gateway.publish_all(channel, ["a", "x" * 2000, "b"])
            assert sub.next_data(2) == ["a", "b"]
            sub.path_loses = True
            sub.wire.send_object({"type": "ping", "data": "y" * 2000})
            sub.wire.send_object({"type": "ping", "data": "z"})
            assert sub.next_object() == {"type": "pong", "data": "z", "sent": 3}


def test_answer_pings_answers_for_the_gateway_and_passes_the_rest(gateway, channel):
    with Obstacle(gateway, "answer-pings") as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            sub.wire.send_frame(PING, b"are you there")
            frame = sub.wire.read_frame()
            assert (frame.opcode, frame.payload) == (PONG, b"are you there")
            sub.wire.send_bytewise(b"\x89\x80abcd")
            assert sub.wire.read_frame().opcode == PONG
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]
            sub.wire.send_frame(TEXT, '{"type":"ping","data":1}')
            assert sub.next_object() == {"type": "pong", "data": 1, "sent": 1}


@pytest.mark.slow
def test_answer_pings_keeps_the_gateways_pings_from_the_client(gateway, channel):
    with Obstacle(gateway, "answer-pings", "half-up@after=1s") as obstacle:
        with open_subscriber("websocket", obstacle, channel, heartbeat=4) as sub:
            end = time.monotonic() + 5.5
            while time.monotonic() < end:
                try:
                    sub.next_object(max(end - time.monotonic(), 0.01))
                except TimeoutError:
                    pass
            assert sub.wire.pings == []


# ---- held back ----

@responses
def test_buffer_size_lets_whole_blocks_out(gateway, channel, transport):
    with Obstacle(gateway, "buffer-size=4K") as obstacle, Http(obstacle.address) as http:
        ask(http, transport, channel)
        assert stays_silent(http)
        gateway.publish(channel, "x" * 5000)
        http.read_head()
        assert len(http.read_chunk()) == 4096
        assert stays_silent(http)


@pytest.mark.parametrize("fault", ["buffer-end", "buffer-type"])
def test_buffer_end_and_type_hold_the_head_too(gateway, channel, fault):
    with Obstacle(gateway, fault) as obstacle, Http(obstacle.address) as http:
        ask(http, "sse", channel)
        gateway.publish(channel, 1)
        assert stays_silent(http)
        with Http(obstacle.address) as other:
            assert other.request("GET", "/healthz").status == 200


@responses
def test_buffer_body_sends_the_head_alone(gateway, channel, transport):
    with Obstacle(gateway, "buffer-body") as obstacle, Http(obstacle.address) as http:
        assert ask(http, transport, channel).read_head().status == 200
        gateway.publish(channel, 1)
        assert stays_silent(http)


@pytest.mark.parametrize("fault", ["buffer-end", "buffer-body", "buffer-size=4K", "lag-one",
                                   "flush-every=10s", "buffer-time=10s"])
@pytest.mark.parametrize("transport", ["longpoll", "poll"])
def test_the_end_of_an_answer_lets_polls_through(gateway, channel, transport, fault):
    with Obstacle(gateway, fault) as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            gateway.publish_all(channel, [1, 2])
            assert sub.next_data(2) == [1, 2]


def test_buffers_come_out_when_the_gateway_ends_the_stream(start_gateway, channel):
    gateway = start_gateway()
    with Obstacle(gateway, "buffer-end") as obstacle, Http(obstacle.address) as http:
        gateway.publish(channel, 1)
        http.send_request("GET", path_of("stream", channel) + "&since=0")
        assert stays_silent(http)
        gateway.stop()
        body = http.read_response().body
        assert b'"open"' in body and b'"data":1' in body and b'"bye"' in body


def test_buffer_type_leaves_other_types_live(gateway, channel):
    with Obstacle(gateway, "buffer-type") as obstacle:
        with open_subscriber("stream", obstacle, channel) as sub:
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]
    with Obstacle(gateway, "buffer-type=application/*") as obstacle, Http(obstacle.address) as http:
        assert stays_silent(ask(http, "stream", channel))


@responses
def test_lag_one_lets_each_write_out_with_the_next(gateway, channel, transport):
    with Obstacle(gateway, "lag-one") as obstacle, Http(obstacle.address) as http:
        ask(http, transport, channel).read_head()
        assert stays_silent(http, 0.2)
        gateway.publish(channel, 1)
        assert b"open" in http.read_chunk()
        assert stays_silent(http, 0.2)
        gateway.publish(channel, 2)
        assert b'"data":1}' in http.read_chunk()


@responses
def test_flush_every_and_buffer_time_come_in_bursts(gateway, channel, transport):
    with Obstacle(gateway, "flush-every=1500ms") as obstacle, Http(obstacle.address) as http:
        start = time.monotonic()
        ask(http, transport, channel).read_head()
        assert stays_silent(http, 0.2)
        gateway.publish_all(channel, [1, 2])
        assert b'"open"' in http.read_chunk()
        assert time.monotonic() - start >= 1.4
    with Obstacle(gateway, "buffer-time=500ms") as obstacle, Http(obstacle.address) as http:
        start = time.monotonic()
        ask(http, transport, channel).read_head()
        assert time.monotonic() - start >= 0.4


@pytest.mark.parametrize("fault", ["buffer-size", "buffer-time=60s", "buffer-end", "buffer-body",
                                   "lag-one", "buffer-type=*", "flush-every=60s", "inject-html",
                                   "rewrite-crlf", "gzip-headerless", "http10-client",
                                   "cache-stale", "cache-lock"])
def test_faults_of_responses_leave_a_websocket_live(gateway, channel, fault):
    with Obstacle(gateway, fault) as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]


# ---- cut ----

@streaming
@pytest.mark.parametrize("ending, reset", [("fin", False), ("rst", True)])
def test_cut_idle_ends_what_is_silent(gateway, channel, transport, ending, reset):
    with Obstacle(gateway, "cut-idle=2s," + ending) as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            start = time.monotonic()
            for i in range(6):
                time.sleep(0.4)
                gateway.publish(channel, i)
                assert sub.next_data(1) == [i]
            with pytest.raises(Closed) as closed:
                sub.wire.fill()
            assert closed.value.reset == reset
            assert time.monotonic() - start >= 4.3


@streaming
def test_cut_idle_hole_tells_nobody(gateway, channel, transport):
    with Obstacle(gateway, "cut-idle=1s,hole") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            eventually(lambda: obstacle.counts()["faults"]["cut-idle=1s,hole"] >= 1)
            gateway.publish(channel, 1)
            assert stays_silent(sub.wire)


@streaming
def test_cut_age_ends_in_spite_of_beats(gateway, channel, transport):
    with Obstacle(gateway, "cut-age=2s") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            start = time.monotonic()
            got = 0
            with pytest.raises((Closed, AssertionError)):
                while time.monotonic() < start + TIMEOUT:
                    gateway.publish(channel, got)
                    sub.next_data(1)
                    got += 1
                    time.sleep(0.05)
            assert got >= 1 and time.monotonic() - start < TIMEOUT


@pytest.mark.parametrize("transport", RESPONSES + ["websocket"])
@pytest.mark.parametrize("ending, reset", [("fin", False), ("rst", True)])
def test_cut_bytes_ends_at_the_byte(gateway, channel, transport, ending, reset):
    with Obstacle(gateway, "cut-bytes=2K," + ending) as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            with pytest.raises(Closed) as closed:
                for _ in range(20):
                    gateway.publish(channel, "x" * 200)
                    sub.next_data(1)
            assert closed.value.reset == reset
            assert len(sub.seen) >= 4
            if transport == "websocket" and not reset:
                assert 2048 <= sub.wire.received < 2048 + 400


@streaming
def test_cut_bytes_can_leave_a_hole_one_way(gateway, channel, transport):
    with Obstacle(gateway, "cut-bytes=1K,hole-down") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            gateway.publish(channel, "x" * 2000)
            gateway.publish(channel, 1)
            with pytest.raises(TimeoutError):
                sub.next_data(2, timeout=0.5)
            if transport == "websocket":
                sub.wire.send_object({"type": "publish", "channel": channel, "data": 7, "ref": 1})
                eventually(lambda: gateway.get("/poll?channels=%s&since=0&wait=0" % channel)
                           .json()["messages"][-1]["data"] == 7)


def test_cut_frames_ends_behind_the_nth_frame(gateway, channel):
    with Obstacle(gateway, "cut-frames=3,fin") as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:  # its open is the first
            gateway.publish_all(channel, [1, 2, 3])
            assert sub.next_data(2) == [1, 2]
            sub.wire.expect_end()
    with Obstacle(gateway, "cut-frames=3,hole") as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            gateway.publish_all(channel, [1, 2, 3])
            assert sub.next_data(2) == [1, 2]
            assert stays_silent(sub.wire)


def test_cut_of_one_transport_leaves_the_others(gateway, channel):
    with Obstacle(gateway, "cut-idle=300ms@transport=sse") as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            assert stays_silent(sub.wire, 0.6)


# ---- slow ----

def test_delays_add_each_way(gateway, channel, transport):
    with Obstacle(gateway, "delay=150ms") as obstacle:
        start = time.monotonic()
        with open_subscriber(transport, obstacle, channel, since="0") as sub:
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]
        assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("fault, slower", [("delay-up=800ms", True), ("delay-down=3s", False)])
def test_delay_of_one_way_leaves_the_other(gateway, channel, fault, slower):
    with Obstacle(gateway, fault) as obstacle:
        with open_subscriber("websocket", obstacle, channel) as sub:
            with open_subscriber("websocket", gateway, channel) as near:
                start = time.monotonic()
                sub.wire.send_object({"type": "publish", "channel": channel, "data": 1, "ref": 1})
                near.next_data(1)
                took = time.monotonic() - start
                assert took >= 0.8 if slower else took < 3, took
                sub.next_object()
                assert time.monotonic() - start >= (0.8 if slower else 3)


@streaming
def test_loss_stalls_and_loses_nothing(gateway, channel, transport):
    with Obstacle(gateway, "loss=0.5,60ms") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            for i in range(12):
                gateway.publish(channel, i)
            assert sub.next_data(12) == list(range(12))
            assert obstacle.counts()["faults"]["loss=0.5,60ms"] >= 1


@streaming
def test_bandwidth_lets_so_many_bytes_a_second_pass(gateway, channel, transport):
    with Obstacle(gateway, "bandwidth=20K") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            start = time.monotonic()
            gateway.publish(channel, "x" * 20000)
            assert len(sub.next_data(1)[0]) == 20000
            assert 0.8 <= time.monotonic() - start


@streaming
def test_drip_sends_little_at_a_time(gateway, channel, transport):
    with Obstacle(gateway, "drip=16,20ms") as obstacle:
        start = time.monotonic()
        with open_subscriber(transport, obstacle, channel) as sub:
            assert sub.wire.received >= 200
            assert time.monotonic() - start >= sub.wire.received / 16 * 0.018


@streaming
def test_stall_lets_all_out_in_a_burst(gateway, channel, transport):
    with Obstacle(gateway, "stall=300ms,900ms") as obstacle:
        start = time.monotonic()
        with open_subscriber(transport, obstacle, channel) as sub:
            time.sleep(max(start + 0.5 - time.monotonic(), 0))
            gateway.publish_all(channel, [1, 2])
            assert sub.next_data(2) == [1, 2]
            assert time.monotonic() - start >= 1.1
