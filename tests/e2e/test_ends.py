"""How rights end: tokens that expire, subjects that are thrown out, keys and secrets that are taken away.
Nothing is lost by whoever comes back with a new token."""

import json
import os
import signal
import threading
import time

import pytest

from checks import check_challenge, check_error, published
from sluicetest import (
    HELD, STREAMING, TRANSPORTS, Closed, CloseFrame, GatewayFailed, Http, SharedGateway, WebSocket, eventually,
    open_subscriber)
from sluicetest.streams import SseReader
from sluicetest.subscriber import Refused
from sluicetest.tokens import (
    LEEWAY_S, Issuer, KeyPair, P256, Secret, bearer, claims, jwks, mint, now, write_key)

ISSUER = Issuer()
JSON = {"Content-Type": "application/json"}
EXPIRED, REVOKED = 4002, 4004
RETRY_MS = 2000


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway(*ISSUER.options, "--shards", "2", bearer=ISSUER.operator) as shared:
        yield shared


def disconnect(gateway, subject, status=200):
    body = json.dumps({"subject": subject}).encode()
    answer = gateway.request("POST", "/admin/disconnect", JSON, body)
    assert answer.status == status, answer
    return answer.json()


def older(sub, subscribe=(), publish=(), **more):
    """A token that was issued a while ago."""
    return ISSUER.token(sub, subscribe, publish, at=now() - 100, ttl=3000, **more)


def open_ending(transport, gateway, channel, since=None, seconds=2, make=None, **how):
    """A stream whose token counts for some seconds yet. On a machine that is too busy for that the
    token is a longer one."""
    while True:
        try:
            token = (make or ISSUER.ending_in)(seconds, "ann", [channel], [channel])
            return open_subscriber(transport, gateway, channel, since, headers=bearer(token), **how)
        except Refused as refused:
            assert refused.response.json()["error"]["code"] == "token_expired", refused
            assert seconds < 60, refused
            seconds *= 2


def read_end(sub):
    """What comes until the gateway ends the stream: the messages' data, the bye, the close."""
    messages, bye = [], None
    try:
        while True:
            obj = sub.next_object()
            if "type" not in obj:
                messages.append(obj["data"])
            elif obj["type"] == "bye":
                bye = obj
            else:
                assert obj["type"] == "heartbeat", obj
    except CloseFrame as close:
        return messages, bye, close
    except Closed:
        return messages, bye, None


def check_end(sub, reason, code):
    """The bye of a json stream; of a WebSocket also the close code. Returns the messages before."""
    messages, bye, close = read_end(sub)
    assert bye and bye["reason"] == reason and 0 <= bye["retry"] <= RETRY_MS, bye
    if sub.transport == "websocket":
        assert close and close.code == code, close
        assert close.reason in ("", reason), close
    else:
        assert sub.reader.ended, "the response was cut"
    if sub.transport == "sse":
        assert sub.event.retry == bye["retry"]
    return messages


# A token expires.

@pytest.mark.parametrize("transport", STREAMING)
def test_a_stream_ends_with_its_token_and_nothing_is_lost(gateway, channel, transport):
    """Published is before, at and after the end; the next stream begins at the cursor of the last."""
    ended, values = threading.Event(), []

    def publish():
        while not ended.wait(0.02):
            gateway.publish(channel, len(values))
            values.append(len(values))

    with open_ending(transport, gateway, channel) as sub:
        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            got = check_end(sub, "token_expired", EXPIRED)
        finally:
            ended.set()
            publisher.join()
        assert sub.counts[-1] == len(got) == len(sub.seen)
        cursor = sub.cursor
    token = ISSUER.token("ann", [channel])
    with open_subscriber(transport, gateway, channel, cursor, headers=bearer(token)) as sub:
        got += sub.next_data(len(values) - len(got))
    assert got == values and len(values) > 5
    assert sub.gaps == []


def test_the_end_comes_when_the_leeway_is_over(gateway, channel):
    """A stream does not end before its token does not count any more."""
    with open_ending("stream", gateway, channel, seconds=2) as sub:
        check_end(sub, "token_expired", EXPIRED)
        token = sub.headers["Authorization"]
        answer = gateway.get("/poll?wait=0&channels=" + channel, {"Authorization": token})
        check_challenge(answer, "token_expired")


