"""Attacks by the protocols of other libraries: sessions, payloads, namespaces, acks, attachments."""

import itertools
import json

from sluicetest.http import Http

from . import wires
from .offenders import Part

PATH = "/engine.io/?EIO=4&transport=polling"
PLAIN = {"Content-Type": "text/plain;charset=UTF-8"}
MAX_PAYLOAD = 1000000
SEPARATOR = b"\x1e"


def upgrade(path="socket.io", **more):
    """The request of a WebSocket that begins a session."""
    query = "".join("&%s=%s" % pair for pair in more.items())
    fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": wires.KEY,
              "Sec-WebSocket-Version": "13"}
    return wires.request("GET", "/%s/?EIO=4&transport=websocket%s" % (path, query), fields)


def packet(text):
    """A Socket.IO packet on a WebSocket."""
    return wires.frame(b"4" + text.encode())


def event(name, *args, ack=None):
    return packet("2%s%s" % ("" if ack is None else ack, json.dumps([name, *args], separators=(",", ":"))))


def flood(hello, buffer, **how):
    return Part(hello=hello, flood=[wires.repeat(buffer)], **how)


def open_sessions(target, count, number, query=""):
    """Ids of so many sessions, each begun by an honest handshake, from where connection `number` comes from."""
    ids = []
    with Http(target.address, source=Part().source(number)) as http:
        for _ in range(count):
            answer = http.request("GET", PATH + query)
            assert answer.status == 200, answer
            ids.append(json.loads(answer.body[1:])["sid"])
    return ids


def post(sid, body):
    return wires.request("POST", "%s&sid=%s" % (PATH, sid), PLAIN, body)


# ---- sessions ----

def sessions(target):
    """Begun and never asked again."""
    return [Part(flood=[wires.repeat(wires.get(PATH))], waits=False)]


def sessions_addresses(target):
    return [Part(connections=40, addresses=40, flood=[wires.repeat(wires.get(PATH))], waits=False)]


def sessions_unknown(target):
    names = ("%s&sid=%020d" % (PATH, at) for at in itertools.count())
    return [Part(connections=8, waits=False, flood=[b"".join(wires.get(next(names)) for _ in range(500))])]


def held(target):
    """A session each, whose GET never reads what is published."""
    def own(number):
        sid, = open_sessions(target, 1, number, "&channels=attack.held")
        return wires.get("%s&sid=%s" % (PATH, sid)), None
    return [Part(connections=300, processes=2, reads="none", ramp=0.5, rcvbuf=2048, own=own, reopen=None),
            Part(connections=1, hello=target.socket(), starts=0.8, rate=100,
                 flood=[wires.publish_frame("attack.held", "x" * 60000)])]


# ---- payloads ----

def half_posts(target):
    """As much as a payload may have, but for its last byte."""
    def own(number):
        sid, = open_sessions(target, 1, number)
        return post(sid, b"4" + b"x" * (MAX_PAYLOAD - 1))[:-1], None
    return [Part(connections=300, processes=2, ramp=0.5, own=own, reopen=None)]


def payloads(target):
    """Of as many packets as there is room for."""
    pongs = SEPARATOR.join([b"3"] * (MAX_PAYLOAD // 2))

    def own(number):
        sids = open_sessions(target, 4, number)
        return b"", [b"".join(post(sid, pongs) for sid in sids)]
    return [Part(connections=8, own=own, waits=False)]


def giant_payloads(target):
    """More than a payload may have."""
    def own(number):
        sid, = open_sessions(target, 1, number)
        return b"", [post(sid, b"4" + b"x" * 4 * MAX_PAYLOAD)]
    return [Part(connections=16, own=own, waits=False, reopen=0)]


def echoes(target):
    """Its messages come back, and are never read."""
    return [flood(upgrade("engine.io"), wires.frame(b"4" + b"x" * 60000), reads="none", connections=100,
                  waits=False)]


def pongs(target):
    return [flood(upgrade("engine.io"), wires.frame(b"3"))]


# ---- Socket.IO ----

def namespaces(target):
    """Entered and left again, in turn."""
    pieces = [packet("0/attack.%d,{}" % at) + packet("1/attack.%d," % at) for at in range(200)]
    return [flood(upgrade(), b"".join(pieces))]


def many_namespaces(target):
    """More than a socket may have."""
    return [flood(upgrade(), b"".join(packet("0/attack.%d,{}" % at) for at in range(200)))]


def acks(target):
    """Asked for and never read."""
    buffer = b"".join(event(kind, "attack.acks", ack=at) for at in range(100) for kind in ("subscribe", "unsubscribe"))
    return [flood(upgrade() + packet("0{}"), buffer, reads="none", waits=False)]


def events(target):
    return [flood(upgrade() + packet("0/attack.events,{}"), packet('2/attack.events,["said","xxxxxxxxxxxxxxxx"]'))]


def attachments(target):
    """All but the last of an event's ten, 60 KB each."""
    hello = upgrade() + packet("0{}") + packet("510-" + json.dumps(
        ["said", *({"_placeholder": True, "num": at} for at in range(10))]))
    return [Part(connections=300, processes=2, ramp=0.5, reopen=None,
                 hello=hello + wires.frame(b"x" * 6000, wires.BINARY) * 9)]


def many_attachments(target):
    """More than an event may have, and binary that nobody announced."""
    return [Part(connections=32, reopen=0, times=1, flood=[piece], hello=upgrade() + packet("0{}")) for piece in (
        packet('5999999999-["said"]'), wires.frame(b"x" * 60000, wires.BINARY), packet('511-["said"]'))]


def bad_packets(target):
    return [Part(connections=32, reopen=0, times=1, flood=[packet(text)], hello=upgrade()) for text in (
        "9", '2["connect"]', "2" + "[" * 10000, "0/x,[", "3999999999999[]")]


def recoveries(target):
    """Made-up pids of 8 KB."""
    hello = upgrade()
    auth = json.dumps({"pid": "A" * 8000, "offset": "00000000-1"})
    return [flood(hello, packet("0/attack.pid," + auth) + packet("1/attack.pid,"))]
