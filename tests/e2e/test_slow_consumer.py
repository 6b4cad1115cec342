"""A client that does not read is told bye, closed, and resumes without loss; the gateway's
memory does not grow with it, and others do not wait for it."""

import pytest

from checks import await_connections, wire_bytes
from sluicetest import (
    STREAMING, Bye, Closed, CloseFrame, SharedGateway, WebSocket, eventually, open_subscriber)

PAYLOAD = "x" * 30000
COUNT = 400  # 12 MB, more than kernel buffers and the outbox hold


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway(
            "--outbox", "128K", "--history-bytes", "64M", "--history-total", "256M") as shared:
        yield shared


def numbered(count, first=0):
    return ["%06d" % n + PAYLOAD for n in range(first, first + count)]


def numbers(messages):
    return [int(m["data"][:6]) for m in messages]


def read_until_end(sub):
    """Reads what there is; returns the bye or None."""
    try:
        while True:
            sub.next_message()
    except Bye as bye:
        return bye.obj
    except (Closed, CloseFrame):
        return None


@pytest.mark.parametrize("transport", STREAMING)
def test_slow_consumer_is_told_and_resumes_without_loss(gateway, channel, transport):
    sub = open_subscriber(transport, gateway, channel, rcvbuf=8192)
    gateway.publish_all(channel, numbered(COUNT))
    bye = read_until_end(sub)
    sub.close()
    assert bye is not None, "no bye"
    assert bye["reason"] == "slow_consumer" and bye["retry"] >= 0, bye
    got = numbers(sub.seen)
    assert len(got) < COUNT
    with open_subscriber(transport, gateway, channel, since=sub.cursor) as again:
        while len(got) < COUNT:
            got.append(int(again.next_message()["data"][:6]))
        assert again.gaps == []
    assert got == list(range(COUNT))


@pytest.mark.parametrize("transport", STREAMING)
def test_object_in_progress_is_finished_before_bye(gateway, channel, transport):
    """Everything the client gets is whole; the last bytes are bye and the clean end."""
    sub = open_subscriber(transport, gateway, channel, rcvbuf=8192)
    gateway.publish_all(channel, numbered(COUNT))
    assert read_until_end(sub)["reason"] == "slow_consumer"
    if transport == "websocket":
        assert sub.wire.await_close().code in (1001, 1008, 1013)
    else:
        with pytest.raises(Closed):
            sub.next_object()
        assert sub.reader.ended
    sub.close()


def test_raw_websocket_slow_consumer_is_closed_1013(gateway, channel):
    with WebSocket(gateway.address, rcvbuf=8192) as ws:
        assert ws.handshake("/ws?format=raw&channels=" + channel).status == 101
        gateway.publish_all(channel, numbered(COUNT))
        assert ws.await_close().code == 1013


def test_slow_consumers_that_never_read_are_reset(gateway, channel):
    subs = [open_subscriber(t, gateway, channel, rcvbuf=8192) for t in STREAMING]
    gateway.publish_all(channel, numbered(COUNT))
    for sub in subs:
        await_connections(gateway, sub.transport, 0)
        sub.close()


def test_others_do_not_wait_for_a_slow_consumer(gateway, channel):
    slow = [open_subscriber(t, gateway, channel, rcvbuf=8192) for t in STREAMING]
    with open_subscriber("stream", gateway, channel) as quick:
        for n, payload in enumerate(numbered(COUNT)):
            gateway.publish(channel, payload)
            assert numbers([quick.next_message()]) == [n]
    for sub in slow:
        sub.cut()


@pytest.mark.parametrize("transport", STREAMING)
def test_pausing_reader_that_catches_up_is_not_dropped(gateway, channel, transport):
    """A burst within outbox and buffers is no reason."""
    with open_subscriber(transport, gateway, channel) as sub:
        for start in range(0, 12, 3):
            gateway.publish_all(channel, numbered(3, start))
            assert numbers([sub.next_message() for _ in range(3)]) == list(range(start, start + 3))


@pytest.mark.parametrize("transport", STREAMING)
def test_replay_larger_than_the_outbox_is_no_overflow(gateway, channel, transport):
    """History is pulled as the client reads, however slowly."""
    gateway.publish_all(channel, numbered(100))
    with open_subscriber(transport, gateway, channel, since="0", rcvbuf=8192) as sub:
        assert numbers([sub.next_message() for _ in range(100)]) == list(range(100))


@pytest.mark.parametrize("count,size", [(100, 100), (3, 3000), (500, 10)])
def test_history_larger_than_a_small_outbox_is_no_overflow(
        start_gateway, channel, transport, count, size):
    """A client that reads is not slow, whatever it has to catch up with."""
    gateway = start_gateway("--outbox", "2K")
    gateway.publish_all(channel, ["%06d" % n + "z" * size for n in range(count)])
    for _ in range(5):
        with open_subscriber(transport, gateway, channel, since="0") as sub:
            assert numbers([sub.next_message() for _ in range(count)]) == list(range(count))


