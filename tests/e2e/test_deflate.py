"""permessage-deflate (RFC 7692): what is agreed on, what is compressed, what is refused; in the clear and
over TLS."""

import json
import os
import re
import urllib.parse

import pytest

from checks import check_error
from sluicetest import TRANSPORTS, SharedGateway, WebSocket, eventually, open_subscriber
from sluicetest.websocket import (
    BINARY, CLOSE, CONT, PING, RSV1, TEXT, compress, frame_bytes)

OFFER = "permessage-deflate; client_max_window_bits"
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
EXTENSIONS = "Sec-WebSocket-Extensions"
MIB = 1 << 20
MAX_MESSAGE = 65536
TEXT_VALUE = "text that repeats itself, " * 100


@pytest.fixture(scope="module", params=[False, True], ids=["clear", "tls"])
def shared(request):
    with SharedGateway("--deflate", "--limits", "off", "--shards", "1", secure=request.param) as shared:
        yield shared


@pytest.fixture
def gateway(shared):
    with shared.use() as gateway:
        yield gateway


def connect(gateway, channel, offer=OFFER, query=""):
    ws = WebSocket(gateway.address)
    headers = {} if offer is None else {EXTENSIONS: offer}
    response = ws.handshake("/ws?channels=%s%s" % (channel, query), headers)
    assert response.status == 101, response
    return ws


def connect_json(gateway, channel, offer=OFFER, query=""):
    ws = connect(gateway, channel, offer, query)
    assert ws.next_object()["type"] == "open"
    return ws


def counters(gateway):
    names = ["deflate_messages", "deflate_bytes_in", "deflate_bytes_out", "inflate_messages",
             "inflate_refused"]
    return {name: gateway.metric("sluice_%s_total" % name) for name in names}


def difference(before, after):
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


# ---- agreeing ----

@pytest.mark.parametrize("offer, answer", [
    ("permessage-deflate", AGREED),
    (OFFER, AGREED),
    ("permessage-deflate; server_max_window_bits=10; client_max_window_bits",
     AGREED + "; server_max_window_bits=10"),
    ("permessage-foo, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=8",
     AGREED + "; server_max_window_bits=8"),
    ('permessage-deflate; server_max_window_bits="12"', AGREED + "; server_max_window_bits=12"),
    ("permessage-deflate; server_max_window_bits", None),
    ("permessage-deflate; server_max_window_bits=16", None),
    ("permessage-deflate; server_no_context_takeover=1", None),
    ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
    ("x-webkit-deflate-frame", None),
    (None, None)])
def test_an_offer_is_answered_as_the_rfc_says(gateway, channel, offer, answer):
    with connect(gateway, channel, offer) as ws:
        assert ws.extension == answer


@pytest.mark.parametrize("offer", ["permessage-deflate;", "permessage-deflate; server_max_window_bits=",
                                   "permessage-deflate server_max_window_bits", '"permessage-deflate"'])
def test_a_malformed_offer_is_refused(gateway, channel, offer):
    with WebSocket(gateway.address) as ws:
        response = ws.handshake("/ws?channels=%s" % channel, {EXTENSIONS: offer})
        check_error(response, 400, "bad_handshake")


# ---- what the gateway sends ----

@pytest.mark.parametrize("bits", range(8, 16))
def test_messages_are_compressed_for_the_window_that_was_asked_for(gateway, channel, bits):
    offer = "permessage-deflate; server_max_window_bits=%d" % bits
    value = {"n": list(range(2000)), "far": "a phrase that comes again %s a phrase that comes again" % ("." * 300)}
    with connect_json(gateway, channel, offer) as ws:
        gateway.publish(channel, value)
        assert ws.next_object()["data"] == value
        assert ws.compressed_frames == 1


@pytest.mark.parametrize("value, kind", [(TEXT_VALUE, TEXT), (b"\0\xff" * 1000, BINARY), ([1] * 1000, TEXT)])
def test_raw_payloads_are_compressed_too(gateway, channel, value, kind):
    with connect(gateway, channel, query="&format=raw") as ws:
        ws.send_frame(PING, b"there?")
        ws.await_pong()
        gateway.publish(channel, value)
        frame = ws.next_data()
        assert (frame.opcode, ws.compressed_frames) == (kind, 1)
        expected = value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else None
        assert frame.payload == expected if expected else json.loads(frame.payload) == value


