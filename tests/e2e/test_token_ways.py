"""How a token comes in: each way on each transport that it fits, which of several counts, cookies, what
other pages may read, and that nobody's rights stay on a connection."""

import itertools
import json
import urllib.parse

import pytest

from checks import check_challenge, check_error, check_forbidden
from sluicetest import (
    TRANSPORTS, Http, SharedGateway, WebSocket, open_subscriber, request_bytes, responses_in)
from sluicetest.streams import SseReader
from sluicetest.tokens import Issuer, bearer, mint, claims

PAGE = "https://page.example"     # an --allow-origin
OWN = "https://push.example"      # a --public-origin
FOREIGN = "https://evil.example"
COOKIE = "sluice_token"
ISSUER = Issuer()
# Proxies on the way from 127.0.0.1 are trusted.
OPTIONS = [*ISSUER.options, "--token-cookie", COOKIE, "--public-origin", OWN, "--allow-origin", PAGE,
           "--trust-proxy", "127.0.0.1", "--allow-credentials"]
PATHS = {"websocket": "/ws", "sse": "/sse", "stream": "/stream", "longpoll": "/poll", "poll": "/poll"}


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway(*OPTIONS, bearer=ISSUER.operator) as shared:
        yield shared


class Asked:
    """What came of a request: `status` (of /sse the status that its bye stands for), `code`, and
    `response`."""

    def __init__(self, response, bye=None):
        self.response, self.bye = response, bye
        self.status, self.code = response.status, None
        if bye:
            self.code = bye["reason"]
            self.status = 403 if self.code == "forbidden" else 401
        elif response.status >= 400:
            self.code = response.json()["error"]["code"]

    @property
    def served(self):
        return self.status in (101, 200)


def ask(gateway, kind, channel, headers=(), query="", body=b'"x"'):
    """One request of a transport, of `publish` or of `ticket`, until its answer tells enough."""
    with WebSocket(gateway.address) as wire:
        fields = {"Content-Type": "application/json", **dict(headers)}
        if kind == "publish":
            return Asked(wire.request("POST", "/publish?channel=%s%s" % (channel, query), fields, body))
        if kind == "ticket":
            return Asked(wire.request("POST", "/ticket?x=1" + query, dict(headers), b""))
        target = "%s?channels=%s%s" % (PATHS[kind], channel, query)
        if kind in ("poll", "longpoll"):
            return Asked(wire.request("GET", target + ("&wait=0" if kind == "poll" else ""), headers))
        if kind == "websocket":
            return Asked(wire.handshake(target, headers))
        wire.send_request("GET", target, headers)
        response = wire.read_head()
        if response.status != 200:
            return Asked(wire.read_body())
        if kind == "stream":
            return Asked(response)
        event = SseReader(wire).next_event()
        return Asked(response, json.loads(event.text) if event.name == "bye" else None)


def get_ticket(gateway, token, query=""):
    response = gateway.request("POST", "/ticket" + query, bearer(token), b"")
    assert response.status == 200, response
    return response.json()["ticket"]


# The ways: what each adds to a request, as headers and query.

def by_header(gateway, token):
    return bearer(token), ""


def by_parameter(gateway, token):
    return {}, "&token=" + token


def by_ticket(gateway, token):
    return {}, "&ticket=" + (get_ticket(gateway, token) if token.count(".") == 2 else token)


def by_subprotocol(gateway, token):
    return {"Sec-WebSocket-Protocol": "sluice.v1, bearer." + token}, ""


def by_cookie(gateway, token):
    return {"Cookie": "a=b; %s=%s; c=d" % (COOKIE, token), "Origin": OWN}, ""


WAYS = {"header": by_header, "subprotocol": by_subprotocol, "ticket": by_ticket, "token": by_parameter,
        "cookie": by_cookie}
KINDS = [*TRANSPORTS, "publish", "ticket"]


def fits(way, kind):
    if way == "subprotocol":
        return kind == "websocket"
    if way == "ticket":
        return kind in TRANSPORTS
    return True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", list(WAYS))
