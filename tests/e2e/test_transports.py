"""What each transport carries, and how: the json format."""

import json
import time

import pytest

from checks import STREAM_TYPES, check_message
from sluicetest import (
    STREAMING, Http, LineReader, WebSocket, open_subscriber)
from sluicetest.subscriber import split_cursor

streaming = pytest.mark.parametrize("transport", STREAMING)
bodies = pytest.mark.parametrize("transport", ["sse", "stream"])
polls = pytest.mark.parametrize("transport", ["longpoll", "poll"])


# The open object and messages.

@streaming
def test_open_comes_first_with_its_fields(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        opened = sub.opened
        assert list(opened) == ["type", "cursor", "transport", "heartbeat", "sent", "limits"]
        assert opened["type"] == "open"
        assert opened["transport"] == transport
        assert opened["heartbeat"] == 15
        assert opened["sent"] == 0
        assert opened["limits"] == {"message": 65536, "channels": 64}
        split_cursor(opened["cursor"])


@streaming
def test_open_tells_the_heartbeat_asked_for(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel, heartbeat=60) as sub:
        assert sub.opened["heartbeat"] == 60


def test_json_payload_comes_as_the_value_itself(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        value = {"a": [1, 2.5, None, True], "ü": "\u2028 \" \\ \n"}
        ident = gateway.publish(channel, value)
        obj = sub.next_message()
        check_message(obj, channel, data=value, id=ident)
        assert sub.cursor == ident


def test_text_payload_comes_as_a_json_string(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        text = "two\nlines\r\n\t\"quoted\" \\ \x00\x1f \u2028 \U0001f600"
        ident = gateway.publish(channel, text)
        check_message(sub.next_message(), channel, data=text, id=ident)


def test_binary_payload_comes_as_base64(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        gateway.publish(channel, bytes(range(256)))
        import base64
        want = base64.b64encode(bytes(range(256))).decode()
        check_message(sub.next_message(), channel, base64=want)
        gateway.publish(channel, b"\xff")
        check_message(sub.next_message(), channel, base64="/w==")


def test_empty_text_and_binary_payloads_are_messages(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        gateway.publish(channel, "")
        gateway.publish(channel, b"")
        check_message(sub.next_message(), channel, data="")
        check_message(sub.next_message(), channel, base64="")


def test_the_same_object_on_every_transport(gateway, channel):
    from sluicetest import TRANSPORTS
    subs = [open_subscriber(t, gateway, channel) for t in TRANSPORTS]
    gateway.publish(channel, {"n": 1})
    gateway.publish(channel, "text")
    first = [sub.next_message() for sub in subs]
    second = [sub.next_message() for sub in subs]
    for sub in subs:
        sub.close()
    assert all(obj == first[0] for obj in first)
    assert all(obj == second[0] for obj in second)


def test_times_are_microseconds_of_now(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        before = time.time_ns() // 1000
        gateway.publish(channel, 1)
        after = time.time_ns() // 1000
        assert before - 1000 <= sub.next_message()["time"] <= after + 1000


def test_several_channels_on_one_connection(gateway, channel, transport):
    names = [channel + s for s in (".a", ".b:1", "_c-2")]
    with open_subscriber(transport, gateway, names) as sub:
        for n in range(12):
            gateway.publish(names[n % 3], n)
        for n in range(12):
            check_message(sub.next_message(), names[n % 3], data=n)


def test_other_channels_are_not_delivered(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        gateway.publish(channel + ".other", 1)
        gateway.publish(channel[:-1], 2)
        gateway.publish(channel, 3)
        assert sub.next_message()["data"] == 3


def test_sixty_four_channels_are_served(gateway, channel, transport):
    names = ["%s.%d" % (channel, n) for n in range(64)]
    with open_subscriber(transport, gateway, names) as sub:
        for n in (0, 31, 63):
            gateway.publish(names[n], n)
        assert sub.next_data(3) == [0, 31, 63]


def test_a_channel_named_twice_is_delivered_once(gateway, channel, transport):
    with open_subscriber(transport, gateway, [channel, channel]) as sub:
        assert [gateway.publish(channel, n) for n in range(3)]
        assert sub.next_data(3) == [0, 1, 2]


def test_percent_encoded_channels_parameter(gateway, channel, transport):
    encoded = "".join("%%%02X" % byte for byte in (channel + ",x").encode())
    path = {"websocket": "/ws", "longpoll": "/poll"}.get(transport, "/" + transport)
    with WebSocket(gateway.address) as http:
        target = "%s?channels=%s" % (path, encoded)
        if transport == "websocket":
            assert http.handshake(target).status == 101
        else:
            http.send_request("GET", target)
            assert http.read_head().status == 200


def test_unknown_parameters_and_n_are_ignored(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel, n="8472", foo="bar") as sub:
        gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1


def test_a_message_of_the_largest_size_arrives(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        big = "x" * 65536
        gateway.publish(channel, big)
        assert sub.next_message()["data"] == big


def test_many_messages_in_one_burst_arrive_in_order(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel) as sub:
        gateway.publish_all(channel, range(500))
        assert sub.next_data(500) == list(range(500))


@streaming
def test_post_is_not_a_stream(gateway, channel, transport):
    path = {"websocket": "/ws"}.get(transport, "/" + transport)
    response = gateway.request("POST", path + "?channels=" + channel, {}, b"")
    assert response.status == 405, response


# Streaming responses: heads and framing.

@bodies
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_stream_head(gateway, channel, transport, version):
    with open_subscriber(transport, gateway, channel, version=version) as sub:
        response = sub.response
        assert response.status == 200
        kind = response.header("Content-Type").split(";")[0].strip()
        assert kind == STREAM_TYPES[transport]
        assert response.tokens("Cache-Control") == {"no-store", "no-transform"}
        assert response.header("X-Accel-Buffering") == "no"
        assert response.tokens("Connection") == {"close"}
        assert response.header("Content-Length") is None
        assert response.header("Sluice")
        assert response.is_chunked == (version == "1.1")
        assert (response.header("Transfer-Encoding") is None) == (version == "1.0")


@bodies
def test_http_1_0_stream_is_close_delimited_and_delivers(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel, version="1.0") as sub:
        gateway.publish(channel, "a")
        gateway.publish(channel, "b")
        assert sub.next_data(2) == ["a", "b"]


@bodies
def test_every_object_is_a_chunk_of_its_own(gateway, channel, transport):
    gateway.publish_all(channel, range(5))
    with Http(gateway.address) as http:
        http.send_request("GET", "/%s?channels=%s&since=0" % (transport, channel))
        http.read_head()
        chunks = [http.read_chunk() for _ in range(6)]
    for n, chunk in enumerate(chunks):
        if transport == "stream":
            assert chunk.endswith(b"\n") and chunk.count(b"\n") == 1, chunk
            obj = json.loads(chunk)
        else:
            assert chunk.endswith(b"\n\n") and chunk.count(b"\n\n") == 1, chunk
            obj = json.loads(chunk.split(b"data: ", 1)[1])
        assert obj["type"] == "open" if n == 0 else obj["data"] == n - 1


@bodies
def test_head_and_first_object_come_before_any_message(gateway, channel, transport):
    with Http(gateway.address) as http:
        http.send_request("GET", "/%s?channels=%s" % (transport, channel))
        assert http.read_head().status == 200
        assert b'"open"' in http.read_chunk()


def test_sse_message_is_id_and_data(gateway, channel):
    with open_subscriber("sse", gateway, channel) as sub:
        ident = gateway.publish(channel, [1])
        chunk = sub.wire.read_chunk()
        lines = chunk.decode().split("\n")
        assert lines[0] == "id: " + ident
        assert lines[1].startswith("data: {") and json.loads(lines[1][6:])["id"] == ident
        assert lines[2:] == ["", ""]


def test_sse_open_is_a_named_event_with_id(gateway, channel):
    with open_subscriber("sse", gateway, channel) as sub:
        assert sub.event.name == "open"
        assert sub.event.id == sub.opened["cursor"]


def test_websocket_sends_one_text_frame_an_object(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        gateway.publish(channel, 1)
        frame = sub.wire.read_frame()
        assert (frame.opcode, frame.fin) == (1, True)
        assert json.loads(frame.payload)["data"] == 1


@bodies
def test_a_client_that_ends_its_half_is_noticed(gateway, channel, transport):
    """A FIN from the client is its leaving: the gateway closes too."""
    with open_subscriber(transport, gateway, channel) as sub:
        sub.wire.shut()
        sub.wire.read_to_end()


# Heartbeats and pings.

def test_idle_streams_get_heartbeats_with_cursors(gateway, channel):
    subs = [open_subscriber(t, gateway, channel, heartbeat=4) for t in STREAMING]
    for sub in subs:
        beat = sub.next_object()
        assert list(beat) == ["type", "cursor", "sent"] and beat["type"] == "heartbeat"
        split_cursor(beat["cursor"])
        sub.close()


def test_websocket_is_pinged_when_it_sends_nothing(gateway, channel):
    with open_subscriber("websocket", gateway, channel, heartbeat=4) as sub:
        frame = sub.wire.read_frame()
        while frame.opcode != 9:
            frame = sub.wire.read_frame()


@pytest.mark.slow
def test_silent_websocket_is_dropped_and_a_talking_one_kept(gateway, channel):
    silent = open_subscriber("websocket", gateway, channel, heartbeat=4)
    talking = open_subscriber("websocket", gateway, channel, heartbeat=4)
    silent.wire.auto_pong = False
    silent.wire.sock.settimeout(0)
    start = time.monotonic()
    ended = False
    while not ended:
        assert time.monotonic() - start < 30, "a silent client was not dropped"
        try:
            talking.next_object(1)
        except TimeoutError:
            pass
        try:
            while silent.next_object(0.01):
                pass
        except TimeoutError:
            pass
        except Exception as end:  # a close frame, an end or a reset, all are a drop
            assert type(end).__name__ in ("Closed", "CloseFrame", "Bye"), end
            ended = True
    assert time.monotonic() - start > 5, "dropped long before 2.5 intervals"
    try:
        talking.next_object(3)  # it lives on, longer than 2.5 intervals
    except TimeoutError:
        pass
    gateway.publish(channel, "still here")
    assert talking.next_message()["data"] == "still here"
    silent.close()
    talking.close()


def test_websocket_ping_is_answered_with_its_payload(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        for payload in (b"", b"x", bytes(range(125))):
            sub.wire.send_frame(9, payload)
            assert sub.wire.await_pong() == payload


def test_websocket_unsolicited_pong_is_ignored(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_frame(10, b"unasked")
        gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1


@pytest.mark.parametrize("data", [None, 1, "x", {"a": [1]}, 12345678901234567890])
def test_websocket_json_ping_gets_a_pong_with_its_data(gateway, channel, data):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "ping", "data": data})
        assert sub.next_object() == {"type": "pong", "data": data, "sent": 0}


# Subscribing and publishing over a WebSocket.

def test_websocket_subscribe_adds_channels_at_its_position(gateway, channel):
    more = channel + ".more"
    gateway.publish(more, "older history")
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "subscribe", "channels": [more], "ref": "r1"})
        answer = sub.next_object()
        assert set(answer) == {"type", "ref", "channels", "cursor"}, answer
        assert (answer["type"], answer["ref"]) == ("subscribed", "r1")
        assert answer["channels"] == [more] or sorted(answer["channels"]) == sorted([channel, more])
        split_cursor(answer["cursor"])
        gateway.publish(more, 1)
        gateway.publish(channel, 2)
        assert sub.next_data(2) == [1, 2]


def test_websocket_unsubscribe_ends_delivery(gateway, channel):
    other = channel + ".other"
    with open_subscriber("websocket", gateway, [channel, other]) as sub:
        sub.wire.send_object({"type": "unsubscribe", "channels": [channel], "ref": 7})
        answer = sub.next_object()
        assert (answer["type"], answer["ref"]) == ("unsubscribed", 7), answer
        split_cursor(answer["cursor"])
        gateway.publish(channel, "not for you")
        gateway.publish(other, "for you")
        assert sub.next_message()["data"] == "for you"


def test_websocket_subscribe_again_loses_and_doubles_nothing(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "subscribe", "channels": [channel], "ref": 1})
        assert sub.next_object()["type"] == "subscribed"
        gateway.publish_all(channel, [1, 2])
        assert sub.next_data(2) == [1, 2]


def test_websocket_subscribed_while_messages_flow_misses_none(gateway, channel):
    """What is published after `subscribed` was seen must come, and nothing twice."""
    with open_subscriber("websocket", gateway, channel) as sub:
        for n in range(30):
            name = "%s.%d" % (channel, n)
            gateway.publish(channel, "flow")
            sub.wire.send_object({"type": "subscribe", "channels": [name], "ref": n})
            sub.await_control("subscribed")
            gateway.publish(name, n)
        wanted = list(range(30))
        while wanted:
            if sub.seen and sub.seen[-1]["data"] == 29:
                break
            sub.next_message()
        assert [m["data"] for m in sub.seen if m["data"] != "flow"] == list(range(30))


def test_websocket_publish_is_acked_with_the_id(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "publish", "channel": channel, "data": {"x": 1}, "ref": "p1"})
        got = [sub.next_object(), sub.next_object()]
        ack = next(o for o in got if o.get("type") == "ack")
        message = next(o for o in got if "type" not in o)
        assert list(ack) == ["type", "ref", "id"] and ack["ref"] == "p1"
        check_message(message, channel, data={"x": 1}, id=ack["id"])


def test_websocket_publish_to_a_channel_not_subscribed(gateway, channel):
    other = channel + ".other"
    with open_subscriber("sse", gateway, other) as reader:
        with open_subscriber("websocket", gateway, channel) as sub:
            sub.wire.send_object({"type": "publish", "channel": other, "data": "hi", "ref": 1})
            ack = sub.next_object()
            assert ack["type"] == "ack"
            check_message(reader.next_message(), other, data="hi", id=ack["id"])


def test_websocket_publish_without_ref_is_delivered(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "publish", "channel": channel, "data": 5})
        objs = [sub.next_object()]
        if "type" in objs[0]:
            objs.append(sub.next_object())
        assert objs[-1]["data"] == 5


@pytest.mark.parametrize("text", [
    "", " ", "{", "nonsense", '{"type":"ping"', '{"type":"ping"} x', "[1,2", "{'type':'ping'}",
    '{"type":"ping",}', "\x00"])
def test_websocket_malformed_json_is_told_and_survived(gateway, channel, text):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_text(text)
        check_ws_error(sub.next_object())
        sub.wire.send_object({"type": "ping", "data": 1})
        assert sub.next_object() == {"type": "pong", "data": 1, "sent": 0}


@pytest.mark.parametrize("obj", [
    [], 1, None, "publish", {}, {"type": 1}, {"type": None}, {"type": "nonsense", "ref": 1},
    {"type": "open"}, {"type": "publish"}, {"type": "publish", "data": 1},
    {"type": "publish", "channel": 5, "data": 1}, {"type": "publish", "channel": "a"},
    {"type": "subscribe"}, {"type": "subscribe", "channels": "a"},
    {"type": "subscribe", "channels": [1]}, {"type": "subscribe", "channels": [[]]},
    {"type": "unsubscribe", "channels": {}}], ids=json.dumps)
def test_websocket_wrong_objects_are_told_and_survived(gateway, channel, obj):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object(obj)
        check_ws_error(sub.next_object())
        sub.wire.send_object({"type": "ping", "data": 1})
        assert sub.next_object() == {"type": "pong", "data": 1, "sent": 0}


@pytest.mark.parametrize("name", ["", "~", "*", "a.*", "ü" * 128, "a" * 256, "a\x00", "a\n", "a\x7f", "\x85"])
def test_websocket_bad_channel_is_told_with_its_ref(gateway, channel, name):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "publish", "channel": name, "data": 1, "ref": "r"})
        assert check_ws_error(sub.next_object(), "bad_channel")["ref"] == "r"
        sub.wire.send_object({"type": "subscribe", "channels": [name], "ref": "s"})
        assert check_ws_error(sub.next_object(), "bad_channel")["ref"] == "s"


def test_websocket_message_too_big_is_told(gateway, channel):
    """Above --max-message, below what a frame may hold."""
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "publish", "channel": channel, "data": "x" * 65600, "ref": 3})
        error = check_ws_error(sub.next_object())
        assert error["ref"] == 3
        gateway.publish(channel, "after")
        assert sub.next_message()["data"] == "after"