def test_short_messages_and_what_does_not_get_smaller_are_left_alone(gateway, channel):
    with connect(gateway, channel, query="&format=raw") as ws:
        ws.send_frame(PING, b"there?")
        ws.await_pong()
        before = counters(gateway)
        for value in ("a" * 511, os.urandom(2000), ""):
            gateway.publish(channel, value)
            ws.next_data()
        assert ws.compressed_frames == 0 and difference(before, counters(gateway)) == {}
        gateway.publish(channel, "a" * 512)
        assert ws.next_data().payload == b"a" * 512 and ws.compressed_frames == 1


def test_a_message_is_compressed_once_whatever_the_number_of_its_subscribers(gateway, channel):
    sockets = [connect_json(gateway, channel) for _ in range(20)]
    sockets += [connect_json(gateway, channel, "permessage-deflate; server_max_window_bits=9") for _ in range(5)]
    sockets += [connect_json(gateway, channel, None)]
    before = counters(gateway)
    ids = gateway.publish_all(channel, [TEXT_VALUE] * 3)
    for ws in sockets:
        assert [ws.next_object()["id"] for _ in ids] == ids
        ws.close()
    assert [ws.compressed_frames for ws in sockets] == [3] * 25 + [0]
    assert difference(before, counters(gateway))["deflate_messages"] == 6  # two windows


def test_the_wire_carries_fewer_bytes_and_the_counters_say_which(gateway, channel):
    with connect_json(gateway, channel) as ws, connect_json(gateway, channel, None) as plain:
        before = counters(gateway)
        gateway.publish(channel, TEXT_VALUE)
        frame, other = ws.read_frame(), plain.read_frame()
        changed = difference(before, counters(gateway))
        assert frame.rsv == RSV1 and other.rsv == 0
        assert changed == {"deflate_messages": 1, "deflate_bytes_in": len(other.payload),
                           "deflate_bytes_out": len(frame.payload)}
        assert len(frame.payload) < len(other.payload) / 10


def test_history_is_compressed_and_remembers_what_must_not_be(gateway, channel):
    post(gateway, channel, TEXT_VALUE, "&compress=0")
    post(gateway, channel, TEXT_VALUE, "&compress=1")
    with connect_json(gateway, channel, query="&since=0") as ws:
        frames = [ws.read_frame() for _ in range(2)]
        assert [frame.rsv for frame in frames] == [0, RSV1]


def test_every_other_transport_gets_the_same_objects(gateway, channel):
    with connect_json(gateway, channel) as ws:
        cursor = gateway.head()
        gateway.publish(channel, {"x": TEXT_VALUE})
        expected = ws.next_object()
        for transport in TRANSPORTS:
            with open_subscriber(transport, gateway, channel, since=cursor) as subscriber:
                assert subscriber.next_message() == expected


# ---- compress=0 ----

def post(gateway, channel, value, query, kind="text/plain"):
    return gateway.request("POST", "/publish?channel=%s%s" % (urllib.parse.quote(channel), query),
                           {"Content-Type": kind}, value.encode())


def test_a_message_that_must_not_be_compressed_is_not_however_it_came(gateway, channel):
    """THREATS.md: a secret beside text of others."""
    line = json.dumps({"data": TEXT_VALUE, "compress": False})
    with connect_json(gateway, channel) as ws:
        assert post(gateway, channel, TEXT_VALUE, "&compress=0").status == 200
        assert post(gateway, channel, line, "", "application/x-ndjson").status == 200
        plain = json.dumps({"data": TEXT_VALUE})
        assert post(gateway, channel, plain, "&compress=0", "application/x-ndjson").status == 200
        ws.send_object({"type": "publish", "channel": channel, "data": TEXT_VALUE, "compress": False})
        for _ in range(4):
            obj = ws.next_object()
            while obj.get("type") == "ack":
                obj = ws.next_object()
            assert obj["data"] == TEXT_VALUE
        assert ws.compressed_frames == 0


