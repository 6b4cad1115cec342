"""One gate for all nodes: what one gateway makes, another with the same --secret honours. Nothing asks for the same
gateway twice."""

import json
import re
import signal

import pytest

from checks import check_challenge, check_error
from sluicetest import TRANSPORTS, WebSocket, eventually, open_subscriber
from sluicetest.subscriber import Refused
from sluicetest.tokens import Issuer, bearer

ISSUER = Issuer()
TEXT = {"Content-Type": "text/plain"}
CONNECTIONS = 5


@pytest.fixture
def start_siblings(start_gateway, tmp_path):
    """Two gateways with one secret, or with one each."""
    def start(*options, same_secret=True):
        secret = ("--secret", str(tmp_path / "secret")) if same_secret else ()
        return [start_gateway(*options, *secret) for _ in range(2)]
    return start


def buy(gateway, channel):
    answer = gateway.request("POST", "/ticket", bearer(ISSUER.token("ann", [channel], [channel])), b"")
    assert answer.status == 200, answer
    return answer.json()["ticket"]


def lend(gateway):
    answer = gateway.request("POST", "/check/channel", body=b"")
    assert answer.status == 201, answer
    return answer.json()["channel"]


def post(gateway, channel):
    return gateway.request("POST", "/publish?channel=" + channel, TEXT, b"x")


# ---- tickets ----

def test_a_ticket_of_one_opens_streams_at_the_other(start_siblings, channel):
    here, there = start_siblings(*ISSUER.options)
    ticket = buy(here, channel)
    for transport in TRANSPORTS:
        with open_subscriber(transport, there, channel, ticket=ticket) as sub:
            assert sub.cursor


def test_a_ticket_without_a_common_secret_is_none_of_the_others(start_siblings, channel):
    here, there = start_siblings(*ISSUER.options, same_secret=False)
    target = "/poll?wait=0&channels=%s&ticket=%s" % (channel, buy(here, channel))
    assert here.get(target).status == 200
    check_challenge(there.get(target), "unauthorized")


# ---- lent channels ----

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_channel_that_one_lent_is_used_at_the_other(start_siblings, transport):
    here, there = start_siblings()
    lent = lend(here)
    assert re.fullmatch(r"~[A-Za-z0-9_-]{40}", lent)
    with open_subscriber(transport, there, lent, since="0") as sub:
        there.publish(lent, "there")
        assert sub.next_message()["data"] == "there"
    here.publish(lent, "here")
    assert there.metric("sluice_check_issued_total") == 0


def test_a_channel_that_one_lent_has_its_limits_at_the_other_too(start_siblings):
    here, there = start_siblings()
    lent = lend(here)
    held = [open_subscriber("stream", there, lent) for _ in range(CONNECTIONS)]
    with pytest.raises(Refused) as refused:
        open_subscriber("sse", there, lent)
    check_error(refused.value.response, 429, "check_full")
    with open_subscriber("sse", here, lent):  # which counts what it serves itself
        pass
    for sub in held:
        sub.close()


def test_a_channel_lent_without_a_common_secret_is_unknown_to_the_other(start_siblings):
    here, there = start_siblings(same_secret=False)
    lent = lend(here)
    assert post(here, lent).status == 200
    check_error(post(there, lent), 404, "no_check_channel")
    with WebSocket(there.address) as ws:
        assert ws.handshake("/ws?channels=a").status == 101
        ws.send_object({"type": "subscribe", "channels": [lent], "ref": 1})
        answers = [ws.next_object() for _ in range(2)]
        assert answers[1]["code"] == "no_check_channel", answers


def test_no_name_is_honoured_that_nobody_signed(start_siblings):
    here, there = start_siblings()
    lent = lend(here)
    for at in range(1, len(lent)):
        forged = lent[:at] + ("A" if lent[at] != "A" else "B") + lent[at + 1:]
        check_error(post(there, forged), 404, "no_check_channel")
    assert post(there, lent).status == 200


def test_a_lent_channel_outlasts_the_gateway_that_lent_it(start_gateway, tmp_path):
    options = ("--secret", str(tmp_path / "secret"))
    first = start_gateway(*options)
    lent = lend(first)
    first.stop()
    second = start_gateway(*options)
    assert post(second, lent).status == 200


def test_another_secret_after_a_reload_is_the_one_that_counts(start_siblings, tmp_path):
    here, there = start_siblings()
    before = lend(here)
    (tmp_path / "secret").write_text("another secret of this test, forty bytes\n")
    here.signal(signal.SIGHUP)
    eventually(lambda: b"reload.done" in here.stderr())
    assert post(here, before).status == 200  # it lent it itself
    check_error(post(there, lend(here)), 404, "no_check_channel")
    there.signal(signal.SIGHUP)
    eventually(lambda: b"reload.done" in there.stderr())
    assert post(there, lend(here)).status == 200


# ---- probes ----

def test_one_gateway_alone_knows_that_it_saw_nothing(start_gateway):
    gateway = start_gateway()
    answer = gateway.get("/probe/seen?nonce=12345678")
    assert json.loads(answer.body) == {"seen": "nothing"}
