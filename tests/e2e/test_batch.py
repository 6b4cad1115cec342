"""Batches: a line of NDJSON a message, an answer a line, over both backends."""

import json
import signal

import pytest

from checks import check_error, check_message, served
from sluicetest import Closed, Http, SharedGateway, eventually, open_subscriber, request_bytes
from sluicetest.subscriber import split_cursor

NDJSON = "application/x-ndjson"
HEADERS = {"Content-Type": NDJSON}


@pytest.fixture(scope="module")
def shared_backends():
    """The same for each backend; `slow` answers late and leaves holes."""
    with SharedGateway("--backend", "memory") as memory, SharedGateway("--backend", "slow") as slow:
        yield {"memory": memory, "slow": slow}


@pytest.fixture(params=["memory", "slow"])
def backend(request, shared_backends):
    with shared_backends[request.param].use() as gateway:
        yield gateway


def lines(*objects):
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


def check_answers(response):
    """The answer's objects, each an id or an error."""
    assert response.status == 200, response
    assert response.header("Sluice")
    assert response.header("Content-Type") == NDJSON, response
    assert response.body.endswith(b"\n")
    answers = [json.loads(line) for line in response.body.splitlines()]
    for one in answers:
        assert list(one) in (["id"], ["error"]), one
        if "error" in one:
            assert set(one["error"]) == {"code", "message"} and one["error"]["message"], one
        else:
            split_cursor(one["id"])
    return answers


def post(gateway, body, query="", headers=HEADERS):
    return gateway.request("POST", "/publish" + query, headers, body)


def published(gateway, *channels):
    return gateway.get("/poll?channels=%s&since=0&wait=0" % ",".join(channels)).json()["messages"]


def codes(answers):
    return [one["error"]["code"] if "error" in one else "id" for one in answers]


def test_every_line_becomes_a_message_and_has_its_id(backend, channel):
    a, b = channel + ".a", channel + ".b"
    wanted = [(a, {"n": [1, None]}), (b, "text"), (a, None), (a, 1.5), (b, [])]
    answers = check_answers(post(backend, lines(*[{"channel": c, "data": d} for c, d in wanted])))
    ids = [one["id"] for one in answers]
    assert len(set(ids)) == len(wanted)
    messages = {one["id"]: one for one in published(backend, a, b)}
    assert set(messages) == set(ids)
    for (name, data), id_ in zip(wanted, ids):
        check_message(messages[id_], name, data=data)


def test_memory_backend_keeps_the_order_of_lines(gateway, channel):
    with open_subscriber("stream", gateway, channel) as sub:
        answers = check_answers(post(gateway, lines(*[
            {"channel": channel, "data": n} for n in range(100)])))
        assert sub.next_data(100) == list(range(100))
    seqs = [split_cursor(one["id"])[1] for one in answers]
    assert seqs == sorted(set(seqs))


def test_a_line_that_fails_changes_nothing_for_the_others(backend, channel):
    large = json.dumps({"channel": channel, "data": "x" * 70000}).encode()
    body = b"\n".join([
        b'{"channel":"%s","data":"first"}' % channel.encode(),
        b'{"channel":"a*b","data":1}', b'{"data":1}', b'{"channel":"%s"}' % channel.encode(),
        b'{"channel":"%s","data":1,"key":"short"}' % channel.encode(), b'{"channel":', b"[]",
        b'{"channel":"%s","data":"\xff"}' % channel.encode(),
        b'{"channel":"%s","data":%s}' % (channel.encode(), b"[" * 257 + b"]" * 257), large,
        b'{"channel":"%s","data":"last","more":{"ignored":true}}' % channel.encode()])
    answers = check_answers(post(backend, body))
    assert codes(answers) == ["id", "bad_channel", "bad_channel", "no_data", "bad_key", "bad_json",
                              "bad_json", "bad_utf8", "too_deep", "too_large", "id"]
    assert {m["data"] for m in published(backend, channel)} == {"first", "last"}


@pytest.mark.parametrize("body", [
    b'%s\n%s\n', b'%s\n%s', b'%s\r\n%s\r\n', b'\n\n%s\n \t\r\n%s\n\n', b' %s \r\n\r\n%s\r'])
