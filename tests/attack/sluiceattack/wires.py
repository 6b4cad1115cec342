"""The bytes that clients send, made beforehand."""

import json
import struct
import zlib

MASK = b"\0\0\0\0"  # legal, and a masked payload stays as it is
TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(payload, opcode=TEXT, is_final=True, is_compressed=False):
    """A frame of RFC 6455 as clients send it."""
    first = (0x80 if is_final else 0) | (0x40 if is_compressed else 0) | opcode
    if len(payload) < 126:
        head = struct.pack(">BB", first, 0x80 | len(payload))
    elif len(payload) < 65536:
        head = struct.pack(">BBH", first, 0x80 | 126, len(payload))
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, len(payload))
    return head + MASK + payload


def compressed(payload):
    """A message of permessage-deflate (RFC 7692), as a frame."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = squeeze.compress(payload) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    return frame(data[:-4], is_compressed=True)


def frame_object(value, **how):
    return frame(json.dumps(value, separators=(",", ":")).encode(), **how)


def request(method, target, headers=(), body=None, host="localhost", token=None):
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: " + host]
    lines += ["%s: %s" % pair for pair in dict(headers).items()]
    if token:
        lines.append("Authorization: Bearer " + token)
    if body is not None:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines + ["", ""]).encode() + (body or b"")


def get(target, **how):
    return request("GET", target, **how)


def upgrade(channels, token=None, deflates=False, **more):
    """The request of a WebSocket; `more` are parameters of its query."""
    query = "".join("&%s=%s" % pair for pair in more.items())
    fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": KEY,
              "Sec-WebSocket-Version": "13"}
    if deflates:
        fields["Sec-WebSocket-Extensions"] = "permessage-deflate; client_no_context_takeover"
    return request("GET", "/ws?channels=%s%s" % (channels, query), fields, token=token)


def publish(channel, body, kind="application/json", key=None, token=None):
    headers = {"Content-Type": kind}
    if key:
        headers["Idempotency-Key"] = key
    return request("POST", "/publish?channel=" + channel, headers, body, token=token)


def publish_frame(channel, data, ref=None, key=None):
    value = {"type": "publish", "channel": channel, "data": data}
    if ref is not None:
        value["ref"] = ref
    if key:
        value["key"] = key
    return frame_object(value)


def repeat(piece, size=65536):
    """Whole pieces, as many as make `size` bytes."""
    return piece * max(size // len(piece), 1)
