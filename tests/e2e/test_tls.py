"""TLS records in every shape a client may send or ask for, in both versions."""

import os
import random
import socket
import time

import pytest

from checks import await_connections, check_error, published, relayed, served
from sluicetest import (
    STREAMING, TRANSPORTS, Bye, Closed, SharedGateway, WebSocket, eventually, open_subscriber,
    request_bytes, responses_in)
from sluicetest.http import Http
from sluicetest.records import (
    ALERT, CLOSE_NOTIFY, DATA, HANDSHAKE, NO_RENEGOTIATION, USER_CANCELED, AlertReceived,
    RecordProfile)
from sluicetest.wire import Cut
from sluicetest.websocket import TEXT, frame_bytes

VERSIONS = ["1.2", "1.3"]
TLS_13 = pytest.mark.parametrize("how", ["1.3"], indirect=True)
INTERNAL_ERROR, RECORD_OVERFLOW, BAD_RECORD_MAC, UNEXPECTED_MESSAGE = 80, 22, 20, 10
PLAIN = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--outbox", "128K", "--history-bytes", "64M", "--history-total", "256M",
                       secure=True) as shared:
        yield shared


@pytest.fixture(scope="module")
def profiles():
    return {version: RecordProfile(version) for version in VERSIONS}


@pytest.fixture(params=VERSIONS)
def how(request, profiles):
    return profiles[request.param]


@pytest.fixture
def http(gateway, how):
    with Http(gateway.address, how=how) as http:
        yield http


def poll(channel, since="0"):
    return request_bytes("GET", "/poll?channels=%s&since=%s&wait=0" % (channel, since))


def publish(channel, body):
    return request_bytes("POST", "/publish?channel=" + channel, PLAIN, body)


def payloads(answer):
    assert answer.status == 200, answer
    return [message["data"] for message in answer.json()["messages"]]


def upgrade(channel, form="json"):
    return request_bytes("GET", "/ws?format=%s&channels=%s" % (form, channel),
                         WebSocket.upgrade_headers())


def ends(wire, timeout=60):
    """The gateway ends the connection, by whatever means; returns the exception that says so."""
    try:
        while True:
            wire.fill(timeout)
    except (Closed, Cut, AlertReceived) as end:
        return end


# How requests lie in records.

def test_two_requests_in_one_record(http, channel):
    http.tls.send_records(publish(channel, b"one") + poll(channel))
    assert http.read_response("POST").status == 200
    assert payloads(http.read_response()) == ["one"]


def test_one_request_in_three_records(http, channel):
    data = publish(channel, b"in three")
    for cuts in (1, 5), (20, len(data) - 3), (len(data) - 2, len(data) - 1):
        pieces = data[:cuts[0]], data[cuts[0]:cuts[1]], data[cuts[1]:]
        http.tls.send_records(*pieces)
        assert http.read_response("POST").status == 200
        for piece in pieces:
            http.tls.send_records(piece)
            time.sleep(0.02)  # so that each is read by itself
        assert http.read_response("POST").status == 200
    http.tls.send_records(poll(channel))
    assert payloads(http.read_response()) == ["in three"] * 6


def test_one_record_in_three_segments(http, channel):
    for first, second in (1, 4), (3, 5), (5, 6), (10, 40):
        record = http.tls.seal(publish(channel, b"whole"))
        for piece in record[:first], record[first:second], record[second:]:
            http.tls.send_raw(piece)
            time.sleep(0.02)
        assert http.read_response("POST").status == 200
    assert published_over(http, channel) == ["whole"] * 4


def published_over(http, channel):
    http.send(poll(channel))
    return payloads(http.read_response())


def test_records_of_one_byte_in_one_segment(http, channel):
    http.tls.record_bytes = 1
    http.send(publish(channel, b"a" * 3000) + poll(channel))
    assert http.read_response("POST").status == 200
    assert payloads(http.read_response()) == ["a" * 3000]


def test_each_transport_takes_records_of_one_byte(gateway, how, channel, transport):
    single = RecordProfile(how.version, record_bytes=1)
    with open_subscriber(transport, gateway, channel, how=single) as sub:
        gateway.publish_all(channel, [0, 1, 2])
        assert sub.next_data(3) == [0, 1, 2]


