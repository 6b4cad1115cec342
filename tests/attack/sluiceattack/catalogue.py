"""The attacks: what each sends, and what of the gateway has to show that it was held off."""

import json

from . import families, sealed, tricks, wires
from .offenders import Part
from .victims import channel_of

KIB = 1024


class Attack:
    """`build(target)` returns the parts; `options` are the gateway's; `own`: it concerns the channel of
    the first group, whose clients then run in a process of their own and are reported apart;
    `places`: clear, TLS or both; `evidence`: counters of which one has to move; `prepare(gateway,
    target)` runs before it; `needs_token`: the gateway asks for tokens; `namespace`: it needs
    network addresses that only a network namespace has; `bound`: MiB of memory that the gateway
    may take at most, on top of what it had; `may_wait`: nobody is refused, whoever sends more waits;
    `short_options`: the gateway's in a short run, in place of the same ones before."""

    def __init__(self, name, text, build, options=(), own=False, places=("clear", "tls"),
                 evidence=("limited",), prepare=None, needs_token=False, namespace=False, bound=400,
                 may_wait=False, short_options=()):
        self.name, self.text, self.build, self.options, self.own = name, text, build, options, own
        self.places, self.evidence, self.prepare = places, evidence, prepare
        self.needs_token, self.namespace, self.bound = needs_token, namespace, bound
        self.may_wait = may_wait
        self.short_options = list(short_options)


class Target:
    """Whom an attack is for."""

    def __init__(self, address, secure, tokens=None):
        self.address, self.secure = address, secure
        self.token = tokens["attack"] if tokens else None
        self.stranger = tokens["stranger"] if tokens else None
        self.bad_tokens = tokens["bad"] if tokens else None
        self.own = channel_of(0)

    def socket(self, channels="attack.socket"):
        return wires.upgrade(channels, self.token)


def flood(hello, *buffers, **how):
    return Part(hello=hello, flood=[wires.repeat(buffer) for buffer in buffers], **how)


def requests(*pieces, **how):
    """Pipelined requests."""
    return Part(flood=[wires.repeat(b"".join(pieces))], waits=False, **how)


# ---- publishing ----

def publish_ws(target):
    return [flood(target.socket(), wires.publish_frame("attack.publish", "x" * 16))]


def publish_ws_addresses(target):
    return [flood(target.socket(), wires.publish_frame("attack.publish", "x" * 16), connections=16,
                  addresses=16)]


def publish_own(target):
    return [flood(target.socket(), wires.publish_frame(target.own, "x" * 16), connections=1)]


def publish_own_addresses(target):
    return [flood(target.socket(), wires.publish_frame(target.own, "x" * 16), connections=8,
                  addresses=8)]


def publish_own_post(target):
    return [Part(connections=8, waits=False, flood=[
        wires.publish(target.own, b"x" * 64 * KIB, "text/plain", token=target.token)])]


def publish_forbidden(target):
    """What `publish_own` comes to where the gateway asks for tokens."""
    return [flood(wires.upgrade("stranger.socket", target.stranger),
                  wires.publish_frame(target.own, "x" * 16)),
            requests(wires.publish(target.own, b"1", token=target.stranger), connections=4)]


def publish_post(target):
    return [requests(wires.publish("attack.publish", b"1", token=target.token))]


def publish_batches(target):
    lines = b'{"channel":"attack.batch","data":1}\n' * 100
    return [requests(wires.request("POST", "/publish", {"Content-Type": "application/x-ndjson"},
                                   lines, token=target.token))]


def publish_keyed(target):
    def own(number):
        frames = [wires.publish_frame("attack.keyed", 1, key="attack-%d-%d" % (number, at))
                  for at in range(110000)]
        return target.socket(), [b"".join(frames[at:at + 500]) for at in range(0, 110000, 500)]
    return [Part(connections=1, own=own)]


def publish_unread(target):
    """Whoever never reads the acks."""
    return [flood(target.socket(), wires.publish_frame("attack.publish", "x" * 16), reads="none",
                  waits=False)]


def fanout(target):
    return [Part(connections=500, hello=wires.get("/stream?channels=attack.fanout",
                                                  token=target.token)),
            flood(target.socket(), wires.publish_frame("attack.fanout", "x" * 200), connections=2,
                  starts=0.3)]


