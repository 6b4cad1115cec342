"""A gateway on NATS starts, or says why not: servers that come late or never, logins, TLS, streams that cannot be
a log."""

import base64
import hashlib
import json
import re
import signal
import socket
import subprocess
import time

import pytest

from sluicetest import Gateway, eventually
from sluicetest.gateway import GatewayFailed, binary
from sluicetest.nats import options_for, require, run_cluster
from sluicetest.tls import Authority, authority
from sluicetest.tokens import KeyPair, b64, write_key

REFUSED = 2   # SL_CONFIG_EXIT_REFUSED
SOON_S = 15   # what takes a moment gets so long on a busy machine
ED25519 = ("-algorithm", "ed25519")


@pytest.fixture(autouse=True)
def needs_nats():
    require()


def expect_failure(status, *options):
    """Starts a gateway that must not start. Returns what it said."""
    with pytest.raises(GatewayFailed) as failed:
        Gateway(*options)
    assert failed.value.status == status, failed.value.stderr
    return failed.value.stderr


def expect_service(*options):
    with Gateway(*options) as gateway:
        gateway.publish("some.channel", {"a": 1})
        assert gateway.get("/readyz").status == 200
        return gateway.stderr().decode()


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def spawn(*options, stderr=subprocess.PIPE):
    """A gateway that is not waited for."""
    return subprocess.Popen([binary(), *options], stdout=subprocess.PIPE, stderr=stderr, text=True)


# ---- waiting for servers ----

def is_refused(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


def test_clients_are_refused_until_the_log_is_there(tmp_path):
    port, log = free_port(), tmp_path / "log"
    started = []

    def prepare(cluster):
        with open(log, "wb") as stderr:
            started.append(spawn("--listen", "127.0.0.1:%d" % port, *options_for(cluster, "late"), stderr=stderr))
        eventually(lambda: "backend.unreachable" in log.read_text(), timeout=SOON_S)
        assert started[0].poll() is None
        assert is_refused(port)

    with run_cluster(prepare=prepare):
        try:
            eventually(lambda: not is_refused(port), timeout=SOON_S)
        finally:
            started[0].send_signal(signal.SIGTERM)
            out = started[0].communicate(timeout=SOON_S)[0]
    assert started[0].returncode == 0
    assert "listening http://127.0.0.1:%d/" % port in out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_waits_is_ended_by_a_signal(number):
    gateway = spawn("--listen", "127.0.0.1:0", "--backend", "nats", "--nats", "nats://127.0.0.1:%d" % free_port())
    time.sleep(0.5)
    assert gateway.poll() is None
    gateway.send_signal(number)
    out, said = gateway.communicate(timeout=SOON_S)
    assert gateway.returncode == 0, said
    assert "listening" not in out


def test_a_server_that_accepts_and_says_nothing_holds_nobody_up():
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        gateway = spawn("--listen", "127.0.0.1:0", "--backend", "nats", "--nats",
                        "tls://127.0.0.1:%d" % mute.getsockname()[1])
        peer = mute.accept()[0]
        peer.sendall(b'INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"tls_required":true}\r\n')
        peer.recv(100)  # it greets as TLS does
        gateway.send_signal(signal.SIGTERM)
        gateway.communicate(timeout=SOON_S)
        assert gateway.returncode == 0
        peer.close()


def test_without_a_server_the_start_fails_in_time_and_says_which():
    url = "nats://jo:secret@127.0.0.1:%d" % free_port()
    said = expect_failure(1, "--backend", "nats", "--nats", url, "--nats-connect-timeout", "1")
    assert "backend.timeout waited_s=1" in said
    assert url.replace("jo:secret", "***") in said
    assert "secret" not in said


def test_one_server_of_several_is_enough(nats):
    options = ["--nats", "nats://127.0.0.1:%d" % free_port(), *options_for(nats, "several")]
    said = expect_service(*options, "--nats-replicas", "1")
    assert "backend.connected url=%s" % nats.servers[0].url in said


# ---- who logs in ----

def with_login(login, cluster):
    return cluster.servers[0].url.replace("nats://", "nats://%s@" % login)


def test_a_password_from_the_url_or_a_file():
    with run_cluster(settings='authorization { user: jo, password: "se,cr@t" }') as cluster:
        bus = ("--backend", "nats", "--nats-connect-timeout", "20")
        said = expect_service(*bus, "--nats", with_login("jo:se%2Ccr%40t", cluster))
        assert "cr@t" not in said and "cr%40t" not in said
        plain, right, wrong = cluster.servers[0].url, write_key("right", "se,cr@t\n"), write_key("wrong", "secret\n")
        expect_service(*bus, "--nats", plain, "--nats-user", "jo", "--nats-password", right)
        said = expect_failure(1, *bus, "--nats", plain, "--nats-user", "jo", "--nats-password", wrong)
        assert re.search(r'backend\.refused reason="%s: .*Auth' % plain, said), said
        said = expect_failure(1, *bus, "--nats", plain)
        assert "backend.refused" in said


def test_a_token_from_the_url_or_a_file():
    with run_cluster(settings="authorization { token: s3cret }") as cluster:
        plain = ("--backend", "nats", "--nats", cluster.servers[0].url)
        expect_service("--backend", "nats", "--nats", with_login("s3cret", cluster))
        expect_service(*plain, "--nats-token", write_key("token", "s3cret\n"))
        said = expect_failure(1, *plain, "--nats-token", write_key("token", "other\n"))
        assert "backend.refused" in said and "other" not in said


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xffff
    return crc.to_bytes(2, "little")


def base32(data):
    return base64.b32encode(data + crc16(data)).decode().rstrip("=")


class Nkey:
    """A key of NATS: `kind` is user, account or operator."""

    PREFIXES = {"user": 20 << 3, "account": 0, "operator": 14 << 3}

    def __init__(self, kind):
        prefix = self.PREFIXES[kind]
        self.pair = KeyPair(ED25519)
        raw = base64.b64decode("".join(self.pair.private_pem.strip().split("\n")[1:-1]))[-32:]
        self.public = base32(bytes([prefix]) + self.pair.der[-32:])
        self.seed = base32(bytes([18 << 3 | prefix >> 5, (prefix & 31) << 3]) + raw)

    def sign(self, subject, name, claims):
        """A JWT that this key issues."""
        body = {"jti": "", "iat": int(time.time()), "iss": self.public, "sub": subject, "name": name,
                "nats": dict(claims, version=2)}
        body["jti"] = base64.b32encode(hashlib.sha256(json.dumps(body).encode()).digest()).decode().rstrip("=")
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (head, body))
        return signed + "." + b64(self.pair.sign(signed.encode()))


