"""The check page's channels: lent for a while, apart from all others; and the page itself."""

import gzip
import json
import re
import time

import pytest

from checks import check_error, served
from sluicetest import (
    TRANSPORTS, SharedGateway, WebSocket, has_ipv6, open_subscriber)

UNKNOWN = "~" + "A" * 22
TEXT = {"Content-Type": "text/plain"}
CONNECTIONS = 5


@pytest.fixture(scope="module")
def shared_two_shards():
    """For what asks for no channel: a lent one takes an address's room for two minutes."""
    with SharedGateway("--shards", "2") as shared:
        yield shared


@pytest.fixture
def plain(shared_two_shards):
    with shared_two_shards.use() as gateway:
        yield gateway


def issue(gateway, method="POST", target="/check/channel", source="127.0.0.1"):
    """Returns status, the header Retry-After, and the body's object."""
    with gateway.connect(source=source) as to:
        answer = to.request(method, target, body=b"" if method == "POST" else None)
    assert answer.header("Sluice") and answer.header("Cache-Control") == "no-store"
    return answer.status, answer.header("Retry-After"), answer.json()


def lend(gateway, source="127.0.0.1"):
    status, _, loan = issue(gateway, source=source)
    assert status == 201, loan
    return loan["channel"]


def post(gateway, channel, body=b"x"):
    return gateway.request("POST", "/publish?channel=" + channel, TEXT, body)


def post_lines(gateway, *objects):
    body = "".join(json.dumps(one) + "\n" for one in objects).encode()
    answer = gateway.request("POST", "/publish", {"Content-Type": "application/x-ndjson"}, body)
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.body.splitlines()]


def told(ws, **object):
    ws.send_text(json.dumps(object))
    while True:
        answer = ws.next_object()
        if answer.get("ref") == object["ref"]:
            return answer


# ---- lending ----

@pytest.mark.parametrize("method,target", [
    ("POST", "/check/channel"), ("GET", "/check/channel"), ("GET", "/check/channel?n=4711")])
def test_a_channel_is_lent_with_its_limits(start_gateway, method, target):
    gateway = start_gateway()
    status, _, loan = issue(gateway, method, target)
    assert status == 201
    assert re.fullmatch(r"~[A-Za-z0-9_-]{22,}", loan.pop("channel"))
    assert loan == {"expires_in": 120, "messages": 200, "bytes": 1 << 20, "connections": CONNECTIONS,
                    "reports": False}
    assert gateway.metric("sluice_check_issued_total") == 1
    assert gateway.metric("sluice_check_channels") == 1


def test_an_address_has_three_channels(start_gateway):
    gateway = start_gateway()
    names = {lend(gateway) for _ in range(3)}
    assert len(names) == 3
    status, retry_after, body = issue(gateway)
    assert (status, body["error"]["code"]) == (429, "too_many_checks")
    assert 1 <= int(retry_after) <= 120
    assert lend(gateway, source="127.0.0.2") not in names
    assert gateway.metric("sluice_check_refused_total", reason="address") == 1


def test_the_gateway_has_two_hundred_channels(start_gateway):
    gateway = start_gateway()
    for i in range(200):
        lend(gateway, source="127.0.1.%d" % (i // 3 + 1))
    status, _, body = issue(gateway, source="127.0.2.1")
    assert (status, body["error"]["code"]) == (429, "too_many_checks")
    assert gateway.metric("sluice_check_refused_total", reason="total") == 1
    assert gateway.metric("sluice_check_channels") == 200


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}], ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_page_of_another_site_is_lent_a_channel(plain, method, headers):
    check_error(plain.request(method, "/check/channel", headers), 403, "bad_origin")


def test_head_lends_nothing(plain):
    assert plain.request("HEAD", "/check/channel").status == 405


# ---- using ----

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_lent_channel_carries_messages(start_gateway, transport):
    """Also where operators keep no history: the check resumes within it."""
    gateway = start_gateway("--shards", "2", "--history-messages", "0", "--history-bytes", "0",
                            "--history-age", "0", "--history-total", "0")
    channel = lend(gateway)
    with open_subscriber(transport, gateway, channel, since="0") as sub:
        assert post(gateway, channel, b"one").status == 200
        assert sub.next_data(1) == ["one"]
        cursor = sub.cursor
    assert [set(answer) for answer in post_lines(
        gateway, {"channel": channel, "data": 2}, {"channel": channel, "data": 3})] == [{"id"}] * 2
    with open_subscriber(transport, gateway, channel, since=cursor) as sub:
        assert sub.next_data(2) == [2, 3]
        assert not sub.gaps
    assert gateway.metric("sluice_bus_leased_messages") == 3
    assert gateway.metric("sluice_bus_history_messages") == 0


def test_a_websocket_subscribes_and_publishes(start_gateway):
    gateway = start_gateway("--shards", "2")
    channel = lend(gateway)
    with WebSocket(gateway.address) as ws:
        ws.handshake("/ws?channels=other")
        assert channel in told(ws, type="subscribe", channels=[channel], ref=1)["channels"]
        assert told(ws, type="publish", channel=channel, data=1, ref=2)["type"] == "ack"


