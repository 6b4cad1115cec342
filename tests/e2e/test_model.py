"""No sequence of verbs lets a principal receive or publish what its patterns exclude, and what they allow
comes: random sequences over all transports and both formats, beside a model.

SLUICE_MODEL_RUNS says how many sequences there are (default 4), SLUICE_MODEL_FIRST the first one's
number, SLUICE_MODEL_STEPS how long each is. `make check-permissions` runs many."""

import collections
import json
import os
import random
import signal
import time

import pytest

from sluicetest import Closed, CloseFrame, Gateway, Http, eventually
from sluicetest.readers import Reader
from sluicetest.rights import MARGIN_S, Credential, Log, Rules, Spans, allows
from sluicetest.subscriber import Refused, split_cursor
from sluicetest.tokens import LEEWAY_S, Secret, bearer, claims, jwks, mint, now

FIRST = int(os.environ.get("SLUICE_MODEL_FIRST", "1"))
RUNS = int(os.environ.get("SLUICE_MODEL_RUNS", "4"))
STEPS = int(os.environ.get("SLUICE_MODEL_STEPS", "1000"))
TRANSPORTS = ["websocket", "sse", "stream", "longpoll", "poll"]
CHANNELS = ["a", "a.1", "a.2", "a.1.x", "b", "b.1", "ab.1", "c"]
PATTERNS = [*CHANNELS, "a.*", "a.1.*", "b.*", "*", "c.*"]
SUBJECTS = ["ann", "bob", "cleo", "dan"]
SHORT = "eve"  # of tokens that expire, which begin too early to outlive a disconnect
ORIGIN = "https://push.example"
JSON = {"Content-Type": "application/json"}
END_CODES = {"token_expired": 4002, "token_revoked": 4004}
MOST_READERS = 16