@pytest.mark.parametrize("what", ["ticket", "token", "fraction", "idle"])
def test_a_stream_ends_with_what_bought_it(gateway, channel, what):
    """A ticket's stream ends with the token, not with the ticket; one that asks for no heartbeats ends too."""
    until = now() + 3
    token = ISSUER.token("ann", [channel], at=until - 100, ttl=100 - LEEWAY_S + (0.5 if what == "fraction" else 0))
    how = {}
    if what == "ticket":
        how["ticket"] = gateway.request("POST", "/ticket", bearer(token), b"").json()["ticket"]
    elif what == "token":
        how["token"] = token
    else:
        how["headers"] = bearer(token)
    if what == "idle":
        how["heartbeat"] = 60
    with open_subscriber("sse", gateway, channel, **how) as sub:
        assert time.time() < until + 1
        check_end(sub, "token_expired", EXPIRED)
        assert time.time() > until - 1


def test_a_held_poll_ends_with_its_token(gateway, channel):
    token = ISSUER.ending_in(3, "ann", [channel])
    target = "/poll?wait=55&channels=%s&since=%s&format=" % (channel, gateway.head())
    held = {fmt: gateway.connect() for fmt in ("json", "raw")}
    for fmt, http in held.items():
        http.send_request("GET", target + fmt, bearer(token))
    for fmt, http in held.items():
        answer = http.read_response()
        assert answer.status == (204 if fmt == "raw" else 200), answer
        assert "close" in answer.tokens("Connection"), answer
        assert fmt == "raw" or answer.json()["messages"] == [], answer
        assert answer.header("Sluice-Cursor"), answer
        http.expect_end()
        http.close()
        check_challenge(gateway.get(target.replace("wait=55", "wait=0") + fmt, bearer(token)), "token_expired")


@pytest.mark.parametrize("path", ["/ws", "/sse", "/stream"])
def test_a_raw_stream_ends_with_its_token(gateway, channel, path):
    token = ISSUER.ending_in(3, "ann", [channel])
    target = "%s?format=raw&channels=%s" % (path, channel)
    with WebSocket(gateway.address) as wire:
        if path == "/ws":
            assert wire.handshake(target, bearer(token)).status == 101
            assert wire.await_close().code == EXPIRED
            return
        wire.send_request("GET", target, bearer(token))
        assert wire.read_head().status == 200
        if path == "/sse":
            reader = SseReader(wire)
            event = reader.next_event()
            while event.name != "bye":
                event = reader.next_event()
            assert json.loads(event.text)["reason"] == "token_expired" and event.retry <= RETRY_MS
        wire.read_body()  # to the last chunk


def test_many_streams_of_one_token_end_together_and_come_back_apart(gateway, channel):
    """Twenty of each kind; the times to wait are spread."""
    token = ISSUER.ending_in(4, "ann", [channel])
    subs = [open_subscriber(transport, gateway, channel, headers=bearer(token))
            for transport in STREAMING for _ in range(20)]
    retries = set()
    for sub in subs:
        messages, bye, _ = read_end(sub)
        assert messages == [] and bye["reason"] == "token_expired" and 0 <= bye["retry"] <= RETRY_MS, bye
        retries.add(bye["retry"])
        sub.close()
    assert len(retries) > 30, sorted(retries)
    assert gateway.metric("sluice_streams_expired_total") >= len(subs)


def test_other_streams_go_on_when_one_expires(gateway, channel):
    """Those of the subject's longer token too: an end is a token's, not a subject's."""
    longer = open_subscriber("stream", gateway, channel, headers=bearer(ISSUER.token("ann", [channel])))
    with open_ending("stream", gateway, channel) as sub:
        check_end(sub, "token_expired", EXPIRED)
    gateway.publish(channel, "after")
    assert longer.next_data(1) == ["after"]
    longer.close()


def test_what_was_published_before_the_end_is_kept(gateway, channel):
    """A WebSocket's publishes that were acknowledged are there."""
    with open_ending("websocket", gateway, channel) as sub:
        acks, sent, closed = [], 0, None
        while closed is None:
            try:
                sub.wire.send_object({"type": "publish", "channel": channel, "data": sent, "ref": sent})
                sent += 1
                while True:
                    obj = sub.wire.next_object()
                    if obj.get("type") == "ack":
                        acks.append(obj["ref"])
                        break
                    assert obj.get("type") != "error" or obj["code"] in ("token_expired", "forbidden"), obj
            except (CloseFrame, Closed) as end:
                closed = end
            time.sleep(0.05)
    assert isinstance(closed, CloseFrame) and closed.code == EXPIRED, closed
    have = published(gateway, channel)
    assert acks and have[:len(acks)] == acks and len(have) <= sent


