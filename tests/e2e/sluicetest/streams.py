"""Readers of the two streaming bodies: lines of JSON, and Server-Sent Events."""

import json
import time

from .http import StreamBody
from .wire import TIMEOUT


class _Lines:
    """Lines out of a body, whatever its pieces; LF, CR and CRLF end a line for SSE, LF
    alone elsewhere."""

    def __init__(self, http):
        self.body = StreamBody(http)
        self.pending = b""
        self.pieces = 0

    def next_line(self, deadline):
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no line; pending %r" % self.pending[-200:])
            self.pending += self.body.next_piece(left)
            self.pieces += 1
        line, _, self.pending = self.pending.partition(b"\n")
        return line


class LineReader:
    """One JSON object a line."""

    def __init__(self, http):
        self._lines = _Lines(http)

    @property
    def ended(self):
        return self._lines.body.ended

    def next_line(self, timeout=TIMEOUT):
        return self._lines.next_line(time.monotonic() + timeout)

    def next_object(self, timeout=TIMEOUT):
        return json.loads(self.next_line(timeout))


class Event:
    """One dispatched event and the fields it came with."""

    def __init__(self):
        self.name = "message"
        self.data = []
        self.id = None
        self.retry = None

    @property
    def text(self):
        return "\n".join(self.data)

    def __repr__(self):
        return "<event %s id=%s retry=%s %r>" % (self.name, self.id, self.retry, self.text[:200])


class SseReader:
    """The event stream of WHATWG HTML, 9.2.6. An event without data is not dispatched,
    but its id and retry count: `last_id` and `retry` are the stream's."""

    def __init__(self, http):
        self._lines = _Lines(http)
        self.last_id = None
        self.retry = None
        self.comments = 0

    @property
    def ended(self):
        return self._lines.body.ended

    def next_event(self, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        event = Event()
        while True:
            line = self._lines.next_line(deadline).decode("utf-8").rstrip("\r")
            if line == "":
                if event.data:
                    return event
                event = Event()
                continue
            self._field(event, line)

    def _field(self, event, line):
        if line.startswith(":"):
            self.comments += 1
            return
        name, _, value = line.partition(":")
        if value.startswith(" "):
            value = value[1:]
        if name == "data":
            event.data.append(value)
        elif name == "event":
            event.name = value
        elif name == "id":
            assert "\0" not in value
            event.id = self.last_id = value
        elif name == "retry":
            event.retry = self.retry = int(value)
