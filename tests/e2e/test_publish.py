"""Publishing: over HTTP and over WebSockets, once and only once."""

import gzip
import json
import threading

import pytest

from checks import check_error, check_message, served
from sluicetest import Http, SharedGateway, open_subscriber, request_bytes
from sluicetest.subscriber import split_cursor

JSON, TEXT, BINARY = "application/json", "text/plain", "application/octet-stream"


def post(gateway, channel, body, kind=JSON, **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if kind is not None:
        fields["Content-Type"] = kind
    return gateway.request("POST", "/publish?channel=" + channel, fields, body)


def published(gateway, channel, since="0"):
    answer = gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, since)).json()
    return answer["messages"]


def ws_publish(sub, channel, data, key=None, ref="r"):
    obj = {"type": "publish", "channel": channel, "data": data, "ref": ref}
    if key is not None:
        obj["key"] = key
    sub.wire.send_object(obj)
    while True:
        answer = sub.next_object()
        if answer.get("ref") == ref:
            return answer


# Types and payloads.

@pytest.mark.parametrize("kind", [
    JSON, "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"])
def test_json_by_content_type(gateway, channel, kind):
    response = post(gateway, channel, b'{"a": 1}', kind)
    assert response.status == 200 and response.header("Sluice")
    assert response.header("Content-Type").startswith("application/json")
    assert list(response.json()) == ["id"]
    check_message(published(gateway, channel)[0], channel, data={"a": 1})


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8", "Text/Plain"])
def test_text_by_content_type(gateway, channel, kind):
    assert post(gateway, channel, b'{"a": 1}', kind).status == 200
    check_message(published(gateway, channel)[0], channel, data='{"a": 1}')


def test_binary_by_content_type(gateway, channel):
    assert post(gateway, channel, b"abc", BINARY).status == 200
    check_message(published(gateway, channel)[0], channel, base64="YWJj")


def test_ids_rise_over_all_channels(gateway, channel):
    ids = [gateway.publish("%s.%d" % (channel, n % 3), n) for n in range(9)]
    seqs = [split_cursor(i)[1] for i in ids]
    assert seqs == sorted(set(seqs))
    assert len({split_cursor(i)[0] for i in ids}) == 1


@pytest.mark.parametrize("text", [
    "12345678901234567890", "-0", "1E400", "0.1000000000000000055511151231257827",
    "123456789012345678901234567890.5e-10", "[1.0,2.50,1e2]"])
def test_numbers_stay_as_they_were_written(gateway, channel, text):
    assert post(gateway, channel, text.encode()).status == 200
    with Http(gateway.address) as http:
        http.send_request("GET", "/stream?channels=%s&since=0" % channel)
        http.read_head()
        http.read_chunk()
        assert http.read_chunk().endswith(b'"data":' + text.encode() + b"}\n")


def test_line_breaks_between_tokens_become_spaces(gateway, channel):
    assert post(gateway, channel, b'{\n"a":\r\n[1,\n2]}\n').status == 200
    with open_subscriber("stream", gateway, channel, since="0") as sub:
        line = sub.reader.next_line()
        assert json.loads(line)["data"] == {"a": [1, 2]}
        assert b"\r" not in line and b"{ \"a\":  [1, 2]}" in line, line


def test_whitespace_around_json_is_allowed(gateway, channel):
    assert post(gateway, channel, b' \t\r\n 5 \n').status == 200
    assert published(gateway, channel)[0]["data"] == 5


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"nul", b"01", b"[1,]", b"{'a':1}", b"1 2", b"\xef\xbb\xbf1", b"+1", b".5",
    b"1.", b'"\n"', b'"\\x"', b'"\\u12"', b"[" * 100000, b"NaN", b'{"a"}', b"\x00"])
def test_bad_json_is_refused(gateway, channel, body):
    response = post(gateway, channel, body)
    assert response.status in (400, 413), response
    check_error(response, response.status)
    assert published(gateway, channel) == []