class Run:
    """One sequence: a gateway, the model of it, and the numbers that choose."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keys = {kid: Secret(kid=kid) for kid in ("one", "two", "three")}
        self.key_file = jwks(self.keys["one"])
        self.rules = Rules(["one"])
        self.log, self.counted, self.number = Log(), collections.Counter(), 0
        self.anonymous = Credential(None, "", [self.patterns(2), self.patterns(1)], 0, None)
        self.credentials, self.readers, self.wires = [], [], []
        options = ["--token-key", self.key_file, "--admin-listen", "127.0.0.1:0", "--shards", "2",
                   "--token-cookie", "t", "--public-origin", ORIGIN]
        for option, patterns in zip(("--anonymous-subscribe", "--anonymous-publish"), self.anonymous.may):
            for pattern in patterns:
                options += [option, pattern]
        self.gateway = Gateway(*options)
        self.admin = self.gateway.admin[0]
        for subject in SUBJECTS:
            self.issue(subject)

    def patterns(self, most=3):
        return self.random.sample(PATTERNS, self.random.randint(0, most))

    # What principals bring.

    def issue(self, subject=None, seconds=None, reads=None):
        """A token with new patterns, or with `reads`; those before it stay what they are."""
        subject = subject or self.random.choice(SUBJECTS)
        kid = self.random.choice(sorted(self.rules.keys))
        issued = max(now() - 5, self.rules.revoked.get(subject, 0) + 1)
        until = now() + (seconds or self.random.choice([400, 600]))
        if seconds:
            issued = until - LEEWAY_S - 60
        may = [reads or self.patterns(), self.patterns()]
        token = mint(self.keys[kid], claims(subject, *may, at=issued, ttl=until - LEEWAY_S - issued))
        self.credentials.append(Credential(token, subject, may, issued, until, kid))
        return self.credentials[-1]

    def pick(self, act=None, channels=()):
        """Anybody, or somebody who may."""
        known = self.credentials[-24:]
        if act is not None and self.random.random() < 0.6:
            known = [one for one in known + [self.anonymous] if self.rules.reasons(one) == set() and
                     all(one.allows(act, name) for name in channels)] or known
        elif self.random.random() < 0.1:
            return self.anonymous
        return self.random.choice(known)

    def way(self, credential, transport=None):
        """Headers and parameters that bring it by one of its ways."""
        if credential.text is None:
            return {}, {}
        if credential.is_ticket:
            return {}, {"ticket": credential.text}
        ways = [(bearer(credential.text), {}), ({}, {"token": credential.text}),
                ({"Cookie": "x=1; t=" + credential.text, "Origin": ORIGIN}, {})]
        if transport == "websocket":
            ways.append(({"Sec-WebSocket-Protocol": "sluice.v1, bearer." + credential.text}, {}))
        return self.random.choice(ways)

    def check_refusal(self, response, credential, reasons, forbidden):
        """It was to be refused: with a code of `reasons`, or because of the channels `forbidden`."""
        error = response.json()["error"]
        if reasons:
            assert response.status == 401 and error["code"] in reasons, (response, credential, reasons)
        elif credential.text is None:
            assert (response.status, error["code"]) == (401, "unauthorized"), (response, credential)
        else:
            assert (response.status, error["code"]) == (403, "forbidden"), (response, credential)
            assert any(name in error["message"] for name in forbidden), (error, forbidden)
        self.counted["refused " + error["code"]] += 1

    # Verbs. Each asks the gateway, and the model beside it.

    def open(self, resumed=None, credential=None):
        """`resumed` are a cursor and channels, by somebody who may. Returns the reader if there is one."""
        raw = self.random.random() < 0.4
        transport = self.random.choice(TRANSPORTS)
        channels = self.random.sample(CHANNELS, 1 if raw else self.random.randint(1, 2))
        credential = credential or self.pick(0, channels)
        since = self.since(transport, raw)
        if resumed:
            since, channels = resumed
            raw = raw and len(channels) == 1
            credential = self.pick(0, channels)
        reasons = self.rules.reasons(credential)
        forbidden = [name for name in channels if not credential.allows(0, name)]
        if reasons is None or len(self.readers) >= MOST_READERS:
            return None
        headers, params = self.way(credential, transport)
        reader = None
        try:
            reader = Reader(transport, self.gateway.address, channels, raw, since, headers, **params)
            if reader.is_asked and (reasons or forbidden):
                reader.take_answer()  # a poll that is held; its refusal has not been read yet
        except Refused as refused:
            if reader:
                reader.close()
            if self.rules.reasons(credential) == reasons:
                assert reasons or forbidden, (refused, credential, channels)
                self.check_refusal(refused.response, credential, reasons, forbidden)
                self.counted["refused " + transport] += 1
            return None
        if self.rules.reasons(credential) != reasons:
            reader.close()  # the machine is so busy that it expired meanwhile
            return None
        assert not reasons and not forbidden, (transport, credential, channels, reasons, forbidden)
        reader.credential = credential
        reader.spans = Spans(channels, self.above(since if since is not None else reader.cursor))
        self.readers.append(reader)
        self.counted["opened %s %s" % (transport, "raw" if raw else "json")] += 1
        return reader

    def since(self, transport, raw):
        """Raw streams tell no position, so theirs is given."""
        choices = ["0"]
        if self.log.messages:
            choices += [self.cursor_of(self.random.choice(self.log.messages)[0]),
                        self.cursor_of(self.log.messages[-1][0])] * 2
        if not raw or transport == "sse":
            choices += [None] * 3
        return self.random.choice(choices)

    def cursor_of(self, seq):
        return "%s-%d" % (self.epoch, seq)

    def above(self, cursor):
        return 0 if cursor == "0" else split_cursor(cursor)[1]

    def subscribe(self):
        self.change("subscribe")

    def unsubscribe(self):
        self.change("unsubscribe")

    def change(self, verb):
        """Of a list with one channel that is not allowed nothing is joined; leaving needs no leave."""
        reader = self.pick_websocket()
        if not reader:
            return
        channels = self.random.sample(CHANNELS, self.random.randint(1, 2))
        forbidden = [name for name in channels if not reader.credential.allows(0, name)]
        answer = reader.tell(type=verb, channels=channels)
        if verb == "subscribe" and forbidden:
            self.check_error(answer, reader.credential, forbidden)
            return
        assert answer["type"] == verb + "d", (answer, reader.credential)
        position = split_cursor(answer["cursor"])[1]
        (reader.spans.join if verb == "subscribe" else reader.spans.leave)(channels, position)
        assert sorted(answer["channels"]) == sorted(reader.spans.open), answer
        reader.channels = sorted(reader.spans.open)
        self.counted[verb + "d"] += 1

    def pick_websocket(self, raw=False):
        fit = [reader for reader in self.readers if reader.transport == "websocket" and reader.raw == raw
               and self.rules.stream_counts(reader.credential)]
        return self.random.choice(fit) if fit else None

    def check_error(self, answer, credential, forbidden):
        codes = ["unauthorized", "forbidden"] if credential.text is None else ["forbidden"]
        assert answer["type"] == "error" and answer["code"] in codes, (answer, credential, forbidden)
        assert any(name in answer["message"] for name in forbidden), (answer, forbidden)
        self.counted["refused on a websocket"] += 1

    # Publishing.

    def text(self):
        self.number += 1
        return "m%d" % self.number

    def post(self):
        channel, text = self.random.choice(CHANNELS), self.text()
        self.post_as(self.pick(1, [channel]), channel, text)

    def post_as(self, credential, channel, text):
        reasons = self.publish_reasons(credential)
        if reasons is None:
            return
        response = self.request("POST", "/publish?channel=" + channel, credential, {
            "Content-Type": "text/plain"}, text.encode())
        if self.publish_reasons(credential) != reasons and response.status != 200:
            return
        if reasons or not credential.allows(1, channel):
            self.check_refusal(response, credential, reasons, [channel])
            self.counted["refused publish"] += 1
            return
        assert response.status == 200, (response, credential, channel)
        self.add(response.json()["id"], channel, text, "post")

    def publish_reasons(self, credential):
        """A ticket is for deliveries alone."""
        return {"unauthorized"} if credential.is_ticket else self.rules.reasons(credential)

    def add(self, cursor, channel, text, how):
        self.epoch = cursor.partition("-")[0]
        self.log.add(cursor, channel, text)
        self.counted["published by " + how] += 1

    def batch(self):
        credential = self.pick()
        reasons = self.publish_reasons(credential)
        if reasons is None:
            return
        lines = [{"channel": self.random.choice(CHANNELS), "data": self.text()} for _ in range(3)]
        response = self.request("POST", "/publish", credential, {"Content-Type": "application/x-ndjson"},
                                "".join(json.dumps(line) + "\n" for line in lines).encode())
        if self.publish_reasons(credential) != reasons and response.status != 200:
            return
        if reasons or (credential.text is None and response.status != 200):
            allowed = [line for line in lines if credential.allows(1, line["channel"])]
            assert reasons or not allowed, (response, credential)
            self.check_refusal(response, credential, reasons, [])
            return
        assert response.status == 200, (response, credential)
        for line, result in zip(lines, map(json.loads, response.body.splitlines())):
            if credential.allows(1, line["channel"]):
                self.add(result["id"], line["channel"], line["data"], "batch")
            else:
                self.check_error({"type": "error", **result["error"]}, credential, [line["channel"]])

    def request(self, method, target, credential, headers, body):
        """On one of two connections that all principals share."""
        more, params = self.way(credential)
        for name, value in params.items():
            target += ("&" if "?" in target else "?") + "%s=%s" % (name, value)
        while len(self.wires) < 2:
            self.wires.append(Http(self.gateway.address))
        wire = self.random.choice(self.wires)
        response = wire.request(method, target, {**headers, **more}, body)
        if not wire.is_reusable():
            self.wires.remove(wire)
            wire.close()
        return response

    def say(self):
        """A publish on a WebSocket."""
        reader = self.pick_websocket()
        if not reader:
            return
        channel, text = self.random.choice(CHANNELS), self.text()
        answer = reader.tell(type="publish", channel=channel, data=text)
        if reader.credential.allows(1, channel):
            assert answer["type"] == "ack", (answer, reader.credential, channel)
            self.add(answer["id"], channel, text, "websocket")
        else:
            self.check_error(answer, reader.credential, [channel])

    def say_raw(self):
        """Its id is had from the echo's place in history."""
        reader = self.pick_websocket(raw=True)
        if not reader:
            return
        channel, text = reader.channels[0], self.text()
        reader.wire.send_text(text)
        if reader.credential.allows(1, channel):
            cursor = eventually(lambda: self.find(channel, text))
            self.add(cursor, channel, text, "raw websocket")
            return
        self.readers.remove(reader)
        reader.read_to_end()
        assert reader.code in (1008, 1013), reader.code
        self.check_received(reader, whole=False)
        reader.close()
        self.counted["refused on a raw websocket"] += 1

    def find(self, channel, text):
        for obj in self.history(channel):
            if obj["data"] == text:
                return obj["id"]
        return None

    def history(self, channel):
        """As one sees it who may do everything."""
        token = mint(self.keys[min(self.rules.keys)], claims("operator", ["*"]))
        with Http(self.gateway.address) as http:
            answer = http.request("GET", "/poll?wait=0&since=0&channels=" + channel, bearer(token))
        assert answer.status == 200, answer
        return answer.json()["messages"]

    # Reading.

    def expected(self, reader):
        return self.log.of(reader.spans.all())

    def check_received(self, reader, whole):
        want = self.expected(reader)
        assert reader.received == (want if whole else want[:len(reader.received)]), (
            reader.transport, reader.raw, reader.credential, reader.received, want)

    def read(self, reader):
        """All that it must get has come, and nothing else has. A stream that may end about now is left
        alone; a poll asks anew and may be refused."""
        counts = self.rules.stream_counts(reader.credential)
        reasons = self.rules.reasons(reader.credential)
        if counts and reader.is_asked and reasons:
            self.readers.remove(reader)  # its key or ticket is gone, but this answer is still waited for
            reader.close()
        elif counts is False or (reader.is_poll and reasons):
            self.end(reader)
        elif counts and (not reader.is_poll or reasons is not None):
            want = self.expected(reader)
            reader.read(len(want))
            assert reader.ended is None, (reader.ended, reader.credential)
            self.check_received(reader, whole=True)
            reader.hold()
            self.counted["received"] += len(want)

    def end(self, reader):
        """It must have ended, or does, by what it is refused for; it has got what it was to get until then,
        and whoever may goes on at its cursor."""
        self.readers.remove(reader)
        reader.read_to_end()
        reasons = self.rules.reasons(reader.credential) or {"token_expired", "token_revoked"}
        if reader.is_poll:
            assert reader.ended == "close" or reader.ended in reasons, reader.ended
        elif reader.transport == "websocket":
            assert reader.code in {END_CODES[reason] for reason in reasons if reason in END_CODES}, reader.code
        elif not (reader.raw and reader.transport == "stream"):
            assert reader.ended in reasons, (reader.ended, reasons)
        self.check_received(reader, whole=False)
        reader.close()
        self.counted["ended " + "/".join(sorted(reasons))] += 1
        if not reader.raw and reader.channels:
            self.resume(reader)

    def resume(self, reader):
        """Somewhere behind the last one that came, at a cursor the gateway told."""
        if reader.cursor is None:
            return
        successor = self.open((reader.cursor, reader.channels))
        if successor and not reader.spans.done:
            behind = self.expected(reader)[len(reader.received):]
            assert self.expected(successor) == behind, "what did not come, and nothing twice"
            self.counted["resumed"] += 1

    def settle(self):
        for reader in list(self.readers):
            self.read(reader)

    def leave(self):
        """A client goes, and perhaps comes back at its cursor."""
        if self.readers:
            reader = self.random.choice(self.readers)
            self.readers.remove(reader)
            reader.close()
            if not reader.raw and reader.channels:
                self.resume(reader)

    # How rights change.

    def renew(self):
        self.issue()

    def expire(self):
        """A token of a few seconds, which is used at once."""
        credential = self.issue(SHORT, 3, ["*"])
        for _ in range(4):
            self.open(credential=credential)

    def pass_time(self):
        """Until what was to expire has expired."""
        for _ in range(3):
            self.leave()
        self.expire()
        untils = [one.until for one in self.credentials if one.until < time.time() + 10]
        time.sleep(max(max(untils, default=0) + MARGIN_S + 0.1 - time.time(), 0))
        self.settle()

    def buy(self):
        """A ticket, with the rights of the token."""
        credential = self.pick()
        if credential.text is None or credential.is_ticket or self.rules.reasons(credential) is None:
            return
        reasons = self.rules.reasons(credential)
        response = self.request("POST", "/ticket", credential, {}, b"")
        if reasons:
            self.check_refusal(response, credential, reasons, [])
            return
        made = response.json()
        self.credentials.append(Credential(made["ticket"], credential.subject, credential.may, credential.issued,
                                           credential.until, ticket_until=made["expires"]))
        self.counted["bought"] += 1

    def disconnect(self):
        subject = self.random.choice(SUBJECTS)
        with Http(self.admin) as http:
            answer = http.request("POST", "/admin/disconnect", JSON, json.dumps({"subject": subject}).encode())
        assert answer.status == 200, answer
        self.rules.revoked[subject] = answer.json()["until"]
        for reader in list(self.readers):
            if self.rules.is_revoked(reader.credential):
                self.end(reader)
        self.counted["disconnected"] += 1
        self.issue(subject)

    def reload(self):
        """Other keys, or a file that is refused and changes nothing."""
        wrong = self.random.random() < 0.3
        kids = self.random.sample(sorted(self.keys), self.random.randint(1, 2))
        with open(self.key_file, "w") as file:
            file.write("{" if wrong else json.dumps({"keys": [self.keys[kid].jwk() for kid in kids]}))
        before = len(self.gateway.stderr())
        self.gateway.signal(signal.SIGHUP)
        eventually(lambda: b"reload.done" in self.gateway.stderr()[before:])
        if not wrong:
            self.rules.keys = set(kids)
        self.counted["reloaded"] += 1
        self.issue()

    VERBS = {open: 22, post: 16, batch: 7, say: 10, say_raw: 4, subscribe: 6, unsubscribe: 3, settle: 5,
             leave: 9, renew: 6, buy: 4, expire: 1.2, disconnect: 1.2, reload: 1}

    def step(self):
        verbs = list(self.VERBS)
        self.random.choices(verbs, [self.VERBS[verb] for verb in verbs])[0](self)

    def finish(self):
        """The rest comes; and the log is what the gateway has."""
        for channel in CHANNELS:  # behind all that must not be received
            key = self.keys[min(self.rules.keys)]
            operator = Credential(mint(key, claims("operator", [], ["*"])), "operator", [[], ["*"]], now(),
                                  now() + 600, key.kid)
            self.post_as(operator, channel, self.text())
        for reader in list(self.readers):
            if reader.credential.subject == SHORT:  # their end was seen when time passed
                self.readers.remove(reader)
                reader.close()
        self.settle()
        for channel in CHANNELS:
            have = [(channel, obj["data"]) for obj in self.history(channel)]
            assert have == self.log.of([(channel, 0, float("inf"))]), channel

    def close(self):
        for one in self.readers + self.wires:
            one.close()


