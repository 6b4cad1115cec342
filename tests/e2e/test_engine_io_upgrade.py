"""The upgrade of Engine.IO 4: a session on polling becomes a WebSocket, on whatever shard that comes to. Each case with
one shard and with four, in the clear and over TLS."""

import random
import threading
import time

import pytest

from sluicetest import CloseFrame, Closed, Gateway, SharedGateway, eventually
from sluicetest.engine_io import EngineIo, error_body
from sluicetest.tokens import Issuer
from sluicetest.websocket import BINARY, TEXT, frame_bytes

OPTIONS = ("--client-publish", "*", "--engineio-upgrade-timeout", "1")
WORLDS = ["clear-1", "clear-4", "tls-1", "tls-4"]
ENDED = (CloseFrame, Closed)


@pytest.fixture(scope="module", params=WORLDS)
def shared_gateway(request):
    kind, shards = request.param.split("-")
    with SharedGateway("--shards", shards, *OPTIONS, secure=kind == "tls") as shared:
        yield shared


def assert_error(response, code):
    assert (response.status, response.body) == (400, error_body(code))


def data_of(frame):
    """A message's data, or None for what is no message."""
    if frame.opcode == BINARY:
        return frame.payload
    return frame.payload[1:] if frame.payload.startswith(b"4") else None


def switch(socket):
    socket.send_text("5")
    return socket


def take_past_noops(engine):
    """What a poll gets once the gateway has noticed that a WebSocket has gone."""
    taken = [b"6"]
    while taken == [b"6"]:
        taken = engine.take()
    return taken


# ---- as it should be ----

def test_a_poll_that_is_held_goes_at_once(gateway, channel):
    engine = EngineIo(gateway, "channels=" + channel)
    held = engine.hold()
    with engine.probe() as socket:
        assert held.packets() == [b"6"]
        gateway.publish(channel, "between")
        switch(socket)
        assert socket.next_data().payload == b"4between"
        gateway.publish(channel, "after")
        assert socket.next_data().payload == b"4after"


def test_every_poll_goes_until_the_switch_and_takes_what_there_is(gateway, channel):
    engine = EngineIo(gateway, "channels=" + channel)
    with engine.probe() as socket:
        for number in range(5):
            assert engine.take() == [b"6"]
            gateway.publish(channel, str(number))
            assert engine.take() == [b"4%d" % number]
        switch(socket)
        gateway.publish(channel, "last")
        assert socket.next_data().payload == b"4last"


def test_polls_while_it_is_probed_do_not_race(gateway):
    """A path that swallows the answer to the probe leaves the client polling: it must not do so as fast as it can."""
    engine = EngineIo(gateway)
    with engine.probe():
        began = time.monotonic()
        for _ in range(4):
            assert engine.take() == [b"6"]
        assert time.monotonic() - began > 0.25


def test_what_is_queued_goes_along(gateway):
    engine = EngineIo(gateway)
    engine.say(b"4one", b"bAQID")
    with engine.probe() as socket:
        switch(socket)
        socket.send_text("4two")
        frames = [socket.next_data() for _ in range(3)]
        assert [(frame.opcode, frame.payload) for frame in frames] == [
            (TEXT, b"4one"), (BINARY, b"\x01\x02\x03"), (TEXT, b"4two")]


def test_what_follows_the_switch_in_one_segment_is_read(gateway):
    engine = EngineIo(gateway)
    with engine.upgrade() as socket:
        socket.send(b"".join(frame_bytes(TEXT, text) for text in ("2probe", "5", "4a", "4b")))
        assert [socket.next_data().payload for _ in range(3)] == [b"3probe", b"4a", b"4b"]


def test_the_id_is_of_no_use_afterwards(gateway):
    engine = EngineIo(gateway)
    with switch(engine.probe()) as socket:
        assert_error(engine.get(), 3)
        assert_error(engine.post(b"4a"), 3)
        with engine.upgrade() as second, pytest.raises(ENDED):
            second.next_data()
        socket.send_text("4hello")
        assert socket.next_data().payload == b"4hello"
    eventually(lambda: engine.get().body == error_body(1))


