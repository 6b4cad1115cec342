"""Wire bytes over TLS: what /metrics says is what tcpdump sees, records and handshakes included."""

import os
import socket
import sys
import tempfile

import pytest

from checks import transport_stats
from sluicetest import Http, Poll, WebSocket, eventually, open_subscriber, request_bytes
from sluicetest.tls import Profile
from sluicetest.wire import TIMEOUT

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))
from benchtest.capture import Capture  # noqa: E402  (needs the path above)


@pytest.fixture
def watched(start_gateway):
    """A gateway with a Unix socket, through which it is asked unseen by tcpdump."""
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        yield start_gateway("--listen", "127.0.0.1:0", "--listen", "unix:%s/s" % folder, secure=True)


class Asking:
    """Reads /metrics over the Unix socket, and takes off what that itself has carried."""

    def __init__(self, gateway):
        self.http = Http(gateway.listeners[1])

    def counted(self):
        """Wire bytes of all classes, in and out."""
        carried_out = self.http.received  # the answer's own are counted once it is sent
        text = self.http.request("GET", "/metrics").body.decode()
        sums = {"in": 0.0, "out": 0.0}
        for line in text.splitlines():
            if line.startswith("sluice_wire_bytes_total{"):
                sums[line.partition('direction="')[2].partition('"')[0]] += float(line.split()[-1])
        return int(sums["in"]) - self.http.sent, int(sums["out"]) - carried_out

    def handshake_bytes(self):
        text = self.http.request("GET", "/metrics").body.decode()
        return tuple(int(float(line.split()[-1])) for way in ("in", "out")
                     for line in text.splitlines() if line.startswith(
                         'sluice_tls_handshake_bytes_total{direction="%s"}' % way))


def seen_by(capture):
    """Payload bytes to and from the gateway."""
    return tuple(sum(packet.payload for packet in capture.packets
                     if (packet.source == capture.port) == outward) for outward in (False, True))


def deliver(gateway, how, channel, transport):
    """Small messages and large ones, live and from history."""
    with Http(gateway.address, how=how) as http:
        gateway.publish_all_on(http, channel, ["early" + "e" * 3000] * 3)
        with open_subscriber(transport, gateway, channel, since="0", how=how) as sub:
            sub.next_data(3)
            gateway.publish_all_on(http, channel, ["x" * n for n in (1, 500, 20000, 60000)])
            sub.next_data(4)
            if transport == "websocket":
                sub.wire.send_object({"type": "ping", "data": 1})
                sub.await_control("pong")
                sub.wire.close_handshake()


def fail(gateway, how, channel):
    """Handshakes that come to nothing, and plain HTTP."""
    for said in (b"\x16\x03\x01\x00\x04\x0e\x00\x00\x00", request_bytes("GET", "/"), bytes(40)):
        with socket.create_connection(gateway.address) as sock:
            sock.settimeout(TIMEOUT)
            sock.sendall(said)
            while sock.recv(4096):
                pass


def resume(gateway, how, channel):
    resuming = Profile(how.version, resumes=True)
    for _ in range(3):
        with Http(gateway.address, how=resuming) as http:
            assert http.request("GET", "/healthz", {"Connection": "close"}).status == 200
            http.expect_end()


def leave_politely(gateway, how, channel):
    """close_notify from this side, answered by the other."""
    for transport in "sse", "stream":
        with open_subscriber(transport, gateway, channel, how=how) as sub:
            sub.wire.shut()
            sub.wire.read_to_end()


WAYS = {name: (lambda *known, name=name: deliver(*known, name))
        for name in ("websocket", "sse", "stream", "longpoll", "poll")}
WAYS.update({"failures": fail, "resumption": resume, "close_notify": leave_politely})


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("way", list(WAYS))
def test_wire_bytes_are_those_that_tcpdump_sees(watched, channel, version, way):
    asking = Asking(watched)
    with Capture(watched.address[1]) as capture:
        WAYS[way](watched, Profile(version), channel)
        eventually(lambda: is_alone(asking))
    seen = seen_by(capture)
    assert min(seen) > 0
    eventually(lambda: asking.counted() == seen or not print(asking.counted(), seen))


def is_alone(asking):
    """No connection is open but the one that asks."""
    text = asking.http.request("GET", "/metrics").body.decode()
    return 1 == sum(float(line.split()[-1]) for line in text.splitlines()
                    if line.startswith("sluice_connections{"))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_handshake_bytes_are_those_that_the_client_sees(watched, version):
    asking, how = Asking(watched), Profile(version, resumes=True)
    before = asking.handshake_bytes()
    for _ in range(2):  # a full one and one that resumes
        with Http(watched.address, how=how) as http:
            assert http.request("GET", "/healthz").status == 200
        after = asking.handshake_bytes()
        got = tuple(a - b for a, b in zip(after, before))
        assert got == (http.handshake_sent, http.handshake_received)
        before = after


@pytest.mark.parametrize("transport", ["websocket", "sse", "stream", "longpoll", "poll"])
def test_records_cost_a_transport_what_they_cost_the_wire(watched, channel, transport):
    """A transport's own bytes: everything behind the handshake."""
    how = Profile("1.3")
    before = transport_stats(watched, transport)
    with open_subscriber(transport, watched, channel, how=how) as sub:
        watched.publish_all(channel, ["x" * 10, "x" * 30000])
        sub.next_data(2)
        sent, received = carried(sub)
    eventually(lambda: transport_stats(watched, transport)["wire_bytes_out"]
               - before["wire_bytes_out"] >= received)
    after = transport_stats(watched, transport)
    assert after["wire_bytes_in"] - before["wire_bytes_in"] == sent


def carried(sub):
    if isinstance(sub, Poll):
        return tuple(before + now for before, now in zip(
            sub.bytes_before, (sub.wire.sent, sub.wire.received)))
    return sub.wire.sent, sub.wire.received


def test_a_websocket_upgrade_counts_as_its_transport(watched, channel):
    before = transport_stats(watched, "websocket")
    with WebSocket(watched.address, how=Profile("1.3")) as ws:
        assert ws.handshake("/ws?channels=" + channel).status == 101
        ws.next_object()
        ws.close_handshake()
        want = ws.sent, ws.received

    def got():
        after = transport_stats(watched, "websocket")
        return tuple(after["wire_bytes_" + way] - before["wire_bytes_" + way]
                     for way in ("in", "out"))
    eventually(lambda: got() == want)