def test_websocket_ref_may_be_null(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        sub.wire.send_object({"type": "publish", "channel": channel, "data": 1, "ref": None,
                              "key": None})
        first, second = sub.next_object(), sub.next_object()
        ack, message = (first, second) if "type" in first else (second, first)
        assert ack == {"type": "ack", "ref": None, "id": message["id"]}


def test_websocket_too_many_channels_are_refused_whole(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        names = ["%s.%d" % (channel, n) for n in range(64)]
        sub.wire.send_object({"type": "subscribe", "channels": names, "ref": 1})
        check_ws_error(sub.next_object())
        gateway.publish(names[0], "refused whole")
        gateway.publish(channel, "served")
        assert sub.next_message()["data"] == "served"


def check_ws_error(obj, code=None):
    assert obj["type"] == "error", obj
    assert obj["code"] and isinstance(obj["code"], str), obj
    assert obj["message"] and isinstance(obj["message"], str), obj
    assert set(obj) <= {"type", "ref", "code", "message"}, obj
    if code:
        assert obj["code"] == code, obj
    return obj


# Polls.

def poll_answer(response):
    assert response.status == 200, response
    assert response.header("Sluice")
    answer = response.json()
    assert list(answer)[:3] == ["cursor", "messages", "gaps"], answer
    assert not set(answer) - {"cursor", "messages", "gaps", "limits", "n"}, answer
    assert response.header("Sluice-Cursor") == answer["cursor"]
    assert response.header("Content-Type").startswith("application/json")
    assert "no-store" in response.tokens("Cache-Control")
    return answer


@pytest.mark.parametrize("wait", ["", "&wait=0", "&wait=55"])
def test_poll_without_since_answers_at_once_with_the_cursor(gateway, channel, wait):
    gateway.publish(channel, "before")
    answer = poll_answer(gateway.get("/poll?channels=%s%s" % (channel, wait)))
    assert answer["messages"] == [] and answer["gaps"] == []
    gateway.publish(channel, "after")
    again = poll_answer(gateway.get("/poll?channels=%s&since=%s" % (channel, answer["cursor"])))
    assert [m["data"] for m in again["messages"]] == ["after"]


def test_short_poll_answers_at_once_with_none(gateway, channel):
    cursor = gateway.head()
    answer = poll_answer(gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, cursor)))
    assert answer["messages"] == []