@pytest.mark.parametrize("kind", [JSON, TEXT])
@pytest.mark.parametrize("bad", [
    b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"])
def test_bad_utf8_is_refused(gateway, channel, kind, bad):
    body = b'"a' + bad + b'"'
    check_error(post(gateway, channel, body, kind), 400, "bad_utf8")


def test_any_bytes_are_binary(gateway, channel):
    assert post(gateway, channel, bytes(range(256)) * 4, BINARY).status == 200


@pytest.mark.parametrize("kind", ["image/png", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x", "nonsense"])
def test_other_content_types_are_415(gateway, channel, kind):
    check_error(post(gateway, channel, b"x=1", kind), 415)


@pytest.mark.parametrize("kind", [
    "text/plain; charset=iso-8859-1", "text/plain;charset=UTF-16", 'application/json; charset="latin1"'])
def test_other_charsets_of_text_are_415(gateway, channel, kind):
    """Their bytes may well be valid UTF-8, and would arrive as other characters."""
    check_error(post(gateway, channel, b'"\xc3\xa4"', kind), 415, "bad_content_type")
    assert published(gateway, channel) == []


def test_charset_means_nothing_to_bytes(gateway, channel):
    assert post(gateway, channel, b"\xff", BINARY + "; charset=iso-8859-1").status == 200


# What a body says is the payload, or it is refused: (header lines, status, code).
CHANGED_BODIES = [
    ([("Content-Encoding", "gzip")], 415, "bad_content_encoding"),
    ([("Content-Encoding", "identity, br")], 415, "bad_content_encoding"),
    ([("Content-Encoding", "identity"), ("Content-Encoding", "gzip")], 415, "bad_content_encoding"),
    ([("content-encoding", "aws-chunked")], 415, "bad_content_encoding"),
    ([("Content-Range", "bytes 0-3/10")], 400, "bad_content_range"),
    ([("Content-Type", TEXT)], 400, "bad_request"),
    ([("Idempotency-Key", "first-key"), ("Idempotency-Key", "second-key")], 400, "bad_request")]


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("kind", [JSON, TEXT, BINARY])
@pytest.mark.parametrize("lines, status, code", CHANGED_BODIES)
def test_bodies_that_are_not_the_payload_are_refused(gateway, channel, lines, status, code, kind, chunked):
    body = gzip.compress(b"1") if code == "bad_content_encoding" else b"1"
    target = "/publish?channel=" + channel
    headers = [("Content-Type", kind)] + lines
    with Http(gateway.address) as http:
        for _ in range(2):  # on a new connection and on one that was kept
            if chunked:
                http.send_request("POST", target, headers + [("Transfer-Encoding", "chunked")],
                                  b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
                response = http.read_response("POST")
            else:
                response = http.request("POST", target, headers, body)
            check_error(response, status, code)
            assert http.is_reusable()
            assert http.request("POST", target, {"Content-Type": TEXT}, b"good").status == 200
    assert [m["data"] for m in published(gateway, channel)] == ["good", "good"]


@pytest.mark.parametrize("value", ["identity", "Identity", "", "identity, identity"])
def test_a_body_may_say_that_it_is_the_payload(gateway, channel, value):
    with Http(gateway.address) as http:
        for _ in range(2):
            response = http.request("POST", "/publish?channel=" + channel, {
                "Content-Type": TEXT, "Content-Encoding": value}, b"x")
            assert response.status == 200, response
    assert [m["data"] for m in published(gateway, channel)] == ["x", "x"]


def test_missing_content_type_is_refused_or_binary(gateway, channel):
    response = post(gateway, channel, b"\xff", None)
    if response.status == 200:
        check_message(published(gateway, channel)[0], channel, base64="/w==")
    else:
        check_error(response, 415)


# Depth: one limit, that of the payload alone, whichever way it comes.

def nested(depth):
    """Arrays and objects in turns, so many levels of them."""
    text = "1"
    for level in range(depth):
        text = '{"a":%s}' % text if level % 2 else "[%s]" % text
    return text


def test_depth_of_json_has_one_limit_on_every_way_in(gateway, channel):
    limit = gateway.get("/transports").json()["limits"]["json_depth"]
    assert limit == 256
    with Http(gateway.address) as http, open_subscriber("websocket", gateway, channel + ".else") as sub:
        for _ in range(2):  # on a new connection and on one that was kept
            target = "/publish?channel=" + channel
            assert http.request("POST", target, {"Content-Type": JSON}, nested(limit).encode()).status == 200
            for depth in (limit + 1, 5000):
                response = http.request("POST", target, {"Content-Type": JSON}, nested(depth).encode())
                check_error(response, 400, "too_deep")
        for depth, answer in ((limit, "ack"), (limit + 1, "error"), (5000, "error")):
            sub.wire.send_text('{"type":"publish","channel":"%s","data":%s,"ref":%d}'
                               % (channel, nested(depth), depth))
            said = sub.next_object()
            assert (said["type"], said["ref"]) == (answer, depth), said
            assert answer == "ack" or said["code"] == "too_deep", said
    batch = "".join('{"data":%s}\n' % nested(depth) for depth in (limit, limit + 1, 5000))
    answers = post(gateway, channel, batch.encode(), "application/x-ndjson").body.splitlines()
    assert [json.loads(one).get("error", {}).get("code") for one in answers] == [
        None, "too_deep", "too_deep"]
    assert len(published(gateway, channel)) == 4


def test_depth_is_an_option(start_gateway, channel):
    gateway = start_gateway("--max-json-depth", "1024")
    assert gateway.get("/transports").json()["limits"]["json_depth"] == 1024
    assert post(gateway, channel, nested(1024).encode()).status == 200
    check_error(post(gateway, channel, nested(1025).encode()), 400, "too_deep")
    check_error(post(gateway, channel, b"[" * 2000), 400, "bad_json")
    assert post(gateway, channel, nested(2000).encode(), TEXT).status == 200, "text has no depth"


# Channels and sizes.

@pytest.mark.parametrize("name", [
    "", "~", "a*", "a.*", "%C3", "%FF", "%ED%A0%80", "a%C2%85", "a" * 256, "%C3%BC" * 128, "*"])
def test_bad_channel_is_refused(gateway, name):
    check_error(post(gateway, name, b"1"), 400, "bad_channel")


@pytest.mark.parametrize("name", ["a%00", "a%0Ab", "%"])
def test_bad_escapes_are_refused(gateway, name):
    check_error(post(gateway, name, b"1"), 400)


def test_missing_channel_is_refused(gateway):
    check_error(gateway.request("POST", "/publish", {"Content-Type": JSON}, b"1"), 400)


@pytest.mark.parametrize("name", [
    "a", "A-Z_0.9:x", "a" * 255, "-", ":", "_", "a.b.c", "a%20b", "%20", "a..b", ".a", "a.", "a/b", "%C3%BC" * 127,
    "a,b", "a+b", "a%23", "%22%7D%5C", "%F0%9F%9A%80", "a%26channel=b", "%25"])
def test_every_legal_channel_name_works(gateway, name):
    assert post(gateway, name, b"1").status == 200


def test_largest_message_is_taken_and_one_more_byte_refused(gateway, channel):
    assert post(gateway, channel, b"x" * 65536, TEXT).status == 200
    response = post(gateway, channel, b"x" * 65537, TEXT)
    check_error(response, 413)
    assert len(published(gateway, channel)) == 1


def test_oversized_body_below_a_megabyte_leaves_the_connection_usable(gateway, channel):
    with Http(gateway.address) as http:
        response = http.request(
            "POST", "/publish?channel=" + channel, {"Content-Type": TEXT}, b"x" * 500000)
        check_error(response, 413)
        if http.is_reusable():
            assert http.request("GET", "/healthz").status == 200


def test_body_above_a_megabyte_gets_413(gateway, channel):
    with Http(gateway.address) as http:
        http.send(request_bytes(
            "POST", "/publish?channel=" + channel,
            {"Content-Type": TEXT, "Content-Length": str(3 << 20)}, b"", host=http.host))
        try:
            http.send(b"x" * (3 << 20))
        except Exception:
            pass  # it may answer and close before all is sent
        response = http.read_head()
        assert response.status == 413, response
        assert response.header("Sluice")
    served(gateway)


def test_chunked_body_above_a_megabyte_gets_413(gateway, channel):
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with Http(gateway.address) as http:
        http.send_request("POST", "/publish?channel=" + channel,
                          {"Content-Type": TEXT, "Transfer-Encoding": "chunked"}, b"")
        try:
            for _ in range(40):
                http.send(chunk)
            http.send(b"0\r\n\r\n")
        except Exception:
            pass
        response = http.read_head()
        assert response.status == 413, response
        assert response.header("Sluice")
    served(gateway)


def test_chunked_upload(gateway, channel):
    with Http(gateway.address) as http:
        http.send_request("POST", "/publish?channel=" + channel,
                          {"Content-Type": TEXT, "Transfer-Encoding": "chunked"}, b"")
        for piece in (b"5\r\nhello\r\n", b"1\r\n \r\n", b"5\r\nworld\r\n", b"0\r\n\r\n"):
            http.send(piece)
        response = http.read_response()
        assert response.status == 200, response
        assert published(gateway, channel)[0]["data"] == "hello world"
        assert http.request("GET", "/healthz").status == 200


def test_chunk_extension_is_ignored_or_refused(gateway, channel):
    """libmicrohttpd 1.0.1 takes the end of its line for data, and then refuses the chunk."""
    with Http(gateway.address) as http:
        http.send_request("POST", "/publish?channel=" + channel,
                          {"Content-Type": TEXT, "Transfer-Encoding": "chunked"},
                          b"5;ext=1\r\nhello\r\n0\r\n\r\n")
        response = http.read_response()
        assert response.status in (200, 400), response
    told = [message["data"] for message in published(gateway, channel)]
    assert told == (["hello"] if response.status == 200 else [])


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "identity", "chunked, chunked", "x"])
def test_transfer_coding_other_than_chunked_is_refused(gateway, channel, coding):
    with Http(gateway.address) as http:
        http.send_request("POST", "/publish?channel=" + channel,
                          {"Content-Type": TEXT, "Transfer-Encoding": coding}, b"")
        response = http.read_head()
        assert 400 <= response.status < 500, response
    assert published(gateway, channel) == []
    served(gateway)


@pytest.mark.parametrize("path", ["/stream?channels=a", "/poll?channels=a", "/healthz", "/stats"])
def test_body_on_a_get_is_refused(gateway, path):
    response = gateway.request("GET", path, {}, b"body")
    check_error(response, response.status)
    assert response.status in (400, 413)


def test_expect_100_continue_is_honoured(gateway, channel):
    with Http(gateway.address) as http:
        http.send_request("POST", "/publish?channel=" + channel, {
            "Content-Type": TEXT, "Content-Length": "5", "Expect": "100-continue"}, b"")
        assert http.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        http.send(b"hello")
        assert http.read_response().status == 200
    assert published(gateway, channel)[0]["data"] == "hello"


def test_keep_alive_publishes(gateway, channel):
    with Http(gateway.address) as http:
        for n in range(50):
            gateway.publish(channel, n, on=http)
    assert [m["data"] for m in published(gateway, channel)] == list(range(50))


def test_pipelined_publishes_are_all_answered(gateway, channel):
    one = request_bytes("POST", "/publish?channel=" + channel, {"Content-Type": JSON}, b"1")
    with Http(gateway.address) as http:
        http.send(one * 20)
        ids = [http.read_response().json()["id"] for _ in range(20)]
    assert [m["id"] for m in published(gateway, channel)] == ids


# Keys.

KEY = "key-%s"


def test_same_key_gives_the_first_answer_and_one_message(gateway, channel):
    first = gateway.publish(channel, "one", key=KEY % channel[:40])
    again = gateway.publish(channel, "other payload", key=KEY % channel[:40])
    assert first == again
    assert [m["data"] for m in published(gateway, channel)] == ["one"]


def test_scope_of_a_key_is_its_channel(gateway, channel):
    first = gateway.publish(channel, 1, key="the-same-key")
    other = gateway.publish(channel + ".other", 1, key="the-same-key")
    assert first != other


@pytest.mark.parametrize("first", ["http", "websocket"])
def test_same_key_over_both_ways_is_one_message(gateway, channel, first):
    with open_subscriber("websocket", gateway, channel + ".else") as sub:
        ids = []
        for way in (first, "websocket" if first == "http" else "http", first):
            if way == "http":
                ids.append(gateway.publish(channel, "x", key="both-ways-key"))
            else:
                answer = ws_publish(sub, channel, "x", "both-ways-key")
                assert answer["type"] == "ack", answer
                ids.append(answer["id"])
        assert len(set(ids)) == 1
    assert len(published(gateway, channel)) == 1


@pytest.mark.parametrize("key", ["", "short67", "x" * 65])
def test_keys_of_a_wrong_length_are_refused(gateway, channel, key):
    check_error(post(gateway, channel, b"1", Idempotency_Key=key), 400)
    with open_subscriber("websocket", gateway, channel) as sub:
        answer = ws_publish(sub, channel, 1, key)
        assert answer["type"] == "error", answer
    assert published(gateway, channel) == []


@pytest.mark.parametrize("key", ["x" * 8, "x" * 64])
def test_keys_at_the_limits_work(gateway, channel, key):
    assert post(gateway, channel, b"1", Idempotency_Key=key).status == 200


def test_key_of_a_wrong_type_on_a_socket_is_refused(gateway, channel):
    with open_subscriber("websocket", gateway, channel) as sub:
        assert ws_publish(sub, channel, 1, 12345678)["type"] == "error"


def test_failures_are_not_kept_under_a_key(gateway, channel):
    check_error(post(gateway, channel, b"{bad", Idempotency_Key="failing-key"), 400)
    assert post(gateway, channel, b"1", Idempotency_Key="failing-key").status == 200


def test_a_full_key_table_forgets_the_oldest_of_its_client(start_gateway, channel):
    gateway = start_gateway("--idempotency-keys", "16")

    def publish(n):
        response = post(gateway, channel, b"1", Idempotency_Key="key-no-%d" % n)
        assert response.status == 200, response
        return response.json()["id"]

    ids = [publish(n) for n in range(40)]
    assert len(set(ids)) == 40
    assert publish(39) == ids[39]
    assert publish(0) not in ids


@pytest.mark.shards
def test_concurrent_publishes_with_one_key_make_one_message(gateway, channel):
    answers = []
    barrier = threading.Barrier(8)

    def publish():
        with Http(gateway.address) as http:
            barrier.wait()
            answers.append(gateway.publish(channel, "x", key="concurrent", on=http))
    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and len(set(answers)) == 1
    assert len(published(gateway, channel)) == 1


# A backend that answers later.

@pytest.fixture(scope="module")
def shared_slow_gateway():
    with SharedGateway("--backend", "slow") as shared:
        yield shared


@pytest.fixture
def slow_gateway(shared_slow_gateway):
    with shared_slow_gateway.use() as gateway:
        yield gateway


def test_slow_backend_publish_is_answered_with_its_id(slow_gateway, channel, transport):
    with open_subscriber(transport, slow_gateway, channel) as sub:
        ids = slow_gateway.publish_all(channel, range(5))
        got = [sub.next_message() for _ in range(5)]
        assert [m["id"] for m in got] == ids
        assert [m["data"] for m in got] == list(range(5))


def test_slow_backend_websocket_publish_is_acked(slow_gateway, channel):
    with open_subscriber("websocket", slow_gateway, channel + ".else") as sub:
        answers = [ws_publish(sub, channel, n, ref=n) for n in range(5)]
        assert [a["ref"] for a in answers] == list(range(5))
    assert [m["id"] for m in published(slow_gateway, channel)] == [a["id"] for a in answers]


def test_slow_backend_pipelined_socket_publishes_are_all_acked(slow_gateway, channel):
    with open_subscriber("websocket", slow_gateway, channel + ".else") as sub:
        for n in range(50):
            sub.wire.send_object({"type": "publish", "channel": channel, "data": n, "ref": n})
        acks = {}
        while len(acks) < 50:
            answer = sub.next_object()
            assert answer["type"] == "ack", answer
            acks[answer["ref"]] = answer["id"]
    assert sorted(m["id"] for m in published(slow_gateway, channel)) == sorted(acks.values())


def test_duplicate_of_a_publish_in_flight_waits_for_it(slow_gateway, channel):
    body = request_bytes("POST", "/publish?channel=" + channel, {
        "Content-Type": JSON, "Idempotency-Key": "in-flight-key"}, b"1")
    https = [Http(slow_gateway.address) for _ in range(6)]
    for http in https:
        http.send(body)
    ids = {http.read_response().json()["id"] for http in https}
    for http in https:
        http.close()
    assert len(ids) == 1
    assert len(published(slow_gateway, channel)) == 1


def test_duplicate_in_flight_by_the_other_way_waits_for_it(slow_gateway, channel):
    with open_subscriber("websocket", slow_gateway, channel + ".else") as sub:
        with Http(slow_gateway.address) as http:
            for n in range(10):
                key = "both-in-flight-%d" % n
                sub.wire.send_object({"type": "publish", "channel": channel, "data": 1,
                                      "ref": n, "key": key})
                ident = slow_gateway.publish(channel, 1, key=key, on=http)
                ack = sub.next_object()
                assert (ack["type"], ack["ref"], ack["id"]) == ("ack", n, ident)
    assert len(published(slow_gateway, channel)) == 10


def test_client_that_leaves_while_its_publish_is_pending(slow_gateway, channel):
    body = request_bytes("POST", "/publish?channel=" + channel, {"Content-Type": JSON}, b"1")
    for n in range(20):
        http = Http(slow_gateway.address)
        http.send(body)
        if n % 2:
            http.abort()
        else:
            http.close()
    with open_subscriber("websocket", slow_gateway, channel + ".else") as sub:
        for n in range(20):
            sub.wire.send_object({"type": "publish", "channel": channel, "data": n, "ref": n})
        sub.cut()
    assert slow_gateway.publish(channel, "after")
    served(slow_gateway)


def test_slow_backend_keep_alive_and_pipelining(slow_gateway, channel):
    one = request_bytes("POST", "/publish?channel=" + channel, {"Content-Type": JSON}, b"1")
    with Http(slow_gateway.address) as http:
        http.send(one * 5)
        ids = [http.read_response().json()["id"] for _ in range(5)]
    assert [m["id"] for m in published(slow_gateway, channel)] == ids


def test_slow_backend_ends_with_publishes_pending(start_gateway, channel):
    gateway = start_gateway("--backend", "slow")
    body = request_bytes("POST", "/publish?channel=" + channel, {"Content-Type": JSON}, b"1")
    https = [Http(gateway.address) for _ in range(5)]
    for http in https:
        http.send(body)
    gateway.stop()
    for http in https:
        http.close()
