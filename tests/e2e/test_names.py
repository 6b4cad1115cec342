"""Names of any bytes: a channel's name with quotes, commas, blanks or emoji is the same name on every transport, whoever
wrote it and wherever it is told. So is the name of an event."""

import base64
import json
from urllib.parse import quote

import pytest

from checks import check_error
from sluicetest import TRANSPORTS, Gap, SharedGateway, WebSocket, open_subscriber
from sluicetest.nats import options_for, require, run_cluster
from sluicetest.readers import Reader
from sluicetest.subscriber import target_of
from sluicetest.tokens import Issuer, bearer

ISSUER = Issuer()
JSON = {"Content-Type": "application/json"}
BATCH = {"Content-Type": "application/x-ndjson"}
EMOJI = "\U0001f680\U0001f9d1\u200d\U0001f680"
# Each has the test's own name in it somewhere.
NASTY = {
    "quotes": 'say "%s" \'it\'', "object": '%s"}', "backslash": "\\%s\\\\", "commas": ",%s,,b,", "blanks": "  %s  ",
    "emoji": EMOJI + "%s" + EMOJI, "dots": "..%s..", "slash": "/%s/../", "query": "?%s=&channels=a#b%%00+",
    "markup": "<script>%s</script>", "subject": "$SYS.%s.>", "escape": "=2E%s=", "lines": "\u2028%s\u00a0\uffff",
    "url": "https://a.example/books/{id}?%s", "mixed": '"%s", ' + EMOJI + ' \\"}',
}
EVENTS = ["message", 'say "it", ' + EMOJI, "=", " blanks ", "e" * 128]


