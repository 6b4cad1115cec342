"""Clients that poll, upgrade, give up upgrades and leave, each request on a TCP connection of its own or on a kept one,
against four shards: nobody's session is unknown, nothing is lost, doubled or out of order on the way from one
transport to the other, and nothing of those that left is left behind."""

import contextlib
import random
import threading
import time

import pytest

from sluicetest import Closed, CloseFrame, Gateway, WebSocket, eventually

pytestmark = pytest.mark.shards

MESSAGES = 900
FOLLOWERS = 12
LEAVERS = 4
PATH = "/engine.io/?EIO=4&transport="


class Session:
    """One client. `take` gets each message's text."""

    def __init__(self, gateway, query, rng, take):
        self.gateway, self.query, self.rng, self.take = gateway, query, rng, take
        self.kept = None
        answer = self.request("GET")
        assert answer.status == 200, answer
        self.query += "&sid=" + answer.body.split(b'"sid":"')[1].split(b'"')[0].decode()

    def connection(self):
        """A new one more often than not: it may be another shard's."""
        if self.kept is None or self.rng.random() < 0.6:
            self.close()
            self.kept = self.gateway.connect()
        return self.kept

    def close(self):
        if self.kept is not None:
            self.kept.close()
        self.kept = None

    def request(self, method, body=None):
        http = self.connection()
        return http.request(method, PATH + "polling&" + self.query, body=body)

    def read(self, packets):
        """Returns whether a ping was among them."""
        pings = 0
        for packet in packets:
            assert packet[:1] in ("2", "4", "6"), packet
            if packet[:1] == "4":
                self.take(packet[1:])
            pings += packet[:1] == "2"
        return pings

    def take_answer(self, answer):
        assert answer.status == 200, answer
        if self.read(answer.body.decode().split("\x1e")):
            answer = self.request("POST", b"3")
            assert (answer.status, answer.body) == (200, b"ok"), answer

    def poll(self):
        self.take_answer(self.request("GET"))

    def upgrade(self, is_given_up):
        """While a GET is held. Returns the WebSocket, or None where it is given up before the last word."""
        held = self.gateway.connect()
        held.send_request("GET", PATH + "polling&" + self.query)
        ws = WebSocket(self.gateway.address)
        response = ws.handshake(PATH + "websocket&" + self.query)
        assert response.status == 101, response
        ws.send_text("2probe")
        assert ws.next_data().payload == b"3probe"
        self.take_answer(held.read_response())
        held.close()
        if is_given_up:
            ws.close()
            return None
        ws.send_text("5")
        return ws

    def follow(self, ws, until):
        while not until():
            packet = ws.next_data().payload.decode()
            if self.read([packet]):
                ws.send_text("3")


class Client(threading.Thread):
    def __init__(self, gateway, number):
        super().__init__(daemon=True)
        self.gateway, self.number = gateway, number
        self.rng = random.Random(number)
        self.seen, self.failure = None, None
        self.upgraded = self.gave_up = 0

    def run(self):
        try:
            self.live()
        except Exception as failure:  # told by the test
            self.failure = failure

    def take(self, text):
        number = int(text)
        if self.seen is not None:
            assert number == self.seen + 1, "client %d: %d behind %d" % (self.number, number, self.seen)
        self.seen = number


class Follower(Client):
    """Reads to the end, half of the time by an upgrade."""

    def has_all(self):
        return self.seen == MESSAGES

    def live(self):
        session = Session(self.gateway, "channels=c", self.rng, self.take)
        ws = None
        while not ws and not self.has_all():
            chance = self.rng.random()
            if chance > 0.05:
                session.poll()
                continue
            ws = session.upgrade(is_given_up=self.rng.random() < 0.5)
            self.upgraded += ws is not None
            self.gave_up += ws is None
        if ws:
            session.follow(ws, self.has_all)
            ws.close()
        session.close()


class Leaver(Client):
    """Opens sessions and leaves in every way."""

    def live(self):
        until = time.monotonic() + 3
        while time.monotonic() < until:
            self.seen = None
            session = Session(self.gateway, "channels=c", self.rng, self.take)
            self.leave(session, self.rng.randrange(5))
            session.close()

    def leave(self, session, way):
        if way == 1:
            http = session.connection()
            http.send_request("GET", PATH + "polling&" + session.query)
        elif way == 2:
            session.poll()
            answer = session.request("POST", b"1")
            assert (answer.status, answer.body) == (200, b"ok"), answer
        elif way in (3, 4):
            ws = session.upgrade(is_given_up=way == 3)
            if ws and self.rng.random() < 0.5:
                with contextlib.suppress(Closed, CloseFrame):
                    ws.next_data(0.2)
            if ws:
                ws.close()


def publish_all(gateway):
    with gateway.connect() as http:
        for number in range(1, MESSAGES + 1):
            answer = http.request("POST", "/publish?channel=c", {"Content-Type": "text/plain"}, b"%d" % number)
            assert answer.status == 200, answer
            time.sleep(0.003)


def test_sessions_lose_nothing_whatever_shard_their_requests_reach():
    with Gateway("--shards", "4", "--engineio-ping-interval", "0.5", "--engineio-ping-timeout", "30") as gateway:
        clients = [Follower(gateway, number) for number in range(FOLLOWERS)]
        clients += [Leaver(gateway, 1000 + number) for number in range(LEAVERS)]
        for client in clients:
            client.start()
        publish_all(gateway)
        for client in clients:
            client.join(60)
            assert not client.is_alive(), client.number
        failures = [(client.number, client.failure) for client in clients if client.failure]
        assert not failures, failures
        assert gateway.metric("sluice_session_requests_forwarded_total") > 100
        assert gateway.metric("sluice_session_requests_unknown_total") == 0
        assert sum(client.upgraded for client in clients) > 0
        assert sum(getattr(client, "gave_up", 0) for client in clients) > 0
        for transport in ("engineio-websocket", "engineio-polling"):
            eventually(lambda: gateway.metric("sluice_connections", transport=transport) == 0)


def test_a_gateway_stops_at_once_with_sessions_and_visits_under_way():
    with Gateway("--shards", "4") as gateway:
        held = []
        for number in range(24):
            session = Session(gateway, "channels=c", random.Random(number), lambda text: None)
            http = gateway.connect()
            http.send_request("GET", PATH + "polling&" + session.query)
            held.append((session, http))
        eventually(lambda: gateway.metric("sluice_session_requests_forwarded_total") > 0)
        began = time.monotonic()
        gateway.stop()
        assert time.monotonic() - began < 8  # --drain is 10 s
        for session, http in held:
            with contextlib.suppress(Closed):
                answer = http.read_response()
                assert answer.status == 200 and answer.body.decode().split("\x1e")[-1] in ("1", "6"), answer