def test_short_poll_brings_all_that_waited(gateway, channel):
    cursor = gateway.head()
    ids = gateway.publish_all(channel, range(20))
    answer = poll_answer(gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, cursor)))
    assert [m["id"] for m in answer["messages"]] == ids
    assert answer["cursor"] == ids[-1]


def test_held_poll_is_answered_by_the_publish(gateway, channel):
    cursor = gateway.head()
    with Http(gateway.address) as http:
        http.send_request("GET", "/poll?channels=%s&since=%s&wait=55" % (channel, cursor))
        assert http.is_silent(0.3)
        ident = gateway.publish(channel, "now")
        answer = poll_answer(http.read_response())
    assert [m["id"] for m in answer["messages"]] == [ident] and answer["cursor"] == ident


def test_hold_that_runs_out_answers_200_with_none(gateway, channel):
    cursor = gateway.head()
    answer = poll_answer(gateway.get("/poll?channels=%s&since=%s&wait=1" % (channel, cursor)))
    assert answer["messages"] == [] and answer["gaps"] == []
    gateway.publish(channel, "later")
    again = poll_answer(
        gateway.get("/poll?channels=%s&since=%s&wait=1" % (channel, answer["cursor"])))
    assert [m["data"] for m in again["messages"]] == ["later"]