# A subject is thrown out.

@pytest.mark.parametrize("transport", STREAMING)
def test_a_disconnected_subject_loses_its_streams(gateway, channel, transport):
    who, other = "ann." + channel, "bob." + channel
    subs = [open_subscriber(transport, gateway, channel, headers=bearer(older(who, [channel])))
            for _ in range(6)]
    stays = [open_subscriber(transport, gateway, channel, headers=bearer(older(name, [channel])))
             for name in (other, who + "x", "x" + who) for _ in range(2)]
    gateway.publish(channel, "before")
    for sub in subs:  # what has not been sent by then is dropped
        assert sub.next_data(1) == ["before"]
    answer = disconnect(gateway, who)
    assert sorted(answer) == ["kept", "subject", "until"] and answer["subject"] == who, answer
    assert abs(answer["until"] - now()) < 30 and answer["kept"] > answer["until"], answer
    for sub in subs:
        assert check_end(sub, "token_revoked", REVOKED) == []
        sub.close()
    gateway.publish(channel, "after")
    for sub in stays:
        assert sub.next_data(2) == ["before", "after"]
        sub.close()


def test_older_tokens_are_refused_at_once_and_newer_count(gateway, channel):
    """On all shards, whether they knew the token or not."""
    who = "ann." + channel
    target = "/poll?wait=0&channels=" + channel
    known, unknown = older(who, [channel]), older(who, [channel, "other"])
    ticket = gateway.request("POST", "/ticket", bearer(known), b"").json()["ticket"]
    wires = [gateway.connect() for _ in range(8)]
    for http in wires:
        assert http.request("GET", target, bearer(known)).status == 200
        assert http.request("GET", target + "&ticket=" + ticket).status == 200
    until = disconnect(gateway, who)["until"]
    for http in wires:
        for token in known, unknown, ISSUER.token(who, [channel], at=until):
            check_challenge(http.request("GET", target, bearer(token)), "token_revoked")
        check_challenge(http.request("GET", target + "&ticket=" + ticket), "token_revoked")
        assert http.request("GET", target, bearer(ISSUER.token(who, [channel], at=until + 1))).status == 200
        assert http.request("GET", target, bearer(older(who + "x", [channel]))).status == 200
        http.close()
    gateway.metric("sluice_revocations")


def test_each_way_in_knows_of_it(gateway, channel, transport):
    who = "ann." + channel
    token = older(who, [channel], [channel])
    disconnect(gateway, who)
    for how in ({"headers": bearer(token)}, {"token": token}):
        with pytest.raises(Refused) as refused:
            open_subscriber(transport, gateway, channel, **how)
        check_challenge(refused.value.response, "token_revoked")
    answer = gateway.request("POST", "/publish?channel=" + channel, {**JSON, **bearer(token)}, b"1")
    check_challenge(answer, "token_revoked")
    check_challenge(gateway.request("POST", "/ticket", bearer(token), b""), "token_revoked")


def test_a_renewed_token_has_to_be_newer(gateway, channel):
    """The client comes back with the same token: refused. With a new one nothing is lost."""
    who = "ann." + channel
    with open_subscriber("stream", gateway, channel, headers=bearer(older(who, [channel]))) as sub:
        gateway.publish(channel, 1)
        assert sub.next_data(1) == [1]
        until = disconnect(gateway, who)["until"]
        assert check_end(sub, "token_revoked", REVOKED) == []
        gateway.publish(channel, 2)
    fresh = bearer(ISSUER.token(who, [channel], at=until + 1))
    with open_subscriber("stream", gateway, channel, sub.cursor, headers=fresh) as sub:
        assert sub.next_data(1) == [2]


def test_a_held_poll_of_a_disconnected_subject_is_answered(gateway, channel):
    who = "ann." + channel
    with gateway.connect() as http:
        http.send_request("GET", "/poll?wait=55&channels=%s&since=%s" % (channel, gateway.head()),
                          bearer(older(who, [channel])))
        eventually(lambda: gateway.stats()["transports"]["longpoll"]["connections"] > 0)
        disconnect(gateway, who)
        answer = http.read_response()
        assert answer.status == 200 and answer.json()["messages"] == [], answer
        assert "close" in answer.tokens("Connection"), answer
        http.expect_end()


