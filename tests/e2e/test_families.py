"""The contract that every family of clients keeps, whatever its frames look like: messages once and in order,
their names, permission, ends, bounds, errors of its own, and counters."""

import json
import threading

import pytest

from sluicetest import Closed, Gateway, SharedGateway, eventually
from sluicetest.families import FAMILIES, Ended, Refused
from sluicetest.tokens import Issuer, now

ISSUER = Issuer()
SMALL_HISTORY = 20
COUNT = 60
BIG = "x" * 30000
BIG_COUNT = 400  # 12 MB, more than kernel buffers and the outbox hold

every = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name.replace(" ", "-"))


def some(**wanted):
    """The families for which all of this is so."""
    chosen = [one for one in FAMILIES if all(getattr(one, name) == value for name, value in wanted.items())]
    assert chosen
    return pytest.mark.parametrize("family", chosen, ids=lambda family: family.name.replace(" ", "-"))


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--shards", "2", "--client-publish", "*", "--outbox", "128K", "--history-bytes", "64M") as shared:
        yield shared


@pytest.fixture(scope="module")
def shared_keys():
    with SharedGateway("--shards", "2", *ISSUER.options, bearer=ISSUER.operator) as shared:
        yield shared


@pytest.fixture
def keys(shared_keys):
    with shared_keys.use() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def shared_short():
    """Its history is short."""
    with SharedGateway("--shards", "2", "--history-messages", str(SMALL_HISTORY), "--outbox", "128K") as shared:
        yield shared


@pytest.fixture
def short(shared_short):
    with shared_short.use() as gateway:
        yield gateway


def publish(gateway, channel, data, event=None, args=None):
    target = "/publish?channel=%s%s%s" % (channel, "&event=" + event if event else "", "&args=" + args if args else "")
    fields = {"Content-Type": "application/json"}
    if gateway.bearer:
        fields["Authorization"] = "Bearer " + gateway.bearer
    response = gateway.request("POST", target, fields, json.dumps(data).encode())
    assert response.status == 200, response
    return response.json()["id"]


def datas(messages):
    return [message.data for message in messages]


def plain(messages):
    """Numbers, whether they were published as JSON or as text."""
    return [int(data) for data in datas(messages)]


# Messages.