def test_lost_poll_response_is_simply_asked_for_again(gateway, channel):
    cursor = gateway.head()
    gateway.publish_all(channel, [1, 2, 3])
    target = "/poll?channels=%s&since=%s" % (channel, cursor)
    first = poll_answer(gateway.get(target))
    again = poll_answer(gateway.get(target))
    assert first == again and len(first["messages"]) == 3


def test_poll_answers_are_at_most_256_kib(gateway, channel):
    cursor = gateway.head()
    gateway.publish_all(channel, ["%02d" % n + "x" * 30000 for n in range(20)])
    got = []
    while len(got) < 20:
        response = gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, cursor))
        answer = poll_answer(response)
        assert len(response.body) <= 256 * 1024
        assert answer["messages"], "no progress"
        got += answer["messages"]
        cursor = answer["cursor"]
    assert [m["data"][:2] for m in got] == ["%02d" % n for n in range(20)]


def test_poll_answer_of_one_client_echoes_its_n_and_tells_limits(start_gateway, channel):
    gateway = start_gateway("--max-message", "1000", "--max-channels", "5",
                            "--history-messages", "2")
    cursor = gateway.head()
    limits = {"message": 1000, "channels": 5}

    def ask(since, wait=0, n="a_Z-09"):
        answer = poll_answer(gateway.get("/poll?channels=%s%s&wait=%d&n=%s" % (
            channel, "&since=" + since if since else "", wait, n)))
        assert answer["limits"] == limits, answer
        return answer

    assert ask(None)["n"] == "a_Z-09"
    assert ask(cursor)["n"] == "a_Z-09"
    assert ask(cursor, wait=1, n="x" * 64)["n"] == "x" * 64
    gateway.publish_all(channel, [1, 2])
    answer = ask(cursor)
    assert answer["n"] == "a_Z-09" and len(answer["messages"]) == 2
    gateway.publish(channel, 3)
    answer = ask(cursor)
    assert answer["n"] == "a_Z-09" and answer["gaps"] and len(answer["messages"]) == 2
    for other in ("", "a.b", "%22", "x" * 65):
        assert "n" not in ask(cursor, n=other)


