"""A process of many clients."""

import collections
import random
import ssl
import time

from .client import Client
from .loop import Loop

REACH_S = 150  # all clients have what was published so long after the last message


class ClientWorld:
    """What the clients of a process share."""

    def __init__(self, world):
        self.issuer, self.rates = world.issuer, world.rates
        self.fat, self.thin, self.snails = world.fat, world.thin, world.snails
        self.addresses = world.clear, world.tls
        self.contexts = [_context(world.authority, version)
                         for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
        self.forgotten = world.forgotten
        self.counts = collections.Counter()

    def address(self, number, secure):
        """A client always speaks the same version of TLS, so that it can resume."""
        return self.addresses[secure], self.contexts[number // 10 % 2] if secure else None


def _context(authority, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    context.minimum_version = context.maximum_version = version
    return context


def run_clients(world, numbers, seed, connection):
    """Until a goal (a position of the log) is said on `connection`; then until all have reached it."""
    loop, clients = Loop(), []
    shared = ClientWorld(world)
    told = {"violations": [], "holes": [], "again": []}

    def report(kind, number, text):
        shared.counts["violations"] += 1
        if len(told["violations"]) < 1000:
            told["violations"].append((kind, "client %d: %s" % (number, text)))

    def note(number, hole):
        told["holes"].append((number, hole))

    for number in numbers:
        client = Client(number, loop, shared, random.Random("%s/%d" % (seed, number)), report, note)
        clients.append(client)
        loop.after(random.random() * world.ramp, client.begin)
    beat, deadline = time.monotonic() + 1, None
    while not (deadline and (all(client.is_done for client in clients) or time.monotonic() > deadline)):
        loop.turn()
        if time.monotonic() < beat:
            continue
        beat = time.monotonic() + 1
        connection.send(("counts", dict(shared.counts), len(loop.wires)))
        if connection.poll():
            goal = connection.recv()
            deadline = time.monotonic() + REACH_S
            for client in clients:
                client.head_for(goal)
    for _ in range(3):
        loop.turn(0.1)
    for client in clients:
        told["again"] += client.coverage.again
        if not client.is_done:
            report("end", client.number, "%s did not reach the end: it is at %s" % (
                client.transport, client.coverage.cursor))
            client._drop()
    connection.send(("told", told, dict(shared.counts)))
