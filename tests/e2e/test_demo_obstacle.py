"""The obstacle that `--demo` starts beside itself: found, used, started again, and gone in the end."""

import contextlib
import json
import os
import signal
import socket
import stat

import pytest

from checks import check_error
from sluicetest import (TRANSPORTS, Http, SharedGateway, address_of, eventually, lanes, open_subscriber)


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--demo") as shared:
        yield shared


def children(gateway):
    """Process ids of the gateway's children that have not ended."""
    with open("/proc/%d/task/%d/children" % (gateway.pid, gateway.pid)) as file:
        return [int(pid) for pid in file.read().split()]


def is_running(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def obstacle_of(gateway):
    response = gateway.get("/demo/api/obstacle")
    assert response.status == 200, response
    return response.json()


def ask(place, method, target, body=None, **headers):
    with Http(address_of(place)) as http:
        return http.request(method, target, headers, body)


def set_faults(gateway, *faults):
    response = ask(obstacle_of(gateway)["control"], "POST", "/faults", json.dumps(faults).encode(),
                   Origin=gateway.origin)
    assert response.status == 200 and response.json() == list(faults), response


@pytest.fixture
def faults(gateway):
    yield lambda *texts: set_faults(gateway, *texts)
    set_faults(gateway)


def program(folder, script):
    path = folder / "obstacle"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_every_transport_goes_through_the_obstacle(gateway, channel, transport):
    through = address_of(obstacle_of(gateway)["origin"])
    with open_subscriber(transport, gateway, channel, listener=through) as sub:
        gateway.publish(channel, "hello")
        assert sub.next_message()["data"] == "hello"


def test_its_faults_are_switched_by_pages_of_the_gateway_only(gateway, faults):
    told = obstacle_of(gateway)
    faults("refuse=403")
    assert ask(told["origin"], "GET", "/healthz").status == 403
    assert gateway.get("/healthz").status == 200
    for origin in gateway.origin, "%s://localhost:%d" % (gateway.scheme, gateway.address[1]):
        response = ask(told["control"], "GET", "/faults", Origin=origin)
        assert response.json() == ["refuse=403"]
        assert response.header("Access-Control-Allow-Origin") == origin
    assert ask(told["control"], "GET", "/faults", Origin="http://evil.example").status == 403


def test_pages_may_use_the_gateway_through_it_and_it_is_an_origin_itself(gateway):
    origin = obstacle_of(gateway)["origin"]
    for page in gateway.origin, origin, origin.replace("127.0.0.1", "localhost"):
        response = ask(origin, "GET", "/transports", Origin=page)
        assert response.status == 200
        assert response.header("Access-Control-Allow-Origin") == page


def test_reload_keeps_it_an_origin(start_gateway):
    gateway = start_gateway("--demo")
    origin = obstacle_of(gateway)["origin"]
    gateway.signal(signal.SIGHUP)
    eventually(lambda: b"reload.done" in gateway.stderr())
    for _ in range(5):
        assert ask(origin, "GET", "/transports", Origin=origin).status == 200


def test_policy_of_the_page_names_it(gateway):
    told = obstacle_of(gateway)
    sources = gateway.get("/").header("Content-Security-Policy").split("connect-src ")[1].split()
    assert {told["origin"], told["origin"].replace("http", "ws"), told["control"]} <= set(sources)
    assert gateway.get("/demo/api/origins").json()["obstacle"] is True


def test_one_that_dies_comes_back_at_its_ports_a_few_times_and_is_then_given_up(start_gateway):
    gateway = start_gateway("--demo")
    told = obstacle_of(gateway)
    def ended():
        return gateway.metric("sluice_demo_obstacle_ended_total")

    # One that finds its port taken meanwhile ends by itself, and counts as well.
    while ended() < 6:
        before = ended()
        for pid in eventually(lambda: children(gateway) or [0] * (ended() > before)):
            with contextlib.suppress(ProcessLookupError):
                if pid:
                    os.kill(pid, signal.SIGKILL)
        eventually(lambda: ended() > before)
        if ended() < 6:
            assert obstacle_of(gateway) == told
            eventually(lambda: _answers(told["origin"]) or ended() == 6)
    check_error(gateway.get("/demo/api/obstacle"), 404)
    assert gateway.get("/demo/api/origins").json()["obstacle"] is False
    assert children(gateway) == []
    assert gateway.stderr().count(b"obstacle.ended") == 6
    assert gateway.stderr().count(b"obstacle.given_up") == 1


def _answers(origin):
    try:
        return ask(origin, "GET", "/healthz").status == 200
    except OSError:
        return False


def test_a_gateway_that_is_started_again_has_the_same(start_gateway):
    first = start_gateway("--demo", "--listen", "127.0.0.1:0")
    port = first.address[1]
    told = obstacle_of(first)
    first.stop()
    if told["origin"] != "%s://127.0.0.1:%d" % (first.scheme, port + 7):
        pytest.skip("another program has the port")
    assert obstacle_of(start_gateway("--demo", "--listen", "127.0.0.1:%d" % port)) == told


def test_on_a_taken_port_it_has_another(start_gateway):
    first = start_gateway("--demo", "--listen", "127.0.0.1:0")
    port = first.address[1]
    first.stop()
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", port + 8))
        taker.listen()
        second = start_gateway("--demo", "--listen", "127.0.0.1:%d" % port)
        told = obstacle_of(second)
        assert ask(told["origin"], "GET", "/healthz").status == 200
        assert address_of(told["origin"]) not in lanes(second)
        assert b"obstacle.failed" not in second.stderr()


# Its end.

def test_it_ends_with_the_gateway_and_clients_through_it_are_told_goodbye(start_gateway, channel):
    gateway = start_gateway("--demo")
    pid, = children(gateway)
    through = address_of(obstacle_of(gateway)["origin"])
    with open_subscriber("sse", gateway, channel, listener=through) as sub:
        gateway.signal(signal.SIGTERM)
        sub.await_control("bye")
    assert gateway.wait() == 0
    assert not is_running(pid)


def test_it_ends_when_the_gateway_crashes(start_gateway):
    gateway = start_gateway("--demo")
    pid, = children(gateway)
    gateway.kill()
    eventually(lambda: not is_running(pid))


def test_one_that_ignores_sigterm_does_not_hold_the_gateway_up(start_gateway, tmp_path):
    gateway = start_gateway("--demo", "--obstacle", program(tmp_path, """
        trap '' TERM
        echo listening 127.0.0.1:4001; echo control 127.0.0.1:4002
        while :; do read line || exec sleep 100; done"""))
    pid, = children(gateway)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    assert not is_running(pid)


# Without it.

@pytest.mark.parametrize("script", ["exit 1", "echo hello; echo hello; exec sleep 100",
                                    "exec sleep 100"])
def test_a_program_that_is_none_is_told_and_the_demo_goes_on(start_gateway, tmp_path, script):
    gateway = start_gateway("--demo", "--obstacle", program(tmp_path, script))
    check_without(gateway)
    assert b"obstacle.failed" in gateway.stderr()


def test_a_program_that_is_not_there_is_told_and_the_demo_goes_on(start_gateway, tmp_path):
    gateway = start_gateway("--demo", "--obstacle", tmp_path / "nothing")
    check_without(gateway)
    assert b"obstacle.failed" in gateway.stderr()


def test_obstacle_none_is_none(start_gateway):
    gateway = start_gateway("--demo", "--obstacle", "none")
    check_without(gateway)
    assert b"obstacle" not in gateway.stderr()


def check_without(gateway):
    check_error(gateway.get("/demo/api/obstacle"), 404)
    answer = gateway.get("/demo/api/origins").json()
    assert answer["obstacle"] is False and len(answer["origins"]) == 6
    assert children(gateway) == []
    sources = gateway.get("/").header("Content-Security-Policy").split("connect-src ")[1].split()
    assert len(sources) == 3 + 2 * 6


def test_none_without_demo(start_gateway):
    gateway = start_gateway()
    check_error(gateway.get("/demo/api/obstacle"), 404)
    assert children(gateway) == []


def test_none_without_a_loopback_listener(start_gateway, tmp_path):
    gateway = start_gateway("--demo", "--listen", "unix:%s/socket" % tmp_path)
    check_error(gateway.get("/demo/api/obstacle"), 404)
    assert children(gateway) == []
