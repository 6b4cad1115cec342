"""SIGHUP tells the truth: each option either changes where it is used, or keeps its value
everywhere and is named in the log."""

import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess

import pytest

from sluicetest import (
    CloseFrame, Http, WebSocket, binary, eventually, open_subscriber)
from sluicetest.tls import Shake, authority, fingerprint, is_secure, run_openssl

_numbers = itertools.count(1)
LISTED = "http://listed.example"


class Place:
    """A gateway with its file."""

    def __init__(self, start_gateway, path, options, *arguments, also=()):
        self.path = path
        self.also = dict(also)
        self.held = []
        self.reloads = 0
        self.write(options)
        needs_slow = "backend" in options  # a second value of it is in sluice-slow alone
        self.gateway = start_gateway("--config", path, *arguments, web=None, slow=needs_slow)

    def write(self, options):
        self.path.write_text(json.dumps({
            "listen": "127.0.0.1:0", "outbox": "64M", "allow-origin": LISTED, **self.also, **options}))

    def log(self):
        return self.gateway.stderr().decode()

    def reload(self, options):
        """Returns what the log says of it."""
        self.reloads += 1
        before = len(self.log())
        self.write(options)
        self.gateway.signal(signal.SIGHUP)
        eventually(lambda: "reload.done" in self.log()[before:])
        return self.log()[before:]

    def hold(self, connection):
        self.held.append(connection)
        return connection

    def channel(self):
        return "reload.%d" % next(_numbers)

    def post(self, body, **headers):
        fields = {"Content-Type": "text/plain", **headers}
        return self.gateway.request("POST", "/publish?channel=" + self.channel(), fields, body)

    def history(self, channel):
        answer = self.gateway.get("/poll?channels=%s&since=0&wait=0" % channel).json()
        return [message["data"] for message in answer["messages"]]

    def status(self, target, **headers):
        return self.gateway.get(target, headers).status


@pytest.fixture
def place(start_gateway, tmp_path):
    places = []

    def start(options, *arguments, **how):
        places.append(Place(start_gateway, tmp_path / "sluice.json", options, *arguments, **how))
        return places[-1]

    yield start
    for one in places:
        for connection in one.held:
            connection.close()


# Each option's old and new value, and how it is seen: a function that prepares with the old
# value and returns a probe, which is true once the new value is in force.
CHANGES = {}
FIXED = {}


def changes(option, old, new):
    return lambda prepare: CHANGES.setdefault(option, (old, new, prepare))


def fixed(option, old, new):
    return lambda prepare: FIXED.setdefault(option, (old, new, prepare))


@changes("log-level", "error", "info")
def sees_log_level(place):
    return lambda: " info " in place.log()


@changes("public-origin", [], ["https://push.example"])
def sees_public_origin(place):
    return lambda: place.status("/transports", Host="push.example") == 200


@changes("allow-origin", ["http://other.example"], "http://page.example")
def sees_allow_origin(place):
    return lambda: (place.status("/transports", Origin="http://page.example") == 200
                    and place.status("/transports", Origin="http://other.example") == 403)


@changes("allow-credentials", False, True)
def sees_allow_credentials(place):
    def probe():
        answer = place.gateway.get("/transports", {"Origin": LISTED})
        return answer.header("Access-Control-Allow-Credentials") == "true"
    return probe


@changes("heartbeat", 20, 30)
def sees_heartbeat(place):
    def probe():
        with open_subscriber("stream", place.gateway, place.channel()) as sub:
            offer = place.gateway.get("/transports").json()
            return (sub.opened["heartbeat"], offer["heartbeat"]) == (30, 30)
    return probe


@changes("request-timeout", 600, 0.2)
def sees_request_timeout(place):
    def probe():
        with Http(place.gateway.address) as http:
            http.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
            return bool(select.select([http.sock], [], [], 4)[0])
    return probe


@changes("history-messages", 100, 2)
def sees_history_messages(place):
    early = place.channel()
    place.gateway.publish_all(early, range(5))

    def probe():
        late = place.channel()
        place.gateway.publish_all(late, range(5))
        limits = place.gateway.get("/transports").json()["limits"]
        return (place.history(early) == place.history(late) == [3, 4]
                and limits["history_messages"] == 2)
    return probe