def test_each_way_fits_what_it_fits(gateway, channel, way, kind):
    token = ISSUER.token("ann", [channel], [channel])
    headers, query = WAYS[way](gateway, token)
    asked = ask(gateway, kind, channel, headers, query)
    assert asked.served == fits(way, kind), (asked.response, asked.bye)
    if not asked.served:
        assert (asked.status, asked.code) == (401, "unauthorized")
    elif kind != "ticket":
        other = ask(gateway, kind, "not." + channel, headers, query)
        assert (other.status, other.code) == (403, "forbidden"), other.response


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", list(WAYS))
def test_a_bad_one_is_refused_by_each_way(gateway, channel, way, kind):
    """That the request would be served without it is another test's."""
    if fits(way, kind):
        headers, query = WAYS[way](gateway, "abc.def")
        asked = ask(gateway, kind, channel, headers, query)
        assert (asked.status, asked.code) == (401, "unauthorized")
        if not asked.bye:
            check_challenge(asked.response, "unauthorized")


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_a_token_is_asked_for(gateway, channel, kind):
    asked = ask(gateway, kind, channel)
    assert (asked.status, asked.code) == (401, "unauthorized")
    if not asked.bye:
        check_challenge(asked.response)


# Several at once.

ORDER = ["header", "subprotocol", "ticket", "token", "cookie"]
PAIRS = [(one, two) for one, two in itertools.combinations(ORDER, 2)]


@pytest.mark.parametrize("first, second", PAIRS)
@pytest.mark.parametrize("kind", ["websocket", "poll", "publish"])
def test_the_first_that_is_there_counts(gateway, channel, kind, first, second):
    """Be it good or bad."""
    if not (fits(first, kind) and fits(second, kind)):
        return
    good, bad = ISSUER.token("ann", [channel], [channel]), ISSUER.token("ann", [], [])
    for tokens, served in (((good, bad), True), ((bad, good), False), (("x.y", good), False),
                           ((good, "x.y"), True)):
        made = [WAYS[way](gateway, token) for way, token in zip((first, second), tokens)]
        headers = {**made[0][0], **made[1][0]}
        asked = ask(gateway, kind, channel, headers, made[0][1] + made[1][1])
        assert asked.served == served, (tokens.index(good), asked.response)


def test_of_ticket_and_token_the_ticket_counts(gateway, channel):
    good, bad = ISSUER.token("ann", [channel]), ISSUER.token("ann", [])
    for ticket, token, served in ((good, bad, True), (bad, good, False)):
        for order in "&ticket={0}&token={1}", "&token={1}&ticket={0}":
            query = order.format(get_ticket(gateway, ticket), token)
            assert ask(gateway, "poll", channel, {}, query).served == served


def test_no_way_may_come_twice(gateway, channel):
    token = ISSUER.token("ann", [channel], [channel])
    ticket = get_ticket(gateway, token)
    for query in ("&token=%s&token=%s" % (token, token), "&ticket=%s&ticket=%s" % (ticket, ticket)):
        assert ask(gateway, "poll", channel, {}, query).code == "bad_parameter"
    with gateway.connect() as http:
        line = ("Authorization", "Bearer " + token)
        response = http.request("GET", "/poll?wait=0&channels=" + channel, [line, line])
        check_error(response, 400, "bad_request")
    for cookies in ("%s=%s; %s=%s" % (COOKIE, token, COOKIE, token), "%s=x; %s=%s" % (COOKIE, COOKIE, token),
                    "%s=%s; %s=" % (COOKIE, token, COOKIE)):
        assert ask(gateway, "poll", channel, {"Cookie": cookies}).status == 401, cookies
    with gateway.connect() as http:
        lines = [("Cookie", "%s=%s" % (COOKIE, token))] * 2
        assert http.request("GET", "/poll?wait=0&channels=" + channel, lines).status == 401


@pytest.mark.parametrize("value, served", [
    ("Bearer %s", True), ("bearer %s", True), ("BEARER %s", True), ("Bearer   %s", True),
    ("Basic %s", False), ("%s", False), ("Bearer", False), ("Bearer%s", False), ("Bearer %s x", False),
    ("Bearer %s,", False), ("Bearer,%s", False), ('Bearer "%s"', False), ("Token %s", False), ("", False)],
    ids=repr)
def test_the_scheme_is_bearer(gateway, channel, value, served):
    token = ISSUER.token("ann", [channel])
    asked = ask(gateway, "poll", channel, {"Authorization": value.replace("%s", token)})
    assert asked.served == served, asked.response


def test_another_scheme_leaves_room_for_another_way(gateway, channel):
    """As where a proxy asks for a password of its own."""
    token = ISSUER.token("ann", [channel])
    for kind in TRANSPORTS:
        asked = ask(gateway, kind, channel, {"Authorization": "Basic YTpi"}, "&token=" + token)
        assert asked.served, asked.response