def test_an_nkey():
    user, stranger = Nkey("user"), Nkey("user")
    with run_cluster(settings="authorization { users: [ { nkey: %s } ] }" % user.public) as cluster:
        options = ("--backend", "nats", "--nats", cluster.servers[0].url)
        expect_service(*options, "--nats-nkey", write_key("seed", "# of the gateway\n%s\n" % user.seed))
        said = expect_failure(1, *options, "--nats-nkey", write_key("seed", stranger.seed))
        assert "backend.refused" in said


def write_creds(jwt, seed):
    return write_key("creds", "-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"
                     "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n" % (jwt, seed))


def test_a_file_of_credentials():
    operator, account, system, stranger = Nkey("operator"), Nkey("account"), Nkey("account"), Nkey("account")
    user = Nkey("user")
    plain = {name: -1 for name in ("subs", "data", "payload", "conn", "leaf", "imports", "exports")}
    jetstream = {name: -1 for name in ("mem_storage", "disk_storage", "streams", "consumer")}

    def describe(key, limits):
        return "%s: %s" % (key.public, operator.sign(key.public, "account", {
            "type": "account", "limits": dict(plain, wildcards=True, **limits)}))

    accounts = describe(account, jetstream) + ", " + describe(system, {})
    settings = "operator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: { %s }" % (
        operator.sign(operator.public, "operator", {"type": "operator"}), system.public, accounts)
    claims = {"type": "user", "subs": -1, "data": -1, "payload": -1}
    with run_cluster(settings=settings) as cluster:
        options = ("--backend", "nats", "--nats", cluster.servers[0].url)
        right = account.sign(user.public, "gateway", claims)
        expect_service(*options, "--nats-creds", write_creds(right, user.seed))
        wrong = stranger.sign(user.public, "gateway", claims)
        said = expect_failure(1, *options, "--nats-creds", write_creds(wrong, user.seed))
        assert "backend.refused" in said


# ---- TLS ----

def tls_settings(names="IP:127.0.0.1", more=""):
    certificate, key = authority().issue("ec", names)
    return 'tls { cert_file: "%s", key_file: "%s", ca_file: "%s", timeout: 5 %s }' % (
        certificate, key, authority().path, more)


def tls_options(cluster, *more, scheme="tls"):
    url = cluster.servers[0].url.replace("nats://", scheme + "://")
    return ("--backend", "nats", "--nats", url, "--nats-ca", authority().path, *more)


