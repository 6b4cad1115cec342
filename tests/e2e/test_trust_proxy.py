"""--trust-proxy: who a client is behind a proxy, by forwarded fields and PROXY headers, and that
nobody else can say so."""

import json
import signal
import socket
import ssl
import struct

import pytest

from checks import check_error
from sluicetest import (
    TRANSPORTS, Closed, GatewayFailed, Http, WebSocket, eventually, open_subscriber, request_bytes)
from sluicetest.tls import Profile, Tls, is_secure

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


class Relayed(Http):
    """A connection of a proxy that sends a PROXY header first, in pieces; where the listener speaks
    TLS, before the handshake."""

    def __init__(self, address, *header, **how):
        self.header = header
        super().__init__(address, **how)
        if not self.tls:
            self.send_header()

    def send_header(self):
        for piece in self.header:
            self.sock.sendall(piece)

    def _start_tls(self, how):
        self.send_header()
        super()._start_tls(how)


class TlsBehind(Tls):
    """Sends its first record in one write with what `how` has to be said before it."""

    def flush(self):
        data = self.how.before + self.outgoing.read()
        self.how.before = b""
        self.sock.sendall(data)


def bytewise(header):
    return [header[i:i + 1] for i in range(len(header))]


def seen(answer):
    """Whom the gateway takes for the client, and if it came by https."""
    assert answer.status == 200, answer
    told = answer.json()
    return told["client"], told["secure"]


def ask(address, header=b"", fields=None, source=None):
    with Relayed(address, header, source=source) as http:
        return seen(http.request("GET", "/probe/head", fields or {}))


TRUSTED = ["--trust-proxy", "127.0.0.1", "--trust-proxy", "10.0.0.0/8"]


@pytest.fixture
def trusting(start_gateway):
    return lambda *options: start_gateway(*TRUSTED, *options)


@pytest.fixture(params=[False, True], ids=["clear", "tls"])
def relayed(request, start_gateway):
    """The same on each kind of listener: PROXY headers precede the handshake."""
    return lambda *options: start_gateway(*TRUSTED, *options, secure=request.param)


def is_https(gateway):
    return is_secure(gateway.address)


# ---- who is believed ----

@pytest.mark.parametrize("fields", [x_forwarded(A, "https"), forwarded(A, "https")],
                         ids=["x", "rfc7239"])
def test_nobody_is_believed_by_default(gateway, fields):
    assert ask(gateway.address, fields=fields) == ("127.0.0.1", is_https(gateway))


@pytest.mark.parametrize("header", [v1(A), v2(A, True)], ids=["v1", "v2"])
def test_header_of_a_stranger_is_a_malformed_request(start_gateway, header):
    gateway = start_gateway(secure=False)
    with gateway.connect() as http:
        http.send(header + request_bytes("GET", "/probe/head"))
        assert http.read_response().status == 400
    assert gateway.metric("sluice_proxy_headers_bad_total") == 0


@pytest.mark.parametrize("header", [v1(A), v2(A, True)], ids=["v1", "v2"])
def test_header_of_a_stranger_is_no_handshake(start_gateway, header):
    gateway = start_gateway(*TRUSTED, secure=True)
    with pytest.raises((ssl.SSLError, Closed)):
        ask(gateway.address, header, source=STRANGER)
    assert gateway.metric("sluice_proxy_headers_bad_total") == 0
    assert gateway.metric("sluice_proxy_headers_total", kind="v1") == 0
    assert gateway.metric("sluice_proxy_headers_total", kind="v2") == 0


def test_fields_count_from_a_trusted_address_alone(trusting):
    gateway = trusting()
    for fields in x_forwarded(A, "https"), forwarded(A, "https"):
        assert ask(gateway.address, fields=fields) == (A, True)
        assert ask(gateway.address, fields=fields, source=STRANGER) == (STRANGER, is_https(gateway))
    for header in v1(A), v2(A, True):
        assert ask(gateway.address, header)[0] == A
    for kind in "v1", "v2", "forwarded", "x_forwarded_for":
        assert gateway.metric("sluice_proxy_headers_total", kind=kind) == 1
    stats = gateway.stats()["limits"]
    assert stats["proxy_headers_v2"] == 1 and stats["proxy_headers_bad"] == 0


@pytest.mark.parametrize("fields, client, secure", [  # None: as the listener has it
    (x_forwarded("%s, %s, 10.1.2.3" % (B, A)), A, None),  # B is A's invention
    (x_forwarded("10.3.3.3, 10.2.2.2", "http"), "10.3.3.3", False),
    (x_forwarded("2001:db8::1", "wss"), "[2001:db8::1]", True),
    (x_forwarded("%s, nonsense, 10.1.2.3" % A), "10.1.2.3", None),
    (x_forwarded("%s, unknown" % A), "127.0.0.1", None),
    (forwarded("2001:db8::1", "https"), "[2001:db8::1]", True),
    (forwarded(A, "http"), A, False),
    ({"Forwarded": 'for="%s;for=%s, for=%s' % (B, B, A)}, A, None),
    ({**forwarded(B, "https"), **x_forwarded(A)}, A, None),
    ([("X-Forwarded-For", B), ("X-Forwarded-For", A), ("X-Forwarded-For", "10.1.1.1")], A, None),
])
def test_first_address_from_the_right_that_is_not_trusted_is_the_client(
        relayed, fields, client, secure):
    gateway = relayed()
    if secure is None:
        secure = is_https(gateway)
    assert ask(gateway.address, fields=fields) == (client, secure)


