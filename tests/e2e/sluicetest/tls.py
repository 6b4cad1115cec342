"""TLS for the clients: certificates of the tests' own, and the layer between a Wire and its socket.

SLUICE_TLS makes every gateway listen with TLS in place of its TCP listeners, and says how
clients speak: VERSION[/CIPHER][/resumed], for instance `1.3`, `1.2/resumed` or
`1.2/ECDHE-RSA-CHACHA20-POLY1305`. A cipher of TLS 1.3 needs OPENSSL_CONF too, since Python cannot
choose one: check_tls.py sets both."""

import atexit
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

TIMEOUT = float(os.environ.get("SLUICE_TEST_TIMEOUT", "30"))
RECORD_HEADER = 5
_KEYS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
         "rsa": ["-newkey", "rsa:2048"]}
CIPHERS = {
    "1.2": ["ECDHE-%s-%s" % (key, how) for key in ("ECDSA", "RSA") for how in (
        "AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")],
    "1.3": ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
}
NAMES = "IP:127.0.0.1,IP:::1,DNS:localhost"


class TlsAddress(tuple):
    """(host, port) of a listener that speaks TLS; cleartext addresses are plain tuples."""


def is_secure(address):
    return isinstance(address, TlsAddress)


class Authority:
    """Issues certificates into a folder of its own, which goes with the process."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-tls-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.issued = {}
        self.path = self._make("authority", "ec", "-subj", "/CN=Sluice test authority")[0]

    def _make(self, name, kind, *options):
        certificate, key = (os.path.join(self.folder, name + end) for end in (".pem", ".key"))
        run_openssl("req", "-x509", *_KEYS[kind], "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", *options)
        return certificate, key

    def issue(self, kind="ec", names=NAMES, label=None):
        """The paths of a certificate and its key; `kind` is ec or rsa. The same question gets the
        same certificate, unless `label` tells them apart."""
        asked = (kind, names, label)
        if asked not in self.issued:
            base = os.path.join(self.folder, "%d" % len(self.issued))
            run_openssl("req", *_KEYS[kind], "-nodes", "-keyout", base + ".key", "-out",
                        base + ".csr", "-subj", "/CN=%s" % (label or kind))
            with open(base + ".ext", "w") as file:
                file.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\n" % names)
            run_openssl("x509", "-req", "-in", base + ".csr", "-CA", self.path, "-CAkey",
                        self.path[:-4] + ".key", "-CAcreateserial", "-days", "2", "-extfile",
                        base + ".ext", "-out", base + ".pem")
            self.issued[asked] = base + ".pem", base + ".key"
        return self.issued[asked]


def run_openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


_lock = threading.Lock()
_authorities = []


def authority():
    """The process's authority, made when it is first needed."""
    with _lock:
        if not _authorities:
            _authorities.append(Authority())
    return _authorities[0]


def certificate_options():
    """Options of a gateway: an ECDSA and an RSA certificate of the same names."""
    options = []
    for kind in "ec", "rsa":
        certificate, key = authority().issue(kind)
        options += ["--tls-cert", certificate, "--tls-key", key]
    return options


