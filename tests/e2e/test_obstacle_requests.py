"""What each fault that works on requests and heads does, seen from a client and an origin."""

import gzip
import threading
import time

import pytest

from sluicetest import (PLAIN, TIMEOUT, Closed, Http, Obstacle, Origin, WebSocket, Wire,
                        eventually, open_subscriber)
from sluicetest.subscriber import Refused

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def get(place, target="/healthz", headers=(), version="1.1"):
    with Http(place.address) as http:
        return http.request("GET", target, headers, version=version)


def post(place, body=b"x", target="/publish?channel=a", headers=()):
    with Http(place.address) as http:
        return http.request("POST", target, {"Content-Type": "text/plain", **dict(headers)}, body)


# ---- upgrade ----

def test_strip_upgrade_leaves_a_plain_get_that_is_426(gateway, channel):
    with Obstacle(gateway, "strip-upgrade") as obstacle:
        with pytest.raises(Refused) as refused:
            open_subscriber("websocket", obstacle, channel)
        response = refused.value.response
        assert response.status == 426
        assert response.json()["error"]["code"] == "upgrade_swallowed"
        for transport in ("sse", "stream", "longpoll", "poll"):
            open_subscriber(transport, obstacle, channel).close()


def test_close_upgrade_sends_close_beside_upgrade_and_still_works(gateway, channel):
    with Origin() as origin, Obstacle(origin, "close-upgrade") as obstacle:
        get(obstacle, "/ws", WebSocket.upgrade_headers())
        assert origin.requests[0].header("Connection") == "close, upgrade"
    with Obstacle(gateway, "close-upgrade") as obstacle:
        open_subscriber("websocket", obstacle, channel).close()


