"""What a principal may: for each channel, in each verb, on each transport; anonymous patterns, leased
channels, the operator's requests and where they are answered."""

import json
import time

import pytest

from checks import check_challenge, check_error, check_forbidden, published
from sluicetest import (
    TRANSPORTS, CloseFrame, GatewayFailed, Http, SharedGateway, WebSocket, eventually, open_subscriber,
    request_bytes)
from sluicetest.subscriber import Refused
from sluicetest.tokens import Issuer, bearer
from sluicetest.websocket import frame_bytes

ISSUER = Issuer()
TEXT = {"Content-Type": "text/plain"}
NDJSON = {"Content-Type": "application/x-ndjson"}
NEVER_MS = 2 ** 31 - 1  # what keeps an EventSource away: browsers hold it in 32 bits


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway(*ISSUER.options, "--shards", "2", bearer=ISSUER.operator) as shared:
        yield shared


@pytest.fixture(scope="module")
def shared_open():
    """Some channels need no token."""
    with SharedGateway(*ISSUER.options, "--anonymous-subscribe", "open.*", "--anonymous-subscribe", "exact",
                       "--anonymous-publish", "open.in", bearer=ISSUER.operator) as shared:
        yield shared


@pytest.fixture
def open_gateway(shared_open):
    with shared_open.use() as gateway:
        yield gateway


def nobody(headers=()):
    """Headers of a request that brings no token."""
    return {"Authorization": None, **dict(headers)}


def told(ws, **obj):
    """What a WebSocket is answered; what else comes passes by."""
    ws.send_object({"ref": 7, **obj})
    while True:
        answer = ws.next_object()
        if answer.get("ref") == 7:
            return answer


# Patterns.

MATCHES = [
    ("exact", "%s", {"%s": True, "%s.a": False, "%sa": False, "x%s": False}),
    ("prefix", "%s.*", {"%s.a": True, "%s.a.b": True, "%s": False, "%sa": False, "%s:a": False, "x.%s.a": False}),
    ("case", "%s.A", {"%s.A": True, "%s.a": False}),
    ("all", "*", {"%s": True, "x.%s.y": True}),
    ("none", None, {"%s": False}),
]


@pytest.mark.parametrize("how, pattern, names", MATCHES, ids=[row[0] for row in MATCHES])
def test_a_pattern_stands_for_its_channels_alone(gateway, channel, how, pattern, names):
    patterns = [pattern.replace("%s", channel)] if pattern else []
    subscriber, publisher = ISSUER.token("ann", patterns), ISSUER.token("bob", [], patterns)
    for name, right in names.items():
        name = name.replace("%s", channel)
        read = gateway.get("/poll?wait=0&channels=" + name, bearer(subscriber))
        written = gateway.request("POST", "/publish?channel=" + name, {**TEXT, **bearer(publisher)}, b"x")
        for answer in read, written:
            if right:
                assert answer.status == 200, (name, answer)
            else:
                check_forbidden(answer, name)
        check_forbidden(gateway.get("/poll?wait=0&channels=" + name, bearer(publisher)), name)
        check_forbidden(gateway.request("POST", "/publish?channel=" + name, {
            **TEXT, **bearer(subscriber)}, b"x"), name)
        assert len(published(gateway, name)) == (1 if right else 0)


# Opening.

@pytest.mark.parametrize("fmt", ["json", "raw"])
def test_opening_needs_leave_for_the_channel(gateway, channel, transport, fmt):
    token = ISSUER.token("ann", [channel], ["*"])
    refused = open_refused(gateway, transport, "not." + channel, bearer(token), format=fmt)
    assert refused == ("forbidden", True), refused


def open_refused(gateway, transport, channels, headers=(), **params):
    """Returns the code, and whether the message names a channel of these."""
    asked = channels if isinstance(channels, list) else [channels]
    try:
        with open_subscriber(transport, gateway, channels, headers=headers, **params) as sub:
            if sub.is_poll:
                sub.next_object()  # with `since` it has not asked yet
    except Refused as refused:
        error = refused.response.json()["error"]
        if error["code"] == "forbidden":
            assert refused.response.status == 403
        return error["code"], any(name in error["message"] for name in asked)
    raise AssertionError("it was let in")


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_one_channel_of_several_that_is_not_allowed_refuses_all(gateway, channel, transport, wrong):
    names = ["%s.%d" % (channel, n) for n in range(3)]
    token = ISSUER.token("ann", [name for n, name in enumerate(names) if n != wrong], ["*"])
    try:
        open_subscriber(transport, gateway, names, headers=bearer(token)).close()
        raise AssertionError("it was let in")
    except Refused as refused:
        message = check_forbidden(refused.response, names[wrong])["message"]
        assert not any(name in message for n, name in enumerate(names) if n != wrong), message