def test_a_poll_sent_behind_the_switch_takes_nothing(gateway, channel):
    for number in range(10):
        engine = EngineIo(gateway, "channels=" + channel)
        with engine.probe() as socket:
            gateway.publish(channel, str(number))
            switch(socket)
            assert_error(engine.get(), 3)
            assert socket.next_data().payload == b"4%d" % number


# ---- as it should not be ----

def test_a_probe_that_breaks_off_leaves_polling_alive(gateway, channel):
    engine = EngineIo(gateway, "channels=" + channel)
    for number, breaks_off in enumerate((engine.upgrade, engine.probe)):
        breaks_off().close()
        engine_is_alive(gateway, engine, channel, number)
    with switch(engine.probe()) as socket:
        gateway.publish(channel, "last")
        assert socket.next_data().payload == b"4last"


def engine_is_alive(gateway, engine, channel, number):
    """What is published before a poll and what is published during one comes."""
    gateway.publish(channel, "before%d" % number)
    assert take_past_noops(engine) == [b"4before%d" % number]
    held = engine.hold()
    gateway.publish(channel, "during%d" % number)
    assert held.packets() == [b"4during%d" % number]


@pytest.mark.parametrize("text", ["4hello", "2", "3", "1", "6", "abc", "2probes", ""])
def test_anything_else_ends_the_websocket_alone(gateway, text):
    engine = EngineIo(gateway)
    for reach in engine.upgrade, engine.probe:
        with reach() as socket, pytest.raises(ENDED):
            socket.send_text(text)
            socket.next_data()
    engine.say(b"4on")
    assert take_past_noops(engine) == [b"4on"]


def test_a_probe_has_its_time(gateway):
    engine = EngineIo(gateway)
    with engine.probe() as socket:
        began = time.monotonic()
        with pytest.raises(ENDED):
            socket.next_data()
        assert time.monotonic() - began > 0.9
    engine.say(b"4on")
    assert engine.take() == [b"4on"]


def test_one_websocket_probes_at_a_time(gateway):
    engine = EngineIo(gateway)
    with engine.probe() as first:
        with engine.upgrade() as second, pytest.raises(ENDED):
            second.next_data()
        switch(first).send_text("4hello")
        assert first.next_data().payload == b"4hello"


def test_a_session_that_ends_takes_its_probe_along(gateway):
    engine = EngineIo(gateway)
    with engine.probe() as socket:
        engine.post(b"abc")
        switch(socket)
        with pytest.raises(ENDED):
            socket.next_data()
    assert_error(engine.get(), 1)


# ---- messages all the time ----

class Publisher(threading.Thread):
    """Publishes numbers as fast as they are taken."""

    def __init__(self, gateway, channel):
        super().__init__()
        self.gateway, self.channel = gateway, channel
        self.published = 0
        self.goes_on = True

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.goes_on = False
        self.join()

    def run(self):
        with self.gateway.connect() as http:
            while self.goes_on:
                self.gateway.publish(self.channel, str(self.published), on=http)
                self.published += 1


class Client(threading.Thread):
    """Polls, upgrades, and goes on on the WebSocket, as the library does; notes each number that it gets."""

    def __init__(self, engine, seed):
        super().__init__()
        self.engine, self.random = engine, random.Random(seed)
        self.got = []
        self.failure = None
        self.is_up = threading.Event()
        self.may_end = threading.Event()
        self.last = None

    def take(self, payloads):
        for payload in payloads:
            if payload.startswith(b"4"):
                self.got.append(int(payload[1:]))
            else:
                assert payload in (b"2", b"6"), payload

    def run(self):
        try:
            self.be_a_client()
        except BaseException as err:  # told by the test
            self.failure = err
        self.is_up.set()

    def be_a_client(self):
        for _ in range(self.random.randrange(4)):
            self.take(self.engine.take())
        held = self.engine.hold()
        time.sleep(self.random.random() * 0.02)
        socket = self.engine.upgrade()
        socket.send_text("2probe")
        assert socket.next_data().payload == b"3probe"
        self.take(held.packets())
        for _ in range(self.random.randrange(2)):
            self.take(self.engine.take())
        socket.send_text("5")
        self.is_up.set()
        with socket:
            while not self.may_end.is_set() or self.last is None or not self.got or self.got[-1] < self.last:
                self.take([socket.next_data().payload])


