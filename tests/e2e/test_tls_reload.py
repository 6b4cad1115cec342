"""Certificates: which one a client gets, those that SIGHUP brings while clients are served, those
that are refused, and tickets that outlive connections, reloads and gateways."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from sluicetest import (
    TRANSPORTS, GatewayFailed, Http, binary, eventually, open_subscriber)
from sluicetest.tls import Shake, authority, fingerprint, run_openssl
from sluicetest.wire import TIMEOUT

VERSIONS = ["1.2", "1.3"]
each_version = pytest.mark.parametrize("version", VERSIONS)


class Files:
    """The files of a gateway's certificate, which a test replaces."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate, self.key = str(folder / "cert.pem"), str(folder / "key.pem")
        self.tickets = str(folder / "tickets")
        self.options = ["--tls-listen", "127.0.0.1:0", "--tls-cert", self.certificate,
                        "--tls-key", self.key]

    def put(self, pair):
        """Renames new files into place, as whoever renews certificates should."""
        for path, source in zip((self.certificate, self.key), pair):
            shutil.copy(source, path + ".new")
            os.chmod(path + ".new", 0o600)
            os.rename(path + ".new", path)

    def put_tickets(self, *digits):
        with open(self.tickets, "w") as file:
            file.writelines(160 * digit + "\n" for digit in digits)
        os.chmod(self.tickets, 0o600)


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path)
    made.put(pair("one"))
    return made


def pair(label):
    """A certificate for this machine's names that `label` tells from others, and its key."""
    return authority().issue("ec", label=label)


def reload(gateway):
    """Returns what the log says of it."""
    before = len(gateway.stderr())
    gateway.signal(signal.SIGHUP)
    eventually(lambda: b"reload.done" in gateway.stderr()[before:])
    return gateway.stderr()[before:].decode()


def serves(gateway, certificate, **how):
    return Shake(gateway.address, **how).certificate == fingerprint(certificate)


# Under load.

class Load:
    """Subscribers of every transport, a publisher, and clients that come and go, until told to end;
    nobody of them may see anything of a reload."""

    def __init__(self, gateway, channel):
        self.gateway, self.channel = gateway, channel
        self.ended = threading.Event()
        self.failures = []
        self.published = 0
        self.seen = set()
        self.subscribers = [open_subscriber(kind, gateway, channel, since="0")
                            for kind in TRANSPORTS for _ in range(2)]
        self.threads = [threading.Thread(target=self._watch, args=(one,)) for one in (
            self._publish, self._shake, self._shake, *(self._reader(s) for s in self.subscribers))]
        for thread in self.threads:
            thread.start()

    def _watch(self, run):
        try:
            run()
        except BaseException as failure:  # told by the test's own thread
            self.failures.append(repr(failure))

    def _publish(self):
        with self.gateway.connect() as http:
            while not self.ended.is_set():
                self.gateway.publish(self.channel, self.published, on=http)
                self.published += 1
            self.gateway.publish(self.channel, "end", on=http)

    def _shake(self):
        while not self.ended.is_set():
            self.seen.add(Shake(self.gateway.address, version="1.3").certificate)

    def _reader(self, subscriber):
        def read():
            expected = 0
            while True:
                data = subscriber.next_data(1)[0]
                if data == "end":
                    assert expected == self.published
                    return
                assert data == expected
                expected += 1
        return read

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(TIMEOUT)
            assert not thread.is_alive()
        for subscriber in self.subscribers:
            subscriber.close()
        assert not self.failures, self.failures


def test_a_reload_under_load_changes_certificates_and_loses_nobody(start_gateway, files, channel):
    gateway = start_gateway(*files.options, "--history-messages", "1000000")
    load = Load(gateway, channel)
    try:
        for n in range(6):
            label = ("two", "one")[n % 2]
            files.put(pair(label))
            reload(gateway)
            # Each shard at its next turn; whoever connects may reach any of them.
            eventually(lambda: all(serves(gateway, pair(label)[0]) for _ in range(8)))
            then = load.published
            eventually(lambda: load.published > then + 20)
    finally:
        load.end()
    assert load.seen == {fingerprint(pair(label)[0]) for label in ("one", "two")}
    assert gateway.metric("sluice_tls_handshakes_total", result="failed") == 0