@every
def test_what_is_published_arrives_once_and_in_order(gateway, channel, family):
    with family(gateway, channel) as client:
        gateway.publish_all(channel, range(COUNT // 2))
        got = client.take(COUNT // 2)
        gateway.publish_all(channel, range(COUNT // 2, COUNT))
        got += client.take(COUNT // 2)
        publish(gateway, channel, "end")
        assert datas(got) == list(range(COUNT))
        assert client.next().data == "end"
        assert client.gaps == []


@every
def test_what_is_published_while_it_connects_is_a_tail_without_holes(gateway, channel, family):
    stop, sent = threading.Event(), []

    def feed():
        while not stop.is_set():
            gateway.publish(channel, len(sent))
            sent.append(len(sent))

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        for _ in range(10):
            with family(gateway, channel) as client:
                got = datas(client.take(5))
                assert got == list(range(got[0], got[0] + 5))
    finally:
        stop.set()
        feeder.join()


@some(has_events=True)
def test_a_message_brings_its_event_name(gateway, channel, family):
    with family(gateway, channel) as client:
        publish(gateway, channel, {"n": 1}, "price")
        publish(gateway, channel, 2)
        publish(gateway, channel, 3, "%F0%9F%8C%8A%20wave")
        got = client.take(3)
        assert [(one.event, one.data) for one in got] == [("price", {"n": 1}), (None, 2), ("\U0001f30a wave", 3)]


@some(has_events=False)
def test_a_payload_alone_is_the_same_with_an_event_name(gateway, channel, family):
    with family(gateway, channel) as client:
        publish(gateway, channel, {"n": 1}, "price")
        publish(gateway, channel, 2)
        assert datas(client.take(2)) == [{"n": 1}, 2]


@some(has_many_channels=True)
def test_several_channels_come_in_the_order_of_the_bus(gateway, channel, family):
    names = [channel + ".a", channel + ".b", channel + ".c"]
    with family(gateway, names) as client:
        for n in range(12):
            gateway.publish(names[n % 3], n)
        assert datas(client.take(12)) == list(range(12))


@some(can_publish=True)
def test_what_it_publishes_reaches_every_family(gateway, channel, family):
    readers = [one(gateway, channel) for one in FAMILIES]
    try:
        with family(gateway, channel) as client:
            for n in range(3):
                assert client.publish(channel, n) is None
            for reader in readers:
                assert plain(reader.take(3)) == [0, 1, 2], reader.name
    finally:
        for reader in readers:
            reader.close()


# Permission.

@every
def test_without_permission_it_is_refused_in_its_own_words(keys, channel, family):
    native = family.name.split()[0] not in ("engine.io", "socket.io")
    for token, code in [(None, "unauthorized"), ("nonsense", "unauthorized"),
                        (ISSUER.token("ann", ["other"], ["other"]), "forbidden")]:
        with pytest.raises(Refused) as refused:
            family(keys, channel, token=token)
        if native or family.name.startswith("socket.io"):
            assert refused.value.code == code, refused.value
        else:
            assert refused.value.code == 4 and refused.value.response.status == 403, refused.value
    with family(keys, channel, token=ISSUER.token("ann", [channel])) as client:
        publish(keys, channel, 1)
        assert client.next().data == 1


@some(can_publish=True)
def test_publishing_needs_permission_of_its_own(keys, channel, family):
    with family(keys, channel, token=ISSUER.token("ann", [channel], [])) as client:
        refused = client.publish(channel, "stolen")
        assert refused in ("forbidden", None)
        # Bare Engine.IO has no words for it: it closes, or nothing happens.
        assert refused == "forbidden" or family.name.startswith("engine.io")
    publish(keys, channel, "last")
    answer = keys.get("/poll?channels=%s&since=0&wait=0" % channel, {"Authorization": "Bearer " + ISSUER.operator})
    assert [one["data"] for one in answer.json()["messages"]] == ["last"]


@some(is_streaming=True)
def test_a_token_that_expires_ends_it(keys, channel, family):
    check_end(keys, channel, family, lambda: None, seconds=2)


@some(is_streaming=True)
def test_a_subject_that_is_revoked_is_ended(keys, channel, family):
    check_end(keys, channel, family, lambda: revoke(keys, channel))


@some(is_streaming=False)
@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_a_poll_is_refused_after_the_end_of_its_token(keys, channel, family, how):
    check_end(keys, channel, family, lambda: how == "revoked" and revoke(keys, channel), 2 if how == "expired" else None)


def revoke(gateway, subject):
    answer = gateway.request("POST", "/admin/disconnect", {"Content-Type": "application/json", "Authorization": "Bearer "
                             + ISSUER.operator}, json.dumps({"subject": subject}).encode())
    assert answer.status == 200, answer


def check_end(gateway, channel, family, end, seconds=None):
    """What was published before the end came, then it ends; nothing published later came."""
    if seconds:
        client = open_ending(gateway, channel, family, seconds)
    else:
        client = family(gateway, channel, token=ISSUER.token(channel, [channel], at=now() - 100, ttl=3000))
    with client:
        publish(gateway, channel, 1)
        assert client.next().data == 1
        end()
        messages, reason = client.read_to_end()
        assert messages == []
        if family.name in ("websocket json", "sse", "stream", "longpoll"):
            assert reason == ("token_expired" if seconds else "token_revoked")


def open_ending(gateway, channel, family, seconds):
    """On a machine that is too busy for its token the token is a longer one."""
    while True:
        try:
            return family(gateway, channel, token=ISSUER.ending_in(seconds, channel, [channel]))
        except Refused:
            assert seconds < 60
            seconds *= 2


# Ends and bounds.

@every
def test_a_drain_ends_it_and_what_was_published_before_has_come(channel, family):
    with Gateway("--drain", "3") as gateway, family(gateway, channel) as client:
        gateway.publish(channel, 1)
        assert client.next().data == 1
        stopping = threading.Thread(target=gateway.stop)
        stopping.start()
        try:
            messages, reason = client.read_to_end()
        except (Closed, ConnectionError):
            messages, reason = [], None  # a poll that found nobody
        stopping.join()
        assert messages == []
        if family.name in ("websocket json", "sse", "stream"):
            assert reason == "draining"
        assert reason != 1000, "it says that it is over for good"


@some(is_streaming=True)
def test_who_does_not_read_is_ended_and_others_do_not_wait(gateway, channel, family):
    with family(gateway, channel, rcvbuf=8192) as slow, family(gateway, channel) as quick:
        for n in range(BIG_COUNT):
            publish(gateway, channel, [n, BIG])
            assert quick.next().data[0] == n
        messages, _ = slow.read_to_end()
        got = [message.data[0] for message in messages]
        assert got == list(range(len(got))) and len(got) < BIG_COUNT


@every
def test_lost_history_is_never_silent(short, channel, family):
    """Who comes too late is told, or is ended: it never gets a later message as if nothing were missing."""
    if family.is_streaming and not family.can_resume:
        return  # it has what is published, or is ended as a slow consumer
    first = publish(short, channel, "first")
    if family.is_streaming:
        with_holes(short, channel)
        with family(short, channel, since=first) as client:
            assert datas(client.take(SMALL_HISTORY)) == list(range(2 * SMALL_HISTORY))[-SMALL_HISTORY:]
            assert len(client.gaps) == 1
        return
    with family(short, channel) as client:
        with_holes(short, channel)
        try:
            got = datas(client.take(SMALL_HISTORY))
        except Ended:
            return
        assert len(client.gaps) == 1, got


def with_holes(gateway, channel):
    gateway.publish_all(channel, range(2 * SMALL_HISTORY))


@some(has_many_channels=True)
def test_more_channels_than_a_connection_may_have_are_refused(gateway, channel, family):
    names = ["%s.%d" % (channel, n) for n in range(65)]
    with family(gateway, names[:64]) as client:
        gateway.publish(names[63], 1)
        assert client.next().data == 1
    with pytest.raises(Refused) as refused:
        family(gateway, names)
    assert refused.value.code in ("too_many_channels", 3), refused.value


@every
def test_a_channel_that_is_no_name_is_refused(gateway, family):
    for name in ("a*b", "x" * 256, "~own"):
        with pytest.raises(Refused) as refused:
            family(gateway, name)
        assert refused.value.code in ("bad_channel", "no_check_channel", 3, 4), refused.value


@some(can_publish=True)
def test_bad_input_gets_a_clear_end_or_error_and_nobody_else_suffers(gateway, channel, family):
    with family(gateway, channel) as client, family(gateway, channel) as other:
        told = client.send_garbage()
        # JSON: an error object. Engine.IO on polling: 400 with code 3, or the sid is gone. On a WebSocket it closes.
        wanted = {"websocket json": ("bad_json", "bad_message", "bad_object"), "engine.io polling": (3, "close", "Session ID unknown"),
                  "socket.io polling": ("close", "Session ID unknown")}
        if family.name in wanted:
            assert told in wanted[family.name], told
        publish(gateway, channel, "after")
        assert other.next().data == "after"


# Counters.

@every
def test_it_is_counted_under_its_own_name(gateway, channel, family):
    def metric(name, **labels):
        return gateway.metric(name, transport=family.metric, **labels)

    before = metric("sluice_messages_total", direction="out"), metric("sluice_payload_bytes_total", direction="out")
    with family(gateway, channel) as client:
        for _ in range(5):
            publish(gateway, channel, "payload")
        client.take(5)
        if family.is_streaming:
            assert metric("sluice_connections") >= 1
        eventually(lambda: metric("sluice_messages_total", direction="out") == before[0] + 5 or None)
        assert metric("sluice_payload_bytes_total", direction="out") - before[1] == 5 * len('"payload"')
    eventually(lambda: metric("sluice_connections") == 0 or None)
