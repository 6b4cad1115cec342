"""The hosts that the faults of the network need: what is cut arrives nowhere, what is degraded is late."""

import os
import socket
import subprocess
import sys
import time

import pytest

from clustertest import networks

ECHO = """
import socket, sys
with socket.create_server((sys.argv[1], 7)) as listener:
    print("listening", flush=True)
    while True:
        accepted = listener.accept()[0]
        while data := accepted.recv(100):
            accepted.sendall(data)
"""
ASK = """
import socket, sys, time
began = time.monotonic()
with socket.create_connection((sys.argv[1], 7), float(sys.argv[2])) as asked:
    for _ in range(5):
        asked.sendall(b"x")
        assert asked.recv(1) == b"x"
print(time.monotonic() - began)
"""


@pytest.fixture(scope="module", autouse=True)
def allowed():
    why = networks.find_why_not()
    if why:
        assert os.environ.get("SLUICE_REQUIRE_TOOLS") != "1", why
        pytest.skip(why)


@pytest.fixture
def network():
    """Three hosts, of which `one` and `two` echo; the test is in the hub."""
    with networks.Network(["one", "two", "asker"]) as network, network.inside():
        echoes = []
        for host in ("one", "two"):
            echoes.append(subprocess.Popen(
                network.prefix(host) + [sys.executable, "-c", ECHO, network.address(host)],
                stdout=subprocess.PIPE))
            assert echoes[-1].stdout.readline() == b"listening\n"
        yield network
        for echo in echoes:
            echo.kill()
            echo.communicate()


def ask(network, host, seconds=60):
    """Seconds that five round trips and a handshake took, None where nobody answers."""
    done = subprocess.run(
        network.prefix("asker") + [sys.executable, "-c", ASK, network.address(host), str(seconds)],
        capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else None


def test_a_path_that_is_cut_passes_nothing_and_others_stay(network):
    assert ask(network, "one") is not None
    network.cut(("asker", "one"))
    assert ask(network, "one", 1) is None
    assert network.dropped() > 0
    assert ask(network, "two") is not None
    with socket.create_connection((network.address("one"), 7), 60):
        pass  # the hub reaches all
    network.mend()
    assert ask(network, "one") is not None


def test_a_host_that_is_cut_off_reaches_nobody(network):
    network.cut_off("asker")
    assert ask(network, "one", 1) is None and ask(network, "two", 1) is None
    network.mend()
    assert ask(network, "two") is not None


def test_a_degraded_path_has_its_round_trip_and_loses_packets(network):
    network.degrade(20, 40)
    assert ask(network, "one") >= 6 * 0.040
    began = time.monotonic()
    with socket.create_connection((network.address("one"), 7), 60):
        assert time.monotonic() - began < 10  # the hub has links of its own
    network.restore()
    assert ask(network, "one") is not None


def test_nothing_is_left_of_a_network():
    with networks.Network(["one"]) as network:
        sleeper = subprocess.Popen(network.prefix("one") + ["sh", "-c", "echo; exec sleep 1000"],
                                   stdout=subprocess.PIPE)
        assert sleeper.stdout.readline() == b"\n"
        names = [network.name("one"), network.name("hub")]
    sleeper.communicate()
    assert sleeper.returncode != 0
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    assert not any(name in listed for name in names)
