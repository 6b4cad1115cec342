"""Limits of one client where its wishes are carried out: publishes, deliveries, channels, frames, history.

Clients over TCP have an owner, their address; those on the Unix socket have none, and look on."""

import json
import signal
import time

import pytest

from checks import check_error, published
from sluicetest import (
    STREAMING, CloseFrame, Http, WebSocket, eventually, open_subscriber, request_bytes)
from sluicetest.websocket import CONT, PING, PONG, TEXT, frame_bytes

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def start(start_gateway, tmp_path):
    """Starts a gateway with limits; its own requests come from somebody without any. `tcp` is where its
    clients with limits connect."""
    def start(*options, **how):
        gateway = start_gateway("--listen", "127.0.0.1:0", "--listen", "unix:%s/s" % tmp_path,
                                "--limits", "on", *options, **how)
        gateway.address, gateway.tcp = sorted(
            gateway.listeners, key=lambda listener: not isinstance(listener, str))
        return gateway
    return start


def limited(gateway, limit):
    return gateway.metric("sluice_limited_total", limit=limit)


def open_websocket(gateway, channel, query=""):
    ws = WebSocket(gateway.tcp)
    assert ws.handshake("/ws?channels=%s%s" % (channel, query)).status == 101
    return ws


def publish_frame(channel, ref, data=None, **more):
    return frame_bytes(TEXT, json.dumps(dict(more, type="publish", channel=channel, ref=ref,
                                             data=ref if data is None else data)))


def read_answers(ws):
    """All objects until the close; they and the close."""
    objects = []
    try:
        while True:
            objects.append(ws.next_object())
    except CloseFrame as close:
        return objects, close


def of_type(objects, kind):
    return [one for one in objects if one.get("type") == kind]


def check_limited(error):
    assert error["code"] == "rate_limited" and error["message"], error
    assert isinstance(error["retry"], int) and error["retry"] >= 1000, error
    return error["retry"]


def check_end(objects, close):
    """The last words of who went on above a limit."""
    bye = objects[-1]
    assert bye["type"] == "bye" and bye["reason"] == "rate_limited", bye
    assert bye["retry"] >= 1000, bye
    assert (close.code, close.reason) == (1008, "rate_limited"), close


# ---- publishes ----

def test_flood_of_publishes_is_refused_then_closed_and_loses_nothing(start, channel):
    gateway = start("--publish-rate", 20, "--request-rate", 10)
    count = 400
    with open_subscriber("stream", gateway, channel) as watcher:
        with open_websocket(gateway, channel + ".own") as ws:
            ws.send(b"".join(publish_frame(channel, n) for n in range(count)))
            other = gateway.publish(channel, "from somebody else")
            objects, close = read_answers(ws)
        acks, errors = of_type(objects, "ack"), of_type(objects, "error")
        check_end(objects, close)
        for error in errors:
            check_limited(error)
            assert "--publish-rate" in error["message"]
        assert 40 <= len(acks) < count and 40 <= len(errors) < count
        # Each is answered once, in order, and what was acknowledged is there, no more and no less.
        assert [one["ref"] for one in objects if one["type"] in ("ack", "error")] == \
            list(range(len(acks) + len(errors)))
        wanted = {one["id"]: one["ref"] for one in acks}
        wanted[other] = "from somebody else"
        got = {}
        while len(got) < len(wanted):
            message = watcher.next_message()
            got[message["id"]] = message["data"]
        assert got == wanted
        last = gateway.publish(channel, "last")
        assert watcher.next_message()["id"] == last
    assert limited(gateway, "publishes") == len(errors)
    assert limited(gateway, "requests") == 1
    assert gateway.metric("sluice_streams_limited_total") == 1
    assert gateway.metric("sluice_limit_closes_total") == 1