def test_websocket_frames_in_records_of_one_byte(gateway, how, channel):
    with WebSocket(gateway.address, how=how) as ws:
        assert ws.handshake("/ws?channels=" + channel).status == 101
        assert ws.next_object()["type"] == "open"
        ws.tls.record_bytes = 1
        for n in range(3):
            ws.send_object({"type": "publish", "channel": channel, "data": "x" * 500, "ref": n})
        got = [ws.next_object() for _ in range(6)]
        assert [one["ref"] for one in got if one.get("type")] == [0, 1, 2], got
        assert [one["data"] for one in got if not one.get("type")] == ["x" * 500] * 3


def test_a_frame_in_the_record_of_its_upgrade(gateway, how, channel):
    with WebSocket(gateway.address, how=how) as ws:
        ws.tls.send_records(upgrade(channel, "raw") + frame_bytes(TEXT, b"early"))
        assert ws.read_head().status == 101
        frame = ws.read_frame()
        while frame.opcode != TEXT:
            frame = ws.read_frame()
        assert frame.payload == b"early"


def test_pipelined_requests_cut_anywhere(http, channel):
    rng = random.Random(4182)
    data = b"".join(publish(channel, b"%d" % n) for n in range(60))
    while data:
        at = rng.choice([1, 2, 60, 200, 700])
        http.tls.send_records(data[:at])
        data = data[at:]
    for _ in range(60):
        assert http.read_response("POST").status == 200
    assert published_over(http, channel) == ["%d" % n for n in range(60)]


def test_eighty_requests_in_one_record(http, channel):
    """More than a turn takes, and nothing comes behind them that would wake the gateway."""
    requests = [publish(channel, b"x")] * 80
    data = b"".join(requests)
    assert len(data) <= 16384
    http.tls.send_records(data)
    for _ in requests:
        assert http.read_response("POST").status == 200


def test_bytes_behind_a_held_poll_wait_for_its_answer(gateway, http, channel):
    cursor = gateway.head()
    held = request_bytes("GET", "/poll?channels=%s&since=%s&wait=25" % (channel, cursor))
    http.tls.send_records(held + publish(channel + ".next", b"x"), publish(channel + ".next", b"y"))
    eventually(lambda: gateway.stats()["transports"]["longpoll"]["connections"] == 1)
    assert published(gateway, channel + ".next") == []
    gateway.publish(channel, "now")
    assert payloads(http.read_response()) == ["now"]
    assert [http.read_response("POST").status for _ in range(2)] == [200, 200]
    assert published(gateway, channel + ".next") == ["x", "y"]


def test_many_requests_on_one_connection_pass_by_libmicrohttpd(gateway, how, channel):
    before = relayed(gateway)
    with Http(gateway.address, how=how) as http:
        for n in range(200):
            http.send(publish(channel, b"%d" % n))
            assert http.read_response("POST").status == 200
            http.send(poll(channel, "0"))
            assert http.read_response().status == 200
    assert relayed(gateway) == before + 1


def test_no_transport_passes_libmicrohttpd(gateway, how, channel):
    before = relayed(gateway)
    for transport in TRANSPORTS:
        with open_subscriber(transport, gateway, channel, how=how) as sub:
            gateway.publish(channel, transport)
            assert sub.next_message()["data"] == transport
    assert relayed(gateway) == before + 1


def test_a_body_of_many_records(http, channel):
    body = b"y" * 65536
    http.send(publish(channel, body))
    assert http.read_response("POST").status == 200
    assert published_over(http, channel) == [body.decode()]


def test_an_answer_larger_than_a_record(gateway, http, channel):
    values = ["%06d" % n + "z" * 20000 for n in range(20)]
    gateway.publish_all(channel, values)
    got, cursor = [], "0"
    while len(got) < 20:
        http.send(poll(channel, cursor))
        answer = http.read_response()
        got += payloads(answer)
        cursor = answer.json()["cursor"]
    assert got == values


# Records that hold nothing, and records that hold what they should not.

def test_empty_records_between_those_of_a_request(http, channel):
    data = publish(channel, b"sparse")
    http.tls.send_records(b"", data[:10], b"", b"", data[10:], b"")
    assert http.read_response("POST").status == 200
    assert published_over(http, channel) == ["sparse"]


