"""sluice-obstacle itself: options, the list, the control address, qualifiers, forward mode."""

import json
import os
import re
import time

import pytest

from sluicetest import (HELD, TRANSPORTS, Http, Obstacle, Origin, WebSocket, Wire, eventually,
                        has_ipv6, open_subscriber, run_obstacle)
from sluicetest.subscriber import Refused

FAULTS = """strip-upgrade close-upgrade wrong-accept half-up half-down dead-101 inject-bytes
max-frame answer-pings refuse hole captive fail-every tarpit proxy-auth connect-only forbid-post
max-head max-lines max-url max-body hang-chunked refuse-expect mark-down buffer-size buffer-time
buffer-end buffer-body buffer-type lag-one flush-every cut cut-idle cut-age cut-bytes cut-frames
timeout linger clean-end connect-delay max-connections delay delay-up delay-down loss bandwidth
drip stall retry resend-held drop-response cache-lock cache-stale cache-replay inject-html
rewrite-crlf gzip-headerless drop-every garble-every http10-client http10-origin drop-header
drop-response-header rewrite-host lower-case""".split()


def get(place, target="/healthz", **headers):
    with Http(place.address) as http:
        return http.request("GET", target, headers)


# ---- the lab's profiles ----

PROFILES = os.path.join(os.path.dirname(__file__), "..", "..", "bench", "lab", "profiles.json")


def test_profiles_are_faults_that_exist_and_leave_out_none(gateway):
    with open(PROFILES, encoding="utf-8") as file:
        profiles = json.load(file)["profiles"]
    names = [profile["name"] for profile in profiles]
    assert len(set(names)) == len(names)
    used = set()
    with Obstacle(gateway) as obstacle:
        for profile in profiles:
            assert profile["sentence"].endswith("."), profile
            assert list(profile["expected"]) == TRANSPORTS, profile
            assert set(profile["expected"].values()) <= {"works", "degraded", "dead"}, profile
            obstacle.set(*profile["faults"])
            used |= {re.match("[a-z0-9-]+", fault).group() for fault in profile["faults"]}
    assert used | {"cut"} == set(FAULTS)
    assert any(profile["quick"] for profile in profiles)


# ---- options ----

def test_list_describes_every_fault_in_a_sentence_with_its_product():
    said = run_obstacle("--list")
    assert said.returncode == 0
    found = re.findall(r"^([a-z0-9-]+)(\S*)\n    (\S.*\.)\n    \((\S.*)\)$", said.stdout, re.M)
    assert [name for name, *_ in found] == FAULTS


@pytest.mark.parametrize("fault, why", [
    ("nonsense", 'unknown fault "nonsense"; --list'),
    ("cut-idle=5", 'cut-idle: "5" is wrong; value 1 is a time'),
    ("cut-idle=5s,sideways", 'cut-idle: "sideways" is wrong; value 2 is fin, rst'),
    ("cut-idle=5s,fin,fin", "cut-idle: too many values"),
    ("hole=1", "hole takes no value"),
    ("drop-header", "drop-header: value 1 is missing; it is a word"),
    ("hole@share=2", '"@share=2" is wrong; @share is a share from 0 to 1'),
    ("hole@when=5s", 'unknown qualifier "@when=5s"; use after'),
    ("hole@after", "@after is a time"),
    ("hole@transport=pigeon", '@transport: "pigeon" is unknown; use websocket'),
])
def test_bad_faults_are_clear_errors(fault, why):
    said = run_obstacle("--listen", "0", "--to", "127.0.0.1:1", "--fault", fault)
    assert said.returncode == 2
    assert why in said.stderr


@pytest.mark.parametrize("options", [
    (), ("--listen", "0"), ("--to", "127.0.0.1:1"), ("--listen", "x", "--to", "127.0.0.1:1"),
    ("--listen", "0", "--to", "127.0.0.1:1", "more"),
    ("--listen", "0", "--to", "127.0.0.1:99999"),
])
def test_bad_options_are_errors(options):
    said = run_obstacle(*options)
    assert said.returncode == 2 and said.stderr.startswith("sluice-obstacle: ")