def history_flood(target):
    """60 KB each to a channel of its own."""
    text = "x" * 60 * 1000

    def own(number):
        return target.socket(), [wires.publish_frame("attack.new.%d.%d" % (number, at), text)
                                 for at in range(625)]
    return [Part(connections=8, own=own)]


# ---- subscribing ----

def subscribe(target):
    names = ["attack.join.%d" % at for at in range(63)]
    return [flood(target.socket(), b"".join(wires.frame_object({"type": kind, "channels": names})
                                            for kind in ("subscribe", "unsubscribe")))]


def subscribe_own(target):
    return [flood(target.socket(), b"".join(
        wires.frame_object({"type": kind, "channels": [target.own]})
        for kind in ("subscribe", "unsubscribe")))]


def streams_own(target):
    return [Part(connections=3000, addresses=3, processes=2, ramp=1, hello=wires.get(
        "/stream?channels=" + target.own, token=target.token))]


def streams(target):
    """More than there is room for, from few addresses."""
    return [Part(connections=4000, addresses=40, processes=2, ramp=1, reopen=0.2, hello=wires.get(
        "/sse?channels=attack.streams", token=target.token))]


def streams_many(target):
    """As many as the open files allow, from few addresses."""
    count = 3000 if target.secure else 15000
    return [Part(connections=count, addresses=29, processes=2, ramp=1, reopen=0.5, hello=wires.get(
        "/sse?channels=attack.streams", token=target.token))]


def connects(target):
    """Opened, asked once, and reset."""
    return [Part(connections=32, processes=2, hold=0, reopen=0, hello=wires.get("/poll?channels=a&wait=0",
                                                                  token=target.token))]


def reconnects(target):
    return [Part(connections=32, reopen=0, times=1, flood=[wires.frame(b"", wires.BINARY)],
                 hello=target.socket())]


def channel_names(target):
    def own(number):
        pieces = [wires.get("/poll?wait=0&channels=" + ",".join(
            "n.%d.%d" % (number, at + one) for one in range(64)), token=target.token)
            for at in range(0, 12500, 64)]
        return b"", [b"".join(pieces)]
    return [Part(connections=8, own=own, waits=False)]


def channel_publishes(target):
    def own(number):
        pieces = [wires.publish_frame("p.%d.%d" % (number, at), 1) for at in range(12500)]
        return target.socket(), [b"".join(pieces)]
    return [Part(connections=8, own=own)]


# ---- reading ----

def history_prepare(gateway, target):
    tricks.fill_history(gateway, ["attack.past.%d" % at for at in range(4)], 14, 60000, target.token)


def history_poll(target):
    return [requests(wires.get("/poll?since=0&wait=0&channels=attack.past.%d" % at,
                               token=target.token), connections=4) for at in range(4)]


def history_streams(target):
    names = ",".join("attack.past.%d" % at for at in range(4))
    return [Part(connections=16, hold=0.1, reopen=0, hello=wires.get(
        "/stream?since=0&channels=" + names, token=target.token))]


def never_read(target):
    return [Part(connections=5000, addresses=6, processes=2, reads="none", ramp=0.5, reopen=None,
                 hello=wires.get("/stream?channels=attack.big", token=target.token)),
            Part(connections=1, hello=target.socket(), starts=0.8, flood=[
                wires.publish_frame("attack.big", "x" * 60000)], rate=200)]


def one_byte_readers(target):
    names = ",".join("attack.past.%d" % at for at in range(4))
    return [Part(connections=300, reads="one", rcvbuf=2048, ramp=0.3, hello=wires.get(
        "/stream?since=0&channels=" + names, token=target.token))]


def unread_polls(target):
    return [Part(connections=300, reads="none", rcvbuf=2048, waits=False, flood=[wires.repeat(
        wires.get("/poll?since=0&wait=0&channels=attack.past.0", token=target.token), 4096)])]


# ---- frames ----

def fragments(target):
    pieces = [wires.frame(b"x", wires.TEXT, False)] + [
        wires.frame(b"x", wires.CONTINUATION, False)] * 1022 + [
        wires.frame(b"x", wires.CONTINUATION, True)]
    return [flood(target.socket(), b"".join(pieces))]


