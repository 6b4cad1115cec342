"""What happens to a log that is elsewhere, and what clients see of it: numbers that never come, a purge, another
log, one that is out of reach, publishes of which nobody knows the outcome. sluice-slow does it when it is told to
(tests/backend/slow.h)."""

import threading
import time

import pytest

from checks import check_error
from sluicetest import (
    HELD, STREAMING, TRANSPORTS, Bye, Closed, CloseFrame, Gap, SharedGateway, WebSocket, eventually,
    open_subscriber)
from sluicetest.subscriber import split_cursor

CONTROL = "slow.control"


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--backend", "slow", "--shards", "2") as shared:
        yield shared


@pytest.fixture(autouse=True)
def back(gateway):
    yield
    order(gateway, "back")


def order(gateway, *words):
    """Has it happen, and waits until it has; returns the head."""
    return gateway.publish(CONTROL, " ".join(str(word) for word in words))


def seq_of(cursor):
    return split_cursor(cursor)[1]


# ---- numbers that never come ----

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_lost_numbers_are_a_gap_for_who_is_there(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        first = gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1
        head = order(gateway, "lose", 50)
        assert seq_of(head) >= seq_of(first) + 50
        gateway.publish(channel, 2)
        with pytest.raises(Gap) as gap:
            sub.next_message()
        assert gap.value.obj["channel"] == channel
        assert seq_of(first) <= seq_of(gap.value.obj["after"]) < seq_of(head)
        assert gap.value.obj["resumed"] == head
        assert sub.next_message()["data"] == 2
        gateway.publish(channel, 3)
        assert sub.next_message()["data"] == 3
        assert len(sub.gaps) == 1


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_lost_numbers_are_a_gap_for_who_comes_back(gateway, channel, transport):
    cursor = gateway.publish(channel, 1)
    gateway.publish(channel, 2)
    head = order(gateway, "lose", 5)
    gateway.publish(channel, 3)
    with open_subscriber(transport, gateway, [channel, channel + ".other"], since=cursor) as sub:
        gaps = []
        for _ in range(2):
            with pytest.raises(Gap) as gap:
                sub.next_message()
            gaps.append(gap.value.obj["channel"])
            assert gap.value.obj["after"] == cursor and gap.value.obj["resumed"] == head
        assert sorted(gaps) == [channel, channel + ".other"]
        assert sub.next_message()["data"] == 3
    with open_subscriber(transport, gateway, channel, since=head) as sub:
        assert sub.next_message()["data"] == 3
        assert not sub.gaps


def test_lost_numbers_are_counted(gateway, channel):
    before = gateway.stats()["backend"]["lost"]
    order(gateway, "lose", 7)
    assert gateway.stats()["backend"]["lost"] == before + 7
    assert gateway.metric("sluice_backend_lost_total") == before + 7


# ---- a purge ----

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_purge_is_a_gap_for_who_comes_back_and_none_for_who_has_it_all(gateway, channel, transport):
    ids = gateway.publish_all(channel, range(5))
    with open_subscriber(transport, gateway, channel, since=ids[4]) as there:
        order(gateway, "purge", seq_of(ids[2]))
        with open_subscriber(transport, gateway, channel, since=ids[0]) as sub:
            with pytest.raises(Gap) as gap:
                sub.next_message()
            assert gap.value.obj["after"] == ids[0] and gap.value.obj["resumed"] == ids[2]
            assert sub.next_data(2) == [3, 4]
        with open_subscriber(transport, gateway, channel, since=ids[2]) as sub:
            assert sub.next_data(2) == [3, 4]
            assert not sub.gaps
        gateway.publish(channel, 5)
        assert there.next_message()["data"] == 5
        assert not there.gaps


# ---- another log ----

@pytest.mark.parametrize("transport", STREAMING)
def test_another_log_ends_streams_which_come_back_to_all_of_it(gateway, channel, transport):
    order(gateway, "reset")  # so that numbers are small
    with open_subscriber(transport, gateway, channel) as sub:
        ids = gateway.publish_all(channel, ["a", "b", "c"])
        assert sub.next_data(3) == ["a", "b", "c"]
        order(gateway, "reset")
        with pytest.raises(Bye) as bye:
            sub.next_message()
        assert bye.value.obj["reason"] == "epoch" and bye.value.obj["retry"] >= 500
        with pytest.raises((Closed, CloseFrame)) as end:
            sub.next_object()
        if transport == "websocket":
            assert end.value.code == 4003
    # As many numbers as the log before had, and more: none of them hides behind the old cursor.
    new = gateway.publish_all(channel, range(40))
    assert split_cursor(new[0])[0] != split_cursor(ids[0])[0]
    assert seq_of(new[-1]) > seq_of(ids[-1])
    with open_subscriber(transport, gateway, channel, since=sub.cursor) as after:
        with pytest.raises(Gap):
            after.next_message()
        assert after.next_data(40) == list(range(40))
        assert [message["id"] for message in after.seen] == new
        gateway.publish(channel, "live")
        assert after.next_message()["data"] == "live"
        assert len(after.gaps) == 1


def test_another_log_answers_a_held_poll_and_tells_the_next_one(gateway, channel):
    ids = gateway.publish_all(channel, ["a", "b"])
    answers = []

    def poll():
        answers.append(gateway.get("/poll?channels=%s&since=%s&wait=25" % (channel, ids[1])).json())
    thread = threading.Thread(target=poll)
    thread.start()
    eventually(lambda: gateway.stats()["transports"]["longpoll"]["connections"] == 1)
    order(gateway, "reset")
    thread.join(10)
    assert answers and answers[0]["messages"] == [] and answers[0]["gaps"] == []
    assert answers[0]["cursor"] == ids[1]
    gateway.publish_all(channel, range(20))
    answer = gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, answers[0]["cursor"])).json()
    assert len(answer["gaps"]) == 1 and answer["gaps"][0]["after"] == ids[1]
    assert [message["data"] for message in answer["messages"]] == list(range(20))