@changes("history-bytes", "1M", 3000)
def sees_history_bytes(place):
    channel = place.channel()
    place.gateway.publish_all(channel, ["x" * 1000] * 5)
    return lambda: len(place.history(channel)) == 2


@changes("history-age", 300, 0.1)
def sees_history_age(place):
    channel = place.channel()
    place.gateway.publish(channel, 1)
    return lambda: (place.history(channel) == []
                    and place.gateway.get("/transports").json()["limits"]["history_age_s"] == 0)


@changes("history-total", "1M", 3000)
def sees_history_total(place):
    for _ in range(5):
        place.gateway.publish(place.channel(), "x" * 1000)
    return lambda: 0 < place.gateway.stats()["bus"]["history_bytes_now"] <= 3000


@changes("max-channels-total", 1000, 2)
def sees_max_channels_total(place):
    for _ in range(5):
        place.gateway.publish(place.channel(), 1)
    return lambda: place.gateway.stats()["bus"]["channels_now"] == 2


@changes("idempotency-keys", 1000, 0)
def sees_idempotency_keys(place):
    key = {"Idempotency-Key": "a-key-of-this-test"}
    return lambda: place.post(b"1", **key).status == 429


@changes("max-message", "4K", 1000)
def sees_max_message(place):
    ws = place.hold(WebSocket(place.gateway.address))
    ws.handshake("/ws?channels=" + place.channel())

    def probe():
        ws.send_object({"type": "publish", "channel": place.channel(), "data": "x" * 1100})
        answer = ws.next_object()
        while answer["type"] == "open":
            answer = ws.next_object()
        offer = place.gateway.get("/transports").json()
        return (place.post(b"x" * 2000).status == 413 and answer.get("code") == "too_large"
                and offer["limits"]["message_bytes"] == 1000)
    return probe


@changes("max-batch", "4K", 1024)
def sees_max_batch(place):
    line = json.dumps({"channel": place.channel(), "data": "x" * 500}).encode() + b"\n"
    lines = {"Content-Type": "application/x-ndjson"}

    def post(body):
        return place.gateway.request("POST", "/publish", lines, body).status
    return lambda: (post(line), post(3 * line)) == (200, 413)


@changes("max-json-depth", 10, 2)
def sees_max_json_depth(place):
    json_type = {"Content-Type": "application/json"}
    return lambda: (place.post(b"[[[1]]]", **json_type).status,
                    place.post(b"[[1]]", **json_type).status) == (400, 200)


@changes("max-fragments", 100, 2)
def sees_max_fragments(place):
    ws = place.hold(WebSocket(place.gateway.address))
    ws.handshake("/ws?format=raw&channels=" + place.channel())

    def probe():
        for n, fin in enumerate((False, False, True)):
            ws.send_frame(0 if n else 1, b"x", fin=fin)
        try:
            return ws.next_data() is None
        except CloseFrame as close:
            return close.code == 1008
    return probe


@changes("max-channels", 64, 1)
def sees_max_channels(place):
    return lambda: (place.status("/poll?channels=a,b&wait=0") == 400
                    and place.gateway.get("/transports").json()["limits"]["channels"] == 1)


def overflow(place, counter):
    """12 MB for a client that does not read: more than kernel buffers hold. No message may be as large as what
    is kept for that client: whoever has most goes, and what is here of a request counts too."""
    channel = place.channel()
    place.hold(open_subscriber("stream", place.gateway, channel, rcvbuf=8192))

    def probe():
        place.gateway.publish_all(channel, ["x" * 10000] * 1200)
        return place.gateway.stats()["limits"][counter] > 0
    return probe


@changes("outbox", "64M", "64K")
def sees_outbox(place):
    return overflow(place, "slow_consumers")


@changes("outbox-total", "256M", "64K")
def sees_outbox_total(place):
    return overflow(place, "outbox_pinned_evictions")


def take_place(place):
    """A connection that the gateway has accepted: another one may be before it otherwise."""
    assert place.hold(place.gateway.connect()).request("GET", "/healthz").status == 200


def crowd(place):
    take_place(place)
    return lambda: place.status("/poll?channels=a&wait=0") == 429


@changes("max-connections", 1000, 1)
def sees_max_connections(place):
    return crowd(place)


@changes("max-connections-per-address", 1000, 1)
def sees_max_connections_per_address(place):
    return crowd(place)


