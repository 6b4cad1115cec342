"""Attackers in a process of their own: what a part of an attack says, over and over, as fast as the
gateway takes it. Bytes are made before the attack begins, so that Python sends at nearly the speed
of memory."""

import collections
import ssl
import time

from .loop import Connection, Loop, client_context

BURST = 16  # buffers of one connection before the next one has its turn
OPEN_AT_ONCE = 64  # connections that are being opened at a time
# What gateways answer, by the bytes that say so.
_MARKS = {b"HTTP/1.1 2": "2xx", b"HTTP/1.1 101": "101", b"HTTP/1.1 400": "400",
          b"HTTP/1.1 401": "401", b"HTTP/1.1 403": "403", b"HTTP/1.1 413": "413",
          b"HTTP/1.1 426": "426", b"HTTP/1.1 429": "429", b"HTTP/1.1 431": "431",
          b'"code":"rate_limited"': "rate_limited", b'"reason":"rate_limited"': "bye rate_limited",
          b'"reason":"slow_consumer"': "bye slow_consumer",
          b'"reason":"too_many_connections"': "bye too_many_connections",
          b"\x03\xf0rate_limited": "closed 1008", b'"type":"ack"': "acks", b'"code":"limit"': "limit"}


class Part:
    """One kind of connection of an attack.

    `hello` is sent first; `flood`, a list of buffers, again and again behind it, `times` rounds of it
    (None: until the end) and once `waits` says so only after the first answer. `drip` is (buffer,
    bytes, seconds): so many bytes of the buffer each so many seconds. `reads` is all, none or one (a byte
    each 50 ms). `ends` closes a connection that has sent its rounds. `hold` closes a connection so many seconds after its hello. `reopen` is the pause
    before a connection that ended is opened again, None: it is not. `own`(connection number) makes
    a connection's hello and flood of its own. `secure` overrides the attack's TLS: False speaks raw bytes
    even to a TLS port. `seal`(part, number) returns a whole stream of records."""

    def __init__(self, connections=8, addresses=1, processes=1, hello=b"", flood=None, times=None,
                 waits=True, drip=None, reads="all", hold=None, reopen=0.02, own=None, rcvbuf=None,
                 secure=None, seal=None, ramp=0, network=64, sources=None, starts=0, rate=None,
                 ends=False):
        self.connections, self.addresses, self.processes = connections, addresses, processes
        self.hello, self.flood, self.times, self.waits = hello, flood, times, waits
        self.drip, self.reads, self.hold, self.reopen = drip, reads, hold, reopen
        self.own, self.rcvbuf, self.secure, self.seal = own, rcvbuf, secure, seal
        self.ramp, self.network = ramp, network  # seconds over which connections are opened
        self.sources = sources  # a function of the connection's number, in place of 127.N.x.y
        self.starts = starts  # seconds after the attack's begin
        self.ends = ends
        self.rate = rate  # buffers a second of one connection at most

    def source(self, number):
        if self.sources:
            return self.sources(number)
        number %= self.addresses
        return "127.%d.%d.%d" % (self.network, number // 250, 1 + number % 250)


class Offender(Connection):
    def __init__(self, crew, part, number):
        is_secure = crew.secure if part.secure is None else part.secure
        super().__init__(crew.loop, crew.address, part.source(number),
                         crew.context if is_secure and not part.seal else None, part.rcvbuf)
        self.crew, self.part, self.number = crew, part, number
        self.hello, self.flood = part.own(number) if part.own else (part.hello, part.flood)
        self.sealed = part.seal(crew, number) if part.seal else None
        self.is_waiting = self.is_opening = False

    def begin(self):
        if not self.crew.is_over:
            self.crew.counts["opened"] += 1
            self.is_opening = True
            self.may_flood = False
            self.round = self.piece = self.at = 0
            self.open()

    def opened(self):
        """Another connection may be opened now."""
        if self.is_opening:
            self.is_opening = False
            self.crew.opening -= 1
            self.crew.open_more()

    def on_open(self):
        self.opened()
        self.reads = self.part.reads == "all"
        self.watch(True)
        if self.part.reads == "one":
            self.read_one()
        self.may_flood = not self.part.waits
        if self.sealed:
            return self.sealed.begin(self)
        if self.hello:
            self.send(self.hello)
        if self.part.drip:
            self.position = 0
            self.drip(self.sock)
        if self.part.hold is not None:
            sock = self.sock
            self.loop.after(self.part.hold, lambda: self.let_go(sock))

    def let_go(self, sock):
        if self.sock is sock and sock:
            self.close()
            self.on_end("let go")

    def drip(self, sock):
        buffer, count, seconds = self.part.drip
        if self.sock is sock and sock and self.position < len(buffer):
            self.send(buffer[self.position:self.position + count])
            self.position += count
            self.loop.after(seconds, lambda: self.drip(sock))

    def read_one(self):
        if self.sock and not self.crew.is_over:
            try:
                if not self.sock.recv(1):
                    return self.end("end")
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except OSError:
                return self.end("reset")
            self.loop.after(0.05, self.read_one)

    def on_data(self, data):
        if self.sealed:
            return self.sealed.take(self, data)
        self.crew.received += len(data)
        for mark, name in _MARKS.items():
            if mark in data:
                self.crew.counts[name] += data.count(mark)
        if not self.may_flood:
            self.may_flood = True
            if self.flood and not self.wants_write:
                self.watch(True)

    def has_more(self):
        return bool(self.flood) and self.may_flood and not self.is_waiting and (
            self.part.times is None or self.round < self.part.times)

    def on_writable(self):
        for _ in range(BURST):
            if not self.has_more() or not self.sock:
                return
            piece = self.flood[self.piece]
            sent = self.try_send(piece if not self.at else memoryview(piece)[self.at:])
            if sent <= 0:
                return
            self.crew.sent += sent
            self.at += sent
            if self.at < len(piece):
                return
            self.at = 0
            self.piece += 1
            if self.piece == len(self.flood):
                self.piece = 0
                self.round += 1
                if self.part.ends and self.round == self.part.times:
                    return self.let_go(self.sock)
            if self.part.rate:
                return self.rest()

    def rest(self):
        self.is_waiting = True

        def go_on():
            self.is_waiting = False
            if self.sock and self.is_open:
                self.watch(True)
        self.loop.after(1 / self.part.rate, go_on)

    def on_end(self, why):
        self.opened()
        self.crew.ended(self, why)


class Crew:
    """The attackers of one process."""

    def __init__(self, address, secure, parts, share, shares):
        self.address, self.secure = address, secure
        self.loop = Loop()
        self.context = client_context() if secure else None
        self.counts = collections.Counter()
        self.sent = self.received = self.most = 0
        self.is_over = False
        self.opening = 0
        self.unopened = collections.deque()
        self.parts = [(part, [Offender(self, part, number)
                              for number in range(part.connections)
                              if number % part.processes == share % part.processes])
                      for part in parts if share < part.processes]

    def start(self):
        now = time.monotonic()
        for part, offenders in self.parts:
            for at, offender in enumerate(offenders):
                pause = part.starts + part.ramp * at / len(offenders)
                if pause:
                    self.loop.at(now + pause, lambda one=offender: self.queue(one))
                else:
                    self.unopened.append(offender)
        self.open_more()

    def queue(self, offender):
        self.unopened.append(offender)
        self.open_more()

    def open_more(self):
        while self.unopened and self.opening < OPEN_AT_ONCE and not self.is_over:
            self.opening += 1
            self.unopened.popleft().begin()
        self.most = max(self.most, len(self.loop.connections))

    def ended(self, offender, why):
        self.counts["ended by " + why] += 1
        if offender.part.reopen is not None and not self.is_over:
            self.loop.after(offender.part.reopen, lambda: self.queue(offender))

    def run(self, until):
        self.loop.run(until)
        self.is_over = True
        held = sum(1 for one in self.loop.connections.values() if one.is_open)
        self.loop.close()
        return {"sent": self.sent, "received": self.received, "held": held, "most": self.most,
                "counts": dict(self.counts)}


def serve(make_crew, pipe):
    """The life of a process."""
    crew = make_crew()
    pipe.send(True)
    order = pipe.recv()
    if order:
        time.sleep(max(order["start_at"] - time.monotonic(), 0))
        crew.start()
        pipe.send(crew.run(order["stop_at"]))
