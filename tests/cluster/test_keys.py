"""A repeated key is the same message through whichever gateway, also when the log's leader has died between or
while it was being stored."""

import json
import threading
import time

import pytest

from clustertest.gateways import Node
from clustertest.servers import Cluster
from clustertest.world import Loopback

TIMEOUT_S = 40


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(3, Loopback(), str(tmp_path))
    cluster.start()
    yield cluster
    for server in cluster.servers:
        if server.is_running():
            server.resume()
    cluster.stop()


@pytest.fixture
def nodes(cluster):
    layout, nodes = Loopback(), []
    for number in range(2):
        options = ["--backend", "nats"]
        for url in layout.urls(number, cluster.servers):
            options += ["--nats", url]
        nodes.append(Node(number, layout.place_of_gateway(number), options))
        nodes[-1].start()
    yield nodes
    for node in nodes:
        node.stop()


def publish(node, key, text):
    """Asks again, as a client does, until there is an id."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        answer = node.ask("POST", "/publish?channel=keys", text.encode(),
                          {"Content-Type": "text/plain", "Idempotency-Key": key}, timeout=TIMEOUT_S)
        if answer.status == 200:
            return answer.json()["id"]
        assert answer.status in (429, 500), answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)


def held(node):
    answer = node.ask("GET", "/poll?wait=0&since=0&channels=keys")
    return [(message["id"], message["data"]) for message in json.loads(answer.body)["messages"]]


def wait_for(node, last):
    deadline = time.monotonic() + TIMEOUT_S
    while last not in [message for message, _ in held(node)]:
        assert time.monotonic() < deadline, held(node)
        time.sleep(0.1)


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_a_key_is_the_same_message_across_the_leaders_death(cluster, nodes, fault):
    ids = [publish(nodes[0], "key-before-%d" % n, "m%d" % n) for n in range(5)]
    leader = cluster.wait_leader()
    getattr(leader, fault)()
    again = [publish(nodes[1], "key-before-%d" % n, "again") for n in range(5)]
    assert again == ids
    last = publish(nodes[0], "key-after-all", "end")
    for node in nodes:
        wait_for(node, last)
        assert held(node) == [(seq, "m%d" % n) for n, seq in enumerate(ids)] + [(last, "end")]


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_a_key_in_flight_when_the_leader_dies_is_one_message(cluster, nodes, fault):
    """Both gateways are asked at the same time, before and after."""
    keys = ["key-in-flight-%d" % n for n in range(30)]
    ids = [{}, {}]

    def publish_each(number):
        for key in keys:
            ids[number][key] = publish(nodes[number], key, "by %d" % number)

    threads = [threading.Thread(target=publish_each, args=(number,)) for number in range(2)]
    publish(nodes[0], "key-of-the-start", "start")
    leader = cluster.wait_leader()
    for thread in threads:
        thread.start()
    getattr(leader, fault)()
    for thread in threads:
        thread.join()
    assert ids[0] == ids[1] and len(set(ids[0].values())) == len(keys)
    last = publish(nodes[1], "key-after-all", "end")
    for node in nodes:
        wait_for(node, last)
        assert [seq for seq, _ in held(node)].count(last) == 1
        assert len(held(node)) == len(keys) + 2
    assert held(nodes[0]) == held(nodes[1])
