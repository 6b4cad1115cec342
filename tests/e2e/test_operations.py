"""Running it: figures, health, exact byte counts, draining, options, sockets of all kinds."""

import json
import re
import signal
import socket
import subprocess
import time

import pytest

from checks import await_connections, check_error, served, transport_stats, wire_bytes
from sluicetest import (
    STREAMING, TRANSPORTS, Bye, Closed, CloseFrame, Gateway, GatewayFailed, Http, WebSocket,
    binary, eventually, has_ipv6, open_subscriber)


# Health and description.

def test_healthz_and_readyz(gateway):
    for path in ("/healthz", "/readyz"):
        response = gateway.get(path)
        assert response.status == 200 and response.header("Sluice"), response


def test_transports_describes_the_gateway(gateway):
    offer = gateway.get("/transports").json()
    names = [t if isinstance(t, str) else t["name"] for t in offer["transports"]]
    assert names == TRANSPORTS
    text = json.dumps(offer)
    assert offer["version"]
    assert "15" in text and "heartbeat" in text and "limits" in text
    assert re.search(r'"[0-9a-f]{8}-\d+"', text), "no head cursor"


def test_transports_cursor_is_the_head(gateway, channel):
    ident = gateway.publish(channel, 1)
    assert gateway.get("/transports").json()["cursor"] == ident


def test_stats_name_every_transport(gateway):
    for transport in TRANSPORTS:
        part = transport_stats(gateway, transport)
        assert part["connections"] >= 0
        for name in ("messages", "payload_bytes", "wire_bytes"):
            for direction in ("_in", "_out"):
                assert isinstance(part[name + direction], int), part
                assert part[name + direction] >= 0, part


def test_stats_count_connections_messages_and_payload(gateway, channel, transport):
    held = transport in STREAMING
    before = transport_stats(gateway, transport)
    with open_subscriber(transport, gateway, channel) as sub:
        if held:
            eventually(lambda: transport_stats(gateway, transport)["connections"]
                       == before["connections"] + 1)
        gateway.publish_all(channel, ["12345", "x" * 1000])
        sub.next_data(2)

        def counted():
            now = transport_stats(gateway, transport)
            return (now["messages_out"] - before["messages_out"] == 2
                    and now["payload_bytes_out"] - before["payload_bytes_out"] == 1005)
        eventually(counted)
    eventually(lambda: transport_stats(gateway, transport)["connections"]
               == before["connections"])


def test_stats_count_what_comes_in_by_websocket(gateway, channel):
    before = transport_stats(gateway, "websocket")
    with WebSocket(gateway.address) as ws:
        ws.handshake("/ws?format=raw&channels=" + channel)
        ws.send_text("12345")
        ws.send_frame(2, b"123")
        ws.next_data()
        ws.next_data()

        def counted():
            now = transport_stats(gateway, "websocket")
            return (now["messages_in"] - before["messages_in"] == 2
                    and now["payload_bytes_in"] - before["payload_bytes_in"] == 8)
        eventually(counted)


# Metrics.

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = r'\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,|(?=\})))*\}'
SAMPLE = re.compile(r"(%s)(%s)? ([-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|Inf|NaN))$" % (NAME, LABELS))


def check_exposition(text, openmetrics):
    """Every line is of the format; every sample belongs to a family with HELP and TYPE;
    no series comes twice."""
    types, helps, series = {}, set(), set()
    lines = text.split("\n")
    assert lines[-1] == "", "no line end at the end"
    lines.pop()
    if openmetrics:
        assert lines.pop() == "# EOF"
    for line in lines:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, line
            assert kind in ("counter", "gauge", "histogram", "summary", "info", "unknown", "untyped")
            types[name] = kind
        elif line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helps, line
            helps.add(name)
        elif line.startswith("# UNIT ") and openmetrics:
            continue
        else:
            match = SAMPLE.match(line)
            assert match, line
            assert line.rsplit(" ", 1)[0] not in series, line
            series.add(line.rsplit(" ", 1)[0])
            name = match.group(1)
            family = next((f for f in (name, re.sub(r"_(total|bucket|sum|count|info|created)$", "",
                                                     name)) if f in types), None)
            assert family, "no TYPE for " + line
            assert family in helps, "no HELP for " + line
            if types[family] == "counter":
                assert name.endswith("_total"), line
                assert float(match.group(3)) >= 0, line
    return series


