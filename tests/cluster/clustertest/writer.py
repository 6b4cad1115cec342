"""Writers: each has a channel of its own, and publishes through every gateway as the client does."""

import base64
import json
import os
import time

from chaostest import payload, readers
from chaostest.coverage import split
from chaostest.loop import Wire
from sluicetest.websocket import frame_bytes

from .judge import Ack

CONNECT_S = 3
# Of each kind: how many at once, with keys or without, by which way.
KINDS = {"post": (1, True, "_by_post"), "plain": (1, False, "_by_post"), "batch": (6, True, "_by_batch"),
         "socket": (6, True, "_by_socket"), "plain-socket": (1, False, "_by_socket")}
REPEATS_S = 60  # a key is asked again no later than this; it counts for two minutes
NOT_STORED = {"rate_limited", "limit", "draining", "backend"}


class Publication:
    def __init__(self, channel, n, key, rng):
        self.channel, self.n, self.key = channel, n, key
        self.data = payload.make(channel, n, rng.choice([0, 50, 200, 400]))
        self.is_unknown = self.is_settled = False
        self.expected = None  # of a repeat: the id of the first answer


class Writer:
    """`world` has addresses, the rate, counts and what is written down: acks, uncertain, refused. A writer
    with a `twin` (a number) publishes what that one does, under the same keys, through another gateway."""

    def __init__(self, number, channel, loop, world, rng, twin=None, kind=None):
        self.number, self.channel, self.loop, self.world, self.rng = number, channel, loop, world, rng
        self.twin, self.prefix = twin, number if twin is None else min(number, twin)
        self.count, self.has_keys, self.way = KINDS[kind or list(KINDS)[number % len(KINDS)]]
        self.home = (number // len(KINDS) if twin is None else number) % len(world.addresses)
        self.gateway = self.home
        self.is_ordered = self.count == 1 and twin is None
        self.source = "127.1.%d.%d" % (1 + number // 200, 1 + number % 200)
        self.next_n = 0
        self.due = time.monotonic()
        self.wire = self.script = self.timer = None
        self.round, self.recent = [], []
        self.is_stopping = self.is_done = self.is_resting = False
        self.give_up = None

    # ---- rounds ----

    def begin(self):
        """Publishes what is due: some messages of its own, or now and then an old key again."""
        if self.is_stopping:
            self._hang_up()
            self.is_done = True
            return
        self.is_resting = self.world.is_paused
        if self.is_resting:
            self.loop.after(0.05, self.begin)
            return
        now = time.monotonic()
        if self.due > now:
            self.loop.after(self.due - now, self.begin)
            return
        repeat = self._choose_repeat(now) if self.rng.random() < 0.03 else None
        if repeat:
            self.round = [repeat]
        else:
            self.due = max(self.due + self.count / self.world.rate, now - 0.1)
            self.round = [self._make() for _ in range(self.count)]
        if repeat or self.rng.random() < 0.02:
            self._go_to(self.rng.randrange(len(self.world.addresses)))
        elif self.gateway != self.home and self.rng.random() < 0.1:
            self._go_to(self.home)
        self.give_up = now + 90
        self._attempt()

    def _make(self):
        n, self.next_n = self.next_n, self.next_n + 1
        key = "key-%d-%d-%s" % (self.prefix, n, self.world.run) if self.has_keys else None
        return Publication(self.channel, n, key, self.rng)

    def _choose_repeat(self, now):
        self.recent = [one for one in self.recent[-200:] if now - one[0] < REPEATS_S]
        if not self.recent:
            return None
        _, n, key, answer = self.rng.choice(self.recent)
        publication = Publication(self.channel, n, key, self.rng)
        publication.expected = answer
        self.world.counts["repeats"] += 1
        return publication

    def _go_to(self, gateway):
        if gateway != self.gateway:
            self._hang_up()
            self.gateway = gateway

    # ---- attempts ----

    @property
    def left(self):
        return [one for one in self.round if not one.is_settled]

    def _attempt(self):
        limit = self.rng.uniform(4, 24)
        self.is_sent = False
        self._watch(limit if self.wire else CONNECT_S)
        if self.wire:
            self._run_script()
        else:
            self.inbox = readers.Inbox()
            self.is_upgraded = False
            self.wire = Wire(self.loop, self.world.addresses[self.gateway], self, self.source)

    def _watch(self, seconds):
        if self.timer:
            self.timer.cancel()
        self.timer = self.loop.after(seconds, self._time_out) if seconds else None

    def opened(self):
        self._watch(self.rng.uniform(4, 24))
        self._run_script()

    def _run_script(self):
        self.script = getattr(self, self.way)(self.left)
        self._step()

    def took(self, data):
        self.inbox.bytes += data
        if self.script:
            self._step()

    def _step(self):
        try:
            next(self.script)
        except StopIteration:
            self.script = None
            self._watch(None)
            self._conclude()
        except (ValueError, KeyError, readers.Broken) as error:
            self.world.report("protocol", "writer %d: %r in %r" % (
                self.number, error, bytes(self.inbox.bytes[:200])))
            self._lose()

    def _time_out(self):
        self.timer = None
        self.world.counts["answers given up"] += self.is_sent
        self._lose()

    def ended(self, how):
        self.wire = None
        if self.script or self.timer:
            self._lose()

    def _hang_up(self):
        if self.wire:
            self.wire.close(abort=True)
            self.wire = None

    def _lose(self):
        """No answer: whatever was sent may be stored."""
        self._hang_up()
        self.script = None
        self._watch(None)
        for one in self.left:
            one.is_unknown = one.is_unknown or self.is_sent
        others = [n for n in range(len(self.world.addresses)) if n != self.gateway]
        self.gateway = self.rng.choice(others or [self.gateway])
        self._conclude()

    def _conclude(self):
        """What has no key is not tried again once it may be stored."""
        for one in self.left:
            if one.is_unknown and (one.key is None or one.expected):
                self._settle(one)
        left = self.left
        if not left:
            self.begin()
            return
        if time.monotonic() > self.give_up:
            for one in left:
                self.world.report("publish", "%s %d was not taken in 90 s" % (one.channel, one.n))
                self._settle(one)
            self.begin()
            return
        self.world.counts["retries"] += len(left)
        self.loop.after(self.rng.uniform(0.1, 0.5), self._attempt)

    def stop(self, seconds):
        self.is_stopping = True
        if self.give_up:
            self.give_up = min(self.give_up, time.monotonic() + seconds)

    # ---- what is written down ----

    def _settle(self, one):
        """Without an answer that tells a number."""
        one.is_settled = True
        if one.expected:
            return
        if one.is_unknown or self.twin is not None:
            self.world.uncertain.add((one.channel, one.n))
        else:
            self.world.refused.add((one.channel, one.n))

    def _take_id(self, one, answer):
        one.is_settled = True
        epoch, seq = split(answer)
        if one.expected:
            if split(one.expected)[0] == epoch and one.expected != answer:
                self.world.report("key", "%s %d was %s, and the same key got %s" % (
                    one.channel, one.n, one.expected, answer))
        if self.twin is None and not one.expected:  # what a gateway may answer by itself proves nothing
            self.world.note_ack(self.gateway)
        self.world.acks.append((one.channel, one.n, epoch, seq, self.is_ordered and not one.expected))
        if one.key and not one.expected:
            self.recent.append((time.monotonic(), one.n, one.key, answer))

    def _take_answer(self, one, answer):
        """An object with an id or an error."""
        if "id" in answer:
            self._take_id(one, answer["id"])
            return
        error = answer.get("error", answer)
        code = error["code"]
        self.world.counts["answer: " + code] += 1
        if code == "unknown_outcome":
            one.is_unknown = True
        elif code not in NOT_STORED:
            self.world.report("publish", "%s %d: %r" % (one.channel, one.n, error))
            one.is_unknown = True

    # ---- ways ----

    def _send(self, data):
        self.is_sent = True
        self.wire.send(data)

    def _post(self, target, content_type, body, key=None):
        fields = ["POST %s HTTP/1.1" % target, "Host: localhost", "Content-Type: " + content_type,
                  "Content-Length: %d" % len(body)] + (["Idempotency-Key: " + key] if key else [])
        self._send("\r\n".join(fields).encode() + b"\r\n\r\n" + body)
        head = yield from readers.read_head(self.inbox)
        answer = yield from readers.read_body(self.inbox, head)
        if head.fields.get("connection", "").lower() == "close":
            self._hang_up()
        return head, answer

    def _by_post(self, left):
        for one in left:
            head, body = yield from self._post("/publish?channel=" + one.channel, "application/json",
                                               json.dumps(one.data).encode(), one.key)
            self._take_answer(one, json.loads(body))
            self.is_sent = False

    def _by_batch(self, left):
        lines = [json.dumps({"channel": one.channel, "data": one.data, "key": one.key}) for one in left]
        head, body = yield from self._post("/publish", "application/x-ndjson", "\n".join(lines).encode())
        if head.status != 200:
            for one in left:
                self._take_answer(one, json.loads(body))
            return
        answers = body.splitlines()
        if len(answers) != len(left):
            raise readers.Broken("%d answers to %d lines" % (len(answers), len(left)))
        for one, answer in zip(left, answers):
            self._take_answer(one, json.loads(answer))

    def _upgrade(self):
        key = base64.b64encode(os.urandom(16)).decode()
        self.wire.send(("GET /ws?channels=chaos.nobody HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n"
                        % key).encode())
        head = yield from readers.read_head(self.inbox)
        if head.status != 101:
            body = yield from readers.read_body(self.inbox, head)
            self.world.counts["upgrade refused: %d" % head.status] += 1
            return bool(body) and False
        self.is_upgraded = True
        return True

    def _by_socket(self, left):
        """All are sent before the first answer."""
        if not self.is_upgraded and not (yield from self._upgrade()):
            self._hang_up()
            return
        waiting = {one.n: one for one in left}
        self._send(b"".join(frame_bytes(readers.TEXT, json.dumps(self._object(one)).encode())
                            for one in left))
        while waiting:
            opcode, body = yield from readers.read_frame(self.inbox)
            if opcode == readers.PING:
                self.wire.send(frame_bytes(readers.PONG, body))
            elif opcode == readers.CLOSE:
                for one in waiting.values():
                    one.is_unknown = True
                self._hang_up()
                return
            elif opcode == readers.TEXT:
                answer = json.loads(body)
                if answer.get("type") in ("ack", "error") and answer["ref"] in waiting:
                    self._take_answer(waiting.pop(answer["ref"]), answer)

    def _object(self, one):
        said = {"type": "publish", "channel": one.channel, "data": one.data, "ref": one.n}
        return dict(said, key=one.key) if one.key else said


def as_acks(entries):
    return [Ack(*entry) for entry in entries]