def test_live_answer_that_polls_share_tells_nothing_of_one_of_them(gateway, channel):
    cursor = gateway.head()
    polls = [Http(gateway.address) for _ in range(3)]
    for n, http in enumerate(polls):
        http.send_request("GET", "/poll?channels=%s&since=%s&n=%d" % (channel, cursor, n))
        assert http.is_silent(0.1)
    gateway.publish(channel, "live")
    answers = [http.read_response() for http in polls]
    for answer in answers:
        assert list(poll_answer(answer)) == ["cursor", "messages", "gaps"]
        assert answer.body == answers[0].body
    # The next answers on the kept connections are their own again.
    for n, http in enumerate(polls):
        answer = poll_answer(http.request(
            "GET", "/poll?channels=%s&since=%s&wait=0&n=later%d" % (channel, cursor, n)))
        assert answer["n"] == "later%d" % n and len(answer["messages"]) == 1
        answer = poll_answer(http.request(
            "GET", "/poll?channels=%s&since=%s&wait=0" % (channel, cursor)))
        assert "n" not in answer
        http.close()


# Polls by POST, which no cache answers.

@pytest.mark.parametrize("headers", [{}, {"Content-Length": "0"}])
@pytest.mark.parametrize("form", ["json", "raw"])
def test_poll_by_post_is_a_poll(gateway, channel, headers, form):
    cursor = gateway.head()
    gateway.publish(channel, "old")
    target = "/poll?channels=%s&since=%s&wait=0&format=%s" % (channel, cursor, form)
    by_get = gateway.get(target)
    for on in (gateway, Http(gateway.address)):
        for _ in range(3):  # one connection: a fresh one, then a kept one
            by_post = on.request("POST", target, headers)
            assert by_post.status == 200 and by_post.body == by_get.body, by_post
            assert by_post.header("Sluice-Cursor") == by_get.header("Sluice-Cursor")
            assert "no-store" in by_post.tokens("Cache-Control")
    assert on.is_reusable()
    on.close()