def test_raw_flood_is_closed_at_the_first_message_that_is_too_much(start, channel):
    gateway = start("--publish-rate", 20)
    with open_websocket(gateway, channel, "&format=raw") as ws:
        ws.send(b"".join(frame_bytes(TEXT, "%d" % n) for n in range(400)))
        close = ws.await_close()
    assert (close.code, close.reason) == (1008, "rate_limited")
    assert limited(gateway, "publishes") == 1
    assert gateway.metric("sluice_limit_closes_total") == 1
    numbers = [int(text) for text in published(gateway, channel)]
    assert numbers == list(range(len(numbers))) and 40 <= len(numbers) < 400


def test_client_that_waits_as_it_is_told_gets_everything_through(start, channel):
    gateway = start("--publish-rate", 100, "--request-rate", 100)
    waited = 0
    with open_websocket(gateway, channel + ".own") as ws:
        todo = list(range(300))
        ids = {}
        while todo:
            ws.send(b"".join(publish_frame(channel, n, key="key-%05d" % n) for n in todo[:50]))
            refused = []
            for n in todo[:50]:
                answer = ws.next_object()
                while answer["type"] == "open":
                    answer = ws.next_object()
                if answer["type"] == "ack":
                    ids[answer["ref"]] = answer["id"]
                else:
                    refused.append(answer["ref"])
                    waited = max(waited, check_limited(answer))
            todo = refused + todo[50:]
            if refused:
                pause(waited)
    assert waited > 0
    assert {m["id"]: m["data"] for m in gateway.get(
        "/poll?channels=%s&since=0&wait=0" % channel).json()["messages"]} == \
        {id_: n for n, id_ in ids.items()}


def pause(ms):
    time.sleep(ms / 1000)


def test_posts_above_the_limit_are_429_with_retry_after(start, channel):
    gateway = start("--publish-rate", 10)
    target = "/publish?channel=" + channel

    def post(n):
        return request_bytes("POST", target, {"Content-Type": "application/json",
                                              "Idempotency-Key": "key-%05d" % n}, b"%d" % n)

    with Http(gateway.tcp) as http:
        http.send(b"".join(post(n) for n in range(40)))
        answers = [http.read_response() for _ in range(40)]
        refused = [n for n, answer in enumerate(answers) if answer.status != 200]
        assert refused
        for n in refused:
            check_error(answers[n], 429, "rate_limited")
            assert "--publish-rate" in answers[n].json()["error"]["message"]
            assert int(answers[n].header("Retry-After")) >= 1
        assert limited(gateway, "publishes") == len(refused)

        def try_again(n):
            http.send(post(n))
            return http.read_response().status == 200

        for n in refused:  # each in its own time
            eventually(lambda: try_again(n), pause=0.1)
    assert sorted(published(gateway, channel)) == list(range(40))


def test_published_bytes_are_limited(start, channel):
    gateway = start("--publish-bytes", "10K")
    with Http(gateway.tcp) as http:
        def post(size):
            return http.request("POST", "/publish?channel=" + channel,
                                {"Content-Type": "text/plain"}, b"x" * size)
        assert post(60000).status == 200  # more than the bucket of 40 KiB holds, once
        answer = post(1)
        check_error(answer, 429, "rate_limited")
        assert "--publish-bytes" in answer.json()["error"]["message"]
        assert int(answer.header("Retry-After")) >= 1
    assert limited(gateway, "published_bytes") == 1
    assert len(published(gateway, channel)) == 1


def test_raised_and_unlimited_clients_publish_more(start, channel):
    gateway = start("--publish-rate", 10, "--raise-limits", "127.0.0.2=off",
                    "--raise-limits", "127.0.0.3=100")
    for source in ("127.0.0.2", "127.0.0.3"):
        with Http(gateway.tcp, source=source) as http:
            for n in range(100):
                assert gateway.publish(channel, n, on=http)
    assert limited(gateway, "publishes") == 0


# ---- batches ----