def test_a_reload_in_the_middle_of_a_handshake(start_gateway, files):
    """It is finished with the certificates that it began with."""
    gateway = start_gateway(*files.options)
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", "%s:%d" % gateway.address, "-tls1_3", "-ign_eof",
         "-msg"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with socket.create_connection(gateway.address) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01")  # of a ClientHello whose rest does not come yet
        files.put(pair("two"))
        reload(gateway)
        eventually(lambda: serves(gateway, pair("two")[0]))
        files.put(pair("one"))
        reload(gateway)
        eventually(lambda: serves(gateway, pair("one")[0]))
        sock.sendall(b"\x00" * 600)
        sock.settimeout(TIMEOUT)
        while sock.recv(4096):  # an alert, then the end
            pass
    process.stdin.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    process.stdin.close()
    assert b'"status":"ok"' in process.stdout.read()
    process.wait(TIMEOUT)


# What is refused.

def cut(path, share):
    with open(path, "r+") as file:
        size = len(file.read())
        file.truncate(int(size * share))


def encrypt(path):
    run_openssl("pkey", "-in", path, "-aes128", "-passout", "pass:secret", "-out", path + ".new")
    os.rename(path + ".new", path)


FAULTS = {
    "another key": (lambda files: shutil.copy(pair("two")[1], files.key),
                    "key.pem: the key does not belong to the first certificate of --tls-cert"),
    "another certificate": (lambda files: shutil.copy(pair("two")[0], files.certificate),
                            "key.pem: the key does not belong to the first certificate of --tls-cert"),
    "half a certificate": (lambda files: cut(files.certificate, 0.5),
                           "cert.pem: certificate 1 of the file is damaged or incomplete"),
    "half a key": (lambda files: cut(files.key, 0.5), "key.pem: the key is damaged"),
    "an empty certificate": (lambda files: cut(files.certificate, 0),
                             "cert.pem: the file holds no certificate in PEM"),
    "an empty key": (lambda files: cut(files.key, 0), "key.pem: the file holds no private key in PEM"),
    "no certificate": (lambda files: os.unlink(files.certificate),
                       "cert.pem: cannot read the file (No such file or directory)"),
    "no key": (lambda files: os.unlink(files.key),
               "key.pem: cannot read the file (No such file or directory)"),
    "an encrypted key": (lambda files: encrypt(files.key),
                         "key.pem: the key has a password, which sluice cannot ask for"),
    "ticket keys": (lambda files: files.put_tickets("1", "x"),
                    "tickets: line 2 is not a key; use 160 hex digits"),
    "no ticket keys": (lambda files: os.unlink(files.tickets),
                       "tickets: cannot read the file (No such file or directory)"),
}
each_fault = pytest.mark.parametrize("fault", FAULTS)


@each_fault
def test_what_a_reload_refuses_leaves_the_old_in_force(start_gateway, files, fault):
    spoil, why = FAULTS[fault]
    settings = files.folder / "sluice.json"
    settings.write_text('{"heartbeat": 20}')
    files.put_tickets("1")
    gateway = start_gateway(*files.options, "--tls-ticket-keys", files.tickets, "--config", settings)
    assert gateway.metric("sluice_tls_reload_failed") == 0
    first = Shake(gateway.address)
    spoil(files)
    settings.write_text('{"heartbeat": 30}')
    for _ in range(2):  # as long as the files are so
        said = reload(gateway)
        assert re.search(r" error tls\.refused reason=\"--tls-\S+ \S+/%s" % re.escape(why), said), said
        assert "reload.failed" not in said
        eventually(lambda: gateway.metric("sluice_tls_reload_failed") == 1)
        eventually(lambda: gateway.stats()["tls"]["reload_failed"] == 1)
    assert serves(gateway, pair("one")[0])
    assert Shake(gateway.address, session=first).is_resumed
    eventually(lambda: gateway.get("/transports").json()["heartbeat"] == 30)  # all else is taken
    files.put(pair("two"))
    files.put_tickets("1")
    assert "tls.refused" not in reload(gateway)
    eventually(lambda: serves(gateway, pair("two")[0]))
    eventually(lambda: gateway.metric("sluice_tls_reload_failed") == 0)
    assert Shake(gateway.address, session=first).is_resumed


@each_fault
def test_a_start_refuses_the_same_and_so_does_a_check(start_gateway, files, fault):
    spoil, why = FAULTS[fault]
    files.put_tickets("1")
    options = files.options + ["--tls-ticket-keys", files.tickets]
    checked = check(*options)
    assert (checked.returncode, refusals(checked)) == (0, [])
    spoil(files)
    with pytest.raises(GatewayFailed) as failed:
        start_gateway(*options)
    assert failed.value.status == 2
    assert "error tls.refused reason=\"--tls-" in failed.value.stderr
    assert why in failed.value.stderr
    checked = check(*options)
    assert checked.returncode == 2
    told, = refusals(checked)
    assert re.match(r"sluice: --tls-\S+ \S+/%s" % re.escape(why), told), told


