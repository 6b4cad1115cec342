"""Socket.IO, byte by byte: what its clients say and are told, on polling and on WebSockets."""

import contextlib
import itertools
import json
import re

import pytest

from sluicetest import Closed, SharedGateway, eventually
from sluicetest.families import Ended, Refused
from sluicetest.socketio import CARRIERS, Socket
from sluicetest.tokens import Issuer

ISSUER = Issuer()
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--shards", "2", "--client-publish", "open.*", "--client-publish", "lobby", "--socketio-channel", "lobby",
                       "--socketio-connect-timeout", "1") as shared:
        yield shared


@pytest.fixture(params=sorted(CARRIERS))
def carrier(request):
    return request.param


def name_of():
    return "open.%d" % next(_numbers)


def publish(gateway, channel, data, event=None, args=None, kind="application/json"):
    target = "/publish?channel=%s" % channel + ("&event=" + event if event else "") + ("&args=" + args if args else "")
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    response = gateway.request("POST", target, {"Content-Type": kind}, body)
    assert response.status == 200, response
    return response.json()["id"]


def test_connect_is_answered_to_the_byte(gateway, carrier):
    with Socket(gateway, carrier) as socket:
        socket.say("0")
        answer = socket.take()
        assert answer == '0{"sid":"%s"}' % json.loads(answer[1:])["sid"] and len(answer) == 1 + 30
        socket.say("0/open.x,{}")
        assert socket.take().startswith('0/open.x,{"sid":"')
        socket.say("0/a*b,")
        assert socket.take() == '4/a*b,{"message":"Invalid namespace"}'


def test_an_event_goes_to_all_of_its_namespace(gateway, carrier):
    with Socket(gateway, carrier) as one, Socket(gateway, "websocket") as other:
        for socket in (one, other):
            socket.connect()
        one.say('2["chat message","h\u00e9llo \U0001f30a"]')
        for socket in (one, other):
            assert socket.take() == '2["chat message","h\u00e9llo \U0001f30a"]'
        one.say('20["several",1,{"two":[2]},null]')
        got = sorted([one.take(), one.take()])
        assert got[0] == '2["several",1,{"two":[2]},null]' and got[1].startswith('30[{"id":"')
        assert other.take() == got[0]


def test_attachments_go_both_ways(gateway, carrier):
    with Socket(gateway, carrier) as one, Socket(gateway, "websocket") as other:
        for socket in (one, other):
            socket.connect()
        text = '52-["file",{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]'
        one.say(text, b"\x00\x01\xff", b"")
        one.say('51-["alone",{"_placeholder":true,"num":0}]', b"bytes")
        for socket in (one, other):
            assert [socket.take() for _ in range(5)] == [text, b"\x00\x01\xff", b"",
                                                         '51-["alone",{"_placeholder":true,"num":0}]', b"bytes"]


def test_what_a_backend_publishes_arrives_as_its_event(gateway, carrier):
    name = name_of()
    with Socket(gateway, carrier, {"channels": name}) as socket:
        socket.connect()
        publish(gateway, name, {"a": [1]}, "price")
        publish(gateway, name, [1, "two"], "several", "list")
        publish(gateway, name, {"list": [{"_placeholder": True, "num": 0}, 1], "attachments": ["AQID"]}, "file", "binary")
        publish(gateway, name, b"\x07\x08", "raw", kind="application/octet-stream")
        publish(gateway, name, "x", "disconnect")
        id_ = publish(gateway, name, 7)
        assert socket.take() == '2["price",{"a": [1]}]'
        assert socket.take() == '2["several",1, "two"]'
        assert socket.take() == '51-["file",{"_placeholder": true, "num": 0}, 1]' and socket.take() == b"\x01\x02\x03"
        assert socket.take() == '51-["raw",{"_placeholder":true,"num":0}]' and socket.take() == b"\x07\x08"
        event, whole = socket.event()  # the client keeps such names for itself
        assert (event, whole["event"], whole["data"]) == ("message", "disconnect", "x")
        event, whole = socket.event()
        assert (event, whole["id"], whole["channel"], whole["data"]) == ("message", id_, name, 7)