def test_what_is_allowed_is_delivered(gateway, channel, transport):
    token = ISSUER.token("ann", [channel + ".*"])
    names = [channel + ".a", channel + ".b"]
    since = gateway.head()
    with open_subscriber(transport, gateway, names, since, headers=bearer(token)) as sub:
        for n, name in enumerate((names[0], channel, names[1], "other." + channel, names[0])):
            gateway.publish(name, n)
        assert sub.next_data(3) == [0, 2, 4]


def test_history_needs_the_same_leave(gateway, channel, transport):
    gateway.publish(channel, "old")
    for since in "0", gateway.head(), "00000001-1":
        code = open_refused(gateway, transport, channel, bearer(ISSUER.token("ann", ["x"])), since=since)
        assert code == ("forbidden", True)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_each_method_of_a_poll_needs_the_same_leave(gateway, channel, method):
    target = "/poll?wait=0&channels=" + channel
    for headers, status in ((bearer(ISSUER.token("ann", [channel])), 200),
                            (bearer(ISSUER.token("ann", ["x"])), 403), (nobody(), 401)):
        with gateway.connect() as http:
            assert http.request(method, target, headers).status == status


# On a WebSocket.

def test_a_websocket_may_subscribe_to_what_its_token_names(gateway, channel):
    token = ISSUER.token("ann", [channel + ".*"])
    one, two, other = channel + ".one", channel + ".two", "other." + channel
    with open_subscriber("websocket", gateway, one, headers=bearer(token)) as sub:
        assert set(told(sub.wire, type="subscribe", channels=[two])["channels"]) == {one, two}
        for asked in [other], [channel + ".three", other], [other, two], [one, two, other]:
            answer = told(sub.wire, type="subscribe", channels=asked)
            assert (answer["type"], answer["code"]) == ("error", "forbidden"), answer
            assert other in answer["message"], answer
        for n, name in enumerate((other, channel + ".three", one, two)):
            gateway.publish(name, n)
        assert sub.next_data(2) == [2, 3], "of a refused list nothing is joined"
        assert set(told(sub.wire, type="unsubscribe", channels=[other])["channels"]) == {one, two}
        assert told(sub.wire, type="unsubscribe", channels=[one])["channels"] == [two]


@pytest.mark.parametrize("key", [None, "a-key-of-its-own"])
def test_a_websocket_may_publish_to_what_its_token_names(gateway, channel, key):
    out = channel + ".out"
    token = ISSUER.token("ann", [channel], [out])
    with open_subscriber("websocket", gateway, channel, headers=bearer(token)) as sub:
        for n, name in enumerate((out, channel, "x." + out, out)):
            answer = told(sub.wire, type="publish", channel=name, data=n, key=key and key + str(n))
            if name == out:
                assert answer["type"] == "ack", answer
            else:
                assert (answer["type"], answer["code"]) == ("error", "forbidden"), answer
                assert name in answer["message"], answer
        assert told(sub.wire, type="subscribe", channels=[out])["code"] == "forbidden"
    assert published(gateway, out) == [0, 3]
    assert published(gateway, channel) == published(gateway, "x." + out) == []


def test_a_raw_websocket_publishes_only_with_leave(gateway, channel):
    reader = ISSUER.token("ann", [channel])
    with WebSocket(gateway.address) as ws:
        assert ws.handshake("/ws?format=raw&channels=" + channel, bearer(reader)).status == 101
        ws.send_text("not to be seen")
        ws.send_frame(2, b"nor this")
        try:
            while True:
                frame = ws.next_data()
                raise AssertionError("it came back: %r" % frame)
        except CloseFrame as close:
            assert close.code in (1008, 1013), close
    writer = ISSUER.token("ann", [channel], [channel])
    with WebSocket(gateway.address) as ws:
        assert ws.handshake("/ws?format=raw&channels=" + channel, bearer(writer)).status == 101
        ws.send_text("to be seen")
        assert ws.next_data().payload == b"to be seen"
    assert published(gateway, channel) == ["to be seen"]


