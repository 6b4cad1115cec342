"""Tables that nobody can fill for others: keys, channels, history, notes of probes, and what the kernel
holds for clients that do not read. One client wants all of it; the others keep theirs."""

import contextlib
import itertools
import json

import pytest

from sluicetest import Http, SharedGateway, WebSocket, eventually, open_subscriber, request_bytes

# Rates have tests of their own.
OPEN = ["--trust-proxy", "127.0.0.1", "--request-rate", "0", "--publish-rate", "0",
        "--publish-bytes", "0", "--delivery-rate", "0", "--history-rate", "0"]
HONEST = ["203.0.113.%d" % n for n in range(1, 9)] + ["2001:db8:%d::1" % n for n in range(1, 5)]
NDJSON = "application/x-ndjson"

# One client each time: an IPv4 address, and the addresses of one /64.
GREEDY = {
    "ipv4": itertools.repeat("198.51.100.7"),
    "ipv6": ("2001:db8:bad:1:%x::%x" % (n % 7, n) for n in itertools.count(1)),
}
greedy = pytest.mark.parametrize("family", GREEDY)


def forwarded(client):
    return {"X-Forwarded-For": client}


def publish(http, client, channel, body=b"x", key=None):
    headers = {"Content-Type": "text/plain", **forwarded(client)}
    if key:
        headers["Idempotency-Key"] = key
    response = http.request("POST", "/publish?channel=" + channel, headers, body)
    assert response.status == 200, response
    return response.json()["id"]


def publish_lines(http, clients, objects, together=100):
    """As batches, each of another address of the client's."""
    objects = list(objects)
    for at in range(0, len(objects), together):
        body = "".join(json.dumps(one) + "\n" for one in objects[at:at + together]).encode()
        response = http.request("POST", "/publish", {"Content-Type": NDJSON, **forwarded(next(clients))},
                                body)
        assert response.status == 200, response
        for line in response.body.splitlines():
            assert "id" in json.loads(line), line


def history(gateway, channel, since="0"):
    return gateway.get("/poll?channels=%s&since=%s&wait=0" % (channel, since)).json()


def numbers(objects):
    return [int(one["data"][:4]) for one in objects]


# ---- keys ----


@pytest.fixture(scope="module", params=["memory", "slow"])
def shared_few_keys(request):
    with SharedGateway("--backend", request.param, "--idempotency-keys", "200", *OPEN) as shared:
        yield shared


@greedy
def test_keys_of_one_client_do_not_push_out_those_of_others(shared_few_keys, channel, family):
    with shared_few_keys.use() as gateway, gateway.connect() as http:
        evicted = gateway.metric("sluice_idempotency_keys_evicted_total")
        before = {who: publish(http, who, channel, key="key-of-" + who) for who in HONEST}
        publish_lines(http, GREEDY[family], (
            {"channel": channel, "data": n, "key": "%s-%06d" % (family + channel[:8], n)} for n in range(800)))
        for who in HONEST:
            assert publish(http, who, channel, key="key-of-" + who) == before[who]
        assert gateway.metric("sluice_bus_idempotency_keys") == 200
        assert gateway.metric("sluice_idempotency_keys_evicted_total") >= evicted + 600
        assert gateway.metric("sluice_bus_idempotency_keys_refused_total") == 0
        # And it has lost its own oldest ones: the key counts anew, as PROTOCOL.md says.
        head = gateway.head()
        publish_lines(http, GREEDY[family], [
            {"channel": channel, "data": 0, "key": "%s-%06d" % (family + channel[:8], 0)}])
        assert gateway.head() != head


# ---- channels ----


@pytest.fixture(scope="module", params=["memory", "slow"])
def shared_few_channels(request):
    with SharedGateway("--backend", request.param, "--max-channels-total", "100", *OPEN) as shared:
        yield shared


@greedy
def test_channels_of_one_client_do_not_push_out_those_of_others(shared_few_channels, channel, family):
    with shared_few_channels.use() as gateway, gateway.connect() as http:
        evicted = gateway.metric("sluice_channels_evicted_total")
        first = {who: publish(http, who, "%s.%d" % (channel, n)) for n, who in enumerate(HONEST)}
        publish_lines(http, GREEDY[family], (
            {"channel": "%s.greedy.%d" % (channel, n), "data": n} for n in range(1000)))
        for n, who in enumerate(HONEST):
            kept = history(gateway, "%s.%d" % (channel, n))
            assert [one["id"] for one in kept["messages"]] == [first[who]]
        assert gateway.metric("sluice_bus_channels") <= 100
        assert gateway.metric("sluice_channels_evicted_total") >= evicted + 900
        # Whoever resumes where history was is told of the gap.
        lost = history(gateway, "%s.greedy.0" % channel, first[HONEST[0]])
        assert lost["messages"] == [] and lost["gaps"]