DELIVERIES = ["/sse?channels=", "/stream?channels=", "/poll?wait=0&channels=",
              "/poll?wait=0&since=0&channels=", "/poll?since=0&channels=", "/sse?channels=a,",
              "/stream?format=raw&channels="]
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


@pytest.mark.parametrize("target", DELIVERIES + ["/ws?channels="])
@pytest.mark.parametrize("name", [UNKNOWN, "~x", "~" + "A" * 127, "%7Ea.b"])
def test_a_name_that_nobody_lent_is_404(plain, target, name):
    headers = UPGRADE if target.startswith("/ws") else {}
    check_error(plain.get(target + name, headers), 404, "no_check_channel")


def test_a_name_that_nobody_lent_takes_no_message(plain):
    check_error(post(plain, UNKNOWN), 404, "no_check_channel")
    first, second = post_lines(plain, {"channel": UNKNOWN, "data": 1}, {"channel": "a", "data": 1})
    assert first["error"]["code"] == "no_check_channel"
    assert set(second) == {"id"}
    with WebSocket(plain.address) as ws:
        ws.handshake("/ws?channels=a")
        assert told(ws, type="publish", channel=UNKNOWN, data=1,
                    ref=1)["code"] == "no_check_channel"
        assert told(ws, type="subscribe", channels=["b", UNKNOWN],
                    ref=2)["code"] == "no_check_channel"
        assert told(ws, type="unsubscribe", channels=["c"], ref=3)["channels"] == ["a"]
    served(plain)


def test_a_name_one_letter_off_is_404(start_gateway):
    gateway = start_gateway()
    channel = lend(gateway)
    other = channel[:-1] + ("A" if channel[-1] != "A" else "B")
    for name in (other, channel + "A", channel[:-1], channel.swapcase()):
        check_error(gateway.get("/poll?wait=0&since=0&channels=" + name), 404, "no_check_channel")
    assert gateway.get("/poll?wait=0&since=0&channels=" + channel).status == 200


def test_a_channel_has_five_connections_at_a_time(start_gateway):
    """On whichever shard: they share the count."""
    gateway = start_gateway("--shards", "2")
    channel = lend(gateway)
    held = [open_subscriber(transport, gateway, channel) for transport in
            ("websocket", "sse", "stream", "sse", "websocket")]
    for target in ("/sse?channels=", "/stream?channels=", "/poll?wait=0&since=0&channels="):
        check_error(gateway.get(target + channel), 429, "check_full")
    check_error(gateway.get("/ws?channels=" + channel, UPGRADE), 429, "check_full")
    with WebSocket(gateway.address) as ws:
        ws.handshake("/ws?channels=other")
        assert told(ws, type="subscribe", channels=[channel], ref=1)["code"] == "check_full"
        assert post(gateway, channel).status == 200
        held.pop().close()
        deadline = time.monotonic() + 60
        while told(ws, type="subscribe", channels=[channel], ref=1)["type"] != "subscribed":
            assert time.monotonic() < deadline
    for one in held:
        one.close()


def test_a_channel_carries_two_hundred_messages(start_gateway):
    gateway = start_gateway()
    channel = lend(gateway)
    line = {"channel": channel, "data": 1}
    assert all("id" in answer for answer in post_lines(gateway, *[line] * 100))
    answers = post_lines(gateway, *[line] * 99)
    assert all("id" in answer for answer in answers)
    with WebSocket(gateway.address) as ws:
        ws.handshake("/ws?channels=other")
        assert told(ws, type="publish", channel=channel, data=1, ref=1)["type"] == "ack"
        assert told(ws, type="publish", channel=channel, data=1, ref=2)["code"] == "check_used_up"
    check_error(post(gateway, channel), 429, "check_used_up")
    assert post_lines(gateway, line)[0]["error"]["code"] == "check_used_up"
    assert len(gateway.get("/poll?wait=0&since=0&channels=" + channel).json()["messages"]) > 0
    assert gateway.metric("sluice_check_refused_total", reason="used_up") == 3


def test_a_channel_carries_a_mebibyte(start_gateway):
    gateway = start_gateway()
    channel = lend(gateway)
    for _ in range(16):
        assert post(gateway, channel, b"x" * 65536).status == 200
    check_error(post(gateway, channel, b"x"), 429, "check_used_up")
    assert post(gateway, channel, b"").status == 200


def test_raw_websocket_on_a_used_up_channel_is_closed(start_gateway):
    gateway = start_gateway()
    channel = lend(gateway)
    post_lines(gateway, *[{"channel": channel, "data": 1}] * 100)
    post_lines(gateway, *[{"channel": channel, "data": 1}] * 100)
    with WebSocket(gateway.address) as ws:
        ws.handshake("/ws?format=raw&channels=" + channel)
        ws.send_text("x")
        assert ws.await_close().code == 1013