def test_frames_behind_a_handshake_have_its_rights(gateway, channel):
    """They are in the buffer before anybody was asked."""
    for token, count in ((ISSUER.token("ann", [channel]), 0), (ISSUER.token("ann", ["x"], ["*"]), 0),
                         (None, 0), (ISSUER.token("ann", [channel], [channel]), 1)):
        with WebSocket(gateway.address) as ws:
            head = request_bytes("GET", "/ws?channels=" + channel, {
                **ws.upgrade_headers(), **(bearer(token) if token else {})}, host=ws.host)
            frame = frame_bytes(1, json.dumps({"type": "publish", "channel": channel, "data": 1, "ref": 1}))
            ws.send(head + frame)
            response = ws.read_head()
            if response.status == 101:
                while ws.next_object().get("type") not in ("ack", "error"):
                    pass
            else:
                ws.read_body()
        assert len(published(gateway, channel)) == count


# Publishing over HTTP.

def test_a_publish_that_is_refused_reads_its_body_and_keeps_the_connection(gateway, channel):
    token = ISSUER.token("ann", [], [channel])
    with gateway.connect() as http:
        for size in 0, 1, 5000, 60000:
            fields = {**TEXT, **bearer(token)}
            check_forbidden(http.request("POST", "/publish?channel=x." + channel, fields, b"x" * size), channel)
            check_challenge(http.request("POST", "/publish?channel=" + channel, TEXT, b"x" * size))
            assert http.request("POST", "/publish?channel=" + channel, fields, b"x" * size).status == 200
    assert len(published(gateway, channel)) == 4 and published(gateway, "x." + channel) == []


def test_a_refused_publisher_is_told_before_the_body(gateway, channel):
    with gateway.connect() as http:
        http.send_request("POST", "/publish?channel=" + channel, {
            **TEXT, **bearer(ISSUER.token("ann", ["*"])), "Content-Length": "50000",
            "Expect": "100-continue"})
        answer = http.read_response()
        check_forbidden(answer, channel)


def test_each_line_of_a_batch_needs_leave(gateway, channel):
    out, other = channel + ".out", channel + ".other"
    token = ISSUER.token("ann", [channel], [out])
    lines = [{"channel": out, "data": 0}, {"channel": other, "data": 1}, {"data": 2},
             {"channel": out, "data": 3, "key": "a-key-of-3"}, {"channel": other, "data": 4, "key": "a-key-of-4"},
             {"channel": channel, "data": 5}]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    answer = gateway.request("POST", "/publish?channel=" + out, {**NDJSON, **bearer(token)}, body)
    assert answer.status == 200, answer
    results = [json.loads(line) for line in answer.body.splitlines()]
    for line, result in zip(lines, results):
        name = line.get("channel", out)
        if name == out:
            assert list(result) == ["id"], result
        else:
            assert result["error"]["code"] == "forbidden" and name in result["error"]["message"], result
    assert len(results) == len(lines)
    assert published(gateway, out) == [0, 2, 3]
    assert published(gateway, other) == published(gateway, channel) == []


def test_the_channel_of_a_batchs_query_needs_leave(gateway, channel):
    token = ISSUER.token("ann", [], [channel])
    answer = gateway.request("POST", "/publish?channel=x." + channel, {**NDJSON, **bearer(token)},
                             b'{"data":1}\n')
    if answer.status == 200:
        assert json.loads(answer.body)["error"]["code"] == "forbidden", answer
    else:
        check_forbidden(answer, "x." + channel)
    assert published(gateway, "x." + channel) == []
    check_challenge(gateway.request("POST", "/publish", nobody(NDJSON), b'{"channel":"%s","data":1}\n' % (
        channel.encode())))


def test_a_stored_answer_is_only_for_whom_may_publish(gateway, channel):
    """An idempotency key known to somebody without leave brings no id."""
    key = {"Idempotency-Key": "key-of-somebody"}
    token = ISSUER.token("ann", [], [channel])
    target = "/publish?channel=" + channel
    first = gateway.request("POST", target, {**TEXT, **key, **bearer(token)}, b"x").json()["id"]
    answer = gateway.request("POST", target, {**TEXT, **key, **bearer(ISSUER.token("ann"))}, b"x")
    check_forbidden(answer, channel)
    assert first not in answer.body.decode()


