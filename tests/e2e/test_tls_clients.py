"""Clients that nobody here has written, over https: curl and openssl s_client, with each cipher,
fresh and resumed."""

import json
import os
import select
import shutil
import ssl
import subprocess

import pytest

from checks import relayed
from sluicetest import SharedGateway, WebSocket, eventually, request_bytes
from sluicetest.tls import CIPHERS, authority, run_openssl
from sluicetest.wire import TIMEOUT

OFFERED = [(version, cipher) for version in CIPHERS for cipher in CIPHERS[version]]
each_cipher = pytest.mark.parametrize("version,cipher", OFFERED)


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway(secure=True) as shared:
        yield shared


@pytest.fixture(autouse=True, scope="module")
def tools():
    for tool in "curl", "openssl":
        if not shutil.which(tool):
            assert os.environ.get("SLUICE_REQUIRE_TOOLS") != "1", tool + " is not installed"
            pytest.skip(tool + " is not installed")


def handshakes(gateway, result):
    return gateway.metric("sluice_tls_handshakes_total", result=result)


# Which ciphers are offered.

def names_of(version, among):
    listed = run_openssl("ciphers", "-s", "-tls" + version.replace(".", "_"), among).decode()
    return listed.strip().split(":")


@pytest.mark.parametrize("version", list(CIPHERS))
def test_what_is_offered_is_no_more_than_is_meant(gateway, version):
    """Each cipher of this machine's OpenSSL by itself."""
    known = [name for name in names_of(version, "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
             if name.startswith("TLS_") == (version == "1.3")]
    assert set(CIPHERS[version]) < set(known) or version == "1.3"
    taken = [name for name in known if s_client_succeeds(gateway, version, name)]
    assert set(taken) == set(CIPHERS[version])


def s_client_succeeds(gateway, version, cipher):
    done = subprocess.run(s_client_command(gateway, version, cipher + ":@SECLEVEL=0"
                          if version == "1.2" else cipher), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIMEOUT)
    return done.returncode == 0


@pytest.mark.parametrize("first,chosen", [
    (["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"], "TLS_AES_128_GCM_SHA256"),
    (["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"], "TLS_CHACHA20_POLY1305_SHA256"),
    (["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"], "TLS_AES_128_GCM_SHA256")])
def test_the_gateway_chooses_but_for_clients_that_begin_with_chacha(gateway, first, chosen):
    with SClient(gateway, "1.3", ":".join(first)) as client:
        assert client.cipher == chosen


# openssl s_client.

def s_client_command(gateway, version, cipher, *options):
    return ["openssl", "s_client", "-connect", "%s:%d" % gateway.address, "-CAfile",
            authority().path, "-verify_return_error", "-alpn", "http/1.1",
            "-tls" + version.replace(".", "_"),
            "-ciphersuites" if version == "1.3" else "-cipher", cipher, *options]


class SClient:
    """A process of it: its text before the data is its session's; what comes behind is data."""

    def __init__(self, gateway, version, cipher, *options):
        self.process = subprocess.Popen(
            s_client_command(gateway, version, cipher, "-ign_eof", "-nocommands", *options),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.text = b""
        while not self.text.partition(b"SSL handshake has read")[2].count(b"\n---\n"):
            self._read()
        self.cipher = self.text.partition(b"Cipher is ")[2].split()[0].decode()
        self.resumed = b"\nReused, " in self.text

    def _read(self):
        assert select.select([self.process.stdout], [], [], TIMEOUT)[0], self.text[-2000:]
        got = self.process.stdout.read1()
        assert got, self.text[-2000:]
        self.text += got

    def ask(self, data, until):
        """Sends it; returns what came once that has `until` in it. What the program says of its session, a
        ticket among it, may hold anything, and comes before the answer."""
        self.process.stdin.write(data)
        self.process.stdin.flush()
        self.await_text(b"HTTP/1.1 ")
        return b"HTTP/1.1 " + self.await_text(until)

    def await_text(self, until):
        while until not in self.text:
            self._read()
        at = self.text.index(until) + len(until)
        got, self.text = self.text[:at], self.text[at:]
        return got

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@each_cipher
def test_s_client_speaks_each_cipher_fresh_and_resumed(gateway, channel, tmp_path, version, cipher):
    before = {result: handshakes(gateway, result) for result in ("full", "resumed")}
    session = str(tmp_path / "session")
    with SClient(gateway, version, cipher, "-sess_out", session) as client:
        check_all_transports(gateway, client, channel)
        assert client.cipher == cipher and not client.resumed
    for _ in range(2):
        with SClient(gateway, version, cipher, "-sess_in", session) as client:
            check_all_transports(gateway, client, channel)
            assert client.cipher == cipher and client.resumed
    assert handshakes(gateway, "resumed") == before["resumed"] + 2


def check_all_transports(gateway, client, channel):
    """Publish, both polls, and, as the last of its connection, the event stream."""
    since = gateway.head()
    said = client.ask(request_bytes("POST", "/publish?channel=" + channel,
                                    {"Content-Type": "text/plain"}, b"sent"), b'"}')
    assert b"HTTP/1.1 200 " in said, said
    for wait in 0, 25:
        said = client.ask(request_bytes(
            "GET", "/poll?channels=%s&since=%s&wait=%d&n=1" % (channel, since, wait)), b',"n":"1"}')
        assert b'"data":"sent"' in said, said
    client.ask(request_bytes("GET", "/sse?channels=" + channel), b'"type":"open"')
    gateway.publish(channel, "event")
    client.await_text(b'"data":"event"}')


@pytest.mark.parametrize("version", list(CIPHERS))
@pytest.mark.parametrize("path,fields", [
    ("/stream", {}), ("/ws", WebSocket.upgrade_headers()), ("/sse", {})])
def test_s_client_streams(gateway, channel, version, path, fields):
    with SClient(gateway, version, CIPHERS[version][0]) as client:
        client.ask(request_bytes("GET", path + "?channels=" + channel, fields), b'"type":"open"')
        for n in range(3):
            gateway.publish(channel, n)
            client.await_text(b'"data":%d}' % n)


# curl.

class Curl:
    def __init__(self, gateway, version, cipher, *options):
        self.command = [
            "curl", "-sS", "--no-buffer", "--http1.1", "--cacert", authority().path,
            "--tlsv" + version, "--tls-max", version,
            "--tls13-ciphers" if version == "1.3" else "--ciphers", cipher, *options]
        self.origin = gateway.origin

    def run(self, *arguments):
        """Each argument that begins with a slash is a path. Returns what came, bodies behind
        each other."""
        words = [self.origin + word if word.startswith("/") else word for word in arguments]
        done = subprocess.run(self.command + words, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=TIMEOUT)
        assert done.returncode == 0, done.stderr
        return done.stdout


@each_cipher
def test_curl_publishes_and_polls_fresh_and_resumed(gateway, channel, version, cipher):
    curl = Curl(gateway, version, cipher)
    before = handshakes(gateway, "resumed")
    asked = relayed(gateway)
    publish = ["--data-binary", "hello", "-H", "Content-Type: text/plain", "-H",
               "Connection: close", "/publish?channel=" + channel]
    said = curl.run(*publish, *publish[-1:])  # two connections of one process
    assert said.count(b'{"id":') == 2
    # Of TLS 1.2 curl asks for no tickets (SSL_OP_NO_TICKET).
    assert handshakes(gateway, "resumed") == before + (version == "1.3")
    for wait in 0, 25:
        answer = json.loads(curl.run("/poll?channels=%s&since=0&wait=%d" % (channel, wait)))
        assert [message["data"] for message in answer["messages"]] == ["hello"] * 2
    assert relayed(gateway) > asked  # the questions of this test alone
    kept = curl.run("/poll?wait=0&channels=" + channel, "/poll?wait=0&channels=" + channel)
    assert kept.count(b'"cursor"') == 2


@each_cipher
@pytest.mark.parametrize("path", ["/sse", "/stream"])
def test_curl_streams(gateway, channel, version, cipher, path):
    curl = Curl(gateway, version, cipher)
    process = subprocess.Popen(curl.command + [curl.origin + path + "?channels=" + channel],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        said = b""
        for until in (b'"type":"open"', b'"data":0}', b'"data":1}'):
            while until not in said:
                assert select.select([process.stdout], [], [], TIMEOUT)[0], said
                got = process.stdout.read1()
                assert got, said
                said += got
            gateway.publish(channel, said.count(b'"data"'))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_curl_is_told_of_tls_when_it_asks_in_the_clear(gateway):
    done = subprocess.run(["curl", "-sS", "http://%s:%d/poll?channels=a" % gateway.address],
                          capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "tls_required"


def test_curl_trusts_no_other_authority(gateway):
    done = subprocess.run(["curl", "-sS", gateway.origin + "/healthz"], capture_output=True,
                          timeout=TIMEOUT)
    assert done.returncode == 60, done  # CURLE_PEER_FAILED_VERIFICATION
    eventually(lambda: handshakes(gateway, "failed") > 0)


# Python's own, which is what most scripts use.

def test_python_http_client(gateway, channel):
    import http.client
    context = ssl.create_default_context(cafile=authority().path)
    client = http.client.HTTPSConnection(*gateway.address, context=context, timeout=TIMEOUT)
    for n in range(3):
        client.request("POST", "/publish?channel=" + channel, b"%d" % n,
                       {"Content-Type": "text/plain"})
        assert client.getresponse().read().startswith(b'{"id":')
    client.request("GET", "/poll?since=0&channels=" + channel)
    answer = json.loads(client.getresponse().read())
    assert [message["data"] for message in answer["messages"]] == ["0", "1", "2"]
    client.close()