def test_another_log_forgets_keys_and_what_was_on_its_way(gateway, channel):
    first = gateway.publish(channel, 1, key="key-of-reset")
    assert gateway.publish(channel, 1, key="key-of-reset") == first
    order(gateway, "away")
    answers = []

    def publish():
        answers.append(gateway.request("POST", "/publish?channel=" + channel,
                                       {"Content-Type": "text/plain"}, b"lost"))
    thread = threading.Thread(target=publish)
    thread.start()
    eventually(lambda: gateway.stats()["bus"]["pending_now"] >= 1)
    order(gateway, "reset")
    thread.join(10)
    check_error(answers[0], 500, "unknown_outcome")
    order(gateway, "back")
    again = gateway.publish(channel, 1, key="key-of-reset")
    assert split_cursor(again)[0] != split_cursor(first)[0]
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    assert [message["data"] for message in answer["messages"]] == [1]


class Reader(threading.Thread):
    """Reads a channel on one transport to the end, through logs that come and go."""

    def __init__(self, transport, gateway, channel):
        super().__init__()
        self.arguments = transport, gateway, channel
        self.cursor = "0"
        self.ids = []
        self.failure = None
        self.start()

    def run(self):
        try:
            while not self._read():
                pass
        except Exception as failure:  # told by the test
            self.failure = failure

    def _read(self):
        """One connection; true at the end."""
        with open_subscriber(*self.arguments, since=self.cursor) as sub:
            try:
                while True:
                    obj = sub.next_object(20)
                    if "type" not in obj:
                        self.ids.append(obj["id"])
                        if obj["data"] == "end":
                            return True
                    elif obj["type"] == "bye":
                        assert obj["reason"] == "epoch", obj
                        return False
            finally:
                self.cursor = sub.cursor


def write(gateway, channel, stop, accepted):
    """Publishes until told to stop; notes what was accepted."""
    with gateway.connect() as http:
        number = 0
        while not stop.is_set():
            answer = http.request("POST", "/publish?channel=" + channel,
                                  {"Content-Type": "application/json"}, b"%d" % number)
            if answer.status == 200:
                accepted.append(answer.json()["id"])
            else:
                check_error(answer, 500, "unknown_outcome")
            number += 1


