"""Who may use the gateway: Origin, Host, CORS, and not beyond loopback by accident."""

import socket

import pytest

from checks import NOBODY, check_error
from sluicetest import Gateway, GatewayFailed, Http, SharedGateway, WebSocket

REFUSED_ORIGINS = [NOBODY, "null", "http://127.0.0.1", "https://127.0.0.1:1", "file://",
                   "http://localhost.evil.example", "x", "http://127.0.0.1.evil.example"]
PUBLIC = "https://push.example"
PAGE = "http://page.example:8000"


@pytest.fixture(scope="module")
def shared_public_gateway():
    with SharedGateway("--public-origin", PUBLIC, "--public-origin", "http://other.example",
                       "--allow-origin", PAGE) as shared:
        yield shared


@pytest.fixture
def public_gateway(shared_public_gateway):
    with shared_public_gateway.use() as gateway:
        yield gateway


def ask(gateway, what, headers, host=None):
    """One request of each kind; returns the response once its head is known."""
    with WebSocket(gateway.address, host=host) as ws:
        if what == "websocket":
            return ws.handshake("/ws?channels=a", headers)
        if what == "publish":
            return ws.request("POST", "/publish?channel=a",
                              dict(headers, **{"Content-Type": "text/plain"}), b"x")
        target = {"sse": "/sse?channels=a", "stream": "/stream?channels=a",
                  "longpoll": "/poll?channels=a&wait=25", "poll": "/poll?channels=a&wait=0",
                  "stats": "/stats", "transports": "/transports"}[what]
        ws.send_request("GET", target, headers)
        response = ws.read_head()
        if response.header("Content-Length") is not None:
            ws.read_body()
        return response


everything = pytest.mark.parametrize("what", [
    "websocket", "sse", "stream", "longpoll", "poll", "publish", "stats", "transports"])


def succeeded(response):
    return response.status in (200, 101)


@everything
@pytest.mark.parametrize("origin", REFUSED_ORIGINS)
def test_foreign_origin_is_refused(gateway, what, origin):
    error = check_error(ask(gateway, what, {"Origin": origin}), 403, "bad_origin")
    assert (("of %s: start it with --public-origin %s (or --allow-origin %s)" % (origin, origin, origin))
            in error["message"] or origin == "null"), error


@everything
def test_a_page_may_read_why_it_is_refused_and_nothing_else(gateway, what):
    """Without it a browser says no more than that something failed."""
    for headers, host in (({"Origin": NOBODY}, None), ({"Origin": NOBODY}, "evil.example")):
        response = ask(gateway, what, headers, host)
        check_error(response, 403)
        assert response.header("Access-Control-Allow-Origin") == "*"
        assert response.tokens("Access-Control-Expose-Headers") == {"sluice"}
        assert response.header("Access-Control-Allow-Credentials") is None


@everything
def test_a_refused_host_is_named_to_an_allowed_page_by_its_own_origin(gateway, what):
    response = ask(gateway, what, {"Origin": gateway.origin}, "push.example")
    error = check_error(response, 403, "bad_host")
    assert "Host push.example: start it with --public-origin" in error["message"]
    assert response.header("Access-Control-Allow-Origin") == gateway.origin


@pytest.mark.parametrize("origin", ["http://" + "a" * 300, "http://a\tb", 'x y', "http://\xe4"])
def test_an_origin_that_is_not_fit_for_a_sentence_is_not_quoted(gateway, origin):
    with Http(gateway.address) as http:
        http.send(b"GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: %s\r\n\r\n" % origin.encode("latin-1"))
        error = check_error(http.read_response(), 403, "bad_origin")
    assert "pages of ORIGIN: start it with --public-origin ORIGIN" in error["message"]


@everything
def test_no_origin_is_served(gateway, what):
    assert succeeded(ask(gateway, what, {}))


@everything
def test_own_loopback_listener_is_an_allowed_origin(gateway, what):
    assert succeeded(ask(gateway, what, {"Origin": gateway.origin}))
    assert succeeded(ask(gateway, what, {"Origin": "http://localhost:%d" % gateway.address[1]}))


@everything
@pytest.mark.parametrize("origin", [PUBLIC, "http://other.example", PAGE])
def test_configured_origins_are_allowed(public_gateway, what, origin):
    assert succeeded(ask(public_gateway, what, {"Origin": origin}))


@everything
@pytest.mark.parametrize("origin", [
    "http://push.example", "https://push.example:8443", "http://page.example",
    "https://page.example:8000", "https://x.push.example", NOBODY])
def test_near_misses_of_configured_origins_are_refused(public_gateway, what, origin):
    check_error(ask(public_gateway, what, {"Origin": origin}), 403)


@everything
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.1:1234", "localhost:99",
                                  "[::1]", "[::1]:80", "LOCALHOST"])
def test_loopback_hosts_are_served(gateway, what, host):
    """A proxy on this machine may rewrite the port."""
    assert succeeded(ask(gateway, what, {}, host=host))


@everything
@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
    "10.0.0.1", "[::2]"])
def test_other_hosts_are_refused(gateway, what, host):
    """DNS rebinding: the name in Host is the attacker's."""
    check_error(ask(gateway, what, {}, host=host), 403)


@everything
def test_public_origins_host_is_served(public_gateway, what):
    assert succeeded(ask(public_gateway, what, {}, host="push.example"))
    assert succeeded(ask(public_gateway, what, {}, host="other.example"))
    assert succeeded(ask(public_gateway, what, {}, host="127.0.0.1"))


@everything
def test_an_allowed_pages_host_is_not_ours(public_gateway, what):
    check_error(ask(public_gateway, what, {}, host="page.example:8000"), 403)


