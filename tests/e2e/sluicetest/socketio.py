"""A client of Socket.IO by hand, that can also say what no client may: packets as text and bytes, on polling and
on a WebSocket."""

import base64
import json

from .families import EIO_MESSAGE, EIO_NOOP, EIO_PING, EIO_PONG, SEPARATOR, Ended, Polled, Upgraded

CARRIERS = {"polling": Polled, "websocket": Upgraded}


class Socket:
    """`carrier` is one of CARRIERS. `nsp` of a call is "" or "/x,"."""

    def __init__(self, gateway, carrier, query=(), headers=None):
        self.carrier = carrier
        self.packets = CARRIERS[carrier](gateway.address, "/socket.io/", headers or {}, dict(query))
        self.acks = 0
        try:
            self.packets.open()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.packets.close()

    def say(self, *packets):
        """Packets of Socket.IO, or bytes: all in one request where they are polled."""
        framed = [packet if isinstance(packet, bytes) else EIO_MESSAGE + packet for packet in packets]
        if self.carrier == "polling":
            framed = ["b" + base64.b64encode(one).decode() if isinstance(one, bytes) else one for one in framed]
            assert SEPARATOR not in "".join(framed)
        return self.packets.send(*framed)

    def take(self):
        """The next packet, over pings, which are answered; bytes as bytes."""
        while True:
            packet = self.packets.next()
            if isinstance(packet, bytes):
                return packet
            if packet == EIO_PING:
                self.packets.send(EIO_PONG)
            elif packet != EIO_NOOP:
                assert packet[0] == EIO_MESSAGE, packet
                return packet[1:]

    def ends(self):
        """What comes until it is closed; DISCONNECT must not be there."""
        packets = []
        try:
            while True:
                packets.append(self.take())
                assert not (isinstance(packets[-1], str) and packets[-1].startswith("1")), packets
        except Ended:
            return packets

    def join(self, nsp="", auth=None):
        """Of CONNECT: the object of the answer, which is a refusal if it has a message."""
        self.say("0" + nsp + ("" if auth is None else json.dumps(auth)))
        packet = self.take()
        assert packet[0] in "04" and packet[1:].startswith(nsp), packet
        answer = json.loads(packet[1 + len(nsp):])
        assert ("message" in answer) == (packet[0] == "4"), packet
        return answer

    def connect(self, nsp="", auth=None):
        """Joins a namespace, which nothing refuses."""
        answer = self.join(nsp, auth)
        assert "sid" in answer, answer
        return answer

    def ask(self, *event, nsp=""):
        """The ack's argument; events before it are kept for nobody."""
        self.acks += 1
        self.say("2%s%d%s" % (nsp, self.acks, json.dumps(event)))
        head = "3%s%d[" % (nsp, self.acks)
        while True:
            packet = self.take()
            if isinstance(packet, str) and packet.startswith(head):
                answer, = json.loads(packet[len(head) - 1:])
                return answer

    def event(self, nsp=""):
        """The next event, as a list."""
        packet = self.take()
        assert isinstance(packet, str) and packet.startswith("2" + nsp), packet
        return json.loads(packet[1 + len(nsp):])
