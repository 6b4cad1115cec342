"""Limits of one client on every way in: what is over one is refused in the form of its transport and counted,
what is below is served, and nobody else notices, whether told apart by address, by network, by subject or by a proxy."""

import json

import pytest

from checks import check_error
from sluicetest import Http, eventually
from sluicetest.streams import SseReader
from sluicetest.tokens import Issuer, bearer

CLIENT, OTHER, RAISED = "127.0.0.2", "127.0.0.3", "127.0.0.4"
SEES_ALL = ("--raise-limits", "127.0.0.1=off")
ISSUER = Issuer()
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
NAMES = ",".join("c%d" % i for i in range(64))
TARGETS = {"websocket": "/ws?", "sse": "/sse?", "stream": "/stream?", "longpoll": "/poll?wait=1&",
           "poll": "/poll?wait=0&"}
SERVED = {"websocket": 101}  # else 200
# What one request takes from a limit that has just what makes one more too much.
LIMITS = {"requests": ("--request-rate", "a"), "subscribes": ("--subscribe-rate", NAMES)}


def open_one(gateway, transport, channels="a", headers=(), source=CLIENT):
    """The answer, and if it is a refusal its code and how many ms to wait."""
    fields = {**(UPGRADE if transport == "websocket" else {}), **dict(headers)}
    if transport == "sse":
        fields["Accept"] = "text/event-stream"
    with Http(gateway.address, source=source) as http:
        http.send_request("GET", TARGETS[transport] + "channels=" + channels, fields)
        answer = http.read_head()
        if transport == "sse":
            event = SseReader(http).next_event()
            said = json.loads(event.text)
            assert event.name in ("bye", "open"), said
            return answer, (said["reason"], said["retry"]) if event.name == "bye" else None
        if answer.status != 429:
            return answer, None
        answer = http.read_body()
        code = check_error(answer, 429)["code"]
        return answer, (code, int(answer.header("Retry-After")) * 1000)


def is_served(gateway, transport, **how):
    answer, refusal = open_one(gateway, transport, **how)
    return refusal is None and answer.status == SERVED.get(transport, 200)


def until_refused(gateway, transport, **how):
    """The wait, once what is asked again and again is too much."""
    def ask():
        answer, refusal = open_one(gateway, transport, **how)
        return (answer, refusal) if refusal else None
    return eventually(ask, pause=0)


@pytest.mark.parametrize("limit", LIMITS)
def test_over_a_limit_each_transport_is_refused_in_its_form_and_nobody_else(start_gateway, transport, limit):
    option, channels = LIMITS[limit]
    gateway = start_gateway(option, "1", *SEES_ALL, "--raise-limits", RAISED + "=1000000")
    assert is_served(gateway, transport, channels="a"), "below the limit"
    before = gateway.metric("sluice_limited_total", limit=limit)
    answer, (reason, wait_ms) = until_refused(gateway, transport, channels=channels)
    assert reason == "rate_limited" and wait_ms >= 1000
    if transport != "sse":
        assert option in answer.json()["error"]["message"]
    assert gateway.metric("sluice_limited_total", limit=limit) > before
    assert is_served(gateway, transport, channels=channels, source=OTHER)
    for _ in range(20):
        assert is_served(gateway, transport, channels=channels, source=RAISED)


@pytest.mark.parametrize("limit", LIMITS)
def test_off_lets_everything_pass(start_gateway, transport, limit):
    option, channels = LIMITS[limit]
    gateway = start_gateway(option, "1", "--limits", "off")
    for _ in range(20):
        assert is_served(gateway, transport, channels=channels)
    assert gateway.metric("sluice_limited_total", limit=limit) == 0


def test_subjects_and_clients_of_a_proxy_are_told_apart_on_each_transport(start_gateway, transport):
    gateway = start_gateway("--request-rate", "1", *SEES_ALL, *ISSUER.options, "--trust-proxy", "127.0.0.0/8",
                            "--raise-limits", "subject:backend*=off", "--anonymous-subscribe", "*",
                            bearer=ISSUER.operator)

    def token(subject):
        return bearer(ISSUER.token(subject, ["a"]))
    until_refused(gateway, transport, headers=token("ann"))
    until_refused(gateway, transport, headers={"X-Forwarded-For": "203.0.113.1"})
    assert is_served(gateway, transport, headers=token("bob"))
    assert is_served(gateway, transport, headers={"X-Forwarded-For": "203.0.113.2"})
    for _ in range(20):
        assert is_served(gateway, transport, headers=token("backend-1"))


@pytest.mark.parametrize("form", ["a message", "a batch"])
def test_publishes_of_a_subject_are_limited_wherever_they_come_from(start_gateway, form):
    gateway = start_gateway("--publish-rate", "1", *SEES_ALL, *ISSUER.options, bearer=ISSUER.operator)
    body, kind = (b"x", "text/plain") if form == "a message" else (b'{"data":1}\n', "application/x-ndjson")

    def publish(subject, source=CLIENT):
        headers = {"Content-Type": kind, **bearer(ISSUER.token(subject, publish=["a"]))}
        with Http(gateway.address, source=source) as http:
            return http.request("POST", "/publish?channel=a", headers, body)
    answer = eventually(lambda: (lambda got: got if got.status == 429 else None)(publish("ann")), pause=0)
    assert "--publish-rate" in check_error(answer, 429, "rate_limited")["message"]
    assert int(answer.header("Retry-After")) >= 1
    eventually(lambda: publish("ann", OTHER).status == 429, pause=0)
    assert publish("bob").status == 200
    assert gateway.metric("sluice_limited_total", limit="publishes") >= 2