@polls
def test_poll_by_post_is_held_and_kept(gateway, channel, transport):
    with open_subscriber(transport, gateway, channel, n="n-1") as sub:
        sub.method = "POST"
        for n in range(20):
            gateway.publish(channel, n)
            assert sub.next_message()["data"] == n
        assert sub.connections == 1


def test_live_answer_is_shared_by_polls_of_both_methods(gateway, channel):
    cursor = gateway.head()
    polls = [Http(gateway.address) for _ in range(4)]
    for n, http in enumerate(polls):
        http.send_request("POST" if n % 2 else "GET",
                          "/poll?channels=%s&since=%s&n=%d" % (channel, cursor, n))
        assert http.is_silent(0.1)
    gateway.publish(channel, "live")
    bodies = {http.read_response().body for http in polls}
    assert len(bodies) == 1 and b"live" in bodies.pop()
    for http in polls:
        http.close()


@pytest.mark.parametrize("kept", [False, True])
def test_poll_by_post_takes_no_body(gateway, channel, kept):
    from checks import check_error
    with Http(gateway.address) as http:
        if kept:
            poll_answer(http.request("POST", "/poll?channels=" + channel))
        response = http.request("POST", "/poll?channels=" + channel, {}, b"body")
        check_error(response, 400, "body_not_allowed")


