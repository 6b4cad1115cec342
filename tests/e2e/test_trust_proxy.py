"""--trust-proxy: who a client is behind a proxy, by forwarded fields and PROXY headers, and that
nobody else can say so."""

import json
import signal
import socket
import struct

import pytest

from checks import check_error
from sluicetest import (
    TRANSPORTS, Closed, GatewayFailed, Http, WebSocket, eventually, open_subscriber, request_bytes)

STRANGER = "127.0.0.2"  # connects from another address than the proxy's
A, B = "203.0.113.1", "203.0.113.2"
HELD = [transport for transport in TRANSPORTS if transport != "poll"]


def x_forwarded(address, scheme=None):
    fields = {"X-Forwarded-For": address}
    return {**fields, "X-Forwarded-Proto": scheme} if scheme else fields


def forwarded(address, scheme=None):
    node = '"[%s]"' % address if ":" in address else address
    return {"Forwarded": "for=%s" % node + (";proto=%s" % scheme if scheme else "")}


def v1(address, to="198.51.100.9"):
    family = 6 if ":" in address else 4
    return b"PROXY TCP%d %s %s 4711 443\r\n" % (family, address.encode(), to.encode())


def v2(address=None, is_secure=False, to="198.51.100.9"):
    command, family, payload = 0x20, 0, b""
    if address:
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        command, family = 0x21, 0x21 if kind == socket.AF_INET6 else 0x11
        payload = socket.inet_pton(kind, address) + socket.inet_pton(kind, to)
        payload += struct.pack(">HH", 4711, 443)
    if is_secure:
        payload += b"\x20" + struct.pack(">H", 5) + b"\x01" + bytes(4)
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, family]) + struct.pack(">H", len(payload))
            + payload)


def seen(answer):
    """Whom the gateway takes for the client, and if it came by https."""
    assert answer.status == 200, answer
    told = answer.json()
    return told["client"], told["secure"]


def ask(address, before=b"", fields=None, source=None):
    with Http(address, source=source) as http:
        http.send(before + request_bytes("GET", "/probe/head", fields or {}, host=http.host))
        return seen(http.read_response())


@pytest.fixture
def trusting(start_gateway):
    def start(*options):
        return start_gateway("--trust-proxy", "127.0.0.1", "--trust-proxy", "10.0.0.0/8", *options)
    return start


# ---- who is believed ----

@pytest.mark.parametrize("fields", [x_forwarded(A, "https"), forwarded(A, "https")],
                         ids=["x", "rfc7239"])
def test_nobody_is_believed_by_default(gateway, fields):
    assert ask(gateway.address, fields=fields) == ("127.0.0.1", False)


@pytest.mark.parametrize("header", [v1(A), v2(A, True)], ids=["v1", "v2"])
def test_header_of_a_stranger_is_a_malformed_request(gateway, header):
    with gateway.connect() as http:
        http.send(header + request_bytes("GET", "/probe/head"))
        assert http.read_response().status == 400
    assert gateway.metric("sluice_proxy_headers_bad_total") == 0


def test_fields_count_from_a_trusted_address_alone(trusting):
    gateway = trusting()
    for fields in x_forwarded(A, "https"), forwarded(A, "https"):
        assert ask(gateway.address, fields=fields) == (A, True)
        assert ask(gateway.address, fields=fields, source=STRANGER) == (STRANGER, False)
    for header in v1(A), v2(A, True):
        assert ask(gateway.address, header)[0] == A
        with pytest.raises(AssertionError, match="400"):
            ask(gateway.address, header, source=STRANGER)
    for kind in "v1", "v2", "forwarded", "x_forwarded_for":
        assert gateway.metric("sluice_proxy_headers_total", kind=kind) == 1
    stats = gateway.stats()["limits"]
    assert stats["proxy_headers_v2"] == 1 and stats["proxy_headers_bad"] == 0


@pytest.mark.parametrize("fields, client", [
    (x_forwarded("%s, %s, 10.1.2.3" % (B, A)), (A, False)),  # B is A's invention
    (x_forwarded("10.3.3.3, 10.2.2.2", "http"), ("10.3.3.3", False)),
    (x_forwarded("2001:db8::1", "wss"), ("[2001:db8::1]", True)),
    (x_forwarded("%s, nonsense, 10.1.2.3" % A), ("10.1.2.3", False)),
    (x_forwarded("%s, unknown" % A), ("127.0.0.1", False)),
    (forwarded("2001:db8::1", "https"), ("[2001:db8::1]", True)),
    ({"Forwarded": 'for="%s;for=%s, for=%s' % (B, B, A)}, (A, False)),
    ({**forwarded(B, "https"), **x_forwarded(A)}, (A, False)),
    ([("X-Forwarded-For", B), ("X-Forwarded-For", A), ("X-Forwarded-For", "10.1.1.1")], (A, False)),
])
def test_first_address_from_the_right_that_is_not_trusted_is_the_client(trusting, fields, client):
    assert ask(trusting().address, fields=fields) == client