def test_nothing_but_empty_records_is_ended_or_read(gateway, http):
    """However many: no memory, and the gateway serves others."""
    before = gateway.memory_kib()
    try:
        for _ in range(50):
            http.tls.send_records(*[b""] * 1000)
    except (ConnectionError, socket.timeout):
        pass
    served(gateway)
    assert gateway.memory_kib() - before < 20_000


@TLS_13
def test_padding_is_no_content(http, channel):
    http.tls.send_records(publish(channel, b"padded"), padding=15000)
    assert http.read_response("POST").status == 200
    http.tls.send_records(b"", padding=16000)
    assert published_over(http, channel) == ["padded"]


def test_a_record_too_long_is_refused(gateway, http, channel):
    http.tls.send_records(b"x" * 16384 + b"x" * 400)
    end = ends(http)
    assert isinstance(end, AlertReceived) and end.code in (RECORD_OVERFLOW, BAD_RECORD_MAC), end
    served(gateway)


def test_a_record_that_was_changed_is_refused(gateway, http, channel):
    record = bytearray(http.tls.seal(publish(channel, b"changed")))
    record[-1] ^= 1
    http.tls.send_raw(bytes(record))
    end = ends(http)
    assert isinstance(end, AlertReceived) and end.code == BAD_RECORD_MAC, end
    assert published(gateway, channel) == []


def test_a_request_before_a_bad_record_is_carried_out(gateway, http, channel):
    record = bytearray(http.tls.seal(publish(channel, b"good")))
    bad = bytearray(http.tls.seal(publish(channel, b"bad")))
    bad[-1] ^= 1
    http.tls.send_raw(bytes(record + bad))
    ends(http)
    assert published(gateway, channel) == ["good"]


@pytest.mark.parametrize("kind", [24, 99, HANDSHAKE])
def test_a_record_of_another_kind_ends_the_connection(gateway, http, kind):
    http.tls.send_records(b"\x01\x02\x03\x04", kind=kind)
    http.tls.send_records(b"\x01\x02\x03\x04", kind=kind)
    ends(http)
    served(gateway)


def test_cleartext_behind_the_handshake_is_no_request(gateway, http, channel):
    http.tls.send_raw(publish(channel, b"clear"))
    ends(http)
    assert published(gateway, channel) == []


# Ends and alerts.

@pytest.mark.parametrize("of", ["head", "body", "frame"])
def test_close_notify_in_the_middle(gateway, how, channel, of):
    """What was begun is not carried out, and the connection ends."""
    data = {"head": publish(channel, b"x")[:30], "body": publish(channel, b"x" * 100)[:-1],
            "frame": upgrade(channel, "raw") + frame_bytes(TEXT, b"half of it")[:-3]}[of]
    with WebSocket(gateway.address, how=how) as ws:
        if of == "frame":
            ws.tls.send_records(data)
            assert ws.read_head().status == 101
        else:
            ws.tls.send_records(data)
        ws.tls.notify_close()
        ends(ws)
        assert CLOSE_NOTIFY in ws.tls.alerts
    assert published(gateway, channel) == []
    await_connections(gateway, "websocket", 0)


@pytest.mark.parametrize("transport", STREAMING)
def test_a_fin_without_close_notify_ends_a_stream(gateway, how, channel, transport):
    with open_subscriber(transport, gateway, channel, how=how) as sub:
        sub.wire.sock.shutdown(socket.SHUT_WR)
        sub.wire.read_to_end()
    await_connections(gateway, transport, 0)


@pytest.mark.parametrize("transport", STREAMING)
def test_close_notify_ends_a_stream_before_a_fin(gateway, how, channel, transport):
    with open_subscriber(transport, gateway, channel, how=how) as sub:
        sub.wire.tls.notify_close()
        sub.wire.read_to_end()
        assert sub.wire.tls.ended_by_notify
    await_connections(gateway, transport, 0)


def test_close_notify_in_the_record_behind_a_publish(gateway, http, channel):
    """The publish is carried out; that nobody waits for its answer does not matter."""
    http.tls.send_raw(http.tls.seal(publish(channel, b"last")) + http.tls.alert(CLOSE_NOTIFY))
    ends(http)
    eventually(lambda: published(gateway, channel) == ["last"])