def test_tls_with_the_right_authority_alone():
    with run_cluster(settings=tls_settings()) as cluster:
        expect_service(*tls_options(cluster))
        expect_service(*tls_options(cluster, scheme="nats"))
        said = expect_failure(1, *tls_options(cluster, "--nats-ca", Authority().path))
        assert re.search(r"backend\.refused .*certificate", said), said
        plain = cluster.servers[0].url
        said = expect_failure(1, "--backend", "nats", "--nats", plain)  # the server asks for it
        assert re.search(r"backend\.refused .*certificate", said), said


def test_tls_checks_the_server_s_name():
    with run_cluster(settings=tls_settings("DNS:other.example,IP:127.0.0.9")) as cluster:
        said = expect_failure(1, *tls_options(cluster))
        assert re.search(r"backend\.refused .*(mismatch|certificate)", said), said


def test_tls_of_a_server_that_speaks_none(nats):
    said = expect_failure(1, *tls_options(nats))
    assert re.search(r"backend\.refused .*[Ss]ecure", said), said


def test_tls_with_a_certificate_of_the_gateway_s_own():
    certificate, key = authority().issue("ec", "DNS:gateway.example", "gateway")
    with run_cluster(settings=tls_settings(more=", verify: true")) as cluster:
        expect_service(*tls_options(cluster, "--nats-cert", certificate, "--nats-key", key))
        said = expect_failure(1, *tls_options(cluster), "--nats-connect-timeout", "5")
        assert re.search(r"backend\.(refused|timeout)", said), said


def test_much_goes_through_tls():
    with run_cluster(settings=tls_settings()) as cluster:
        with Gateway(*tls_options(cluster)) as gateway:
            gateway.publish_all("large", ["x" * 60000] * 100)
        with Gateway(*tls_options(cluster)) as gateway:
            assert gateway.head().endswith("-100")


# ---- the log ----

def test_a_stream_that_cannot_be_a_log_is_refused(nats):
    expect_service(*options_for(nats, "limited"))
    said = expect_failure(1, *options_for(nats, "limited"), "--history-age", "3600")
    assert "the stream sluice-limited has max_age 300, but 3600 s or more is needed" in said
    assert "nats stream edit" in said
    said = expect_failure(1, *options_for(nats, "limited"), "--nats-replicas", "3")
    assert "num_replicas 1, but 3 is needed" in said


def test_servers_without_jetstream_are_no_use():
    with run_cluster() as cluster:
        server = cluster.servers[0]
        server.terminate()
        with open(server.config) as file:
            lines = [line for line in file if not line.startswith("jetstream")]
        with open(server.config, "w") as file:
            file.writelines(lines)
        server.start()
        said = expect_failure(1, *options_for(cluster, "main"), "--nats-connect-timeout", "5")
        assert "JetStream is not there" in said


def test_what_was_published_before_is_there_after_a_restart(nats):
    options = options_for(nats, "kept")
    with Gateway(*options) as gateway:
        ids = gateway.publish_all("some.channel", ["a", "b", "c"])
    with Gateway(*options) as gateway:
        answer = gateway.get("/poll?channels=some.channel&since=0&wait=0")
        assert [message["id"] for message in answer.json()["messages"]] == ids


# ---- the options ----

def check_config(*options):
    return subprocess.run([binary(), "--check-config", "--backend", "nats", *options], capture_output=True, text=True,
                          timeout=60)


def test_check_config_reads_the_files_and_connects_to_nobody():
    assert check_config("--nats", "nats://127.0.0.1:1").returncode == 0
    refused = check_config("--nats-token", "/nowhere/token")
    assert refused.returncode == REFUSED
    assert "sluice: --nats-token /nowhere/token: " in refused.stderr
    assert "sluice: --nats-user: --nats-password is missing" in check_config("--nats-user", "jo").stderr


def test_a_url_that_is_refused_shows_no_password():
    refused = check_config("--nats", "http://jo:secret@here")
    assert refused.returncode == REFUSED
    assert "--nats: \"http://***@here\" is not valid" in refused.stderr
    assert "secret" not in refused.stderr


def test_a_reload_shows_no_password(nats, tmp_path):
    """NATS without logins takes any."""
    file = tmp_path / "sluice.json"
    url = with_login("jo:secret", nats)
    content = {"backend": "nats", "nats": url, "nats-bus": "reload", "listen": "127.0.0.1:0"}
    file.write_text(json.dumps(content))
    with Gateway("--config", file) as gateway:
        content["nats"] = url.replace("secret", "changed")
        file.write_text(json.dumps(content))
        gateway.signal(signal.SIGHUP)
        eventually(lambda: b"reload.done" in gateway.stderr(), timeout=SOON_S)
        said = gateway.stderr().decode()
        assert "option=nats" in said and "this option needs a restart" in said
        assert "secret" not in said and "changed@" not in said
        gateway.publish("some.channel", "text")