@changes("trust-proxy", [], ["10.0.0.0/8", "127.0.0.1"])
def sees_trust_proxy(place):
    fields = {"X-Forwarded-For": "203.0.113.1, 10.0.0.9"}
    return lambda: place.gateway.get("/probe/head", fields).json()["client"] == "203.0.113.1"


@changes("web", "one", "two")
def sees_web(place):
    for name in "one", "two":
        folder = place.path.parent / name / "client"
        folder.mkdir(parents=True)
        (folder / (name + ".js")).write_text("1")
    place.reload({"web": str(place.path.parent / "one")})
    return lambda: place.status("/client/two.js") == 200


# TLS listens beside the cleartext listener; what else an option needs to be there.

KEY = authority().issue("ec", label="reload")
OTHER = authority().issue("ec", label="reload to")
TICKETS = {digit: os.path.join(authority().folder, "tickets-" + digit) for digit in "12"}
for _digit, _path in TICKETS.items():
    with open(_path, "w") as _file:
        _file.write(160 * _digit + "\n")
TLS = {"tls-listen": "127.0.0.1:0", "tls-cert": KEY[0], "tls-key": KEY[1]}
BESIDE = {"tls-listen": TLS, "tls-cert": TLS, "tls-key": TLS, "tls-ticket-keys": TLS}


def secure_address(place):
    return next(address for address in place.gateway.listeners if is_secure(address))


@changes("tls-cert", KEY[0], os.path.join(authority().folder, "renewed.pem"))
def sees_tls_cert(place):
    """Another certificate of the same key."""
    renewed = CHANGES["tls-cert"][1]
    run_openssl("x509", "-in", KEY[0], "-signkey", KEY[1], "-days", "1", "-out", renewed)
    return lambda: Shake(secure_address(place)).certificate == fingerprint(renewed)


@changes("tls-key", KEY[1], OTHER[1])
def sees_tls_key(place):
    """The certificate stays the same file, with another content."""
    path = str(place.path.parent / "a.pem")
    shutil.copy(KEY[0], path)
    place.also["tls-cert"] = path
    place.reload({"tls-key": KEY[1], "log-level": "info"})
    shutil.copy(OTHER[0], path)
    return lambda: Shake(secure_address(place)).certificate == fingerprint(OTHER[0])


@changes("tls-ticket-keys", TICKETS["1"], TICKETS["2"])
def sees_tls_ticket_keys(place):
    first = Shake(secure_address(place))
    return lambda: not Shake(secure_address(place), session=first).is_resumed


# Tokens are of the command `sluice token`.

