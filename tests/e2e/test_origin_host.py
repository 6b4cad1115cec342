"""Who may use the gateway: Origin, Host, CORS, and not beyond loopback by accident."""

import socket

import pytest

from checks import NOBODY, check_error
from sluicetest import Gateway, GatewayFailed, Http, SharedGateway, WebSocket

REFUSED_ORIGINS = [NOBODY, "null", "http://127.0.0.1", "https://127.0.0.1:1", "file://",
                   "http://localhost.evil.example", "x", "http://127.0.0.1.evil.example"]
PUBLIC = "https://push.example"
PAGE = "http://page.example:8000"
APPS = ["capacitor://localhost", "ionic://localhost", "tauri://localhost", "app://",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0a1b2c3d-0000-4000-8000-000000000000"]


@pytest.fixture(scope="module")
def shared_public_gateway():
    with SharedGateway("--public-origin", PUBLIC, "--public-origin", "http://other.example",
                       "--allow-origin", PAGE) as shared:
        yield shared


@pytest.fixture
def public_gateway(shared_public_gateway):
    with shared_public_gateway.use() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def shared_app_gateway():
    options = [word for app in APPS for word in ("--allow-origin", app)]
    with SharedGateway("--allow-credentials", "--allow-origin", PAGE, *options) as shared:
        yield shared


@pytest.fixture
def app_gateway(shared_app_gateway):
    """Pages of apps may use it, with credentials."""
    with shared_app_gateway.use() as gateway:
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
    assert (("of %s; start it with --public-origin %s (or --allow-origin %s)" % (origin, origin, origin))
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
    assert "Host push.example; start it with --public-origin" in error["message"]
    assert response.header("Access-Control-Allow-Origin") == gateway.origin


@pytest.mark.parametrize("origin", ["http://" + "a" * 300, "http://a\tb", 'x y', "http://\xe4"])
def test_an_origin_that_is_not_fit_for_a_sentence_is_not_quoted(gateway, origin):
    with Http(gateway.address) as http:
        http.send(b"GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: %s\r\n\r\n" % origin.encode("latin-1"))
        error = check_error(http.read_response(), 403, "bad_origin")
    assert "pages of ORIGIN; start it with --public-origin ORIGIN" in error["message"]


@everything
def test_no_origin_is_served(gateway, what):
    assert succeeded(ask(gateway, what, {}))


@everything
def test_own_loopback_listener_is_an_allowed_origin(gateway, what):
    assert succeeded(ask(gateway, what, {"Origin": gateway.origin}))
    assert succeeded(ask(gateway, what, {"Origin": "%s://localhost:%d" % (gateway.scheme, gateway.address[1])}))


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


@everything
@pytest.mark.parametrize("origin", APPS)
def test_origins_of_apps_are_allowed_once_listed(gateway, app_gateway, what, origin):
    check_error(ask(gateway, what, {"Origin": origin}), 403, "bad_origin")
    response = ask(app_gateway, what, {"Origin": origin})
    assert succeeded(response)
    if what != "websocket":  # which has no CORS
        assert response.header("Access-Control-Allow-Origin") == origin


@pytest.mark.parametrize("origin", [
    "null", "file://", "capacitor://localhost:80", "capacitor://evil.example", "Capacitor://localhost",
    "app://x", "chrome-extension://other", "http://localhost"])
def test_near_misses_of_apps_are_refused(app_gateway, origin):
    check_error(ask(app_gateway, "transports", {"Origin": origin}), 403, "bad_origin")


# Files of the page are for everybody: a browser sends Origin with module scripts, and behind a
# proxy it is one that the gateway does not know.

FILES = ["/", "/client/sluice.js", "/demo/page.js"]


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("origin", REFUSED_ORIGINS)
def test_files_are_served_whatever_the_origin_says(gateway, path, origin):
    for method in ("GET", "HEAD"):
        with Http(gateway.address) as http:
            http.send_request(method, path, {"Origin": origin})
            response = http.read_response(method)
        assert response.status == 200, response
        assert response.header("Access-Control-Allow-Origin") is None
        assert "origin" in response.tokens("Vary"), response
    plain = gateway.get(path)
    assert "origin" in plain.tokens("Vary"), "a cache would give this copy to an allowed page"
    again = gateway.get(path, {"Origin": origin, "If-None-Match": plain.header("ETag")})
    assert again.status == 304 and "origin" in again.tokens("Vary"), again


@pytest.mark.parametrize("path", FILES)
def test_files_for_an_allowed_page_are_readable(public_gateway, path):
    check_cors(public_gateway.get(path, {"Origin": PAGE}), PAGE)


def test_files_that_are_not_there_are_404_whatever_the_origin_says(gateway):
    check_error(gateway.get("/client/nothing.js", {"Origin": NOBODY}), 404)
    check_error(gateway.get("/demo/nothing.js", {"Origin": NOBODY}), 404)


@pytest.mark.parametrize("path", FILES)
def test_files_keep_the_rule_of_host(gateway, path):
    response = gateway.request("GET", path, {"Host": "evil.example", "Origin": NOBODY})
    check_error(response, 403, "bad_host")


@pytest.mark.parametrize("path", ["/demo/api/origins", "/demo/api/trace?of=a:0", "/nothing"])
def test_what_is_no_file_keeps_the_rule_of_origin(start_gateway, path):
    gateway = start_gateway("--demo", "--obstacle", "none")
    check_error(gateway.get(path, {"Origin": NOBODY}), 403, "bad_origin")
    assert gateway.get("/demo/page.js", {"Origin": NOBODY}).status == 200


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
    for target in ("/sse", "/nothing", "/stream?channels=a*b", "/poll?channels=a&wait=x"):
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


# What they are asked for, in lower case as browsers do: eventsource-polyfill and others for old
# browsers, fetch-event-source, sse.js, axios, OpenTelemetry.
LIBRARY_HEADERS = [
    "accept,cache-control,last-event-id,x-requested-with", "cache-control,pragma",
    "authorization,content-type,last-event-id", "content-type,x-csrf-token,x-xsrf-token",
    "baggage,traceparent,tracestate", "content-encoding,content-type,idempotency-key"]


@pytest.mark.parametrize("headers", LIBRARY_HEADERS)
def test_preflight_allows_what_libraries_send(public_gateway, headers):
    response = preflight(public_gateway, "/sse?channels=a", PAGE, "GET", headers)
    assert response.tokens("Access-Control-Allow-Headers") >= set(headers.split(",")), response


def test_preflight_allows_a_private_network_when_asked(public_gateway):
    asking = {"Origin": PAGE, "Access-Control-Request-Method": "POST",
              "Access-Control-Request-Private-Network": "true"}
    response = public_gateway.request("OPTIONS", "/publish?channel=a", asking)
    assert response.header("Access-Control-Allow-Private-Network") == "true"
    response = preflight(public_gateway, "/publish?channel=a", PAGE)
    assert response.header("Access-Control-Allow-Private-Network") is None
    for origin in (NOBODY, "null"):
        response = public_gateway.request("OPTIONS", "/publish?channel=a", dict(asking, Origin=origin))
        check_error(response, 403)
        assert response.header("Access-Control-Allow-Private-Network") is None


def test_preflight_of_a_file_by_a_foreign_page_allows_nothing(gateway):
    response = gateway.request("OPTIONS", "/client/sluice.js", {
        "Origin": NOBODY, "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Private-Network": "true"})
    assert response.status == 204
    assert not [name for name, _ in response.pairs if name.startswith("Access-Control")]


# Credentials.

CREDENTIALS = "Access-Control-Allow-Credentials"


@pytest.mark.parametrize("what", ["sse", "stream", "longpoll", "poll", "publish", "transports"])
def test_credentials_are_allowed_to_listed_origins_by_the_option(public_gateway, app_gateway, what):
    for origin in (PAGE, "capacitor://localhost"):
        response = ask(app_gateway, what, {"Origin": origin})
        assert response.header(CREDENTIALS) == "true"
        check_cors(response, origin)
    assert ask(app_gateway, what, {}).header(CREDENTIALS) is None
    assert ask(app_gateway, what, {"Origin": app_gateway.origin}).header(CREDENTIALS) is None
    for origin in ("null", NOBODY):
        assert ask(app_gateway, what, {"Origin": origin}).header(CREDENTIALS) is None
    assert ask(public_gateway, what, {"Origin": PAGE}).header(CREDENTIALS) is None


def test_credentials_are_allowed_by_preflights_errors_and_kept_connections(app_gateway):
    assert preflight(app_gateway, "/publish?channel=a", PAGE).header(CREDENTIALS) == "true"
    assert app_gateway.get("/sse", {"Origin": PAGE}).header(CREDENTIALS) == "true"
    assert app_gateway.get("/client/sluice.js", {"Origin": PAGE}).header(CREDENTIALS) == "true"
    with Http(app_gateway.address) as http:
        for origin in (PAGE, app_gateway.origin, PAGE):
            for method, target, body in (("GET", "/poll?channels=a", None),
                                         ("POST", "/publish?channel=a", b"x")):
                response = http.request(method, target, {
                    "Origin": origin, "Content-Type": "text/plain"}, body)
                assert response.header(CREDENTIALS) == ("true" if origin == PAGE else None)


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


@pytest.mark.parametrize("host, status", [
    (None, 200), ("push.example", 200), ("push.example:443", 200), ("localhost", 200), ("192.0.2.7:8080", 200),
    ("[2001:db8::1]:8080", 200), ("evil.example", 403), ("push.example:8080", 403), ("push.example.evil", 403)])
def test_with_allow_anonymous_and_a_public_origin_other_names_are_refused(start_gateway, host, status):
    """A page can have its own name lead here (DNS rebinding), and would then be of the same origin."""
    gateway = start_gateway("--allow-anonymous", "--public-origin", PUBLIC, "--listen", "0.0.0.0:0")
    address = type(gateway.address)(("127.0.0.1", gateway.address[1]))
    with Http(address, host=host) as http:
        answer = http.request("GET", "/poll?channels=a&wait=0")
    if status == 403:
        check_error(answer, 403, "bad_host")
    assert answer.status == status


def test_listening_beyond_loopback_with_allow_anonymous(start_gateway):
    gateway = start_gateway("--allow-anonymous", "--listen", "0.0.0.0:0")
    any_address = gateway.listeners[0]
    kind, port = type(any_address), any_address[1]
    with Http(kind(("127.0.0.1", port))) as http:
        assert http.request("GET", "/healthz").status == 200
    address = own_address()
    if address and not gateway.scheme == "https":  # no certificate names it
        with Http((address, port)) as http:
            assert http.request("GET", "/transports").status == 200
