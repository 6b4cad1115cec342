"""sluice-obstacle over TLS: as a proxy that intercepts it, and towards what stands behind."""

import contextlib
import http.client
import socket
import ssl
import subprocess

import pytest

from sluicetest import TIMEOUT, Http, Obstacle, WebSocket, open_subscriber, run_obstacle


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody has signed, and its key: two paths."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-subj", "/CN=obstacle", "-days", "2", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return cert, key


def options_of(pair):
    return ["--tls-cert", pair[0], "--tls-key", pair[1]]


@contextlib.contextmanager
def tls_client(obstacle, pair, protocols=("h2", "http/1.1"), version=None, where="address"):
    context = ssl.create_default_context(cafile=pair[0])
    context.set_alpn_protocols(list(protocols))
    if version:
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(getattr(obstacle, where), TIMEOUT) as sock, \
            context.wrap_socket(sock, server_hostname="127.0.0.1",
                                suppress_ragged_eofs=False) as wrapped:
        yield wrapped


class TlsObstacle(Obstacle):
    """Its control address speaks TLS too."""

    def __init__(self, to, pair, *faults, options=()):
        self.context = ssl.create_default_context(cafile=pair[0])
        super().__init__(to, *faults, options=[*options_of(pair), *options])

    def ask(self, method, path, body=None, headers=None):
        conn = http.client.HTTPSConnection(*self.control, timeout=TIMEOUT, context=self.context)
        try:
            conn.request(method, path, body=body, headers=headers or {})
            answer = conn.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            conn.close()


@pytest.fixture
def two(gateway, pair):
    """A client's cleartext becomes TLS at the first obstacle, and cleartext again at the second."""
    with TlsObstacle(gateway, pair) as second, Obstacle(second, options=["--to-tls"]) as first:
        yield first, second


# ---- what passes ----

def test_every_transport_passes_through_tls(two, gateway, channel, transport):
    first, second = two
    with open_subscriber(transport, gateway, channel, listener=first.address) as sub:
        gateway.publish(channel, "x" * 60000)  # several records
        assert sub.next_message()["data"] == "x" * 60000
        gateway.publish(channel, 1)
        assert sub.next_data(1) == [1]


def test_a_long_body_passes_upwards(two, gateway, channel):
    first, second = two
    with Http(first.address) as http, open_subscriber("poll", gateway, channel) as sub:
        body = b'"' + b"y" * 60000 + b'"'
        answer = http.request("POST", "/publish?channel=" + channel,
                              {"Content-Type": "application/json"}, body)
        assert answer.status == 200
        assert sub.next_message()["data"] == "y" * 60000


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_chooses_http_1_1_in_either_version(gateway, pair, version):
    with TlsObstacle(gateway, pair) as obstacle:
        with tls_client(obstacle, pair, version=version) as client:
            assert client.selected_alpn_protocol() == "http/1.1"
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = b""
            while data := client.recv(4096):  # it ends with close_notify, or recv raises
                answer += data
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_faults_of_heads_see_what_tls_carries(gateway, pair, channel):
    with TlsObstacle(gateway, pair, "strip-upgrade") as second, \
            Obstacle(second, options=["--to-tls"]) as first, WebSocket(first.address) as ws:
        assert ws.handshake("/ws?channels=" + channel).status == 426


def test_its_control_speaks_tls_too(gateway, pair):
    with TlsObstacle(gateway, pair) as obstacle:
        status, _, body = obstacle.ask("PUT", "/faults", b'["hole"]')
        assert (status, body) == (200, b'["hole"]')
        status, _, body = obstacle.ask("GET", "/faults")
        assert (status, body) == (200, b'["hole"]')


# ---- how it ends ----

def test_a_cut_by_reset_has_no_close_notify(gateway, pair, channel):
    with TlsObstacle(gateway, pair) as obstacle, tls_client(obstacle, pair) as client:
        client.sendall(b"GET /sse?channels=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % channel.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert obstacle.ask("PUT", "/faults", b'["cut=rst"]')[0] == 200
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            while client.recv(4096):
                pass


def test_a_cut_by_fin_is_told(gateway, pair, channel):
    with TlsObstacle(gateway, pair) as obstacle, tls_client(obstacle, pair) as client:
        client.sendall(b"GET /sse?channels=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % channel.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert obstacle.ask("PUT", "/faults", b'["cut=fin"]')[0] == 200
        while client.recv(4096):
            pass  # the end: without close_notify it would raise


def test_what_is_no_tls_is_closed(gateway, pair):
    with TlsObstacle(gateway, pair) as obstacle:
        for where in (obstacle.address, obstacle.control):
            with socket.create_connection(where, TIMEOUT) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                with contextlib.suppress(ConnectionResetError):
                    while data := client.recv(4096):
                        assert data[0] == 0x15  # an alert (RFC 8446, section 5.1)
        with tls_client(obstacle, pair) as client:
            assert client.version()


def test_an_origin_that_speaks_no_tls_is_a_bad_gateway(gateway):
    with Obstacle(gateway, options=["--to-tls"]) as obstacle, Http(obstacle.address) as http:
        assert http.request("GET", "/healthz").status == 502


# ---- options ----

def test_a_certificate_without_its_key_is_refused(pair):
    said = run_obstacle("--listen", "0", "--to", "127.0.0.1:1", "--tls-cert", pair[0])
    assert said.returncode == 2
    assert "--tls-key is missing" in said.stderr


@pytest.mark.parametrize("cert, key, why", [
    ("none.pem", None, "none.pem: "),
    (None, "none.pem", "none.pem: "),
    ("/dev/null", None, "/dev/null: "),
])
def test_files_that_are_none_are_named(pair, cert, key, why):
    said = run_obstacle("--listen", "0", "--to", "127.0.0.1:1", "--tls-cert", cert or pair[0],
                        "--tls-key", key or pair[1])
    assert said.returncode == 2
    assert "TLS: " + why in said.stderr