def fill(name):
    """To 255 bytes."""
    left = 255 - len(name.encode())
    return name + "é" * (left // 2) + "x" * (left % 2)


def nasty(channel, which):
    return fill(nasty(channel, "mixed")) if which == "longest" else NASTY[which] % channel


@pytest.fixture(params=[*NASTY, "longest"])
def name(request, channel):
    return nasty(channel, request.param)


def post(gateway, name, body=b"1", fields=JSON, query=""):
    return gateway.request("POST", "/publish?channel=" + quote(name, safe="") + query, fields, body)


def check_answers(response):
    assert response.status == 200, response
    return [json.loads(line) for line in response.body.splitlines()]


def history(gateway, name):
    response = gateway.get(target_of("/poll", [name], since="0", wait=0))
    assert response.status == 200, response
    return response.json()["messages"]


# ---- one name, each way ----

def test_a_name_is_the_same_on_every_transport(gateway, name, transport):
    assert post(gateway, name, b'"first"').status == 200
    with open_subscriber(transport, gateway, [name]) as sub:
        gateway.publish(name, "live")
        message = sub.next_message()
        assert (message["channel"], message["data"]) == (name, "live")
        cursor = sub.cursor
    gateway.publish(name, "between")
    with open_subscriber(transport, gateway, [name], since=cursor) as sub:
        assert sub.next_message()["channel"] == name
        gateway.publish(name, "after")
        assert sub.next_message()["data"] == "after" and sub.gaps == []


@pytest.mark.parametrize("which", ["commas", "longest"])
def test_a_name_is_one_channel_in_raw_format(gateway, channel, transport, which):
    name = nasty(channel, which)
    reader = Reader(transport, gateway.address, [name], raw=True)
    try:
        reader.hold()
        gateway.publish(name, "raw")
        reader.read(1)
        assert reader.received == [(name, "raw")]
    finally:
        reader.wire.close()


def test_a_name_is_published_to_in_every_way(gateway, name):
    line = {"channel": name, "data": "line", "key": "12345678"}
    lines = (json.dumps(line) + "\n" + json.dumps({"data": "of the query"})).encode()
    assert post(gateway, name, b'"posted"').status == 200
    answers = check_answers(post(gateway, name, lines, BATCH))
    assert ["id" in answer for answer in answers] == [True, True]
    with open_subscriber("websocket", gateway, [name]) as sub:
        sub.wire.send_object({"type": "publish", "channel": name, "data": "sent", "ref": 1})
        objects = [sub.next_object(), sub.next_object()]
        assert {"type": "ack", "ref": 1, "id": sub.cursor} in objects
        sub.wire.send_text(json.dumps({"type": "publish", "channel": name, "data": "as it is"}, ensure_ascii=False))
        assert [sub.next_object(), sub.next_object()]
    messages = history(gateway, name)
    assert [message["data"] for message in messages] == ["posted", "line", "of the query", "sent", "as it is"]
    assert {message["channel"] for message in messages} == {name}


def test_a_name_is_subscribed_to_and_left(gateway, channel, name):
    with open_subscriber("websocket", gateway, [channel]) as sub:
        sub.wire.send_object({"type": "subscribe", "channels": [name, channel + ".b"], "ref": 1})
        assert sub.next_object()["channels"] == [channel, name, channel + ".b"]
        gateway.publish(name, "here")
        assert sub.next_message()["channel"] == name
        sub.wire.send_object({"type": "unsubscribe", "channels": [name], "ref": 2})
        assert sorted(sub.next_object()["channels"]) == sorted([channel, channel + ".b"])
        gateway.publish(name, "gone")
        gateway.publish(channel, "last")
        assert sub.next_message()["data"] == "last"


@pytest.fixture(scope="module")
def forgetful():
    with SharedGateway("--history-messages", "2") as shared:
        yield shared


def test_a_gap_has_the_name(forgetful, name, transport):
    with forgetful.use() as gateway:
        first = gateway.publish(name, 0)
        gateway.publish_all(name, range(1, 6))
        with pytest.raises(Gap) as gap:
            with open_subscriber(transport, gateway, [name], since=first) as sub:
                sub.next_message()
        assert gap.value.obj["channel"] == name and gap.value.obj["after"] == first


def test_names_that_are_alike_are_channels_of_their_own(gateway, channel):
    names = [channel, channel + " ", " " + channel, channel + ",", channel + "\\", channel + '"', channel + ".", "." + channel,
             channel + "=20", channel + "%20", channel + "+", channel + "\u00a0", channel.upper(), channel + "e\u0301", channel + "\u00e9"]
    for name in names:  # one key, but of another channel each
        fields = {**JSON, "Idempotency-Key": "one-key-for-all"}
        assert post(gateway, name, json.dumps(name).encode(), fields).status == 200
    for name in names:
        assert [(message["channel"], message["data"]) for message in history(gateway, name)] == [(name, name)]


# ---- several in a query ----

def test_names_with_commas_are_given_one_by_one(gateway, channel, transport):
    names = [channel + ",a", channel, channel + ',"b', channel + ".c"]
    with open_subscriber(transport, gateway, names) as sub:
        for name in names:
            gateway.publish(name, name)
        assert [sub.next_message()["channel"] for _ in names] == names
    for query in ("channel=%s&channels=%s", "channels=%s&channel=%s", "channel=%s&channel=%s"):
        response = gateway.get("/poll?since=0&wait=0&" + query % (channel, channel + ".c"))
        assert [message["channel"] for message in response.json()["messages"]] == [channel, channel + ".c"]


def test_a_query_has_no_more_channels_than_are_allowed(gateway, channel):
    one_by_one = "&".join("channel=%s%%2C%d" % (channel, n) for n in range(64))
    assert gateway.get("/poll?wait=0&" + one_by_one).status == 200
    assert gateway.get("/poll?wait=0&%s&channel=%s%%2C1" % (one_by_one, channel)).status == 200
    check_error(gateway.get("/poll?wait=0&%s&channels=%s" % (one_by_one, channel)), 400, "too_many_channels")
    check_error(gateway.get("/poll?wait=0&channels=%s&%s" % (channel, one_by_one)), 400, "too_many_channels")


def test_a_publish_goes_to_one_channel(gateway, channel):
    for query in ("?channel=%s&channel=%s", "?channel=%s&channel=%s&channel=b"):
        check_error(gateway.request("POST", "/publish" + query % (channel, channel), JSON, b"1"), 400, "bad_parameter")
    assert history(gateway, channel) == []


# ---- who may ----

def test_patterns_stand_for_names_of_any_bytes(start_gateway, channel):
    gateway = start_gateway(*ISSUER.options)
    prefix = 'a, "b" ' + EMOJI
    fields = bearer(ISSUER.token("ann", [prefix + ".*", "one,two"], [prefix + ".*"]))
    for name, may in ((prefix + '.c"}', True), (prefix + "..", True), (prefix + ".", False), (prefix, False),
                      ("one,two", True), ("one", False), ("two", False)):
        response = gateway.get(target_of("/poll", [name], wait=0), fields)
        assert (response.status == 200) == may, name
        if not may:
            assert check_error(response, 403, "forbidden")["message"].endswith("may not subscribe to " + name)
        ticket = gateway.request("POST", target_of("/ticket", [name]), fields, b"")
        assert (ticket.status == 200) == may, name
        if may:
            used = gateway.get(target_of("/poll", [name], wait=0, ticket=ticket.json()["ticket"]))
            assert used.status == 200, (name, used)
    assert post(gateway, prefix + ".c", b"1", {**JSON, **fields}).status == 200
    check_error(post(gateway, "one,two", b"1", {**JSON, **fields}), 403, "forbidden")


def test_refusals_hold_a_name_without_breaking(start_gateway, name):
    gateway = start_gateway(*ISSUER.options)
    response = gateway.get(target_of("/poll", [name], wait=0))
    check_error(response, 401)
    assert '"' not in response.header("WWW-Authenticate").replace('realm="sluice"', "")
    fields = bearer(ISSUER.token("ann", ["a"]))
    assert name in check_error(gateway.get(target_of("/poll", [name], wait=0), fields), 403)["message"]


# ---- events ----

@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_in_the_message_whichever_way_it_came(gateway, channel, transport, event):
    lines = [{"channel": channel, "event": event, "data": 2}, {"channel": channel, "data": 3}]
    with open_subscriber(transport, gateway, [channel]) as sub:
        assert post(gateway, channel, b"1", query="&event=" + quote(event, safe="")).status == 200
        check_answers(post(gateway, channel, "\n".join(map(json.dumps, lines)).encode(), BATCH))
        with WebSocket(gateway.address) as wire:
            wire.handshake("/ws?channels=" + channel + ".other")
            wire.next_object()
            wire.send_object({"type": "publish", "channel": channel, "event": event, "data": 4, "ref": 1})
            assert wire.next_object()["type"] == "ack"
        messages = [sub.next_message() for _ in range(4)]
    assert [message["data"] for message in messages] == [1, 2, 3, 4]
    assert [message.get("event") for message in messages] == [event, event, None, event]
    assert list(messages[0]) == ["id", "channel", "event", "time", "data"]
    assert list(messages[2]) == ["id", "channel", "time", "data"]


def test_an_event_of_the_query_stands_in_where_a_line_has_none(gateway, channel):
    lines = [{"data": 1}, {"data": [2], "event": "own"}, {"data": [3]}]
    answers = check_answers(post(gateway, channel, "\n".join(map(json.dumps, lines)).encode(), BATCH, "&event=e&args=list"))
    assert [answer.get("error", {}).get("code") for answer in answers] == ["bad_args", None, None]
    assert [(m["event"], m.get("args"), m["data"]) for m in history(gateway, channel)] == [("own", None, [2]), ("e", "list", [3])]


def test_args_are_what_they_say(gateway, channel):
    binary = {"list": [{"_placeholder": True, "num": 0}, 5], "attachments": [base64.b64encode(b"\0\xff").decode()]}
    for args, data in (("list", [1, {"a": None}]), ("list", []), ("binary", binary), ("binary", {"list": [], "attachments": []})):
        assert post(gateway, channel, json.dumps(data).encode(), query="&event=e&args=" + args).status == 200
        message = history(gateway, channel)[-1]
        assert (message["event"], message["args"], message["data"]) == ("e", args, data)
        assert list(message) == ["id", "channel", "event", "args", "time", "data"]


@pytest.mark.parametrize("query, body, code", [
    ("event=", b"1", "bad_event"), ("event=%00", b"1", "bad_query"), ("event=a%C2%85", b"1", "bad_event"),
    ("event=%FF", b"1", "bad_event"), ("event=" + "e" * 129, b"1", "bad_event"), ("event=a&args=one", b"1", "bad_args"),
    ("args=list", b"[]", "bad_args"), ("event=a&args=list", b"{}", "bad_args"), ("event=a&args=binary", b"[]", "bad_args"),
    ("event=a&args=binary", b'{"list":[{"_placeholder":true,"num":0}],"attachments":[]}', "bad_args"),
    ("event=a&args=binary", b'{"list":[],"attachments":["?"]}', "bad_args"), ("event=a&event=b", b"1", "bad_parameter"),
    ("event=a&args=list", b"[", "bad_json"),
])
def test_events_and_args_that_are_wrong_are_refused(gateway, channel, query, body, code):
    check_error(post(gateway, channel, body, query="&" + query), 400, code)
    assert history(gateway, channel) == []


def test_text_and_bytes_have_events_but_no_args(gateway, channel):
    for fields in ({"Content-Type": "text/plain"}, {"Content-Type": "application/octet-stream"}):
        assert post(gateway, channel, b"[1]", fields, "&event=e").status == 200
        check_error(post(gateway, channel, b"[1]", fields, "&event=e&args=list"), 400, "bad_args")
    assert [message["event"] for message in history(gateway, channel)] == ["e", "e"]


def test_raw_format_has_no_event(gateway, channel, transport):
    reader = Reader(transport, gateway.address, [channel], raw=True)
    try:
        reader.hold()
        assert post(gateway, channel, b'"text"', query="&event=e").status == 200
        reader.read(1)
        assert reader.received == [(channel, "text")]
    finally:
        reader.wire.close()


def test_websocket_events_that_are_wrong_are_told(gateway, channel):
    with open_subscriber("websocket", gateway, [channel]) as sub:
        for members, code in (({"event": ""}, "bad_event"), ({"event": 5}, "bad_event"), ({"event": "a\n"}, "bad_event"),
                              ({"event": "a", "args": "list"}, "bad_args"), ({"args": "list"}, "bad_args"),
                              ({"event": "a", "args": 1}, "bad_args")):
            sub.wire.send_object({"type": "publish", "channel": channel, "data": 1, "ref": 1, **members})
            assert sub.next_object()["code"] == code, members
        sub.wire.send_object({"type": "publish", "channel": channel, "data": 1, "event": None, "args": None})
        assert all("event" not in sub.next_object() for _ in range(2))  # the ack and the message


# ---- on NATS ----

@pytest.fixture(scope="module")
def cluster():
    require()
    with run_cluster() as cluster:
        yield cluster


def test_names_and_events_cross_nats(start_gateway, cluster):
    one = start_gateway(*options_for(cluster, "names"))
    other = start_gateway(*options_for(cluster, "names"))
    names = [nasty("nats", which) for which in [*NASTY, "longest"]]
    subs = [open_subscriber(transport, other, names[:60]) for transport in TRANSPORTS]
    try:
        for number, name in enumerate(names):
            event = EVENTS[number % len(EVENTS)]
            assert post(one, name, b"[%d]" % number, query="&args=list&event=" + quote(event, safe="")).status == 200
        for sub in subs:
            for number, name in enumerate(names):
                message = sub.next_message()
                assert (message["channel"], message["data"]) == (name, [number])
                assert (message["event"], message["args"]) == (EVENTS[number % len(EVENTS)], "list")
    finally:
        for sub in subs:
            sub.close()
    late = start_gateway(*options_for(cluster, "names"))  # reads the log from its start
    for number, name in enumerate(names):
        assert [message["event"] for message in history(late, name)] == [EVENTS[number % len(EVENTS)]]
    assert late.metric("sluice_backend_foreign_total") == 0
