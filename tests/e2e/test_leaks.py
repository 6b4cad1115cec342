"""Nothing leaks: whatever comes in by whichever way, no token, ticket or secret is in logs at debug
level, figures, error answers, /probe/head, the demo's trace or reports; not in part, and not encoded."""

import base64
import json
import os
import re
import signal
import urllib.parse

import pytest

from sluicetest import (
    STREAMING, TRANSPORTS, Gateway, Http, Recorder, WebSocket, eventually, new_name, open_subscriber,
    trace)
from sluicetest.subscriber import Refused
from sluicetest.tls import certificate_options, is_secure
from sluicetest.tokens import Issuer, Secret, bearer, claims, mint, now
from sluicetest.wire import Closed
from test_check_report import good_report

WINDOW = 12  # so many bytes of a token in a row are a leak
CAPTURE = 2048  # what a trace shows of a read
COOKIE = "sluice_token"
OWN = "https://push.example"
JSON = {"Content-Type": "application/json"}


class Needles:
    """Texts that may be nowhere, as all their runs of WINDOW bytes, in base64 too."""

    def __init__(self):
        self.texts, self.runs = set(), {}

    def add(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        assert len(data) > WINDOW
        self.texts.add(data)
        for shift in range(3):  # base64 has three ways to write what stands amid something else
            encoded = base64.b64encode(b"\0" * shift + data)
            whole = encoded[4 if shift else 0:len(encoded) // 4 * 4 - 4]
            self._add_runs(whole, data)
            self._add_runs(whole.replace(b"+", b"-").replace(b"/", b"_"), data)
        self._add_runs(data, data)
        self._add_runs(data.hex().encode(), data, 2 * WINDOW)
        return text

    def _add_runs(self, data, of, length=WINDOW):
        for at in range(len(data) - length + 1):
            self.runs.setdefault(data[at:at + length], of)

    def found_in(self, data):
        """The first run that is there, with what is around it, or None."""
        for seen in data, urllib.parse.unquote_to_bytes(data):
            for length in WINDOW, 2 * WINDOW:
                for at in range(len(seen) - length + 1):
                    if seen[at:at + length] in self.runs:
                        return seen[max(at - 80, 0):at + 120]
        return None


class World:
    """A gateway that tells as much as it can, and all that was brought to it."""

    def __init__(self, folder, reports):
        self.needles = Needles()
        self.issuer = Issuer(Secret(os.urandom(30).hex().encode()))
        self.issuer.operator = self.token("operator", ["*"], ["*"], admin=True)
        self.secret = folder / "secret"
        self.secret.write_bytes(self.needles.add(os.urandom(24).hex()).encode() + b"\n")
        self.secret.chmod(0o600)
        self.needles.add(self.issuer.key.secret)
        self.reports = reports
        self.names = []
        self.gateway = Gateway(
            *self.issuer.options, "--secret", self.secret, "--token-cookie", COOKIE, "--demo",
            "--log-level", "debug", "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0",
            *certificate_options(), "--admin-listen",
            "127.0.0.1:0", "--public-origin", OWN, "--check-reports", reports, "--trust-proxy", "127.0.0.1",
            "--anonymous-subscribe", "open.*", bearer=self.issuer.operator)
        self.gateway.address = self.gateway.listeners[-1]  # in the clear, but where SLUICE_TLS says no

    def token(self, *arguments, **more):
        return self.needles.add(self.issuer.token(*arguments, **more))

    def name(self):
        self.names.append(new_name())
        return self.names[-1]

    def ticket(self, token):
        with Http(self.gateway.address) as http:
            answer = http.request("POST", "/ticket", bearer(token), b"")
            assert answer.status == 200, answer
            http.log[1].clear()  # here it belongs
            return self.needles.add(answer.json()["ticket"])

    def brought(self):
        """Every kind of token there is, by what becomes of it."""
        good = self.token("ann", ["leak.*"], ["leak.*"])
        other = mint(Secret(), claims("mallory", ["*"]))
        foreign = [self.token("bob"), self.issuer.ending_in(-40, "late", ["*"]), other,
                   mint(self.issuer.key, claims("wrong", ["**"])), mint(self.issuer.key, claims(sub=5)),
                   good + "x", good[:-4] + "AAAA", "garbage-that-is-no-token-at-all", "a" * 9000 + ".b.c",
                   mint(self.issuer.key, claims("ann", ["leak.a"]), crit=["exp"]),
                   mint(self.issuer.key, claims("ann", ["leak.a"]), alg="none")]
        for token in foreign:
            self.needles.add(token)
        return good, foreign


@pytest.fixture
def world(tmp_path, monkeypatch):
    recorder = Recorder(monkeypatch)
    reports = tmp_path / "reports"
    reports.mkdir()
    made = World(tmp_path, reports)
    made.recorder = recorder
    with made.gateway:
        yield made


def ways(token, ticket):
    """Each as headers and query; also those that no gateway takes, since clients err."""
    return [(bearer(token), ""), ({"authorization": "bearer   " + token}, ""),
            ({"Authorization": "Token " + token}, ""), ({"Authorization": token}, ""),
            ({"Cookie": "a=b; %s=%s; c=d" % (COOKIE, token), "Origin": OWN}, ""),
            ({"Cookie": "session=" + token}, ""), ({}, "&token=" + token), ({}, "&ticket=" + ticket),
            ({}, "&ticket=" + token), ({}, "&token=" + ticket),
            ({}, "&token=" + "".join("%%%02X" % ord(char) for char in token)),
            ({}, "&tok%65n=" + token), ({}, "&%74icket=" + ticket), ({}, "&TOKEN=" + token),
            ({}, "&token=%s&token=%s" % (token, token)), ({}, "&token=%zz" + token),
            ({"Sec-WebSocket-Protocol": "sluice.v1, bearer." + token}, ""),
            ({"Sec-WebSocket-Protocol": "bearer.%s, bearer.%s" % (token, ticket)}, ""),
            ({"Referer": "https://push.example/page?token=%s&x=1" % token}, ""),
            ({"Proxy-Authorization": "Bearer " + token}, ""),
            ({"X-Pad": "x" * (CAPTURE - 190 - len(token) // 2), **bearer(token)}, "")]


def ask_in_every_way(world, token, ticket):
    """Each way has a name of its own: of one name a trace keeps some hundred events."""
    for headers, query in ways(token, ticket):
        name = world.name()
        for method, target, body in (
                ("GET", "/poll?channels=leak.a&wait=0", None), ("GET", "/sse?channels=leak.b", None),
                ("GET", "/stream?channels=not.mine", None), ("POST", "/publish?channel=leak.a", b"1"),
                ("GET", "/ws?channels=leak.a", None), ("GET", "/probe/head?x=1", None),
                ("POST", "/ticket?channels=not.mine", b""), ("GET", "/nowhere?x=1", None),
                ("BREW", "/poll?channels=leak.a", None), ("POST", "/admin/disconnect?x=1", b"{}"),
                ("GET", "/stats?x=1", None), ("GET", "/poll?channels=a*b", None)):
            for whole in {target + query + "&demo=" + name, first_in_query(target, query) + "&demo=" + name}:
                ask_once(world, method, whole, headers, body)


def first_in_query(target, query):
    """The same with what `query` has at the front."""
    path, mark, rest = target.partition("?")
    return path + mark + (query[1:] + "&" if query else "") + rest


def ask_once(world, method, target, headers, body):
    with WebSocket(world.gateway.address) as wire:
        fields = {**(JSON if body else {}), **headers}
        if target.startswith("/ws"):
            fields.update(wire.upgrade_headers())
        wire.send_request(method, target, fields, body)
        wire.read_head()  # of a stream its head is enough
        if wire.response.status != 101 and not wire.response.is_chunked:
            wire.read_body()
        elif not wire.buffer and wire.response.status == 200:
            wire.fill()


def misbehave(world, token):
    """What is no request of ours at all, with a token in it."""
    address = world.gateway.address
    twice = "Authorization: Bearer %s\r\n" % token * 2
    for data in ("GET /poll?channels=a HTTP/1.1\r\nHost: x\r\n%s\r\n" % twice,
                 "GET /poll?token=%s HTTP/3.0\r\nHost: x\r\n\r\n" % token,
                 "GET /poll?token=%s\r\n\r\n" % token, "GET /p?token=%s HTTP/1.1\r\n\r\n" % token,
                 "GET /poll HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer %s\r\n\r\n" % token,
                 "GET /poll HTTP/1.1\r\nHost: x\r\nX: a\r\n Authorization: Bearer %s\r\n\r\n" % token,
                 "GET http://u:%s@127.0.0.1/poll?token=%s HTTP/1.1\r\nHost: x\r\n\r\n" % (token, token),
                 "GET /poll HTTP/1.1\r\nHost: %s\r\n\r\n" % token,
                 "GET /poll?channels=a&token=%s&x=%s HTTP/1.1\r\nHost: x\r\n\r\n" % (token, "y" * 17000),
                 "%s /poll HTTP/1.1\r\nHost: x\r\n\r\n" % token, token + "\r\n\r\n",
                 "POST /publish?channel=leak.a&token=%s HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                 "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx" % token):
        with Http(address) as http:
            try:
                http.send(data.encode())
                http.shut()
                http.read_to_end()
            except Closed:
                pass


def speak_in_the_clear(world, token):
    """To a port of TLS: the answer names the https address, and nothing more of the request."""
    secure = [address for address in world.gateway.listeners if is_secure(address)]
    assert secure
    for address in secure:
        with Http(tuple(address)) as http:
            http.send(b"GET /poll?channels=a&token=%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
                      % (token.encode(), token.encode()))
            http.read_to_end()


def stream(world, token, ticket):
    """Each transport, with messages; a WebSocket's own errors too."""
    name = world.name()
    for transport in TRANSPORTS:
        for how in ({"headers": bearer(token)}, {"token": token}, {"ticket": ticket}):
            with open_subscriber(transport, world.gateway, "leak.a", demo=name, **how) as sub:
                world.gateway.publish("leak.a", 1)
                sub.next_data(1)
                if transport == "websocket":
                    for obj in ({"type": token}, {"type": "publish", "channel": token, "data": 1},
                                {"type": "subscribe", "channels": [token]}, {"token": token}):
                        sub.wire.send_object(obj)
                        while sub.wire.next_object().get("type") != "error":
                            pass
        for bad in (token + "x", world.token("nobody")):
            with pytest.raises(Refused):
                open_subscriber(transport, world.gateway, "leak.a", headers=bearer(bad), demo=name)
    for transport in STREAMING:
        ending = world.needles.add(world.issuer.ending_in(3, "ending", ["leak.a"]))
        try:
            with open_subscriber(transport, world.gateway, "leak.a", headers=bearer(ending), demo=name) as sub:
                sub.await_control("bye")
        except Refused:
            pass  # too busy a machine: refused as expired, which is told too


def admin(world, token):
    for body in ({"subject": "gone"}, {"subject": "gone", "token": token}, {"token": token}, {"subject": 5}):
        for address in world.gateway.address, world.gateway.admin[0]:
            with Http(address) as http:
                http.request("POST", "/admin/disconnect", {**JSON, **bearer(world.issuer.operator)},
                             json.dumps(body).encode())


def report(world, token, ticket):
    for headers, query in ((bearer(token), ""), ({}, "?token=" + token), ({}, "?ticket=" + ticket)):
        answer = world.gateway.request("POST", "/check/report" + query, {**JSON, **headers}, json.dumps(
            good_report()).encode())
        assert answer.status == 201, answer
    answer = world.gateway.request("POST", "/check/report", JSON, json.dumps(
        {**good_report(), "made": token, token: 1}).encode())
    assert answer.status == 400, answer


def reload(world):
    """A key that is refused, then again the right one."""
    path = world.issuer.path
    for content in (world.needles.add("sh" + os.urandom(10).hex()).encode(),
                    b'{"keys":[{"kty":"oct","k":"%s"}]}' % world.needles.add(
                        base64.urlsafe_b64encode(os.urandom(20)).rstrip(b"=")),
                    world.issuer.key.secret):
        with open(path, "wb") as file:
            file.write(content)
        before = len(world.gateway.stderr())
        world.gateway.signal(signal.SIGHUP)
        eventually(lambda: b"reload.done" in world.gateway.stderr()[before:])


def tell_all(world):
    """Everything the gateway says, by the place where it says it."""
    said = {"the log": world.gateway.stderr()}
    for target in ("/stats", "/metrics", "/transports", "/probe/head?x", "/demo/api/origins"):
        said[target] = world.gateway.get(target).body
    for name in world.names:
        told = trace(world.gateway, name)
        assert told["events"] or name not in world.names[:1], name
        said["the trace of " + name] = b"".join(event["data"] for event in told["events"])
        answer = world.gateway.get("/demo/api/trace?of=%s:0&show=%s" % (name, name))
        said["the trace of %s as it is sent" % name] = re.sub(rb'"base64":"[^"]*"', b"", answer.body)
    for path in world.reports.iterdir():
        said[path.name] = path.name.encode() + path.read_bytes()
    for number, wire in enumerate(world.recorder.wires):
        sent, got = world.recorder.of(wire)
        if b"/demo/api/trace" in sent:
            continue  # decoded above; its base64 has times that a payload of a token has too
        said["what was answered to %d %r" % (number, sent[:60])] = got
    return said


def check(world, said):
    for place, data in said.items():
        found = world.needles.found_in(data)
        assert not found, "%s: %r" % (place, found)


def test_the_search_finds_what_it_looks_for():
    """In each form in which it could be told."""
    needles = Needles()
    token = needles.add(Issuer().token("ann", ["leak.*"]))
    middle = token[len(token) // 2:][:40]
    for form in (token, middle, base64.b64encode(("x" + middle).encode()).decode(),
                 base64.urlsafe_b64encode(("xy" + middle).encode()).decode(), middle.encode().hex(),
                 "".join("%%%02x" % ord(char) for char in middle)):
        assert needles.found_in(b"before %s behind" % form.encode()), form
    assert not needles.found_in(b"Authorization: Bearer " + b"*" * 500 + b" GET /poll?token=&channels=leak.a")


def test_no_token_ticket_or_secret_is_told_anywhere(world):
    good, others = world.brought()
    ticket = world.ticket(good)
    ask_in_every_way(world, good, ticket)
    for token in others:
        ask_in_some_ways(world, token)
    misbehave(world, good)
    speak_in_the_clear(world, good)
    stream(world, good, ticket)
    revoked = world.token("gone", ["leak.*"], at=now() - 100)
    admin(world, good)
    ask_in_some_ways(world, revoked)
    report(world, good, ticket)
    reload(world)
    said = tell_all(world)
    check(world, said)
    check_that_enough_was_told(world, said, good, ticket)


def ask_in_some_ways(world, token):
    name = world.name()
    for headers, query in (bearer(token), ""), ({}, "&token=" + token), (
            {"Cookie": "%s=%s" % (COOKIE, token)}, ""):
        for method, target in ("GET", "/poll?channels=leak.a&wait=0"), ("POST", "/publish?channel=leak.a"):
            with Http(world.gateway.address) as http:
                body = b"1" if method == "POST" else None
                http.request(method, target + query + "&demo=" + name, {**JSON, **headers}, body)


def check_that_enough_was_told(world, said, good, ticket):
    """Where nothing is told at all nothing leaks, and nothing is tested."""
    shown = b"".join(said["the trace of " + name] for name in world.names)
    for start, length in ((b"Authorization: ", len("Bearer " + good)), (b"token=", len(good)), (b"bearer.", len(good)),
                          (b"ticket=", len(ticket))):
        assert start + b"*" * length in shown, (start, shown[:3000])
    assert re.search(rb"Cookie: \*+\r\n|Cookie: a=b; %s=\*{%d}" % (COOKIE.encode(), len(good)), shown), shown[:3000]
    answers = [got for place, got in said.items() if place.startswith("what was answered")]
    for code in ("unauthorized", "token_expired", "token_revoked", "forbidden", "bad_parameter", "bad_request",
                 "not_found", "bad_query"):
        assert any(('"%s"' % code).encode() in got for got in answers), code
    assert any(b'"headers":[[' in got and b"Authorization" in got for got in answers), "no /probe/head"
    assert b" debug " in said["the log"] and b"reason=token_expired" in said["the log"], said["the log"]
    assert b"tokens.refused" in said["the log"]
    assert any(place.startswith("check-") for place in said)
    assert len(world.needles.texts) > 20
