"""Handshakes: those that stall, those that fail, what is agreed on, and what comes in their place."""

import random
import socket
import ssl
import subprocess
import time

import pytest

from checks import check_error, served
from sluicetest import Closed, SharedGateway, eventually, request_bytes, responses_in
from sluicetest.http import Http
from sluicetest.tls import Profile, Tls, authority
from sluicetest.wire import TIMEOUT

VERSIONS = ["1.2", "1.3"]
PROTOCOL_VERSION, NO_APPLICATION_PROTOCOL = 70, 120
CHANGE_CIPHER_SPEC = 20


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway(secure=True) as shared:
        yield shared


@pytest.fixture(scope="module")
def shared_hasty():
    with SharedGateway("--request-timeout", "1", secure=True) as shared:
        yield shared


@pytest.fixture
def hasty(shared_hasty):
    """Gives a handshake a second."""
    with shared_hasty.use() as gateway:
        yield gateway


def handshakes(gateway, result):
    return gateway.metric("sluice_tls_handshakes_total", result=result)


def connect(gateway):
    sock = socket.create_connection(gateway.address)
    sock.settimeout(TIMEOUT)
    return sock


def read_to_end(sock):
    got = b""
    try:
        while True:
            more = sock.recv(65536)
            if not more:
                return got
            got += more
    except ConnectionResetError:
        return got


# Deadlines.

class Stalled:
    """A client that shakes hands up to a point: `records` of its second flight are sent (None: not
    even the ClientHello, of which `hello` bytes go out), and of the next one `more` bytes."""

    def __init__(self, gateway, version, hello=None, records=0, more=0):
        self.sock = connect(gateway)
        tls = Tls(self.sock, gateway.address, Profile(version))
        first = second = None
        try:
            tls.object.do_handshake()
        except ssl.SSLWantReadError:
            first = tls.outgoing.read()
        if hello is not None:
            self.sock.sendall(first[:hello])
            return
        self.sock.sendall(first)
        if not records and not more:
            return
        while not second:
            tls.take()
            try:
                tls.object.do_handshake()
            except ssl.SSLWantReadError:
                pass
            second = tls.outgoing.read()
        whole = split_records(second)
        assert len(whole) > records
        self.sock.sendall(b"".join(whole[:records]) + whole[records][:more])


def split_records(data):
    records = []
    while data:
        end = 5 + int.from_bytes(data[3:5], "big")
        records.append(data[:end])
        data = data[end:]
    return records


STALLS = {
    "before anything": dict(hello=0),
    "behind one byte": dict(hello=1),
    "in the header of the ClientHello": dict(hello=4),
    "in the ClientHello": dict(hello=60),
    "behind the ClientHello": dict(),
    "in the client's second flight": dict(more=3),
    "behind its first record": dict(records=1),
    "in its second record": dict(records=1, more=9),
    "behind ChangeCipherSpec": dict(records=2),
    "in Finished": dict(records=2, more=20),
}
IN_13 = dict(list(STALLS.items())[:8])  # its second flight is ChangeCipherSpec and Finished


@pytest.mark.parametrize("version,where", [("1.2", where) for where in STALLS]
                         + [("1.3", where) for where in IN_13])
def test_a_handshake_that_stalls_ends_and_is_counted(hasty, version, where):
    before = handshakes(hasty, "timeout")
    stalled = Stalled(hasty, version, **STALLS[where])
    with stalled.sock:
        read_to_end(stalled.sock)
    eventually(lambda: handshakes(hasty, "timeout") == before + 1)
    served(hasty)


def test_handshakes_that_stall_make_nobody_wait(gateway):
    stalled = [Stalled(gateway, version, hello=n)
               for n in (0, 1, 60, 100) for version in VERSIONS for _ in range(10)]
    for _ in range(5):
        served(gateway)
    for one in stalled:
        one.sock.close()
    eventually(lambda: gateway.metric("sluice_tls_handshakes_waiting") == 0)
    served(gateway)


def test_a_handshake_in_segments_of_one_byte(gateway):
    for version in VERSIONS:
        with connect(gateway) as sock:
            tls = Tls(Bytewise(sock), gateway.address, Profile(version))
            tls.handshake(behind=b"" if version == "1.2" else request_bytes("GET", "/healthz"))
            if version == "1.2":
                tls.send(request_bytes("GET", "/healthz"))
            got = tls.read_buffered()
            while b"\r\n\r\n" not in got:
                tls.take()
                got += tls.read_buffered()
            assert got.startswith(b"HTTP/1.1 200 ")