def test_wrong_accept_is_not_what_the_key_asks_for(gateway, channel):
    with Obstacle(gateway, "wrong-accept") as obstacle, WebSocket(obstacle.address) as ws:
        ws.send_request("GET", "/ws?channels=" + channel, ws.upgrade_headers(KEY))
        response = ws.read_head()
        assert response.status == 101
        assert response.header("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


# ---- answers of the proxy's own ----

@pytest.mark.parametrize("status", [401, 403, 404, 500, 502, 503])
def test_refuse_answers_with_a_status_of_its_own(gateway, status):
    with Obstacle(gateway, "refuse=%d" % status) as obstacle:
        response = get(obstacle)
        assert response.status == status and response.header("Sluice") is None


@pytest.mark.parametrize("ending, reset", [("fin", False), ("rst", True)])
def test_refuse_cuts_off(gateway, ending, reset):
    with Obstacle(gateway, "refuse=" + ending) as obstacle, Http(obstacle.address) as http:
        http.send_request("GET", "/healthz")
        with pytest.raises(Closed) as closed:
            http.fill()
        assert closed.value.reset == reset and closed.value.rest == b""


def test_hole_sends_nothing_and_closes_nothing(gateway):
    with Obstacle(gateway, "hole") as obstacle, Http(obstacle.address) as http:
        http.send_request("GET", "/healthz")
        assert http.is_silent(0.5)
        http.send_request("GET", "/healthz")
        assert http.is_silent(0.3)


def test_captive_shows_html_until_it_clears(gateway):
    with Obstacle(gateway, "captive@until=2s") as obstacle:
        response = get(obstacle)
        assert response.status == 200 and response.header("Content-Type") == "text/html"
        assert b"accept the terms" in response.body
        eventually(lambda: get(obstacle).header("Sluice"))


def test_fail_every_fails_each_kth(gateway):
    with Obstacle(gateway, "fail-every=3") as obstacle:
        assert [get(obstacle).status for _ in range(6)] == [200, 200, 502] * 2


def test_tarpit_holds_and_then_refuses(gateway):
    with Obstacle(gateway, "tarpit=400ms") as obstacle, Http(obstacle.address) as http:
        http.send_request("GET", "/healthz")
        assert http.is_silent(0.2)
        assert http.read_response().status == 503


def test_forbid_post_lets_get_pass(gateway):
    with Obstacle(gateway, "forbid-post=405") as obstacle:
        assert post(obstacle).status == 405
        assert get(obstacle).status == 200


def test_max_head_lines_url_and_body_refuse_what_is_longer(gateway):
    with Obstacle(gateway, "max-head=1K", "max-url=200,414", "max-lines=10,431",
                  "max-body=100") as obstacle:
        assert get(obstacle, headers={"X": "y" * 1100}).status == 400
        assert get(obstacle, "/healthz?" + "x" * 200).status == 414
        assert get(obstacle, headers={"X-%d" % i: "1" for i in range(10)}).status == 431
        assert post(obstacle, b"x" * 101).status == 413
        assert post(obstacle, b"x" * 100).status == 200


def test_max_body_counts_chunked_bodies_too(gateway):
    with Obstacle(gateway, "max-body=10") as obstacle, Http(obstacle.address) as http:
        http.send_request("POST", "/publish?channel=a", {
            "Content-Type": "text/plain", "Transfer-Encoding": "chunked"}, b"14\r\n" + b"x" * 20)
        assert http.read_response().status == 413


def chunked(http):
    http.send_request("POST", "/publish?channel=a", {
        "Content-Type": "text/plain", "Transfer-Encoding": "chunked"}, b"2\r\nhi\r\n0\r\n\r\n")


def test_hang_chunked_answers_bodies_with_a_length_only(gateway):
    with Obstacle(gateway) as obstacle, Http(obstacle.address) as http:
        chunked(http)
        assert http.read_response().status == 200
    with Obstacle(gateway, "hang-chunked") as obstacle, Http(obstacle.address) as http:
        chunked(http)
        assert http.is_silent(0.4)
        assert post(obstacle).status == 200


def test_refuse_expect_answers_417(gateway):
    with Obstacle(gateway) as obstacle:
        assert post(obstacle, headers={"Expect": "100-continue"}).status == 200
    with Obstacle(gateway, "refuse-expect") as obstacle:
        assert post(obstacle, headers={"Expect": "100-continue"}).status == 417


def test_mark_down_fails_everybody_after_a_timeout(gateway, channel):
    with Obstacle(gateway, "timeout=2s", "mark-down=4s") as obstacle:
        assert get(obstacle).status == 200
        head = gateway.head()
        assert get(obstacle, "/poll?channels=%s&since=%s" % (channel, head)).status == 504
        assert get(obstacle).status == 502
        eventually(lambda: get(obstacle).status == 200)


@pytest.mark.parametrize("ending", [502, 503, 504])
def test_timeout_answers_a_held_poll(gateway, channel, ending):
    with Obstacle(gateway, "timeout=300ms,%d" % ending) as obstacle:
        start = time.monotonic()
        assert get(obstacle, "/poll?channels=%s&since=%s" % (channel, gateway.head())).status == ending
        assert time.monotonic() - start >= 0.3


def test_timeout_fin_closes_without_a_head_and_ends_streams(gateway, channel):
    with Obstacle(gateway, "timeout=2s,fin") as obstacle:
        with Http(obstacle.address) as http:
            http.send_request("GET", "/poll?channels=%s&since=%s" % (channel, gateway.head()))
            http.expect_end()
        with open_subscriber("sse", obstacle, channel) as sub:
            sub.wire.expect_end()


# ---- heads ----

@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Last-Event-ID", "X-Any"])
def test_drop_header_keeps_it_from_the_origin(name):
    sent = {"Authorization": "a", "Cookie": "b", "Last-Event-ID": "c", "X-Any": "d"}
    with Origin() as origin, Obstacle(origin, "drop-header=" + name.lower()) as obstacle:
        get(obstacle, headers=sent)
        request = origin.requests[0]
        assert {n for n in sent if request.header(n) is None} == {name}


def test_drop_response_header_keeps_it_from_the_client(gateway):
    with Obstacle(gateway, "drop-response-header=Sluice") as obstacle:
        response = get(obstacle)
        assert response.status == 200 and response.header("Sluice") is None


def test_rewrite_host_and_lower_case_change_the_head():
    with Origin() as origin, Obstacle(origin, "rewrite-host=inside.test", "lower-case") as obstacle:
        response = get(obstacle, headers={"X-Any": "Y"})
        names = [name for name, _ in origin.requests[0].pairs]
        assert origin.requests[0].header("Host") == "inside.test"
        assert all(name == name.lower() for name in names) and "x-any" in names
        assert all(name == name.lower() for name, _ in response.pairs)


@pytest.mark.parametrize("transport", ["sse", "stream", "longpoll", "poll"])
def test_http10_client_sees_a_version_and_no_chunks(gateway, channel, transport):
    with Obstacle(gateway, "http10-client") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            assert sub.response.version == "HTTP/1.0"
            assert not sub.response.is_chunked
            gateway.publish_all(channel, [1, 2])
            assert sub.next_data(2) == [1, 2]


def test_http10_origin_is_asked_without_upgrade(gateway, channel):
    with Origin() as origin, Obstacle(origin, "http10-origin") as obstacle:
        get(obstacle, "/ws", WebSocket.upgrade_headers())
        request = origin.requests[0]
        assert request.version == "HTTP/1.0" and request.header("Upgrade") is None
        assert request.header("Connection") == "close"


@pytest.mark.parametrize("transport", ["sse", "stream", "longpoll", "poll"])
def test_http10_origin_still_delivers(gateway, channel, transport):
    with Obstacle(gateway, "http10-origin") as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            assert sub.response.version == "HTTP/1.1"
            gateway.publish_all(channel, [1, 2])
            assert sub.next_data(2) == [1, 2]


# ---- bodies ----

def test_inject_html_comes_before_the_body(gateway, channel):
    with Obstacle(gateway, "inject-html") as obstacle:
        assert get(obstacle).body.startswith(b"<script")
        with Http(obstacle.address) as http:
            http.send_request("GET", "/stream?channels=" + channel)
            http.read_head()
            assert http.read_chunk().startswith(b"<script")


def test_rewrite_crlf_changes_each_line_feed(gateway, channel):
    with Obstacle(gateway, "rewrite-crlf") as obstacle:
        with Http(obstacle.address) as http:
            http.send_request("GET", "/sse?channels=" + channel)
            http.read_head()
            text = http.read_chunk()
            assert text.count(b"\r\n") == text.count(b"\n") == 4


def test_gzip_headerless_compresses_and_does_not_say_so(gateway):
    with Obstacle(gateway, "gzip-headerless") as obstacle:
        response = get(obstacle)
        assert response.header("Content-Encoding") is None
        assert gzip.decompress(response.body) == get(gateway).body
        assert gzip.decompress(get(obstacle, "/client/sluice.js").body) \
            == get(gateway, "/client/sluice.js").body


# ---- delivery ----

def test_retry_delivers_get_and_post_twice():
    def answer(request, sock):
        sock.sendall(PLAIN.replace(b"ok\n", b"%03d" % len(origin.requests)))
        return True
    with Origin(answer) as origin, Obstacle(origin, "retry") as obstacle:
        assert get(obstacle).body == b"002"
        assert post(obstacle, b"once").body == b"004"
        assert [r.body for r in origin.requests] == [b"", b"", b"once", b"once"]


def test_retry_publishes_twice_without_a_key_and_once_with_one(gateway, channel):
    target = "/publish?channel=" + channel
    with Obstacle(gateway, "retry=3") as obstacle:
        with open_subscriber("websocket", gateway, channel) as sub:
            assert post(obstacle, b"a", target).status == 200
            assert sub.next_data(3) == ["a"] * 3
            assert post(obstacle, b"b", target, {"Idempotency-Key": "12345678"}).status == 200
            assert post(gateway, b"c", target).status == 200
            assert sub.next_data(2) == ["b", "c"]


def test_resend_held_asks_again_while_it_waits():
    def answer(request, sock):
        if len(origin.requests) == 3:
            sock.sendall(PLAIN)
        return True
    with Origin(answer) as origin, Obstacle(origin, "resend-held=200ms") as obstacle:
        assert get(obstacle).body == b"ok\n"
        assert len(origin.requests) == 3
        eventually(lambda: origin.ended >= 2)


@pytest.mark.parametrize("ending", ["fin", "rst", "hole", "502"])
def test_drop_response_delivers_and_answers_nothing(gateway, channel, ending):
    with Obstacle(gateway, "drop-response=" + ending) as obstacle:
        with open_subscriber("websocket", gateway, channel) as sub, Http(obstacle.address) as http:
            http.send_request("POST", "/publish?channel=" + channel,
                              {"Content-Type": "text/plain"}, b"kept")
            assert sub.next_data(1) == ["kept"]
            if ending == "502":
                assert http.read_response().status == 502
            elif ending == "hole":
                assert http.is_silent(0.4)
            else:
                assert http.read_to_end() == b""


def test_cache_lock_serialises_the_same_url_and_no_other(gateway, channel):
    target = "/poll?channels=%s&since=%s&wait=20" % (channel, gateway.head())
    answers = []

    def ask(place, nonce=""):
        thread = threading.Thread(target=lambda: answers.append(get(place, target + nonce)))
        thread.start()
        return thread

    with Obstacle(gateway, "cache-lock=20s") as obstacle:
        threads = [ask(obstacle), ask(obstacle), ask(obstacle, "&n=1")]
        eventually(lambda: obstacle.counts()["requests"] == 3)
        eventually(lambda: obstacle.counts()["faults"]["cache-lock=20s"] == 1)
        gateway.publish(channel, 1)
        for thread in threads:
            thread.join(TIMEOUT)
        assert [len(answer.json()["messages"]) for answer in answers] == [1, 1, 1]
        assert obstacle.counts()["faults"]["cache-lock=20s"] == 1


def test_cache_stale_gives_the_first_answer_again():
    def answer(request, sock):
        sock.sendall(PLAIN.replace(b"ok\n", b"%03d" % len(origin.requests)))
        return True
    with Origin(answer) as origin, Obstacle(origin, "cache-stale=2s") as obstacle:
        assert [get(obstacle, "/a").body for _ in range(3)] == [b"001"] * 3
        assert get(obstacle, "/a?n=1").body == b"002"
        eventually(lambda: get(obstacle, "/a").body == b"003")


def test_cache_replay_gives_older_answers_whatever_the_query():
    def answer(request, sock):
        sock.sendall(PLAIN.replace(b"ok\n", b"%03d" % len(origin.requests)))
        return True
    with Origin(answer) as origin, Obstacle(origin, "cache-replay=3") as obstacle:
        bodies = [get(obstacle, "/poll?n=%d" % i).body for i in range(6)]
        assert bodies == [b"001", b"002", b"002", b"003", b"004", b"004"]


def test_cache_replay_gives_a_subscriber_an_old_cursor(gateway, channel):
    with Obstacle(gateway, "cache-replay=3") as obstacle:
        cursors = []
        for i in range(3):
            cursors.append(get(obstacle, "/poll?channels=%s&n=%d" % (channel, i))
                           .header("Sluice-Cursor"))
            gateway.publish(channel, i)
        assert cursors[2] == cursors[1] != cursors[0]


# ---- who is told of an end ----

def test_linger_keeps_the_origin_from_learning(channel):
    def answer(request, sock):
        return True
    with Origin(answer) as origin, Obstacle(origin, "linger=700ms") as obstacle:
        with Http(obstacle.address) as http:
            http.send_request("GET", "/poll")
            eventually(lambda: origin.requests)
        gone = time.monotonic()
        eventually(lambda: origin.ended == 1)
        assert time.monotonic() - gone >= 0.6
    with Origin(answer) as origin, Obstacle(origin) as obstacle:
        with Http(obstacle.address) as http:
            http.send_request("GET", "/poll")
            eventually(lambda: origin.requests)
        eventually(lambda: origin.ended == 1)


def test_clean_end_hides_that_the_origin_died():
    def die(request, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        return False
    with Origin(die) as origin:
        with Obstacle(origin) as obstacle, pytest.raises(Closed):
            get(obstacle)
        with Obstacle(origin, "clean-end") as obstacle:
            assert get(obstacle).body == b"abc"


# ---- connections ----

def test_connect_delay_accepts_and_waits(gateway, channel, transport):
    with Obstacle(gateway, "connect-delay=400ms") as obstacle:
        start = time.monotonic()
        with open_subscriber(transport, obstacle, channel):
            assert time.monotonic() - start >= 0.4


def test_connect_delay_of_one_path_leaves_the_others(gateway):
    with Obstacle(gateway, "connect-delay=60s@path=/ws") as obstacle:
        assert get(obstacle).status == 200
        with Http(obstacle.address) as http:
            http.send_request("GET", "/ws")
            assert http.is_silent(0.3)


def test_max_connections_lets_the_next_wait_in_silence(gateway):
    with Obstacle(gateway, "max-connections=2") as obstacle:
        with Wire(obstacle.address) as first, Wire(obstacle.address):
            with Http(obstacle.address) as third:
                third.send_request("GET", "/healthz")
                assert third.is_silent(0.4)
                first.close()
                assert third.read_response().status == 200


def test_max_connections_of_one_starves_what_comes_beside_a_stream(gateway, channel):
    with Obstacle(gateway, "max-connections=1") as obstacle:
        with open_subscriber("sse", obstacle, channel), Http(obstacle.address) as http:
            http.send_request("GET", "/healthz")
            assert http.is_silent(0.3)
