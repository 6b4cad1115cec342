"""What one client may ask for: requests, bad tokens, streams of a subject, connections; and that
nobody else pays for it."""

import json
import threading
import time

import pytest

from checks import check_error
from sluicetest import Http, WebSocket, eventually, open_subscriber
from sluicetest.streams import SseReader
from sluicetest.tokens import Issuer, bearer

# The tests themselves are at 127.0.0.1, which has no limits where it must see them.
CLIENT, OTHER, THIRD = "127.0.0.2", "127.0.0.3", "127.0.0.4"
SEES_ALL = ("--raise-limits", "127.0.0.1=off")
PROXY = ("--trust-proxy", "127.0.0.1")
BURST_S = 4
POLL = "/poll?channels=a&wait=0"
PAGE = "http://page.example"
TEXT = {"Content-Type": "text/plain"}
ISSUER = Issuer()


@pytest.fixture
def limited(start_gateway):
    """A gateway that one client may ask for little."""
    def start(*options, **how):
        return start_gateway("--request-rate", "1", *options, *SEES_ALL, **how)
    return start


def token(sub):
    return bearer(ISSUER.token(sub, ["a"]))


def ask(gateway, target=POLL, headers=(), source=CLIENT, method="GET", body=None):
    with Http(gateway.address, source=source) as http:
        return http.request(method, target, headers, body)


def statuses_of(gateway, count, headers=(), source=CLIENT):
    with Http(gateway.address, source=source) as http:
        return [http.request("GET", POLL, headers).status for _ in range(count)]


def until_refused(how):
    """The first refusal of something that is asked for again and again: now and then the bucket has earned
    what it costs."""
    return eventually(lambda: (lambda answer: answer if answer.status == 429 else None)(how()), pause=0)


# ---- the property ----