def lines(channel, numbers):
    return "".join(json.dumps({"channel": channel, "data": n, "key": "key-%05d" % n}) + "\n"
                   for n in numbers).encode()


@pytest.mark.parametrize("backend", ["memory", "slow"])
def test_batch_ends_at_the_line_that_is_too_much(start, channel, backend):
    gateway = start("--publish-rate", 40, "--backend", backend)
    with Http(gateway.tcp) as http:
        answer = http.request("POST", "/publish", NDJSON, lines(channel, range(100)))
        assert answer.status == 200
        answers = [json.loads(line) for line in answer.body.splitlines()]
        first = next(n for n, one in enumerate(answers) if "error" in one)
        assert len(answers) == 100 and 80 <= first < 100
        for one in answers[first:]:
            assert one == answers[first]
        check_limited(answers[first]["error"])
        # The next begins with what is too much: nothing of it is published.
        whole = http.request("POST", "/publish", NDJSON, lines(channel, range(first, first + 40)))
        if whole.status != 200:
            check_error(whole, 429, "rate_limited")
            assert int(whole.header("Retry-After")) >= 1
        todo = list(range(100))  # the client repeats with its keys, in order, also what got through
        while todo:
            answer = http.request("POST", "/publish", NDJSON, lines(channel, todo[:50]))
            if answer.status == 429:
                pause(1000 * int(answer.header("Retry-After")))
                continue
            answers = [json.loads(line) for line in answer.body.splitlines()]
            done = sum("id" in one for one in answers)
            todo = todo[done:]
    numbers = published(gateway, channel)
    assert sorted(numbers) == list(range(100))
    if backend == "memory":
        assert numbers == list(range(100))


# ---- deliveries ----

def test_deliveries_are_charged_to_who_causes_them(start, channel):
    """20 receivers in two shards, 100 deliveries at once: five messages, of which one may be too much."""
    gateway = start("--delivery-rate", 100, "--shards", 2)
    watchers = [open_subscriber(STREAMING[n % 3], gateway, channel) for n in range(20)]
    batch = "".join(json.dumps({"data": n}) + "\n" for n in range(100)).encode()
    with Http(gateway.tcp) as http:
        answer = http.request("POST", "/publish?channel=" + channel, NDJSON, batch)
        got = [json.loads(line) for line in answer.body.splitlines()]
        ids = [one["id"] for one in got if "id" in one]
        assert 5 <= len(ids) <= 8, got
        assert "--delivery-rate" in got[-1]["error"]["message"]
        assert limited(gateway, "deliveries") == 1
        # A channel that nobody reads is refused too: the bucket is the client's.
        assert http.request("POST", "/publish?channel=%s.none" % channel,
                            {"Content-Type": "text/plain"}, b"x").status in (200, 429)
    last = gateway.publish(channel, "last")  # somebody else
    for watcher in watchers:
        for wanted in ids + [last]:
            assert watcher.next_message()["id"] == wanted
        watcher.close()


def test_large_messages_cost_more_deliveries(start, channel):
    gateway = start("--delivery-rate", 1000, "--publish-bytes", 0)
    watchers = [open_subscriber("stream", gateway, channel) for _ in range(20)]
    with Http(gateway.tcp) as http:
        def post():
            return http.request("POST", "/publish?channel=" + channel,
                                {"Content-Type": "text/plain"}, b"x" * 60000)
        assert post().status == 200  # 20 x 59 = 1180
        check_error(post(), 429, "rate_limited")
    for watcher in watchers:
        watcher.close()


@pytest.mark.parametrize("backend", ["memory", "slow"])
def test_repeated_key_causes_no_deliveries(start, channel, backend):
    gateway = start("--delivery-rate", 100, "--backend", backend)
    watchers = [open_subscriber("stream", gateway, channel) for _ in range(20)]
    with Http(gateway.tcp) as http:
        ids = {gateway.publish(channel, "once", key="key-00001", on=http) for _ in range(100)}
    assert len(ids) == 1
    assert limited(gateway, "deliveries") == 0
    for watcher in watchers:
        assert watcher.next_message()["id"] in ids
        watcher.close()


