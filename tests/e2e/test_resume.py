"""Cursors and gaps: from any transport to any other, nothing lost, nothing doubled,
and what history no longer holds is told."""

import pytest

from checks import check_error
from sluicetest import STREAMING, TRANSPORTS, Gap, Http, SseReader, eventually, open_subscriber
from sluicetest.subscriber import split_cursor

OTHER_EPOCH = "00000001-5"
HISTORY = 1000  # messages a channel, by default


def above(cursor, count):
    epoch, seq = split_cursor(cursor)
    return "%s-%d" % (epoch, seq + count)


@pytest.mark.parametrize("second", TRANSPORTS)
@pytest.mark.parametrize("first", TRANSPORTS)
def test_switch_of_transport_loses_and_doubles_nothing(gateway, channel, first, second):
    before = open_subscriber(first, gateway, channel)
    gateway.publish_all(channel, range(5))
    got = before.next_data(3)
    before.cut()
    gateway.publish_all(channel, range(5, 8))
    with open_subscriber(second, gateway, channel, since=before.seen[2]["id"]) as after:
        gateway.publish_all(channel, range(8, 10))
        assert got + after.next_data(7) == list(range(10))
        gateway.publish(channel, "end")
        assert after.next_message()["data"] == "end"
        assert after.gaps == []


def test_resume_at_every_message_of_several_channels(gateway, channel, transport):
    names = [channel + ".a", channel + ".b", channel + ".c"]
    ids = [gateway.publish(names[n % 3], n) for n in range(6)]
    for n in range(6):
        with open_subscriber(transport, gateway, names, since=ids[n]) as sub:
            assert sub.next_data(5 - n) == list(range(n + 1, 6))


def test_one_cursor_covers_channels_it_never_saw(gateway, channel, transport):
    cursor = gateway.publish(channel, 0)
    gateway.publish(channel + ".x", 1)
    gateway.publish(channel, 2)
    with open_subscriber(transport, gateway, [channel, channel + ".x"], since=cursor) as sub:
        assert sub.next_data(2) == [1, 2]


def test_since_zero_brings_everything_held(gateway, channel, transport):
    gateway.publish_all(channel, range(10))
    with open_subscriber(transport, gateway, channel, since="0") as sub:
        assert sub.next_data(10) == list(range(10))
        gateway.publish(channel, "live")
        assert sub.next_message()["data"] == "live"


def test_since_zero_of_an_evicted_channel_is_told_no_gap(gateway, channel, transport):
    gateway.publish_all(channel, range(HISTORY + 10))
    with open_subscriber(transport, gateway, channel, since="0") as sub:
        assert sub.next_data(HISTORY) == list(range(10, HISTORY + 10))
        assert sub.gaps == []


def test_since_zero_of_an_empty_channel(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel, since="0") as sub:
        if transport in STREAMING:
            gateway.publish(channel, 1)
            assert sub.next_message()["data"] == 1
        else:
            with pytest.raises(TimeoutError):
                sub.next_message(1)
            gateway.publish(channel, 1)
            assert sub.next_message()["data"] == 1


def test_absent_since_starts_now(gateway, channel, transport):
    gateway.publish_all(channel, ["old", "older"])
    with open_subscriber(transport, gateway, channel) as sub:
        gateway.publish(channel, "new")
        assert sub.next_message()["data"] == "new"


def test_other_epoch_gets_a_gap_for_each_channel_then_all_held(gateway, channel, transport):
    names = [channel + ".a", channel + ".b"]
    ids = [gateway.publish(names[n % 2], n) for n in range(6)]
    with open_subscriber(transport, gateway, names, since=OTHER_EPOCH) as sub:
        gaps = [sub.next_object(), sub.next_object()]
        for gap in gaps:
            assert list(gap) == ["type", "channel", "after", "resumed"], gap
            assert gap["type"] == "gap" and gap["after"] == OTHER_EPOCH
            assert split_cursor(gap["resumed"])[0] == split_cursor(ids[0])[0]
            assert split_cursor(gap["resumed"])[1] < split_cursor(ids[0])[1]
        assert sorted(gap["channel"] for gap in gaps) == names
        assert sub.next_data(6) == list(range(6))
        gateway.publish(names[0], "live")
        assert sub.next_message()["data"] == "live"