@pytest.mark.parametrize("host", ["", " ", "a b", "127.0.0.1:x", "[::1", "http://127.0.0.1"])
def test_malformed_hosts_are_refused(gateway, host):
    with Http(gateway.address) as http:
        http.send(b"GET /stats HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
        assert http.read_head().status in (400, 403)


def test_missing_host_in_http_1_1_is_refused(gateway):
    with Http(gateway.address) as http:
        http.send(b"GET /stats HTTP/1.1\r\n\r\n")
        assert http.read_head().status in (400, 403)


def test_two_hosts_are_refused(gateway):
    with Http(gateway.address) as http:
        http.send(b"GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n")
        assert http.read_head().status in (400, 403)


def test_two_origins_are_refused(gateway):
    with Http(gateway.address) as http:
        http.send(("GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: %s\r\nOrigin: %s\r\n\r\n"
                   % (gateway.origin, NOBODY)).encode())
        assert http.read_head().status in (400, 403)


# A poll connection that is kept must ask again for every request.

def test_second_poll_with_a_foreign_origin_is_refused(gateway):
    with Http(gateway.address) as http:
        assert http.request("GET", "/poll?channels=a").status == 200
        check_error(http.request("GET", "/poll?channels=a", {"Origin": NOBODY}), 403)


def test_second_poll_with_a_foreign_host_is_refused(gateway):
    with Http(gateway.address) as http:
        assert http.request("GET", "/poll?channels=a").status == 200
        http.host = "evil.example"
        check_error(http.request("GET", "/poll?channels=a"), 403)


def test_second_poll_gets_the_cors_headers_of_its_own_origin(public_gateway):
    with Http(public_gateway.address) as http:
        assert http.request("GET", "/poll?channels=a").header("Access-Control-Allow-Origin") is None
        for origin in (PAGE, PUBLIC):
            response = http.request("GET", "/poll?channels=a", {"Origin": origin})
            assert response.header("Access-Control-Allow-Origin") == origin


# CORS.

def check_cors(response, origin):
    assert response.header("Access-Control-Allow-Origin") == origin, response
    assert "origin" in response.tokens("Vary"), response
    assert response.tokens("Access-Control-Expose-Headers") >= {
        "sluice", "sluice-cursor", "sluice-gap", "retry-after"}, response


@pytest.mark.parametrize("what", ["sse", "stream", "longpoll", "poll", "publish", "transports"])
def test_cors_headers_for_an_allowed_origin(public_gateway, what):
    check_cors(ask(public_gateway, what, {"Origin": PAGE}), PAGE)


@pytest.mark.parametrize("what", ["sse", "stream", "longpoll", "poll", "publish", "transports"])
def test_no_cors_headers_without_origin(public_gateway, what):
    response = ask(public_gateway, what, {})
    assert response.header("Access-Control-Allow-Origin") is None


def test_errors_to_an_allowed_origin_are_readable_too(public_gateway):
    for target in ("/sse", "/nothing", "/stream?channels=a..b", "/poll?channels=a&wait=x"):
        response = public_gateway.get(target, {"Origin": PAGE})
        assert response.status in (400, 404)
        check_cors(response, PAGE)


def preflight(gateway, path, origin, method="POST", headers="content-type,idempotency-key"):
    return gateway.request("OPTIONS", path, {
        "Origin": origin, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers})


@pytest.mark.parametrize("path,method", [
    ("/publish?channel=a", "POST"), ("/sse?channels=a", "GET"), ("/poll?channels=a", "GET"),
    ("/poll?channels=a", "POST"),
    ("/stream?channels=a", "GET"), ("/probe/echo", "POST")])
def test_preflight_of_an_allowed_origin(public_gateway, path, method):
    response = preflight(public_gateway, path, PAGE, method)
    assert response.status in (200, 204), response
    assert response.header("Sluice")
    assert response.header("Access-Control-Allow-Origin") == PAGE
    assert method.lower() in response.tokens("Access-Control-Allow-Methods")
    assert response.tokens("Access-Control-Allow-Headers") >= {
        "authorization", "content-type", "idempotency-key", "last-event-id"}


def test_preflight_of_a_foreign_origin_is_refused(public_gateway):
    response = preflight(public_gateway, "/publish?channel=a", NOBODY)
    check_error(response, 403)
    assert response.header("Access-Control-Allow-Methods") is None


def test_preflight_then_publish_on_one_connection(public_gateway):
    with Http(public_gateway.address) as http:
        assert http.request("OPTIONS", "/publish?channel=a", {
            "Origin": PAGE, "Access-Control-Request-Method": "POST"}).status in (200, 204)
        assert http.request("POST", "/publish?channel=a", {
            "Origin": PAGE, "Content-Type": "text/plain"}, b"x").status == 200


# Listening beyond loopback.

def own_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("198.51.100.1", 9))  # sends nothing
        except OSError:
            return None
        address = sock.getsockname()[0]
    return None if address.startswith("127.") else address


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_listening_beyond_loopback_wants_allow_anonymous(address):
    with pytest.raises(GatewayFailed) as refused:
        Gateway("--listen", address).kill()
    assert refused.value.status not in (0, None)
    assert "--allow-anonymous" in refused.value.stderr


def test_listening_beyond_loopback_with_allow_anonymous(start_gateway):
    gateway = start_gateway("--allow-anonymous", "--listen", "0.0.0.0:0")
    port = gateway.listeners[0][1]
    with Http(("127.0.0.1", port)) as http:
        assert http.request("GET", "/healthz").status == 200
    address = own_address()
    if address:
        with Http((address, port)) as http:
            assert http.request("GET", "/transports").status == 200