def test_metrics_are_prometheus_text(gateway):
    response = gateway.get("/metrics")
    kind = response.header("Content-Type")
    assert kind.startswith("text/plain") and "version=0.0.4" in kind
    series = check_exposition(response.body.decode(), openmetrics=False)
    text = "\n".join(series)
    assert all('transport="%s"' % t in text for t in TRANSPORTS)


@pytest.mark.parametrize("accept", [
    "application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "application/openmetrics-text",
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
    "version=0.0.1;q=0.25,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"])
def test_metrics_are_openmetrics_when_asked_for(gateway, accept):
    response = gateway.get("/metrics", {"Accept": accept})
    assert response.header("Content-Type").startswith("application/openmetrics-text")
    check_exposition(response.body.decode(), openmetrics=True)


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "application/json", ""])
def test_metrics_are_plain_otherwise(gateway, accept):
    response = gateway.get("/metrics", {"Accept": accept})
    assert response.header("Content-Type").startswith("text/plain")


# Wire bytes, to the byte.

def settled_wire_bytes(gateway, transport):
    """When the bytes of tests before this one have been counted."""
    await_connections(gateway, transport, 0)
    seen = [None]

    def is_settled():
        seen.append(wire_bytes(gateway, transport))
        return seen[-1] == seen[-2]
    eventually(is_settled, pause=0.1)
    return seen[-1]


def await_wire_bytes(gateway, transport, before, sent, received):
    want = (before[0] + sent, before[1] + received)
    got = None
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        got = wire_bytes(gateway, transport)
        if got == want:
            return
        time.sleep(0.05)
    assert got == want, "in: off by %d, out: off by %d" % (got[0] - want[0], got[1] - want[1])


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("transport", ["sse", "stream"])
def test_wire_bytes_of_streams_are_exact(gateway, channel, transport, version):
    before = settled_wire_bytes(gateway, transport)
    with open_subscriber(transport, gateway, channel, version=version) as sub:
        gateway.publish_all(channel, ["x" * 10, "x" * 5000, b"\x00" * 3000])
        for _ in range(3):
            sub.next_message()
        sub.wire.leave()
    await_wire_bytes(gateway, transport, before, sub.wire.sent, sub.wire.received)


def test_wire_bytes_of_websockets_are_exact(gateway, channel):
    before = settled_wire_bytes(gateway, "websocket")
    with open_subscriber("websocket", gateway, channel) as sub:
        gateway.publish_all(channel, ["x" * 10, "x" * 5000])
        sub.next_data(2)
        sub.wire.send_object({"type": "ping", "data": "x" * 100})
        sub.await_control("pong")
        sub.wire.send_object({"type": "publish", "channel": channel, "data": 1, "ref": 1})
        sub.next_object(), sub.next_object()
        sub.wire.close_handshake()
    await_wire_bytes(gateway, "websocket", before, sub.wire.sent, sub.wire.received)


def test_wire_bytes_of_a_cut_websocket_are_exact(gateway, channel):
    before = settled_wire_bytes(gateway, "websocket")
    with open_subscriber("websocket", gateway, channel) as sub:
        gateway.publish(channel, 1)
        sub.next_message()
        sub.wire.send_object({"type": "ping", "data": 1})
        sub.await_control("pong")
        sub.cut()
    await_wire_bytes(gateway, "websocket", before, sub.wire.sent, sub.wire.received)


@pytest.mark.parametrize("wait,transport", [(25, "longpoll"), (0, "poll")])
def test_wire_bytes_of_polls_are_exact(gateway, channel, wait, transport):
    """The first poll of a connection, those on the kept one, and the last with close."""
    cursor = gateway.head()
    before = settled_wire_bytes(gateway, transport)
    with Http(gateway.address) as http:
        for n in range(4):
            gateway.publish(channel, n)
            cursor = http.request(
                "GET", "/poll?channels=%s&since=%s&wait=%d" % (channel, cursor, wait),
                {"Connection": "close"} if n == 3 else ()).json()["cursor"]
        http.expect_end()
    await_wire_bytes(gateway, transport, before, http.sent, http.received)


