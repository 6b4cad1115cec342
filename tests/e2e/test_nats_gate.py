"""One gate for two gateways on one bus: no request needs the gateway of an earlier one."""

import json

import pytest

from sluicetest import TRANSPORTS, CloseFrame, Gateway, Http, WebSocket, open_subscriber
from sluicetest.nats import options_for
from sluicetest.tokens import Issuer, bearer
from sluicetest.websocket import TEXT, frame_bytes

ISSUER = Issuer()
SOCKETS = 30


@pytest.fixture(scope="module")
def pair(nats, tmp_path_factory):
    """Two gateways on one bus, with one secret."""
    options = options_for(nats, "gate") + ["--secret", str(tmp_path_factory.mktemp("gate") / "secret")]
    options += ISSUER.options
    options += ["--anonymous-subscribe", "*", "--anonymous-publish", "*"]
    with Gateway(*options) as one, Gateway(*options) as other:
        yield one, other
        one.check()
        other.check()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_lent_channel_spans_both(pair, transport):
    one, other = pair
    with one.connect(source="127.0.0.%d" % (2 + TRANSPORTS.index(transport))) as http:
        lent = http.request("POST", "/check/channel", body=b"").json()["channel"]
    with open_subscriber(transport, other, lent, since=other.head()) as sub:
        one.publish(lent, "of the one")
        other.publish(lent, "of the other")
        assert sub.next_data(2) == ["of the one", "of the other"]


def test_a_ticket_of_one_opens_a_stream_at_the_other_that_hears_both(pair, channel):
    one, other = pair
    answer = one.request("POST", "/ticket", bearer(ISSUER.token("ann", [channel])), b"")
    with open_subscriber("sse", other, channel, ticket=answer.json()["ticket"]) as sub:
        one.publish(channel, 1)
        other.publish(channel, 2)
        assert sub.next_data(2) == [1, 2]


def test_what_one_saw_of_a_probe_the_other_does_not_deny(pair):
    one, other = pair
    with Http(one.address) as http:
        assert http.request("GET", "/ws?channels=a&probe=nonce-12345").status == 426
    assert one.get("/probe/seen?nonce=nonce-12345").json() == {"seen": "plain_get"}
    assert other.get("/probe/seen?nonce=nonce-12345").json() == {"seen": "unknown"}


def test_last_words_have_their_acks_and_their_messages(pair, channel):
    """The ack comes from the log, the message from the tail, and either may be first."""
    for n in range(SOCKETS):
        name = "%s.%d" % (channel, n)
        with WebSocket(pair[n % 2].address) as ws:
            assert ws.handshake("/ws?channels=" + name).status == 101
            assert ws.next_object()["type"] == "open"
            words = json.dumps({"type": "publish", "channel": name, "data": n, "ref": n})
            ws.send(frame_bytes(TEXT, words) + frame_bytes(8, b"\x03\xe8"))
            got = []
            with pytest.raises(CloseFrame) as close:
                while True:
                    got.append(ws.next_object())
            assert close.value.code == 1000
            acks = [obj["id"] for obj in got if obj.get("type") == "ack"]
            assert acks == [obj["id"] for obj in got if "data" in obj], got
            assert len(acks) == 1, got