def test_gaps_of_sixty_four_channels_are_all_told(gateway, channel, transport):
    names = ["%s.%d" % (channel, n) for n in range(64)]
    gateway.publish(names[63], "held")
    with open_subscriber(transport, gateway, names, since=OTHER_EPOCH) as sub:
        gaps = [sub.next_object() for _ in range(64)]
        assert sorted(g["channel"] for g in gaps) == sorted(names)
        assert sub.next_message()["data"] == "held"


def test_evicted_messages_are_told_exactly(gateway, channel, transport):
    ids = gateway.publish_all(channel, range(HISTORY + 20))
    with open_subscriber(transport, gateway, channel, since=ids[4]) as sub:
        with pytest.raises(Gap) as told:
            sub.next_message()
        gap = told.value.obj
        assert gap["channel"] == channel and gap["after"] == ids[4]
        assert gap["resumed"] == ids[19], "the last evicted message"
        assert sub.next_data(HISTORY) == list(range(20, HISTORY + 20))


def test_cursor_at_the_last_evicted_message_is_told_no_gap(gateway, channel, transport):
    ids = gateway.publish_all(channel, range(HISTORY + 3))
    with open_subscriber(transport, gateway, channel, since=ids[2]) as sub:
        assert sub.next_message()["data"] == 3
        assert sub.gaps == []


def test_gap_names_only_the_channel_that_lost(gateway, channel, transport):
    quiet = channel + ".quiet"
    first = gateway.publish(quiet, "q1")
    gateway.publish_all(channel, range(HISTORY + 5))
    gateway.publish(quiet, "q2")
    with open_subscriber(transport, gateway, [channel, quiet], since=first) as sub:
        with pytest.raises(Gap) as told:
            sub.next_message()
        assert told.value.obj["channel"] == channel
        got = sub.next_data(HISTORY + 1)
        assert got == list(range(5, HISTORY + 5)) + ["q2"]
        assert len(sub.gaps) == 1


def test_cursor_above_the_head_of_this_epoch_is_told_a_gap(gateway, channel, transport):
    """The memory backend's last number is really lower, so such a cursor is wrong."""
    cursor = above(gateway.publish(channel, "below"), 1000)
    with open_subscriber(transport, gateway, channel, since=cursor) as sub:
        got = eventually(lambda: sub.next_object())
        assert got["type"] == "gap" and got["channel"] == channel
        assert got["after"] == cursor


@pytest.mark.parametrize("since", [
    "", "x", "-1", "00", "1", "9f3a1c07", "9f3a1c07-", "-4182", "9F3A1C07-1", "9f3a1c07-01",
    "9f3a1c0-1", "9f3a1c07-9223372036854775808", "9f3a1c07-1x", "9f3a1c07-+1", "%00",
    "9f3a1c07-1%20", "0x0"])
def test_malformed_since_is_refused(gateway, channel, since):
    check_error(gateway.get("/stream?channels=%s&since=%s" % (channel, since)), 400)
    check_error(gateway.get("/poll?channels=%s&since=%s" % (channel, since)), 400)


@pytest.mark.parametrize("transport", STREAMING)
def test_position_of_an_idle_stream_follows_other_channels(gateway, channel, transport):
    """A resume at `open` brings what was published after it, and only that."""
    with open_subscriber(transport, gateway, channel) as sub:
        cursor = sub.opened["cursor"]
    gateway.publish(channel + ".other", 1)
    gateway.publish(channel, 2)
    with open_subscriber(transport, gateway, channel, since=cursor) as sub:
        assert sub.next_message()["data"] == 2


@pytest.mark.parametrize("transport", STREAMING)
def test_open_cursor_of_a_resume_is_where_it_resumes(gateway, channel, transport):
    ids = gateway.publish_all(channel, range(3))
    with open_subscriber(transport, gateway, channel, since=ids[0]) as sub:
        assert split_cursor(sub.opened["cursor"])[1] <= split_cursor(ids[0])[1]
        sub.cut()
    with open_subscriber(transport, gateway, channel, since=sub.opened["cursor"]) as sub:
        data = sub.next_data(2)
        assert data[-1] == 2 or sub.next_message()["data"] == 2