def test_lines_end_in_any_way_and_blank_ones_are_skipped(backend, channel, body):
    one = b'{"channel":"%s","data":1}' % channel.encode()
    assert codes(check_answers(post(backend, body % (one, one)))) == ["id", "id"]
    assert len(published(backend, channel)) == 2


@pytest.mark.parametrize("members, message", [
    ({"key": "short"}, 'key: "short" is not valid; use 8 to 64 visible ASCII characters'),
    ({"key": 12345678}, 'key: "12345678" is not valid; use a text of 8 to 64 visible ASCII characters'),
    ({"event": "a\x01b"}, 'event: "a?b" is not valid; use 1 to 128 bytes of UTF-8 without control characters'),
    ({"event": 7}, 'event: "7" is not valid; use a text of 1 to 128 bytes of UTF-8 without control characters'),
    ({"event": "e", "args": "all"}, 'args: "all" is not valid; use list or binary'),
    ({"compress": "no"}, 'compress: "no" is not valid; use true or false'),
    ({"key": "x" * 65}, 'key: "***..." is not valid; use 8 to 64 visible ASCII characters'),
])
def test_the_answer_to_a_line_shows_the_value_that_is_wrong(gateway, channel, members, message):
    answers = check_answers(post(gateway, lines(dict(members, channel=channel, data=1))))
    assert [one["error"]["message"] for one in answers] == [message]


def test_a_value_over_several_lines_is_none(gateway, channel):
    body = json.dumps({"channel": channel, "data": 1}, indent=1).encode()
    assert set(codes(check_answers(post(gateway, body)))) == {"bad_json"}
    assert published(gateway, channel) == []


def test_channel_of_the_query_stands_in_for_a_missing_one(backend, channel):
    other = channel + ".other"
    answers = check_answers(post(backend, lines({"data": 1}, {"channel": other, "data": 2}),
                                 "?channel=" + channel))
    assert codes(answers) == ["id", "id"]
    assert [m["data"] for m in published(backend, channel)] == [1]
    assert [m["data"] for m in published(backend, other)] == [2]
    check_error(post(backend, lines({"channel": other, "data": 2}), "?channel=a*b"), 400, "bad_channel")


# Refused as a whole: nothing is published.

def many(channel, count):
    return lines(*[{"channel": channel, "data": n} for n in range(count)])


def test_a_hundred_lines_are_taken_and_one_more_refused_as_a_whole(backend, channel):
    assert len(check_answers(post(backend, many(channel, 100)))) == 100
    check_error(post(backend, many(channel, 101)), 413, "too_many_messages")
    # One that arrived late would be here with or behind this one.
    check_answers(post(backend, lines({"channel": channel, "data": "end"})))
    assert len(published(backend, channel)) == 101


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\t\n"])
def test_a_batch_without_lines_is_refused(gateway, body):
    check_error(post(gateway, body), 400, "no_data")


def test_a_batch_has_no_key_of_its_own(gateway, channel):
    response = post(gateway, lines({"channel": channel, "data": 1}),
                    headers=dict(HEADERS, **{"Idempotency-Key": "of-the-batch"}))
    check_error(response, 400, "bad_key")
    assert published(gateway, channel) == []


def test_body_of_a_batch_has_a_limit_of_its_own(start_gateway, channel):
    gateway = start_gateway("--max-batch", "300K")
    limits = gateway.get("/transports").json()["limits"]
    assert (limits["batch_bytes"], limits["batch_messages"]) == (300 * 1024, 100)
    line = json.dumps({"channel": channel, "data": "x" * 60000}).encode() + b"\n"
    whole = line * 4 + b" " * (300 * 1024 - 4 * len(line))
    with Http(gateway.address) as http:
        for _ in range(2):
            assert codes(check_answers(http.request("POST", "/publish", HEADERS, whole))) == ["id"] * 4
            check_error(http.request("POST", "/publish", HEADERS, whole + b" "), 413, "too_large")
            response = http.request("POST", "/publish?channel=" + channel,
                                    {"Content-Type": "text/plain"}, b"x" * 65537)
            check_error(response, 413, "too_large")
    assert len(published(gateway, channel)) == 4  # 256 KiB an answer
    assert gateway.stats()["bus"]["published"] == 8