@pytest.mark.parametrize("query", ["&compress=2", "&compress=", "&compress=true", "&compress=00"])
def test_compress_in_a_query_is_0_or_1(gateway, channel, query):
    check_error(post(gateway, channel, TEXT_VALUE, query), 400, "bad_request")


@pytest.mark.parametrize("value", [0, "false", [], {}])
def test_compress_in_an_object_is_true_or_false(gateway, channel, value):
    line = json.dumps({"data": 1, "compress": value})
    answer = post(gateway, channel, line, "", "application/x-ndjson")
    assert json.loads(answer.body)["error"]["code"] == "bad_request"
    with connect_json(gateway, channel) as ws:
        ws.send_object({"type": "publish", "channel": channel, "data": 1, "compress": value, "ref": 7})
        error = ws.next_object()
        assert (error["type"], error["code"], error["ref"]) == ("error", "bad_request", 7)


def test_lengths_of_one_message_say_nothing_of_another(gateway, channel):
    """Each is compressed alone: one that repeats the message before is no shorter than it was."""
    secret = "".join("%08x" % (n * 2654435761 % 2 ** 32) for n in range(200))
    with connect(gateway, channel, query="&format=raw") as ws:
        ws.send_frame(PING, b"there?")
        ws.await_pong()
        lengths = []
        for _ in range(3):
            gateway.publish(channel, secret)
            frame = ws.read_frame()
            assert frame.rsv == RSV1
            lengths.append(len(frame.payload))
        assert len(set(lengths)) == 1


# ---- what a client sends ----

@pytest.mark.parametrize("fragments", [1, 2, 7])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_a_client_may_compress_or_not(gateway, channel, fragments, level):
    with connect_json(gateway, channel) as ws:
        before = counters(gateway)
        obj = {"type": "publish", "channel": channel, "data": {"t": TEXT_VALUE, "ü": "ü"}}
        ws.send_compressed(json.dumps(obj), fragments=fragments, level=level)
        ws.send_object(obj)
        objects = [ws.next_object() for _ in range(4)]
        assert [o["type"] for o in objects if "type" in o] == ["ack", "ack"]
        assert [o["data"] for o in objects if "data" in o] == [obj["data"]] * 2
        assert difference(before, counters(gateway))["inflate_messages"] == 1


def test_raw_payloads_of_a_client_are_inflated(gateway, channel):
    with connect(gateway, channel, query="&format=raw") as ws:
        ws.send_compressed(b"\0\xff" * 20, opcode=BINARY)
        ws.send_compressed("", opcode=TEXT)
        assert [(f.opcode, f.payload) for f in (ws.next_data(), ws.next_data())] == [
            (BINARY, b"\0\xff" * 20), (TEXT, b"")]


VIOLATIONS = [
    ("on a ping", frame_bytes(PING, b"p", rsv=RSV1), 1002),
    ("on a close", frame_bytes(CLOSE, b"\x03\xe8", rsv=RSV1), 1002),
    ("on a continuation", frame_bytes(TEXT, compress("hello"), fin=False, rsv=RSV1)
     + frame_bytes(CONT, b"", rsv=RSV1), 1002),
    ("rsv2", frame_bytes(TEXT, compress("hello"), rsv=RSV1 | 2), 1002),
    ("no deflate data", frame_bytes(TEXT, b"\xff\xff\xff", rsv=RSV1), 1007),
    ("cut", frame_bytes(TEXT, compress("hello" * 100)[:-3], rsv=RSV1), 1007),
    ("empty", frame_bytes(TEXT, b"", rsv=RSV1), 1007),
    ("no utf-8", frame_bytes(TEXT, compress(b"\xff\xfe"), rsv=RSV1), 1007),
    ("too large", frame_bytes(BINARY, compress(b"a" * (MAX_MESSAGE + 1)), rsv=RSV1), 1009),
]


