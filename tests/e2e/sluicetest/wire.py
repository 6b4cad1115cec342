"""One socket to the gateway with a read buffer, deadlines and byte counts."""

import os
import socket
import struct
import time

from . import tls

# How long a test waits for something that must happen; generous, since the same tests
# run under sanitizers on busy machines.
TIMEOUT = float(os.environ.get("SLUICE_TEST_TIMEOUT", "30"))


class Closed(Exception):
    """The gateway ended the connection; `reset` says how."""

    def __init__(self, reset=False, rest=b""):
        super().__init__("reset" if reset else "end of stream after %r" % rest[-80:])
        self.reset = reset
        self.rest = rest


class Cut(AssertionError):
    """A TLS connection ended without close_notify: whoever reads until the end could not know that
    all has come. A failure, unless the test expects it."""


def has_ipv6():
    """Whether this machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def eventually(check, timeout=TIMEOUT, pause=0.02):
    """Calls `check` until it returns something true, and returns that; the last answer is
    in the failure's text."""
    deadline = time.monotonic() + timeout
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < deadline, "never happened; last answer: %r" % (answer,)
        time.sleep(pause)


class Wire:
    """`address` is (host, port) or the path of a Unix socket; `source` another address of this
    machine to connect from. `sent` and `received` count the bytes this side put into and got out
    of the socket: with TLS those of the records after the handshake. `how` is a tls.Profile, by
    default that of the environment."""

    def __init__(self, address, rcvbuf=None, source=None, how=None):
        self.address = address
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
        elif ":" in address[0]:
            self.sock = socket.socket(socket.AF_INET6)
        else:
            self.sock = socket.socket(socket.AF_INET)
        if rcvbuf is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(TIMEOUT)
        if source is not None:
            self.sock.bind((source, 0))
        try:
            self.sock.connect(address)
        except OSError:
            self.sock.close()
            raise
        if not isinstance(address, str):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.sent = 0
        self.received = 0
        self.tls = None
        self._failed = None  # the handshake's failure, raised where the connection is first used
        if tls.is_secure(address):
            self._start_tls(how or tls.profile() or tls.default_profile())

    def _start_tls(self, how):
        session = how.sessions.get(self.address) if how.resumes else None
        self.tls = (how.layer or tls.Tls)(self.sock, self.address, how, session)
        try:
            self.tls.handshake()
        except EOFError:
            self._failed = Closed()
        except (BrokenPipeError, ConnectionResetError):
            self._failed = Closed(reset=True)
        except BaseException:
            self.sock.close()
            raise
        else:
            assert session is None or self.tls.object.session_reused, "the session is not resumed"
            how.sessions[self.address] = self.tls.object.session
        self.handshake_sent, self.handshake_received = self.tls.sent, self.tls.received
        self.tls.sent = self.tls.received = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send(self, data, timeout=TIMEOUT):
        """With TLS a record of its own, or several of 16 KiB."""
        if self._failed:
            raise self._failed
        self.sock.settimeout(timeout)
        try:
            if self.tls:
                self.tls.send(data)
                self.sent = self.tls.sent
            else:
                self.sock.sendall(data)
                self.sent += len(data)
        except (BrokenPipeError, ConnectionResetError) as err:
            raise Closed(reset=True, rest=bytes(self.buffer)) from err

    def send_bytewise(self, data, pause=0.0):
        """Every byte is a segment of its own, and with TLS a record of its own."""
        for i in range(len(data)):
            self.send(data[i:i + 1])
            if pause:
                time.sleep(pause)

    def fill(self, timeout=TIMEOUT):
        """One recv into the buffer, or with TLS as many as bring a record; returns what came.
        Raises Closed at the end."""
        if self._failed:
            raise self._failed
        try:
            got = self._recv_records(timeout) if self.tls else self._recv(timeout)
        except (ConnectionResetError, BrokenPipeError) as err:
            raise Closed(reset=True, rest=bytes(self.buffer)) from err
        if not got:
            raise Closed(rest=bytes(self.buffer))
        self.buffer += got
        return got

    def _recv(self, timeout):
        self.sock.settimeout(max(timeout, 0.001))
        got = self.sock.recv(262144)
        self.received += len(got)
        return got

    def _recv_records(self, timeout):
        """Plaintext, b"" at the end. Raises Cut."""
        deadline = time.monotonic() + timeout
        while True:
            got = self.tls.read_buffered()
            if got:
                return got
            if got is None:
                self._read_to_fin()
                return b""
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                self.tls.take()
            except EOFError:
                raise Cut() from None
            finally:
                self.received = self.tls.received

    def _read_to_fin(self):
        """Behind close_notify comes the end of the connection."""
        self.sock.settimeout(TIMEOUT)
        rest = self.sock.recv(1)
        assert not rest, "records behind close_notify"

    def _fill_before(self, deadline, what):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no %s; buffered %r" % (what, bytes(self.buffer[-200:])))
        try:
            self.fill(left)
        except socket.timeout as err:
            raise TimeoutError("no %s; buffered %r" % (what, bytes(self.buffer[-200:]))) from err

    def read_exact(self, count, timeout=TIMEOUT):
        """Takes `count` bytes, or none at all when it raises."""
        deadline = time.monotonic() + timeout
        while len(self.buffer) < count:
            self._fill_before(deadline, "%d bytes" % count)
        out = bytes(self.buffer[:count])
        del self.buffer[:count]
        return out

    def read_until(self, end, timeout=TIMEOUT):
        """Takes all up to and including `end`, or nothing at all when it raises."""
        deadline = time.monotonic() + timeout
        searched = 0
        while True:
            at = self.buffer.find(end, max(searched - len(end), 0))
            if at >= 0:
                out = bytes(self.buffer[:at + len(end)])
                del self.buffer[:at + len(end)]
                return out
            searched = len(self.buffer)
            self._fill_before(deadline, repr(end))

    def read_to_end(self, timeout=TIMEOUT):
        """Everything until the gateway closes; a reset counts as an end."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self._fill_before(deadline, "end of connection")
        except Closed:
            out = bytes(self.buffer)
            self.buffer.clear()
            return out

    def expect_end(self, timeout=TIMEOUT):
        """The gateway closes and sends nothing more."""
        rest = self.read_to_end(timeout)
        assert rest == b"", "unexpected bytes before the end: %r" % rest[:300]

    def is_silent(self, seconds):
        """True when nothing comes and nobody closes for so long."""
        if self.buffer:
            return False
        try:
            self.fill(seconds)
        except (socket.timeout, TimeoutError):
            return True
        except Closed:
            return False
        return False

    def shut(self):
        """Ends this side's half: with TLS close_notify comes first."""
        if self.tls:
            self.tls.notify_close()
            self.sent = self.tls.sent
        self.sock.shutdown(socket.SHUT_WR)

    def leave(self):
        """Closes, and counts what the gateway says on that: over TLS its close_notify."""
        if self.tls:
            self.sock.shutdown(socket.SHUT_WR)
            self.read_to_end()
        self.sock.close()

    def close(self):
        self.sock.close()

    def abort(self):
        """Cuts the connection with a reset, as a dying host would."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()
