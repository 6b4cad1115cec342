"""What a client sees of a bus whose log is elsewhere: the backend goes away and comes back, its log is another one,
nobody knows what became of a publish. The slow backend does all that when it is told to (tests/backend/slow.h)."""

import json
import threading
import time

import pytest

from checks import check_error, connections
from sluicetest import (
    STREAMING, Bye, CloseFrame, Http, SharedGateway, SseReader, WebSocket, open_subscriber)
from sluicetest.subscriber import split_cursor
from sluicetest.websocket import TEXT, frame_bytes

AWAY = {"type": "backend", "state": "away"}
BACK = {"type": "backend", "state": "back"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--backend", "slow", "--shards", "2") as shared:
        yield shared


@pytest.fixture
def gateway(shared_gateway):
    with shared_gateway.use() as gateway:
        control(gateway, "back")  # whatever a test before has left
        yield gateway


def control(gateway, words):
    gateway.publish("slow.control", words)


def post(gateway, channel, key=None):
    headers = {"Content-Type": "text/plain"}
    if key:
        headers["Idempotency-Key"] = key
    return gateway.request("POST", "/publish?channel=" + channel, headers, b"x")


def held(gateway, channel):
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    return [message["id"] for message in answer["messages"]]


def in_thread(work):
    """What `work` returns, once it has; what it raises is raised by the caller."""
    out = []
    thread = threading.Thread(target=lambda: out.append(work()))
    thread.start()

    def join():
        thread.join(30)
        assert out, "it has not ended, or failed"
        return out[0]
    return join


# ---- away and back ----

@pytest.mark.parametrize("transport", STREAMING)
def test_away_and_back_are_told_and_count_for_nothing(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel, verify=1, heartbeat=4) as sub:
        gateway.publish(channel, 1)
        assert sub.next_object()["data"] == 1
        control(gateway, "away")
        assert sub.next_object() == AWAY
        assert sub.next_object(10)["type"] == "heartbeat"  # whose count the subscriber compares
        publishing = in_thread(lambda: gateway.publish(channel, 2))
        control(gateway, "back")
        got = [sub.next_object(), sub.next_object()]
        assert BACK in got and [obj["data"] for obj in got if "data" in obj] == [2]
        publishing()
        assert sub.await_control("heartbeat", 10)["sent"] == 2


@pytest.mark.parametrize("transport", STREAMING)
def test_who_comes_meanwhile_is_told_right_after_open(gateway, channel, transport):
    ids = gateway.publish_all(channel, range(3))
    control(gateway, "away")
    with open_subscriber(transport, gateway, channel, since="0") as sub:
        assert sub.next_object() == AWAY
        assert [sub.next_object()["id"] for _ in ids] == sorted(ids, key=split_cursor)  # history is served
        control(gateway, "back")
        assert sub.next_object() == BACK
    with open_subscriber(transport, gateway, channel, since="0") as sub:
        assert "id" in sub.next_object()


@pytest.mark.parametrize("wait", [0, 3])
def test_polls_carry_nothing(gateway, channel, wait):
    since = gateway.head()
    polling = in_thread(lambda: gateway.get("/poll?channels=%s&since=%s&wait=%d" % (channel, since, wait)))
    time.sleep(0.5)
    control(gateway, "away")
    answer = polling().json()
    assert (answer["messages"], answer["gaps"]) == ([], []), answer
    assert list(answer) == ["cursor", "messages", "gaps", "limits"]
    again = gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, since)).json()
    assert list(again) == ["cursor", "messages", "gaps", "limits"]


