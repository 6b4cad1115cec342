"""The processes of readers and of writers, and what they tell the run."""

import collections
import os
import random
import time

from chaostest.loop import Loop

from .reader import Reader
from .world import CHANNELS, END, FOREIGN
from .writer import Writer

REACH_S = 60  # readers have everything so long after the last message
TELL_S = 0.2


class Rates:
    """Of the readers and writers of one run."""

    def __init__(self, addresses, seed, rate=500, readers=10, stay_s=4.0):
        self.addresses, self.seed = addresses, seed
        self.rate, self.readers, self.stay_s = rate, readers, stay_s


class ReaderWorld:
    """What chaostest's Client asks of its world."""

    def __init__(self, rates):
        self.rates, self.thin, self.fat = {"poll": 0.4}, CHANNELS + [FOREIGN, END], []
        self.snails, self.forgotten, self.issuer = 0.0, None, None
        self.stay_s, self.addresses = rates.stay_s, rates.addresses
        self.rng = random.Random("%s/gateways" % rates.seed)
        self.counts = collections.Counter()

    def address(self, number, secure):
        return self.rng.choice(self.addresses), None


def run_readers(rates, connection):
    """Until a goal is said on `connection`: (epoch, number) of the last message."""
    loop, world, violations = Loop(), ReaderWorld(rates), []

    def report(kind, number, text):
        if len(violations) < 200:
            violations.append((kind, "%s: %s" % (readers[number].name, text)))

    readers = [Reader(n, loop, world, random.Random("%s/reader/%d" % (rates.seed, n)), report)
               for n in range(rates.readers)]
    for reader in readers:
        loop.after(random.random() / 4, reader.begin)
    beat, deadline = 0.0, None
    while not (deadline and (all(one.is_done for one in readers) or time.monotonic() > deadline)):
        loop.turn(0.1)
        if time.monotonic() < beat:
            continue
        beat = time.monotonic() + TELL_S
        begun = sum(one.coverage.position is not None for one in readers)
        connection.send(("counts", dict(world.counts), begun))
        if connection.poll():
            goal = connection.recv()
            deadline = time.monotonic() + REACH_S
            for reader in readers:
                reader.head_for(goal)
    for reader in readers:
        if not reader.is_done:
            violations.append(("end", "%s does not reach the end: it is at %s, the end is %s-%d" % (
                reader.name, reader.coverage.cursor, *goal)))
    told = {reader.name: reader.coverage.told() for reader in readers}
    connection.send(("told", {"readers": told, "violations": violations}, dict(world.counts)))


class WriterWorld:
    """What writers share and write down."""

    def __init__(self, rates):
        self.addresses = rates.addresses
        self.rate = rates.rate / len(CHANNELS)
        self.run = os.urandom(4).hex()
        self.acks, self.uncertain, self.refused = [], set(), set()
        self.violations = []
        self.counts = collections.Counter()
        self.is_paused = False
        self.acked = [0] * len(rates.addresses)
        self.silences = []  # (gateway, from, to): at least so long without an answered publish
        self.last = [time.monotonic()] * len(rates.addresses)
        self.last_of_all = time.monotonic()

    def report(self, kind, text):
        if len(self.violations) < 200:
            self.violations.append((kind, text))

    def note_ack(self, gateway):
        now = time.monotonic()
        if now - self.last[gateway] > 0.25:
            self.silences.append((gateway, self.last[gateway], now))
        if now - self.last_of_all > 0.05:
            self.silences.append((None, self.last_of_all, now))
        self.last[gateway] = self.last_of_all = now
        self.acked[gateway] += 1


def _make_writers(loop, world, seed):
    """Of the last four, two at a time publish the same."""
    writers = []
    for n, channel in enumerate(CHANNELS):
        rng = random.Random("%s/writer/%d" % (seed, n))
        if n < len(CHANNELS) - 4:
            writers.append(Writer(n, channel, loop, world, rng))
        else:
            twin = n ^ 1
            kind = "socket" if n < len(CHANNELS) - 2 else "post"
            writers.append(Writer(n, CHANNELS[min(n, twin)], loop, world, rng, twin, kind))
    return writers


def run_writers(rates, connection):
    """Until "stop" is said on `connection`; "pause" and "go on" do what they say."""
    loop, world = Loop(), WriterWorld(rates)
    writers = _make_writers(loop, world, rates.seed)
    for writer in writers:
        loop.after(random.random() / 4, writer.begin)
    beat = 0.0
    while not all(writer.is_done for writer in writers):
        loop.turn(0.1)
        if time.monotonic() < beat:
            continue
        beat = time.monotonic() + TELL_S
        resting = sum(writer.is_resting for writer in writers)
        connection.send(("counts", {"acked": list(world.acked), "resting": resting == len(writers),
                                    "counts": dict(world.counts)}, len(loop.wires)))
        while connection.poll():
            said = connection.recv()
            world.is_paused = said == "pause"
            if said == "stop":
                for writer in writers:
                    writer.stop(30)
    now = time.monotonic()
    for gateway, last in enumerate(world.last):
        world.silences.append((gateway, last, now))
    world.silences.append((None, world.last_of_all, now))
    connection.send(("told", {
        "acks": world.acks, "uncertain": world.uncertain, "refused": world.refused,
        "violations": world.violations, "silences": world.silences}, dict(world.counts)))