@pytest.mark.parametrize("body, code", [
    (b"", "bad_request"), (b"{}", "bad_request"), (b"[]", "bad_request"), (b'"ann"', "bad_request"),
    (b'{"subject":5}', "bad_request"), (b'{"subject":""}', "bad_request"), (b'{"subject":null}', "bad_request"),
    (b'{"subject":"ann","x":1}', "bad_request"), (b'{"subject":"ann","subject":"bob"}', "bad_request"),
    (b'{"subject":"ann"', "bad_request"), (b'{"subject":"ann"}x', "bad_request"),
    (b'{"subject":"%s"}' % (b"a" * 257), "bad_request"), (b'{"subject":"a\\nb"}', "bad_request"),
    (b'{"subject":"a\xff"}', None)], ids=repr)
def test_a_disconnect_that_is_wrong_is_refused(gateway, body, code):
    before = gateway.metric("sluice_revocations")
    answer = gateway.request("POST", "/admin/disconnect", JSON, body)
    check_error(answer, 400, code)
    assert gateway.metric("sluice_revocations") == before
    check_error(gateway.get("/admin/disconnect"), 405, "bad_method")


def test_a_subject_may_have_any_characters(gateway, channel):
    for who in ('auth0|5 "quoted" \\ é' + channel, "a" * 256):
        token = older(who, [channel])
        target = "/poll?wait=0&channels=" + channel
        assert gateway.get(target, bearer(token)).status == 200
        assert disconnect(gateway, who)["subject"] == who
        check_challenge(gateway.get(target, bearer(token)), "token_revoked")


def test_the_table_of_revocations_is_bounded(start_gateway, channel):
    gateway = start_gateway(*ISSUER.options, "--max-revocations", "3", bearer=ISSUER.operator)
    target = "/poll?wait=0&channels=" + channel
    for n in range(3):
        disconnect(gateway, "user%d" % n)
    assert gateway.metric("sluice_revocations") == 3
    token = older("user3", [channel])
    with open_subscriber("stream", gateway, channel, headers=bearer(token)) as sub:
        assert disconnect(gateway, "user3", 429)["error"]["code"] == "limit"
        assert gateway.metric("sluice_revocations_refused_total") == 1
        assert gateway.metric("sluice_revocations") == 3
        for n in range(3):
            disconnect(gateway, "user%d" % n)  # who is there needs no room
            check_challenge(gateway.get(target, bearer(older("user%d" % n, [channel]))), "token_revoked")
        assert gateway.get(target, bearer(token)).status == 200, "what was refused has done nothing"
        gateway.publish(channel, 1)
        assert sub.next_data(1) == [1]


def test_a_revocation_outlasts_a_restart(start_gateway, tmp_path, channel):
    kept = tmp_path / "revoked"
    options = *ISSUER.options, "--revocations", kept
    target = "/poll?wait=0&channels=" + channel
    token, other = older("ann", [channel]), older("bob", [channel])
    gateway = start_gateway(*options, bearer=ISSUER.operator)
    disconnect(gateway, "ann")
    eventually(lambda: kept.read_text().startswith('{"subject":"ann",'))
    gateway.kill()
    gateway = start_gateway(*options, bearer=ISSUER.operator)
    check_challenge(gateway.get(target, bearer(token)), "token_revoked")
    assert gateway.get(target, bearer(other)).status == 200
    assert gateway.metric("sluice_revocations") == 1
    disconnect(gateway, "bob")
    gateway.stop()  # what waits is written before the end
    assert [json.loads(line)["subject"] for line in kept.read_text().splitlines()] == ["ann", "bob"]
    kept.write_text("{")
    with pytest.raises(GatewayFailed) as failed:
        start_gateway(*options)
    assert failed.value.status == 2 and "line 1 is not" in failed.value.stderr


def test_what_can_no_longer_live_makes_room(start_gateway, channel):
    """A revocation is kept as long as a token of then could count: --token-max-age and the leeway."""
    gateway = start_gateway(*ISSUER.options, "--token-max-age", "60", "--admin-listen", "127.0.0.1:0")
    with Http(gateway.admin[0]) as http:
        answer = http.request("POST", "/admin/disconnect", JSON, b'{"subject":"ann"}').json()
    assert 60 <= answer["kept"] - answer["until"] <= 60 + 2 * LEEWAY_S + 5, answer


