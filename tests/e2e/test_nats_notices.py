"""What one gateway tells the others on a bus of NATS: whoever is disconnected at one has no access at any, the
gateways included that were away, or start later."""

import json
import signal
import threading

import pytest

from checks import check_error
from sluicetest import STREAMING, Gateway, Http, eventually, open_subscriber
from sluicetest.nats import options_for, pause, require, run_cluster
from sluicetest.tokens import Issuer, bearer, now

ISSUER = Issuer()
JSON = {"Content-Type": "application/json"}
TIMEOUT_S = 2  # --publish-timeout of those that must miss it
BACK_S = 60    # a server that is stopped comes back, on a busy machine


@pytest.fixture
def server():
    """A NATS server of the test's own."""
    require()
    with run_cluster() as cluster:
        yield cluster


def start(cluster, start_gateway, *options):
    return start_gateway(*options_for(cluster, "told"), *ISSUER.options, "--shards", "2",
                         "--publish-timeout", str(TIMEOUT_S), *options, bearer=ISSUER.operator)


def disconnect(gateway, subject, status=200):
    body = json.dumps({"subject": subject}).encode()
    answer = gateway.request("POST", "/admin/disconnect", JSON, body, timeout=BACK_S)
    assert answer.status == status, answer
    return answer.json()


def token_of(subject, channel, at=-100):
    """By default one that was issued a while ago."""
    return ISSUER.token(subject, [channel], [channel], at=now() + at, ttl=3000)


def is_let_in(gateway, token, channel):
    answer = gateway.get("/poll?wait=0&channels=" + channel, bearer(token))
    if answer.status != 200:
        check_error(answer, 401, "token_revoked")
    return answer.status == 200


def wait_for_end(sub):
    bye = sub.await_control("bye", BACK_S)
    assert bye["reason"] == "token_revoked", bye


@pytest.mark.parametrize("transport", STREAMING)
def test_streams_end_and_tokens_are_refused_on_every_gateway(server, start_gateway, channel, transport):
    one, other = start(server, start_gateway), start(server, start_gateway)
    token = token_of("ann", channel)
    streams = [open_subscriber(transport, gateway, channel, headers=bearer(token)) for gateway in (one, other)]
    bystander = open_subscriber(transport, other, channel, headers=bearer(token_of("bob", channel)))
    answer = disconnect(one, "ann")
    assert "announced" not in answer and answer["subject"] == "ann"
    assert not is_let_in(one, token, channel)
    for sub in streams:
        wait_for_end(sub)
    assert not is_let_in(other, token, channel)
    assert is_let_in(other, token_of("ann", channel, at=5), channel)
    other.publish(channel, "still")
    assert bystander.next_data(1) == ["still"]


def test_a_gateway_that_starts_later_knows(server, start_gateway, channel):
    one = start(server, start_gateway)
    disconnect(one, "ann")
    disconnect(one, "the one\u00e9\" with \\ a strange name")
    late = start(server, start_gateway)
    assert not is_let_in(late, token_of("ann", channel), channel)
    assert not is_let_in(late, token_of("the one\u00e9\" with \\ a strange name", channel), channel)
    assert is_let_in(late, token_of("bob", channel), channel)


def test_a_gateway_that_was_away_learns_of_it(server, start_gateway, channel):
    one, other = start(server, start_gateway), start(server, start_gateway)
    token = token_of("ann", channel)
    with open_subscriber("sse", other, channel, headers=bearer(token)) as sub:
        other.signal(signal.SIGSTOP)
        try:
            disconnect(one, "ann")
        finally:
            other.signal(signal.SIGCONT)
        wait_for_end(sub)
    assert not is_let_in(other, token, channel)


def test_it_outlives_the_server(server, start_gateway, channel):
    one = start(server, start_gateway)
    disconnect(one, "ann")
    server.servers[0].kill()
    server.servers[0].start()
    eventually(lambda: one.get("/readyz").status == 200 or None, timeout=BACK_S)
    late = start(server, start_gateway)
    assert not is_let_in(late, token_of("ann", channel), channel)
    disconnect(late, "bob")
    eventually(lambda: not is_let_in(one, token_of("bob", channel), channel) or None, timeout=BACK_S)


@pytest.mark.parametrize("how", ("dead", "stopped"))
def test_without_the_bus_it_counts_at_once_and_is_announced_later(server, start_gateway, channel, how):
    one, other = start(server, start_gateway), start(server, start_gateway)
    token = token_of("ann", channel)
    first = server.servers[0]
    with open_subscriber("sse", one, channel, headers=bearer(token)) as here, \
            open_subscriber("sse", other, channel, headers=bearer(token)) as there:
        first.kill() if how == "dead" else pause(server)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(disconnect(one, "ann", 202)), daemon=True)
        asking.start()
        wait_for_end(here)
        assert not is_let_in(one, token, channel)
        asking.join(BACK_S)
        assert answers and answers[0]["announced"] is False
        first.start() if how == "dead" else first.resume()
        wait_for_end(there)
    assert not is_let_in(other, token, channel)


def test_a_client_that_does_not_wait_for_the_answer_is_no_harm(server, start_gateway, channel):
    one, other = start(server, start_gateway), start(server, start_gateway)
    pause(server)
    http = Http(one.address)
    body = json.dumps({"subject": "ann"}).encode()
    http.send_request("POST", "/admin/disconnect", dict(JSON, **bearer(ISSUER.operator)), body)
    eventually(lambda: not is_let_in(one, token_of("ann", channel), channel) or None)
    http.close()
    server.servers[0].resume()
    eventually(lambda: not is_let_in(other, token_of("ann", channel), channel) or None, timeout=BACK_S)


def test_a_gateway_alone_says_nothing_of_others(channel):
    with Gateway(*ISSUER.options, bearer=ISSUER.operator) as gateway:
        assert set(disconnect(gateway, "ann")) == {"subject", "until", "kept"}
        assert not is_let_in(gateway, token_of("ann", channel), channel)