def test_a_parameter_may_be_escaped(gateway, channel):
    token = ISSUER.token("ann", [channel])
    escaped = "".join("%%%02x" % ord(char) if n % 3 == 0 else char for n, char in enumerate(token))
    assert ask(gateway, "poll", channel, {}, "&token=" + escaped).served
    assert ask(gateway, "poll", channel, {}, "&token=").status == 401


def test_a_name_of_a_cookie_is_exact(gateway, channel):
    token = ISSUER.token("ann", [channel])
    for cookie, served in (("%s=%s" % (COOKIE, token), True), ('%s="%s"' % (COOKIE, token), True),
                           ("x%s=%s" % (COOKIE, token), False), ("%s2=%s" % (COOKIE, token), False),
                           ("%s=%s" % (COOKIE.upper(), token), False), ("x=%s=%s" % (COOKIE, token), False)):
        asked = ask(gateway, "poll", channel, {"Cookie": cookie})
        assert asked.served == served or '"' in cookie, (cookie, asked.response)


# Tickets and tokens are two things.

def test_a_ticket_is_no_token_and_a_token_no_ticket(gateway, channel):
    token = ISSUER.token("ann", [channel], [channel])
    ticket = get_ticket(gateway, token)
    for kind in KINDS:
        for headers, query in ((bearer(ticket), ""), ({}, "&token=" + ticket),
                               by_cookie(gateway, ticket)):
            asked = ask(gateway, kind, channel, headers, query)
            assert (asked.status, asked.code) == (401, "unauthorized"), (kind, asked.response)
    for kind in TRANSPORTS:
        asked = ask(gateway, kind, channel, {}, "&ticket=" + token)
        assert (asked.status, asked.code) == (401, "unauthorized"), (kind, asked.response)
    headers = {"Sec-WebSocket-Protocol": "sluice.v1, bearer." + ticket}
    assert ask(gateway, "websocket", channel, headers).status == 401


def test_a_ticket_opens_often(gateway, channel, transport):
    ticket = get_ticket(gateway, ISSUER.token("ann", [channel]))
    for _ in range(3):
        with open_subscriber(transport, gateway, channel, ticket=ticket) as sub:
            gateway.publish(channel, 1)
            assert sub.next_data(1) == [1]


def test_a_ticket_that_is_changed_is_refused(gateway, channel):
    ticket = get_ticket(gateway, ISSUER.token("ann", [channel]))
    head, payload, signature = ticket.split(".")
    other = mint(ISSUER.key, claims("ann", [channel]), typ="sluice-ticket+jwt")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for bad in (other, head + "." + payload + "." + flipped, head + "." + payload + ".", ticket + "A",
                ".".join((head, other.split(".")[1], signature)), ""):
        asked = ask(gateway, "poll", channel, {}, "&ticket=" + bad)
        assert (asked.status, asked.code) == (401, "unauthorized"), (bad, asked.response)


# Subprotocols.

@pytest.mark.parametrize("offered, chosen", [
    ("sluice.v1, bearer.%s", "sluice.v1"), ("bearer.%s, sluice.v1", "sluice.v1"),
    ("chat,sluice.v1 ,\tbearer.%s", "sluice.v1"), ("bearer.%s", None), ("other, bearer.%s", None)])
def test_bearer_is_never_chosen(gateway, channel, offered, chosen):
    token = ISSUER.token("ann", [channel])
    with WebSocket(gateway.address) as ws:
        response = ws.handshake("/ws?channels=" + channel, {"Sec-WebSocket-Protocol": offered % token})
        assert response.status == 101, response
        assert response.header("Sec-WebSocket-Protocol") == chosen
        assert token not in repr(response.pairs)
        assert ws.next_object()["type"] == "open"


def test_the_subprotocol_may_come_in_several_lines(gateway, channel):
    token = ISSUER.token("ann", [channel])
    with WebSocket(gateway.address) as ws:
        fields = list(ws.upgrade_headers().items())
        lines = [("Sec-WebSocket-Protocol", "sluice.v1"), ("Sec-WebSocket-Protocol", "bearer." + token)]
        ws.send_request("GET", "/ws?channels=" + channel, fields + lines)
        response = ws.read_head()
        assert response.status == 101 and response.header("Sec-WebSocket-Protocol") == "sluice.v1", response