def test_options_of_a_poll_name_both_methods(gateway):
    response = gateway.request("OPTIONS", "/poll")
    assert response.status == 204
    assert response.tokens("Allow") == {"get", "head", "post", "options"}


# Polls and their connection.

def test_poll_connection_is_kept_for_the_next_poll(gateway, channel):
    with Http(gateway.address) as http:
        cursor = poll_answer(http.request("GET", "/poll?channels=" + channel))["cursor"]
        for n in range(5):
            http.send_request("GET", "/poll?channels=%s&since=%s" % (channel, cursor))
            gateway.publish(channel, n)
            answer = poll_answer(http.read_response())
            assert http.is_reusable(), http.response
            assert [m["data"] for m in answer["messages"]] == [n]
            cursor = answer["cursor"]


@pytest.mark.parametrize("wait", [0, 25])
def test_poll_then_publish_then_poll_on_one_connection(gateway, channel, wait):
    """The socket is given back to the front and taken again."""
    with Http(gateway.address) as http:
        cursor = poll_answer(http.request("GET", "/poll?channels=" + channel))["cursor"]
        for n in range(4):
            gateway.publish(channel, n, on=http)
            answer = poll_answer(http.request(
                "GET", "/poll?channels=%s&since=%s&wait=%d" % (channel, cursor, wait)))
            assert [m["data"] for m in answer["messages"]] == [n]
            cursor = answer["cursor"]
            assert http.request("GET", "/healthz").status == 200
            assert http.request("GET", "/poll?channels=a*b").status == 400


def test_poll_then_stream_on_one_connection(gateway, channel):
    with Http(gateway.address) as http:
        poll_answer(http.request("GET", "/poll?channels=" + channel))
        http.send_request("GET", "/stream?channels=" + channel)
        assert http.read_head().status == 200
        reader = LineReader(http)
        assert reader.next_object()["type"] == "open"
        gateway.publish(channel, 1)
        assert reader.next_object()["data"] == 1


def test_poll_then_websocket_on_one_connection(gateway, channel):
    with WebSocket(gateway.address) as ws:
        poll_answer(ws.request("GET", "/poll?channels=" + channel))
        assert ws.handshake("/ws?channels=" + channel).status == 101
        assert ws.next_object()["type"] == "open"
        gateway.publish(channel, 1)
        assert ws.next_object()["data"] == 1


def test_next_request_arriving_bytewise_after_a_poll(gateway, channel):
    from sluicetest import request_bytes
    with Http(gateway.address) as http:
        cursor = poll_answer(http.request("GET", "/poll?channels=" + channel))["cursor"]
        gateway.publish(channel, 1)
        http.send_bytewise(request_bytes(
            "GET", "/poll?channels=%s&since=%s" % (channel, cursor), host=http.host), 0.001)
        assert len(poll_answer(http.read_response())["messages"]) == 1
        http.send_bytewise(request_bytes("GET", "/healthz", host=http.host), 0.001)
        assert http.read_response().status == 200
        body = b"hello"
        http.send_bytewise(request_bytes(
            "POST", "/publish?channel=" + channel, {"Content-Type": "text/plain"}, body,
            host=http.host), 0.001)
        assert http.read_response().status == 200