@pytest.mark.parametrize("code", [BAD_RECORD_MAC, INTERNAL_ERROR, 42, 48])
def test_a_fatal_alert_ends_the_connection(gateway, http, channel, code):
    http.tls.send_raw(http.tls.seal(publish(channel, b"x")[:20]) + http.tls.alert(code, level=2))
    ends(http)
    served(gateway)
    assert published(gateway, channel) == []


def test_warnings_without_end_are_not_answered_without_end(gateway, http):
    before = gateway.memory_kib()
    try:
        for _ in range(20):
            http.tls.send_raw(b"".join(http.tls.alert(USER_CANCELED) for _ in range(500)))
    except (ConnectionError, socket.timeout):
        pass
    served(gateway)
    assert gateway.memory_kib() - before < 20_000


def test_a_single_warning_is_passed_over(http, channel):
    http.tls.send_raw(http.tls.alert(USER_CANCELED))
    http.send(publish(channel, b"after it"))
    assert http.read_response("POST").status == 200


def test_an_alert_of_no_length_ends_the_connection(gateway, http):
    http.tls.send_records(b"", kind=ALERT)
    ends(http)
    served(gateway)


# New keys, TLS 1.3; new handshakes, TLS 1.2.

@TLS_13
@pytest.mark.parametrize("asks", [False, True])
def test_key_updates_now_and_then(http, channel, asks):
    for n in range(5):
        http.tls.send_raw(http.tls.key_update(asks))
        http.send(publish(channel, b"%d" % n))
        assert http.read_response("POST").status == 200
    assert published_over(http, channel) == ["%d" % n for n in range(5)]
    assert http.tls.key_updates == (5 if asks else 0)


@TLS_13
def test_a_key_update_in_the_middle_of_a_request(http, channel):
    data = publish(channel, b"two keys")
    http.tls.send_raw(http.tls.seal(data[:40]) + http.tls.key_update(True) + http.tls.seal(data[40:]))
    assert http.read_response("POST").status == 200
    assert published_over(http, channel) == ["two keys"]


@TLS_13
def test_a_key_update_is_answered_before_the_next_message(gateway, how, channel):
    """As RFC 8446, 4.6.3 has it; a subscriber that nothing is sent to may wait."""
    with WebSocket(gateway.address, how=how) as ws:
        assert ws.handshake("/ws?channels=" + channel).status == 101
        assert ws.next_object()["type"] == "open"
        ws.tls.send_raw(ws.tls.key_update(True))
        gateway.publish(channel, "new keys")
        while ws.next_object().get("data") != "new keys":
            pass
        assert ws.tls.key_updates == 1
        kinds = [kind for kind, _ in ws.tls.opened]
        assert HANDSHAKE in kinds[-3:-1], kinds


@TLS_13
@pytest.mark.parametrize("asks", [False, True])
def test_a_flood_of_key_updates_is_refused(gateway, http, asks):
    """The client reads no answer."""
    before, memory = key_updates_refused(gateway), gateway.memory_kib()
    try:
        for _ in range(100):
            http.tls.send_raw(b"".join(http.tls.key_update(asks) for _ in range(500)))
    except (ConnectionError, socket.timeout):
        pass
    served(gateway)
    assert gateway.memory_kib() - memory < 20_000
    eventually(lambda: key_updates_refused(gateway) == before + 1)
    ends(http)


def key_updates_refused(gateway):
    return gateway.metric("sluice_tls_key_updates_refused_total")


@pytest.mark.parametrize("how", ["1.2"], indirect=True)
def test_renegotiation_is_refused(gateway, http, channel):
    http.tls.send_records(client_hello(), kind=HANDSHAKE)
    http.send(publish(channel, b"on old keys"))
    try:
        assert http.read_response("POST").status == 200
    except (Closed, AlertReceived):
        pass
    assert http.tls.alerts[:1] == [NO_RENEGOTIATION], (http.tls.alerts, http.tls.opened)


@pytest.mark.parametrize("how", ["1.2"], indirect=True)
def test_a_flood_of_renegotiations_is_not_answered_without_end(gateway, http):
    memory = gateway.memory_kib()
    hello = client_hello()
    try:
        for _ in range(100):
            http.tls.send_records(*[hello] * 300, kind=HANDSHAKE)
    except (ConnectionError, socket.timeout):
        pass
    served(gateway)
    # 30,000 are sent. AddressSanitizer keeps what was freed for a while.
    assert gateway.memory_kib() - memory < 60_000