@greedy
def test_channels_that_one_client_only_subscribed_to_count_as_its_own(start_gateway, channel, family):
    """Whoever made a channel's record has it, though others publish there."""
    gateway = start_gateway("--max-channels-total", "60", "--shards", "1", *OPEN)
    with gateway.connect() as http:
        mine = [publish(http, HONEST[0], "%s.%d" % (channel, n)) for n in range(20)]
        for at in range(0, 400, 20):
            names = ["%s.greedy.%d" % (channel, n) for n in range(at, at + 20)]
            with open_subscriber("stream", gateway, names, headers=forwarded(next(GREEDY[family]))):
                for name in names:
                    publish(http, HONEST[1], name)
        for n, first in enumerate(mine):
            assert [one["id"] for one in history(gateway, "%s.%d" % (channel, n))["messages"]] == [first]


# ---- history in all ----


@pytest.fixture(scope="module", params=["memory", "slow"])
def shared_small_history(request):
    with SharedGateway("--backend", request.param, "--history-total", "4M", *OPEN) as shared:
        yield shared


@pytest.mark.parametrize("spread", [1, 1000], ids=["one_channel", "many_channels"])
def test_history_of_a_quiet_channel_stays_whole_whatever_is_published(
        shared_small_history, channel, spread):
    with shared_small_history.use() as gateway, gateway.connect() as http:
        quiet = channel + ".quiet"
        for n in range(20):
            publish(http, HONEST[0], quiet, b"%04d" % n + b"q" * 1000)
        with open_subscriber("websocket", gateway, [quiet]) as sub:
            start = sub.cursor
        large = "x" * 60000
        publish_lines(http, GREEDY["ipv4"], ({"channel": "%s.%d" % (channel, n % spread), "data": large}
                                             for n in range(300)), together=15)  # 18 MB
        kept = history(gateway, quiet)
        assert numbers(kept["messages"]) == list(range(20))
        assert not kept.get("gaps")
        assert gateway.metric("sluice_bus_history_bytes") <= 4 << 20
        # The newest stays, and what went is a gap for whoever resumes there.
        last = history(gateway, "%s.%d" % (channel, 299 % spread))
        assert last["messages"][-1]["data"] == large
        assert history(gateway, "%s.0" % channel, start)["gaps"]


def test_history_of_channels_that_hold_the_same_shrinks_in_turn(start_gateway, channel):
    gateway = start_gateway("--history-total", "1M", *OPEN)
    with gateway.connect() as http:
        for n in range(100):
            for one in range(4):
                publish(http, HONEST[one], "%s.%d" % (channel, one), b"%04d" % n + b"x" * 5000)
    held = [len(history(gateway, "%s.%d" % (channel, one))["messages"]) for one in range(4)]
    assert min(held) >= 45, held  # 1 MiB of 5 KB each is 50 a channel, to a sixteenth
    for one in range(4):
        kept = numbers(history(gateway, "%s.%d" % (channel, one))["messages"])
        assert kept == list(range(100 - len(kept), 100))


# ---- notes of probes ----


@greedy
def test_probe_notes_of_one_client_do_not_push_out_those_of_others(start_gateway, channel, family):
    gateway = start_gateway(*OPEN)
    target = "/ws?channels=%s&probe=" % channel
    clients = itertools.chain(HONEST, GREEDY[family])
    nonces = ["honest-%08d" % n for n in range(len(HONEST))] + ["greedy-%08d" % n for n in range(4500)]
    with gateway.connect() as http:
        for at in range(0, len(nonces), 100):
            some = nonces[at:at + 100]
            http.send(b"".join(request_bytes("GET", target + nonce, {
                "Host": "%s:%d" % gateway.address, **forwarded(next(clients))}) for nonce in some))
            for _ in some:
                assert http.read_response().status == 426
    for n in range(len(HONEST)):
        assert seen(gateway, "honest-%08d" % n) == "plain_get"
    assert seen(gateway, "greedy-00004499") == "plain_get"
    assert seen(gateway, "greedy-00000000") == "nothing"
    assert gateway.metric("sluice_probe_notes_evicted_total") == len(nonces) - 4096


