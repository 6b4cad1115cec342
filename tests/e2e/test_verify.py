"""What the gateway says that it sent is what arrives: `sent`, and `verify=1`.

Every subscriber of these tests checks each `sent` against what it has read (sluicetest/
subscriber.py); here are the states in which that could go wrong."""

import json
import time

import pytest

from checks import check_error
from sluicetest import (
    STREAMING, Bye, Http, SharedGateway, SseReader, WebSocket, open_subscriber)

streaming = pytest.mark.parametrize("transport", STREAMING)


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--history-messages", "5000", "--heartbeat", "4") as shared:
        yield shared


def read_messages(sub, count):
    while len(sub.seen) < count:
        sub.next_message()


@streaming
def test_heartbeat_counts_live_and_old_messages_and_gaps(start_gateway, channel, transport):
    gateway = start_gateway("--history-messages", "3", "--heartbeat", "4")
    names = [channel + ".a", channel + ".b"]
    cursor = gateway.head()
    gateway.publish_all(names[0], range(5))
    with open_subscriber(transport, gateway, names, since=cursor) as sub:
        assert sub.opened["sent"] == 0
        assert sub.next_object()["type"] == "gap"
        read_messages(sub, 3)
        gateway.publish_all(names[1], range(4))
        read_messages(sub, 7)
        assert sub.await_control("heartbeat")["sent"] == 8


@streaming
def test_gaps_told_right_after_open_count(gateway, channel, transport):
    names = [channel + ".a", channel + ".b"]
    gateway.publish_all(names[0], range(2))
    with open_subscriber(transport, gateway, names, since="00000001-7") as sub:
        assert [sub.next_object()["type"] for _ in names] == ["gap", "gap"]
        read_messages(sub, 2)
        assert sub.await_control("heartbeat")["sent"] == 4


def test_sse_counts_in_raw_too(start_gateway, channel):
    gateway = start_gateway("--history-messages", "2", "--heartbeat", "4")
    cursor = gateway.head()
    gateway.publish_all(channel, ["one", "two", "three"])
    with Http(gateway.address) as http:
        http.send_request(
            "GET", "/sse?format=raw&verify=1&channels=%s&since=%s" % (channel, cursor))
        assert http.read_head().status == 200
        reader, counted, told = SseReader(http), 0, []
        while len(told) < 3:
            event = reader.next_event()
            if event.name in ("message", "gap"):
                counted += 1
                continue
            obj = json.loads(event.text)
            assert obj["sent"] == counted, obj
            told.append(event.name)
            if len(told) == 2:
                gateway.signal(15)
        assert told == ["open", "heartbeat", "bye"]
    assert gateway.wait() == 0


def test_pong_counts(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        for count in range(3):
            sub.wire.send_object({"type": "ping", "data": count})
            pong = sub.await_control("pong")
            assert pong == {"type": "pong", "data": count, "sent": count}
            gateway.publish(channel, count)
            sub.next_message()


def test_count_goes_on_over_subscribing_and_unsubscribing(gateway, channel):
    """What the new channel is caught up with counts, what the old one gets no more does not."""
    other = channel + ".other"
    with open_subscriber("websocket", gateway, channel, verify=1) as sub:
        gateway.publish_all(channel, range(600))
        sub.wire.send_object({"type": "subscribe", "channels": [other], "ref": 1})
        gateway.publish_all(other, range(600))
        read_over_answers(sub, 1200)
        sub.wire.send_object({"type": "unsubscribe", "channels": [channel], "ref": 2})
        assert sub.await_control("unsubscribed")["channels"] == [other]
        gateway.publish_all(channel, range(10))
        gateway.publish(other, "last")
        assert sub.next_message()["data"] == "last"
        sub.wire.send_object({"type": "ping"})
        assert sub.await_control("pong")["sent"] == 1201
        assert any(1000 <= count <= 1200 for count in sub.counts)


def read_over_answers(sub, count):
    while len(sub.seen) < count:
        sub.next_object()


@streaming
def test_bye_counts(start_gateway, channel, transport):
    gateway = start_gateway()
    with open_subscriber(transport, gateway, channel) as sub:
        gateway.publish_all(channel, range(3))
        read_messages(sub, 3)
        gateway.signal(15)
        with pytest.raises(Bye) as bye:
            sub.next_message()
        assert bye.value.obj["sent"] == 3
    assert gateway.wait() == 0


@streaming
def test_bye_of_a_slow_consumer_counts_what_arrived(start_gateway, channel, transport):
    gateway = start_gateway("--outbox", "64K", "--heartbeat", "4")
    with open_subscriber(transport, gateway, channel, rcvbuf=8192, verify=1) as sub:
        gateway.publish_all(channel, ["x" * 30000] * 300)
        with pytest.raises(Bye) as bye:
            while True:
                sub.next_message()
        assert bye.value.obj["reason"] == "slow_consumer"
        assert bye.value.obj["sent"] == len(sub.seen) < 300


# verify=1

@streaming
@pytest.mark.parametrize("since", [None, "0"])
def test_verify_brings_heartbeats_each_thousand_messages(gateway, channel, transport, since):
    """Live and from history. In each heartbeat the cursor is that of the message before it."""
    cursor = gateway.head()
    gateway.publish_all(channel, range(2000))
    params = {"verify": 1, "heartbeat": 60}
    since = cursor if since else None
    with open_subscriber(transport, gateway, channel, since=since, **params) as sub:
        if since is None:
            gateway.publish_all(channel, range(2000))
        beats = []
        while len(sub.seen) < 2000 or len(beats) < 2:
            obj = sub.next_object()
            if obj.get("type") == "heartbeat":
                assert obj["cursor"] == sub.seen[-1]["id"]
                beats.append(obj["sent"])
        assert [n // 1000 for n in beats] == [1, 2], beats


@streaming
def test_verify_brings_heartbeats_each_interval_to_a_busy_connection(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel, verify=1, heartbeat=4) as sub:
        beats = 0
        while beats < 2:
            gateway.publish(channel, "busy")
            obj = sub.next_object()
            while "type" in obj:
                beats += obj["type"] == "heartbeat"
                obj = sub.next_object()
            time.sleep(0.05)


@streaming
@pytest.mark.parametrize("params", [{}, {"verify": 0}])
def test_without_verify_heartbeats_stay_as_they_are(gateway, channel, transport, params):
    with open_subscriber(transport, gateway, channel, heartbeat=60, **params) as sub:
        gateway.publish_all(channel, range(2500))
        for n in range(2500):
            assert sub.next_object()["data"] == n


@pytest.mark.parametrize("path", ["/ws", "/sse", "/stream"])
@pytest.mark.parametrize("value", ["", "2", "yes", "01"])
def test_verify_is_0_or_1(gateway, channel, path, value):
    target = "%s?channels=%s&verify=%s" % (path, channel, value)
    headers = WebSocket.upgrade_headers() if path == "/ws" else {}
    with gateway.connect() as http:
        check_error(http.request("GET", target, headers), 400, "bad_verify")


def test_polls_take_verify_and_have_no_use_for_it(gateway, channel, transport):
    if transport in STREAMING:
        return
    with open_subscriber(transport, gateway, channel, verify=1) as sub:
        gateway.publish_all(channel, range(1500))
        assert sub.next_data(1500) == list(range(1500))