def test_without_faults_every_transport_passes(gateway, channel, transport):
    with Obstacle(gateway) as obstacle, open_subscriber(transport, obstacle, channel) as sub:
        gateway.publish_all(channel, range(20))
        assert sub.next_data(20) == list(range(20))


def test_without_faults_a_connection_is_kept_for_several_requests(gateway, channel):
    with Obstacle(gateway) as obstacle:
        with Http(obstacle.address) as http:
            for i in range(3):
                assert gateway.publish(channel, i, on=http)
        assert obstacle.counts()["connections"]["accepted"] == 1
        assert obstacle.counts()["requests"] == 3


def test_a_gateway_that_is_away_is_502():
    with Origin() as origin:
        address = origin.address
    with Obstacle(address) as obstacle:
        assert get(obstacle).status == 502


def test_what_is_no_http_is_400(gateway):
    with Obstacle(gateway) as obstacle, Http(obstacle.address) as http:
        http.send(b"nonsense\r\n\r\n")
        assert http.read_response().status == 400


def test_tls_and_tcp_pass_untouched():
    hello = b"\x16\x03\x01\x00\x05hello"

    def serve(wire):
        wire.send(b"GET / HTTP/1.1\r\n\r\n")
    with Origin() as origin:
        with Obstacle(origin, options=["--tcp"]) as obstacle, Wire(obstacle.address) as wire:
            serve(wire)
            assert wire.read_exact(15) == b"HTTP/1.1 200 OK"
        with Obstacle(origin, "half-up") as obstacle, Wire(obstacle.address) as wire:
            wire.send(hello)
            eventually(lambda: obstacle.counts()["bytes"]["up"] == len(hello))


def test_connections_above_the_limit_are_closed(gateway):
    with Obstacle(gateway, options=["--max-connections", "2"]) as obstacle:
        with Wire(obstacle.address), Wire(obstacle.address), Wire(obstacle.address) as third:
            third.expect_end()
            assert obstacle.counts()["connections"]["refused"] == 1


# ---- control ----

def test_faults_are_read_and_replaced_while_it_runs(gateway):
    with Obstacle(gateway, "refuse=403") as obstacle:
        assert obstacle.ask("GET", "/faults")[2] == ["refuse=403"]
        assert get(obstacle).status == 403
        obstacle.set()
        assert get(obstacle).status == 200
        assert obstacle.ask("POST", "/faults", '["refuse=500"]')[0] == 200
        assert get(obstacle).status == 500


@pytest.mark.parametrize("body, why", [
    ("", "not JSON"), ("{}", "list"), ("[1]", "list"), ('["nope"]', "unknown fault"),
    ('["hole", "hole"]', "twice"), ('["hole=1"]', "no value"),
])
def test_bad_control_bodies_change_nothing(gateway, body, why):
    with Obstacle(gateway, "refuse=403") as obstacle:
        status, _, answer = obstacle.ask("PUT", "/faults", body)
        assert status == 400 and why in answer["error"]["message"]
        assert obstacle.ask("GET", "/faults")[2] == ["refuse=403"]


def test_control_answers_loopback_hosts_and_allowed_origins_only(gateway):
    page = "http://127.0.0.1:8080"
    with Obstacle(gateway, options=["--allow-origin", page]) as obstacle:
        status, headers, _ = obstacle.ask("OPTIONS", "/faults", headers={"Origin": page})
        assert status == 204 and "PUT" in headers["Access-Control-Allow-Methods"]
        status, headers, _ = obstacle.ask("GET", "/faults", headers={"Origin": page})
        assert status == 200 and headers["Access-Control-Allow-Origin"] == page
        assert obstacle.ask("GET", "/faults", headers={"Origin": "http://evil.test"})[0] == 403
        assert obstacle.ask("GET", "/faults", headers={"Host": "evil.test"})[0] == 403
        assert obstacle.ask("GET", "/nothing")[0] == 404


def test_control_lists_every_type(gateway):
    with Obstacle(gateway) as obstacle:
        listed = obstacle.ask("GET", "/list")[2]
        assert [item["name"] for item in listed] == FAULTS
        assert all(item["sentence"] and item["product"] for item in listed)