# ---- channels ----

def test_channels_subscribed_to_are_limited_and_the_stream_goes_on(start, channel):
    gateway = start("--subscribe-rate", 5)
    with open_websocket(gateway, channel) as ws:
        refused = None
        for n in range(20):
            names = ["%s.%d" % (channel, 10 * (n % 5) + i) for i in range(10)]
            ws.send_object({"type": "subscribe", "channels": names, "ref": n})
            answer = ws.next_object()
            while answer["type"] == "open":
                answer = ws.next_object()
            if answer["type"] == "error":
                refused = answer
                break
            ws.send_object({"type": "unsubscribe", "channels": names})
            assert ws.next_object()["type"] == "unsubscribed"
        assert refused and refused["ref"] == n
        wait = check_limited(refused)
        assert "--subscribe-rate" in refused["message"]
        assert limited(gateway, "subscribes") == 1
        id_ = gateway.publish(channel, "goes on")
        assert ws.next_object()["id"] == id_
        pause(wait)
        ws.send_object({"type": "subscribe", "channels": [channel + ".later"], "ref": "again"})
        assert ws.next_object()["type"] == "subscribed"


# ---- what is no publish ----

def flood_of(kind, channel):
    if kind == "ping frames":
        return frame_bytes(PING, b"x")
    if kind == "pong frames":
        return frame_bytes(PONG, b"x")
    if kind == "pings":
        return frame_bytes(TEXT, json.dumps({"type": "ping"}))
    if kind == "unsubscribes":
        return frame_bytes(TEXT, json.dumps({"type": "unsubscribe", "channels": ["nothing"]}))
    if kind == "subscribes to what there is":
        return frame_bytes(TEXT, json.dumps({"type": "subscribe", "channels": [channel]}))
    if kind == "nonsense":
        return frame_bytes(TEXT, "nonsense")
    assert kind == "fragments"
    return frame_bytes(TEXT, '{"type":"publish","channel":"%s","data":1' % channel, fin=False) + \
        frame_bytes(CONT, b"", fin=False) * 64 + frame_bytes(CONT, b"}")


@pytest.mark.parametrize("kind", ["ping frames", "pong frames", "pings", "unsubscribes",
                                  "subscribes to what there is", "nonsense", "fragments"])
def test_flood_of_what_is_no_publish_is_closed(start, channel, kind):
    gateway = start("--request-rate", 10)
    with open_websocket(gateway, channel) as ws:
        ws.send(flood_of(kind, channel) * 200)
        objects, close = read_answers(ws)
        check_end(objects, close)
    answered = len(ws.pongs) + len(objects) - 2  # open and bye
    if kind != "pong frames":
        assert (8 if kind == "fragments" else 30) <= answered <= 199
    assert limited(gateway, "requests") == 1
    assert gateway.metric("sluice_streams_limited_total") == 1


def test_whole_messages_and_those_of_few_frames_take_no_requests(start, channel):
    gateway = start("--request-rate", 1)
    with open_websocket(gateway, channel + ".own") as ws:
        assert ws.next_object()["type"] == "open"
        text = publish_frame(channel, 1)
        halves = frame_bytes(TEXT, '{"type":"publish","channel":"%s"' % channel, fin=False) + \
            frame_bytes(CONT, ',"data":1}')
        for _ in range(100):
            ws.send(text + halves)
            assert [ws.next_object()["type"] for _ in range(2)] == ["ack", "ack"]
    assert limited(gateway, "requests") == 0


# ---- history ----

PAYLOAD = "x" * 1000
KEPT = ["--history-messages", "1000", "--history-bytes", "16M"]