@pytest.mark.shards
def test_nothing_is_lost_or_doubled_while_another_publishes(gateway, channel):
    with Publisher(gateway, channel) as publisher:
        clients = [Client(EngineIo(gateway, "channels=" + channel), seed) for seed in range(12)]
        for client in clients:
            client.start()
        for client in clients:
            assert client.is_up.wait(60)
        time.sleep(0.1)
    for client in clients:
        client.last = publisher.published - 1
        client.may_end.set()
    gateway.publish(channel, str(publisher.published))  # they look at the end after a message
    for client in clients:
        client.join(60)
        assert client.failure is None, client.failure
        first = client.got[0]
        assert client.got == list(range(first, first + len(client.got)))


@pytest.mark.parametrize("shards", [1, 4])
def test_acks_that_are_on_their_way_come_before_the_move(shards, channel):
    """A backend that answers late; each message of the client's comes back once."""
    with Gateway("--backend", "slow", "--shards", shards, "--client-publish", "*") as gateway:
        for number in range(8):
            engine = EngineIo(gateway, "channels=%s%d" % (channel, number))
            with engine.probe() as socket:
                engine.say(*[b"4%d" % n for n in range(10)])
                switch(socket)
                socket.send_text("4last")
                got = [data_of(socket.next_data()) for _ in range(11)]
                assert sorted(got[:10]) == [b"%d" % n for n in range(10)]
                assert got[10] == b"last"
                gateway.publish("%s%d" % (channel, number), "end")
                assert socket.next_data().payload == b"4end"


@pytest.mark.parametrize("shards", [1, 4])
def test_a_token_goes_along_and_ends_the_websocket(shards):
    issuer = Issuer()
    with Gateway("--shards", shards, *issuer.options, bearer=issuer.operator) as gateway:
        token = issuer.ending_in(3, subscribe=["a"], publish=["a"])
        for _ in range(3):
            engine = EngineIo(gateway, "channels=a&token=" + token)
            socket = switch(engine.probe())
            socket.send_text("4mine")
            assert socket.next_data().payload == b"4mine"
            socket.close()
        with switch(EngineIo(gateway, "channels=a&token=" + token).probe()) as socket:
            with pytest.raises(CloseFrame) as close:
                socket.next_data()
            assert close.value.code == 4002


def test_a_websocket_that_does_not_read_is_slow(gateway, channel):
    with Gateway("--shards", "4", "--outbox", "64K") as small:
        engine = EngineIo(small, "channels=" + channel)
        with switch(engine.probe()):
            closed = small.metric("sluice_slow_consumers_total")
            until = time.monotonic() + 60
            while small.metric("sluice_slow_consumers_total") == closed:
                assert time.monotonic() < until
                small.publish_all(channel, ["x" * 60000] * 20)


def test_upgrades_are_counted(gateway):
    before = gateway.metric("sluice_eio_upgrades_total")
    failed = gateway.metric("sluice_eio_upgrades_failed_total")
    with switch(EngineIo(gateway).probe()):
        eventually(lambda: gateway.metric("sluice_eio_upgrades_total") == before + 1)
    EngineIo(gateway).probe().close()
    eventually(lambda: gateway.metric("sluice_eio_upgrades_failed_total") == failed + 1)