def test_counts_tell_connections_requests_bytes_and_faults(gateway):
    with Obstacle(gateway, "refuse@path=/stats") as obstacle:
        get(obstacle)
        get(obstacle, "/stats")
        counts = eventually(lambda: obstacle.counts()["connections"]["open"] == 0
                            and obstacle.counts())
        assert counts["connections"] == {"accepted": 2, "open": 0, "refused": 0}
        assert counts["requests"] == 2
        assert counts["bytes"]["up"] > 30 and counts["bytes"]["down"] > 100
        assert counts["faults"] == {"refuse@path=/stats": 1}


@pytest.mark.parametrize("transport", HELD)
def test_cut_ends_what_runs_and_nothing_later(gateway, channel, transport):
    with Obstacle(gateway) as obstacle:
        with open_subscriber(transport, obstacle, channel) as sub:
            if transport == "longpoll":
                sub.wire.send_request("GET", sub._target(sub.cursor) + "&wait=20")
                eventually(lambda: obstacle.counts()["requests"] == 2)
            obstacle.set("cut")
            sub.wire.read_to_end()
        with open_subscriber(transport, obstacle, channel) as sub:
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]


@pytest.mark.parametrize("transport", ["websocket", "sse", "stream"])
def test_a_hole_can_open_and_what_was_held_comes_out(gateway, channel, transport):
    with Obstacle(gateway) as obstacle, open_subscriber(transport, obstacle, channel) as sub:
        gateway.publish(channel, 1)
        assert sub.next_data(1) == [1]
        obstacle.set("delay-down=60s")
        gateway.publish(channel, 2)
        assert sub.wire.is_silent(0.4)
    with Obstacle(gateway) as obstacle, open_subscriber("sse", obstacle, channel) as sub:
        obstacle.set("buffer-body")
        gateway.publish_all(channel, [1, 2])
        assert sub.wire.is_silent(0.4)
        obstacle.set("lag-one@path=/nowhere")
        assert sub.next_data(2) == [1, 2]


# ---- qualifiers ----

def test_path_transport_and_method_choose_requests(gateway, channel):
    with Obstacle(gateway, "refuse=500@path=/stats", "refuse=501@transport=poll",
                  "refuse=503@method=POST") as obstacle:
        assert get(obstacle, "/stats").status == 500
        assert get(obstacle, "/poll?channels=a&wait=0").status == 501
        assert get(obstacle, "/poll?wait=1&channels=a").status == 200
        assert get(obstacle).status == 200
        with Http(obstacle.address) as http:
            assert http.request("POST", "/publish?channel=a", body=b"x").status == 503


def test_share_hits_a_part_of_connections_the_same_for_a_seed(gateway):
    def statuses():
        with Obstacle(gateway, "refuse@share=0.3") as obstacle:
            return [get(obstacle).status for _ in range(60)]
    first = statuses()
    assert 5 < first.count(403) < 35
    assert first.count(403) + first.count(200) == 60
    assert statuses() == first


def test_after_and_until_are_times_since_it_was_set(gateway):
    with Obstacle(gateway, "refuse@after=3s@until=6s") as obstacle:
        assert get(obstacle).status == 200
        eventually(lambda: get(obstacle).status == 403)
        eventually(lambda: get(obstacle).status == 200)


def test_bytes_and_age_are_of_the_connection(gateway, channel):
    with Obstacle(gateway, "refuse@bytes=1K") as obstacle, Http(obstacle.address) as http:
        statuses = [http.request("GET", "/healthz").status for _ in range(3)]
        while statuses[-1] == 200:
            statuses.append(http.request("GET", "/healthz").status)
        assert statuses[-1] == 403 and len(statuses) < 12
    with Obstacle(gateway, "refuse@age=2s") as obstacle, Http(obstacle.address) as http:
        assert http.request("GET", "/healthz").status == 200
        time.sleep(2.1)
        assert http.request("GET", "/healthz").status == 403


def test_faults_combine_in_their_order(gateway):
    with Obstacle(gateway, "inject-html", "rewrite-crlf", "delay=100ms") as obstacle:
        start = time.monotonic()
        body = get(obstacle).body
        assert time.monotonic() - start >= 0.2
        assert body.startswith(b"<script") and b"</script>\r\n{" in body


