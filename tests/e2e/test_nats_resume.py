"""Two gateways on one bus: a client goes on at its cursor on the other one, over each transport, and a
repeated key is the same message whichever gateway is asked."""

import threading

import pytest

from sluicetest import TRANSPORTS, Gateway, eventually, open_subscriber
from sluicetest.nats import options_for
from sluicetest.subscriber import split_cursor


@pytest.fixture(scope="module")
def pair(nats):
    """Two gateways on one bus."""
    with Gateway(*options_for(nats, "resume")) as one, Gateway(*options_for(nats, "resume")) as other:
        yield one, other
        one.check()
        other.check()


def test_the_epoch_and_the_head_are_the_same_on_both(pair, channel):
    one, other = pair
    last = one.publish(channel, "x")
    eventually(lambda: other.head() == last == one.head())


@pytest.mark.parametrize("second", TRANSPORTS)
@pytest.mark.parametrize("first", TRANSPORTS)
def test_a_client_resumes_on_the_other_gateway(pair, channel, first, second):
    one, other = pair
    before = open_subscriber(first, one, channel)
    one.publish_all(channel, range(5))
    got = before.next_data(3)
    before.cut()
    other.publish_all(channel, range(5, 8))
    with open_subscriber(second, other, channel, since=before.seen[2]["id"]) as after:
        one.publish(channel, 8)
        other.publish(channel, 9)
        assert got + after.next_data(7) == list(range(10))
        assert after.gaps == []


def test_what_is_published_through_either_arrives_on_both_in_one_order(pair, channel, transport):
    one, other = pair
    with open_subscriber(transport, one, channel, since="0") as here, \
            open_subscriber(transport, other, channel, since="0") as there:
        ids = [pair[n % 2].publish(channel, n) for n in range(20)]
        for sub in here, there:
            assert sub.next_data(20) == list(range(20))
            assert [message["id"] for message in sub.seen] == ids
        assert here.seen == there.seen  # times too


def test_a_cursor_that_the_other_gateway_has_not_reached_is_believed(pair, channel, transport):
    """One node may lag behind another; no gap may be told for that."""
    one, other = pair
    epoch, seq = split_cursor(one.publish(channel, "before"))
    with open_subscriber(transport, other, channel, since="%s-%d" % (epoch, seq + 3)) as sub:
        one.publish_all(channel, range(5))  # three of them are at or below the cursor
        assert sub.next_data(2) == [3, 4]
        assert sub.gaps == []


def test_a_gateway_that_starts_later_has_all_history(nats, pair, channel, start_gateway, transport):
    one, other = pair
    ids = one.publish_all(channel, range(20))
    late = start_gateway(*options_for(nats, "resume"))
    with open_subscriber(transport, late, channel, since="0") as sub:
        assert sub.next_data(20) == list(range(20))
        assert [message["id"] for message in sub.seen] == ids
        other.publish(channel, "live")
        assert sub.next_message()["data"] == "live"


def test_a_key_is_one_message_through_whichever_gateway(pair, channel):
    one, other = pair
    with open_subscriber("sse", one, channel) as here, open_subscriber("sse", other, channel) as there:
        first = one.publish(channel, "first", key="one-key-of-two")
        assert other.publish(channel, "repeat", key="one-key-of-two") == first
        assert one.publish(channel, "again", key="one-key-of-two") == first
        assert other.publish(channel, "end") != first
        for sub in here, there:
            assert sub.next_data(2) == ["first", "end"]


def test_a_key_in_flight_through_both_is_one_message(pair, channel):
    ids = [[] for _ in range(10)]

    def publish(gateway, turn):
        for n in range(10):
            ids[n].append(gateway.publish(channel, turn, key="both-at-once-%d" % n))

    threads = [threading.Thread(target=publish, args=(pair[turn % 2], turn)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(set(of_key)) for of_key in ids] == [1] * 10 and [len(of_key) for of_key in ids] == [4] * 10
    with open_subscriber("sse", pair[0], channel, since="0") as sub:
        pair[1].publish(channel, "end")
        got = [sub.next_message() for _ in range(11)]
        assert sorted(message["id"] for message in got[:10]) == sorted(of_key[0] for of_key in ids)
        assert got[10]["data"] == "end"


def test_a_key_outlives_the_gateway_that_published_it(nats, pair, channel, start_gateway):
    short_lived = start_gateway(*options_for(nats, "resume"))
    first = short_lived.publish(channel, "x", key="before-its-death")
    short_lived.kill()
    assert pair[1].publish(channel, "x", key="before-its-death") == first