def test_request_ends_and_takes_its_client_with_it(trusting):
    with trusting().connect() as http:
        assert seen(http.request("GET", "/probe/head", x_forwarded(A, "https"))) == (A, True)
        assert seen(http.request("GET", "/probe/head", x_forwarded(B))) == (B, False)
        assert seen(http.request("GET", "/probe/head")) == ("127.0.0.1", False)


# ---- PROXY headers ----

def test_header_counts_for_its_connection(trusting):
    gateway = trusting()
    with gateway.connect() as http:
        http.send(v2(A, is_secure=True))
        assert seen(http.request("GET", "/probe/head")) == (A, True)
        assert seen(http.request("GET", "/probe/head", x_forwarded(B, "http"))) == (A, True)
    with gateway.connect() as http:  # of a relay before a proxy of HTTP
        http.send(v1("10.9.9.9"))
        assert seen(http.request("GET", "/probe/head", x_forwarded(B))) == (B, False)
        assert seen(http.request("GET", "/probe/head")) == ("10.9.9.9", False)
    assert ask(gateway.address, v1("2001:db8::1", "::1")) == ("[2001:db8::1]", False)
    assert ask(gateway.address, v2("2001:db8::1", to="::1")) == ("[2001:db8::1]", False)


@pytest.mark.parametrize("header", [v2(), b"PROXY UNKNOWN\r\n"], ids=["local", "unknown"])
def test_header_that_names_nobody_leaves_the_peer(trusting, header):
    gateway = trusting()
    assert ask(gateway.address, header) == ("127.0.0.1", False)
    assert ask(gateway.address, header, x_forwarded(A)) == (A, False)


@pytest.mark.parametrize("header", [v1(A), v2(A)], ids=["v1", "v2"])
def test_header_may_come_a_byte_at_a_time(trusting, header):
    with trusting().connect() as http:
        http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(header)):
            http.send(header[i:i + 1])
        assert seen(http.request("GET", "/probe/head"))[0] == A


@pytest.mark.parametrize("header", [
    b"PROXY TCP4 203.0.113.1\r\n", b"PROXY " + b"x" * 200, b"PROXY / HTTP/1.1\r\n\r\n",
    v2(A)[:12] + b"\x33" + v2(A)[13:], v2(A)[:14] + b"\xff\xff"])
def test_header_that_is_malformed_closes_the_connection(trusting, header):
    gateway = trusting()
    with gateway.connect() as http:
        http.send(header)
        with pytest.raises(Closed):
            http.read_exact(1)
    assert gateway.metric("sluice_proxy_headers_bad_total") == 1
    assert "warning proxy.bad_header peer=127.0.0.1:" in gateway.stderr().decode()


def test_header_that_is_incomplete_has_the_time_of_a_request(trusting):
    gateway = trusting("--request-timeout", "0.3")
    with gateway.connect() as http:
        http.send(v2(A)[:20])
        with pytest.raises(Closed):
            http.read_exact(1)
    assert gateway.metric("sluice_request_timeouts_total") == 1


def test_unix_sockets_are_trusted_by_name(start_gateway, tmp_path):
    for options, client in (["--trust-proxy", "unix"], A), (["--trust-proxy", "0.0.0.0/0"], "unix"):
        gateway = start_gateway("--listen", "unix:%s/s" % tmp_path, *options)
        assert ask(gateway.address, fields=x_forwarded(A))[0] == client
        if client == A:
            assert ask(gateway.address, v2(B, True)) == (B, True)
        gateway.stop()


# ---- limits ----

@pytest.mark.parametrize("how", ["fields", "header"])
@pytest.mark.parametrize("transport", HELD)
def test_client_is_counted_as_long_as_it_is_served(trusting, transport, how):
    gateway = trusting("--max-connections-per-address", "2")
    held = []

    def status(client):
        """What a client learns that asks for one more thing."""
        fields = x_forwarded(client) if how == "fields" else {}
        with gateway.connect() as http:
            if how == "header":
                http.send(v1(client))
            return http.request("GET", "/poll?channels=a&wait=0", fields).status

    def hold(client):
        http = gateway.connect()
        held.append(http)
        if how == "header":
            http.send(v1(client))
        http.send_request("GET", {
            "websocket": "/ws?channels=a", "sse": "/sse?channels=a", "stream": "/stream?channels=a",
            "longpoll": "/poll?channels=a&since=0&wait=55"}[transport],
            {**(x_forwarded(client) if how == "fields" else {}),
             **(WebSocket.upgrade_headers() if transport == "websocket" else {})})

    for client in A, A, B:
        hold(client)
    eventually(lambda: gateway.stats()["transports"][transport]["connections"] == 3)
    assert status(A) == 429
    assert status(B) == 200
    held.pop(0).close()
    eventually(lambda: status(A) == 200)
    assert gateway.metric("sluice_refused_total", limit="address") >= 1
    for http in held:
        http.close()