def test_verbs_are_acknowledged(gateway, carrier):
    one, two = name_of(), name_of()
    with Socket(gateway, carrier) as socket:
        socket.connect()
        answer = socket.ask("subscribe", [one, two])
        assert answer["channels"] == [one, two] and answer["cursor"] == gateway.head()
        assert socket.ask("publish", "news", 1) == {
            "error": {"code": "forbidden", "message": "to publish to news a client of another library needs a token, or a gateway whose --client-publish names it"}}
        first = publish(gateway, one, 1, "n")
        assert socket.event() == ["n", 1]
        publish(gateway, one, 2, "n")
        assert socket.event() == ["n", 2]
        assert socket.ask("unsubscribe", one)["channels"] == [one]
        publish(gateway, one, 3, "n")
        socket.say('2["subscribe","%s",{"since":"%s"}]' % (one, first))
        assert [socket.event(), socket.event()] == [["n", 2], ["n", 3]]


@pytest.mark.parametrize("packet", ["0", '2["a"', "2[]", "2", '2["connect"]', '2-1["a"]', '2/never,["a"]', '52["a"]', '511-["a"]',
                                    "4{}", "9", '2["a\x07"]'])
def test_a_packet_that_no_client_may_send_closes_the_transport(gateway, carrier, packet):
    with Socket(gateway, carrier) as socket:
        socket.connect()
        socket.say(packet)
        assert socket.ends() == []


def test_an_event_before_connect_closes_the_transport(gateway, carrier):
    with Socket(gateway, carrier) as socket:
        socket.say('2["a"]')
        assert socket.ends() == []


def test_text_where_bytes_are_due_closes_the_transport(gateway, carrier):
    with Socket(gateway, carrier) as socket:
        socket.connect()
        socket.say('51-["a",{"_placeholder":true,"num":0}]', '2["b"]')
        assert socket.ends() == []
    with Socket(gateway, carrier) as socket:
        socket.connect()
        socket.say(b"x")
        assert socket.ends() == []


def test_without_a_namespace_the_transport_is_closed(gateway, carrier):
    with Socket(gateway, carrier) as socket:
        assert socket.ends() == []


def test_a_namespace_that_is_left_says_nothing_more(gateway, carrier):
    name = name_of()
    with Socket(gateway, carrier) as socket:
        socket.connect()
        socket.connect("/%s," % name)
        socket.say("1/%s," % name)
        publish(gateway, "lobby", 1, "n")
        assert socket.event() == ["n", 1]
        publish(gateway, name, 2, "n")
        publish(gateway, "lobby", 3, "n")
        assert socket.event() == ["n", 3]
        socket.connect("/%s," % name)
        publish(gateway, name, 4, "n")
        assert socket.event("/%s," % name) == ["n", 4]


def test_a_client_sees_no_control_object(gateway, carrier):
    """Pings of Engine.IO are all that a quiet connection carries, and its messages are events."""
    with Socket(gateway, carrier, {"channels": "lobby", "heartbeat": "4", "since": "0", "format": "raw"}) as socket:
        socket.connect()
        publish(gateway, "lobby", 1, "n")
        assert socket.event() == ["n", 1]


# ---- recovery ----

def with_recovery(gateway, carrier, **query):
    return Socket(gateway, carrier, {"recovery": "1", **query})


def test_recovery_goes_on_behind_the_offset(gateway, carrier):
    name = name_of()
    nsp = "/%s," % name
    with with_recovery(gateway, carrier) as socket:
        first = socket.connect(nsp)
        publish(gateway, name, 1, "n")
        event, data, offset = socket.event(nsp)
        assert (event, data, offset) == ("n", 1, gateway.head())
        publish(gateway, name, 2, "n")
    publish(gateway, name, 3, "n")
    for times in range(2):
        with with_recovery(gateway, carrier) as socket:
            again = socket.connect(nsp, {"pid": first["pid"], "offset": offset})
            assert again == first, times
            assert [socket.event(nsp)[1] for _ in range(2)] == [2, 3]


def test_recovery_works_before_any_event(gateway, carrier):
    name = name_of()
    nsp = "/%s," % name
    publish(gateway, name, 0, "n")
    with with_recovery(gateway, carrier) as socket:
        first = socket.connect(nsp)
    publish(gateway, name, 1, "n")
    with with_recovery(gateway, carrier) as socket:
        assert socket.connect(nsp, {"pid": first["pid"]}) == first
        assert socket.event(nsp)[:2] == ["n", 1]