def seen(gateway, nonce):
    return gateway.get("/probe/seen?nonce=" + nonce).json()["seen"]


# ---- kernel memory ----

LIMIT = 4 << 20
LAZY = 120


def kernel_queues(gateway):
    """Bytes that the kernel holds for the gateway's side of TCP connections."""
    port = "%04X" % gateway.address[1]
    total = 0
    with open("/proc/net/tcp") as file:
        for fields in (line.split() for line in list(file)[1:]):
            if fields[1].endswith(":" + port):
                total += int(fields[4].split(":")[0], 16)
    return total


@pytest.fixture(params=["clear", "tls", "unix"])
def small_kernel_memory(request, start_gateway, tmp_path):
    """Outboxes hold whatever comes, so that only this limit ends anybody."""
    listen = ["--listen", "unix:%s/s" % tmp_path] if request.param == "unix" else []
    secure = request.param == "tls" or None
    return start_gateway("--kernel-memory", "4M", "--outbox", "64M", "--outbox-total", "4G",
                         "--limits", "off", *listen, secure=secure)


def open_lazy(gateway, stack, channel):
    wire = stack.enter_context(Http(gateway.address, rcvbuf=4096))
    wire.send(request_bytes("GET", "/stream?channels=" + channel, {"Host": "localhost"}))
    return wire


def test_kernel_memory_of_clients_that_never_read_is_bounded(small_kernel_memory, channel):
    gateway = small_kernel_memory
    with contextlib.ExitStack() as stack:
        for _ in range(LAZY):
            open_lazy(gateway, stack, channel)
        readers = [stack.enter_context(open_subscriber(transport, gateway, channel))
                   for transport in ("websocket", "sse", "stream")]
        eventually(lambda: gateway.stats()["transports"]["stream"]["connections"] == LAZY + 1)
        with gateway.connect() as http:
            for n in range(30):
                gateway.publish(channel, "%04d" % n + "x" * 20000, on=http)
                for reader in readers:
                    message = reader.next_message()
                    assert int(message["data"][:4]) == n
        assert eventually(lambda: gateway.metric("sluice_kernel_memory_ends_total")) > 0
        eventually(lambda: gateway.metric("sluice_kernel_memory_bytes") <= LIMIT)
        if not isinstance(gateway.address, str):
            eventually(lambda: kernel_queues(gateway) <= LIMIT)
        left = gateway.stats()["transports"]["stream"]["connections"]
        assert 1 < left < LAZY, "those for which least is held stay"
        for reader in readers:
            assert reader.gaps == []
    eventually(lambda: gateway.metric("sluice_kernel_memory_bytes") == 0)


def test_kernel_memory_counts_each_client_that_lags_and_forgets_who_reads(start_gateway, channel):
    gateway = start_gateway("--kernel-memory", "64M", "--outbox", "4M", "--shards", "1")
    with open_subscriber("websocket", gateway, channel, rcvbuf=4096) as sub:
        assert gateway.metric("sluice_kernel_memory_bytes") == 0
        values = ["%04d" % n + "x" * 20000 for n in range(100)]
        gateway.publish_all(channel, values)
        held = eventually(lambda: gateway.metric("sluice_kernel_memory_bytes"))
        assert 20000 < held < 64 << 20
        assert [sub.next_message()["data"] for _ in values] == values
        eventually(lambda: gateway.metric("sluice_kernel_memory_bytes") == 0)
    assert gateway.metric("sluice_kernel_memory_ends_total") == 0


def test_bodies_that_never_end_are_within_the_bound_of_all_outboxes(start_gateway, channel):
    """The gateway keeps what it has of a body. Those with most go, an honest request stays."""
    gateway = start_gateway("--outbox-total", "4M", "--shards", "1")
    head = (b"POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
            b"Content-Length: 1000000\r\n\r\n")
    with contextlib.ExitStack() as stack, gateway.connect() as http:
        short = stack.enter_context(gateway.connect())
        short.send(b"POST /publish?channel=%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                   b"Content-Length: 5\r\n\r\nhell" % channel.encode())
        for _ in range(20):
            greedy_one = stack.enter_context(gateway.connect())
            greedy_one.send(head)
            greedy_one.send(b"x" * 900000)
        assert eventually(lambda: gateway.metric("sluice_outbox_pinned_evictions_total") >= 15)
        publish(http, "203.0.113.1", channel)
        short.send(b"o")
        assert short.read_response("POST").status == 200