# Idempotency keys are of a subject.

def ways_to_publish(gateway, token, channel, key):
    """Each publishes with the key and returns the id."""
    def by_post():
        return gateway.request("POST", "/publish?channel=" + channel, {
            **TEXT, **bearer(token), "Idempotency-Key": key}, b"x").json()["id"]

    def by_batch():
        line = json.dumps({"channel": channel, "data": "x", "key": key}).encode() + b"\n"
        return json.loads(gateway.request("POST", "/publish", {**NDJSON, **bearer(token)}, line).body)["id"]

    def by_websocket():
        with open_subscriber("websocket", gateway, "idle", headers=bearer(token)) as sub:
            return told(sub.wire, type="publish", channel=channel, data="x", key=key)["id"]

    return by_post, by_batch, by_websocket


def test_an_idempotency_key_is_of_one_subject_and_channel(gateway, channel):
    names = [channel, channel + ".two"]
    key = "the-same-for-all"
    ids = {}
    for _ in range(2):
        for sub in "ann", "bob", "ann/" + channel:
            for name in names:
                for publish in ways_to_publish(gateway, ISSUER.token(sub, ["idle"], names), name, key):
                    ids.setdefault((sub, name), set()).add(publish())
    assert all(len(made) == 1 for made in ids.values()), ids
    assert len(set.union(*ids.values())) == 6, ids
    assert len(published(gateway, names[0])) == len(published(gateway, names[1])) == 3


def test_an_idempotency_key_outlives_the_token(gateway, channel):
    """A client that renewed its token repeats what it has no answer to."""
    ids = {publish() for ttl in (600, 601) for publish in ways_to_publish(
        gateway, ISSUER.token("ann", ["idle"], [channel], ttl=ttl), channel, "renewed-since")}
    assert len(ids) == 1


def test_those_without_a_token_share_their_idempotency_keys(open_gateway):
    key = {"Idempotency-Key": "anonymous-key"}
    ids = {open_gateway.request("POST", "/publish?channel=open.in", {**TEXT, **key, **headers}, b"x").json()["id"]
           for headers in (nobody(), nobody(), bearer(ISSUER.token("ann", [], ["*"])))}
    assert len(ids) == 2


# Tickets.

def test_a_ticket_can_be_asked_for_channels(gateway, channel):
    token = ISSUER.token("ann", [channel + ".*"])
    at = time.time()
    answer = gateway.request("POST", "/ticket?channels=%s.a,%s.b" % (channel, channel), bearer(token), b"")
    assert answer.status == 200, answer
    made = answer.json()
    assert sorted(made) == ["expires", "ticket", "ttl"] and made["ttl"] == 30, made
    assert at + 28 < made["expires"] < time.time() + 32, made
    check_forbidden(gateway.request("POST", "/ticket?channels=%s.a,x.%s" % (channel, channel), bearer(token), b""),
                    "x." + channel)
    check_error(gateway.request("POST", "/ticket?channels=a*b", bearer(token), b""), 400, "bad_channel")
    check_challenge(gateway.request("POST", "/ticket", nobody(), b""))
    answer = gateway.get("/ticket", bearer(token))
    check_error(answer, 405, "bad_method")


def test_a_ticket_allows_what_its_token_allows(gateway, channel, transport):
    token = ISSUER.token("ann", [channel + ".*"], [channel + ".a"])
    ticket = gateway.request("POST", "/ticket?channels=%s.a" % channel, bearer(token), b"").json()["ticket"]
    with open_subscriber(transport, gateway, channel + ".a", ticket=ticket) as sub:
        if transport == "websocket":
            assert told(sub.wire, type="publish", channel=channel + ".a", data=1)["type"] == "ack"
            assert told(sub.wire, type="publish", channel=channel + ".b", data=1)["code"] == "forbidden"
            assert told(sub.wire, type="subscribe", channels=["x"])["code"] == "forbidden"
    assert open_refused(gateway, transport, "x." + channel, ticket=ticket) == ("forbidden", True)


def test_a_ticket_does_not_outlive_its_token(gateway, channel):
    token = ISSUER.ending_in(12, "ann", [channel])
    made = gateway.request("POST", "/ticket", bearer(token), b"").json()
    assert made["expires"] <= time.time() + 13 and made["ttl"] <= 12, made