def test_recovery_knows_channels_that_were_added(gateway, carrier):
    name, later = name_of(), name_of()
    nsp = "/%s," % name
    with with_recovery(gateway, carrier) as socket:
        first = socket.connect(nsp)
        socket.say('2%s["subscribe","%s"]' % (nsp, later))
        event, channels, offset = socket.event(nsp)
        assert (event, channels) == ("subscribed", [later])
        assert re.fullmatch(re.escape(gateway.head()) + r"\.[\w-]{4}\*", offset)
    publish(gateway, later, 1, "n")
    with with_recovery(gateway, carrier) as socket:
        assert socket.connect(nsp, {"pid": first["pid"], "offset": offset}) == first
        assert socket.event(nsp) == ["n", 1, gateway.head() + offset[offset.index("."):]]


def test_recovery_bears_as_many_and_as_long_channels_as_there_may_be(gateway, carrier):
    names = [("open.%02d." % i).ljust(255, "x") for i in range(63)]
    nsp = "/%s," % name_of()
    with with_recovery(gateway, carrier) as socket:
        socket.connect(nsp)
        socket.say('2%s1["subscribe",%s]' % (nsp, json.dumps(names)))
        assert socket.event(nsp)[:2] == ["subscribed", names]
        assert socket.take().startswith("3%s1[" % nsp)


@pytest.mark.parametrize("brought", [{"pid": "x"}, {"pid": "x", "offset": "00000000-1"}, {"pid": 1}])
def test_recovery_by_what_is_not_ours_begins_anew(gateway, carrier, brought):
    name = name_of()
    with with_recovery(gateway, carrier) as socket:
        answer = socket.connect("/%s," % name, brought)
        assert len(answer["sid"]) == 20 and answer["pid"] != brought["pid"]


def test_recovery_works_on_another_gateway_of_the_secret(tmp_path):
    """The memory backend's log ends with its process, so the other gateway cannot go on; but it knows the pid for
    its own, and says at once where it begins."""
    secret = tmp_path / "secret"
    secret.write_text("s" * 40)
    secret.chmod(0o600)
    with SharedGateway("--secret", str(secret)) as one, one.use() as gateway:
        with with_recovery(gateway, "websocket") as socket:
            first = socket.connect("/x,")
        with SharedGateway("--secret", str(secret)) as two, two.use() as other:
            with with_recovery(other, "websocket") as socket:
                assert socket.connect("/x,", {"pid": first["pid"]}) != first
                assert other.metric("sluice_sio_not_recovered_total") == 1
        with with_recovery(gateway, "websocket") as socket:
            assert socket.connect("/x,", {"pid": first["pid"]}) == first


# ---- tokens ----

@pytest.fixture(scope="module")
def shared_keys():
    with SharedGateway("--shards", "2", *ISSUER.options, "--anonymous-subscribe", "open.*", bearer=ISSUER.operator) as shared:
        yield shared


def token_of(subject, subscribe, publish_to=()):
    return ISSUER.token(subject, subscribe=list(subscribe), publish=list(publish_to))


def test_a_token_comes_in_the_auth_object(shared_keys, carrier):
    with shared_keys.use() as gateway, Socket(gateway, carrier) as socket:
        assert socket.join("/secret,") == {
            "message": "to subscribe to secret needs a token", "data": {"code": "unauthorized"}}
        assert "sid" in socket.connect("/secret,", {"token": token_of("ann", ["secret"], ["secret"])})
        assert socket.join("/other,", {"token": token_of("bob", ["other"])})["data"]["code"] == "forbidden"
        assert "id" in socket.ask("said", 1, nsp="/secret,")
        assert socket.ask("publish", "other", 1, nsp="/secret,")["error"]["code"] == "forbidden"