# Cookies come by themselves, so other sites' pages may not use them.

SITES = [None, "same-origin", "none", "same-site", "cross-site", "garbage"]


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("origin", [None, OWN, PAGE, "null", FOREIGN])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cookie_counts_only_where_no_other_site_can_use_it(gateway, channel, kind, origin, site):
    token = ISSUER.token("ann", [channel], [channel])
    headers = {"Cookie": "%s=%s" % (COOKIE, token), "Origin": origin, "Sec-Fetch-Site": site}
    asked = ask(gateway, kind, channel, headers)
    if origin in ("null", FOREIGN):
        assert (asked.status, asked.code) == (403, "bad_origin"), asked.response
    elif origin:
        assert asked.served, asked.response
    elif kind in ("websocket", "publish", "ticket"):
        assert (asked.status, asked.code) == (401, "unauthorized"), asked.response
    else:
        assert asked.served == (site in (None, "same-origin", "none")), asked.response
    with_header = ask(gateway, kind, channel, {**headers, **bearer(token)})
    assert with_header.served == (origin not in ("null", FOREIGN)), "a header is the page's own"


def test_post_poll_with_a_cookie_needs_an_origin(gateway, channel):
    token = ISSUER.token("ann", [channel])
    cookie = {"Cookie": "%s=%s" % (COOKIE, token), "Authorization": None}
    target = "/poll?wait=0&channels=" + channel
    check_challenge(gateway.request("POST", target, cookie), None)
    assert gateway.request("POST", target, {**cookie, "Origin": OWN}).status == 200


def test_without_the_option_a_cookie_is_nothing(start_gateway, channel):
    gateway = start_gateway(*ISSUER.options)
    token = ISSUER.token("ann", [channel])
    for name in COOKIE, "token", "":
        assert ask(gateway, "poll", channel, {"Cookie": "%s=%s" % (name, token)}).status == 401


# What a page may read of a refusal.

@pytest.mark.parametrize("origin", [OWN, PAGE])
@pytest.mark.parametrize("kind", KINDS)
def test_an_allowed_page_can_read_a_refusal(gateway, channel, kind, origin):
    for headers, status in (({}, 401), (bearer("x.y"), 401), (bearer(ISSUER.token()), 403)):
        asked = ask(gateway, kind, channel, {**headers, "Origin": origin}, "&channels=c" * (kind == "ticket"))
        assert asked.status == status, asked.response
        response = asked.response
        assert response.header("Access-Control-Allow-Origin") == origin, response
        assert response.header("Access-Control-Allow-Credentials") == "true", response
        assert "origin" in response.tokens("Vary"), response


def test_no_page_of_the_origin_null_may_send_credentials(gateway, channel):
    for headers in {}, bearer(ISSUER.token("ann", [channel])), {"Cookie": COOKIE + "=x"}:
        for target in "/poll?wait=0&channels=" + channel, "/stats", "/transports", "/client/sluice.js":
            response = gateway.get(target, {**headers, "Origin": "null", "Authorization": None, **headers})
            assert response.header("Access-Control-Allow-Credentials") is None, response


def test_a_preflight_needs_no_token(gateway):
    for target, method in (("/publish?channel=c", "POST"), ("/poll?channels=c", "GET"), ("/ticket", "POST")):
        response = gateway.request("OPTIONS", target, {
            "Origin": PAGE, "Access-Control-Request-Method": method, "Authorization": None,
            "Access-Control-Request-Headers": "authorization"})
        assert response.status == 204, response
        assert "authorization" in response.tokens("Access-Control-Allow-Headers"), response
        assert method.lower() in response.tokens("Access-Control-Allow-Methods"), response


# A principal belongs to one request, never to a connection.

class User:
    def __init__(self, name, channel):
        self.name, self.channel = name, "%s.%s" % (channel, name)
        self.token = ISSUER.token(name, [self.channel], [self.channel])

    def ways(self, gateway):
        return [(bearer(self.token), ""), ({}, "&token=" + self.token), ({}, "&ticket=" + get_ticket(
            gateway, self.token)), by_cookie(gateway, self.token)]