def test_heartbeat_cursors_resume_without_loss(gateway, channel):
    subs = [open_subscriber(t, gateway, channel, heartbeat=4) for t in STREAMING]
    gateway.publish(channel, 0)
    for sub in subs:
        sub.next_message()
    other = gateway.publish(channel + ".other", "moves the head")
    beats = [sub.await_control("heartbeat")["cursor"] for sub in subs]
    for sub, beat in zip(subs, beats):
        assert split_cursor(beat)[1] >= split_cursor(other)[1], \
            "an idle connection's position is the head"
        sub.close()
    gateway.publish(channel, 1)
    for beat in beats:
        with open_subscriber("poll", gateway, channel, since=beat) as after:
            assert after.next_message()["data"] == 1


def test_every_cursor_of_polls_resumes_without_loss(gateway, channel):
    cursors = []
    with open_subscriber("poll", gateway, channel) as sub:
        for n in range(10):
            gateway.publish(channel + ".other", n)
            gateway.publish(channel, n)
            assert sub.next_message()["data"] == n
            cursors.append(sub.cursor)
    for n, cursor in enumerate(cursors[:-1]):
        with open_subscriber("poll", gateway, channel, since=cursor) as again:
            assert again.next_data(9 - n) == list(range(n + 1, 10))


def test_empty_poll_moves_the_cursor_over_other_channels(gateway, channel):
    cursor = gateway.head()
    other = gateway.publish(channel + ".other", 1)
    response = gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, cursor))
    assert split_cursor(response.json()["cursor"])[1] >= split_cursor(other)[1]


# Last-Event-ID.

def sse(gateway, channel, extra="", **headers):
    http = Http(gateway.address)
    http.send_request("GET", "/sse?channels=%s%s" % (channel, extra), headers)
    assert http.read_head().status == 200, http.response
    return http, SseReader(http)


def test_last_event_id_wins_over_since(gateway, channel):
    ids = gateway.publish_all(channel, range(4))
    http, reader = sse(gateway, channel, "&since=" + ids[0], **{"Last-Event-ID": ids[2]})
    with http:
        assert reader.next_event().name == "open"
        assert reader.next_event().id == ids[3]


def test_last_event_id_alone_resumes(gateway, channel):
    ids = gateway.publish_all(channel, range(3))
    http, reader = sse(gateway, channel, **{"Last-Event-ID": ids[0]})
    with http:
        assert reader.next_event().name == "open"
        assert [reader.next_event().id for _ in range(2)] == ids[1:]


@pytest.mark.parametrize("value", ["x", "1", "9f3a1c07-01", "\"quoted\"", "9F3A1C07-5", "-"])
def test_malformed_last_event_id_counts_as_another_epoch(gateway, channel, value):
    ids = gateway.publish_all(channel, range(2))
    http, reader = sse(gateway, channel, "&since=" + ids[0], **{"Last-Event-ID": value})
    with http:
        assert reader.next_event().name == "open"
        assert reader.next_event().name == "gap"
        assert [reader.next_event().id for _ in range(2)] == ids


NAMES = ["lastEventId", "lastEventID", "last_event_id", "Last-Event-ID", "evs_last_event_id"]


@pytest.mark.parametrize("name", NAMES)
def test_last_event_id_by_query_wins_over_since(gateway, channel, name):
    ids = gateway.publish_all(channel, range(4))
    http, reader = sse(gateway, channel, "&%s=%s&since=%s" % (name, ids[2], ids[0]))
    with http:
        assert reader.next_event().name == "open"
        assert reader.next_event().id == ids[3]


@pytest.mark.parametrize("name", NAMES)
def test_last_event_id_by_header_wins_over_the_query(gateway, channel, name):
    ids = gateway.publish_all(channel, range(4))
    http, reader = sse(gateway, channel, "&%s=%s" % (name, ids[0]), **{"Last-Event-ID": ids[2]})
    with http:
        assert reader.next_event().name == "open"
        assert reader.next_event().id == ids[3]


def test_last_event_id_by_query_that_is_no_cursor_counts_as_another_epoch(gateway, channel):
    ids = gateway.publish_all(channel, range(2))
    http, reader = sse(gateway, channel, "&lastEventId=undefined")
    with http:
        assert reader.next_event().name == "open"
        assert reader.next_event().name == "gap"
        assert [reader.next_event().id for _ in range(2)] == ids


