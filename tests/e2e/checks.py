"""What several test files assert."""

import re

from sluicetest import eventually

STREAM_TYPES = {"sse": "text/event-stream", "stream": "application/x-ndjson"}
NOBODY = "http://evil.example"


def check_error(response, status, code=None):
    """The gateway's own error answer (design, wire, errors)."""
    assert response.status == status, response
    assert response.header("Sluice"), "no Sluice header: %r" % response
    assert response.header("Content-Type", "").startswith("application/json"), response
    body = response.json()
    assert list(body) == ["error"], body
    assert set(body["error"]) == {"code", "message"}, body
    assert re.fullmatch(r"[a-z][a-z0-9_]*", body["error"]["code"]), body
    assert body["error"]["message"], body
    if code is not None:
        assert body["error"]["code"] == code, body
    if status == 429:
        assert int(response.header("Retry-After")) >= 0, response
    return body["error"]


def check_message(obj, channel, **want):
    """Exactly the fields of a message object; `want` gives id, data or base64."""
    payload = "base64" if "base64" in obj else "data"
    assert list(obj) == ["id", "channel", "time", payload], obj
    assert obj["channel"] == channel
    assert isinstance(obj["time"], int) and obj["time"] > 1_600_000_000_000_000, obj
    for name, value in want.items():
        assert obj[name] == value and type(obj[name]) is type(value), (name, obj)


def served(gateway):
    """The gateway still answers."""
    response = gateway.get("/healthz")
    assert response.status == 200, response


def transport_stats(gateway, transport):
    """The part of /stats that is this transport's."""
    return gateway.stats()["transports"][transport]


def wire_bytes(gateway, transport):
    counted = transport_stats(gateway, transport)
    return counted["wire_bytes_in"], counted["wire_bytes_out"]


def connections(gateway, transport):
    return transport_stats(gateway, transport)["connections"]


def await_connections(gateway, transport, count):
    eventually(lambda: connections(gateway, transport) == count or None)


def published(gateway, channel):
    """The payloads that a channel's history holds."""
    answer = gateway.get("/poll?channels=%s&since=0&wait=0" % channel)
    assert answer.status == 200, answer
    return [one["data"] for one in answer.json()["messages"]]


def refusals(gateway):
    """How many requests the gateway has answered with a 4xx."""
    return gateway.metric("sluice_requests_total", status="4xx")


def check_closing_refusal(responses, *statuses):
    """Exactly one answer, which is the gateway's own error and the connection's last."""
    assert len(responses) == 1, responses
    response = responses[0]
    assert response.status in statuses, response
    check_error(response, response.status)
    assert "close" in response.tokens("Connection"), response
    return response


def relayed(gateway):
    """How many requests libmicrohttpd has served; each such question is one."""
    return gateway.metric("sluice_relayed_requests_total")


def check_challenge(response, code=None, message=None):
    """A 401 with its WWW-Authenticate (RFC 6750, section 3): with `code` of a token that does not
    count, else of one that is missing."""
    error = check_error(response, 401, code or "unauthorized")
    challenge = response.header("WWW-Authenticate", "")
    if code is None:
        assert challenge == 'Bearer realm="sluice"', challenge
    else:
        assert re.fullmatch(r'Bearer realm="sluice", error="invalid_token",'
                            r' error_description="[ !#-\[\]-~]+"', challenge), challenge
    assert message is None or message in error["message"], error
    return error


def check_forbidden(response, channel):
    error = check_error(response, 403, "forbidden")
    assert channel in error["message"], error
    assert response.header("WWW-Authenticate") is None, response
    return error