def run(seed, steps):
    made = Run(seed)
    with made.gateway:
        made.post_as(Credential(mint(made.keys["one"], claims("operator", [], ["*"])), "operator", [[], ["*"]],
                                now(), now() + 600, "one"), CHANNELS[0], made.text())
        try:
            for number in range(steps):
                made.step()
                if number == steps // 2:
                    made.pass_time()
            made.finish()
        except (Closed, CloseFrame, TimeoutError) as failure:
            raise AssertionError("step %d of seed %d: %r" % (number, seed, failure)) from failure
        finally:
            made.close()
    return made.counted


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_nobody_gets_or_says_what_its_patterns_exclude(seed):
    check_that_enough_happened(run(seed, STEPS))


def check_that_enough_happened(counted):
    """Of each kind; a run in which nobody was allowed anything shows nothing."""
    for what, least in {
            "received": 500, "refused forbidden": 30, "refused unauthorized": 15, "refused token_revoked": 1,
            "refused on a websocket": 30, "refused publish": 20,
            "published by post": 40, "published by batch": 10, "published by websocket": 5, "subscribed": 8,
            "unsubscribed": 5, "bought": 5, "disconnected": 3, "reloaded": 3, "resumed": 10,
            "ended token_revoked": 1}.items():
        assert counted[what] >= least * min(STEPS / 1000, 1), (what, counted)
    assert sum(counted[what] for what in counted if "token_expired" in what) > 1, counted
    for transport in TRANSPORTS:
        assert counted["refused " + transport] > 0, (transport, counted)
        for fmt in "json", "raw":
            assert counted["opened %s %s" % (transport, fmt)] > 0, (transport, fmt, counted)


def test_the_model_reads_patterns_as_they_are_meant():
    for patterns, channel, right in [
            ([], "a", False), (["*"], "a.b", True), (["a"], "a", True), (["a"], "a.1", False),
            (["a.*"], "a", False), (["a.*"], "a.1.x", True), (["a.*"], "ab.1", False), (["b", "a.1"], "a.1", True)]:
        assert allows(patterns, channel) == right, (patterns, channel)
