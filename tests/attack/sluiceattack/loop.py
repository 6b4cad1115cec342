"""A loop of non-blocking sockets over epoll, for thousands of connections in one process."""

import errno
import heapq
import itertools
import select
import socket
import ssl
import struct
import time

READ_BYTES = 1 << 18
_RESET = struct.pack("ii", 1, 0)
_BIND_ADDRESS_NO_PORT, _FREEBIND = 24, 78  # of linux/in.h and linux/in6.h


class Loop:
    """Connections by descriptor, and timers. `run` returns at `until` (of time.monotonic)."""

    def __init__(self):
        self.epoll = select.epoll()
        self.connections = {}
        self.timers = []
        self.numbers = itertools.count()

    def at(self, when, call):
        heapq.heappush(self.timers, (when, next(self.numbers), call))

    def after(self, seconds, call):
        self.at(time.monotonic() + seconds, call)

    def run(self, until, done=None):
        """Ends early once `done` says so."""
        while True:
            now = time.monotonic()
            if now >= until or (done and done()):
                return
            while self.timers and self.timers[0][0] <= now:
                heapq.heappop(self.timers)[2]()
            wake = min(until, self.timers[0][0]) if self.timers else until
            pause = max(min(wake - time.monotonic(), 0.25), 0)
            for fd, events in self.epoll.poll(pause, 256):
                connection = self.connections.get(fd)
                if connection:
                    connection.handle(events)

    def close(self):
        for connection in list(self.connections.values()):
            connection.close()
        self.epoll.close()


def client_context():
    """TLS without a look at the certificate: what is measured is the gateway."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Connection:
    """One connection that calls on_open, on_data, on_writable and on_end of its subclass. With
    `context` it speaks TLS. `source` is the address that it comes from. on_end is called once, and not
    for a close() of this side."""

    def __init__(self, loop, address, source=None, context=None, rcvbuf=None):
        self.loop, self.address, self.source, self.context = loop, address, source, context
        self.rcvbuf = rcvbuf
        self.sock = None
        self.pending = b""
        self.is_open = self.wants_write = False
        self.reads = True  # False: nothing is read but in a handshake

    def open(self):
        self.pending, self.is_open, self.wants_write = b"", False, True
        family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        self.sock = sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        if self.rcvbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rcvbuf)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.source:
                if family == socket.AF_INET:
                    sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
                else:
                    sock.setsockopt(socket.IPPROTO_IPV6, _FREEBIND, 1)
                sock.bind((self.source, 0))
            sock.connect(self.address)
        except BlockingIOError:
            pass
        except OSError as error:
            sock.close()
            self.sock = None
            why = errno.errorcode.get(error.errno, "?")
            self.loop.after(0, lambda: self.on_end(why))
            return
        self.loop.connections[sock.fileno()] = self
        self.loop.epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def handle(self, events):
        if self.is_open:
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                if self.reads:
                    self.read()
                elif events & (select.EPOLLHUP | select.EPOLLERR):
                    self.end("reset")
            if events & select.EPOLLOUT and self.sock:
                self.flush()
        else:
            self._begin()

    def _begin(self):
        if self.context and not isinstance(self.sock, ssl.SSLSocket):
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                return self.end(errno.errorcode.get(error, "?"))
            try:
                self.sock = self.context.wrap_socket(self.sock, do_handshake_on_connect=False)
            except OSError as error:
                return self.end(errno.errorcode.get(error.errno, "?"))
        if self.context:
            try:
                self.sock.do_handshake()
            except ssl.SSLWantReadError:
                return self.watch(False)
            except ssl.SSLWantWriteError:
                return self.watch(True)
            except (OSError, ssl.SSLError) as error:
                return self.end("handshake: %s" % (getattr(error, "reason", None) or error))
        else:
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                return self.end(errno.errorcode.get(error, "?"))
        self.is_open = True
        self.on_open()
        if self.sock:
            self.flush()

    def watch(self, writes):
        """Which events this connection waits for."""
        self.wants_write = writes
        reads = self.reads or not self.is_open
        self.loop.epoll.modify(self.sock.fileno(), (select.EPOLLIN if reads else 0) | (
            select.EPOLLOUT if writes else 0))

    def read(self):
        while self.sock:
            try:
                data = self.sock.recv(READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except (OSError, ssl.SSLError) as error:
                return self.end("reset" if isinstance(error, ConnectionError) else str(error))
            if not data:
                return self.end("end")
            self.on_data(data)
            if not self.context:
                return  # epoll reports what is left; a record that OpenSSL holds it does not

    def send(self, data):
        """Queues and sends what fits."""
        self.pending = self.pending + data if self.pending else data
        if self.is_open:
            self.flush()

    def try_send(self, data):
        """Bytes taken, 0 when the socket is full, -1 when it has ended."""
        try:
            return self.sock.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0
        except (OSError, ssl.SSLError):
            self.read_rest()
            return -1

    def read_rest(self):
        """What came before the end, so that its reason is known."""
        if self.sock:
            self.read()
        if self.sock:
            self.end("reset")

    def flush(self):
        while self.pending:
            sent = self.try_send(self.pending)
            if sent < 0:
                return
            if sent == 0:
                if not self.wants_write:
                    self.watch(True)
                return
            self.pending = self.pending[sent:]
        self.on_writable()
        if self.sock and self.wants_write and not self.has_more():
            self.watch(False)

    def has_more(self):
        """Whether on_writable wants to be called again."""
        return False

    def end(self, why):
        if self.sock:
            self.forget()
            self.on_end(why)

    def close(self, resets=True):
        """Closes without on_end; by a reset, so that no port is left waiting."""
        if self.sock:
            if resets:
                try:
                    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                except OSError:
                    pass
            self.forget()

    def forget(self):
        del self.loop.connections[self.sock.fileno()]
        self.sock.close()
        self.sock = None
        self.is_open = False

    def on_open(self):
        pass

    def on_data(self, data):
        pass

    def on_writable(self):
        pass

    def on_end(self, why):
        pass
