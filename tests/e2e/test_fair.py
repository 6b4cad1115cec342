"""One client has so much of a turn and no more: whoever says more than that waits, loses nothing, and keeps
nobody waiting. What is asserted is structure: steps in a turn, order, completeness. Time is not."""

import json
import signal
import threading

import pytest

from sluicetest import Gateway, Http, WebSocket
from sluicetest.http import request_bytes
from sluicetest.websocket import TEXT, frame_bytes
from sluicetest.wire import Closed, eventually

OF_LINK, OF_ADDRESS = 16, 64  # SL_STEPS_OF_LINK, SL_STEPS_OF_SHARE
CHUNK = 4000  # frames under way at a time: their echoes fit into an outbox
OTHERS = 60  # requests of somebody else


@pytest.fixture(params=[False, True], ids=["clear", "tls"])
def gateway(request):
    with Gateway("--shards", "1", "--heartbeat", "60", secure=request.param) as gateway:
        yield gateway


class Others(threading.Thread):
    """A client of another address that asks one thing after the other."""

    def __init__(self, gateway):
        super().__init__()
        self.gateway = gateway
        self.statuses = []
        self.start()

    def run(self):
        with Http(self.gateway.address, source="127.0.0.2") as http:
            for i in range(OTHERS):
                kind = {"Content-Type": "text/plain"}
                answer = http.request("POST", "/publish?channel=others", kind, b"%d" % i)
                self.statuses.append(answer.status)

    def finish(self):
        self.join()
        assert self.statuses == [200] * OTHERS


def numbers(first, count):
    """Frames of a message each: seven digits, so that their echoes have one length."""
    return b"".join(frame_bytes(TEXT, b"%07d" % i) for i in range(first, first + count))


def echoes(first, count):
    return b"".join(b"\x81\x07%07d" % i for i in range(first, first + count))


def connect(gateway, channel):
    ws = WebSocket(gateway.address)
    assert ws.handshake("/ws?format=raw&channels=" + channel).status == 101
    return ws


def expect_bounded(gateway, deferred):
    """In no turn had anybody more than its steps, though somebody asked for them."""
    assert 0 < gateway.metric("sluice_turn_steps_longest") <= OF_LINK
    assert gateway.metric("sluice_turn_address_steps_longest") <= OF_ADDRESS
    assert gateway.metric("sluice_steps_deferred_total") >= deferred
    eventually(lambda: gateway.metric("sluice_links_waiting") == 0)


def test_a_hundred_thousand_frames_come_back_in_order_while_others_are_served(gateway):
    others, sent, got = Others(gateway), 0, 0
    with connect(gateway, "mine") as ws:
        while got < 100000 or others.is_alive():
            while sent < got + 2 * CHUNK:
                ws.send(numbers(sent, CHUNK))
                sent += CHUNK
            assert ws.read_exact(9 * CHUNK) == echoes(got, CHUNK)
            got += CHUNK
        while got < sent:
            assert ws.read_exact(9 * CHUNK) == echoes(got, CHUNK)
            got += CHUNK
        others.finish()
        expect_bounded(gateway, deferred=1000)
        assert ws.close_handshake().code == 1000


def test_ten_thousand_pipelined_requests_are_answered_in_order_while_others_are(gateway):
    others, ids, sent = Others(gateway), [], 0
    kind = {"Content-Type": "text/plain"}
    with gateway.connect() as http:
        while len(ids) < 10000 or others.is_alive():
            while sent < len(ids) + 1000:
                http.send(b"".join(request_bytes("POST", "/publish?channel=mine", kind, b"%d" % i)
                                   for i in range(sent, sent + 500)))
                sent += 500
            for _ in range(500):
                answer = http.read_response("POST")
                assert answer.status == 200, answer
                ids.append(int(answer.json()["id"].split("-")[1]))
    others.finish()
    assert ids == sorted(set(ids))
    last = gateway.get("/poll?channels=mine&since=0&wait=0").json()["messages"]
    data = [int(message["data"]) for message in last]
    assert data == list(range(data[0], data[0] + len(data)))
    expect_bounded(gateway, deferred=100)


