"""Socket.IO on two gateways of one bus: a client that is cut goes on at the other one, or is told that it begins
anew."""

import contextlib
import itertools
import json
import threading

import pytest

from sluicetest import SharedGateway, eventually
from sluicetest.engine_io import EngineIo, error_body
from sluicetest.nats import options_for, pause
from sluicetest.socketio import CARRIERS, Socket
from sluicetest.subscriber import split_cursor

PENDING = 6  # events whose acks are under way
BACK_S = 30  # what a busy machine gets
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def options(nats, tmp_path_factory):
    """What makes a gateway one of them."""
    return (*options_for(nats, "nodes"), "--secret", str(tmp_path_factory.mktemp("nodes") / "secret"),
            "--shards", "2", "--client-publish", "open.*", "--socketio-recovery")


@pytest.fixture(scope="module")
def shared_pair(options):
    with SharedGateway(*options) as one, SharedGateway(*options) as other:
        yield one, other


@pytest.fixture
def pair(shared_pair):
    with shared_pair[0].use() as one, shared_pair[1].use() as other:
        yield one, other


@pytest.fixture(params=sorted(CARRIERS))
def carrier(request):
    return request.param


@pytest.fixture
def name():
    return "open.%d" % next(_numbers)


def try_to_publish(gateway, name, data):
    return gateway.request("POST", "/publish?event=n&channel=" + name, {"Content-Type": "application/json"},
                           json.dumps(data).encode())


def publish(gateway, name, data):
    response = try_to_publish(gateway, name, data)
    assert response.status == 200, response
    return response.json()["id"]


class Client:
    """One of a single namespace: what it has, and whether its last CONNECT recovered it, by socket.io-client's rule."""

    def __init__(self, name, carrier):
        self.nsp, self.carrier = "/%s," % name, carrier
        self.sid = self.pid = self.offset = self.socket = self.recovered = None
        self.got = []

    def connect(self, gateway):
        self.socket = Socket(gateway, self.carrier)
        auth = {"pid": self.pid, "offset": self.offset} if self.pid else {}
        answer = self.socket.connect(self.nsp, {key: value for key, value in auth.items() if value})
        self.recovered = answer["pid"] == self.pid
        assert self.recovered == (answer["sid"] == self.sid), "the sid is kept where the pid is, and only there"
        self.sid, self.pid = answer["sid"], answer["pid"]
        return self

    def cut(self):
        self.socket.close()

    def event(self):
        """The next event without its offset, which is kept."""
        *event, self.offset = self.socket.event(self.nsp)
        if event[0] == "n":
            self.got.append(event[1])
        return event

    def read(self, count):
        for _ in range(count):
            assert self.event()[0] == "n"

    def read_to(self, last):
        while not self.got or self.got[-1] != last:
            assert self.event()[0] == "n"


@pytest.fixture
def client(name, carrier):
    client = Client(name, carrier)
    yield client
    if client.socket:
        client.cut()


@contextlib.contextmanager
def publishing(pair, name):
    """Numbers, through the gateways by turns, until it is left; then `said` holds how many there were."""
    is_over, said, failures = threading.Event(), [], []

    def run():
        try:
            for number in itertools.count():
                if is_over.wait(0.002):
                    said.append(number)
                    return
                publish(pair[number % len(pair)], name, number)
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield said
    finally:
        is_over.set()
        thread.join()
    assert not failures, failures


# ---- back and forth ----

def test_a_client_goes_on_at_the_other_gateway_and_back(pair, client, name):
    one, other = pair
    client.connect(one)
    assert not client.recovered
    with publishing(pair, name) as said:
        for gateway in (other, one, other):
            client.read(7)
            client.cut()
            client.connect(gateway)
            assert client.recovered
        client.read(7)
    client.read_to(said[0] - 1)
    assert client.got == list(range(said[0]))


def test_it_goes_on_before_any_event(pair, client, name):
    one, other = pair
    publish(one, name, "before")
    eventually(lambda: one.head() == other.head() or None)
    client.connect(one)
    client.cut()
    publish(one, name, 0)
    publish(other, name, 1)
    for gateway in (other, one):  # at the second it knows as little as at the first
        client.connect(gateway)
        assert client.recovered
        client.cut()
    publish(other, name, 2)
    client.connect(other)
    assert client.recovered
    client.read(3)
    assert client.got == [0, 1, 2]


