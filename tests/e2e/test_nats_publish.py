"""Publishing on a bus of NATS: what a publish comes to while its log stops, dies, comes back, or is no more. No
publish is stored twice, and each answer is true."""

import threading

import pytest

from checks import check_error
from sluicetest import Http, eventually, open_subscriber
from sluicetest.nats import options_for, pause, require, run_cluster

TEXT = {"Content-Type": "text/plain"}
TIMEOUT_S = 2      # --publish-timeout of those that must miss it
UNDER_WAY = 60     # of the 64 that one WebSocket may have
BACK_S = 60        # a server that is dead or stopped comes back, on a busy machine


@pytest.fixture
def server():
    """A NATS server of the test's own."""
    require()
    with run_cluster() as cluster:
        yield cluster


class Publish(threading.Thread):
    """One POST /publish of the test's; its answer is there after join()."""

    def __init__(self, gateway, channel, text, key=None):
        super().__init__(daemon=True)
        self.http = Http(gateway.address)
        self.target = "/publish?channel=" + channel
        self.headers = dict(TEXT, **({"Idempotency-Key": key} if key else {}))
        self.text, self.answer = text, None
        self.start()

    def run(self):
        self.answer = self.http.request("POST", self.target, self.headers, self.text.encode(), timeout=BACK_S)

    def result(self):
        self.join(BACK_S)
        self.http.close()
        assert self.answer is not None, "no answer"
        return self.answer


def read_all(gateway, channel, count):
    with open_subscriber("sse", gateway, channel, since="0") as sub:
        return sub.next_data(count)


def wait_until_pending(gateway, count):
    eventually(lambda: gateway.metric("sluice_bus_pending") == count or None)


def pipeline(sub, channel, numbers):
    """Publishes over the WebSocket, with as many under way as one may have, and awaits all acks."""
    acks = 0
    for sent, n in enumerate(numbers, 1):
        sub.wire.send_object({"type": "publish", "channel": channel, "data": n, "ref": str(n)})
        while sent - acks == UNDER_WAY or (sent == len(numbers) and acks < sent):
            acks += sub.next_object(BACK_S).get("type") == "ack"


def test_pipelined_publishes_of_a_connection_keep_their_order(server, start_gateway, channel):
    one = start_gateway(*options_for(server, "order"), "--shards", "2")
    other = start_gateway(*options_for(server, "order"))
    with open_subscriber("websocket", one, channel) as here, open_subscriber("sse", other, channel) as there:
        beside = [Publish(other, channel, "beside %d" % n) for n in range(20)]
        pipeline(here, channel, range(500))
        got = there.next_data(520)
        assert [each for each in got if not isinstance(each, str)] == list(range(500))
        assert {publish.result().status for publish in beside} == {200}
    assert read_all(one, channel, 520) == got


def test_pipelined_publishes_keep_their_order_while_the_server_stands_still(server, start_gateway, channel):
    gateway = start_gateway(*options_for(server, "still"), "--publish-timeout", "50")
    with open_subscriber("websocket", gateway, channel) as sub:
        for n in range(UNDER_WAY):
            sub.wire.send_object({"type": "publish", "channel": channel, "data": n, "ref": str(n)})
            if n == UNDER_WAY // 2:
                pause(server)
        eventually(lambda: gateway.metric("sluice_backend_retries_total") > 0 or None)
        server.servers[0].resume()
        gateway.publish(channel, "after")
    assert read_all(gateway, channel, UNDER_WAY + 1) == [*range(UNDER_WAY), "after"]


def test_what_waits_while_the_server_is_dead_is_stored_once_when_it_is_back(server, start_gateway, channel):
    gateway = start_gateway(*options_for(server, "dead"), "--publish-timeout", "50")
    gateway.publish(channel, "before")
    server.servers[0].kill()
    waiting = [Publish(gateway, channel, "w%d" % n, "a-key-%04d" % n if n % 2 else None) for n in range(20)]
    wait_until_pending(gateway, 20)
    server.servers[0].start()
    answers = [publish.result() for publish in waiting]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 20
    gateway.publish(channel, "after")
    got = read_all(gateway, channel, 22)
    assert got[0] == "before" and got[21] == "after"
    assert sorted(got[1:21]) == sorted("w%d" % n for n in range(20))


def test_without_a_server_a_publish_is_certainly_not_stored(server, start_gateway, channel):
    gateway = start_gateway(*options_for(server, "gone"), "--publish-timeout", str(TIMEOUT_S))
    server.servers[0].kill()
    eventually(lambda: gateway.get("/readyz").status == 503 or None)
    answer = Publish(gateway, channel, "lost").result()
    check_error(answer, 429, "limit")
    server.servers[0].start()
    eventually(lambda: gateway.get("/readyz").status == 200 or None, timeout=BACK_S)
    assert gateway.publish(channel, "kept")
    assert read_all(gateway, channel, 1) == ["kept"]


def test_a_stopped_server_leaves_the_outcome_unknown_and_a_key_settles_it(server, start_gateway, channel):
    gateway = start_gateway(*options_for(server, "unknown"), "--publish-timeout", str(TIMEOUT_S))
    gateway.publish(channel, "before")
    pause(server)
    waiting = Publish(gateway, channel, "perhaps", "settling-key")
    check_error(waiting.result(), 500, "unknown_outcome")
    assert gateway.metric("sluice_backend_unknown_outcomes_total") >= 1
    server.servers[0].resume()
    eventually(lambda: gateway.get("/readyz").status == 200 or None, timeout=BACK_S)
    last = gateway.publish(channel, "perhaps", key="settling-key")
    assert gateway.publish(channel, "perhaps", key="settling-key") == last
    gateway.publish(channel, "after")
    assert read_all(gateway, channel, 3) == ["before", "perhaps", "after"]


def test_one_key_in_flight_twice_has_one_answer(server, start_gateway, channel):
    gateway = start_gateway(*options_for(server, "twice"), "--publish-timeout", "50")
    gateway.publish(channel, "before")
    pause(server)
    waiting = [Publish(gateway, channel, "same", "twice-in-flight") for _ in range(4)]
    wait_until_pending(gateway, 4)
    server.servers[0].resume()
    assert len({publish.result().json()["id"] for publish in waiting}) == 1
    gateway.publish(channel, "after")
    assert read_all(gateway, channel, 3) == ["before", "same", "after"]