# SIGHUP.

class Files:
    """What a gateway reads again."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.secret = str(folder / "key"), str(folder / "secret")
        self.options = ["--token-key", self.key, "--secret", self.secret, "--admin-listen", "127.0.0.1:0"]

    def put(self, path, content):
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.chmod(path + ".new", 0o600)
        os.rename(path + ".new", path)


@pytest.fixture
def files(tmp_path):
    made = Files(tmp_path)
    made.put(made.key, ISSUER.key.secret)
    return made


class Watched:
    """A gateway whose figures are read by its admin listener."""

    def __init__(self, gateway):
        self.gateway = gateway

    def reload(self):
        """Returns what the log says of it."""
        before = len(self.gateway.stderr())
        self.gateway.signal(signal.SIGHUP)
        eventually(lambda: b"reload.done" in self.gateway.stderr()[before:])
        return self.gateway.stderr()[before:].decode()

    def ask(self, method, target, body=None):
        with Http(self.gateway.admin[0]) as http:
            return http.request(method, target, JSON if body else {}, body)

    def metric(self, name):
        text = self.ask("GET", "/metrics").body.decode()
        return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])

    def poll(self, token, channel="c"):
        return self.gateway.get("/poll?wait=0&channels=" + channel, bearer(token))


@pytest.fixture
def watched(start_gateway, files):
    return Watched(start_gateway(*files.options))


def test_a_key_that_is_gone_counts_no_longer(watched, files, channel):
    """Also where a shard has verified its tokens before."""
    old, new = ISSUER.token("ann", ["*"]), None
    other = KeyPair(P256, kid="next")
    new = mint(other, claims("ann", ["*"]))
    stream = open_subscriber("stream", watched.gateway, channel, headers=bearer(old))
    for _ in range(4):
        assert watched.poll(old).status == 200
    check_challenge(watched.poll(new), "unauthorized")

    files.put(files.key, open(jwks(ISSUER.key, other), "rb").read())
    watched.reload()
    assert watched.metric("sluice_token_keys") == 2 and watched.metric("sluice_token_reload_failed") == 0
    assert watched.poll(old).status == watched.poll(new).status == 200

    files.put(files.key, open(jwks(other), "rb").read())
    watched.reload()
    for _ in range(4):
        check_challenge(watched.poll(old), "unauthorized")
    assert watched.poll(new).status == 200 and watched.metric("sluice_token_keys") == 1
    answer = watched.gateway.request("POST", "/publish?channel=" + channel, {
        **JSON, **bearer(mint(other, claims("bob", [], ["*"])))}, b'"still here"')
    assert answer.status == 200, answer
    assert stream.next_data(1) == ["still here"], "a stream goes on until its token expires"
    stream.close()


@pytest.mark.parametrize("content", [
    b"x" * 31, b"{", b'{"keys":[]}', b"-----BEGIN PUBLIC KEY-----\n", None], ids=repr)
def test_a_bad_file_leaves_the_old_keys_in_force(watched, files, content):
    token = ISSUER.token("ann", ["*"])
    if content is None:
        os.unlink(files.key)
    else:
        files.put(files.key, content)
    said = watched.reload()
    assert "tokens.refused" in said and files.key in said, said
    assert watched.metric("sluice_token_reload_failed") == 1
    assert watched.poll(token).status == 200
    check_challenge(watched.poll("x.y.z"), "unauthorized")
    check_challenge(watched.gateway.get("/poll?wait=0&channels=c"), None)
    files.put(files.key, ISSUER.key.secret)
    assert "tokens.refused" not in watched.reload()
    assert watched.metric("sluice_token_reload_failed") == 0


def test_revocations_live_through_a_reload(watched, files):
    for content in ISSUER.key.secret, open(jwks(ISSUER.key), "rb").read():
        who = "ann%d" % len(content)
        token, other = older(who, ["*"]), older("bob", ["*"])
        assert watched.poll(token).status == 200
        until = watched.ask("POST", "/admin/disconnect", json.dumps({"subject": who}).encode()).json()["until"]
        files.put(files.key, content)
        watched.reload()
        check_challenge(watched.poll(token), "token_revoked")
        assert watched.poll(other).status == 200
        assert watched.poll(ISSUER.token(who, ["*"], at=until + 1)).status == 200


def test_a_token_that_expires_ends_its_stream_after_a_reload_too(watched, files, channel):
    """Its key is gone by then."""
    sub = open_ending("stream", watched.gateway, channel, seconds=3)
    files.put(files.key, Secret().secret)
    watched.reload()
    assert check_end(sub, "token_expired", EXPIRED) == []
    sub.close()


def test_options_of_tokens_change_at_a_reload(start_gateway, tmp_path):
    path = tmp_path / "sluice.json"
    plain = {"listen": "127.0.0.1:0", "admin-listen": "127.0.0.1:0", "token-key": ISSUER.path}

    def write(**more):
        path.write_text(json.dumps({**plain, **more}))

    write()
    gateway = start_gateway("--config", path, web=None)
    if not gateway.admin:  # the file's listener is told behind the other
        gateway._read_listeners(2)
    token = ISSUER.token("ann", ["*"], ttl=5000)
    target = "/poll?wait=0&channels=c"

    def reload(**more):
        write(**more)
        return Watched(gateway).reload()

    assert gateway.get(target, bearer(token)).status == 200
    reload(**{"token-max-age": 1000})
    check_challenge(gateway.get(target, bearer(token)), "unauthorized")
    reload(**{"token-issuer": "me"})
    check_challenge(gateway.get(target, bearer(token)), "unauthorized")
    reload(**{"anonymous-subscribe": ["c"]})
    assert gateway.get(target).status == gateway.get(target, bearer(token)).status == 200
    reload(**{"token-cookie": "t"})
    check_challenge(gateway.get(target), None)
    assert gateway.get(target, {"Cookie": "t=" + token}).status == 200


# The secret.

def test_a_ticket_counts_on_each_gateway_of_one_secret(start_gateway, tmp_path, channel):
    """The first makes the file, for its owner alone."""
    secret = tmp_path / "secret"
    one = start_gateway(*ISSUER.options, "--secret", secret, bearer=ISSUER.operator)
    assert secret.stat().st_mode & 0o777 == 0o600 and secret.stat().st_size >= 32
    two = start_gateway(*ISSUER.options, "--secret", secret, bearer=ISSUER.operator)
    three = start_gateway(*ISSUER.options, bearer=ISSUER.operator)
    ticket = one.request("POST", "/ticket", bearer(ISSUER.token("ann", [channel])), b"").json()["ticket"]
    target = "/poll?wait=0&channels=%s&ticket=%s" % (channel, ticket)
    assert one.get(target, {"Authorization": None}).status == 200
    assert two.get(target, {"Authorization": None}).status == 200
    check_challenge(three.get(target, {"Authorization": None}), "unauthorized")


def test_a_new_secret_at_a_reload_ends_the_old_tickets(watched, files, channel):
    token = ISSUER.token("ann", [channel])
    made = []

    def ticket():
        made.append(watched.gateway.request("POST", "/ticket", bearer(token), b"").json()["ticket"])
        return watched.gateway.get("/poll?wait=0&channels=%s&ticket=%s" % (channel, made[-1])).status

    assert ticket() == 200
    files.put(files.secret, b"another secret of more than 32 bytes")
    watched.reload()
    check_challenge(watched.gateway.get("/poll?wait=0&channels=%s&ticket=%s" % (channel, made[0])),
                    "unauthorized")
    assert ticket() == 200
    files.put(files.secret, b"short")
    said = watched.reload()
    assert files.secret in said and "short" not in said.replace("too short", ""), said
    assert ticket() == 200
    assert watched.gateway.get("/poll?wait=0&channels=%s&ticket=%s" % (channel, made[1])).status == 200


def test_a_token_of_the_secrets_own_kind_does_not_count(start_gateway, channel):
    """Whose --secret is the same file as the --token-key: derived keys are of one use each."""
    path = write_key("both", ISSUER.key.secret)
    gateway = start_gateway("--token-key", path, "--secret", path)
    forged = mint(ISSUER.key, claims("ann", [channel], ttl=30), typ="sluice-ticket+jwt")
    answer = gateway.get("/poll?wait=0&channels=%s&ticket=%s" % (channel, forged))
    check_challenge(answer, "unauthorized")
    token = ISSUER.token("ann", [channel])
    ticket = gateway.request("POST", "/ticket", bearer(token), b"").json()["ticket"]
    check_challenge(gateway.get("/poll?wait=0&channels=" + channel, bearer(ticket)), "unauthorized")
    assert gateway.get("/poll?wait=0&channels=%s&ticket=%s" % (channel, ticket)).status == 200