def test_a_token_that_does_not_count_costs_the_address_and_not_the_subject(carrier):
    bad = {"Authorization": "Bearer x.y.z"}
    with SharedGateway("--shards", "1", *ISSUER.options, "--token-failure-rate", "1", "--request-rate", "0",
                       bearer=ISSUER.operator) as shared, shared.use() as gateway:
        with Socket(gateway, carrier, {"token": token_of("ann", ["*"])}) as socket:
            assert "sid" in socket.connect("/x,")

            def is_refused_elsewhere_too():
                while socket.join("/y,", {"token": "x.y.z"})["data"]["code"] != "rate_limited":
                    pass
                return gateway.request("GET", "/poll?channels=a", bad).status == 429
            assert any(is_refused_elsewhere_too() for _ in range(3))  # a second later it pays again


def test_a_revoked_token_closes_the_transport_and_not_the_namespace(shared_keys, carrier):
    with shared_keys.use() as gateway, Socket(gateway, carrier) as socket:
        # A subject of its own: what was revoked in the same second would be refused at once.
        subject = "carl-" + carrier
        assert "sid" in socket.connect("/x,", {"token": token_of(subject, ["x"])})
        response = gateway.request("POST", "/admin/disconnect", {"Content-Type": "application/json"},
                                   json.dumps({"subject": subject}).encode())
        assert response.status in (200, 204), response
        assert socket.ends() == []


@pytest.mark.parametrize("packet", ['2["publish","news",1]', '2["unsubscribe","a"]', '2["subscribe","lobby"]', "0/a*b,",
                                    '2["subscribe",1]'])
def test_who_goes_on_asking_for_too_much_is_closed(carrier, packet):
    """Whatever it is that the limit meets, nothing is left of the client."""
    with SharedGateway("--request-rate", "2", "--subscribe-rate", "1000") as shared, shared.use() as gateway:
        with Socket(gateway, carrier) as socket:
            socket.connect()
            with contextlib.suppress(Closed):
                for _ in range(12):
                    socket.say(*[packet] * 8)
            with contextlib.suppress(Closed):
                socket.ends()
        gateway.check()


# ---- refusals for a passing reason ----

def names_of(count):
    return ["n%d" % i for i in range(count)]


@pytest.fixture
def low(request):
    """Four channels at once, then one a second."""
    with SharedGateway("--subscribe-rate", "1", "--request-rate", "0") as shared, shared.use() as gateway:
        yield gateway


def test_a_connect_that_a_limit_refuses_closes_the_transport(low, carrier):
    with Socket(low, carrier) as spender, Socket(low, carrier) as other:
        assert "sid" in spender.connect("/x,", {"channels": names_of(20)})
        other.say("0/y,")
        assert other.ends() == []
        refused = spender.join("/z,")  # where others are connected, they stay so
        assert refused["data"]["code"] == "rate_limited" and refused["data"]["retry"] >= 1000
        publish(low, "x", 1, "n")
        assert spender.event("/x,") == ["n", 1]
    assert low.metric("sluice_sio_connect_errors_total") == 2


def test_a_rejoin_that_a_limit_refuses_is_recovered_later(low, carrier):
    with Socket(low, carrier, {"recovery": "1"}) as socket:
        joined = socket.connect("/x,")
        first = publish(low, "x", 1, "n")
        publish(low, "x", 2, "n")
        assert [socket.event("/x,")[1], socket.event("/x,")[1]] == [1, 2]
    again = {"pid": joined["pid"], "offset": first}
    with Socket(low, carrier) as spender, Socket(low, carrier, {"recovery": "1"}) as socket:
        assert "sid" in spender.connect("/z,", {"channels": names_of(6)})
        socket.say("0/x," + json.dumps(again))
        assert socket.ends() == []

    def is_recovered():
        with contextlib.suppress(Ended, Refused), Socket(low, carrier, {"recovery": "1"}) as socket:
            assert socket.connect("/x,", again) == joined
            return socket.event("/x,")[:2] == ["n", 2]
    eventually(is_recovered, 20)
    assert low.metric("sluice_sio_not_recovered_total") == 0


def test_what_is_refused_is_counted(gateway, carrier):
    before = gateway.metric("sluice_sio_refused_events_total")
    with Socket(gateway, carrier) as socket:
        socket.connect()
        assert socket.ask("publish", "news", 1)["error"]["code"] == "forbidden"
    eventually(lambda: gateway.metric("sluice_sio_refused_events_total") == before + 1)
