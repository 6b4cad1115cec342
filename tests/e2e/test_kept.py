"""Connections that are kept after a poll or a publish; libmicrohttpd takes no part in those."""

import json
import socket
import time

import pytest

from checks import relayed
from sluicetest import Http, open_subscriber
from sluicetest.http import request_bytes

TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}


def target(channel):
    return "/publish?channel=" + channel


def test_one_connection_publishes_many_times_without_libmicrohttpd(gateway, channel):
    with Http(gateway.address) as http:
        before = relayed(gateway)
        first = http.request("POST", target(channel), TEXT, b"0").json()["id"]
        ids = [http.request("POST", target(channel), TEXT, b"%d" % n).json()["id"]
               for n in range(1, 50)]
        assert http.is_reusable()
        assert relayed(gateway) == before + 1
    numbers = [int(one.split("-")[1]) for one in [first] + ids]
    assert numbers == sorted(set(numbers))
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    assert [one["data"] for one in answer["messages"]] == [str(n) for n in range(50)]


def test_polls_publishes_and_other_requests_take_turns(gateway, channel):
    with Http(gateway.address) as http:
        cursor = http.request("GET", "/poll?channels=" + channel).json()["cursor"]
        for n in range(5):
            assert http.request("POST", target(channel), JSON, b"%d" % n).status == 200
            answer = http.request("GET", "/poll?channels=%s&since=%s" % (channel, cursor)).json()
            assert [one["data"] for one in answer["messages"]] == [n]
            cursor = answer["cursor"]
            assert http.request("GET", "/healthz").json() == {"status": "ok"}
            assert http.request("POST", "/probe/echo", TEXT, b"echo").body == b"echo"
        assert http.is_reusable()


@pytest.mark.parametrize("headers, body, status, code", [
    ({"Content-Type": "text/html"}, b"x", 415, "bad_content_type"),
    ({}, b"x", 415, "bad_content_type"),
    ({"Content-Type": "text/plain; charset=latin1"}, b"x", 415, "bad_content_type"),
    ({"Content-Type": "text/plain", "Content-Encoding": "gzip"}, b"x", 415, "bad_content_encoding"),
    ({"Content-Type": "text/plain", "Content-Range": "bytes 0-0/2"}, b"x", 400, "bad_content_range"),
    (JSON, b"{", 400, "bad_json"),
    (TEXT, b"\xff", 400, "bad_utf8"),
    ({"Content-Type": "text/plain", "Idempotency-Key": "short"}, b"x", 400, "bad_key"),
    ({"Content-Type": "text/plain", "Idempotency-Key": "k" * 400}, b"x", 400, "bad_key"),
    (TEXT, b"x" * 65537, 413, "too_large"),
])
def test_a_kept_connection_refuses_what_a_new_one_does(gateway, channel, headers, body, status, code):
    with Http(gateway.address) as http:
        for _ in range(2):
            assert http.request("POST", target(channel), TEXT, b"good").status == 200
            response = http.request("POST", target(channel), headers, body)
            assert (response.status, response.json()["error"]["code"]) == (status, code)
            assert response.header("Sluice")
        assert http.is_reusable()


@pytest.mark.parametrize("query, code", [("", "no_channel"), ("?channel=a*b", "bad_channel"),
                                         ("?channel=%zz", "bad_query")])
def test_a_kept_connection_judges_the_query(gateway, channel, query, code):
    with Http(gateway.address) as http:
        assert http.request("POST", target(channel), TEXT, b"good").status == 200
        response = http.request("POST", "/publish" + query, TEXT, b"x")
        assert (response.status, response.json()["error"]["code"]) == (400, code)


def test_a_kept_connection_judges_host_and_origin_each_time(gateway, channel):
    for headers, code in (({"Origin": "http://evil.example"}, "bad_origin"),
                          ({"Host": "evil.example"}, "bad_host")):
        with Http(gateway.address) as http:
            assert http.request("POST", target(channel), TEXT, b"good").status == 200
            response = http.request("POST", target(channel), {**TEXT, **headers}, b"x")
            assert (response.status, response.json()["error"]["code"]) == (403, code)
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    assert [one["data"] for one in answer["messages"]] == ["good", "good"]


def test_a_kept_connection_answers_an_allowed_origin_with_cors(gateway, channel):
    with Http(gateway.address) as http:
        for _ in range(3):
            response = http.request("POST", target(channel), {**TEXT, "Origin": gateway.origin}, b"x")
            assert response.header("Access-Control-Allow-Origin") == gateway.origin
            assert "Sluice-Cursor" in response.header("Access-Control-Expose-Headers")
        response = http.request("POST", target(channel), TEXT, b"x")
        assert response.header("Access-Control-Allow-Origin") is None


def test_keys_count_on_kept_and_new_connections_alike(gateway, channel):
    keyed = {**TEXT, "Idempotency-Key": "kept-or-new-key"}
    with Http(gateway.address) as http:
        ids = {http.request("POST", target(channel), keyed, b"%d" % n).json()["id"]
               for n in range(4)}
    ids.add(gateway.request("POST", target(channel), keyed, b"again").json()["id"])
    assert len(ids) == 1