# ---- addresses ----

def test_localhost_is_both_families_on_either_side(start_gateway):
    if not has_ipv6():
        pytest.skip("no IPv6 here")
    gateway = start_gateway("--listen", "[::1]:0")
    with Obstacle(("localhost", gateway.address[1]), listen="localhost:0") as obstacle:
        for host in "127.0.0.1", "::1":
            for _ in range(2):
                with Http((host, obstacle.address[1])) as http:
                    assert http.request("GET", "/healthz").status == 200


def test_localhost_where_nobody_listens_is_502():
    with Origin() as origin:
        port = origin.address[1]
    with Obstacle(("localhost", port)) as obstacle:
        assert get(obstacle).status == 502


# ---- forward proxy ----

def test_forward_proxy_takes_absolute_urls_of_any_host(gateway, channel):
    with Obstacle(gateway, options=["--forward"]) as obstacle, Http(obstacle.address) as http:
        for url in ("http://localhost/healthz", "http://localhost:81/healthz"):
            assert http.request("GET", url, {"Host": "localhost", "Proxy-Connection": "x"}).status == 200


def test_absolute_url_without_path_is_asked_as_slash():
    with Origin() as origin, Obstacle(origin, options=["--forward"]) as obstacle:
        with Http(obstacle.address) as http:
            http.request("GET", "http://some.test", {"Proxy-Authorization": "Basic x"})
        assert origin.requests[0].target == "/"
        assert origin.requests[0].header("Proxy-Authorization") is None


def connect(obstacle, port, **headers):
    ws = WebSocket(obstacle.address)
    ws.send_request("CONNECT", "gateway.test:%d" % port, headers)
    response = ws.read_head()
    ws.response = None
    return ws, response


def test_connect_makes_a_tunnel_for_a_websocket(gateway, channel):
    with Obstacle(gateway, options=["--forward"]) as obstacle:
        ws, response = connect(obstacle, 80)
        with ws:
            assert response.status == 200
            assert ws.handshake("/ws?channels=" + channel).status == 101
            assert ws.next_object()["type"] == "open"


def test_connect_is_405_where_nobody_asked_for_a_forward_proxy(gateway):
    with Obstacle(gateway) as obstacle:
        assert connect(obstacle, 443)[1].status == 405


def test_connect_to_a_gateway_that_is_away_is_502():
    with Origin() as origin:
        address = origin.address
    with Obstacle(address, options=["--forward"]) as obstacle:
        assert connect(obstacle, 443)[1].status == 502


def test_connect_only_refuses_other_ports(gateway):
    with Obstacle(gateway, "connect-only=443", options=["--forward"]) as obstacle:
        assert connect(obstacle, 80)[1].status == 403
        assert connect(obstacle, 443)[1].status == 200
        assert get(obstacle, "http://localhost/healthz").status == 200


def test_proxy_auth_asks_for_a_login(gateway):
    with Obstacle(gateway, "proxy-auth", options=["--forward"]) as obstacle:
        response = connect(obstacle, 443)[1]
        assert response.status == 407 and "Basic" in response.header("Proxy-Authenticate")
        assert connect(obstacle, 443, **{"Proxy-Authorization": "Basic eDp5"})[1].status == 200
        assert get(obstacle).status == 407


def test_tunnels_are_cut_like_other_connections(gateway, channel):
    with Obstacle(gateway, "cut-idle=2s@transport=tunnel", options=["--forward"]) as obstacle:
        ws, response = connect(obstacle, 443)
        with ws:
            assert response.status == 200
            ws.read_to_end()


def test_a_refused_subscriber_sees_the_refusal(gateway, channel):
    with Obstacle(gateway, "refuse=403@transport=websocket") as obstacle:
        with pytest.raises(Refused) as refused:
            open_subscriber("websocket", obstacle, channel)
        assert refused.value.response.status == 403
        assert refused.value.response.header("Sluice") is None
        assert json.loads(get(obstacle).body)["status"] == "ok"