class Bytewise:
    """A socket that sends each byte by itself."""

    def __init__(self, sock):
        self.sock = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def recv(self, count):
        return self.sock.recv(count)

    def sendall(self, data):
        for at in range(len(data)):
            self.sock.sendall(data[at:at + 1])


# What is no TLS, or not ours.

def hello_of(version="1.2"):
    """The record of a ClientHello."""
    tls = Tls(None, ("127.0.0.1", 1), Profile(version))
    try:
        tls.object.do_handshake()
    except ssl.SSLWantReadError:
        return tls.outgoing.read()


def altered(at, data):
    hello = hello_of()
    return hello[:at] + data + hello[at + len(data):]


GARBAGE = {
    "SSLv2": bytes.fromhex("802e010002001500000010010080020080030080040080050080060040070 0c0"
                           .replace(" ", "")) + bytes(16),
    "zeros": bytes(100),
    "random": random.Random(4182).randbytes(300),
    "a record too long": b"\x16\x03\x01\xff\xff" + bytes(1000),
    "an empty record": b"\x16\x03\x01\x00\x00" * 40,
    "data first": b"\x17\x03\x03\x00\x05hello",
    "an alert first": b"\x15\x03\x01\x00\x02\x02\x28",
    "ChangeCipherSpec first": b"\x14\x03\x03\x00\x01\x01" * 3,
    "a heartbeat": b"\x18\x03\x02\x00\x03\x01\x40\x00",
    "another message first": b"\x16\x03\x01\x00\x04\x0e\x00\x00\x00",
    "a message of 16 MB": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(16380),
    "SSL 3": altered(9, b"\x03\x00"),
    "TLS 1.0": altered(9, b"\x03\x01"),
    "TLS 1.1": altered(9, b"\x03\x02"),
    "no ciphers": b"\x16\x03\x01\x00\x2b\x01\x00\x00\x27\x03\x03" + bytes(32) + b"\0\0\0\x01\0",
    "a broken extension": altered(-6, b"\xff\xff\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("what", list(GARBAGE))
def test_what_is_no_handshake_fails_and_is_counted(gateway, what):
    before = handshakes(gateway, "failed")
    with connect(gateway) as sock:
        sock.sendall(GARBAGE[what])
        said = read_to_end(sock)
    assert not said.startswith(b"HTTP"), said
    eventually(lambda: handshakes(gateway, "failed") == before + 1)
    served(gateway)


def test_another_protocol_of_letters_is_no_request_either(hasty):
    """It begins as a method does, so that it is read as HTTP in the clear."""
    with connect(hasty) as sock:
        sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        said = read_to_end(sock)
    assert all(one.status // 100 == 4 for one in responses_in(said)), said
    served(hasty)


@pytest.mark.parametrize("what", ["TLS 1.0", "TLS 1.1"])
def test_old_versions_are_told_so(gateway, what):
    with connect(gateway) as sock:
        sock.sendall(GARBAGE[what])
        said = read_to_end(sock)
    assert said[0] == 21 and said[-2:] == bytes([2, PROTOCOL_VERSION]), said


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_goes_in_mid_handshake_is_a_failure(gateway, version):
    before = handshakes(gateway, "failed")
    Stalled(gateway, version).sock.close()
    Stalled(gateway, version, hello=70).sock.close()
    eventually(lambda: handshakes(gateway, "failed") == before + 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_common_application_protocol_is_an_alert(gateway, version):
    how = Profile(version)
    how.context.set_alpn_protocols(["h2", "http/1.0"])
    before = handshakes(gateway, "failed")
    with pytest.raises(ssl.SSLError, match="NO_APPLICATION_PROTOCOL|no application protocol"):
        Http(gateway.address, how=how)
    eventually(lambda: handshakes(gateway, "failed") == before + 1)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offered,chosen", [(["h2", "http/1.1"], "http/1.1"), ([], None)])
def test_the_application_protocol_is_http_11(gateway, version, offered, chosen):
    how = Profile(version)
    if offered:
        how.context.set_alpn_protocols(offered)
    else:
        how.context = bare_context(version)
    with connect(gateway) as sock:
        tls = Tls(sock, gateway.address, how)
        tls._shake_hands()
        tls.flush()
        assert tls.object.selected_alpn_protocol() == chosen
        tls.send(request_bytes("GET", "/healthz", {"Connection": "close"}))
        got = b""
        while not tls.ended_by_notify:
            tls.take()
            got += tls.read_buffered() or b""
        assert got.startswith(b"HTTP/1.1 200 ")


def bare_context(version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority().path)
    context.minimum_version = context.maximum_version = Profile(version).context.maximum_version
    return context


@pytest.mark.parametrize("version", VERSIONS)
def test_handshakes_are_counted_and_their_bytes_are_exact(gateway, version):
    def counted():
        return [handshakes(gateway, "full"), handshakes(gateway, "resumed")] + [
            gateway.metric("sluice_tls_handshake_bytes_total", direction=way)
            for way in ("in", "out")]

    def asked():
        """What the asking adds: each metric is a connection of its own."""
        before = [counted() for _ in range(3)]
        assert deltas(before[0], before[1])[:2] == deltas(before[1], before[2])[:2] == [4, 0]

    def deltas(one, other):
        return [b - a for a, b in zip(one, other)]

    asked()
    how = Profile(version, resumes=True)
    texts = metrics_over_one_connection(gateway, how)
    (before, _), (after, second) = texts
    assert value(after, "handshakes_total", 'result="resumed"') \
        - value(before, "handshakes_total", 'result="resumed"') == 1
    assert value(after, "handshakes_total", 'result="full"') \
        == value(before, "handshakes_total", 'result="full"')
    for way, want in ("in", second.handshake_sent), ("out", second.handshake_received):
        name = "handshake_bytes_total", 'direction="%s"' % way
        assert value(after, *name) - value(before, *name) == want


def metrics_over_one_connection(gateway, how):
    """/metrics over a connection, then over another that resumes its session."""
    texts = []
    for _ in range(2):
        with Http(gateway.address, how=how) as http:
            texts.append((http.request("GET", "/metrics").body.decode(), http))
    return texts


def value(text, name, label):
    (line,) = [line for line in text.splitlines()
               if line.startswith("sluice_tls_" + name + "{" + label + "}")]
    return float(line.split()[-1])


@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_s_client_cannot_renegotiate(gateway, version):
    """`R` asks for it, at a line's beginning; TLS 1.3 has none (K is for its keys)."""
    said, status = s_client(gateway, version, b"R\n", lambda text: True)
    assert b"RENEGOTIATING" in said, said
    if version == "1.2":
        assert b"no renegotiation" in said.lower(), said[-800:]
    served(gateway)


@pytest.mark.parametrize("command", [b"k\n", b"K\n"])
def test_openssl_s_client_may_update_its_keys(gateway, command):
    request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    said, status = s_client(gateway, "1.3", command, lambda text: b"KEYUPDATE" in text, request)
    assert b"KEYUPDATE" in said and b"HTTP/1.1 200" in said, said[-800:]


def s_client(gateway, version, command, is_done, then=b""):
    """What it says until the connection's end."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", "%s:%d" % gateway.address, "-CAfile", authority().path,
         "-tls" + version.replace(".", "_"), "-no_ign_eof"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said = b""
        while b"\n---\n" not in said.partition(b"SSL handshake has read")[2]:
            said += process.stdout.read1()
        process.stdin.write(command)
        process.stdin.flush()
        time.sleep(0.3)  # a line that comes with others is no command
        process.stdin.write(then)
        if not then:
            process.stdin.close()
        else:
            process.stdin.flush()
        said += process.stdout.read()
        return said, process.wait(TIMEOUT)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


# Plain HTTP.

def ask_in_the_clear(gateway, data, pieces=1):
    with connect(gateway) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = -(-len(data) // pieces)
        try:
            for at in range(0, len(data), step):
                sock.sendall(data[at:at + step])
                if pieces > 1:
                    time.sleep(0.005)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_to_end(sock)


def check_told(gateway, answer, method="GET", address=None):
    (response,) = responses_in(answer, method)
    if method == "HEAD":
        assert response.status == 400, response
        return
    error = check_error(response, 400, "tls_required")
    assert (address or "https://127.0.0.1:%d/" % gateway.address[1]) in error["message"], error
    assert "close" in response.tokens("Connection"), response


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("pieces", [1, 2, 1000])
def test_plain_http_is_told_the_https_address(gateway, method, pieces):
    host = "127.0.0.1:%d" % gateway.address[1]
    before = gateway.metric("sluice_tls_plain_http_total")
    body = b"x" if method in ("POST", "PUT", "PATCH") else None
    answer = ask_in_the_clear(gateway, request_bytes(
        method, "/publish?channel=a", PLAIN_TYPE if body else {}, body, host=host), pieces)
    check_told(gateway, answer, method, "https://%s/publish?channel=a" % host)
    eventually(lambda: gateway.metric("sluice_tls_plain_http_total") == before + 1)
    assert handshakes(gateway, "failed") >= 0


PLAIN_TYPE = {"Content-Type": "text/plain"}


@pytest.mark.parametrize("target", ["/ws?channels=a", "/sse?channels=a", "/stream?channels=a",
                                    "/poll?channels=a", "/", "/stats", "/metrics", "/healthz",
                                    "/no/such/page"])
def test_nothing_is_served_in_the_clear(gateway, target):
    from sluicetest import WebSocket
    fields = WebSocket.upgrade_headers() if target.startswith("/ws") else {}
    host = "127.0.0.1:%d" % gateway.address[1]
    answer = ask_in_the_clear(gateway, request_bytes("GET", target, fields, host=host))
    check_told(gateway, answer, address="https://%s%s" % (host, target))


def test_nothing_is_published_in_the_clear(gateway, channel):
    ask_in_the_clear(gateway, request_bytes("POST", "/publish?channel=" + channel, PLAIN_TYPE, b"x"))
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel)
    assert answer.json()["messages"] == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1\"><script>", "a b", ""])
def test_a_plain_request_for_a_strange_host_gets_an_answer_too(gateway, host):
    answer = ask_in_the_clear(gateway, request_bytes("GET", "/", host=host))
    (response,) = responses_in(answer)
    assert response.status in (400, 403, 421) and b"<script>" not in response.body, response


def test_requests_behind_the_first_plain_one_are_not_read(gateway):
    answer = ask_in_the_clear(gateway, request_bytes("GET", "/healthz") * 3)
    assert len(responses_in(answer)) == 1


def test_plain_http_and_tls_side_by_side(gateway):
    with Http(gateway.address) as secure:
        for _ in range(3):
            ask_in_the_clear(gateway, request_bytes("GET", "/healthz"))
            assert secure.request("GET", "/healthz").status == 200


# Certificates side by side.

def test_two_kinds_of_key_for_an_address_alone(start_gateway):
    options = []
    for kind in "ec", "rsa":
        certificate, key = authority().issue(kind, names="IP:127.0.0.1")
        options += ["--tls-cert", certificate, "--tls-key", key]
    gateway = start_gateway("--tls-listen", "127.0.0.1:0", *options)
    for kind in "ECDSA", "RSA":
        with Http(gateway.address, how=Profile("1.2", "ECDHE-%s-AES128-GCM-SHA256" % kind)) as http:
            assert http.request("GET", "/healthz").status == 200


# Many at a time.

def test_many_handshakes_at_once_all_get_through(gateway):
    """More than a turn takes; the rest waits in line, and nobody is forgotten."""
    how = Profile("1.3")
    waiting = []
    for _ in range(100):
        sock = connect(gateway)
        tls = Tls(sock, gateway.address, how)
        try:
            tls.object.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append((sock, tls))
    for _, tls in waiting:
        tls.flush()
    for sock, tls in waiting:
        tls.handshake()
        tls.send(request_bytes("GET", "/healthz", {"Connection": "close"}))
    for sock, tls in waiting:
        got = b""
        while not tls.ended_by_notify:
            tls.take()
            got += tls.read_buffered() or b""
        assert got.startswith(b"HTTP/1.1 200 "), got
        sock.close()
    assert gateway.metric("sluice_tls_handshakes_waiting") == 0


def test_connections_above_the_limit_are_refused_over_tls(start_gateway, channel):
    gateway = start_gateway("--max-connections", "4", secure=True)
    held = [Http(gateway.address) for _ in range(4)]
    for http in held:
        http.send_request("GET", "/stream?channels=" + channel)
        assert http.read_head().status == 200
    with Http(gateway.address) as refused:
        check_error(refused.request("GET", "/poll?wait=0&channels=" + channel), 429)
    more = [socket.create_connection(gateway.address) for _ in range(200)]
    for sock in more:
        sock.close()
    held[0].close()
    eventually(lambda: _answers(gateway))
    for http in held[1:]:
        http.close()


def _answers(gateway):
    try:
        return gateway.get("/healthz").status == 200
    except (Closed, ConnectionError):
        return False