def test_wire_bytes_of_a_held_poll_are_exact(gateway, channel):
    cursor = gateway.head()
    before = settled_wire_bytes(gateway, "longpoll")
    with Http(gateway.address) as http:
        for n in range(3):
            http.send_request("GET", "/poll?channels=%s&since=%s&wait=25" % (channel, cursor))
            assert http.is_silent(0.1)
            cursor = gateway.publish(channel, n)
            assert len(http.read_response().json()["messages"]) == 1
        http.leave()
    await_wire_bytes(gateway, "longpoll", before, http.sent, http.received)


@pytest.mark.parametrize("between", ["/healthz", "/nothing"])
def test_wire_bytes_between_polls_are_not_the_polls(gateway, channel, between):
    """The socket goes back to the front and comes again: each byte counts once."""
    cursor = gateway.head()
    before = settled_wire_bytes(gateway, "poll")
    own = [0, 0]
    target = "/poll?channels=%s&since=%s&wait=0" % (channel, cursor)
    with Http(gateway.address) as http:
        for n in range(3):
            start = http.sent, http.received
            http.request("GET", target)
            own[0] += http.sent - start[0]
            own[1] += http.received - start[1]
            http.request("GET", between)
    await_wire_bytes(gateway, "poll", before, *own)


def test_wire_bytes_of_chunked_writes_bytewise(gateway, channel):
    """A request head in single bytes counts the same."""
    from sluicetest import request_bytes
    before = settled_wire_bytes(gateway, "stream")
    with Http(gateway.address) as http:
        http.send_bytewise(request_bytes("GET", "/stream?channels=" + channel))
        http.read_head()
        http.read_chunk()
        http.leave()
    await_wire_bytes(gateway, "stream", before, http.sent, http.received)


# Draining.

def test_sigterm_tells_every_stream_bye_with_a_spread_retry(start_gateway, channel):
    gateway = start_gateway("--drain", "5")
    subs = [open_subscriber(STREAMING[n % 3], gateway, channel) for n in range(24)]
    gateway.signal(signal.SIGTERM)
    retries = []
    for sub in subs:
        bye = sub.await_control("bye")
        assert list(bye) == ["type", "reason", "retry", "sent"] and bye["reason"] == "draining", bye
        assert isinstance(bye["retry"], int) and bye["retry"] >= 0, bye
        retries.append(bye["retry"])
        if sub.transport == "websocket":
            assert sub.wire.await_close().code in (1001, 1012)
        else:
            with pytest.raises(Closed):
                sub.next_object()
            assert sub.reader.ended, "the stream did not end with its last chunk"
        sub.close()
    assert len(set(retries)) > 6, "not spread out: %r" % retries
    assert gateway.wait() == 0


def test_sigterm_closes_raw_websockets_with_1012(start_gateway, channel):
    gateway = start_gateway()
    with WebSocket(gateway.address) as ws:
        ws.handshake("/ws?format=raw&channels=" + channel)
        gateway.signal(signal.SIGTERM)
        assert ws.await_close().code == 1012
    assert gateway.wait() == 0


def test_sigterm_answers_held_polls(start_gateway, channel):
    gateway = start_gateway()
    cursor = gateway.head()
    https = [Http(gateway.address) for _ in range(5)]
    for http in https:
        http.send_request("GET", "/poll?channels=%s&since=%s&wait=55" % (channel, cursor))
    eventually(lambda: transport_stats(gateway, "longpoll")["connections"] == 5)
    gateway.signal(signal.SIGTERM)
    for http in https:
        response = http.read_response()
        assert response.status == 200 and response.json()["messages"] == [], response
        http.close()
    assert gateway.wait() == 0


def test_drain_ends_in_time_although_a_client_does_not_leave(start_gateway, channel):
    """A client that reads nothing and closes nothing cannot hold it."""
    gateway = start_gateway("--drain", "2")
    subs = [open_subscriber(t, gateway, channel, rcvbuf=4096) for t in STREAMING]
    gateway.publish_all(channel, ["x" * 60000 for _ in range(20)])
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    for sub in subs:
        sub.close()


