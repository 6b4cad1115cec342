"""What a WebSocket client published before its last words, right or wrong, is still published,
answered and delivered to it, in front of the gateway's close frame: all of it in one read."""

import json

import pytest

from sluicetest import CloseFrame, SharedGateway, WebSocket
from sluicetest.websocket import BINARY, CLOSE, TEXT, frame_bytes

LAST_WORDS = {
    "binary": (frame_bytes(BINARY, b"x"), 1003),
    "reserved": (frame_bytes(TEXT, b"x", rsv=4), 1002),
    "not masked": (frame_bytes(TEXT, b"x", mask=False), 1002),
    "bad text": (frame_bytes(TEXT, b"\xff"), 1007),
    "too large": (frame_bytes(TEXT, b"x", form=1 << 20), 1009),
    "bad close": (frame_bytes(CLOSE, b"x"), 1002),
    "close": (frame_bytes(CLOSE, b"\x03\xe8"), 1000),
    "empty close": (frame_bytes(CLOSE), None),
}


@pytest.fixture(scope="module", params=["memory", "slow"])
def shared_gateway(request):
    with SharedGateway("--backend", request.param) as shared:
        yield shared


def connect(gateway, query):
    ws = WebSocket(gateway.address)
    assert ws.handshake("/ws?" + query).status == 101
    return ws


def publish_bytes(channel, ref):
    return frame_bytes(TEXT, json.dumps(
        {"type": "publish", "channel": channel, "data": ref, "ref": ref}))


def read_to_close(read):
    """What came before the close frame, and its code."""
    got = []
    try:
        while True:
            got.append(read())
    except CloseFrame as close:
        return got, close.code


def data_in_history(gateway, channel):
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    return [m["data"] for m in answer["messages"]]


@pytest.mark.parametrize("kind", sorted(LAST_WORDS))
def test_messages_before_the_last_words_come_back(gateway, channel, kind):
    last, code = LAST_WORDS[kind]
    other = channel + ".other"
    with connect(gateway, "channels=" + channel) as ws:
        assert ws.next_object()["type"] == "open"
        ws.send(publish_bytes(channel, 1) + publish_bytes(other, 2) + publish_bytes(channel, 3)
                + last + publish_bytes(channel, 4))
        got, closed = read_to_close(ws.next_object)
    assert closed == code
    answered = {obj["ref"]: obj for obj in got if "type" in obj}
    assert sorted(answered) == [1, 2, 3]
    assert all(obj["type"] == "ack" for obj in answered.values()), answered
    ids = {obj["data"]: obj["id"] for obj in got if "type" not in obj}
    assert ids == {1: answered[1]["id"], 3: answered[3]["id"]}
    assert sorted(data_in_history(gateway, channel)) == [1, 3]
    assert data_in_history(gateway, other) == [2]


@pytest.mark.parametrize("kind", sorted(set(LAST_WORDS) - {"binary"}))
def test_raw_messages_before_the_last_words_come_back(gateway, channel, kind):
    last, code = LAST_WORDS[kind]
    with connect(gateway, "format=raw&channels=" + channel) as ws:
        ws.send(frame_bytes(TEXT, "one") + frame_bytes(BINARY, b"two") + last)
        got, closed = read_to_close(ws.next_data)
    assert closed == code
    assert sorted((frame.opcode, frame.payload) for frame in got) == [(TEXT, b"one"), (BINARY, b"two")]


def test_sender_of_a_message_that_is_too_large_hears_so(gateway, channel):
    """The gateway reads the rest of it, up to 1 MiB, rather than resetting the connection."""
    with connect(gateway, "channels=" + channel) as ws:
        assert ws.next_object()["type"] == "open"
        ws.send(publish_bytes(channel, 1) + frame_bytes(TEXT, b"x" * 300_000))
        got, closed = read_to_close(ws.next_object)
        assert closed == 1009
        assert sorted(obj.get("type", "message") for obj in got) == ["ack", "message"]


def test_client_that_has_fallen_behind_gets_its_message_too(gateway, channel):
    gateway.publish_all(channel, range(300))
    last, code = LAST_WORDS["reserved"]
    with connect(gateway, "since=0&channels=" + channel) as ws:
        ws.send(publish_bytes(channel, 300) + last)
        got, closed = read_to_close(ws.next_object)
    assert closed == code
    assert [obj["data"] for obj in got if "type" not in obj] == list(range(301))


def test_raw_messages_before_one_that_is_refused_come_back(start_gateway, channel):
    """A connection may wait for 64 answers: the next message is refused, in raw by closing."""
    gateway = start_gateway("--backend", "slow")
    with connect(gateway, "format=raw&channels=" + channel) as ws:
        ws.send(b"".join(frame_bytes(TEXT, "%d" % n) for n in range(200)))
        got, closed = read_to_close(ws.next_data)
    assert closed == 1013
    assert 64 <= len(got) < 200
    assert sorted(int(frame.payload) for frame in got) == list(range(len(got)))