def test_held_poll_that_is_answered_counts_no_more(trusting):
    gateway = trusting("--max-connections-per-address", "1")
    with gateway.connect() as proxy:
        proxy.send_request("GET", "/poll?channels=a&since=0&wait=55", x_forwarded(A))
        eventually(lambda: gateway.stats()["transports"]["longpoll"]["connections"] == 1)
        refused = gateway.request("GET", "/poll?channels=a&wait=0", x_forwarded(A))
        check_error(refused, 429, "too_many_connections")
        gateway.publish("a", "x")
        assert proxy.read_response().status == 200
        assert gateway.request("GET", "/poll?channels=a&wait=0", x_forwarded(A)).status == 200


def test_connections_of_a_proxy_have_no_limit_of_an_address(trusting):
    gateway = trusting("--max-connections-per-address", "1")
    pool = [gateway.connect() for _ in range(40)]
    for n, proxy in enumerate(pool):
        answer = proxy.request("GET", "/poll?channels=a&wait=0", x_forwarded("203.0.113.%d" % n))
        assert answer.status == 200
        refused = proxy.request("GET", "/stats", x_forwarded(A))
        assert refused.status == 200  # not work: it is answered above a limit too
    for proxy in pool:
        proxy.close()


def test_refusal_keeps_the_connection_of_the_proxy(trusting):
    gateway = trusting("--max-connections-per-address", "1")
    with gateway.connect() as other, gateway.connect() as proxy:
        other.send_request("GET", "/poll?channels=a&since=0&wait=55", x_forwarded(A))
        eventually(lambda: gateway.stats()["transports"]["longpoll"]["connections"] == 1)
        for _ in range(3):
            assert proxy.request("GET", "/poll?channels=a&wait=0", x_forwarded(A)).status == 429
            assert proxy.request("GET", "/poll?channels=a&wait=0", x_forwarded(B)).status == 200


def test_channels_of_the_check_page_are_lent_to_clients(trusting):
    gateway = trusting()

    def lend(client):
        return gateway.request("POST", "/check/channel", x_forwarded(client), b"").status

    assert [lend(A) for _ in range(4)] == [201, 201, 201, 429]
    assert lend(B) == 201
    assert lend("2001:db8::1") == 201


# ---- what else knows the client ----

def test_log_names_the_client(trusting):
    gateway = trusting()
    with WebSocket(gateway.address) as websocket:
        websocket.handshake("/ws?channels=a", x_forwarded(A))
        websocket.send(b"\xff\xff")
        eventually(lambda: "client=%s reason=" % A in gateway.stderr().decode())


def test_reload_takes_new_networks(start_gateway, tmp_path):
    file = tmp_path / "sluice.json"

    def write(networks):
        file.write_text(json.dumps({"listen": "127.0.0.1:0", "trust-proxy": networks}))

    write([])
    gateway = start_gateway("--config", file)
    with gateway.connect() as open_before:
        assert seen(open_before.request("GET", "/probe/head", x_forwarded(A)))[0] == "127.0.0.1"
        for networks, client in (["10.0.0.0/8", "127.0.0.0/8"], A), (["unix"], "127.0.0.1"):
            before = gateway.stderr().count(b"reload.done")
            write(networks)
            gateway.signal(signal.SIGHUP)
            eventually(lambda: gateway.stderr().count(b"reload.done") > before)
            assert ask(gateway.address, fields=x_forwarded(A))[0] == client
            assert seen(open_before.request("GET", "/probe/head", x_forwarded(A)))[0] == client
    assert b'option=trust-proxy value="10.0.0.0/8,127.0.0.0/8" was=""' in gateway.stderr()


@pytest.mark.parametrize("network", ["10.0.0.1/8", "localhost", "10.0.0.0/33", ""])
def test_network_that_is_none_is_refused_at_start(start_gateway, network):
    with pytest.raises(GatewayFailed) as failed:
        start_gateway("--trust-proxy", network)
    assert 'trust-proxy: "%s" is not valid: a network such as' % network in failed.value.stderr


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_transport_delivers_through_a_proxy(trusting, transport):
    gateway = trusting()
    with open_subscriber(transport, gateway, "a", since="0", headers=x_forwarded(A, "https")) as reader:
        ids = gateway.publish_all("a", ["one", "two"])
        assert [reader.next_message()["id"] for _ in ids] == ids