def client_hello():
    """The message of a TLS 1.2 client, without extensions."""
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\xc0\x2b" + b"\x01\0"
    return b"\x01" + len(body).to_bytes(3, "big") + body


# A client that does not read.

@pytest.mark.parametrize("transport", STREAMING)
def test_what_a_record_holds_is_never_dropped(gateway, how, channel, transport):
    """Each record opens, each object is whole, bye is the last; the client resumes without loss."""
    values = ["%06d" % n + "x" * 16000 for n in range(600)]
    sub = open_subscriber(transport, gateway, channel, how=how, rcvbuf=8192)
    gateway.publish_all(channel, values)
    with pytest.raises(Bye) as bye:
        while True:
            sub.next_message()
    assert bye.value.obj["reason"] == "slow_consumer"
    with pytest.raises(Exception) as end:
        sub.next_object()
    assert end.type.__name__ in ("Closed", "CloseFrame"), end.value
    sub.wire.read_to_end()
    assert sub.wire.tls.ended_by_notify
    got = [message["data"] for message in sub.seen]
    assert 0 < len(got) < len(values) and got == values[:len(got)]
    with open_subscriber(transport, gateway, channel, since=sub.cursor) as again:
        while len(got) < len(values):
            got.append(again.next_message()["data"])
        assert again.gaps == []
    assert got == values


def test_long_records_to_a_client_that_reads_a_byte_a_second(gateway, how, channel):
    """Memory is bounded, others are served, and what the client gets is whole."""
    sub = open_subscriber("stream", gateway, channel, how=how, rcvbuf=8192)
    memory = gateway.memory_kib()
    for n in range(4):
        gateway.publish_all(channel, ["%06d" % (40 * n + k) + "b" * 40000 for k in range(40)])
        sub.wire.tls.pending += sub.wire.sock.recv(1)
        time.sleep(1)
    history = 160 * 3 * 40_000 // 1024
    # AddressSanitizer keeps what was freed for a while: a build with it can take much more.
    kept_by_sanitizer = 64_000 * bool(os.environ.get("SLUICE", "").count("san/"))
    assert gateway.memory_kib() - memory < history + 8_000 + kept_by_sanitizer
    with pytest.raises(Bye):
        while True:
            sub.next_message()
    assert [int(message["data"][:6]) for message in sub.seen] == list(range(len(sub.seen)))
    assert any(length == 16384 for kind, length in sub.wire.tls.opened if kind == DATA)
    sub.close()


def test_a_replay_goes_out_in_few_long_records(gateway, how, channel):
    """What one flush has to send is sealed together."""
    gateway.publish_all(channel, list(range(50)))
    with Http(gateway.address, how=how) as http:
        http.send(request_bytes("GET", "/stream?channels=%s&since=0" % channel))
        http.read_head()
        got = 0
        while got < 51:  # the open object and the messages
            got += http.read_chunk().count(b"\n")
        data = [length for kind, length in http.tls.opened if kind == DATA]
        assert len(data) <= 8, data


# Bytes that come with the end of the handshake.

def test_a_request_with_the_last_record_of_the_handshake(gateway, how, channel):
    """In TLS 1.2 a client may do so once it resumes; Finished is then its last."""
    from sluicetest.tls import Profile, Tls
    resuming = Profile(how.version)
    with Http(gateway.address, how=resuming) as first:
        session = first.tls.object.session
    for body in b"one", b"two":
        with socket.create_connection(gateway.address) as sock:
            sock.settimeout(60)
            tls = Tls(sock, gateway.address, resuming, session)
            tls.handshake(behind=publish(channel, body) + poll(channel))
            assert tls.object.session_reused
            got = tls.read_buffered()
            while len(got.split(b"\r\n\r\n")) < 3 or not got.endswith(b"}"):
                tls.take()
                got += tls.read_buffered()
            assert [one.status for one in responses_in(got)] == [200, 200]
    assert published(gateway, channel) == ["one", "two"]


def test_the_error_answer_is_the_same_as_in_the_clear(gateway, http):
    http.send(request_bytes("GET", "/poll?channels=", {}))
    check_error(http.read_response(), 400)
    http.send(b"GET /poll?channels=a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    check_error(http.read_response(), 400)
    http.expect_end()
    assert http.tls.ended_by_notify
    assert http.tls.alerts == [CLOSE_NOTIFY]