def test_a_body_above_the_default_limit_is_refused(gateway, channel):
    line = many(channel, 1)
    with Http(gateway.address) as http:  # before its body comes
        http.send_request("POST", "/publish", dict(HEADERS, **{"Content-Length": str((1 << 20) + 1)}), b"")
        check_error(http.read_response("POST"), 413, "too_large")
    with Http(gateway.address) as http:
        http.send_request("POST", "/publish", dict(HEADERS, **{"Transfer-Encoding": "chunked"}), b"")
        try:  # it may answer and close before all is sent
            http.send(b"%x\r\n%s\r\n" % (len(line), line) + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 17)
        except Closed:
            pass
        response = http.read_head()
        assert response.status == 413 and response.header("Sluice"), response
    assert published(gateway, channel) == []
    served(gateway)


@pytest.mark.parametrize("kind", [NDJSON + "; charset=utf-16", "application/ndjson", "application/json-seq"])
def test_what_is_no_ndjson_is_415(gateway, channel, kind):
    response = post(gateway, lines({"channel": channel, "data": 1}), headers={"Content-Type": kind})
    check_error(response, 415, "bad_content_type")


def test_a_batch_that_is_compressed_is_refused(gateway, channel):
    check_error(post(gateway, b"\x1f\x8b\x08", headers=dict(HEADERS, **{"Content-Encoding": "gzip"})),
                415, "bad_content_encoding")


# Keys.

def test_a_key_counts_once_over_lines_batches_and_publishes(backend, channel):
    body = lines({"channel": channel, "data": 1, "key": "batch-key"},
                 {"channel": channel + ".other", "data": 1, "key": "batch-key"},
                 {"channel": channel, "data": 2, "key": "batch-key"})
    first = check_answers(post(backend, body))
    assert first[0] == first[2] != first[1]
    assert check_answers(post(backend, body)) == first
    assert backend.publish(channel, 3, key="batch-key") == first[0]["id"]
    assert len(published(backend, channel)) == 1


def test_a_full_key_table_forgets_the_oldest_of_its_client(start_gateway, channel):
    """The keys of an earlier line may be among them: a batch is no reason to keep more."""
    gateway = start_gateway("--idempotency-keys", "16")
    batch = lines(*[{"channel": channel, "data": n, "key": "key-no-%02d" % n} for n in range(40)])
    first = check_answers(post(gateway, batch))
    assert codes(first) == ["id"] * 40
    again = check_answers(post(gateway, lines(
        {"channel": channel, "data": 39, "key": "key-no-39"},
        {"channel": channel, "data": 0, "key": "key-no-00"})))
    assert codes(again) == ["id"] * 2
    assert again[0]["id"] == first[39]["id"]
    assert again[1]["id"] not in [answer["id"] for answer in first]


# Connections.

def test_batches_polls_and_publishes_take_turns_on_one_connection(backend, channel):
    with Http(backend.address) as http:
        cursor = http.request("GET", "/poll?channels=" + channel).json()["cursor"]
        for n in range(5):
            answers = check_answers(http.request("POST", "/publish", HEADERS, many(channel, 3)))
            assert codes(answers) == ["id"] * 3
            assert http.request("POST", "/publish?channel=" + channel,
                                {"Content-Type": "text/plain"}, b"x").status == 200
            messages = []
            while len(messages) < 4:
                answer = http.request("GET", "/poll?channels=%s&since=%s" % (channel, cursor)).json()
                messages += answer["messages"]
                cursor = answer["cursor"]
            check_error(http.request("POST", "/publish", HEADERS, many(channel, 101)), 413)
        assert http.is_reusable()


def test_batches_are_kept_and_given_to_the_front_when_they_do_not_fit(gateway, channel):
    """What is larger than a read is left to libmicrohttpd."""
    large = lines(*[{"channel": channel, "data": "x" * 4000} for _ in range(90)])
    with Http(gateway.address) as http:
        for body, count in ((many(channel, 5), 5), (large, 90), (many(channel, 5), 5), (large, 90)):
            answers = check_answers(http.request("POST", "/publish", HEADERS, body))
            assert codes(answers) == ["id"] * count
        assert http.is_reusable()


def test_pipelined_batches_are_answered_in_order(backend, channel):
    whole = b"".join(request_bytes("POST", "/publish?channel=%s.%d" % (channel, n), HEADERS,
                                   lines(*[{"data": n}] * (n + 1))) for n in range(5))
    with Http(backend.address) as http:
        http.send(whole)
        for n in range(5):
            assert len(check_answers(http.read_response("POST"))) == n + 1