def test_the_last_of_several_last_event_ids_counts(gateway, channel):
    ids = gateway.publish_all(channel, range(4))
    http, reader = sse(gateway, channel, "&last_event_id=%s&lastEventId=%s&lastEventId=%s&Last-Event-ID="
                       % (ids[0], ids[1], ids[2]))
    with http:
        assert reader.next_event().name == "open"
        assert reader.next_event().id == ids[3]


def test_last_event_id_means_nothing_to_other_transports(gateway, channel):
    ids = gateway.publish_all(channel, range(3))
    with open_subscriber("stream", gateway, channel, since=ids[1], lastEventId=ids[0],
                         headers={"Last-Event-ID": ids[0]}) as sub:
        assert sub.next_message()["id"] == ids[2]


def test_gap_event_ids_are_resumable(gateway, channel):
    """A native EventSource cut right after a gap sends the gap's id."""
    gateway.publish_all(channel, range(3))
    http, reader = sse(gateway, channel, "&since=" + OTHER_EPOCH)
    with http:
        reader.next_event()
        gap = reader.next_event()
        assert gap.name == "gap"
    http, reader = sse(gateway, channel, **{"Last-Event-ID": gap.id})
    with http:
        assert reader.next_event().name == "open"
        event = reader.next_event()
        assert event.name == "message", "a gap was told twice"
        with open_subscriber("poll", gateway, channel, since="0") as sub:
            assert event.id == sub.next_message()["id"]


def test_several_gap_events_have_ids_that_lose_nothing(gateway, channel):
    """Cut between two gaps: the second channel's loss is told again or was told."""
    names = [channel + ".a", channel + ".b"]
    ids = [gateway.publish(names[n % 2], n) for n in range(4)]
    http, reader = sse(gateway, ",".join(names), "&since=" + OTHER_EPOCH)
    with http:
        reader.next_event()
        first = reader.next_event()
        assert first.name == "gap"
    http, reader = sse(gateway, ",".join(names), **{"Last-Event-ID": first.id})
    with http:
        got = []
        while len(got) < 4:
            event = reader.next_event()
            if event.name == "message":
                got.append(event.id)
        assert got == ids


# Age and history options.

def test_messages_past_their_age_are_told_as_gaps(start_gateway, channel):
    gateway = start_gateway("--history-age", "1")
    first = gateway.publish(channel, 0)
    second = gateway.publish(channel, 1)

    def gone():
        answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
        return answer["messages"] == []
    eventually(gone)
    with open_subscriber("stream", gateway, channel, since=first) as sub:
        gap = sub.next_object()
        assert gap["type"] == "gap" and gap["after"] == first and gap["resumed"] == second
        gateway.publish(channel, 2)
        assert sub.next_message()["data"] == 2


def test_byte_limit_of_a_channel_evicts_and_tells(start_gateway, channel, transport):
    gateway = start_gateway("--history-bytes", "16K")
    ids = gateway.publish_all(channel, ["%03d" % n + "x" * 1000 for n in range(40)])
    with open_subscriber(transport, gateway, channel, since=ids[0]) as sub:
        gap = sub.next_object()
        assert gap["type"] == "gap"
        resumed = ids.index(gap["resumed"])
        assert 20 < resumed < 39
        got = [d[:3] for d in sub.next_data(39 - resumed)]
        assert got == ["%03d" % n for n in range(resumed + 1, 40)]


def test_forgotten_channels_are_told_by_the_floor(start_gateway, channel):
    """The limit of channels forgets the oldest of whoever has most; a cursor below is told."""
    gateway = start_gateway("--max-channels-total", "32")
    first = gateway.publish(channel, "a")
    gateway.publish(channel, "b")
    for n in range(60):
        gateway.publish("%s.%d" % (channel, n), "x")
    with open_subscriber("stream", gateway, channel, since=first) as sub:
        gap = sub.next_object()
        assert gap["type"] == "gap" and gap["after"] == first, gap
        gateway.publish(channel, "c")
        assert sub.next_message()["data"] == "c"


def test_a_restarted_gateway_has_another_epoch(start_gateway, channel):
    one = start_gateway()
    cursor = one.publish(channel, 1)
    one.stop()
    two = start_gateway()
    assert split_cursor(two.publish(channel, 2))[0] != split_cursor(cursor)[0]
    with open_subscriber("sse", two, channel, since=cursor) as sub:
        assert sub.next_object()["type"] == "gap"
        assert sub.next_message()["data"] == 2