def test_readers_of_history_are_paced_and_get_everything_in_order(start, channel):
    count, readers = 100, 16
    gateway = start("--history-rate", "400K", *KEPT)
    ids = gateway.publish_all(channel, ["%05d%s" % (n, PAYLOAD) for n in range(count)])
    before = gateway.metric("sluice_behind_reads_total")
    subs = [open_subscriber(STREAMING[n % 3], gateway, channel, since="0", listener=gateway.tcp)
            for n in range(readers)]
    for sub in subs:
        for wanted in ids:
            assert sub.next_message()["id"] == wanted
        assert sub.gaps == []
    reads = gateway.metric("sluice_behind_reads_total") - before
    assert gateway.metric("sluice_history_waits_total") > 0
    assert limited(gateway, "history_bytes") > 0
    # 64 messages a read and one that finds nothing more: waiting reads nothing.
    assert reads <= readers * (count // 64 + 3)
    last = gateway.publish(channel, "last")
    for sub in subs:
        assert sub.next_message()["id"] == last
        sub.close()


def test_streams_that_wait_for_history_beat_and_say_bye(start, channel):
    gateway = start("--history-rate", "2K", "--heartbeat", 4, *KEPT)
    gateway.publish_all(channel, [PAYLOAD * 10] * 30)
    subs = [open_subscriber(transport, gateway, channel, since="0", listener=gateway.tcp)
            for transport in STREAMING]
    for sub in subs:
        sub.await_control("heartbeat")
        assert len(sub.seen) < 30
    gateway.signal(signal.SIGTERM)
    for sub in subs:
        assert sub.await_control("bye")["reason"] == "draining"
        assert len(sub.seen) < 30
        sub.close()
    gateway.wait()


@pytest.mark.parametrize("transport", ["longpoll", "poll"])
def test_answers_read_history_until_it_is_too_much(start, channel, transport):
    gateway = start("--history-rate", "2K", *KEPT)
    gateway.publish_all(channel, [PAYLOAD * 10] * 30)
    wait = 25 if transport == "longpoll" else 0
    with Http(gateway.tcp) as http:
        def poll(since):
            return http.request("GET", "/poll?channels=%s&since=%s&wait=%d" % (channel, since, wait))
        answer = poll(0)
        assert answer.status == 200 and len(answer.json()["messages"]) > 1
        again = poll(answer.json()["cursor"])
        check_error(again, 429, "rate_limited")
        assert "--history-rate" in again.json()["error"]["message"]
        assert int(again.header("Retry-After")) >= 1
        assert http.request("GET", "/poll?channels=%s&wait=0" % channel).status == 200


def test_held_poll_that_becomes_ready_is_answered_whatever_its_owner_owes(start, channel):
    gateway = start("--request-rate", 5, "--publish-rate", 1, *KEPT)
    cursor = gateway.get("/poll?channels=" + channel).json()["cursor"]
    with Http(gateway.tcp) as held, Http(gateway.tcp) as http:
        held.send_request("GET", "/poll?channels=%s&since=%s&wait=25" % (channel, cursor))
        eventually(lambda: gateway.metric("sluice_bus_channels") == 1)  # it is held: nobody else wants one
        statuses = [http.request("GET", "/stats").status for _ in range(60)]
        assert 429 in statuses
        id_ = gateway.publish(channel, "ready")
        answer = held.read_response()
        assert answer.status == 200
        assert [one["id"] for one in answer.json()["messages"]] == [id_]


def test_catching_up_costs_only_who_reads(start, channel):
    """A stream on the Unix socket has no owner, and those of another address have a bucket of their own."""
    gateway = start("--history-rate", "2K", *KEPT)
    ids = gateway.publish_all(channel, [PAYLOAD * 10] * 30)
    with open_subscriber("stream", gateway, channel, since="0", listener=gateway.tcp):
        with open_subscriber("stream", gateway, channel, since="0") as free:
            assert [free.next_message()["id"] for _ in ids] == ids