# ---- channels that were added ----

def test_channels_that_were_added_are_known_where_they_were(pair, client, name):
    one, other = pair
    later = name + ".later"
    client.connect(one)
    client.socket.say('2%s["subscribe","%s"]' % (client.nsp, later))
    assert client.event() == ["subscribed", [later]] and client.offset.endswith("*")
    client.cut()
    publish(other, later, 0)
    client.connect(one)
    assert client.recovered
    client.read(1)
    client.cut()
    publish(one, later, "lost")
    before = other.metric("sluice_sio_not_recovered_total")
    client.connect(other)
    assert not client.recovered and other.metric("sluice_sio_not_recovered_total") == before + 1
    assert client.event() == ["subscribed", [name]] and not client.offset.endswith("*")
    publish(one, later, "of a channel that it does not have")
    publish(one, name, 1)
    client.read(1)
    client.cut()
    publish(other, name, 2)
    client.connect(one)  # with what it was given at the other
    assert client.recovered
    client.read(1)
    assert client.got == [0, 1, 2]


def test_channels_that_were_added_on_both_are_not_taken_for_each_other(pair, client, name):
    """The client never learns of the first change, and makes another one at the other gateway. Back at the first it
    must not be given the channels of that one."""
    one, other = pair
    here, there = name + ".here", name + ".there"
    client.connect(one)
    publish(one, name, 0)
    client.read(1)
    client.socket.say('2%s["subscribe","%s"]' % (client.nsp, here))
    assert client.socket.take().startswith('2%s["subscribed",["%s"]' % (client.nsp, here))  # lost on its way
    client.cut()
    client.connect(other)
    assert client.recovered
    client.socket.say('2%s["subscribe","%s"]' % (client.nsp, there))
    assert client.event() == ["subscribed", [there]]
    client.cut()
    publish(other, there, 1)
    client.connect(one)
    assert not client.recovered
    client.cut()


# ---- sessions that poll ----

def test_a_session_of_another_gateway_is_unknown_and_its_client_goes_on(pair, name):
    one, other = pair
    client = Client(name, "polling").connect(one)
    publish(one, name, 0)
    client.read(1)
    strayed = EngineIo(other, shake_hands=False, path="/socket.io/")
    strayed.id = client.socket.packets.sid
    for response in (strayed.get(), strayed.post(b"41" + client.nsp.encode()), strayed.upgrade()):
        assert (response.status, response.body) == (400, error_body(1))
    publish(one, name, 1)
    client.connect(other)
    assert client.recovered
    client.read(1)
    client.cut()
    assert client.got == [0, 1]


# ---- relay, acks ----

def test_events_reach_the_other_gateway_and_acks_are_of_one_log(pair, carrier, name):
    clients = [Client(name, carrier).connect(gateway) for gateway in pair]
    acks = []
    for number in range(6):
        sender = clients[number % 2]
        sender.socket.say('2%s%d["n",%d]' % (sender.nsp, number, number))
        head = "3%s%d[" % (sender.nsp, number)
        packets = sorted([sender.socket.take(), sender.socket.take()])  # its event, and the ack
        assert packets[1].startswith(head), packets
        acks.append(json.loads(packets[1][len(head) - 1:])[0]["id"])
        assert json.loads(packets[0][1 + len(sender.nsp):]) == ["n", number, acks[-1]]
        receiver = clients[1 - number % 2]
        receiver.read(1)
        assert (receiver.got[-1], receiver.offset) == (number, acks[-1])
    cursors = [split_cursor(ack) for ack in acks]
    assert cursors == sorted(set(cursors)) and len({epoch for epoch, _ in cursors}) == 1
    for client in clients:
        client.cut()


