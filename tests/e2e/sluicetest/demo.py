"""What `--demo` offers: lanes, traces, blocks."""

import base64
import itertools
import json
import re

from .tls import TlsAddress
from .wire import Wire

_names = itertools.count(1)


def new_name():
    """A name for demo= that nobody else uses."""
    return "name-%d" % next(_names)


def address_of(origin):
    """Where an origin is, for Http and the subscribers."""
    scheme, host, port = re.fullmatch(r"(https?)://(\S+):(\d+)", origin).groups()
    return (TlsAddress if scheme == "https" else tuple)((host, int(port)))


def lanes(gateway):
    """The addresses of the lane listeners."""
    return [address_of(origin)
            for origin in gateway.get("/demo/api/origins").json()["origins"]]


def trace(gateway, name, after=0):
    """What the gateway says of a name, with its bytes decoded."""
    response = gateway.get("/demo/api/trace?of=%s:%d&show=%s" % (name, after, name))
    assert response.status == 200, response
    told = response.json()["names"][name]
    for event in told["events"]:
        event["data"] = base64.b64decode(event.pop("base64"))
    return told


def carried(events, sender):
    """All the bytes that one side sent, by the trace."""
    return b"".join(e["data"] for e in events if e["from"] == sender)


def block(gateway, name, transports):
    response = gateway.request("POST", "/demo/api/blocked?name=" + name, {},
                               json.dumps(transports).encode())
    assert response.status == 200, response
    return response.json()["blocked"]


class Recorder:
    """Every byte that wires sent and received, in the order of the wires' opening."""

    def __init__(self, monkeypatch):
        self.wires = []
        send, fill = Wire.send, Wire.fill

        def recording_send(wire, data):
            send(wire, data)
            self._log(wire)[0].extend(data)

        def recording_fill(wire, *args):
            got = fill(wire, *args)
            self._log(wire)[1].extend(got)
            return got

        monkeypatch.setattr(Wire, "send", recording_send)
        monkeypatch.setattr(Wire, "fill", recording_fill)

    def _log(self, wire):
        if not hasattr(wire, "log"):
            wire.log = (bytearray(), bytearray())
            self.wires.append(wire)
        return wire.log

    def of(self, wire):
        return bytes(self._log(wire)[0]), bytes(self._log(wire)[1])
