"""TLS whose records are the attack's own decision, made before they are sent: records of a byte, and
KeyUpdates."""

import ssl

from . import wires


class OneByteRecords:
    """A WebSocket (or what `plain` holds) of which each byte is a record of its own."""

    def __init__(self, crew, plain):
        self.plain = plain
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = crew.context.wrap_bio(self.incoming, self.outgoing)
        self.is_shaken = False

    def begin(self, connection):
        self.step(connection)

    def take(self, connection, data):
        if not self.is_shaken:
            self.incoming.write(data)
            self.step(connection)

    def step(self, connection):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            connection.send(self.outgoing.read())
            return
        except ssl.SSLError:
            return connection.close()
        self.is_shaken = True
        for byte in self.plain:
            self.tls.write(bytes((byte,)))
        connection.flood, connection.may_flood = [self.outgoing.read()], True
        connection.watch(True)


def one_byte_records(plain):
    return lambda crew, number: OneByteRecords(crew, plain)


class KeyUpdates:
    """KeyUpdates that ask for one in return, `runs` times as many as the gateway takes in a row and
    a ping frame. The handshake is made while nothing else is done: it blocks for a round trip."""

    def __init__(self, crew, runs, in_a_row):
        self.crew, self.runs, self.in_a_row = crew, runs, in_a_row

    def begin(self, connection):
        from sluicetest import records
        connection.sock.setblocking(True)
        connection.sock.settimeout(10)
        layer = records.OwnRecords(connection.sock, self.crew.address, _profile())
        try:
            layer.handshake()
        except Exception as error:  # pylint: disable=broad-except
            connection.sock.setblocking(False)
            return connection.end("handshake: %r" % error)
        connection.sock.setblocking(False)
        stream = [layer.outward.seal(records.DATA, wires.upgrade("attack.keys"))]
        ping = wires.frame(b"", wires.PING)
        for _ in range(self.runs):
            stream += [layer.key_update(asks=True) for _ in range(self.in_a_row)]
            stream.append(layer.outward.seal(records.DATA, ping))
        connection.flood, connection.may_flood = [b"".join(stream)], True
        connection.watch(True)

    def take(self, connection, data):
        pass


def key_updates(runs, in_a_row):
    return lambda crew, number: KeyUpdates(crew, runs, in_a_row)


_profiles = []


def _profile():
    """One a process: its file of secrets grows with each handshake, and is read each time."""
    from sluicetest import records
    if not _profiles:
        _profiles.append(records.RecordProfile())
        _profiles[0].context.check_hostname = False
    return _profiles[0]


def client_hello(address):
    """The bytes of a ClientHello, to be sent again and again."""
    from .loop import client_context
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(incoming, outgoing, server_hostname=address)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()