def pings(target):
    return [flood(target.socket(), wires.frame(b"12345678", wires.PING))]


def json_pings(target):
    return [flood(target.socket(), wires.frame_object({"type": "ping", "data": 1}))]


def bad_objects(target):
    return [flood(target.socket(), wires.frame(b'{"type":'))]


def deep_objects(target):
    deep = b'{"type":"publish","channel":"attack.deep","data":%s1%s}' % (b"[" * 240, b"]" * 240)
    return [flood(target.socket(), wires.frame(deep))]


def inflate(target):
    """80 bytes that inflate to 60 KB."""
    publish = b'{"type":"publish","channel":"attack.inflate","data":"%s"}' % (b"x" * 60000)
    return [flood(wires.upgrade("attack.socket", target.token, deflates=True),
                  wires.compressed(publish))]


def inflate_bomb(target):
    """10 KB that would inflate to 10 MB; the connection ends with it."""
    return [Part(connections=32, reopen=0, times=1, flood=[wires.compressed(b" " * 10000000)],
                 hello=wires.upgrade("attack.socket", target.token, deflates=True))]


def half_frames(target):
    return [Part(connections=900, ramp=0.5, hello=target.socket() + wires.publish_frame(
        "attack.half", "x" * 64000)[:-10], reopen=None)]


def slow_frames(target):
    return [Part(connections=500, ramp=0.3, hello=target.socket(), drip=(
        wires.publish_frame("attack.slow", "x" * 1000), 1, 0.02))]


# ---- requests ----

def polls(target):
    return [requests(wires.get("/poll?channels=attack.polls&wait=0", token=target.token))]


def files(target):
    return [requests(wires.get("/"), wires.get("/client/index.js"))]


def plain_gets(target):
    def own(number):
        return b"", [b"".join(wires.get("/ws?channels=a&probe=attack%04d%06d" % (number, at),
                                        token=target.token) for at in range(500))]
    return [Part(connections=8, own=own, waits=False)]


def slow_heads(target):
    head = wires.request("GET", "/poll?channels=a&wait=0", {"X-Filler": "x" * 2000})
    return [Part(connections=900, ramp=0.3, drip=(head, 1, 0.02))]


def slow_bodies(target):
    post = wires.publish("attack.slow", b"1" * 60000, token=target.token)
    return [Part(connections=900, ramp=0.3, hello=post[:200], drip=(post[200:], 1, 0.02))]


def half_bodies(target):
    """A batch each, but for its last byte."""
    line = b'{"channel":"attack.half","data":"%s"}\n' % (b"x" * 10000)
    post = wires.request("POST", "/publish", {"Content-Type": "application/x-ndjson"}, line * 99,
                         token=target.token)
    return [Part(connections=900, processes=2, ramp=0.5, hello=post[:-1], reopen=None)]


def odd_heads(target):
    odd = [b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n\r\n\r\n\r\nX\r\n\r\n",
           b"POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
           b"Content-Length: 2\r\n\r\n11", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
           b"GET / HTTP/1.1\nHost: localhost\n\n", bytes(range(256))]
    return [Part(connections=8, reopen=0, hello=one) for one in odd]


def huge_heads(target):
    head = wires.request("GET", "/poll?channels=a", {"X-%d" % at: "x" * 4000 for at in range(32)})
    return [Part(connections=32, reopen=0, hello=head)]


def full_heads(target):
    """As long as a head may be, in many lines, answered from the relay."""
    head = wires.request("GET", "/transports", {"X-%d" % at: "x" for at in range(1500)})
    return [requests(head[:-2] + b"\r\n")]


def operations(path):
    def build(target):
        return [requests(wires.get(path, token=target.token))]
    return build


def admin(target):
    body = json.dumps({"subject": "nobody"}).encode()
    return [requests(wires.request("POST", "/admin/disconnect", {"Content-Type": "application/json"},
                                   body))]


def check_channels(target):
    return [requests(wires.request("POST", "/check/channel", body=b""))]