def test_poll_answer_to_a_client_that_reads_late_is_whole(gateway, channel):
    gateway.publish_all(channel, numbered(8))
    subs = [open_subscriber("poll", gateway, channel, since="0", rcvbuf=4096) for _ in range(10)]
    for sub in subs:
        sub.wire.send_request("GET", "/poll?channels=%s&since=0" % channel)
    gateway.publish(channel + ".other", 1)
    for sub in subs:
        answer = sub.wire.read_response().json()
        assert numbers(answer["messages"]) == list(range(8))
        sub.close()


def test_poll_clients_that_never_read_are_let_go(gateway, channel):
    gateway.publish_all(channel, numbered(8))
    subs = [open_subscriber("poll", gateway, channel, since="0", rcvbuf=4096) for _ in range(10)]
    for sub in subs:
        sub.wire.send_request("GET", "/poll?channels=%s&since=0&wait=0" % channel)
        sub.wire.send_request("GET", "/poll?channels=%s&since=0&wait=0" % channel)
        sub.cut()
    await_connections(gateway, "poll", 0)


@pytest.mark.parametrize("transport", STREAMING)
def test_one_object_larger_than_the_outbox_is_delivered(start_gateway, channel, transport):
    gateway = start_gateway("--outbox", "4K")
    with open_subscriber(transport, gateway, channel) as sub:
        for n in range(5):
            gateway.publish(channel, "%06d" % n + "y" * 60000)
            assert numbers([sub.next_message()]) == [n]


def test_memory_is_bounded_with_many_slow_consumers(start_gateway, channel):
    """Sixty clients that read nothing, 24 MB published: outboxes share what they hold. What is published
    before fills what a build with a sanitizer keeps of memory that was freed."""
    gateway = start_gateway("--outbox", "256K", "--history-bytes", "1M")
    gateway.publish_all(channel, numbered(COUNT * 2))
    before = gateway.memory_kib()
    subs = [open_subscriber(STREAMING[n % 3], gateway, channel, rcvbuf=4096) for n in range(60)]
    gateway.publish_all(channel, numbered(COUNT * 2))
    grown = gateway.memory_kib() - before
    assert grown < 100_000, "%d KiB" % grown
    for sub in subs:
        sub.cut()
    for transport in STREAMING:
        await_connections(gateway, transport, 0)


def test_outbox_total_drops_the_one_with_most(start_gateway, channel):
    """A small limit over all: slow ones go, a reader that keeps up stays."""
    gateway = start_gateway("--outbox", "8M", "--outbox-total", "1M", "--history-bytes", "64M")
    slow = [open_subscriber("stream", gateway, channel + ".slow", rcvbuf=4096) for _ in range(3)]
    with open_subscriber("stream", gateway, channel) as quick:
        gateway.publish_all(channel + ".slow", numbered(COUNT))
        gateway.publish(channel, 1)
        assert quick.next_message()["data"] == 1
    dropped = 0
    for sub in slow:
        bye = read_until_end_or_silence(sub)
        dropped += bye is not None and bye["reason"] == "slow_consumer"
        sub.cut()
    assert dropped >= 1


def read_until_end_or_silence(sub):
    try:
        while True:
            sub.next_message(3)
    except Bye as bye:
        return bye.obj
    except (Closed, TimeoutError):
        return None


def test_slow_consumers_are_counted(gateway, channel):
    before = gateway.metric("sluice_slow_consumers_total")
    sub = open_subscriber("stream", gateway, channel, rcvbuf=8192)
    gateway.publish_all(channel, numbered(COUNT))
    sub.cut()
    eventually(lambda: gateway.metric("sluice_slow_consumers_total") > before)