SECRETS = {name: os.path.join(authority().folder, "secret-" + name) for name in "ab"}
for _name, _path in SECRETS.items():
    with open(_path, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as _file:
        _file.write(40 * _name + "\n")
WITH_TOKENS = {"token-key": SECRETS["a"]}
BESIDE.update(dict.fromkeys((
    "token-issuer", "token-audience", "token-max-age", "token-cookie", "anonymous-subscribe",
    "anonymous-publish", "secret", "max-revocations", "token-failure-rate", "max-connections-per-subject"),
    WITH_TOKENS))
BESIDE["deflate-threshold"] = {"deflate": True}
POLL = "/poll?channels=of.tokens&wait=0"


def token(*options, key="a"):
    command = [binary(), "token", "--key", SECRETS[key], "--sub", "ann", "--subscribe", "*", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def polls(place, *options, key="a"):
    """The status of a poll with such a token."""
    return place.status(POLL, Authorization="Bearer " + token(*options, key=key))


@changes("token-key", SECRETS["a"], [SECRETS["b"]])
def sees_token_key(place):
    return lambda: (polls(place, key="a"), polls(place, key="b")) == (401, 200)


@changes("token-issuer", "one", "two")
def sees_token_issuer(place):
    return lambda: (polls(place, "--iss", "one"), polls(place, "--iss", "two")) == (401, 200)


@changes("token-audience", "one", "two")
def sees_token_audience(place):
    return lambda: (polls(place, "--aud", "one"), polls(place, "--aud", "two")) == (401, 200)


@changes("token-max-age", 3600, 60)
def sees_token_max_age(place):
    return lambda: (polls(place, "--ttl", "61s"), polls(place, "--ttl", "1m")) == (401, 200)


@changes("token-cookie", "one", "two")
def sees_token_cookie(place):
    cookies = {name: name + "=" + token() for name in ("one", "two")}
    return lambda: (place.status(POLL, Cookie=cookies["one"]),
                    place.status(POLL, Cookie=cookies["two"])) == (401, 200)


@changes("anonymous-subscribe", ["of.nobody"], ["of.everybody", "of.*"])
def sees_anonymous_subscribe(place):
    return lambda: place.status(POLL) == 200


@changes("anonymous-publish", ["of.nobody"], "reload.*")
def sees_anonymous_publish(place):
    return lambda: place.post(b"1").status == 200


@changes("secret", SECRETS["a"], SECRETS["b"])
def sees_secret(place):
    def buy():
        fields = {"Authorization": "Bearer " + token()}
        return place.gateway.request("POST", "/ticket", fields, b"").json()["ticket"]
    old = buy()
    return lambda: (place.status(POLL + "&ticket=" + old),
                    place.status(POLL + "&ticket=" + buy())) == (401, 200)


@changes("max-revocations", 1000, 1)
def sees_max_revocations(place):
    fields = {"Authorization": "Bearer " + token("--admin"), "Content-Type": "application/json"}

    def probe():
        body = json.dumps({"subject": place.channel()}).encode()
        return [place.gateway.request("POST", "/admin/disconnect", fields, body).status
                for body in (body, body.replace(b"reload", b"other"))][1] == 429
    return probe


@changes("limits", "on", "off")
def sees_limits(place):
    place.also["max-connections-per-address"] = 1
    place.reload({"limits": "on"})
    take_place(place)
    return lambda: place.status("/poll?channels=a&wait=0") == 200


@changes("raise-limits", ["10.0.0.0/8=off"], ["10.0.0.0/8=off", "127.0.0.0/8=2"])
def sees_raise_limits(place):
    place.also["max-connections-per-address"] = 1
    place.reload({"raise-limits": ["10.0.0.0/8=off"]})
    take_place(place)
    return lambda: place.status("/poll?channels=a&wait=0") == 200


@changes("reserved-connections", 0, 90)
def sees_reserved_connections(place):
    place.also["max-connections"] = 10
    place.reload({"reserved-connections": 0})
    take_place(place)
    return lambda: place.status("/poll?channels=a&wait=0") == 429


def repeat(times, how):
    """Whether it is refused for a limit at least once."""
    return any(how() == 429 for _ in range(times))


def exhausts(place, how):
    """A limit that is reached with the new value alone. The tests ask for /stats and such too, which must stay
    possible, and for more than once a second."""
    return lambda: repeat(40, how)


@changes("request-rate", 0, 1)
def sees_request_rate(place):
    return exhausts(place, lambda: place.status("/poll?channels=a&wait=0"))


@changes("publish-rate", 0, 1)
def sees_publish_rate(place):
    return exhausts(place, lambda: place.post(b"1").status)


@changes("publish-bytes", 0, "1K")
def sees_publish_bytes(place):
    return exhausts(place, lambda: place.post(b"x" * 2000).status)


@changes("delivery-rate", 0, 1)
def sees_delivery_rate(place):
    place.hold(open_subscriber("stream", place.gateway, "of.deliveries"))

    def post():
        fields = {"Content-Type": "text/plain"}
        return place.gateway.request("POST", "/publish?channel=of.deliveries", fields, b"x" * 2000).status
    return exhausts(place, post)


@changes("subscribe-rate", 0, 1)
def sees_subscribe_rate(place):
    ws = place.hold(WebSocket(place.gateway.address))
    ws.handshake("/ws?channels=a")
    assert ws.next_object()["type"] == "open"

    def probe():
        for n in range(20):
            channels = ["n%d" % n]
            for verb in "subscribe", "unsubscribe":
                ws.send_object({"type": verb, "channels": channels})
                if ws.next_object().get("code") == "rate_limited":
                    return True
        return False
    return probe


@changes("history-rate", 0, "1K")
def sees_history_rate(place):
    place.gateway.publish_all("of.history", ["x" * 2000] * 5)

    def probe():
        for _ in range(10):
            place.hold(open_subscriber("stream", place.gateway, "of.history", since="0"))
        return place.gateway.stats()["limits"]["history_waits"] > 0
    return probe


@changes("token-failure-rate", 0, 1)
def sees_token_failure_rate(place):
    return exhausts(place, lambda: place.status(POLL, Authorization="Bearer x.y.z"))


@changes("max-connections-per-subject", 0, 1)
def sees_max_connections_per_subject(place):
    fields = {"Authorization": "Bearer " + token()}
    place.hold(open_subscriber("stream", place.gateway, "a", headers=fields))
    return lambda: place.status("/poll?channels=a&wait=0", **fields) == 429


@changes("kernel-memory", 0, "64K")
def sees_kernel_memory(place):
    return overflow(place, "kernel_memory_ends")


def offers_deflate(place, channel):
    ws = place.hold(WebSocket(place.gateway.address))
    answer = ws.handshake("/ws?channels=" + channel, {"Sec-WebSocket-Extensions": "permessage-deflate"})
    return "permessage-deflate" in (answer.header("Sec-WebSocket-Extensions") or "")


@changes("deflate", False, True)
def sees_deflate(place):
    return lambda: offers_deflate(place, "a")


@changes("deflate-threshold", "16M", 10)
def sees_deflate_threshold(place):
    assert offers_deflate(place, "of.deflate")

    def probe():
        place.gateway.publish("of.deflate", "x" * 100)
        return place.gateway.stats()["limits"]["deflate_messages"] > 0
    return probe


def sees_nothing(place):
    return lambda: False


# Bound and not listened at: nobody else can take it.
TAKEN = socket.socket()
TAKEN.bind(("127.0.0.1", 0))
NEW_PORT = TAKEN.getsockname()[1]


def sees_listen(place):
    def probe():
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", NEW_PORT)) == 0
    return probe


fixed("listen", "127.0.0.1:0", ["127.0.0.1:%d" % NEW_PORT, "localhost:0"])(sees_listen)
fixed("tls-listen", "127.0.0.1:0", ["127.0.0.1:%d" % NEW_PORT])(sees_listen)
fixed("admin-listen", "127.0.0.1:0", ["127.0.0.1:%d" % NEW_PORT])(sees_listen)


@fixed("shards", 2, 3)
def sees_shards(place):
    return lambda: place.gateway.metric("sluice_shards") == 3


@fixed("base-path", "/one/", "/two/")
def sees_base_path(place):
    kept = place.hold(place.gateway.connect())

    def probe():
        """Both ways that lead to a poll: the kept connection's is another."""
        statuses = {kept.request("GET", "/one/poll?channels=a&wait=0").status for _ in range(3)}
        return (statuses != {200} or place.status("/one/healthz") != 200
                or place.status("/two/healthz") != 404)
    return probe


@fixed("demo", False, True)
def sees_demo(place):
    return lambda: place.status("/demo/api/origins") != 404


@fixed("check", False, True)
def sees_check(place):
    return lambda: place.status("/check/report") != 404


@fixed("allow-anonymous", False, True)
def sees_allow_anonymous(place):
    return lambda: place.status("/transports", Host="evil.example") != 403


@fixed("max-header", "16K", "4K")
def sees_max_header(place):
    return lambda: place.status("/transports", **{"X-Long": "x" * 8000}) != 200


fixed("obstacle", "none", "/bin/true")(sees_nothing)
fixed("backend", "memory", "slow")(sees_nothing)
fixed("check-reports", "/tmp", "/")(sees_nothing)
fixed("mailbox", 16384, 64)(sees_nothing)
fixed("demo-cluster", "/tmp/sluice-test-cluster", "/tmp/sluice-test-other")(sees_nothing)
fixed("nats", "nats://127.0.0.1:4222", "nats://127.0.0.1:4223,nats://127.0.0.1:4224")(sees_nothing)
for name in ("ca", "cert", "creds", "key", "nkey", "password", "token"):
    fixed("nats-" + name, "/tmp/sluice-test-nats", "/tmp/sluice-test-other")(sees_nothing)
fixed("nats-bus", "main", "other")(sees_nothing)
fixed("nats-connect-timeout", 30, 40)(sees_nothing)
fixed("nats-replicas", 0, 1)(sees_nothing)
fixed("nats-user", "ann", "bob")(sees_nothing)
fixed("pending-bytes", "64M", "65M")(sees_nothing)
fixed("pending-publishes", 20000, 30000)(sees_nothing)
fixed("publish-timeout", 20, 30)(sees_nothing)
fixed("revocations", "/tmp/sluice-test-revocations", "/tmp/sluice-test-others")(sees_nothing)
fixed("engine-io", False, True)(sees_nothing)


def sees_the_log(option):
    """What clients of other libraries get of it is seen by tests of these."""
    return lambda place: lambda: "reload.changed option=%s " % option in place.log()


for name, old, new in (
        ("client-publish", ["of.nobody"], ["of.everybody", "of.*"]),
        ("engineio-max-payload", "1M", "2K"), ("engineio-ping-interval", 25, 0.3),
        ("engineio-ping-timeout", 20, 0.2), ("engineio-upgrade-timeout", 10, 1),
        ("max-sessions", 1000, 10), ("max-sessions-per-client", 1000, 1),
        ("socketio-channel", "one", "two"), ("socketio-connect-timeout", 45, 1),
        ("socketio-recovery", False, True)):
    changes(name, old, new)(sees_the_log(name))


# ---- tests ----

def test_every_option_is_tried_here():
    told = subprocess.run([binary(), "--help"], capture_output=True, text=True, timeout=60).stdout
    options = {name.removeprefix("no-")
               for name in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", told, re.M)}
    options -= {"check-config", "usage", "help", "version", "config"}
    tried = set(CHANGES) | set(FIXED) | {"drain"}
    assert not options - tried, "no test: write one with @changes, or with @fixed if the option needs a restart"
    assert not tried - options, "no such options: remove their tests, or correct the names"


@pytest.mark.parametrize("option", sorted(CHANGES))
def test_reload_changes_it(place, option):
    old, new, prepare = CHANGES[option]
    here = place({option: old}, also=BESIDE.get(option, {}))
    if option == "web":
        new = str(here.path.parent / new)
    probe = prepare(here)
    assert not probe()
    said = here.reload({option: new})
    eventually(probe)
    assert option == "log-level" or "reload.changed option=%s " % option in said
    assert "reload.ignored" not in said


def as_text(value):
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("option", sorted(FIXED))
def test_reload_names_it_and_keeps_the_old_value(place, option):
    old, new, prepare = FIXED[option]
    here = place({option: old}, also=BESIDE.get(option, {}))
    base = old if option == "base-path" else "/"
    offer = here.gateway.get(base + "transports").body
    probe = prepare(here)
    assert not probe()
    line = 'warning reload.ignored option=%s value="%s" in_force="%s"' % (
        option, as_text(new), as_text(old))
    for _ in range(2):  # as long as the file says so
        said = here.reload({option: new, "heartbeat": 15})
        assert line in said and said.count("reload.ignored") == 1, said
        assert "reload.changed" not in said
        assert not probe()
        assert here.gateway.get(base + "transports").body == offer
    assert "reload.ignored" not in here.reload({option: old})


def test_reload_changes_the_time_to_drain(place):
    here = place({"drain": 10})
    here.reload({"drain": 0.75})
    here.gateway.signal(signal.SIGTERM)
    assert here.gateway.wait() == 0
    assert "drain.begin limit_ms=750" in here.log()


def test_what_the_command_line_decides_is_told(place):
    here = place({}, "--heartbeat", "20")
    said = here.reload({"heartbeat": 30})
    assert 'reload.overridden option=heartbeat in_force="20"' in said
    assert "reload.changed" not in said
    assert here.gateway.get("/transports").json()["heartbeat"] == 20


@pytest.mark.parametrize("text", ["{", '{"heartbeat": 99}', '{"nonsense": 1}', None],
                         ids=["syntax", "value", "name", "missing"])
def test_a_file_that_is_refused_changes_nothing(place, text):
    here = place({"heartbeat": 20, "history-messages": 10})
    offer = here.gateway.get("/transports").body
    if text is None:
        here.path.unlink()
    else:
        here.path.write_text(text)
    here.gateway.signal(signal.SIGHUP)
    eventually(lambda: "config.refused" in here.log())
    assert "reload" not in here.log()
    assert here.gateway.get("/transports").body == offer


def test_more_connections_are_served_after_a_reload_than_before(place):
    """libmicrohttpd has a limit of its own, set at the start."""
    here = place({"max-connections": 1, "max-connections-per-address": 0})
    here.reload({"max-connections": 1000, "max-connections-per-address": 0})
    for _ in range(300):
        here.hold(here.gateway.connect())
    eventually(lambda: here.gateway.stats()["limits"]["accepted"] > 300)
    for http in here.held:
        assert http.request("GET", "/healthz").status == 200