class Profile:
    """How clients speak TLS: `version`, `cipher` (None: what both agree on), and whether a
    client resumes the session of the connection before it to the same address."""

    layer = None  # Tls, but for a profile of another layer

    def __init__(self, version="1.3", cipher=None, resumes=False):
        self.version, self.cipher, self.resumes = version, cipher, resumes
        self.context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(authority().path)
        context.minimum_version = context.maximum_version = {
            "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        if cipher and version == "1.2":
            context.set_ciphers(cipher)
        context.set_alpn_protocols(["http/1.1"])
        self.sessions = {}

    @classmethod
    def parse(cls, text):
        version, *rest = ("1.3" if text == "1" else text).split("/")
        resumes = rest[-1:] == ["resumed"]
        if resumes:
            rest.pop()
        return cls(version, rest[0] if rest else None, resumes)


_profiles = {}


def profile():
    """What SLUICE_TLS says; None when the tests run in the clear."""
    text = os.environ.get("SLUICE_TLS")
    return _known(text) if text else None


def default_profile():
    """How a test speaks that wants TLS whatever SLUICE_TLS says."""
    return _known("1.3")


def _known(text):
    with _lock:
        known = _profiles.get(text)
    if known is None:
        known = Profile.parse(text)
        with _lock:
            known = _profiles.setdefault(text, known)
    return known


class Tls:
    """A client's TLS over a connected socket. It moves records between memory and the socket
    itself, so that a test knows how many bytes the wire carried. `session` is resumed, and then
    has to be. `name` is what the certificate has to name; None for the address."""

    def __init__(self, sock, address, how, session=None, name=None):
        self.sock = sock
        self.how = how
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.sent = self.received = 0  # ciphertext, handshake included
        self.ended_by_notify = False
        self.left = b""  # plaintext that came with the ticket
        self.object = how.context.wrap_bio(
            self.incoming, self.outgoing, server_hostname=name or address[0], session=session)

    def handshake(self, behind=b""):
        """All of it, and the server's ticket, so that what comes next is the gateway's answer.
        `behind` goes out together with the client's last record. Raises ssl.SSLError, EOFError when
        the gateway closes, or what the socket raises."""
        self._shake_hands()
        if behind:
            self.object.write(behind)
        self.flush()
        if self.how.version == "1.3":
            self._take_ticket()
        assert behind or not self.left, "the gateway speaks before it was asked"
        self._check_agreed()

    def _shake_hands(self):
        while True:
            try:
                self.object.do_handshake()
                return
            except ssl.SSLWantReadError:
                self.flush()
                self.take()

    def _check_agreed(self):
        assert self.object.selected_alpn_protocol() == "http/1.1"
        assert self.object.version() == "TLSv" + self.how.version
        used = self.object.cipher()[0]
        assert self.how.cipher in (None, used), "the cipher is %s, not %s" % (used, self.how.cipher)

    def _take_ticket(self):
        """One record, which OpenSSL keeps to itself once it is read."""
        got = b""
        while len(got) < RECORD_HEADER or (
                len(got) < RECORD_HEADER + int.from_bytes(got[3:RECORD_HEADER], "big")):
            got += self.take()
        try:
            self.left = self.object.read(1 << 18)
        except ssl.SSLWantReadError:
            pass

    def take(self):
        """One recv; returns its ciphertext, b"" never: EOFError."""
        got = self.sock.recv(262144)
        if not got:
            raise EOFError
        self.received += len(got)
        self.incoming.write(got)
        return got

    def flush(self):
        """Sends what OpenSSL has made."""
        data = self.outgoing.read()
        if data:
            self.sock.sendall(data)
            self.sent += len(data)

    def seal(self, data):
        """The records of `data`, not yet sent."""
        view = memoryview(data)
        while view:
            view = view[self.object.write(view):]
        return self.outgoing.read()

    def send(self, data):
        records = self.seal(data)
        self.sock.sendall(records)
        self.sent += len(records)

    def read_buffered(self):
        """The plaintext of all records that have come; None for the end (close_notify)."""
        pieces, self.left = [self.left], b""
        try:
            while not self.ended_by_notify:
                pieces.append(self.object.read(1 << 18))
                self.ended_by_notify = not pieces[-1]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # in place of b"", once this side has said its own
            self.ended_by_notify = True
        got = b"".join(pieces)
        return None if self.ended_by_notify and not got else got

    def notify_close(self):
        """Says that this side ends; the other side may still speak."""
        try:
            self.object.unwrap()
        except ssl.SSLError:
            pass  # the answer has not come
        self.flush()


class Shake:
    """One handshake by itself: which certificate came, and what there is to resume. Whom the
    certificate names is not looked at. `certificate` is its SHA-256, None where TLS 1.2 resumed."""

    def __init__(self, address, name=None, session=None, version="1.2", cipher=None):
        context = session.context if session else _open_context(version, cipher)
        with socket.create_connection(address, timeout=TIMEOUT) as sock:
            with context.wrap_socket(sock, server_hostname=name,
                                     session=session.session if session else None) as secure:
                secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.answer = secure.recv(65536)  # a ticket of TLS 1.3 came before it
                self.session, self.is_resumed = secure.session, secure.session_reused
                self.certificate = hashlib.sha256(secure.getpeercert(True) or b"").hexdigest()
        self.context = context
        assert self.answer.startswith(b"HTTP/1.1 200"), self.answer


def _open_context(version, cipher):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = {
        "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    if cipher:
        context.set_ciphers(cipher)
    return context


def fingerprint(path):
    """The SHA-256 of a file's first certificate."""
    with open(path) as file:
        first = file.read().partition("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1])).hexdigest()
