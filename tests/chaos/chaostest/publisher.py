"""Publishers: each a thread with channels of its own, which numbers its messages, retries with the same
key until it has an answer, and writes down what was acknowledged."""

import json
import random
import socket
import struct
import threading
import time
import urllib.parse

from sluicetest import CloseFrame, Closed, Http, WebSocket
from sluicetest.wire import Cut

from . import payload
from .coverage import split

ANSWER_S = 15
GONE = (OSError, Closed, Cut, CloseFrame, TimeoutError, EOFError)
BUSY = {"rate_limited", "limit", "draining", "backend"}


class Refused(Exception):
    """Nothing was published; the client may try again."""


class Publisher(threading.Thread):
    """`world.lives` counts the gateway's lives; it is raised before one ends."""

    def __init__(self, number, channels, world, seed):
        super().__init__(daemon=True)
        self.number, self.channels, self.world = number, channels, world
        self.rng = random.Random("%s/%d" % (seed, number))
        self.next_n = dict.fromkeys(channels, 0)
        self.acknowledged, self.uncertain, self.wrong = [], [], []
        self.counts = dict.fromkeys(["published", "retries", "cuts", "refusals"], 0)
        self.token = world.issuer.token("publisher-%d" % number, ["chaos.nobody"], ["chaos.*"], ttl=7200)
        self.line = None
        self.is_stopping = False

    def run(self):
        try:
            while not self.is_stopping:
                time.sleep(self.rng.expovariate(self.world.publish_rate))
                self._publish(self.rng.choice(self.channels), self.rng.choice([1, 1, 1, 2, 5]))
        except Exception as error:  # a fault of the test's own must not look like silence
            self.wrong.append(("publisher", "%d: %r" % (self.number, error)))
        self._hang_up()

    def _size(self, channel):
        if channel in self.world.fat:
            return self.rng.randint(5000, 40000)
        return self.rng.choice([0, 50, 200, 200, 1000, 6000])

    def _publish(self, channel, count):
        """So many messages together, in a batch, one after the other or over a WebSocket."""
        first = self.next_n[channel]
        self.next_n[channel] += count
        messages = [(n, payload.make(channel, n, self._size(channel))) for n in range(first, first + count)]
        way = self.rng.choice([self._by_batch, self._by_websocket] + [self._by_post] * (count == 1))
        life, ids = self.world.lives.value, {}
        give_up = time.monotonic() + 100
        while len(ids) < count and time.monotonic() < give_up:
            left = [(n, data) for n, data in messages if n not in ids]
            try:
                way(channel, left, ids)
            except GONE:
                self.counts["retries"] += 1
                self._hang_up()
                if self.is_stopping and give_up > time.monotonic() + 20:
                    give_up = time.monotonic() + 20
                time.sleep(self.rng.uniform(0.05, 0.5))
            except Refused:
                self.counts["refusals"] += 1
                time.sleep(self.rng.uniform(0.2, 1))
            if self.world.lives.value != life and self.rng.random() < 0.5:
                break
        self._write_down(channel, messages, ids, self.world.lives.value != life)

    def _write_down(self, channel, messages, ids, is_another_life):
        for n, _ in messages:
            if n in ids:
                self.acknowledged.append((channel, *split(ids[n]), n))
                self.counts["published"] += 1
            if n not in ids or is_another_life:
                self.uncertain.append((channel, n))
            if n not in ids and not is_another_life and not self.is_stopping:
                self.wrong.append(("publish", "%s: %d was not taken in 100 s" % (channel, n)))

    # ---- ways ----

    def _connect(self, kind):
        """A connection that is kept, now and then a new one."""
        if self.line is None or type(self.line) is not kind or self.rng.random() < 0.05:
            self._hang_up()
            address = self.world.publish_address(self.rng.random() < 0.3)
            self.line = kind(address)
            if kind is WebSocket:
                response = self.line.handshake("/ws?channels=chaos.nobody", self._fields())
                if response.status != 101:
                    self._hang_up()
                    raise Refused(response.status)
        return self.line

    def _hang_up(self):
        if self.line:
            self.line.close()
        self.line = None

    def _fields(self):
        return {"Authorization": "Bearer " + self.token}

    def _key(self, channel, n):
        return "key-%d-%s-%d" % (self.number, channel, n)

    def _cut_sometimes(self, line):
        """A reset between the question and its answer."""
        if self.rng.random() < self.world.publish_cuts:
            self.counts["cuts"] += 1
            time.sleep(self.rng.choice([0, 0, 0.002, 0.02]))
            line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.sock.close()
            raise Closed()

    def _take_id(self, ids, n, answer):
        if "id" in answer:
            ids[n] = answer["id"]
            return
        error = answer.get("error", answer)
        if error["code"] not in BUSY:
            self.wrong.append(("publish", "%d: %r" % (n, error)))
        raise Refused(error["code"])

    def _by_post(self, channel, left, ids):
        line = self._connect(Http)
        for n, data in left:
            fields = dict(self._fields(), **{
                "Content-Type": "application/json", "Idempotency-Key": self._key(channel, n)})
            line.send_request("POST", "/publish?channel=" + urllib.parse.quote(channel), fields,
                              json.dumps(data).encode())
            self._cut_sometimes(line)
            response = line.read_response("POST", ANSWER_S)
            if not line.is_reusable():
                self._hang_up()
            self._take_id(ids, n, response.json())

    def _by_batch(self, channel, left, ids):
        line = self._connect(Http)
        lines = [json.dumps({"channel": channel, "data": data, "key": self._key(channel, n)})
                 for n, data in left]
        fields = dict(self._fields(), **{"Content-Type": "application/x-ndjson"})
        line.send_request("POST", "/publish", fields, "\n".join(lines).encode())
        self._cut_sometimes(line)
        response = line.read_response("POST", ANSWER_S)
        if not line.is_reusable():
            self._hang_up()
        if response.status != 200:
            self._take_id(ids, left[0][0], response.json())
        answers = [json.loads(text) for text in response.body.splitlines()]
        if len(answers) != len(left):
            self.wrong.append(("publish", "%d answers to %d lines" % (len(answers), len(left))))
        for (n, _), answer in zip(left, answers):
            self._take_id(ids, n, answer)

    def _by_websocket(self, channel, left, ids):
        """All are sent before the first answer."""
        line = self._connect(WebSocket)
        for n, data in left:
            line.send_object({"type": "publish", "channel": channel, "data": data, "ref": n,
                              "key": self._key(channel, n)})
        self._cut_sometimes(line)
        waiting = {n for n, _ in left}
        while waiting:
            answer = line.next_object(ANSWER_S)
            if answer["type"] == "ack":
                waiting.discard(answer["ref"])
                ids[answer["ref"]] = answer["id"]
            elif answer["type"] == "error":
                waiting.discard(answer["ref"])
                if answer["code"] not in BUSY:
                    self.wrong.append(("publish", "%s: %r" % (channel, answer)))
            elif answer["type"] == "bye":
                raise Closed()
        if len([n for n, _ in left if n in ids]) < len(left):
            raise Refused("some")


def run_publishers(world, seed, connection):
    """The publishers' process: until something is said on `connection`, then what was published."""
    per = max(len(world.thin + world.fat) // world.publishers, 1)
    names = world.thin + world.fat
    threads = [Publisher(n, names[n * per:(n + 1) * per], world, seed) for n in range(world.publishers)]
    for thread in threads:
        thread.start()
    connection.recv()
    for thread in threads:
        thread.is_stopping = True
    for thread in threads:
        thread.join(60)
    told = {"acknowledged": [], "uncertain": [], "wrong": [], "counts": {}}
    for thread in threads:
        if thread.is_alive():
            told["wrong"].append(("publisher", "%d does not end" % thread.number))
        for name in "acknowledged", "uncertain", "wrong":
            told[name] += getattr(thread, name)
        for name, count in thread.counts.items():
            told["counts"][name] = told["counts"].get(name, 0) + count
    connection.send(told)