@pytest.mark.parametrize("what, sent, code", VIOLATIONS, ids=[what for what, _, _ in VIOLATIONS])
def test_what_breaks_the_rules_closes(gateway, channel, what, sent, code):
    with connect(gateway, channel, query="&format=raw") as ws:
        ws.send(sent)
        assert ws.await_close().code == code


@pytest.mark.parametrize("offer", [None, "permessage-deflate; unknown"])
def test_a_compressed_frame_without_agreement_closes(gateway, channel, offer):
    with connect(gateway, channel, offer, "&format=raw") as ws:
        ws.send_frame(TEXT, compress("hello"), rsv=RSV1)
        assert ws.await_close().code == 1002


def test_a_message_of_just_the_limit_is_taken(gateway, channel):
    with connect(gateway, channel, query="&format=raw") as ws:
        for payload in (b"a" * MAX_MESSAGE, os.urandom(MAX_MESSAGE)):
            ws.send_compressed(payload, opcode=BINARY)
            assert ws.next_data().payload == payload


def peak_kib(gateway):
    with open("/proc/%d/status" % gateway.pid) as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))


@pytest.mark.parametrize("fragments", [1, 50])
def test_bombs_are_refused_at_the_limit_with_bounded_memory(gateway, channel, fragments):
    """Some 64 KiB that stand for 60 MiB; without a bound each would be half a gigabyte with seven more."""
    bomb = compress(b"\0" * (60 * MIB), level=9)
    assert len(bomb) < MAX_MESSAGE
    before, refused = peak_kib(gateway), counters(gateway)["inflate_refused"]
    sockets = [connect(gateway, channel, query="&format=raw") for _ in range(8)]
    for ws in sockets:
        for number in range(fragments):
            part = bomb[len(bomb) * number // fragments:len(bomb) * (number + 1) // fragments]
            ws.send_frame(CONT if number else BINARY, part, fin=number == fragments - 1,
                          rsv=0 if number else RSV1)
    for ws in sockets:
        assert ws.await_close().code == 1009
        ws.close()
    assert counters(gateway)["inflate_refused"] == refused + 8
    assert peak_kib(gateway) - before < 30 * 1024


# ---- off, and reloads ----

def test_off_nothing_changes_on_the_wire(start_gateway, channel):
    gateway = start_gateway()
    with connect_json(gateway, channel) as offering, connect_json(gateway, channel, None) as other:
        assert offering.extension is None
        gateway.publish(channel, TEXT_VALUE)
        frames = [ws.read_frame() for ws in (offering, other)]
        assert frames[0].rsv == 0 and frames[0].payload == frames[1].payload
        offering.send_frame(TEXT, compress("{}"), rsv=RSV1)
        assert offering.await_close().code == 1002
    assert counters(gateway) == dict.fromkeys(counters(gateway), 0)


def test_a_reload_switches_it_for_those_that_have_agreed(start_gateway, channel, tmp_path):
    path = tmp_path / "sluice.json"

    def write(**options):
        path.write_text(json.dumps({"listen": "127.0.0.1:0", **options}))
    write(deflate=True)
    gateway = start_gateway("--config", path)
    reloads = 0

    def reload(**options):
        nonlocal reloads
        reloads += 1
        write(**options)
        gateway.signal(1)
        eventually(lambda: gateway.stderr().count(b"reload.done") == reloads)

    with connect_json(gateway, channel) as ws:
        gateway.publish(channel, TEXT_VALUE)
        assert ws.read_frame().rsv == RSV1
        reload(deflate=False)
        gateway.publish(channel, TEXT_VALUE)
        assert ws.read_frame().rsv == 0
        with connect_json(gateway, channel) as late:
            assert late.extension is None
        ws.send_compressed(json.dumps({"type": "ping"}))
        assert ws.next_object()["type"] == "pong"
        reload(deflate=True, **{"deflate-threshold": len(TEXT_VALUE) + 1})
        gateway.publish(channel, TEXT_VALUE)
        assert ws.read_frame().rsv == 0
        reload(deflate=True, **{"deflate-threshold": len(TEXT_VALUE)})
        gateway.publish(channel, TEXT_VALUE)
        assert ws.read_frame().rsv == RSV1
