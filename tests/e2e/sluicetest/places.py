"""Where a request may come from: each kind of socket, fresh or after another request; and
readers of everything that comes back."""

import itertools

from .http import Response
from .websocket import WebSocket
from .wire import Closed

SOCKETS = ["tcp", "unix"]
BEFORE = ["fresh", "poll", "publish", "file"]
PLACES = ["-".join(pair) for pair in itertools.product(SOCKETS, BEFORE)]

# Asked before the request under test; each leaves the connection open.
_FIRST = {
    "poll": ("GET", "/poll?channels=before", {}, None),
    "publish": ("POST", "/publish?channel=before", {"Content-Type": "text/plain"}, b"before"),
    "file": ("GET", "/client/sluice.js", {}, None),
}


class Place:
    """`name` is one of PLACES; `gateway` listens on TCP and on a Unix socket, in this order."""

    def __init__(self, gateway, name):
        kind, self.before = name.split("-")
        self.gateway = gateway
        self.address = gateway.listeners[SOCKETS.index(kind)]

    def connect(self):
        """A connection at this place, which may become a WebSocket."""
        wire = WebSocket(self.address, host="127.0.0.1")
        if self.before in _FIRST:
            response = wire.request(*_FIRST[self.before])
            assert response.status == 200 and wire.is_reusable(), response
            # A copy kept alive but not served again would show as a second answer here.
            assert not wire.buffer, bytes(wire.buffer)
        return wire

    def ask(self, data):
        """Sends `data` on a connection of its own and returns all that comes until it ends."""
        with self.connect() as wire:
            send_quietly(wire, data)
            return wire.read_to_end()


def send_quietly(wire, data):
    """For a gateway that may close before it has read everything."""
    try:
        wire.send(data)
    except Closed:
        pass


def send_quietly_bytewise(wire, data):
    try:
        wire.send_bytewise(data)
    except Closed:
        pass


def responses_in(data, method="GET"):
    """Every response in `data`, which is all that a connection brought; 1xx are left out. `method`
    is that of the first request."""
    responses = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, "half a head: %r" % head[:300]
        response = Response(head)
        if response.status // 100 == 1:
            continue
        data = _take_body(response, data, method if not responses else "GET")
        responses.append(response)
    return responses


def _take_body(response, data, method):
    assert not response.is_chunked, response
    length = int(response.header("Content-Length", "0"))
    if method == "HEAD" or response.status in (204, 304):
        length = 0
    assert len(data) >= length, "half a body: %r" % data[:300]
    response.body = data[:length]
    return data[length:]