def test_all_outboxes_together_are_limited_and_the_fullest_goes_first(start_gateway, channel):
    """Each keeps its own limit; together they would pin more than --outbox-total."""
    gateway = start_gateway("--shards", "1", "--outbox", "4M", "--outbox-total", "2M",
                            "--history-bytes", "64M")
    names = ["%s.%d" % (channel, n) for n in range(8)]
    slow = [open_subscriber("stream", gateway, name, rcvbuf=8192) for name in names]
    with open_subscriber("websocket", gateway, channel + ".reads") as reading:
        for round_ in range(3):
            for name in names:
                gateway.publish_all(name, numbered(COUNT // 8, round_ * COUNT // 8))
        gateway.publish(channel + ".reads", "still here")
        assert reading.next_message()["data"] == "still here"
    evictions = gateway.stats()["limits"]["outbox_pinned_evictions"]
    assert 0 < evictions <= len(names)
    reasons = [reason_to_end(sub) for sub in slow]
    assert reasons.count("slow_consumer") == evictions, reasons
    for sub in slow:
        sub.close()


def reason_to_end(sub):
    """Of the bye behind what the client has not read yet; None where nothing ends."""
    try:
        while True:
            sub.next_message(2)
    except Bye as bye:
        return bye.obj["reason"]
    except TimeoutError:
        return None


# A cursor or a count is not told above what the client gets: it would miss that in silence.

def fill(gateway, sub, channel, payloads):
    """Publishes until the gateway has something in its outbox that the client does not take;
    returns how many that were."""
    written, published = None, 0
    while written != (now := wire_bytes(gateway, sub.transport)[1]):
        written = now
        gateway.publish_all(channel, payloads(published, 4))
        published += 4
    return published


def overflow(gateway, channel, payloads, first):
    count = 0
    before = gateway.metric("sluice_slow_consumers_total")
    while gateway.metric("sluice_slow_consumers_total") == before:
        gateway.publish_all(channel, payloads(first + count, 4))
        count += 4
    return count


def resume_and_compare(gateway, sub, names, wanted):
    """Reads what is left, resumes at the last cursor that came, and misses nothing."""
    bye = read_over_answers(sub)
    assert bye["reason"] == "slow_consumer"
    got = [m["id"] for m in sub.seen]
    assert len(got) < len(wanted)
    with open_subscriber(sub.transport, gateway, names, since=sub.cursor) as again:
        while len(got) < len(wanted):
            got.append(again.next_message()["id"])
        assert again.gaps == []
    assert got == wanted


def read_over_answers(sub):
    while True:
        obj = sub.next_object()
        if obj.get("type") == "bye":
            return obj


def payloads_of(size):
    return lambda first, count: ["%06d" % n + "x" * size for n in range(first, first + count)]


def history(gateway, names):
    """The ids of everything published to the channels."""
    ids, since = [], "0"
    while True:
        answer = gateway.get("/poll?channels=%s&since=%s&wait=0" % (",".join(names), since)).json()
        if not answer["messages"]:
            return ids
        ids += [m["id"] for m in answer["messages"]]
        since = answer["cursor"]


@pytest.mark.parametrize("said", ["unsubscribe", "subscribe", "ping"])
def test_answer_behind_dropped_messages_tells_no_cursor(start_gateway, channel, said):
    """The client falls behind, says something that is answered with a cursor or a count, and
    overflows before it has read that."""
    # One shard: between shards a message may still be on its way when its channel is unsubscribed.
    gateway = start_gateway("--shards", "1", "--outbox", "1M", "--history-bytes", "64M")
    one, two, third = names = [channel + suffix for suffix in (".one", ".two", ".three")]
    sub = open_subscriber("websocket", gateway, [one, two], rcvbuf=8192)
    fill(gateway, sub, one, payloads_of(30000))
    sub.wire.send_object({"type": said, "channels": [third if said == "subscribe" else one]})
    # Published after that was answered, on the same connection.
    sub.wire.send_object({"type": "publish", "channel": two, "data": "behind", "ref": 1})
    eventually(lambda: history(gateway, [two]))
    if said == "subscribe":
        # It is to catch up now, and live messages are not queued for it: answers are.
        before = gateway.metric("sluice_slow_consumers_total")
        while gateway.metric("sluice_slow_consumers_total") == before:
            sub.wire.send_object({"type": "ping", "data": "x" * 60000})
            gateway.publish(two, "x" * 30000)
    else:
        overflow(gateway, two, payloads_of(30000), 0)
    resume_and_compare(gateway, sub, names, history(gateway, names))
    sub.close()


@pytest.mark.parametrize("transport", STREAMING)
def test_heartbeat_behind_dropped_messages_is_not_sent(start_gateway, channel, transport):
    """verify=1 has heartbeats queued while the client does not read."""
    gateway = start_gateway("--outbox", "4M", "--history-bytes", "64M",
                            "--history-messages", "100000")
    sub = open_subscriber(transport, gateway, channel, rcvbuf=8192, verify=1, heartbeat=60)
    beats = gateway.metric("sluice_heartbeats_total")
    first = fill(gateway, sub, channel, payloads_of(30000))
    gateway.publish_all(channel, payloads_of(100)(first, 1000))
    eventually(lambda: gateway.metric("sluice_heartbeats_total") > beats)
    overflow(gateway, channel, payloads_of(30000), first + 1000)
    resume_and_compare(gateway, sub, [channel], history(gateway, [channel]))
    sub.close()