PROXY = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize("proxied", [False, True])
def test_users_that_alternate_on_one_connection_keep_to_their_rights(gateway, channel, proxied):
    users = [User("ann", channel), User("bob", channel)]
    more = PROXY if proxied else {}
    ways = [user.ways(gateway) for user in users]
    allowed = refused = 0
    with gateway.connect() as http:
        for turn in range(24):
            who = turn % 2
            headers, query = ways[who][turn // 2 % 4]
            fields = {**headers, **more}
            for user in users:
                own = user is users[who]
                answer = http.request("GET", "/poll?wait=0&channels=%s%s" % (user.channel, query), fields)
                check_own(answer, own, user)
                if "ticket" in query:
                    continue
                answer = http.request("POST", "/publish?channel=%s%s" % (user.channel, query), {
                    "Content-Type": "text/plain", **fields}, users[who].name.encode())
                check_own(answer, own, user)
                allowed, refused = allowed + own, refused + (not own)
            check_challenge(http.request("GET", "/poll?wait=0&channels=" + users[who].channel, more))
    assert allowed == refused == 18
    for user in users:
        answer = gateway.get("/poll?since=0&wait=0&channels=" + user.channel).json()
        assert [message["data"] for message in answer["messages"]] == [user.name] * 9


def check_own(answer, own, user):
    if own:
        assert answer.status == 200, answer
    else:
        check_forbidden(answer, user.channel)


@pytest.mark.parametrize("proxied", [False, True])
def test_pipelined_requests_have_their_own_rights_each(gateway, channel, proxied):
    users = [User("ann", channel), User("bob", channel)]
    more = PROXY if proxied else {}
    asked, want = b"", []
    for turn in range(12):
        user, other = users[turn % 2], users[(turn + turn // 4) % 2]
        headers = {} if turn % 5 == 4 else bearer(user.token)
        fields = {"Content-Type": "text/plain", **headers, **more}
        if turn == 11:
            fields["Connection"] = "close"
        if turn % 3:
            target = "/publish?channel=" + other.channel
            asked += request_bytes("POST", target, fields, str(turn).encode())
        else:
            asked += request_bytes("GET", "/poll?wait=0&channels=" + other.channel, fields)
        want.append(401 if not headers else 200 if user is other else 403)
    with Http(gateway.address) as http:
        http.send(asked)
        got = responses_in(http.read_to_end())
    assert [response.status for response in got] == want
    assert set(want) == {200, 401, 403}
    for user in users:
        answer = gateway.get("/poll?since=0&wait=0&channels=" + user.channel).json()
        told = [int(message["data"]) for message in answer["messages"]]
        assert all(want[turn] == 200 for turn in told), told


def test_behind_a_websocket_refused_its_connection_asks_anew(gateway, channel):
    """A handshake without a token leaves a connection on which another user's comes."""
    user = User("ann", channel)
    with WebSocket(gateway.address) as ws:
        target = "/ws?channels=" + user.channel
        check_challenge(ws.handshake(target))
        if ws.is_reusable():
            check_forbidden(ws.handshake(target, bearer(ISSUER.token("bob"))), user.channel)
        if ws.is_reusable():
            assert ws.handshake(target, bearer(user.token)).status == 101


def test_a_message_of_a_websocket_is_of_its_opener(gateway, channel):
    """Requests of others on other connections change nothing."""
    users = [User("ann", channel), User("bob", channel)]
    sockets = [open_subscriber("websocket", gateway, user.channel, headers=bearer(user.token)) for user in users]
    for turn, other in itertools.product(range(2), users):
        ws = sockets[turn].wire
        ws.send_object({"type": "publish", "channel": other.channel, "data": turn, "ref": 1})
        kinds = {}
        while not {"ack", "error"} & set(kinds):
            obj = ws.next_object()
            kinds[obj.get("type")] = obj
        if users[turn] is other:
            assert "ack" in kinds, kinds
        else:
            assert kinds["error"]["code"] == "forbidden" and other.channel in kinds["error"]["message"], kinds
    for sub in sockets:
        sub.close()


def test_urls_of_tokens_are_not_cached(gateway, channel):
    token = ISSUER.token("ann", [channel], [channel])
    for target in ("/poll?wait=0&channels=%s&token=%s" % (channel, urllib.parse.quote(token)),
                   "/poll?wait=0&channels=%s&token=x" % channel):
        assert "no-store" in gateway.get(target, {"Authorization": None}).tokens("Cache-Control")
    response = gateway.request("POST", "/ticket", bearer(token), b"")
    assert "no-store" in response.tokens("Cache-Control"), response