def test_an_upgrade_loses_no_ack_that_waits_for_the_bus(nats, pair, name):
    one, other = pair
    nsp = "/%s," % name
    receiver = Client(name, "websocket").connect(other)
    engine = EngineIo(one, path="/socket.io/")
    engine.say(b"40" + nsp.encode())
    assert engine.take()[0].startswith(b"40" + nsp.encode())
    pause(nats)
    try:
        engine.say(*[b'42%s%d["n",%d]' % (nsp.encode(), number, number) for number in range(PENDING)])
        with engine.probe() as socket:
            socket.send_text("5")
            socket.send_text('42%s%d["n",%d]' % (nsp, PENDING, PENDING))
            assert socket.is_silent(0.3)
            nats.servers[0].resume()
            packets = [socket.next_data(BACK_S).payload.decode() for _ in range(2 * (PENDING + 1))]
            events, acks = [], {}
            for packet in packets:
                assert packet.startswith(("42" + nsp, "43" + nsp)), packet
                if packet[1] == "2":
                    events.append(json.loads(packet[2 + len(nsp):]))
                else:
                    number, answer = packet[2 + len(nsp):].split("[", 1)
                    assert int(number) not in acks
                    acks[int(number)] = json.loads("[" + answer)[0]["id"]
            assert events == [["n", number, acks[number]] for number in range(PENDING + 1)]
    finally:
        nats.servers[0].resume()
    receiver.read(PENDING + 1)
    receiver.cut()
    assert receiver.got == list(range(PENDING + 1))


# ---- a gateway dies, a log is another ----

def test_the_clients_of_a_gateway_that_dies_go_on_at_the_other(options, pair, start_gateway, name):
    other = pair[1]
    dying = start_gateway(*options)
    clients = [Client(name, kind).connect(dying) for kind in sorted(CARRIERS) for _ in range(3)]
    for number in range(4):
        publish((dying, other)[number % 2], name, number)
    for at, client in enumerate(clients):
        client.read(at % 4)
    with publishing([other], name):
        dying.kill()
        for client in clients:
            client.cut()
            client.connect(other)
            assert client.recovered
    publish(other, name, "end")
    for client in clients:
        client.read_to("end")
        client.cut()
    numbers = clients[0].got[4:-1]
    assert numbers == list(range(len(numbers)))
    for client in clients:
        assert client.got == clients[0].got and client.got[:4] == [0, 1, 2, 3]


def replace_log(nats, stream):
    """As an operator makes it again, from what was written down."""
    config = nats.stream(stream)["config"]
    nats.ask("STREAM.DELETE." + stream)
    nats.ask("STREAM.CREATE." + stream, {**config, "description": "sluice generation=0"})


def test_another_log_is_told(nats, tmp_path, start_gateway, carrier, name):
    """Whether a client is connected when the log is replaced, or comes later, at either gateway."""
    bus = "replaced-" + carrier
    options = (*options_for(nats, bus), "--secret", str(tmp_path / "secret"), "--shards", "2", "--socketio-recovery",
               "--publish-timeout", "2")
    one, other = start_gateway(*options), start_gateway(*options)
    with contextlib.ExitStack() as stack:
        away, there = (Client(name, carrier).connect(one) for _ in range(2))
        for client in (away, there):
            stack.callback(client.cut)
        publish(one, name, 0)
        for client in (away, there):
            client.read(1)
        away.cut()
        epoch, _ = split_cursor(there.offset)
        replace_log(nats, "sluice-" + bus)
        assert there.socket.ends() == []
        for gateway in (one, other):
            eventually(lambda of=gateway: split_cursor(of.head())[0] != epoch or None, timeout=BACK_S)
        # A publish that meets the change may never be answered.
        eventually(lambda: try_to_publish(other, name, 1).status == 200 or None, timeout=BACK_S)
        eventually(lambda: one.head() == other.head() or None)
        for client, gateway in ((there, one), (away, other)):
            client.connect(gateway)
            assert not client.recovered
        publish(one, name, 2)
        for client in (there, away):
            client.read_to(2)  # an attempt at 1 that was never answered may come before
            assert client.got[0] == 0 and set(client.got[1:-1]) <= {1} and split_cursor(client.offset)[0] != epoch
        for client, gateway in ((there, other), (away, one)):
            client.cut()
            client.connect(gateway)
            assert client.recovered