@pytest.mark.parametrize("second", ["poll", "healthz", "publish"])
def test_request_pipelined_behind_a_poll_is_served_or_the_connection_closed(
        gateway, channel, second):
    """The answer either says close (the client sends the second request again), or the
    second one is answered too; it is never lost in silence."""
    from sluicetest import request_bytes
    cursor = gateway.head()
    gateway.publish(channel, "first")
    with Http(gateway.address) as http:
        behind = {
            "poll": request_bytes("GET", "/poll?channels=%s&since=%s&wait=0" % (channel, cursor),
                                  host=http.host),
            "healthz": request_bytes("GET", "/healthz", host=http.host),
            "publish": request_bytes("POST", "/publish?channel=" + channel,
                                     {"Content-Type": "text/plain"}, b"x", host=http.host)}[second]
        http.send(request_bytes(
            "GET", "/poll?channels=%s&since=%s&wait=0" % (channel, cursor), host=http.host) + behind)
        answer = poll_answer(http.read_response())
        assert [m["data"] for m in answer["messages"]] == ["first"]
        if http.is_reusable():
            assert http.read_response().status == 200
        else:
            http.expect_end()


@pytest.mark.parametrize("second", ["poll", "healthz"])
def test_request_sent_while_a_poll_is_held_is_served_or_the_connection_closed(
        gateway, channel, second):
    from sluicetest import request_bytes
    cursor = gateway.head()
    target = "/poll?channels=%s&since=%s&wait=30" % (channel, cursor)
    with Http(gateway.address) as http:
        http.send_request("GET", target)
        assert http.is_silent(0.2)
        http.send(request_bytes("GET", target if second == "poll" else "/healthz", host=http.host))
        gateway.publish(channel, 1)
        assert len(poll_answer(http.read_response())["messages"]) == 1
        if http.is_reusable():
            assert http.read_response().status == 200
        else:
            http.expect_end()


def test_poll_with_connection_close_is_closed(gateway, channel):
    with Http(gateway.address) as http:
        cursor = gateway.head()
        gateway.publish(channel, 1)
        answer = poll_answer(http.request(
            "GET", "/poll?channels=%s&since=%s" % (channel, cursor), {"Connection": "close"}))
        assert len(answer["messages"]) == 1
        assert "close" in http.response.tokens("Connection")
        http.expect_end()


def test_http_1_0_poll(gateway, channel):
    with Http(gateway.address) as http:
        cursor = gateway.head()
        gateway.publish(channel, 1)
        answer = poll_answer(http.request(
            "GET", "/poll?channels=%s&since=%s" % (channel, cursor), version="1.0"))
        assert len(answer["messages"]) == 1
        assert not http.response.is_chunked
        http.expect_end()


def test_second_poll_with_connection_close_on_a_kept_connection(gateway, channel):
    with Http(gateway.address) as http:
        cursor = poll_answer(http.request("GET", "/poll?channels=" + channel))["cursor"]
        gateway.publish(channel, 1)
        answer = poll_answer(http.request(
            "GET", "/poll?channels=%s&since=%s" % (channel, cursor), {"Connection": "close"}))
        assert len(answer["messages"]) == 1
        http.expect_end()


def test_client_that_leaves_a_held_poll_is_forgotten(gateway, channel):
    from checks import await_connections
    cursor = gateway.head()
    https = [Http(gateway.address) for _ in range(5)]
    for http in https:
        http.send_request("GET", "/poll?channels=%s&since=%s&wait=55" % (channel, cursor))
    await_connections(gateway, "longpoll", 5)
    for http in https[:3]:
        http.close()
    for http in https[3:]:
        http.abort()
    await_connections(gateway, "longpoll", 0)


@streaming
def test_closed_streams_are_forgotten(gateway, channel, transport):
    from checks import await_connections
    subs = [open_subscriber(transport, gateway, channel) for _ in range(4)]
    await_connections(gateway, transport, 4)
    for sub in subs[:2]:
        sub.close()
    for sub in subs[2:]:
        sub.cut()
    await_connections(gateway, transport, 0)


def test_thousand_polls_on_one_connection(gateway, channel):
    with Http(gateway.address) as http:
        cursor = poll_answer(http.request("GET", "/poll?channels=" + channel))["cursor"]
        for n in range(1000):
            answer = poll_answer(http.request(
                "GET", "/poll?channels=%s&since=%s&wait=0" % (channel, cursor)))
            cursor = answer["cursor"]
        assert http.is_reusable()