def refusals(done):
    return [line for line in done.stderr.splitlines() if line.startswith("sluice: ")]


def check(*options):
    return subprocess.run([binary(), "--check-config", "--log-level", "error", *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)


@pytest.mark.parametrize("options,why", [
    (["--tls-listen", "127.0.0.1:0"], "--tls-listen: TLS needs a certificate and its key"),
    (["--tls-cert", "CERT", "--tls-key", "KEY"], "--tls-cert: no listener speaks TLS"),
    (["--tls-listen", "127.0.0.1:0", "--tls-cert", "CERT"],
     "--tls-cert: certificates: 1, keys (--tls-key): 0"),
], ids=["no certificate", "no listener", "no key"])
def test_listeners_certificates_and_keys_need_each_other(start_gateway, files, options, why):
    paths = {"CERT": files.certificate, "KEY": files.key}
    with pytest.raises(GatewayFailed) as failed:
        start_gateway(*[paths.get(option, option) for option in options], secure=False)
    assert failed.value.status == 2
    assert why in failed.value.stderr


def test_a_key_that_everybody_can_read_is_warned_of_and_served(start_gateway, files):
    os.chmod(files.key, 0o644)
    gateway = start_gateway(*files.options)
    assert 'warning tls.exposed option=--tls-key file="%s" mode=0644' % files.key \
        in gateway.stderr().decode()
    assert serves(gateway, pair("one")[0])


# Which certificate.

def issue(kind, *names):
    return authority().issue(kind, ",".join("DNS:" + name for name in names) + ",IP:127.0.0.1",
                             names[0])


def with_certificates(*pairs):
    options = ["--tls-listen", "127.0.0.1:0"]
    for certificate, key in pairs:
        options += ["--tls-cert", certificate, "--tls-key", key]
    return options


@each_version
def test_the_name_that_a_client_asks_for_chooses(start_gateway, version):
    first = issue("ec", "first.example")
    wide = issue("ec", "second.example", "*.second.example")
    exact = issue("ec", "www.second.example")
    gateway = start_gateway(*with_certificates(first, wide, exact))
    for name, chosen in [("first.example", first), ("FIRST.example", first),
                         ("second.example", wide), ("a.second.example", wide),
                         ("www.second.example", exact), ("a.b.second.example", first),
                         ("other.example", first), (None, first)]:
        assert serves(gateway, chosen[0], name=name, version=version), name


@pytest.mark.parametrize("algorithms,kind", [
    ("ECDSA+SHA256", "ec"), ("RSA-PSS+SHA256:RSA+SHA256", "rsa"),
    ("RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA256", "ec"), ("ed448", None)])
@each_version
def test_what_a_client_can_verify_chooses_the_kind_of_key(start_gateway, version, algorithms, kind):
    gateway = start_gateway(*with_certificates(issue("ec", "both.example"), issue("rsa", "both.example"),
                                               issue("ec", "else.example")))
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "%s:%d" % gateway.address, "-servername", "both.example",
         "-tls" + version.replace(".", "_"), "-sigalgs", algorithms],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode == 0) == (kind is not None)
    if kind:
        shown = re.search(r"-----BEGIN CERT.*?-----END CERTIFICATE-----\n", done.stdout, re.S).group()
        with open(issue(kind, "both.example")[0]) as file:
            assert shown == file.read()


def test_metrics_tell_when_each_certificate_expires(start_gateway):
    pairs = [issue("ec", "both.example"), issue("rsa", "both.example"), issue("ec", "else.example")]
    gateway = start_gateway(*with_certificates(*pairs))
    for name, key in [("both.example", "ecdsa"), ("both.example", "rsa"), ("else.example", "ecdsa")]:
        left = gateway.metric("sluice_tls_certificate_expiry_seconds", name=name, key=key)
        assert 86400 < left <= 2 * 86400
    told = gateway.stats()["tls"]["certificates"]
    assert [(one["name"], one["key"]) for one in told] == [
        ("both.example", "ecdsa"), ("both.example", "rsa"), ("else.example", "ecdsa")]


def test_a_certificate_that_has_expired_is_served_and_told(start_gateway, files):
    expire(files)
    gateway = start_gateway(*files.options, secure=False)
    assert 'warning tls.expired file="%s" name="gone.example" since_s=' % files.certificate \
        in gateway.stderr().decode()
    assert serves(gateway, files.certificate)
    how = Shake(gateway.address)  # whoever verifies would not speak to it
    assert how.certificate == fingerprint(files.certificate)