def test_draining_refuses_new_work_with_429(start_gateway, channel):
    """While a slow client holds the drain, others are told to come later."""
    gateway = start_gateway("--drain", "8", "--outbox", "8M", "--history-bytes", "8M")
    subs = [open_subscriber(t, gateway, channel, rcvbuf=4096) for t in STREAMING]
    kept = Http(gateway.address)
    assert kept.request("GET", "/healthz").status == 200
    gateway.publish_all(channel, ["x" * 60000 for _ in range(60)])
    gateway.signal(signal.SIGTERM)
    statuses = []
    for target in ("/readyz", "/poll?channels=a&since=0&wait=0", "/stream?channels=a"):
        try:
            eventually(lambda: gateway.get("/readyz").status == 503, timeout=3)
            response = gateway.get(target)
        except (OSError, Closed, AssertionError):
            continue  # it may as well have stopped listening
        statuses.append(response.status)
        if target == "/readyz":
            assert response.status == 503, response
        else:
            check_error(response, 429)
    for sub in subs:
        sub.cut()
    kept.close()
    assert gateway.wait() == 0


def test_second_sigterm_or_sigint_does_not_crash(start_gateway, channel):
    gateway = start_gateway("--drain", "3")
    sub = open_subscriber("stream", gateway, channel)
    gateway.signal(signal.SIGTERM)
    gateway.signal(signal.SIGTERM)
    sub.close()
    assert gateway.wait() == 0


def test_sigint_ends_it_too(start_gateway):
    gateway = start_gateway()
    gateway.signal(signal.SIGINT)
    assert gateway.wait() == 0


@pytest.mark.parametrize("backend", ["memory", "slow"])
def test_drain_amid_publishes_ends_well(start_gateway, channel, backend):
    """Every publish answered 200 was delivered before bye or is told by nobody."""
    gateway = start_gateway("--backend", backend)
    sub = open_subscriber("websocket", gateway, channel)
    for n in range(200):
        sub.wire.send_object({"type": "publish", "channel": channel, "data": n, "ref": n})
    gateway.signal(signal.SIGTERM)
    got = []
    try:
        while True:
            obj = sub.next_object()
            if "type" not in obj:
                got.append(obj["data"])
    except (Closed, CloseFrame):
        pass
    assert len(got) == len(set(got))
    sub.close()
    assert gateway.wait() == 0


def test_sighup_keeps_serving(gateway, channel):
    with open_subscriber("stream", gateway, channel) as sub:
        gateway.signal(signal.SIGHUP)
        gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1
        gateway.signal(signal.SIGHUP)
        served(gateway)


def test_sighup_rereads_allowed_origins(start_gateway, tmp_path):
    path = tmp_path / "sluice.json"
    path.write_text('{"listen": "127.0.0.1:0"}')
    gateway = start_gateway("--config", path)
    page = {"Origin": "http://page.example"}
    check_error(gateway.get("/transports", page), 403)
    path.write_text('{"listen": "127.0.0.1:0", "allow-origin": "http://page.example"}')
    gateway.signal(signal.SIGHUP)
    # The shards take new settings one after another.
    eventually(lambda: all(gateway.get("/transports", page).status == 200 for _ in range(20)))
    path.write_text('{"listen": nonsense')
    gateway.signal(signal.SIGHUP)
    served(gateway)
    assert gateway.get("/transports", page).status == 200, "a bad file must change nothing"


# Options.

