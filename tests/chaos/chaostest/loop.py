"""One epoll loop with timers, and connections that never block, over TLS or in the clear."""

import errno
import heapq
import itertools
import select
import socket
import ssl
import struct
import time

RECEIVE_MAX = 65536
BIND_ADDRESS_NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT: the port is chosen when both ends are known


class Timer:
    def __init__(self, call):
        self.call = call

    def cancel(self):
        self.call = None


class Loop:
    """Events of wires, and timers by time."""

    def __init__(self):
        self.epoll = select.epoll()
        self.wires = {}
        self.timers = []
        self.order = itertools.count()

    def after(self, seconds, call):
        timer = Timer(call)
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), timer))
        return timer

    def turn(self, longest=0.5):
        now = time.monotonic()
        if self.timers:
            longest = max(min(longest, self.timers[0][0] - now), 0)
        for descriptor, mask in self.epoll.poll(longest, 512):
            wire = self.wires.get(descriptor)
            if wire:
                wire.handle(mask)
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            call = heapq.heappop(self.timers)[2].call
            if call:
                call()


class Wire:
    """A connection. `owner` gets opened(), took(bytes), and ended(how) once, with how one of "end"
    (the other side's FIN, over TLS its close_notify), "cut" (a FIN in the middle of TLS), "reset" and
    "refused"."""

    def __init__(self, loop, address, owner, source=None, context=None, session=None, rcvbuf=None):
        self.loop, self.owner = loop, owner
        self.out = b""
        self.is_open = self.is_stalled = False
        self.session = None
        self.mask = 0
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if rcvbuf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source and address[0].startswith("127."):  # elsewhere it is not the machine's
            self.socket.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((source, 0))
        self.tls, self.resumed = context, session
        failed = self.socket.connect_ex(address)
        self.descriptor = self.socket.fileno()
        loop.wires[self.descriptor] = self
        loop.epoll.register(self.descriptor, 0)
        self.is_connecting = self.is_shaking = True
        if failed not in (0, errno.EINPROGRESS):
            loop.after(0, lambda: self._end("refused"))
        self._want(select.EPOLLOUT)

    def _want(self, mask):
        if self.descriptor >= 0 and mask != self.mask:
            self.mask = mask
            self.loop.epoll.modify(self.descriptor, mask)

    def _update(self):
        if not self.is_shaking:
            self._want((0 if self.is_stalled else select.EPOLLIN) | (select.EPOLLOUT if self.out else 0))

    def handle(self, mask):
        try:
            if self.is_connecting:
                self._finish_connecting()
            elif self.is_shaking:
                self._shake()
            else:
                self._exchange(mask)
        except (ConnectionError, ssl.SSLError, OSError) as error:
            self._end(_reason_of(error))

    def _finish_connecting(self):
        failed = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise OSError(failed, "connect")
        self.is_connecting = False
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:  # the descriptor stays
            self.socket = self.tls.wrap_socket(self.socket, server_hostname="localhost",
                                               session=self.resumed, do_handshake_on_connect=False)
            self._shake()
        else:
            self._finish_shaking()

    def _shake(self):
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._want(select.EPOLLIN)
            return
        except ssl.SSLWantWriteError:
            self._want(select.EPOLLOUT)
            return
        self._finish_shaking()

    def _finish_shaking(self):
        self.is_shaking, self.is_open = False, True
        self.owner.opened()
        self._update()

    def _exchange(self, mask):
        if mask & select.EPOLLOUT:
            self._flush()
        broken = mask & (select.EPOLLERR | select.EPOLLHUP)
        if broken and self.is_stalled:
            self.is_stalled = False  # what is left is read, and then the end
        while self.is_open and (mask & select.EPOLLIN or broken) and not self.is_stalled:
            try:
                data = self.socket.recv(RECEIVE_MAX)
            except (ssl.SSLWantReadError, BlockingIOError):
                break
            if not data:
                self._end("end")
                return
            self.owner.took(data)
        self._update()

    def send(self, data):
        self.out += data
        try:
            self._flush()
        except (ConnectionError, ssl.SSLError, OSError):
            pass  # what is still to be read comes first; the end is told by the next read
        self._update()

    def _flush(self):
        while self.out and self.is_open:
            try:
                self.out = self.out[self.socket.send(self.out):]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
                return
            except (ConnectionError, ssl.SSLError, OSError):
                self.out = b""
                raise

    def stall(self, is_stalled):
        """While it is stalled nothing is read."""
        self.is_stalled = is_stalled and self.is_open
        self._update()

    def _end(self, how):
        if self.descriptor >= 0:
            self.close()
            self.owner.ended(how)

    def close(self, abort=False):
        """Without a word to the owner; with `abort` as a reset."""
        if self.descriptor < 0:
            return
        if self.tls and self.is_open:
            self.session = self.socket.session
        if abort:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.loop.epoll.unregister(self.descriptor)
        del self.loop.wires[self.descriptor]
        self.descriptor = -1
        self.is_open = False
        self.socket.close()


def _reason_of(error):
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ssl.SSLZeroReturnError,)):
        return "end"
    return "cut" if isinstance(error, ssl.SSLError) else "reset"
