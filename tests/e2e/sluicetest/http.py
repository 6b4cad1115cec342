"""HTTP/1 by hand (RFC 9112): requests as bytes, responses read piece by piece."""

import json
import time

from .wire import TIMEOUT, Closed, Wire


def request_bytes(method, target, headers=(), body=None, version="1.1", host="127.0.0.1"):
    """A request head and body. `headers` is a dict or pairs; Host and Content-Length are
    added unless given (a header whose value is None is left out)."""
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names and host is not None:
        pairs.insert(0, ("Host", host))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", str(len(body))))
    head = "%s %s HTTP/%s\r\n" % (method, target, version)
    head += "".join("%s: %s\r\n" % pair for pair in pairs if pair[1] is not None)
    return head.encode("latin-1") + b"\r\n" + (body or b"")


class Response:
    """Status, headers and (once read) the body."""

    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        assert lines[0].startswith(("HTTP/1.1 ", "HTTP/1.0 ")), "no status line: %r" % head
        self.version, status, self.reason = (lines[0] + " ").split(" ", 2)
        self.status = int(status)
        self.pairs = []
        for line in lines[1:]:
            if line:
                name, colon, value = line.partition(":")
                assert colon, "no colon in header line %r" % line
                self.pairs.append((name, value.strip()))
        self.body = None

    def header(self, name, default=None):
        """The value, or several joined by commas."""
        values = [v for n, v in self.pairs if n.lower() == name.lower()]
        return ", ".join(values) if values else default

    def tokens(self, name):
        return {t.strip().lower() for t in self.header(name, "").split(",") if t.strip()}

    @property
    def is_chunked(self):
        return "chunked" in self.tokens("Transfer-Encoding")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "<%s %r %r>" % (self.status, self.pairs, (self.body or b"")[:300])


class Http(Wire):
    """A connection to the gateway that speaks HTTP/1.0 or 1.1 as told."""

    def __init__(self, address, host=None, rcvbuf=None, source=None, how=None):
        super().__init__(address, rcvbuf, source, how)
        if host is not None:
            self.host = host
        elif isinstance(address, str):
            self.host = "localhost"
        elif ":" in address[0]:
            self.host = "[%s]:%d" % address[:2]
        else:
            self.host = "%s:%d" % address
        self.response = None

    def send_request(self, method, target, headers=(), body=None, version="1.1"):
        self.send(request_bytes(method, target, headers, body, version, self.host))

    def read_head(self, timeout=TIMEOUT):
        """Reads a response head, skipping 100 Continue."""
        while True:
            self.response = Response(self.read_until(b"\r\n\r\n", timeout))
            if self.response.status != 100:
                return self.response

    def read_chunk(self, timeout=TIMEOUT):
        """The next chunk's bytes, b"" for the last one (RFC 9112, 7.1). Takes a whole
        chunk or, when it raises, nothing."""
        deadline = time.monotonic() + timeout
        while True:
            line_end = self.buffer.find(b"\r\n")
            if line_end >= 0:
                size = int(bytes(self.buffer[:line_end]).split(b";")[0], 16)
                end = line_end + 2 + size + 2
                if len(self.buffer) >= end:
                    break
            self._fill_before(deadline, "chunk")
        piece = bytes(self.buffer[line_end + 2:end - 2])
        assert self.buffer[end - 2:end] == b"\r\n", bytes(self.buffer[:200])
        del self.buffer[:end]
        return piece

    def read_body(self, method="GET", timeout=TIMEOUT):
        response = self.response
        if method == "HEAD" or response.status in (101, 204, 304):
            response.body = b""
        elif response.is_chunked:
            chunks = []
            while not chunks or chunks[-1]:
                chunks.append(self.read_chunk(timeout))
            response.body = b"".join(chunks)
        elif response.header("Content-Length") is not None:
            response.body = self.read_exact(int(response.header("Content-Length")), timeout)
        else:
            response.body = self.read_to_end(timeout)
        return response

    def read_response(self, method="GET", timeout=TIMEOUT):
        self.read_head(timeout)
        return self.read_body(method, timeout)

    def request(self, method, target, headers=(), body=None, version="1.1", timeout=TIMEOUT):
        self.send_request(method, target, headers, body, version)
        return self.read_response(method, timeout)

    def is_reusable(self):
        """True when the response just read leaves the connection open, by what it says."""
        said = self.response.tokens("Connection")
        if self.response.version == "HTTP/1.0":
            return "keep-alive" in said
        return "close" not in said


class StreamBody:
    """The body of a streaming response: what came as one chunk, or, close-delimited, as
    one read."""

    def __init__(self, http):
        self.http = http
        self.ended = False

    def next_piece(self, timeout=TIMEOUT):
        """Raises Closed at the end; `ended` tells a clean end (last chunk) from a cut."""
        if self.http.response.is_chunked:
            piece = self.http.read_chunk(timeout)
            if piece == b"":
                self.ended = True
                raise Closed()
            return piece
        if not self.http.buffer:
            self.http._fill_before(time.monotonic() + timeout, "stream bytes")
        piece = bytes(self.http.buffer)
        self.http.buffer.clear()
        return piece