def test_request_ends_and_takes_its_client_with_it(relayed):
    gateway = relayed()
    secure = is_https(gateway)
    with gateway.connect() as http:
        other = "http" if secure else "https"
        assert seen(http.request("GET", "/probe/head", x_forwarded(A, other))) == (A, not secure)
        assert seen(http.request("GET", "/probe/head", x_forwarded(B))) == (B, secure)
        assert seen(http.request("GET", "/probe/head")) == ("127.0.0.1", secure)


# ---- PROXY headers ----

def test_header_counts_for_its_connection(relayed):
    gateway = relayed()
    secure = is_https(gateway)
    with Relayed(gateway.address, v2(A, is_secure=True)) as http:
        assert seen(http.request("GET", "/probe/head")) == (A, True)
        assert seen(http.request("GET", "/probe/head", x_forwarded(B, "http"))) == (A, True)
    with Relayed(gateway.address, v1("10.9.9.9")) as http:  # of a relay before a proxy of HTTP
        assert seen(http.request("GET", "/probe/head", x_forwarded(B))) == (B, secure)
        assert seen(http.request("GET", "/probe/head")) == ("10.9.9.9", secure)
    assert ask(gateway.address, v1("2001:db8::1", "::1")) == ("[2001:db8::1]", secure)
    assert ask(gateway.address, v2("2001:db8::1", to="::1")) == ("[2001:db8::1]", secure)
    assert ask(gateway.address) == ("127.0.0.1", secure)  # none is needed


@pytest.mark.parametrize("header", [v2(), b"PROXY UNKNOWN\r\n"], ids=["local", "unknown"])
def test_header_that_names_nobody_leaves_the_peer(relayed, header):
    gateway = relayed()
    assert ask(gateway.address, header) == ("127.0.0.1", is_https(gateway))
    assert ask(gateway.address, header, x_forwarded(A)) == (A, is_https(gateway))


@pytest.mark.parametrize("header", [v1(A), v2(A)], ids=["v1", "v2"])
def test_header_may_come_a_byte_at_a_time(relayed, header):
    with Relayed(relayed().address, *bytewise(header)) as http:
        assert seen(http.request("GET", "/probe/head"))[0] == A


@pytest.mark.parametrize("header", [v1(A), v2(A)], ids=["v1", "v2"])
def test_header_and_what_follows_may_come_in_one_packet(start_gateway, header):
    gateway = start_gateway(*TRUSTED, secure=False)
    with gateway.connect() as http:
        http.send(header + 2 * request_bytes("GET", "/probe/head"))
        assert [seen(http.read_response()) for _ in range(2)] == 2 * [(A, False)]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("header", [v1(A), v2(A)], ids=["v1", "v2"])
def test_header_and_a_handshake_may_come_in_one_packet(start_gateway, header, version):
    gateway = start_gateway(*TRUSTED, secure=True)
    how = Profile(version)
    how.layer, how.before = TlsBehind, header
    with Http(gateway.address, how=how) as http:
        assert seen(http.request("GET", "/probe/head")) == (A, True)


def test_header_counts_as_bytes_of_the_wire(start_gateway):
    gateway = start_gateway(*TRUSTED, "--listen", "127.0.0.1:0", secure=False)

    def count():
        return gateway.metric("sluice_wire_bytes_total", transport="http", direction="in")

    first, last = count(), count()
    question = last - first  # what asking takes
    for header in v1(A), v2(A, True):
        with Relayed(gateway.address, header) as http:
            assert http.request("GET", "/healthz", {"Connection": "close"}).status == 200
        request = request_bytes("GET", "/healthz", {"Connection": "close"}, host=http.host)
        before, last = last, count()
        assert last - before == question + len(header) + len(request)


@pytest.mark.parametrize("header", [
    b"PROXY TCP4 203.0.113.1\r\n", b"PROXY " + b"x" * 200, b"PROXY / HTTP/1.1\r\n\r\n",
    v2(A)[:12] + b"\x33" + v2(A)[13:], v2(A)[:14] + b"\xff\xff"])
def test_header_that_is_malformed_closes_the_connection(relayed, header):
    gateway = relayed()
    with pytest.raises(Closed), Relayed(gateway.address, header) as http:
        http.read_exact(1)
    assert gateway.metric("sluice_proxy_headers_bad_total") == 1
    assert "warning proxy.bad_header peer=127.0.0.1:" in gateway.stderr().decode()


def test_header_that_is_incomplete_has_the_time_of_a_request(start_gateway):
    gateway = start_gateway(*TRUSTED, "--request-timeout", "0.3", secure=False)
    with Relayed(gateway.address, v2(A)[:20]) as http, pytest.raises(Closed):
        http.read_exact(1)
    assert gateway.metric("sluice_request_timeouts_total") == 1


def test_unix_sockets_are_trusted_by_name(start_gateway, tmp_path):
    for options, client in (["--trust-proxy", "unix"], A), (["--trust-proxy", "0.0.0.0/0"], "unix"):
        gateway = start_gateway("--listen", "unix:%s/s" % tmp_path, *options, secure=False)
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

    def connect(client):
        return Relayed(gateway.address, v1(client) if how == "header" else b"")

    def status(client):
        """What a client learns that asks for one more thing."""
        fields = x_forwarded(client) if how == "fields" else {}
        with connect(client) as http:
            return http.request("GET", "/poll?channels=a&wait=0", fields).status

    def hold(client):
        http = connect(client)
        held.append(http)
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
    assert '--trust-proxy: "%s" is not valid; use a network such as' % network in failed.value.stderr


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_transport_delivers_through_a_proxy(trusting, transport):
    gateway = trusting()
    fields = x_forwarded(A, "https")
    with open_subscriber(transport, gateway, "a", since="0", headers=fields) as reader:
        ids = gateway.publish_all("a", ["one", "two"])
        assert [reader.next_message()["id"] for _ in ids] == ids