def expire(files):
    """A certificate of yesterday, which `openssl x509` cannot make and `openssl ca` can."""
    folder = files.folder
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndir=%s\ndatabase=$dir/index.txt\nserial=$dir/serial\n"
        "new_certs_dir=$dir\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n"
        "[x]\nsubjectAltName=DNS:gone.example\n" % folder)
    run_openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", files.key, "-out", str(folder / "csr"), "-subj", "/CN=gone")
    run_openssl("ca", "-batch", "-notext", "-config", str(folder / "ca.cnf"), "-selfsign", "-keyfile",
                files.key, "-in", str(folder / "csr"), "-out", files.certificate,
                "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")


def test_a_listener_from_systemd_is_secure_by_its_name(start_gateway, files, monkeypatch):
    monkeypatch.setenv("LISTEN_FDNAMES", "https")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        gateway = start_gateway("--tls-cert", files.certificate, "--tls-key", files.key,
                                inherit=sock, secure=False)
        assert serves(gateway, pair("one")[0])


def test_a_unix_socket_speaks_tls(start_gateway, files):
    path = "%s/socket" % files.folder
    options = ["unix:" + path if option == "127.0.0.1:0" else option for option in files.options]
    gateway = start_gateway(*options, secure=False)
    assert gateway.listeners == [path]
    done = subprocess.run(["openssl", "s_client", "-unix", path, "-CAfile", authority().path,
                           "-verify_return_error", "-quiet", "-ign_eof"], capture_output=True,
                          input=b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                          timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    assert b'"status":"ok"' in done.stdout


def test_both_kinds_of_listeners_serve_side_by_side(start_gateway, files, channel):
    gateway = start_gateway("--listen", "127.0.0.1:0", *files.options, secure=False)
    secure, clear = gateway.listeners
    assert serves_at(secure) == fingerprint(pair("one")[0])
    with open_subscriber("sse", gateway, channel, listener=secure) as subscriber:
        with Http(clear) as http:
            gateway.publish(channel, "x", on=http)
        assert subscriber.next_data(1) == ["x"]


def serves_at(address):
    return Shake(address).certificate


# Tickets.

def resumes(gateway, shake):
    return Shake(gateway.address, session=shake).is_resumed


@each_version
def test_a_client_resumes_whichever_shard_it_reaches(start_gateway, files, version):
    gateway = start_gateway(*files.options, "--shards", "4")
    first = Shake(gateway.address, version=version)
    assert not first.is_resumed
    for _ in range(20):
        first = Shake(gateway.address, session=first)
        assert first.is_resumed
    assert gateway.metric("sluice_tls_handshakes_total", result="resumed") >= 20


@each_version
def test_a_session_outlives_the_certificate_it_began_with(start_gateway, files, version):
    gateway = start_gateway(*files.options)
    first = Shake(gateway.address, version=version)
    files.put(pair("two"))
    reload(gateway)
    eventually(lambda: serves(gateway, pair("two")[0]))
    assert resumes(gateway, first)


@each_version
def test_a_session_of_one_name_does_not_resume_as_another(start_gateway, version):
    gateway = start_gateway(*with_certificates(issue("ec", "first.example"), issue("ec", "second.example")))
    first = Shake(gateway.address, name="first.example", version=version)
    other = Shake(gateway.address, name="second.example", session=first)
    assert not other.is_resumed
    assert other.certificate == fingerprint(issue("ec", "second.example")[0])
    assert Shake(gateway.address, name="first.example", session=first).is_resumed


@each_version
def test_gateways_share_tickets_by_the_file_of_their_keys(start_gateway, files, version):
    files.put_tickets("1")
    options = files.options + ["--tls-ticket-keys", files.tickets]
    one, other = start_gateway(*options), start_gateway(*options)
    first = Shake(one.address, version=version)
    assert resumes(other, first)
    # A new key comes in three steps, and nobody loses a session.
    for keys in ("1", "2"), ("2", "1"):
        files.put_tickets(*keys)
        for gateway in one, other:
            reload(gateway)
            assert eventually(lambda: resumes(one, first) and resumes(other, first))
    second = Shake(one.address, version=version)
    files.put_tickets("2")
    for gateway in one, other:
        reload(gateway)
        eventually(lambda: not resumes(gateway, first))
        assert resumes(gateway, second)


@each_version
def test_gateways_with_keys_of_their_own_share_nothing(start_gateway, files, version):
    one, other = start_gateway(*files.options), start_gateway(*files.options)
    first = Shake(one.address, version=version)
    assert resumes(one, first)
    again = Shake(other.address, session=first)
    assert not again.is_resumed
    assert again.certificate == fingerprint(pair("one")[0])
