"""The seam between history and live delivery, hammered: publishers on every shard,
mailboxes and outboxes too small, readers that are cut at random and come back at their
cursors. Every message must arrive exactly once, in order."""

import os
import random
import threading
import time
import traceback

import pytest

from sluicetest import (
    TRANSPORTS, Bye, Closed, CloseFrame, Http, open_subscriber)
from sluicetest.subscriber import split_cursor

SECONDS = float(os.environ.get("SLUICE_TEST_SEAM_SECONDS", "6"))
SEED = int(os.environ.get("SLUICE_TEST_SEED", "4182"))

GRACE = 40  # seconds in which the readers catch up

pytestmark = pytest.mark.shards


class Hammer:
    def __init__(self, gateway, channels, transports, bursts=(1, 5, 40, 300),
                 reader=None):
        self.gateway = gateway
        self.bursts = bursts  # publishes in flight on one socket
        self.reader_class = reader or Reader
        self.channels = channels
        self.transports = transports
        self.since = gateway.head()
        self.published = []  # (id, channel); appended by all publishers
        self.publishing = True
        self.failures = []
        self.reconnects = 0
        self.deadline = time.monotonic() + SECONDS + GRACE

    def run(self, check=None):
        publishers = [threading.Thread(target=self.guard, args=(self.publish_http, n))
                      for n in range(2)]
        publishers += [threading.Thread(target=self.guard, args=(self.publish_websocket, n))
                       for n in range(2)]
        self.readers = [self.reader_class(self, t, n) for n, t in enumerate(self.transports)]
        threads = [threading.Thread(target=self.guard, args=(r.run,)) for r in self.readers]
        for thread in threads + publishers:
            thread.start()
        for thread in publishers:
            thread.join()
        self.published.append(
            (self.gateway.publish(self.channels[0], "last"), self.channels[0]))
        self.publishing = False
        for thread in threads:
            thread.join()
        assert not self.failures, self.failures[0]
        want = [i for i, _ in sorted(self.published, key=lambda p: split_cursor(p[0])[1])]
        assert len(want) == len(set(want))
        for reader in self.readers:
            if check:
                check(reader, self.published)
            else:
                check_same(reader.got, want, reader.transport)

    def guard(self, work, *args):
        try:
            work(*args)
        except BaseException as err:  # told by run(), in the test's own thread
            who = getattr(getattr(work, "__self__", None), "transport", work.__name__)
            self.failures.append("%s: %s" % (who, "".join(traceback.format_exception(err))))
            self.publishing = False

    def is_time_up(self):
        return self.failures or time.monotonic() > self.deadline - GRACE

    def publish_http(self, number):
        rng = random.Random(SEED * 100 + number)
        with Http(self.gateway.address) as http:
            while not self.is_time_up():
                channel = rng.choice(self.channels)
                self.published.append((self.gateway.publish(channel, "h", on=http), channel))

    def publish_websocket(self, number):
        """Bursts that overrun the mailboxes of the other shards."""
        rng = random.Random(SEED * 200 + number)
        from sluicetest.websocket import TEXT, frame_bytes
        import json
        with open_subscriber("websocket", self.gateway, "acks.only") as sub:
            while not self.is_time_up():
                channel = rng.choice(self.channels)
                count = rng.choice(self.bursts)
                text = json.dumps({"type": "publish", "channel": channel, "data": "w" * 50, "ref": 1})
                sub.wire.send(frame_bytes(TEXT, text, mask=b"\x01\x02\x03\x04") * count)
                for _ in range(count):
                    ack = sub.next_object()
                    assert ack["type"] == "ack", ack
                    self.published.append((ack["id"], channel))
                time.sleep(rng.random() * 0.05)


class Reader:
    """Reads, is cut, comes back at its cursor on the same transport; half of them have it
    verified (sluicetest/subscriber.py compares the counts)."""

    def __init__(self, hammer, transport, number):
        self.hammer = hammer
        self.transport = transport
        self.rng = random.Random(SEED * 300 + number)
        self.cursor = hammer.since
        self.verify = number % 2
        self.got = []

    def run(self):
        while not self.is_done():
            assert time.monotonic() < self.hammer.deadline, \
                "%d of %d after the time; last %s, cursor %s, wanted %s" % (
                    len(self.got), len(self.hammer.published), self.got[-1:], self.cursor,
                    self.hammer.published[-1])
            self.read_for_a_while()
            self.hammer.reconnects += 1

    def is_done(self):
        return self.hammer.failures or (
            not self.hammer.publishing and len(self.got) >= len(self.hammer.published))

    def read_for_a_while(self):
        count = self.rng.choice((0, 1, 3, 30, 300, 3000))
        naps = self.rng.random() < 0.2
        sub = open_subscriber(self.transport, self.hammer.gateway, self.hammer.channels,
                              since=self.cursor, rcvbuf=4096 if naps else None,
                              verify=self.verify)
        try:
            if naps:
                time.sleep(self.rng.random() * 0.4)
            for _ in range(count):
                self.got.append(sub.next_message(1)["id"])
        except (TimeoutError, Bye, Closed, CloseFrame):
            pass
        self.cursor = sub.cursor
        sub.cut()


def check_same(got, want, name):
    if got == want:
        return
    seen = set()
    doubled = [i for i in got if i in seen or seen.add(i)]
    lost = [i for i in want if i not in seen]
    assert not lost and not doubled, "%s: %d lost %r, %d doubled %r of %d" % (
        name, len(lost), lost[:5], len(doubled), doubled[:5], len(want))
    raise AssertionError("%s: out of order" % name)