def test_a_ticket_of_a_long_token_has_room_or_is_refused(gateway, channel):
    patterns = ["%s.%d.%s" % (channel, n, "x" * 5) for n in range(75)]
    token = ISSUER.token("ann", patterns)
    assert 5000 < len(token) < 8192, len(token)
    answer = gateway.request("POST", "/ticket", bearer(token), b"")
    if answer.status == 200:
        ticket = answer.json()["ticket"]
        assert len(ticket) <= 8192
        assert gateway.get("/poll?wait=0&channels=%s&ticket=%s" % (patterns[-1], ticket), nobody()).status == 200
    else:
        assert answer.status in (400, 413), answer


def test_without_token_keys_there_are_no_tickets(start_gateway):
    gateway = start_gateway()
    for target, body in (("/ticket", b""), ("/admin/disconnect", b'{"subject":"ann"}')):
        answer = gateway.request("POST", target, {"Content-Type": "application/json"}, body)
        check_error(answer, 404, "no_tokens")


def test_without_token_keys_tokens_are_not_looked_at(start_gateway, channel, transport):
    gateway = start_gateway()
    with open_subscriber(transport, gateway, channel, headers=bearer("x.y.z"), token="nothing") as sub:
        gateway.publish(channel, 1)
        assert sub.next_data(1) == [1]


# /sse tells an EventSource so that it stays away.