def test_many_connections_of_an_address_share_its_steps_while_another_is_served(gateway):
    count = 8
    sockets = [connect(gateway, "mine%d" % i) for i in range(count)]
    got, others = 0, Others(gateway)
    while got < 2 * CHUNK or others.is_alive():
        for ws in sockets:
            ws.send(numbers(got, CHUNK))
        for ws in sockets:
            assert ws.read_exact(9 * CHUNK) == echoes(got, CHUNK)
        got += CHUNK
    others.finish()
    expect_bounded(gateway, deferred=count)
    for ws in sockets:
        ws.close()


def test_fragments_are_steps_too(gateway):
    parts = [b"%03d" % i for i in range(1000)]
    with connect(gateway, "mine") as ws:
        frames = [frame_bytes(0 if i else TEXT, part, fin=i == len(parts) - 1)
                  for i, part in enumerate(parts)]
        ws.send(b"".join(frames))
        assert ws.next_data().payload == b"".join(parts)
    expect_bounded(gateway, deferred=len(parts) // OF_LINK // 2)


def test_bytes_that_come_one_by_one_are_put_together(gateway):
    """Over TLS each is a record of its own."""
    with gateway.connect() as http:
        for _ in range(10):
            http.send_bytewise(request_bytes("GET", "/healthz"))
        for _ in range(10):
            assert http.read_response().status == 200
    assert gateway.metric("sluice_turn_steps_longest") <= OF_LINK


@pytest.mark.parametrize("how", ["abort", "shut", "close"])
def test_a_client_that_leaves_while_it_waits_leaves_nothing(gateway, how):
    sockets = [connect(gateway, "mine") for _ in range(4)]
    for ws in sockets:
        ws.send(numbers(0, CHUNK))
    for ws in sockets:
        getattr(ws, how)()
    eventually(lambda: gateway.stats()["transports"]["websocket"]["connections"] == 0)
    for ws in sockets:
        ws.close()
    assert gateway.metric("sluice_links_waiting") == 0
    assert gateway.publish("mine", "still here")


def test_requests_of_a_client_that_shut_its_side_are_all_answered(gateway):
    kind = {"Content-Type": "text/plain"}
    with gateway.connect() as http:
        http.send(b"".join(request_bytes("POST", "/publish?channel=mine", kind, b"%d" % i)
                           for i in range(300)))
        http.shut()
        for _ in range(300):
            assert http.read_response("POST").status == 200
        http.expect_end()


def test_objects_before_a_close_are_answered_and_none_behind_it(gateway):
    with WebSocket(gateway.address) as ws:
        assert ws.handshake("/ws?channels=other").status == 101
        frames = [frame_bytes(TEXT, json.dumps(
            {"type": "publish", "channel": "mine", "data": i, "ref": i})) for i in range(500)]
        ws.send(b"".join(frames) + frame_bytes(8, b"\x03\xe8") + b"".join(frames))
        assert ws.next_object()["type"] == "open"
        for i in range(500):
            answer = ws.next_object()
            assert (answer["type"], answer["ref"]) == ("ack", i)
        assert ws.await_close().code == 1000
    assert len(gateway.get("/poll?channels=mine&since=0&wait=0").json()["messages"]) == 500


def test_the_gateway_ends_while_clients_wait(gateway):
    sockets = [connect(gateway, "mine%d" % i) for i in range(8)]
    for ws in sockets:
        ws.send(numbers(0, CHUNK))
    gateway.signal(signal.SIGTERM)
    for ws in sockets:
        try:
            assert ws.await_close().code == 1012
        except Closed:
            pass  # more was on its way than anybody throws away
        ws.close()
    assert gateway.wait() == 0