@pytest.mark.parametrize("keeps", [True, False], ids=["one connection each", "a connection each time"])
def test_nobody_gets_more_than_burst_and_rate(start_gateway, keeps):
    """Whatever connections and shards the requests come by."""
    rate, tries, threads = 50, 150, 6
    gateway = start_gateway("--request-rate", rate, "--shards", "3", *SEES_ALL)
    served = []

    def hammer():
        http = None
        for _ in range(tries):
            http = http or Http(gateway.address, source=CLIENT)
            served.append(http.request("GET", POLL).status == 200)
            if not keeps:
                http.close()
                http = None
        if http:
            http.close()

    workers = [threading.Thread(target=hammer) for _ in range(threads)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    allowed = rate * (BURST_S + time.monotonic() - began) + 1
    assert len(served) == tries * threads
    assert rate * BURST_S <= sum(served) <= allowed
    assert gateway.metric("sluice_limited_total", limit="requests") == len(served) - sum(served)


# ---- the refusal ----

def test_refusal_names_the_limit_and_when_to_come_back(limited):
    gateway = limited("--allow-origin", PAGE)
    answer = until_refused(lambda: ask(gateway, headers={"Origin": PAGE}))
    error = check_error(answer, 429, "rate_limited")
    assert "--request-rate" in error["message"]
    assert int(answer.header("Retry-After")) >= 1
    assert "try again in %s s" % answer.header("Retry-After") in error["message"]
    assert "Retry-After" in answer.header("Access-Control-Expose-Headers")
    assert answer.header("Access-Control-Allow-Origin") == PAGE
    time.sleep(int(answer.header("Retry-After")))
    assert ask(gateway).status == 200
    assert "client.limited client=127.0.0.2:" in gateway.stderr().decode()


@pytest.mark.parametrize("target, method", [
    ("/nothing", "GET"), ("/publish", "PUT"), ("/poll", "GET"), ("/stats", "GET"), ("/publish", "OPTIONS"),
    ("/stream?channels=a", "HEAD"), ("/probe/head", "GET"), ("/", "GET")])
def test_whatever_is_asked_for_is_refused(limited, target, method):
    gateway = limited()
    until_refused(lambda: ask(gateway))

    def again():
        with Http(gateway.address, source=CLIENT) as http:
            http.send_request(method, target)
            return http.read_response(method)
    assert until_refused(again).header("Retry-After")


def test_a_head_that_is_malformed_costs_a_request(limited):
    gateway = limited()

    def send_bad():
        with Http(gateway.address, source=CLIENT) as http:
            http.send(b"GET / HTTP/1.1\r\nbad\r\n\r\n")
            return http.read_response()
    assert send_bad().status == 400
    check_error(until_refused(send_bad), 429, "rate_limited")
    check_error(until_refused(lambda: ask(gateway)), 429, "rate_limited")


def test_an_eventsource_is_told_by_an_event(limited):
    gateway = limited()

    def first_event():
        with Http(gateway.address, source=CLIENT) as http:
            http.send_request("GET", "/sse?channels=a", {"Accept": "text/event-stream"})
            assert http.read_head().status == 200
            event = SseReader(http).next_event()
            return json.loads(event.text) if event.name == "bye" else None
    said = eventually(first_event, pause=0)
    assert (said["type"], said["reason"]) == ("bye", "rate_limited")
    assert said["retry"] >= 1000


def test_health_and_publishes_are_served(limited):
    gateway = limited()
    until_refused(lambda: ask(gateway))
    for _ in range(20):
        assert ask(gateway, "/healthz").status == 200
        assert ask(gateway, "/readyz").status == 200
        assert ask(gateway, "/publish?channel=a", TEXT, method="POST", body=b"x").status == 200


def test_nobody_else_is_refused_and_what_is_open_stays(limited):
    gateway = limited()
    with Http(gateway.address, source=CLIENT) as http, open_subscriber("stream", gateway, "a") as stream:
        http.send_request("GET", "/stream?channels=a&format=json")
        assert http.read_head().status == 200
        until_refused(lambda: ask(gateway))
        for source in OTHER, THIRD:
            assert ask(gateway, source=source).status == 200
        gateway.publish("a", "to all")
        assert stream.next_message()["data"] == "to all"
        http.read_until(b"to all")


def test_a_unix_socket_has_no_limits(start_gateway, tmp_path):
    gateway = start_gateway("--request-rate", "1", "--listen", "unix:%s/s" % tmp_path, secure=False)
    assert set(statuses_of(gateway, 100, source=None)) == {200}


def test_limits_that_are_off_are(start_gateway):
    gateway = start_gateway("--request-rate", "1", "--max-connections-per-address", "1", "--limits", "off")
    with gateway.connect(), gateway.connect():
        assert set(statuses_of(gateway, 100, source=None)) == {200}


# ---- who is one ----

def forwarded(client):
    return {"X-Forwarded-For": client}


def test_each_client_of_a_proxy_pays_for_itself(limited):
    gateway = limited(*PROXY)
    with gateway.connect() as proxy:
        answer = until_refused(lambda: proxy.request("GET", POLL, forwarded("203.0.113.1")))
        check_error(answer, 429, "rate_limited")
        assert proxy.request("GET", POLL, forwarded("203.0.113.2")).status == 200
        until_refused(lambda: proxy.request("GET", POLL, forwarded("203.0.113.1")))
        # its own requests are nobody's
        assert {proxy.request("GET", POLL).status for _ in range(50)} == {200}


def test_a_network_of_ipv6_is_one_client(limited):
    gateway = limited(*PROXY)
    numbers = iter(range(1 << 16))
    until_refused(lambda: ask(gateway, headers=forwarded("2001:db8:0:1::%x" % next(numbers)), source=None))
    assert ask(gateway, headers=forwarded("2001:db8:0:2::1"), source=None).status == 200


def test_connections_of_a_network_of_ipv6_are_counted_together(start_gateway):
    gateway = start_gateway("--max-connections-per-address", "2", *PROXY)
    with gateway.connect() as one, gateway.connect() as two:
        for n, http in enumerate((one, two)):
            http.send_request("GET", "/poll?channels=a&since=0&wait=55", forwarded("2001:db8::%d" % n))
        eventually(lambda: gateway.stats()["transports"]["longpoll"]["connections"] == 2)
        answer = ask(gateway, headers=forwarded("2001:db8::9"), source=None)
        check_error(answer, 429, "too_many_connections")
        assert ask(gateway, headers=forwarded("2001:db8:0:1::9"), source=None).status == 200
        assert gateway.metric("sluice_limited_total", limit="connections") == 1


@pytest.mark.parametrize("who, sources", [
    ("127.0.0.3=off", [OTHER]), ("127.0.0.2/31=1000000", [CLIENT, OTHER]), ("127.0.0.3=1000000", [OTHER])])
def test_known_addresses_may_ask_for_more(limited, who, sources):
    gateway = limited("--raise-limits", who)
    for source in CLIENT, OTHER, THIRD:
        if source in sources:
            assert set(statuses_of(gateway, 50, source=source)) == {200}
        else:
            until_refused(lambda: ask(gateway, source=source))


def test_the_first_entry_that_fits_counts(limited):
    gateway = limited("--raise-limits", "127.0.0.2=1", "--raise-limits", "127.0.0.0/8=off")
    until_refused(lambda: ask(gateway))
    assert set(statuses_of(gateway, 50, source=OTHER)) == {200}


# ---- subjects and tokens ----

def test_a_subject_is_one_client_wherever_it_comes_from(limited):
    gateway = limited(*ISSUER.options, "--raise-limits", "subject:staff-*=off", bearer=ISSUER.operator)
    until_refused(lambda: ask(gateway, headers=token("ann")))
    until_refused(lambda: ask(gateway, headers=token("ann"), source=OTHER))
    assert ask(gateway, headers=token("bob")).status == 200
    assert set(statuses_of(gateway, 50, token("staff-1"))) == {200}


def test_what_nobody_proves_counts_for_its_address(limited):
    gateway = limited(*ISSUER.options, bearer=ISSUER.operator)
    check_error(until_refused(lambda: ask(gateway)), 429, "rate_limited")
    assert ask(gateway, headers=token("ann")).status == 200
    assert ask(gateway, source=OTHER).status == 401


def test_bad_tokens_are_not_even_verified_any_more(start_gateway):
    gateway = start_gateway(*ISSUER.options, "--token-failure-rate", "1", "--shards", "1", *SEES_ALL,
                            bearer=ISSUER.operator)
    known, bad = token("ann"), bearer("x" + ISSUER.token("ann", ["a"])[1:])
    assert ask(gateway, headers=known).status == 200
    answer = until_refused(lambda: ask(gateway, headers=bad))
    assert "--token-failure-rate" in check_error(answer, 429, "rate_limited")["message"]
    assert answer.header("WWW-Authenticate") is None
    for _ in range(5):
        assert ask(gateway, headers=known).status == 200
    assert ask(gateway, headers=bad, source=OTHER).status == 401
    assert ask(gateway, headers=token("bob"), source=OTHER).status == 200
    assert gateway.metric("sluice_limited_total", limit="token_failures") >= 1
    eventually(lambda: ask(gateway, headers=token("cid")).status == 200)


HELD = {"websocket": "/ws?channels=a", "sse": "/sse?channels=a", "stream": "/stream?channels=a",
        "longpoll": "/poll?channels=a&since=0&wait=55"}


@pytest.mark.parametrize("transport", HELD)
def test_streams_of_a_subject_are_counted(start_gateway, transport):
    gateway = start_gateway(*ISSUER.options, "--max-connections-per-subject", "2", bearer=ISSUER.operator)
    held = []

    def hold(sub, source):
        http = Http(gateway.address, source=source)
        held.append(http)
        upgrade = WebSocket.upgrade_headers() if transport == "websocket" else {}
        http.send_request("GET", HELD[transport], {**token(sub), **upgrade})

    for sub, source in ("ann", CLIENT), ("ann", OTHER), ("bob", CLIENT):
        hold(sub, source)
    eventually(lambda: gateway.stats()["transports"][transport]["connections"] == 3)
    error = check_error(ask(gateway, headers=token("ann")), 429, "too_many_connections")
    assert "--max-connections-per-subject" in error["message"]
    assert ask(gateway, headers=token("bob")).status == 200
    assert ask(gateway, "/transports", token("ann")).status == 200
    assert gateway.metric("sluice_limited_total", limit="connections") == 1
    held.pop(0).close()
    eventually(lambda: ask(gateway, headers=token("ann")).status == 200)
    for http in held:
        http.close()


# ---- the last places ----

def test_the_last_places_are_for_addresses_that_have_none(start_gateway):
    gateway = start_gateway("--max-connections", "100", "--reserved-connections", "50")
    crowd = [Http(gateway.address, source=CLIENT) for _ in range(50)]
    assert {http.request("GET", POLL).status for http in crowd} == {200}
    assert ask(gateway).status == 429
    with Http(gateway.address, source=OTHER) as first:
        assert first.request("GET", POLL).status == 200
        check_error(ask(gateway, source=OTHER), 429, "too_many_connections")
        assert ask(gateway, source=THIRD).status == 200
        assert ask(gateway, "/healthz", source=OTHER).status == 200  # no work
    assert gateway.metric("sluice_refused_reserved_total") >= 2
    for http in crowd:
        http.close()
    eventually(lambda: ask(gateway).status == 200)


# ---- what is known of clients ----

def test_owners_are_forgotten_once_their_buckets_are_full(start_gateway):
    gateway = start_gateway("--request-rate", "100", *PROXY)
    with gateway.connect() as proxy:
        for n in range(100):
            proxy.request("GET", POLL, forwarded("198.51.100.%d" % n))
    assert gateway.stats()["owners"] <= 100
    eventually(lambda: gateway.metric("sluice_owners") == 0)