def test_pipelined_publishes_are_answered_in_order(gateway, channel):
    one = request_bytes("POST", target(channel), TEXT, b"pipelined")
    with Http(gateway.address) as http:
        assert http.request("POST", target(channel), TEXT, b"first").status == 200
        http.send(one * 20)
        ids = [http.read_response("POST").json()["id"] for _ in range(20)]
        assert len(set(ids)) == 20
        assert ids == sorted(ids, key=lambda one: int(one.split("-")[1]))


def test_bodies_sent_apart_from_heads_arrive_without_libmicrohttpd(gateway, channel):
    request = request_bytes("POST", target(channel), TEXT, b"apart")
    head = request[:-len(b"apart")]
    with Http(gateway.address) as http:
        http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before = relayed(gateway)
        for n in range(5):
            http.send(head)
            time.sleep(0.05)  # so that the two are read apart
            http.send(b"apart")
            assert http.read_response("POST").status == 200
        assert relayed(gateway) == before + 1


def test_a_request_byte_by_byte_on_a_kept_connection(gateway, channel):
    request = request_bytes("POST", target(channel), TEXT, b"drop by drop")
    with Http(gateway.address) as http:
        assert http.request("POST", target(channel), TEXT, b"first").status == 200
        for at in range(len(request)):
            http.send(request[at:at + 1])
        assert http.read_response("POST").status == 200
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    assert [one["data"] for one in answer["messages"]] == ["first", "drop by drop"]


def test_chunked_and_closing_publishes_after_kept_ones(gateway, channel):
    with Http(gateway.address) as http:
        assert http.request("POST", target(channel), TEXT, b"first").status == 200
        http.send_request("POST", target(channel), {**TEXT, "Transfer-Encoding": "chunked"})
        http.send(b"5\r\nchunk\r\n0\r\n\r\n")
        assert http.read_response("POST").status == 200
        response = http.request("POST", target(channel), {**TEXT, "Connection": "close"}, b"last")
        assert response.status == 200 and not http.is_reusable()
        assert http.read_to_end() == b""


def test_garbage_after_a_publish_is_refused_and_harms_nobody(gateway, channel):
    with open_subscriber("sse", gateway, channel) as sub:
        with Http(gateway.address) as http:
            assert http.request("POST", target(channel), TEXT, b"first").status == 200
            http.send(b"\x16\x03\x01\x02\x00\x01\x00 not http at all\r\n\r\n")
            http.read_to_end()
        assert sub.next_message()["data"] == "first"
        gateway.publish(channel, "second")
        assert sub.next_message()["data"] == "second"


def test_a_client_that_leaves_before_its_answer_loses_only_that(start_gateway, channel):
    gateway = start_gateway("--backend", "slow")
    with Http(gateway.address) as http:
        http.request("POST", target(channel), TEXT, b"first")
        http.send_request("POST", target(channel), TEXT, b"second")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
        if len(answer["messages"]) == 2:
            break
        time.sleep(0.05)
    assert [one["data"] for one in answer["messages"]] == ["first", "second"]


def test_pending_publishes_are_answered_while_draining(start_gateway, channel):
    gateway = start_gateway("--backend", "slow")
    https = [Http(gateway.address) for _ in range(20)]
    for http in https:
        http.request("POST", target(channel), TEXT, b"first")
    for http in https:
        http.send_request("POST", target(channel), TEXT, b"second")
    time.sleep(0.01)  # on their way to the backend, or not: either has an answer
    gateway.signal(15)
    for http in https:
        response = http.read_response("POST")
        assert response.status in (200, 429), response
        http.close()
    assert gateway.wait() == 0


def test_wire_bytes_of_kept_publishes_are_exact(start_gateway, channel):
    gateway = start_gateway()
    with Http(gateway.address) as http:
        http.request("POST", target(channel), TEXT, b"first")
        before = gateway.stats()["transports"]["http"]
        with Http(gateway.address) as asking:
            asking.request("GET", "/stats")
            first = json.loads(asking.request("GET", "/stats").body)["transports"]["http"]
            sent = -http.sent
            response = http.request("POST", target(channel), TEXT, b"second")
            sent += http.sent
            second = json.loads(asking.request("GET", "/stats").body)["transports"]["http"]
            third = json.loads(asking.request("GET", "/stats").body)["transports"]["http"]
        # One /stats lies between first and second, one between second and third: the
        # difference of the differences is the publish, for requests of equal length.
        assert (second["wire_bytes_in"] - first["wire_bytes_in"]) \
            - (third["wire_bytes_in"] - second["wire_bytes_in"]) == sent
        assert before["wire_bytes_in"] > 0 and response.status == 200


def test_full_channel_table_refuses_with_429_on_new_and_kept_connections(start_gateway, channel):
    gateway = start_gateway("--max-channels-total", "2", "--shards", "1")
    held = [open_subscriber("stream", gateway, "%s.%d" % (channel, n)) for n in range(2)]
    for target_of in ("/sse?channels=%s.x", "/stream?channels=%s.x", "/poll?channels=%s.x&since=0"):
        response = gateway.get(target_of % channel)
        assert (response.status, response.json()["error"]["code"]) == (429, "limit"), target_of
        assert response.header("Retry-After") and response.header("Sluice")
    with Http(gateway.address) as http:
        assert http.request("POST", target(channel + ".0"), TEXT, b"x").status == 200
        response = http.request("GET", "/poll?channels=%s.x&since=0" % channel)
        assert (response.status, response.json()["error"]["code"]) == (429, "limit")
        response_closed = http.read_to_end()
        assert response_closed == b""
    for sub in held:
        sub.close()