def test_a_chunked_batch_byte_by_byte(backend, channel):
    body = many(channel, 3)
    with Http(backend.address) as http:
        http.send_request("POST", "/publish", dict(HEADERS, **{"Transfer-Encoding": "chunked"}), b"")
        for byte in body:
            http.send(b"1\r\n%c\r\n" % byte)
        http.send(b"0\r\n\r\n")
        assert codes(check_answers(http.read_response("POST"))) == ["id"] * 3


def test_an_allowed_page_reads_the_answer(gateway, channel):
    with Http(gateway.address) as http:
        for _ in range(2):
            response = http.request("POST", "/publish", dict(HEADERS, Origin=gateway.origin),
                                    many(channel, 2))
            assert codes(check_answers(response)) == ["id", "id"]
            assert response.header("Access-Control-Allow-Origin") == gateway.origin


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
def test_a_client_that_leaves_before_its_answer_loses_only_that(start_gateway, channel, kept):
    gateway = start_gateway("--backend", "slow")
    with Http(gateway.address) as http:
        if kept:
            assert http.request("POST", "/publish", HEADERS, many(channel + ".x", 1)).status == 200
        http.send_request("POST", "/publish", HEADERS, many(channel, 50))
    eventually(lambda: len(published(gateway, channel)) == 50 or None)
    served(gateway)


def test_batches_that_wait_are_answered_while_draining(start_gateway, channel):
    gateway = start_gateway("--backend", "slow")
    https = [Http(gateway.address) for _ in range(10)]
    for n, http in enumerate(https):
        if n % 2:
            http.request("POST", "/publish", HEADERS, many(channel, 1))
        http.send_request("POST", "/publish", HEADERS, many(channel, 30))
    gateway.signal(signal.SIGTERM)
    for http in https:
        response = http.read_response("POST")
        if response.status == 200:  # on their way to the backend, or not: each line has an answer
            assert set(codes(check_answers(response))) <= {"id", "draining"}
        else:
            check_error(response, 429, "draining")
        http.close()
    assert gateway.wait() == 0


def test_a_batch_that_still_waits_when_the_time_is_over(start_gateway, channel):
    gateway = start_gateway("--backend", "slow", "--drain", "0")
    https = [Http(gateway.address) for _ in range(6)]
    for n, http in enumerate(https):
        if n % 2:
            http.request("POST", "/publish", HEADERS, many(channel, 1))
        http.send_request("POST", "/publish", HEADERS, many(channel, 100))
    gateway.stop()
    for http in https:
        http.close()


def test_batches_beside_each_other_over_all_shards(backend, channel):
    https = [Http(backend.address) for _ in range(8)]
    for _ in range(3):
        for n, http in enumerate(https):
            http.send_request("POST", "/publish", HEADERS, many("%s.%d" % (channel, n), 40))
        for http in https:
            assert codes(check_answers(http.read_response("POST"))) == ["id"] * 40
    for n, http in enumerate(https):
        assert len(published(backend, "%s.%d" % (channel, n))) == 120
        http.close()


# What is counted.

def test_messages_of_a_batch_are_counted_one_by_one(start_gateway, channel):
    for options in (), ("--backend", "slow"):
        gateway = start_gateway(*options)
        body = lines({"channel": channel, "data": "abc"}, {"channel": channel, "data": 12},
                     {"channel": "*", "data": 1}, {"channel": channel}) + b"nonsense\n"
        with Http(gateway.address) as http:
            for _ in range(2):
                answers = check_answers(http.request("POST", "/publish", HEADERS, body))
                assert codes(answers) == ["id", "id", "bad_channel", "no_data", "bad_json"]
        check_error(post(gateway, many(channel, 101)), 413)
        stats = gateway.stats()
        http_class = stats["transports"]["http"]
        assert http_class["messages_in"] == 4
        assert http_class["payload_bytes_in"] == 2 * (len('"abc"') + len("12"))
        assert stats["bus"]["published"] == 4
        assert stats["limits"]["publishes"] == 4
        assert stats["limits"]["publish_errors"] == 2 * 3 + 1