def tokens_wrong(target):
    pieces = [wires.get("/poll?channels=a&wait=0", token=token) for token in target.bad_tokens]
    return [Part(connections=8, waits=False, flood=[b"".join(pieces)])]


def tokens_missing(target):
    return [requests(wires.get("/poll?channels=a&wait=0"))]


def tickets(target):
    return [requests(wires.request("POST", "/ticket", body=b"", token=target.token))]


# ---- TLS ----

def handshakes(target):
    """ClientHellos, each of which costs the gateway a signature, and nothing behind them."""
    return [Part(connections=32, secure=False, hello=sealed.client_hello("127.0.0.1"), hold=0.05,
                 reopen=0)]


def slow_handshakes(target):
    return [Part(connections=900, ramp=0.3, secure=False, reopen=0.1, drip=(
        sealed.client_hello("127.0.0.1"), 1, 0.05))]


def tls_bytes(target):
    plain = target.socket() + wires.repeat(wires.frame_object({"type": "ping"}), 60000)
    return [Part(connections=8, seal=sealed.one_byte_records(plain), times=1, ends=True, ramp=0.5)]


def tls_key_updates(target):
    return [Part(connections=8, seal=sealed.key_updates(100, 60), times=1, ends=True, ramp=0.5)]


def tls_key_updates_in_a_row(target):
    return [Part(connections=8, seal=sealed.key_updates(1, 2000), times=1, ends=True, ramp=0.5)]


# ---- addresses ----

def ipv6_network(target):
    return [Part(connections=1500, ramp=0.5, reopen=None, hello=wires.get(
        "/sse?channels=attack.streams", token=target.token),
        sources=lambda number: "fd00:1::%x" % (number + 16))]


LIMITED = ("limited", "limit_closes", "refused")
SESSIONS = ("limited", "sessions_evicted", "sessions_expired")
MANY_CHANNELS = ("limited", "limit_closes", "channels_evicted")

