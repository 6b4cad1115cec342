"""Readers of the five transports in both formats, all of one shape: what came, as pairs of channel and
text, and why it ended."""

import json

from .http import Http
from .streams import LineReader, SseReader
from .subscriber import Refused, target_of
from .websocket import TEXT, CloseFrame, WebSocket
from .wire import TIMEOUT, Closed

PATHS = {"websocket": "/ws", "sse": "/sse", "stream": "/stream", "longpoll": "/poll", "poll": "/poll"}


def plain(payload):
    """A text, however it was published: as text, or as a JSON string."""
    text = payload.decode() if isinstance(payload, bytes) else payload
    return json.loads(text) if text.startswith('"') else text


class Reader:
    """`received` is what came, `cursor` where it could be resumed (None where raw tells none), `ended`
    the reason of the end."""

    def __init__(self, transport, address, channels, raw, since=None, headers=(), **params):
        self.transport, self.raw, self.channels = transport, raw, list(channels)
        self.headers, self.params = dict(headers), params
        self.received, self.answers = [], []
        self.cursor, self.ended, self.code = since, None, None
        self.is_poll, self.is_asked = PATHS[transport] == "/poll", False
        self.wire = (WebSocket if transport == "websocket" else Http)(address)
        try:
            self._open()
        except BaseException:
            self.wire.close()
            raise

    def _target(self):
        wait = {"longpoll": 55, "poll": 0}.get(self.transport)
        return target_of(PATHS[self.transport], self.channels, since=self.cursor, wait=wait,
                         format="raw" if self.raw else None, **self.params)

    def _open(self):
        if self.is_poll:
            self.ask()
            if self.cursor is None or self.transport == "poll":
                self.take_answer()
            return
        if self.transport == "websocket":
            response = self.wire.handshake(self._target(), self.headers)
        else:
            self.wire.send_request("GET", self._target(), self.headers)
            response = self.wire.read_head()
            if response.status != 200:
                self.wire.read_body()
        if response.status not in (101, 200):
            raise Refused(response)
        self.reader = {"sse": SseReader, "stream": LineReader}.get(self.transport, lambda wire: None)(self.wire)
        if not self.raw or self.transport == "sse":
            self._step()
            assert self.answers.pop()["type"] == "open"

    # Polls: one question is out, or none.

    def ask(self):
        self.wire.send_request("GET", self._target(), self.headers)
        self.is_asked = True

    def take_answer(self):
        self.is_asked = False
        response = self.wire.read_response(timeout=TIMEOUT + 55)
        if response.status not in (200, 204):
            raise Refused(response)
        self.cursor = response.header("Sluice-Cursor")
        if not self.raw:
            for obj in response.json()["messages"]:
                self.received.append((obj["channel"], plain(obj["data"])))
        elif response.status == 200 and response.header("Content-Length") != "0":
            self.received.append((self.channels[0], plain(response.body)))
        if "close" in response.tokens("Connection"):
            self.ended = "close"

    # Streams.

    def _step(self):
        """Reads one thing."""
        if self.transport == "websocket":
            return self._take_frame(self.wire.next_data())
        if self.transport == "sse":
            return self._take_event(self.reader.next_event())
        line = self.reader.next_line()
        if not self.raw:
            return self._take(json.loads(line))
        if line:
            self.received.append((self.channels[0], plain(line)))
        return None

    def _take_frame(self, frame):
        assert frame.opcode == TEXT, frame
        if self.raw:
            self.received.append((self.channels[0], plain(frame.payload)))
        else:
            self._take(json.loads(frame.payload))

    def _take_event(self, event):
        if event.id is not None:
            self.cursor = event.id
        if event.name == "message" and self.raw:
            self.received.append((self.channels[0], plain(event.text)))
        else:
            self._take(json.loads(event.text))

    def _take(self, obj):
        if "type" not in obj:
            self.received.append((obj["channel"], plain(obj["data"])))
            self.cursor = obj["id"]
            return
        assert obj["type"] != "gap", obj
        if "cursor" in obj:
            self.cursor = obj["cursor"]
        if obj["type"] == "bye":
            self.ended = obj["reason"]
        elif obj["type"] != "heartbeat":
            self.answers.append(obj)

    def hold(self):
        """A long poll waits from now on."""
        if self.transport == "longpoll" and not self.is_asked:
            self.ask()

    def read(self, count):
        """Until so many have come in all."""
        while len(self.received) < count and self.ended is None:
            if not self.is_poll:
                self._step()
                continue
            if not self.is_asked:
                self.ask()
            self.take_answer()

    def read_to_end(self):
        """Until the gateway has ended it; `code` is a WebSocket's."""
        try:
            while self.is_poll and self.ended is None:
                if not self.is_asked:
                    self.ask()
                self.take_answer()
            while not self.is_poll:
                self._step()
        except Closed:
            assert self.is_poll or self.transport == "websocket" or self.reader.ended, "it was cut"
        except CloseFrame as close:
            self.code = close.code
        except Refused as refused:
            self.ended = refused.response.json()["error"]["code"]

    def tell(self, **obj):
        """Says something on a WebSocket and returns the answer."""
        self.wire.send_object({**obj, "ref": 1})
        while not self.answers:
            self._step()
        return self.answers.pop()

    def close(self):
        self.wire.close()