def test_raw_sse_has_an_event_and_other_raw_formats_nothing(gateway, channel):
    with Http(gateway.address) as sse, Http(gateway.address) as stream, WebSocket(gateway.address) as ws:
        sse.send_request("GET", "/sse?format=raw&channels=" + channel)
        assert sse.read_head().status == 200
        events = SseReader(sse)
        assert events.next_event().name == "open"
        stream.send_request("GET", "/stream?format=raw&channels=" + channel)
        assert ws.handshake("/ws?format=raw&channels=" + channel).status == 101
        while connections(gateway, "stream") + connections(gateway, "websocket") < 2:
            time.sleep(0.01)
        control(gateway, "away")
        event = events.next_event()
        assert (event.name, event.id, json.loads(event.text)) == ("backend", None, AWAY)
        control(gateway, "back")
        assert json.loads(events.next_event().text) == BACK
        gateway.publish(channel, "after")
        assert ws.next_data().payload == b"after"
        assert stream.read_head().status == 200
        assert stream.read_chunk() == b"after\n"


def test_publishes_wait_and_the_gateway_is_not_ready_meanwhile(gateway, channel):
    control(gateway, "away")
    publishing = in_thread(lambda: gateway.publish(channel, 1))
    time.sleep(0.3)
    check_error(gateway.get("/readyz"), 503, "backend")
    assert gateway.get("/healthz").status == 200
    assert held(gateway, channel) == []
    control(gateway, "back")
    assert held(gateway, channel) == [publishing()]
    assert gateway.get("/readyz").status == 200


def test_a_crowd_is_told_while_others_are_served(start_gateway, channel):
    gateway = start_gateway("--backend", "slow", "--shards", "1")
    crowd = [open_subscriber("stream", gateway, channel) for _ in range(600)]
    control(gateway, "away")
    assert gateway.get("/transports").status == 200
    assert all(sub.next_object() == AWAY for sub in crowd)
    control(gateway, "back")
    assert all(sub.next_object() == BACK for sub in crowd)
    for sub in crowd:
        sub.cut()


# ---- another log ----

@pytest.mark.parametrize("transport", STREAMING)
def test_another_log_ends_streams_and_their_cursors_tell_what_they_missed(gateway, channel, transport):
    names = [channel + ".a", channel + ".b"]
    with open_subscriber(transport, gateway, names) as sub:
        before = gateway.publish(names[0], "old")
        assert sub.next_object()["id"] == before
        control(gateway, "reset")
        bye = sub.await_control("bye")
        assert bye["reason"] == "epoch" and 500 <= bye["retry"] < 5000 and bye["sent"] == 1
        if transport == "websocket":
            with pytest.raises(CloseFrame) as close:
                sub.wire.next_object()
            assert close.value.code == 4003
        cursor = sub.cursor
    assert cursor.split("-")[0] == before.split("-")[0]
    after = gateway.publish(names[0], "new")
    assert after.split("-")[0] != before.split("-")[0]
    with open_subscriber(transport, gateway, names, since=cursor) as sub:
        told = [sub.next_object() for _ in range(3)]
    gaps = {gap["channel"]: gap for gap in told if gap.get("type") == "gap"}
    assert sorted(gaps) == names and all(gap["after"] == cursor for gap in gaps.values()), told
    assert [obj["data"] for obj in told if "data" in obj] == ["new"]


def test_another_log_answers_a_held_poll_whose_next_one_is_told(gateway, channel):
    gateway.publish(channel, "old")
    since = gateway.head()
    polling = in_thread(lambda: gateway.get("/poll?channels=%s&since=%s&wait=20" % (channel, since)))
    time.sleep(0.5)
    control(gateway, "reset")
    answer = polling().json()
    cursor = answer["cursor"]
    if not answer["gaps"]:  # it has nothing, and the cursor that it had
        assert (answer["messages"], cursor.split("-")[0]) == ([], since.split("-")[0])
        answer = gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, cursor)).json()
    assert [gap["channel"] for gap in answer["gaps"]] == [channel]
    assert answer["cursor"].split("-")[0] != since.split("-")[0]


def test_another_log_closes_raw_sockets_with_4003(gateway, channel):
    with WebSocket(gateway.address) as ws:
        assert ws.handshake("/ws?format=raw&channels=" + channel).status == 101
        ws.send_frame(9, b"there?")
        assert ws.await_pong() == b"there?"
        control(gateway, "reset")
        assert ws.await_close().code == 4003


