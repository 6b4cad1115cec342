"""A client of Engine.IO 4 by hand: each request is the test's own, on a TCP connection of its own, so that it comes
to any shard."""

import json

from .http import Http
from .websocket import WebSocket

SEPARATOR = b"\x1e"
ERRORS = ("Transport unknown", "Session ID unknown", "Bad handshake method", "Bad request", "Forbidden",
          "Unsupported protocol version")


def error_body(code):
    return b'{"code":%d,"message":"%s"}' % (code, ERRORS[code].encode())


class Held:
    """A GET whose answer is yet to come."""

    def __init__(self, engine, more=""):
        self.http = Http(engine.gateway.address)
        self.http.send_request("GET", engine.target("polling", more))

    def read(self):
        response = self.http.read_response()
        self.http.close()
        return response

    def packets(self):
        response = self.read()
        assert response.status == 200, response
        return response.body.split(SEPARATOR)

    def break_off(self):
        self.http.close()


class EngineIo:
    """A session on polling, or what is to become one. `query` is what its page adds."""

    def __init__(self, gateway, query="", shake_hands=True, path="/engine.io/"):
        self.gateway = gateway
        self.query = query + "&" if query else ""
        self.path = path
        self.id = None
        if shake_hands:
            self.shake_hands()

    def target(self, transport, more=""):
        sid = "&sid=" + self.id if self.id else ""
        return "%s?%sEIO=4&transport=%s%s%s" % (self.path, self.query, transport, sid, more)

    def shake_hands(self):
        response = self.request("GET")
        assert response.status == 200, response
        self.opened = json.loads(response.body[1:])
        self.id = self.opened["sid"]
        return response

    def request(self, method, body=None, headers=(), transport="polling"):
        with Http(self.gateway.address) as http:
            return http.request(method, self.target(transport), headers, body)

    def post(self, *packets):
        return self.request("POST", SEPARATOR.join(packets), {"Content-Type": "text/plain;charset=UTF-8"})

    def say(self, *packets):
        response = self.post(*packets)
        assert (response.status, response.body) == (200, b"ok"), response

    def get(self):
        return Held(self).read()

    def take(self):
        """The packets of a poll."""
        return Held(self).packets()

    def hold(self):
        return Held(self)

    def upgrade(self):
        """A WebSocket with the session's id, or without one; the response where it is refused."""
        socket = WebSocket(self.gateway.address)
        response = socket.handshake(self.target("websocket"))
        if response.status == 101:
            return socket
        socket.close()
        return response

    def probe(self):
        socket = self.upgrade()
        socket.send_text("2probe")
        assert socket.next_data().payload == b"3probe"
        return socket
