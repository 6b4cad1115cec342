"""One client: connects, resumes, is cut off, stops reading, and checks all that it gets."""

import base64
import json
import os
import time

from sluicetest.websocket import frame_bytes

from . import readers
from .coverage import Coverage
from .loop import Wire
from .payload import is_whole

TRANSPORTS = ["websocket", "sse", "stream", "longpoll", "poll"]
PATHS = {"websocket": "/ws", "sse": "/sse", "stream": "/stream", "longpoll": "/poll", "poll": "/poll"}
# What a gateway may end a stream with; each is followed by a new connection at the cursor.
REASONS = {"draining", "slow_consumer", "token_expired", "token_revoked", "rate_limited"}
CLOSES = {1001: "draining", 1012: "draining", 1013: "slow_consumer", 4002: "token_expired",
          4004: "token_revoked", 1008: "rate_limited"}
REFUSALS = {401, 429, 503}
OPEN_WITHIN_S = 60    # a connection that says nothing for so long is given up
SILENT_WITHIN_S = 45  # longer than any heartbeat and any held poll
OUTLIVES_S = 40       # a message may be so much younger than its stream's token


class Client:
    """`world` has addresses, the issuer, the rates of accidents and the counts; `report(kind, number,
    text)` takes violations."""

    open_within_s, silent_within_s = OPEN_WITHIN_S, SILENT_WITHIN_S
    reasons, closes = REASONS, CLOSES

    def __init__(self, number, loop, world, rng, report, note):
        self.number, self.loop, self.world, self.rng = number, loop, world, rng
        self.transport = TRANSPORTS[number % len(TRANSPORTS)]
        self.secure = number // len(TRANSPORTS) % 2 == 1
        self.subject = "client-%d" % number
        self.source = "127.0.%d.%d" % (1 + number % 16, 1 + number // 16 % 250)
        self.is_snail = rng.random() < world.snails
        kinds = world.fat if self.is_snail else world.thin
        self.names = rng.sample(kinds, min(len(kinds), rng.choice([1, 1, 2, 3])))
        self.report = lambda kind, text: report(kind, self.number, text)
        self.coverage = Coverage(self.report, lambda hole: note(self.number, hole))
        self.wire = self.session = self.token = None
        self.token_until = self.revoked_at = 0.0
        self.is_leaving = self.is_done = False
        self.attempts = 0
        self.goal = None
        self.accidents = []
        self.watchdog = self.pending = None

    # ---- connections ----

    def begin(self):
        """Opens a connection of its own."""
        self.pending = None
        self._drop()
        if self.goal and self._has_reached():
            self._finish()
            return
        address, context = self.world.address(self.number, self.secure)
        if self.rng.random() < 0.3:
            self.session = None
        self.inbox = readers.Inbox()
        self.script = getattr(self, "_be_" + self.transport)()
        self.sent = 0
        self.world.counts["attempts"] += 1
        self._watch(self.open_within_s)
        self.wire = Wire(self.loop, address, self, self.source, context,
                         self.session if context else None, 4096 if self.is_snail else None)

    def _watch(self, seconds):
        if self.watchdog:
            self.watchdog.cancel()
        self.watchdog = self.loop.after(seconds, self._give_up)

    def _give_up(self):
        self.watchdog = None
        self.world.counts["given up"] += 1
        self.again(0.1)

    def _drop(self, abort=False):
        for timer in self.accidents:
            timer.cancel()
        self.accidents = []
        if self.watchdog:
            self.watchdog.cancel()
            self.watchdog = None
        if self.wire:
            self.wire.close(abort)
            self.session = self.wire.session or self.session
            self.wire = None

    def again(self, seconds, abort=False):
        """Connects once more after a while."""
        self._drop(abort)
        if self.pending:
            self.pending.cancel()
        self.pending = self.loop.after(seconds, self.begin)

    def opened(self):
        self.world.counts["tls connections" if self.secure else "clear connections"] += 1
        self.script.send(None)
        self._plan_accidents()

    def took(self, data):
        self.inbox.bytes += data
        try:
            next(self.script)
        except StopIteration:
            if self.wire and not self.is_done:
                self.wire.close()
                self.ended("end")
        except readers.Broken as broken:
            self.report("protocol", "%s: %s" % (self.transport, broken))
            self.again(1)
        except (ValueError, KeyError) as error:
            self.report("protocol", "%s: %r in %r" % (self.transport, error, bytes(self.inbox.bytes[:200])))
            self.again(1)

    def ended(self, how):
        """Whatever it was, the client resumes at its cursor."""
        if self.is_done:
            return
        self.world.counts["ends: " + how] += 1
        self.attempts = self.attempts + 1 if how == "refused" else 0
        self.again(self.rng.uniform(0.05, 0.5 if self.attempts < 3 else 2))

    # ---- accidents ----

    def _plan_accidents(self):
        if self.goal:
            return
        rates = self.world.rates
        for what, act in (("reset", self._reset), ("leave", self._leave), ("stall", self._stall)):
            self.accidents.append(self.loop.after(self.rng.expovariate(1 / rates[what]), act))

    def _reset(self):
        self.world.counts["resets"] += 1
        self.again(self.rng.choice([0.01, 0.3, 3]), abort=True)

    def _leave(self):
        self.world.counts["leaves"] += 1
        self.again(self.rng.choice([0.01, 1, self.world.rates["away"]]))

    def _stall(self):
        """Long enough that history forgets, for some."""
        self.world.counts["stalls"] += 1
        seconds = self.rng.uniform(1, self.world.rates["stalled"] * (3 if self.is_snail else 1))
        wire = self.wire
        wire.stall(True)
        self._watch(seconds + self.silent_within_s)
        self.accidents += [
            self.loop.after(seconds, lambda: wire.stall(False)),
            self.loop.after(seconds + self.rng.expovariate(1 / self.world.rates["stall"]), self._stall)]

    # ---- requests ----

    def _mint(self):
        """Most tokens end soon. After a revocation only one that is issued later counts."""
        now = time.time()
        short = self.rng.random() < 0.7
        seconds = self.rng.randint(*self.world.rates["token"])
        if short and now - self.revoked_at > 120:
            self.token = self.world.issuer.ending_in(seconds, self.subject, ["chaos.*"])
            self.token_until = now + seconds
        else:
            self.token = self.world.issuer.token(self.subject, ["chaos.*"], ttl=600)
            self.token_until = now + 600 + 30

    def _request(self, more=""):
        if self.token is None:
            self._mint()
            self.world.counts["tokens"] += 1
        cursor = self.coverage.cursor
        target = "%s?channels=%s%s" % (PATHS[self.transport], ",".join(self.names), more)
        fields = ["Host: localhost"]
        if cursor and self.transport == "sse" and self.rng.random() < 0.5:
            fields.append("Last-Event-ID: " + cursor)
        elif cursor:
            target += "&since=" + cursor
        if self.transport == "sse" and self.rng.random() < 0.5:
            fields.append("Accept: text/event-stream")
        if self.transport == "websocket":
            fields += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                       "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
            if self.rng.random() < 0.5:
                fields.append("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=%d" %
                              self.rng.randint(9, 15))
        if self.transport == "websocket" and self.rng.random() < 0.5:
            fields.append("Sec-WebSocket-Protocol: sluice.v1, bearer." + self.token)
        elif self.rng.random() < 0.3:
            target += "&token=" + self.token
        else:
            fields.append("Authorization: Bearer " + self.token)
        self.wire.send(("GET %s HTTP/1.1\r\n%s\r\n\r\n" % (target, "\r\n".join(fields))).encode())

    def _refused(self, head, body):
        """Returns after how many seconds the client comes again."""
        text = body.decode("utf-8", "replace")[:200]
        self.world.counts["refused: %d" % head.status] += 1
        if head.status not in REFUSALS:
            self.report("status", "%s: %d %s" % (self.transport, head.status, text))
        if head.status != 401:
            return float(head.fields.get("retry-after", 1))
        return self._lost_token(json.loads(body)["error"]["code"])

    def _lost_token(self, code):
        late = time.time() - self.token_until
        self.token = None
        if code == "token_revoked":
            self.world.counts["revoked"] += 1
            self.revoked_at = time.time()
            return 1.1
        self.world.counts["expired"] += 1
        if code != "token_expired" or late < -2:
            self.report("token", "%s, %.1f s before its end" % (code, -late))
        return self.rng.uniform(0, 0.2)

    # ---- what comes ----

    def _take(self, thing, event_id=None):
        """An object, and the id of its event; returns seconds after which to connect again, or None."""
        self._watch(self.silent_within_s)
        kind = thing.get("type")
        if kind is None:
            self._take_message(thing)
        elif kind == "gap":
            self.sent += 1
            self.world.counts["gaps"] += 1
            self.coverage.take_gap(thing["channel"], thing["after"], thing["resumed"])
            if event_id:
                self.coverage.resume(event_id)
        elif kind == "open":
            if self.coverage.position is None:
                self.coverage.begin(self.names, thing["cursor"])
            self.coverage.resume(thing["cursor"])
            self._count(thing)
        elif kind == "heartbeat":
            self._count(thing)
            self.coverage.resume(thing["cursor"])
        elif kind == "bye":
            self._count(thing)
            return self._take_bye(thing["reason"], thing["retry"] / 1000)
        if self.goal and self._has_reached():
            self._finish()
        return None

    def _take_message(self, thing):
        self.sent += 1
        self.world.counts["messages"] += 1
        data = thing["data"]
        if not is_whole(data, thing["channel"]):
            self.report("payload", "%s of %s is not what was published" % (thing["id"], thing["channel"]))
        if data["t"] > self.token_until + OUTLIVES_S:
            self.report("token", "%s came %.0f s after the token's end" % (
                thing["id"], data["t"] - self.token_until))
        if self.sent != self.world.forgotten:
            self.coverage.take_message(thing["channel"], thing["id"], data["n"])

    def _count(self, thing):
        if thing["sent"] != self.sent:
            self.report("sent", "%s says %d, and %d came" % (thing["type"], thing["sent"], self.sent))

    def _take_bye(self, reason, retry):
        self.world.counts["bye: " + reason] += 1
        if reason not in self.reasons:
            self.report("bye", reason)
        if reason.startswith("token"):
            return self._lost_token(reason)
        return min(retry, 5)

    def _be_websocket(self):
        self._request("&heartbeat=4")
        head = yield from readers.read_head(self.inbox)
        if head.status != 101:
            body = yield from readers.read_body(self.inbox, head)
            return self.again(self._refused(head, body))
        wait, inflates = None, "sec-websocket-extensions" in head.fields
        self.world.counts["compressed"] += inflates
        while True:
            opcode, payload = yield from readers.read_frame(self.inbox, inflates)
            if opcode == readers.PING:
                self.wire.send(frame_bytes(readers.PONG, payload))
            elif opcode == readers.CLOSE:
                code = int.from_bytes(payload[:2], "big")
                if code not in self.closes:
                    self.report("close", "%d %r" % (code, payload[2:]))
                return self.again(0.1 if wait is None else wait)
            elif opcode == readers.TEXT:
                said = self._take(json.loads(payload))
                wait = said if said is not None else wait
                if self.is_done:
                    return None

    def _be_sse(self):
        yield from self._be_streaming(b"\n\n", "&heartbeat=4", readers.parse_event)

    def _be_stream(self):
        yield from self._be_streaming(b"\n", "&heartbeat=4", lambda line: (None, json.loads(line)))

    def _be_streaming(self, end, more, parse):
        self._request(more)
        head = yield from readers.read_head(self.inbox)
        if head.status != 200:
            body = yield from readers.read_body(self.inbox, head)
            return self.again(self._refused(head, body))
        lines, wait = readers.Lines(self.inbox, end, head), None
        while not self.is_done:
            piece = yield from lines.next()
            if piece is None:
                return self.again(0.1 if wait is None else wait)
            event_id, thing = parse(piece)
            if thing is not None:
                said = self._take(thing, event_id)
                wait = said if said is not None else wait

    def _be_longpoll(self):
        yield from self._be_polling("&wait=20", 0.0)

    def _be_poll(self):
        yield from self._be_polling("&wait=0", self.world.rates["poll"])

    def _be_polling(self, more, pause):
        while not self.is_done:
            self._request("&wait=0" if self.goal else more)
            head = yield from readers.read_head(self.inbox)
            body = yield from readers.read_body(self.inbox, head)
            self._watch(self.silent_within_s + pause)
            if head.status != 200:
                return self.again(self._refused(head, body))
            self._take_answer(json.loads(body))
            if head.fields.get("connection", "").lower() == "close":
                return self.again(0.1)
            if pause and not self.is_done:
                self.loop.after(self.rng.uniform(0.3, pause), self._resumer(self.script))
                self.is_waiting = True
                while self.is_waiting:
                    yield
        return None

    def _resumer(self, script):
        """Goes on with a pause's script if the connection is still that one."""
        def resume():
            if self.script is script and self.wire and self.wire.is_open:
                self.is_waiting = False
                self.took(b"")
        return resume

    def _take_answer(self, answer):
        for gap in answer.get("gaps", ()):
            self.world.counts["gaps"] += 1
            self.coverage.take_gap(gap["channel"], gap["after"], gap["resumed"])
        if self.coverage.position is None:
            self.coverage.begin(self.names, answer["cursor"])
        for message in answer["messages"]:
            self._take_message(message)
        self.coverage.resume(answer["cursor"])
        if self.goal and self._has_reached():
            self._finish()

    # ---- the end ----

    def head_for(self, goal):
        """From now on there are no accidents; the client is done when it has all up to `goal`."""
        self.goal = goal
        self.again(self.rng.uniform(0, 3))

    def _has_reached(self):
        position = self.coverage.position
        return position is not None and position[0] == self.goal[0] and position[1] >= self.goal[1]

    def _finish(self):
        if not self.is_done:
            self.is_done = True
            self.coverage.finish()
            self.loop.after(0, self._drop)
