"""A hop between sluice-bench and the gateway that can lose or double a message."""

import re
import selectors
import socket
import threading

MARKER = re.compile(rb"\^\d{8}\$")


class Relay:
    """Listens on a loopback port of its own and hands on all bytes both ways, but for what
    `harm` ("lose", "double" or None) does to every message number N * `every`, `times` in all,
    that comes down a WebSocket, an event stream or a stream of lines."""

    def __init__(self, upstream, harm=None, every=200, times=1):
        self.upstream = upstream
        self.harm = harm
        self.every = every
        self.times = times
        self.seen = 0
        self.harmed = 0
        self.ends = {}  # socket -> (the other socket, the Down of what comes from it or None)
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.origin = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.ending = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *rest):
        self.ending = True
        self.thread.join()
        for end in [*self.ends, self.listener]:
            end.close()
        self.selector.close()

    def copies(self, unit):
        """How often a frame or chunk goes on."""
        if not MARKER.search(unit):
            return 1
        self.seen += 1
        if self.harm is None or self.seen % self.every or self.harmed == self.times:
            return 1
        self.harmed += 1
        return {"lose": 0, "double": 2}[self.harm]

    def _run(self):
        while not self.ending:
            for key, _ in self.selector.select(0.1):
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.ends:
                    self._hand_on(key.fileobj)

    def _accept(self):
        down = self.listener.accept()[0]
        up = socket.create_connection(self.upstream)
        self.ends[down] = (up, None)
        self.ends[up] = (down, Down(self.copies))
        for end in (down, up):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(end, selectors.EVENT_READ)

    def _hand_on(self, end):
        other, filtered = self.ends[end]
        try:
            got = end.recv(65536)
            if got:
                other.sendall(filtered.feed(got) if filtered else got)
        except OSError:
            got = b""  # cut hard: so is the other side
        if not got:
            for closed in (end, other):
                del self.ends[closed]
                self.selector.unregister(closed)
                closed.close()


class Down:
    """What comes from the gateway on one connection, cut into frames (RFC 6455) or chunks
    (RFC 9112, section 7.1) when it is a stream; answers with a length go on as they are."""

    def __init__(self, copies):
        self.copies = copies
        self.rest = b""
        self.split = self._split_head

    def feed(self, got):
        self.rest += got
        out = b""
        while True:
            unit = self.split()
            if unit is None:
                return out
            out += unit

    def _take(self, length):
        unit, self.rest = self.rest[:length], self.rest[length:]
        return unit

    def _split_head(self):
        end = self.rest.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._take(end + 4)
        if head.startswith(b"HTTP/1.1 101"):
            self.split = self._split_frame
        elif re.search(rb"\r\ntransfer-encoding: *chunked", head, re.I):
            self.split = self._split_chunk
        else:
            self.split = self._take_all
        return head

    def _take_all(self):
        return self._take(len(self.rest)) or None

    def _split_frame(self):
        if len(self.rest) < 2:
            return None
        length, head = self.rest[1] & 127, 2
        if length >= 126:
            head = 4 if length == 126 else 10
            if len(self.rest) < head:
                return None
            length = int.from_bytes(self.rest[2:head], "big")
        return self._unit(head + length)

    def _split_chunk(self):
        line = self.rest.find(b"\r\n")
        if line < 0:
            return None
        length = int(self.rest[:line], 16)
        return self._unit(line + 2 + length + 2)

    def _unit(self, length):
        if len(self.rest) < length:
            return None
        unit = self._take(length)
        return unit * self.copies(unit)
