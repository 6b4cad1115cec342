"""Starts and stops the gateway under test."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.parse

from . import tls
from .http import Http
from .wire import TIMEOUT

# The page's files, from the source tree: the gateway under test is not installed.
E2E_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WEB_FOLDER = os.path.abspath(os.path.join(E2E_FOLDER, "..", "..", "web"))

# Tests that concern these get them with the gateway's own defaults for the rest.
LIMIT_OPTIONS = frozenset("--" + name for name in (
    "limits", "request-rate", "publish-rate", "publish-bytes", "delivery-rate", "subscribe-rate",
    "history-rate", "token-failure-rate", "max-connections-per-subject",
    "max-sessions-per-client",
    "max-connections-per-address", "raise-limits", "reserved-connections"))

_REPORTS = re.compile(
    rb"(AddressSanitizer|ThreadSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer"
    rb"|runtime error:|Assertion .* failed)")


class GatewayFailed(Exception):
    """It did not start; `status` is its exit status, `stderr` what it said."""

    def __init__(self, status, stderr):
        super().__init__("exit status %s: %s" % (status, stderr))
        self.status = status
        self.stderr = stderr


def binary(slow=False):
    """The program under test; with `slow` the one beside it that has `--backend=slow` too."""
    path = os.environ.get("SLUICE")
    assert path, "set SLUICE to the path of the gateway's binary"
    return os.path.abspath(path) + ("-slow" if slow else "")


class Gateway:
    """A running gateway. Without a `--listen` or `--config` in `options` it listens on a
    loopback port of its own. `inherit` is a listening socket handed over as systemd does; `web` is
    None where the file of `--config` says it. `slow` runs sluice-slow, as `--backend slow` does.
    With `secure`, by default where SLUICE_TLS says so, each `--listen` but a Unix socket's becomes
    a `--tls-listen`, with certificates. No client has limits, since all tests are one client, unless
    `options` say so themselves or are in the file of `--config`. `bearer` is the token of the requests below that bring no
    Authorization of their own. The listeners of `--admin-listen` are `admin`. `prefix` are words before
    the command, whose last one executes the rest; `env` is added to the environment."""

    def __init__(self, *options, inherit=None, web=WEB_FOLDER, slow=False, secure=None,
                 bearer=None, prefix=(), env=None):
        self.folder = tempfile.mkdtemp(prefix="sluice-e2e-")
        options = [str(option) for option in options]
        if inherit is None and not {"--listen", "--tls-listen", "--config"} & set(options):
            options += ["--listen", "127.0.0.1:0"]
        if secure or (secure is None and tls.profile()):
            options = _secured(options)
        if web and "--web" not in options:
            options += ["--web", web]
        if not (LIMIT_OPTIONS | {"--config"}) & set(options):
            options += ["--limits", "off"]
        self.options = options
        slow = slow or ("--backend", "slow") in zip(options, options[1:])
        self.command = [*prefix, binary(slow)] + options
        self.stderr_path = os.path.join(self.folder, "stderr")
        self.stopped = False
        self.bearer = bearer
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                _activated(self.command) if inherit else self.command,
                pass_fds=[inherit.fileno()] if inherit else (),
                env=dict(_environment(inherit), **(env or {})),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        self.listeners, self.admin = [], []
        self._read_listeners(self._expected_listeners())
        if "--tls-listen" in options:  # they are told behind the others, and tests ask for TCP first
            self.listeners.sort(key=lambda address: not tls.is_secure(address))
        self.address = self.listeners[0]

    def _expected_listeners(self):
        count = self.options.count("--listen") + self.options.count("--tls-listen")
        return max(count, 1) + self.options.count("--admin-listen")

    def _read_listeners(self, count):
        """Waits for the `listening` lines on standard output, one a listener."""
        out = self.process.stdout.fileno()
        said = b""
        while len(self.listeners) + len(self.admin) < count:
            if not select.select([out], [], [], TIMEOUT)[0]:
                self.process.kill()
            got = os.read(out, 4096)
            if not got:
                self._failed_to_start()
            said += got
            self._take_listeners(said[:said.rfind(b"\n") + 1].decode())

    def _take_listeners(self, lines):
        self.listeners, self.admin = [], []
        for unix, scheme, host, port, what in re.findall(
                r"^listening (?:unix:(\S+)|(https?)://(\S+):(\d+)/\S*)(?: \((TLS|admin)\))?$",
                lines, re.M):
            kind = tls.TlsAddress if scheme == "https" else tuple
            address = unix or kind((host.strip("[]"), int(port)))
            (self.admin if what == "admin" else self.listeners).append(address)

    def _failed_to_start(self):
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "killed, it closed its output without listening"
        self.stopped = True
        said = self.stderr().decode("utf-8", "replace")
        self._forget()
        raise GatewayFailed(status, said)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            self.stop()
        else:
            self.kill()

    @property
    def pid(self):
        return self.process.pid

    @property
    def origin(self):
        """The gateway's own address as an Origin header."""
        return "%s://%s:%d" % ((self.scheme,) + self.address)

    @property
    def scheme(self):
        return "https" if tls.is_secure(self.address) else "http"

    def stderr(self):
        with open(self.stderr_path, "rb") as file:
            return file.read()

    def check(self):
        """Fails when the gateway has died or a sanitizer has complained."""
        status = self.process.poll()
        assert status is None or self.stopped, "the gateway died, status %s: %s" % (
            status, self.stderr()[-4000:].decode("utf-8", "replace"))
        self._check_reports()

    def _check_reports(self):
        said = self.stderr()
        found = _REPORTS.search(said)
        assert not found, said[max(found.start() - 200, 0):][:6000].decode("utf-8", "replace")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=TIMEOUT):
        """Waits for the end after a signal of the test's own; returns the status."""
        status = self.process.wait(timeout)
        self.process.stdout.close()
        self.stopped = True
        self._check_reports()
        return status

    def stop(self):
        """SIGTERM, and it must end with status 0."""
        if not self.stopped:
            try:
                self.check()
            except BaseException:
                self.kill()  # what failed must not be left running
                raise
            self.signal(signal.SIGTERM)
            try:
                status = self.wait()
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the gateway did not end on SIGTERM") from None
            assert status == 0, "status %s: %s" % (status, self.stderr()[-4000:])
        self._forget()

    def kill(self):
        if not self.stopped:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.stopped = True
        self._forget()

    def _forget(self):
        if not self.process.stdout.closed:
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Requests, each on a connection of its own unless `on` is given.

    def connect(self, listener=None, **how):
        return Http(listener or self.address, **how)

    def request(self, method, target, headers=(), body=None, version="1.1", timeout=TIMEOUT):
        with self.connect() as http:
            fields = self._fields(headers)
            fields.setdefault("Connection", "close")
            return http.request(method, target, fields, body, version, timeout)

    def _fields(self, headers):
        fields = dict(headers)
        if self.bearer is not None:
            fields.setdefault("Authorization", "Bearer " + self.bearer)
        return fields

    def get(self, target, headers=()):
        return self.request("GET", target, headers)

    def stats(self):
        response = self.get("/stats")
        assert response.status == 200, response
        return response.json()

    def publish(self, channel, value, key=None, on=None):
        """Publishes: str as text, bytes as binary, else JSON. Returns the id."""
        kind, body = encode_payload(value)
        headers = {"Content-Type": kind}
        if key is not None:
            headers["Idempotency-Key"] = key
        target = "/publish?channel=" + urllib.parse.quote(channel)
        if on is None:
            response = self.request("POST", target, headers, body)
        else:
            response = on.request("POST", target, self._fields(headers), body)
        assert response.status == 200, response
        answer = response.json()
        assert list(answer) == ["id"], answer
        return answer["id"]

    def publish_all(self, channel, values):
        """Publishes one after the other over one connection; returns the ids."""
        with self.connect() as http:
            return self.publish_all_on(http, channel, values)

    def publish_all_on(self, http, channel, values):
        return [self.publish(channel, value, on=http) for value in values]

    def head(self):
        """The bus's head cursor, as a poll without `since` gets it."""
        response = self.get("/poll?channels=head.of.the.bus&wait=0")
        assert response.status == 200, response
        return response.json()["cursor"]

    def metric(self, name, /, **labels):
        """One sample of /metrics."""
        for line in self.get("/metrics").body.decode().splitlines():
            match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", line)
            if match and match.group(1) == name:
                have = dict(re.findall(r'(\w+)="([^"]*)"', match.group(2) or ""))
                if all(have.get(k) == v for k, v in labels.items()):
                    return float(match.group(3))
        raise AssertionError("no sample %s %r" % (name, labels))

    def memory_kib(self):
        """Resident set of the process."""
        with open("/proc/%d/status" % self.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


class SharedGateway:
    """One gateway for many tests. One that died or was complained of is replaced, so that
    only the test that broke it fails."""

    def __init__(self, *options, **how):
        self.options = options
        self.how = how
        self.running = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.running and not self._is_broken():
            self.running.stop()

    def _is_broken(self):
        try:
            self.running.check()
        except AssertionError:
            self.running.kill()
            return True
        return False

    @contextlib.contextmanager
    def use(self):
        if self.running is None or self.running.stopped or self._is_broken():
            self.running = Gateway(*self.options, **self.how)
        yield self.running
        self.running.check()


def _secured(options):
    """Each TCP `--listen` a `--tls-listen`, and certificates unless there are some."""
    options = list(options)
    for at, (option, value) in enumerate(zip(options, options[1:])):
        if option == "--listen" and not value.startswith("unix:"):
            options[at] = "--tls-listen"
    if "--tls-listen" in options and "--tls-cert" not in options:
        options += tls.certificate_options()
    return options


def _environment(inherit):
    env = dict(os.environ)
    env.pop("OPENSSL_CONF", None)  # the clients' ciphers are not the gateway's
    if inherit:
        env["SLUICE_TEST_FD"] = str(inherit.fileno())
    return env


def _activated(command):
    """`command` run as systemd would: the socket at descriptor 3, LISTEN_PID its own."""
    script = ("import os, sys; os.dup2(int(os.environ.pop('SLUICE_TEST_FD')), 3);"
              "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
              "os.execv(sys.argv[1], sys.argv[1:])")
    return ["/usr/bin/python3", "-c", script] + command


def encode_payload(value):
    if isinstance(value, bytes):
        return "application/octet-stream", value
    if isinstance(value, str):
        return "text/plain", value.encode("utf-8")
    return "application/json", json.dumps(value).encode("utf-8")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