def test_readers_across_resets_get_all_that_is_held_and_never_an_old_message_as_new(start_gateway, channel):
    """They change their transport at each cut, and keep their cursor."""
    gateway = start_gateway("--backend", "slow", "--shards", "2")
    got, cursor, published = [], gateway.head(), []
    for turn in range(9):
        with open_subscriber(STREAMING[turn % 3], gateway, channel, since=cursor) as sub:
            for n in range(5):
                published.append(gateway.publish(channel, [turn, n]))
            control(gateway, "reset" if turn % 2 else "lose 3")
            try:
                while True:
                    obj = sub.next_object(2)
                    if "data" in obj:
                        got.append(obj["id"])
                    elif obj["type"] == "bye":
                        raise Bye(obj)
            except (Bye, TimeoutError):
                pass
            if turn and turn % 2 == 0:  # the log changed since
                assert sub.gaps[0]["after"] == cursor, (sub.gaps, cursor)
            cursor = sub.cursor
    assert len(got) == len(set(got)), "one came twice"
    missing = [one for one in published if one not in got]
    lost_epochs = {one.split("-")[0] for one in missing}
    last = published[-1].split("-")[0]
    assert last not in lost_epochs, missing
    assert all(one in published for one in got)


# ---- nobody knows ----

@pytest.mark.parametrize("first_is_stored", [False, True])
def test_unknown_outcome_by_post_and_the_same_key_again(gateway, channel, first_is_stored):
    if first_is_stored:  # the first of two is not
        control(gateway, "unknown 2")
        check_error(post(gateway, channel + ".other"), 500, "unknown_outcome")
    else:
        control(gateway, "unknown 1")
    error = check_error(post(gateway, channel, "key-12345678"), 500, "unknown_outcome")
    assert "may be stored or not" in error["message"], error
    answer = post(gateway, channel, "key-12345678")
    assert answer.status == 200
    assert held(gateway, channel) == [answer.json()["id"]]


def test_unknown_outcome_in_a_line_of_a_batch(gateway, channel):
    control(gateway, "unknown 1")
    body = b"".join(b'{"channel":"%s","data":%d}\n' % (channel.encode(), n) for n in range(3))
    answer = gateway.request("POST", "/publish", NDJSON, body)
    assert answer.status == 200
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert sorted("error" in line for line in lines) == [False, False, True]
    assert [line["error"]["code"] for line in lines if "error" in line] == ["unknown_outcome"]


def test_unknown_outcome_on_a_websocket(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        control(gateway, "unknown 1")
        publish = {"type": "publish", "channel": channel, "data": 1, "ref": 7, "key": "key-12345678"}
        sub.wire.send_object(publish)
        error = sub.await_control("error")
        assert (error["code"], error["ref"]) == ("unknown_outcome", 7) and "stored or not" in error["message"]
        sub.wire.send_object(publish)
        assert sub.await_control("ack")["ref"] == 7


def test_unknown_outcome_closes_a_raw_websocket(gateway, channel):
    with WebSocket(gateway.address) as ws:
        assert ws.handshake("/ws?format=raw&channels=" + channel).status == 101
        control(gateway, "unknown 1")
        ws.send_text("x")
        assert ws.await_close().code == 1013


def test_last_words_wait_for_acks_that_come_while_the_backend_is_away(gateway, channel):
    """Bounded: 5 s, so it is back before."""
    with WebSocket(gateway.address) as ws:
        assert ws.handshake("/ws?channels=" + channel).status == 101
        assert ws.next_object()["type"] == "open"
        control(gateway, "away")
        assert ws.next_object() == AWAY
        text = json.dumps({"type": "publish", "channel": channel, "data": 1, "ref": 1})
        ws.send(frame_bytes(TEXT, text) + frame_bytes(8, b"\x03\xe8"))
        time.sleep(0.5)
        control(gateway, "back")
        got = []
        with pytest.raises(CloseFrame):
            while True:
                got.append(ws.next_object())
    kinds = sorted(obj.get("type", "message") for obj in got if obj != BACK)
    assert kinds == ["ack", "message"], got