@pytest.mark.shards
def test_another_log_hides_doubles_and_mixes_nothing(gateway, channel):
    """Readers on all streams, writers, and a log that changes under them. In each log a reader sees all from the
    first message up to where it was ended; in the last one everything."""
    order(gateway, "reset")
    accepted, stop = [], threading.Event()
    readers = [Reader(transport, gateway, channel) for transport in STREAMING for _ in range(2)]
    writers = [threading.Thread(target=write, args=(gateway, channel, stop, accepted)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(12):
        time.sleep(0.15)
        order(gateway, "reset")
    time.sleep(0.3)
    stop.set()
    for writer in writers:
        writer.join(20)
    end = gateway.publish(channel, "end")
    logs = {}
    for cursor in accepted + [end]:
        epoch, seq = split_cursor(cursor)
        logs.setdefault(epoch, set()).add(seq)
    for reader in readers:
        reader.join(30)
        assert not reader.is_alive() and reader.failure is None, reader.failure
        check_prefixes(reader.ids, logs)
        last = split_cursor(end)[0]
        assert {seq_of(i) for i in reader.ids if split_cursor(i)[0] == last} >= logs[last]


def check_prefixes(ids, logs):
    """Each log in one piece, rising, and of what was accepted in it nothing left out before the last that came."""
    assert len(set(ids)) == len(ids), "doubled"
    epochs = [split_cursor(i)[0] for i in ids]
    order_of = sorted(set(epochs), key=epochs.index)
    assert epochs == sorted(epochs, key=order_of.index), "a log came back"
    for epoch in order_of:
        seqs = [seq_of(i) for i in ids if split_cursor(i)[0] == epoch]
        assert seqs == sorted(seqs)
        missing = {seq for seq in logs.get(epoch, ()) if seq <= seqs[-1]} - set(seqs)
        assert not missing, (epoch, missing)


# ---- formats that cannot tell ----

def raw_websocket(gateway, channel):
    ws = WebSocket(gateway.address)
    assert ws.handshake("/ws?format=raw&channels=" + channel).status == 101
    return ws


@pytest.mark.parametrize("words,code", [(("lose", 9), 4001), (("reset",), 4003)])
def test_a_raw_websocket_is_ended_with_a_code_that_says_why(gateway, channel, words, code):
    with raw_websocket(gateway, channel) as ws:
        gateway.publish(channel, "x")
        assert ws.next_data() is not None
        order(gateway, *words)
        with pytest.raises(CloseFrame) as close:
            ws.next_data()
        assert close.value.code == code


def test_a_raw_poll_tells_in_a_header(gateway, channel):
    cursor = gateway.publish(channel, "x")
    head = order(gateway, "lose", 3)
    gateway.publish(channel, "y")
    target = "/poll?format=raw&channels=%s&wait=0&since=%s"
    answer = gateway.get(target % (channel, cursor))
    assert answer.header("Sluice-Gap") == "after=%s resumed=%s" % (cursor, head)
    assert answer.body == b"y"
    order(gateway, "reset")
    gateway.publish(channel, "z")
    answer = gateway.get(target % (channel, cursor))
    assert answer.header("Sluice-Gap").startswith("after=%s resumed=" % cursor)
    assert answer.body == b"z"


# ---- out of reach ----

def test_away_is_not_ready_serves_what_it_has_and_lets_publishes_wait(gateway, channel):
    gateway.publish_all(channel, range(3))
    assert gateway.get("/readyz").status == 200
    order(gateway, "away")
    check_error(gateway.get("/readyz"), 503, "backend")
    assert gateway.stats()["backend"]["connected"] is False
    assert gateway.metric("sluice_backend_connected") == 0
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    assert [message["data"] for message in answer["messages"]] == [0, 1, 2]
    ids = []
    thread = threading.Thread(target=lambda: ids.append(gateway.publish(channel, 3)))
    thread.start()
    eventually(lambda: gateway.stats()["bus"]["pending_now"] >= 1)
    thread.join(0.3)
    assert not ids
    order(gateway, "back")
    thread.join(10)
    assert len(ids) == 1
    assert gateway.get("/readyz").status == 200
    stats = gateway.stats()["backend"]
    assert stats["connected"] is True and stats["away_ms"] >= 300
    assert gateway.metric("sluice_backend_away_seconds_total") >= 0.3
    assert gateway.metric("sluice_backend_connected") == 1


@pytest.mark.parametrize("transport", HELD)
def test_streams_stay_open_while_it_is_away(gateway, channel, transport):
    gateway.publish(channel, 0)
    with open_subscriber(transport, gateway, channel, since="0") as sub:
        assert sub.next_message()["data"] == 0
        order(gateway, "away")
        if transport in STREAMING:
            assert sub.await_control("backend")["state"] == "away"
        order(gateway, "back")
        if transport in STREAMING:
            assert sub.await_control("backend")["state"] == "back"
        gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1
        assert not sub.gaps


# ---- nobody knows ----

def test_unknown_outcome_is_told_and_a_key_finds_out(gateway, channel):
    before = gateway.stats()["backend"]["unknown"]
    order(gateway, "unknown", 2)  # the first is not stored, the second is
    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-of-unknown"}
    for stored in (0, 1):
        check_error(gateway.request("POST", "/publish?channel=" + channel, headers, b"1"),
                    500, "unknown_outcome")
        answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
        assert len(answer["messages"]) == stored
    assert gateway.publish(channel, 1, key="key-of-unknown") == answer["messages"][0]["id"]
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
    assert len(answer["messages"]) == 1
    assert gateway.stats()["backend"]["unknown"] == before + 2


def test_a_cursor_that_the_log_may_have_reached_is_believed(gateway, channel):
    epoch, seq = split_cursor(gateway.publish(channel, 0))
    order(gateway, "ahead", 100)
    target = "/poll?channels=%s&wait=0&since=%s-%d"
    assert gateway.get(target % (channel, epoch, seq + 100)).json()["gaps"] == []
    assert len(gateway.get(target % (channel, epoch, seq + 101)).json()["gaps"]) == 1
    order(gateway, "ahead", 0)
    assert len(gateway.get(target % (channel, epoch, seq + 1)).json()["gaps"]) == 1


# ---- how long it takes ----

def test_the_time_of_publishes_is_a_histogram(gateway, channel):
    count = gateway.metric("sluice_publish_seconds_count")
    total = gateway.metric("sluice_publish_seconds_sum")
    gateway.publish_all(channel, range(20))
    assert gateway.metric("sluice_publish_seconds_count") == count + 20
    assert gateway.metric("sluice_publish_seconds_bucket", le="+Inf") == count + 20
    assert total < gateway.metric("sluice_publish_seconds_sum") < total + 20