class GapReader(Reader):
    """Notes the gaps that it is told."""

    def __init__(self, hammer, transport, number):
        super().__init__(hammer, transport, number)
        self.gaps = []

    def is_done(self):
        """The last message of all is always held, so it comes."""
        return self.hammer.failures or (
            not self.hammer.publishing and self.got
            and self.got[-1] == self.hammer.published[-1][0])

    def read_for_a_while(self):
        sub = open_subscriber(self.transport, self.hammer.gateway, self.hammer.channels,
                              since=self.cursor, verify=self.verify)
        try:
            for _ in range(self.rng.choice((0, 1, 30, 300, 3000))):
                obj = sub.next_object(1)
                kind = obj.get("type")
                if kind is None:
                    self.got.append(obj["id"])
                elif kind == "gap":
                    self.gaps.append(obj)
                elif kind == "bye" or sub.is_poll or not self.verify:  # nothing is to come
                    break
                if self.rng.random() < 0.01:
                    time.sleep(self.rng.random() * 0.3)
        except (TimeoutError, Closed, CloseFrame):
            pass
        self.cursor = sub.cursor
        sub.cut()


def check_all_told(reader, published):
    """Each message came or lies in a gap of its channel, never both."""
    got = [split_cursor(i)[1] for i in reader.got]
    assert got == sorted(set(got)), "%s: doubled or out of order" % reader.transport
    came = set(got)
    intervals = {}
    for gap in reader.gaps:
        intervals.setdefault(gap["channel"], []).append(
            (split_cursor(gap["after"])[1], split_cursor(gap["resumed"])[1]))
    for ident, channel in published:
        seq = split_cursor(ident)[1]
        told = any(after < seq <= resumed for after, resumed in intervals.get(channel, ()))
        assert told or seq in came, "%s: %s of %s was lost in silence" % (
            reader.transport, ident, channel)
        assert not (told and seq in came), "%s: %s of %s came and was told lost" % (
            reader.transport, ident, channel)


OPTIONS = ("--shards", "2", "--mailbox", "64", "--history-messages", "1000000",
           "--history-bytes", "256M", "--history-total", "512M")


@pytest.mark.slow
def test_hammered_readers_lose_and_double_nothing(start_gateway, channel):
    gateway = start_gateway(*OPTIONS, "--outbox", "24K")  # room for one burst's acks
    hammer = Hammer(gateway, [channel + s for s in (".a", ".b", ".c")], TRANSPORTS * 2)
    hammer.run()
    assert len(hammer.published) > 500, "too slow to prove anything"
    assert hammer.reconnects > 50
    assert gateway.metric("sluice_bus_mailbox_overruns_total") > 0, \
        "no mailbox was overrun: the test proves less than it says"


@pytest.mark.slow
def test_hammered_readers_on_a_slow_backend(start_gateway, channel):
    """Pending publishes, delivery before the ack, holes in the numbers."""
    gateway = start_gateway(*OPTIONS, "--outbox", "4K", "--backend", "slow")
    Hammer(gateway, [channel + ".a", channel + ".b"], TRANSPORTS, bursts=(1, 5, 40)).run()


@pytest.mark.slow
def test_losses_under_the_hammer_are_all_told(start_gateway, channel):
    """History so short that readers miss much of it: each loss must be in a gap."""
    gateway = start_gateway("--shards", "2", "--mailbox", "64", "--history-messages", "30")
    hammer = Hammer(gateway, [channel + s for s in (".a", ".b")], TRANSPORTS * 2,
                    reader=GapReader)
    hammer.run(check=check_all_told)
    assert sum(len(r.gaps) for r in hammer.readers) > 0, "nothing was lost: proves nothing"
    assert gateway.metric("sluice_bus_mailbox_overruns_total") > 0


def test_resume_in_the_middle_of_a_burst(start_gateway, channel, transport):
    """Many short lives while one burst after the other comes in."""
    gateway = start_gateway(*OPTIONS, "--outbox", "16K")
    cursor = gateway.head()
    ids = []

    def publish():
        with Http(gateway.address) as http:
            for n in range(600):
                ids.append(gateway.publish(channel, n, on=http))
    thread = threading.Thread(target=publish)
    thread.start()
    got = []
    deadline = time.monotonic() + 60
    while (thread.is_alive() or len(got) < len(ids)) and time.monotonic() < deadline:
        sub = open_subscriber(transport, gateway, channel, since=cursor)
        try:
            for _ in range(7):
                got.append(sub.next_message(1)["id"])
        except TimeoutError:
            pass
        cursor = sub.cursor
        sub.cut()
    thread.join()
    check_same(got, ids, transport)


def test_two_sockets_see_the_same_order(start_gateway, channel):
    """One total order over channels and shards."""
    gateway = start_gateway("--shards", "2")
    names = [channel + ".%d" % n for n in range(4)]
    subs = [open_subscriber(TRANSPORTS[n % 4], gateway, names) for n in range(8)]
    threads = [threading.Thread(target=gateway.publish_all, args=(name, range(100)))
               for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    orders = [[sub.next_message()["id"] for _ in range(400)] for sub in subs]
    assert all(order == orders[0] for order in orders)
    for sub in subs:
        sub.close()