def run(*options):
    return subprocess.run([binary(), *map(str, options)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, text=True)


@pytest.mark.parametrize("option,value", [
    ("--shards", "0"), ("--shards", "65"), ("--shards", "two"), ("--shards", "-1"),
    ("--listen", "nonsense"), ("--listen", "127.0.0.1:70000"), ("--listen", "127.0.0.1"),
    ("--listen", "unix:relative"), ("--listen", "[::1"), ("--listen", ""),
    ("--max-message", "12Q"), ("--max-message", "0"), ("--outbox", "-1"), ("--heartbeat", "3"),
    ("--heartbeat", "61"), ("--drain", "x"), ("--log-level", "loud"), ("--backend", "nonsense"),
    ("--backend", "slow"),  # is in sluice-slow alone
    ("--public-origin", "push.example"), ("--allow-origin", "http://a/path"), ("--allow-origin", "*"),
    ("--config", "/nonexistent/file.json"), ("--mailbox", "1"), ("--base-path", "a b"),
    ("--history-age", "1 day"), ("--max-header", "1"), ("--request-timeout", "0")])
def test_wrong_values_are_refused_with_the_options_name(option, value):
    done = run(option, value)
    assert done.returncode != 0
    assert done.returncode > 0, "died of signal %d" % -done.returncode
    assert option in done.stderr, done.stderr
    assert "listening" not in done.stdout


@pytest.mark.parametrize("arguments", [["--nonsense"], ["extra"], ["--shards"]])
def test_unknown_arguments_are_refused(arguments):
    done = run(*arguments)
    assert done.returncode > 0 and done.stderr


def test_help_and_version():
    done = run("--help")
    assert done.returncode == 0
    for option in ("--listen", "--shards", "--outbox", "--drain", "--config", "--allow-anonymous"):
        assert option in done.stdout
    done = run("--version")
    assert done.returncode == 0 and re.search(r"\d", done.stdout)


def test_config_file_gives_options_and_the_command_line_wins(start_gateway, channel, tmp_path):
    path = tmp_path / "sluice.json"
    path.write_text(json.dumps({
        "listen": ["127.0.0.1:0"], "max-message": "1K", "heartbeat": 20, "shards": 1,
        "allow-origin": ["http://page.example"]}))
    gateway = start_gateway("--config", path, "--heartbeat", "30")
    with open_subscriber("stream", gateway, channel) as sub:
        assert sub.opened["heartbeat"] == 30
    assert gateway.request("POST", "/publish?channel=" + channel,
                           {"Content-Type": "text/plain"}, b"x" * 1025).status == 413
    assert gateway.get("/transports", {"Origin": "http://page.example"}).status == 200


@pytest.mark.parametrize("text,tells", [
    ("{", "line"), ("[]", "object"), ('{"nonsense": 1}', "nonsense"), ('{"shards": "x"}', "shards"),
    ('{"shards": 1.5}', "shards"), ('{"listen": 5}', "listen"), ('{"demo": "yes"}', "demo"), ("", "")])
def test_bad_config_files_are_refused(tmp_path, text, tells):
    path = tmp_path / "bad.json"
    path.write_text(text)
    done = run("--config", path, "--listen", "127.0.0.1:0", "--check-config")
    assert done.returncode > 0
    assert str(path) in done.stderr and tells in done.stderr


# Listening.

def test_two_listeners(start_gateway, channel):
    gateway = start_gateway("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0")
    assert len(set(gateway.listeners)) == 2
    with open_subscriber("sse", gateway, channel, listener=gateway.listeners[1]) as sub:
        gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1


def test_localhost_listens_at_both_families_on_one_port(start_gateway, channel):
    gateway = start_gateway("--listen", "localhost:0")
    hosts = ["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]
    assert gateway.listeners == [(host, gateway.address[1]) for host in hosts]
    for n, listener in enumerate(gateway.listeners):
        with open_subscriber("websocket", gateway, channel, listener=listener) as sub:
            gateway.publish(channel, n)
            assert sub.next_message()["data"] == n


def test_localhost_and_a_number_of_it_are_one_listener(start_gateway, tmp_path):
    path = tmp_path / "sluice.json"
    alone = start_gateway("--listen", "localhost:0")
    alone.stop()
    texts = ["%s:%d" % (host, alone.address[1]) for host in ("127.0.0.1", "localhost", "[::1]")]
    if not has_ipv6():
        texts.pop()
    path.write_text(json.dumps({"listen": texts}))
    gateway = start_gateway("--config", path)
    assert gateway.listeners == alone.listeners
    assert gateway.stderr().decode().count("listed twice") == len(texts) - 1


def test_localhost_of_which_another_has_one_family_is_refused(start_gateway):
    if not has_ipv6():
        pytest.skip("no IPv6 here")
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(GatewayFailed) as refused:
            start_gateway("--listen", "localhost:%d" % port)
    assert "[::1]:%d" % port in refused.value.stderr


def test_ipv6_listener(start_gateway, channel):
    if not has_ipv6():
        pytest.skip("no IPv6 here")
    gateway = start_gateway("--listen", "[::1]:0")
    with open_subscriber("websocket", gateway, channel) as sub:
        gateway.publish(channel, 1)
        assert sub.next_message()["data"] == 1


def test_unix_listener(start_gateway, channel, transport):
    import tempfile
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        path = folder + "/s"
        gateway = start_gateway("--listen", "unix:" + path)
        assert gateway.address == path
        with open_subscriber(transport, gateway, channel) as sub:
            gateway.publish_all(channel, range(20))
            assert sub.next_data(20) == list(range(20))
        with Http(path) as http:
            assert http.request("GET", "/healthz").status == 200
        gateway.stop()
        again = start_gateway("--listen", "unix:" + path)
        with Http(path) as http:
            assert http.request("GET", "/healthz").status == 200
        again.stop()


def test_unix_socket_polls_keep_their_connection(start_gateway, channel):
    import tempfile
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        gateway = start_gateway("--listen", "unix:" + folder + "/s")
        cursor = gateway.head()
        with open_subscriber("longpoll", gateway, channel, since=cursor) as sub:
            for n in range(10):
                gateway.publish(channel, n)
                assert sub.next_message()["data"] == n
                assert sub.reusable


@pytest.mark.parametrize("shards", ["1", "2"])
def test_port_in_use_is_refused(gateway, shards):
    address = "%s:%d" % gateway.address
    with pytest.raises(GatewayFailed) as refused:
        Gateway("--listen", address, "--shards", shards).kill()
    assert refused.value.status not in (0, None) and refused.value.stderr
    for _ in range(20):
        served(gateway)


def test_port_of_a_gateway_that_ended_can_be_taken_at_once(start_gateway, channel):
    one = start_gateway()
    with open_subscriber("stream", one, channel):
        one.stop()
    two = start_gateway("--listen", "%s:%d" % one.address)
    served(two)


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_socket_passed_by_systemd_is_used(start_gateway, channel, kind, tmp_path):
    sock = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
    with sock:
        if kind == "unix":
            import tempfile
            sock.bind(tempfile.mkdtemp(prefix="sluice-") + "/s")
            address = sock.getsockname()
        else:
            sock.bind(("127.0.0.1", 0))
            address = sock.getsockname()
        sock.listen(64)
        gateway = start_gateway(inherit=sock)
        assert gateway.address == address
        with open_subscriber("sse", gateway, channel) as sub:
            gateway.publish_all(channel, range(5))
            assert sub.next_data(5) == list(range(5))


# Shards.

@pytest.mark.shards
@pytest.mark.parametrize("shards", ["1", "2", "5"])
def test_messages_reach_subscribers_on_every_shard(start_gateway, channel, shards):
    gateway = start_gateway("--shards", shards)
    subs = [open_subscriber(TRANSPORTS[n % 4], gateway, channel) for n in range(24)]
    for n in range(50):
        gateway.publish(channel, n)
    for sub in subs:
        assert sub.next_data(50) == list(range(50))
        sub.close()


@pytest.mark.shards
def test_stats_sum_over_shards(start_gateway, channel):
    gateway = start_gateway("--shards", "3")
    subs = [open_subscriber("stream", gateway, channel) for _ in range(12)]
    for _ in range(8):
        assert transport_stats(gateway, "stream")["connections"] == 12
    for sub in subs:
        sub.close()


@pytest.mark.shards
def test_drain_with_streams_on_every_shard(start_gateway, channel):
    gateway = start_gateway("--shards", "3")
    subs = [open_subscriber(STREAMING[n % 3], gateway, channel) for n in range(12)]
    gateway.publish(channel, 1)
    for sub in subs:
        assert sub.next_message()["data"] == 1
    gateway.signal(signal.SIGTERM)
    for sub in subs:
        with pytest.raises(Bye):
            sub.next_message()
        sub.close()
    assert gateway.wait() == 0


def test_log_lines_are_structured_and_hold_no_payload(start_gateway, channel):
    gateway = start_gateway("--log-level", "debug")
    gateway.publish(channel, "a-secret-payload")
    with open_subscriber("websocket", gateway, channel, since="0") as sub:
        sub.next_message()
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    said = gateway.stderr().decode()
    assert "a-secret-payload" not in said
    for line in said.splitlines():
        assert re.search(r"\b(error|warning|info|debug)\b", line, re.I), line