ATTACKS = [
    Attack("publish_ws", "publishes over 8 WebSockets at full speed", publish_ws),
    Attack("publish_ws_addresses", "publishes over 16 WebSockets from 16 addresses", publish_ws_addresses),
    Attack("publish_own", "publishes to the group's own channel over one WebSocket", publish_own,
           own=True),
    Attack("publish_own_addresses", "the same from 8 addresses", publish_own_addresses, own=True),
    Attack("publish_own_post", "publishes 64 KiB messages to the group's own channel by POST",
           publish_own_post, own=True),
    Attack("publish_forbidden", "publishes to the group's own channel, which its token does not allow",
           publish_forbidden, own=True, needs_token=True, evidence=("limited", "forbidden")),
    Attack("publish_post", "pipelines publishes by POST, 8 connections", publish_post),
    Attack("publish_batches", "pipelines batches of 100 lines", publish_batches),
    Attack("publish_keyed", "publishes 110,000 frames with keys on one WebSocket", publish_keyed,
           evidence=("limited", "limit_closes", "idempotency_keys_evicted")),
    Attack("publish_unread", "publishes over 8 WebSockets and never reads the acks", publish_unread,
           evidence=("limited", "limit_closes", "steps_deferred", "slow_consumers")),
    Attack("fanout", "publishes to 500 streams of its own", fanout),
    Attack("history_flood", "publishes 5,000 messages of 60 KB to new channels", history_flood,
           options=("--history-total", "32M"),
           evidence=("limited", "limit_closes", "evicted")),
    Attack("subscribe", "subscribes to and unsubscribes from 63 channels, 8 WebSockets", subscribe),
    Attack("subscribe_own", "the same, with the group's own channel", subscribe_own, own=True),
    Attack("streams_own", "opens 3,000 streams on the group's own channel", streams_own, own=True),
    Attack("streams", "opens 4,000 streams from 40 addresses, with room for 2,000", streams,
           options=("--max-connections", "2000"), evidence=("refused", "limited"),
           short_options=("--max-connections", "300")),
    Attack("streams_many", "opens 15,000 (TLS: 3,000) streams from 29 addresses", streams_many,
           evidence=("steps_deferred", "limited", "refused", "accepted"), may_wait=True, bound=600),
    Attack("connects", "connects, sends one request and resets, 32 at a time", connects,
           evidence=("limited", "refused", "accepted"), may_wait=True),
    Attack("reconnects", "opens WebSockets that break the protocol at once, 32 at a time", reconnects,
           evidence=("limited", "refused", "protocol_errors"), may_wait=True),
    Attack("channel_names", "polls 100,000 channel names", channel_names,
           options=("--max-channels-total", "20000"), evidence=MANY_CHANNELS + ("forgotten",)),
    Attack("channel_publishes", "publishes to 100,000 channel names", channel_publishes,
           options=("--max-channels-total", "20000"), evidence=MANY_CHANNELS),
    Attack("history_poll", "pipelines polls with since=0 on 16 connections", history_poll,
           prepare=history_prepare),
    Attack("history_streams", "opens streams with since=0 repeatedly, 16 at a time", history_streams,
           prepare=history_prepare),
    Attack("never_read", "opens 5,000 streams and never reads", never_read, bound=700,
           evidence=("slow_consumers", "kernel_memory_ends", "limited")),
    Attack("one_byte_readers", "opens 300 streams and reads a byte every 50 ms", one_byte_readers,
           prepare=history_prepare, evidence=("slow_consumers", "history_waits", "behind_reads"),
           may_wait=True),
    Attack("unread_polls", "polls history on 300 connections and never reads", unread_polls,
           prepare=history_prepare,
           evidence=("limited", "slow_consumers", "kernel_memory_ends", "steps_deferred")),
    Attack("fragments", "sends messages of 1,024 one-byte frames, 8 WebSockets", fragments),
    Attack("pings", "sends ping frames over 8 WebSockets", pings),
    Attack("json_pings", "sends ping objects over 8 WebSockets", json_pings),
    Attack("bad_objects", "sends objects that are not JSON over 8 WebSockets", bad_objects),
    Attack("deep_objects", "publishes JSON of 240 levels over 8 WebSockets", deep_objects),
    Attack("inflate", "publishes 80 bytes that inflate to 60 KB, 8 WebSockets", inflate,
           options=("--deflate",)),
    Attack("inflate_bomb", "sends 10 KB that would inflate to 10 MB, 32 at a time",
           inflate_bomb, options=("--deflate",), evidence=("inflate_refused", "limited")),
    Attack("half_frames", "opens 900 WebSockets and sends a frame without its end", half_frames,
           evidence=("accepted",), may_wait=True),
    Attack("slow_frames", "sends a byte of a frame every 20 ms, 500 WebSockets", slow_frames,
           evidence=("accepted",), may_wait=True),
    Attack("polls", "pipelines polls on 8 connections", polls),
    Attack("files", "pipelines GETs of the page on 8 connections", files),
    Attack("plain_gets", "sends plain GETs of /ws with probes", plain_gets,
           evidence=("limited", "probe_notes_evicted")),
    Attack("slow_heads", "sends a byte of a head every 20 ms, 900 connections",
           slow_heads, evidence=("accepted",),
           may_wait=True),
    Attack("slow_bodies", "sends a byte of a body every 20 ms, 900 connections",
           slow_bodies, evidence=("accepted",),
           may_wait=True),
    Attack("half_bodies", "sends 900 batches of 1 MB without their last byte", half_bodies,
           evidence=("accepted",), may_wait=True, bound=1200),
    Attack("odd_heads", "sends malformed heads repeatedly, 64 connections", odd_heads,
           evidence=("limited", "requests 4xx")),
    Attack("huge_heads", "sends heads of 128 KB repeatedly, 32 connections", huge_heads,
           evidence=("limited", "requests 4xx")),
    Attack("full_heads", "pipelines heads of 1,500 lines", full_heads),
    Attack("stats", "pipelines GET /stats", operations("/stats")),
    Attack("metrics", "pipelines GET /metrics", operations("/metrics")),
    Attack("admin", "pipelines POST /admin/disconnect without a token", admin, needs_token=True),
    Attack("check_channels", "pipelines POST /check/channel", check_channels),
    Attack("tokens_wrong", "sends wrong tokens at full speed, 8 connections", tokens_wrong,
           needs_token=True),
    Attack("tokens_missing", "sends requests without a token", tokens_missing, needs_token=True),
    Attack("tickets", "pipelines POST /ticket", tickets, needs_token=True),
    Attack("handshakes", "sends ClientHellos without end, 32 connections", handshakes, places=("tls",),
           evidence=("tls_handshakes", "limited"), may_wait=True),
    Attack("slow_handshakes", "sends a byte of a ClientHello every 50 ms, 900 connections", slow_handshakes,
           places=("tls",), evidence=("accepted",), may_wait=True),
    Attack("tls_bytes", "sends TLS records of one byte", tls_bytes, places=("tls",),
           evidence=("limited", "steps_deferred"), may_wait=True),
    Attack("tls_key_updates", "sends 60 KeyUpdates for each ping", tls_key_updates, places=("tls",),
           evidence=("limited", "steps_deferred", "tls_key_updates_refused"), may_wait=True),
    Attack("tls_key_updates_in_a_row", "sends 2,000 KeyUpdates in a row", tls_key_updates_in_a_row,
           places=("tls",), evidence=("tls_key_updates_refused",), may_wait=True),
    Attack("eio_sessions", "pipelines handshakes of Engine.IO, 8 connections", families.sessions,
           evidence=SESSIONS),
    Attack("eio_sessions_addresses", "the same from 40 addresses", families.sessions_addresses,
           evidence=SESSIONS),
    Attack("eio_sessions_unknown", "polls sessions that do not exist", families.sessions_unknown,
           evidence=("limited", "unknown")),
    Attack("eio_held", "opens 300 sessions whose polls never read their messages", families.held, bound=700,
           evidence=("accepted", "slow_consumers", "kernel_memory_ends", "limited"), may_wait=True),
    Attack("eio_half_posts", "sends 300 payloads of 1 MB without their last byte", families.half_posts,
           evidence=("accepted",), may_wait=True, bound=700),
    Attack("eio_payloads", "sends payloads of 500,000 packets, 8 connections", families.payloads,
           evidence=("limited", "steps_deferred", "errors"), may_wait=True),
    Attack("eio_giant_payloads", "sends payloads of 4 MB, 16 connections", families.giant_payloads,
           evidence=("requests 4xx", "limited", "status=")),
    Attack("eio_echoes", "gets echoes of 60 KB and never reads them, 100 WebSockets",
           families.echoes, bound=700,
           evidence=("slow_consumers", "limited", "kernel_memory_ends", "steps_deferred"), may_wait=True),
    Attack("eio_pongs", "sends pongs over 8 WebSockets", families.pongs),
    Attack("sio_namespaces", "enters and leaves namespaces, 8 WebSockets", families.namespaces),
    Attack("sio_many_namespaces", "enters 200 namespaces on each of 8 WebSockets", families.many_namespaces,
           evidence=("limited", "sio_connect_errors", "errors")),
    Attack("sio_acks", "requests acks and never reads them, 8 WebSockets", families.acks,
           evidence=("limited", "slow_consumers", "steps_deferred")),
    Attack("sio_events", "sends events to a channel over 8 WebSockets", families.events,
           options=("--client-publish", "attack.*")),
    Attack("sio_attachments", "sends nine of ten attachments, 300 WebSockets", families.attachments,
           evidence=("accepted",), may_wait=True, bound=700),
    Attack("sio_many_attachments", "sends too many attachments, or attachments of no event; 96 WebSockets",
           families.many_attachments, evidence=("errors", "limited", "refused")),
    Attack("sio_bad_packets", "sends malformed packets repeatedly, 160 WebSockets", families.bad_packets,
           evidence=("errors", "limited", "refused")),
    Attack("sio_recoveries", "sends made-up pids of 8 KB over 8 WebSockets", families.recoveries,
           evidence=("limited", "not_recovered")),
    Attack("ipv6_network", "opens 1,500 connections from one IPv6 /64", ipv6_network, namespace=True,
           evidence=("refused", "limited")),
]


def find(name):
    for attack in ATTACKS:
        if attack.name == name:
            return attack
    raise LookupError("no attack %s; there are: %s" % (name, ", ".join(
        attack.name for attack in ATTACKS)))