def test_a_checks_history_pushes_nobody_elses_out(start_gateway):
    gateway = start_gateway("--history-total", "64K", "--max-channels-total", "2")
    gateway.publish("mine", "kept")
    channel = lend(gateway)
    for _ in range(8):
        assert post(gateway, channel, b"x" * 65536).status == 200
    answer = gateway.get("/poll?wait=0&since=0&channels=mine").json()
    assert [message["data"] for message in answer["messages"]] == ["kept"]
    assert gateway.metric("sluice_bus_leased_bytes") > 8 * 65536


# ---- the page ----

PAGE = b"<!doctype html><title>check</title>" + b"<p>as long as a page is</p>" * 100


@pytest.fixture
def web(tmp_path):
    (tmp_path / "client").mkdir()
    (tmp_path / "index.html").write_bytes(b"<html></html>")
    (tmp_path / "check.html").write_bytes(PAGE)
    (tmp_path / "check.html.gz").write_bytes(gzip.compress(PAGE))
    (tmp_path / "client" / "a.js").write_bytes(b"let a\n" * 100)
    (tmp_path / "client" / "a.js.gz").write_bytes(gzip.compress(b"let a\n" * 100))
    (tmp_path / "client" / "old.js").write_bytes(b"let b\n" * 100)
    (tmp_path / "client" / "old.js.gz").write_bytes(gzip.compress(b"let a\n" * 100))
    return tmp_path


@pytest.mark.parametrize("base", ["/", "/push/"])
def test_the_page_is_served_below_the_base_path(start_gateway, web, base):
    gateway = start_gateway("--base-path", base, web=web)
    for target in (base + "check", base + "check?x=1"):
        answer = gateway.get(target)
        assert (answer.status, answer.body) == (200, PAGE)
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Content-Security-Policy") == (
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
    assert answer.header("Sluice")
    head = gateway.request("HEAD", base + "check")
    assert (head.status, head.header("Content-Length")) == (200, str(len(PAGE)))
    check_error(gateway.get(base + "check.html"), 404, "not_found")
    check_error(gateway.get(base + "check/"), 404, "not_found")
    check_error(gateway.request("POST", base + "check", TEXT, b""), 405, "bad_method")


def test_a_folder_without_the_page_has_none(start_gateway, web):
    (web / "check.html").unlink()
    gateway = start_gateway(web=web)
    check_error(gateway.get("/check"), 404, "not_found")
    assert gateway.get("/").status == 200


def test_no_check_turns_all_of_it_off(start_gateway, web):
    gateway = start_gateway("--no-check", web=web)
    for method, path in (("GET", "/check"), ("GET", "/check/channel"), ("POST", "/check/channel"),
                         ("POST", "/check/report")):
        check_error(gateway.request(method, path), 404, "not_found")
    check_error(gateway.get("/poll?wait=0&channels=" + UNKNOWN), 404, "no_check_channel")
    check_error(post(gateway, UNKNOWN), 404, "no_check_channel")


@pytest.mark.parametrize("accept,zipped", [
    ("gzip, deflate, br", True), ("GZIP;q=0.5", True), ("*", True), (None, False), ("", False),
    ("br", False), ("gzip;q=0", False), ("gzip;q=0, *", False), ("identity, gzip;q=0.5", False)])
@pytest.mark.parametrize("path,plain", [("/check", PAGE), ("/client/a.js", b"let a\n" * 100)],
                         ids=["check", "a.js"])
def test_gzip_is_for_who_takes_it(start_gateway, web, path, plain, accept, zipped):
    gateway = start_gateway(web=web)
    headers = {} if accept is None else {"Accept-Encoding": accept}
    answer = gateway.get(path, headers)
    assert answer.status == 200
    assert answer.header("Content-Encoding") == ("gzip" if zipped else None)
    assert (gzip.decompress(answer.body) if zipped else answer.body) == plain
    assert "Accept-Encoding" in answer.header("Vary")
    head = gateway.request("HEAD", path, headers)
    assert head.header("Content-Length") == str(len(answer.body))
    assert head.header("ETag") == answer.header("ETag")
    again = gateway.get(path, {**headers, "If-None-Match": answer.header("ETag")})
    assert (again.status, again.body) == (304, b"")
    assert "Accept-Encoding" in again.header("Vary")


def test_gzip_and_plain_are_different_representations(start_gateway, web):
    gateway = start_gateway(web=web)
    tag = gateway.get("/check").header("ETag")
    other = gateway.get("/check", {"Accept-Encoding": "gzip"}).header("ETag")
    assert tag != other
    assert gateway.get("/check", {"If-None-Match": other}).status == 200
    assert gateway.get("/check", {"If-None-Match": tag, "Accept-Encoding": "gzip"}).status == 200


def test_gzip_of_other_bytes_is_not_used(start_gateway, web):
    gateway = start_gateway(web=web)
    answer = gateway.get("/client/old.js", {"Accept-Encoding": "gzip"})
    assert answer.header("Content-Encoding") is None and answer.body == b"let b\n" * 100
    assert b"static.other_gzip" in gateway.stderr()
    check_error(gateway.get("/client/a.js.gz"), 404, "not_found")


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_ipv6_is_limited_too(start_gateway):
    gateway = start_gateway("--listen", "[::1]:0")
    for wanted in (201, 201, 201, 429):
        assert gateway.request("POST", "/check/channel").status == wanted
