"""100,000 channels: four gateways on one log of 300,000 messages, three of which start when it is full."""

import time

import pytest

from clustertest.gateways import Node
from clustertest.servers import Cluster
from clustertest.world import Loopback

CHANNELS, ROUNDS, GATEWAYS = 100000, 3, 4
START_S = 5     # with 300,000 messages to read
SETTLE_S = 120  # to store them, on a busy machine
BATCH = 1000
LOOKED_AT = range(0, CHANNELS, 9973)


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(1, Loopback(), str(tmp_path))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def nodes(cluster):
    options = ["--backend", "nats", "--nats", cluster.servers[0].url, "--shards", "2",
               "--history-total", "512M"]
    nodes = [Node(number, Loopback().place_of_gateway(number), options) for number in range(GATEWAYS)]
    yield nodes
    for node in nodes:
        node.kill()


def publish_all(cluster):
    """The answer to the last one of each batch says that the batch is stored: the stream takes one after the other."""
    with cluster.servers[0].connect(10) as nats:
        for number in range(ROUNDS):
            data = b"%d" % number
            for first in range(0, CHANNELS, BATCH):
                nats.sock.settimeout(SETTLE_S)
                nats.sock.sendall(b"".join(b"PUB sluice.main.many.%d %d\r\n%s\r\n" % (channel, len(data), data)
                                           for channel in range(first, first + BATCH - 1)))
                nats.store("sluice.main.many.%d" % (first + BATCH - 1), data, timeout=SETTLE_S)
    assert cluster.stream()["state"]["last_seq"] == CHANNELS * ROUNDS


def wait_for_head(node, head):
    deadline = time.monotonic() + SETTLE_S
    while node.head() != head:
        assert time.monotonic() < deadline, (node.number, node.head(), head)
        time.sleep(0.1)


def read(node, channel):
    answer = node.ask("GET", "/poll?wait=0&since=0&channels=many.%d" % channel)
    assert answer.status == 200, answer
    return answer.json()["messages"]


def test_heads_are_equal_on_four_gateways_of_100000_channels(cluster, nodes):
    nodes[0].start()
    publish_all(cluster)
    head = nodes[0].head()[0], CHANNELS * ROUNDS
    wait_for_head(nodes[0], head)
    took = []
    for node in nodes[1:]:
        began = time.monotonic()
        node.start()  # returns when it listens
        took.append(time.monotonic() - began)
        assert node.head() == head, "it listens with less than the log held"
    print("starts with %d messages to read: %s s" % (
        CHANNELS * ROUNDS, ", ".join("%.2f" % seconds for seconds in took)))
    assert min(took) < START_S, took

    for channel in LOOKED_AT:
        held = [read(node, channel) for node in nodes]
        assert [message["data"] for message in held[0]] == list(range(ROUNDS))
        assert held.count(held[0]) == GATEWAYS, held
    answer = nodes[3].ask("POST", "/publish?channel=many.7", b"last", {"Content-Type": "text/plain"})
    assert answer.status == 200 and answer.json()["id"] == "%s-%d" % (head[0], head[1] + 1), answer
    for node in nodes:
        wait_for_head(node, (head[0], head[1] + 1))
        assert read(node, 7)[-1]["data"] == "last"
