"""Readers of what a gateway sends, as generators: they yield when they need more bytes."""

import json
import struct
import zlib

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Broken(Exception):
    """What came is against the protocol."""


class Inbox:
    """Bytes that came and were not read."""

    def __init__(self):
        self.bytes = bytearray()

    def until(self, end):
        while (at := self.bytes.find(end)) < 0:
            yield
        taken = bytes(self.bytes[:at])
        del self.bytes[:at + len(end)]
        return taken

    def exact(self, count):
        while len(self.bytes) < count:
            yield
        taken = bytes(self.bytes[:count])
        del self.bytes[:count]
        return taken


class Head:
    def __init__(self, text):
        lines = text.decode("latin-1").split("\r\n")
        if not lines[0].startswith("HTTP/1.1 "):
            raise Broken("no status line: %r" % lines[0])
        self.status = int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()


def read_head(inbox):
    return Head((yield from inbox.until(b"\r\n\r\n")))


def read_body(inbox, head):
    """All of a body of known length."""
    if head.status == 204:
        return b""
    if "content-length" not in head.fields:
        raise Broken("an answer without a length: %r" % head.fields)
    return (yield from inbox.exact(int(head.fields["content-length"])))


def read_chunk(inbox):
    size = int((yield from inbox.until(b"\r\n")), 16)
    data = yield from inbox.exact(size + 2)
    if data[-2:] != b"\r\n":
        raise Broken("a chunk without its end")
    return data[:-2]


class Lines:
    """Pieces of a chunked body, or of one of known length, cut behind `end`."""

    def __init__(self, inbox, end, head):
        self.inbox, self.end, self.head = inbox, end, head
        self.pending = b""

    def _read_more(self):
        if "content-length" not in self.head.fields:
            return (yield from read_chunk(self.inbox))
        whole = yield from read_body(self.inbox, self.head)
        self.head.fields["content-length"] = "0"
        return whole

    def next(self):
        """None at the last chunk."""
        while self.end not in self.pending:
            chunk = yield from self._read_more()
            if not chunk:
                if self.pending.strip():
                    raise Broken("the body ends in the middle of an object: %r" % self.pending[-80:])
                return None
            self.pending += chunk
        piece, _, self.pending = self.pending.partition(self.end)
        return piece


def parse_event(block):
    """(id, object) of a block of lines; object None where it has no data (WHATWG HTML, 9.2.6)."""
    data, event_id = [], None
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if name == b"data":
            data.append(value)
        elif name == b"id":
            event_id = value.decode()
    return event_id, json.loads(b"\n".join(data)) if data else None


def read_frame(inbox, inflates=False):
    """(opcode, payload) of a whole message; the gateway sends no fragments. With `inflates` it may be
    compressed (RFC 7692), each message by itself."""
    first, length = yield from inbox.exact(2)
    if first & (0xb0 if inflates else 0xf0) != 0x80 or length & 0x80:
        raise Broken("frame bits %02x %02x" % (first, length))
    if length == 126:
        length = struct.unpack("!H", (yield from inbox.exact(2)))[0]
    elif length == 127:
        length = struct.unpack("!Q", (yield from inbox.exact(8)))[0]
    payload = yield from inbox.exact(length)
    if first & 0x40:
        try:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        except zlib.error as error:
            raise Broken("a compressed message: %s" % error) from None
    return first & 15, payload