@pytest.mark.parametrize("fmt", ["json", "raw"])
@pytest.mark.parametrize("accept", ["text/event-stream", "text/html, text/event-stream;q=0.5", "TEXT/Event-Stream"])
def test_an_eventsource_is_told_by_a_bye(gateway, channel, accept, fmt):
    for headers, reason in (({}, "unauthorized"), (bearer("x.y.z"), "unauthorized"),
                            (bearer(ISSUER.ending_in(-5, "ann", ["*"])), "token_expired"),
                            (bearer(ISSUER.token("ann")), "forbidden")):
        with gateway.connect() as http:
            response = http.request("GET", "/sse?format=%s&channels=%s" % (fmt, channel), {
                "Accept": accept, **headers})
            assert response.status == 200, response
            assert response.header("Content-Type").startswith("text/event-stream"), response
            assert response.body.endswith(b"\n\n") and response.body.count(b"\n\n") == 1, response
            event = dict(line.split(": ", 1) for line in response.body.decode().strip().split("\n"))
            bye = json.loads(event["data"])
            assert sorted(event) == ["data", "event", "retry"] and event["event"] == "bye", event
            assert (bye["type"], bye["reason"], bye["sent"]) == ("bye", reason, 0), bye
            assert int(event["retry"]) == bye["retry"], event
            if reason == "token_expired":  # whoever renews a cookie is let in again
                assert 30000 <= bye["retry"] <= 60000, bye
            else:
                assert bye["retry"] == NEVER_MS, bye
            assert bye["message"] and (channel in bye["message"] or reason != "forbidden"), bye
            assert "no-store" in response.tokens("Cache-Control"), response


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/*"])
def test_others_on_sse_are_told_by_the_status(gateway, channel, accept):
    target = "/sse?channels=" + channel
    check_challenge(gateway.get(target, nobody({"Accept": accept})))
    check_challenge(gateway.get(target, {"Accept": accept, **bearer("x.y.z")}), "unauthorized")
    check_forbidden(gateway.get(target, {"Accept": accept, **bearer(ISSUER.token("ann"))}), channel)


# Those without a token.

def test_anonymous_patterns_open_their_channels_alone(open_gateway, transport):
    for channels in "open.a", "exact", ["open.a", "open.b.c", "exact"]:
        open_subscriber(transport, open_gateway, channels, headers=nobody()).close()
    for channels in "open", "exact.a", "other", ["open.a", "other"]:
        with pytest.raises(Refused) as refused:
            open_subscriber(transport, open_gateway, channels, headers=nobody())
        check_challenge(refused.value.response, None)


def test_anonymous_patterns_are_of_their_act_alone(open_gateway):
    gateway = open_gateway
    for name, status in (("open.in", 200), ("open.out", 401), ("exact", 401), ("open.in.x", 401)):
        answer = gateway.request("POST", "/publish?channel=" + name, nobody(TEXT), b"x")
        assert answer.status == status, answer
        line = json.dumps({"channel": name, "data": 1}).encode() + b"\n"
        answer = gateway.request("POST", "/publish", nobody(NDJSON), line)
        if answer.status == 200:
            assert (json.loads(answer.body).get("error", {}).get("code") is None) == (status == 200), answer
        else:
            assert answer.status == status, answer
    with open_subscriber("websocket", gateway, "open.a", headers=nobody()) as sub:
        assert told(sub.wire, type="publish", channel="open.in", data=1)["type"] == "ack"
        for refused in (told(sub.wire, type="publish", channel="exact", data=1),
                        told(sub.wire, type="subscribe", channels=["other"])):
            assert refused["type"] == "error" and refused["code"] in ("unauthorized", "forbidden"), refused
        assert told(sub.wire, type="subscribe", channels=["exact"])["type"] == "subscribed"
    assert published(gateway, "exact") == published(gateway, "open.out") == []


def test_a_bad_token_is_never_anonymous(open_gateway, transport):
    for token, code in (("x.y.z", "unauthorized"), ("", "unauthorized"),
                        (ISSUER.ending_in(-5, "ann", ["*"]), "token_expired")):
        with pytest.raises(Refused) as refused:
            open_subscriber(transport, open_gateway, "open.a", headers=bearer(token))
        check_challenge(refused.value.response, code)
        with pytest.raises(Refused) as refused:
            open_subscriber(transport, open_gateway, "open.a", token=token)
        check_challenge(refused.value.response, code)


def test_a_token_has_its_own_patterns_alone(open_gateway, transport):
    """Not also those of the anonymous: a token may be narrower on purpose."""
    token = ISSUER.token("ann", ["mine"])
    open_subscriber(transport, open_gateway, "mine", headers=bearer(token)).close()
    with pytest.raises(Refused) as refused:
        open_subscriber(transport, open_gateway, "open.a", headers=bearer(token))
    check_forbidden(refused.value.response, "open.a")


def test_the_anonymous_get_no_ticket_and_no_figures(open_gateway):
    for method, target, body in (("POST", "/ticket", b""), ("GET", "/stats", None), ("GET", "/metrics", None),
                                 ("POST", "/admin/disconnect", b'{"subject":"x"}')):
        headers = nobody({"Content-Type": "application/json"}) if body else nobody()
        check_challenge(open_gateway.request(method, target, headers, body), None)


# What needs no token.

@pytest.mark.parametrize("method, target, body", [
    ("GET", "/healthz", None), ("GET", "/readyz", None), ("GET", "/transports", None), ("GET", "/", None),
    ("GET", "/client/sluice.js", None), ("GET", "/check", None), ("POST", "/probe/echo", b"x"),
    ("GET", "/probe/head", None), ("GET", "/probe/seen?nonce=12345678", None), ("OPTIONS", "/poll", None),
    ("OPTIONS", "*", None), ("POST", "/check/channel", b"")])
def test_some_requests_need_no_token(gateway, method, target, body):
    answer = gateway.request(method, target, nobody(), body)
    assert answer.status in (200, 201, 204), answer
    answer = gateway.request(method, target, bearer("x.y.z"), body)
    assert answer.status in (200, 201, 204, 401, 429), answer


def test_a_leased_channel_is_everybodys(start_gateway, transport):
    gateway = start_gateway(*ISSUER.options, bearer=ISSUER.operator)
    channel = gateway.request("POST", "/check/channel", nobody(), b"").json()["channel"]
    assert channel.startswith("~")
    for headers in nobody(), bearer(ISSUER.token("ann")):
        with open_subscriber(transport, gateway, channel, gateway.head(), headers=headers) as sub:
            answer = gateway.request("POST", "/publish?channel=" + channel, {**TEXT, **headers}, b"x")
            assert answer.status == 200, answer
            assert sub.next_data(1) == ["x"]
            if transport == "websocket":
                assert told(sub.wire, type="publish", channel=channel, data=1)["type"] == "ack"
                refused = told(sub.wire, type="subscribe", channels=["other"])
                assert refused["code"] in ("unauthorized", "forbidden"), refused
    line = json.dumps({"channel": channel, "data": 1}).encode() + b"\n"
    answer = gateway.request("POST", "/publish?channel=" + channel, nobody(NDJSON), line)
    assert list(json.loads(answer.body)) == ["id"], answer


def test_no_pattern_lends_a_channel(gateway, transport):
    """`*` is every name that can be had without a lease."""
    unknown = "~" + "A" * 22
    with pytest.raises(Refused) as refused:
        open_subscriber(transport, gateway, unknown, headers=bearer(ISSUER.operator))
    check_error(refused.value.response, 404, "no_check_channel")


# The operator's requests.

ADMIN = [("GET", "/stats", None), ("GET", "/metrics", None), ("POST", "/admin/disconnect", b'{"subject":"zoe"}')]
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("method, target, body", ADMIN)
def test_figures_and_admin_need_an_admin(gateway, method, target, body):
    admin = ISSUER.token("root", [], [], admin=True)
    for headers, status in ((bearer(admin), 200), (nobody(), 401), (bearer("x.y.z"), 401),
                            (bearer(ISSUER.token("ann", ["*"], ["*"])), 403)):
        answer = gateway.request(method, target, {**JSON, **headers} if body else headers, body)
        assert answer.status == status, answer
        if status == 403:
            assert '"admin"' in check_error(answer, 403, "forbidden")["message"]
        if status == 401:
            check_challenge(answer, "unauthorized" if headers["Authorization"] else None)
    ticket = gateway.request("POST", "/ticket", bearer(admin), b"").json()["ticket"]
    assert gateway.request(method, target + "?ticket=" + ticket, {**JSON, **nobody()} if body else nobody(),
                           body).status == 401


def test_an_admin_has_no_channels_by_that(gateway, channel):
    admin = bearer(ISSUER.token("root", [], [], admin=True))
    check_forbidden(gateway.get("/poll?wait=0&channels=" + channel, admin), channel)
    check_forbidden(gateway.request("POST", "/publish?channel=" + channel, {**TEXT, **admin}, b"x"), channel)


@pytest.fixture(scope="module")
def shared_admin():
    with SharedGateway(*ISSUER.options, "--admin-listen", "127.0.0.1:0", "--public-origin",
                       "https://push.example", bearer=ISSUER.operator) as shared:
        yield shared


@pytest.fixture
def admin_gateway(shared_admin):
    with shared_admin.use() as gateway:
        yield gateway


def test_an_admin_listener_asks_for_no_token(admin_gateway):
    assert len(admin_gateway.admin) == 1 and admin_gateway.admin[0] != admin_gateway.address
    with Http(admin_gateway.admin[0]) as http:
        for method, target, body in ADMIN * 2 + [("GET", "/healthz", None), ("GET", "/readyz", None)]:
            answer = http.request(method, target, JSON if body else {}, body)
            assert answer.status == 200, answer
    with Http(admin_gateway.address) as http:
        for method, target, body in ADMIN:
            check_challenge(http.request(method, target, JSON if body else {}, body))


@pytest.mark.parametrize("method, target, body", [
    ("GET", "/poll?wait=0&channels=c", None), ("GET", "/sse?channels=c", None), ("GET", "/stream?channels=c", None),
    ("POST", "/publish?channel=c", b"x"), ("POST", "/ticket", b""), ("GET", "/", None), ("GET", "/transports", None),
    ("GET", "/client/sluice.js", None), ("GET", "/check", None), ("POST", "/check/channel", b""),
    ("POST", "/probe/echo", b"x"), ("GET", "/probe/head", None), ("GET", "/demo/api/origins", None)])
def test_an_admin_listener_serves_nothing_else(admin_gateway, method, target, body):
    for headers in {}, bearer(ISSUER.operator):
        with Http(admin_gateway.admin[0]) as http:
            check_error(http.request(method, target, {**TEXT, **headers}, body), 404, "not_found")


def test_an_admin_listener_upgrades_nobody(admin_gateway):
    with WebSocket(admin_gateway.admin[0]) as ws:
        check_error(ws.handshake("/ws?channels=c", bearer(ISSUER.operator)), 404, "not_found")


@pytest.mark.parametrize("host, served", [
    ("localhost", True), ("127.0.0.1:9", True), ("[::1]", True), ("10.1.2.3", True), ("[fd00::1]:80", True),
    ("push.example", True), ("evil.example", False), ("127.0.0.1.evil.example", False), ("localhost.evil.example", False),
    ("10.1.2.3.nip.io", False), ("push.example.evil.example", False)])
def test_the_host_of_an_admin_listener_is_no_strangers_name(admin_gateway, host, served):
    """A page of a name that is pointed at 127.0.0.1 is of that name's origin: it could read all."""
    for method, target, body in ADMIN:
        with Http(admin_gateway.admin[0], host=host) as http:
            answer = http.request(method, target, JSON if body else {}, body)
            if served:
                assert answer.status == 200, answer
            else:
                check_error(answer, 403, "bad_host")


def test_a_foreign_page_cannot_use_an_admin_listener(admin_gateway):
    for origin in "http://evil.example", "null":
        for method, target, body in ADMIN:
            with Http(admin_gateway.admin[0]) as http:
                answer = http.request(method, target, {**(JSON if body else {}), "Origin": origin}, body)
                check_error(answer, 403, "bad_origin")


def test_without_token_keys_an_admin_listener_still_serves(start_gateway):
    gateway = start_gateway("--admin-listen", "127.0.0.1:0")
    with Http(gateway.admin[0]) as http:
        assert http.request("GET", "/stats").status == 200
        check_error(http.request("GET", "/transports"), 404, "not_found")
    assert gateway.get("/stats").status == 200


# Hosts and addresses.

def test_with_token_keys_any_host_will_do(gateway, channel):
    token = ISSUER.token("ann", [channel])
    for host in "push.example", "evil.example:81", "localhost":
        with Http(gateway.address, host=host) as http:
            target = "/poll?wait=0&channels=" + channel
            assert http.request("GET", target, bearer(token)).status == 200
            check_challenge(http.request("GET", target))


def test_with_token_keys_any_address_may_be_listened_on(start_gateway, channel):
    gateway = start_gateway(*ISSUER.options, "--listen", "0.0.0.0:0")
    address = type(gateway.address)(("127.0.0.1", gateway.address[1]))
    with Http(address) as http:
        check_challenge(http.request("GET", "/poll?wait=0&channels=" + channel))
        token = ISSUER.token("ann", [channel])
        assert http.request("GET", "/poll?wait=0&channels=" + channel, bearer(token)).status == 200
    with pytest.raises(GatewayFailed):
        start_gateway("--listen", "0.0.0.0:0")


# What is counted.

def test_denials_are_counted_by_their_act(start_gateway, channel):
    gateway = start_gateway(*ISSUER.options, bearer=ISSUER.operator)
    token = bearer(ISSUER.token("ann", [channel], [channel]))

    def forbidden(act):
        return gateway.metric("sluice_forbidden_total", act=act)

    for transport in TRANSPORTS:
        open_refused(gateway, transport, "x", token)
    with open_subscriber("websocket", gateway, channel, headers=token) as sub:
        told(sub.wire, type="subscribe", channels=["x"])
        told(sub.wire, type="publish", channel="x", data=1)
    gateway.request("POST", "/publish?channel=x", {**TEXT, **token}, b"x")
    gateway.request("POST", "/publish", {**NDJSON, **token}, b'{"channel":"x","data":1}\n' * 2)
    gateway.get("/stats", token)
    eventually(lambda: forbidden("subscribe") == 6 and forbidden("publish") == 4 and forbidden("admin") == 1)


def test_principals_are_counted_by_what_came_of_them(start_gateway, channel):
    gateway = start_gateway(*ISSUER.options, "--shards", "1", "--anonymous-subscribe", "open",
                            bearer=ISSUER.operator)

    def count(result):
        return gateway.metric("sluice_principals_total", result=result)

    before = {result: count(result) for result in ("verified", "refused", "expired", "missing", "anonymous")}
    target = "/poll?wait=0&channels="
    for token in (ISSUER.token("ann", [channel]), "x.y.z", ISSUER.ending_in(-5, "ann", [channel])):
        gateway.get(target + channel, bearer(token))
    gateway.get(target + channel, nobody())
    gateway.get(target + "open", nobody())
    for result in "verified", "refused", "expired", "missing":
        assert count(result) == before[result] + 1, result
    assert count("anonymous") > before["anonymous"]
    cached = count("cached")
    assert count("cached") > cached, "the operator's own token"
    assert gateway.metric("sluice_token_keys") == 1
    issued = gateway.metric("sluice_tickets_issued_total")
    gateway.request("POST", "/ticket", {}, b"")
    assert gateway.metric("sluice_tickets_issued_total") == issued + 1
