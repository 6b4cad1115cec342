"""A WebSocket client (RFC 6455) that can also do everything a client must not."""

import base64
import hashlib
import json
import os
import struct
import time
import zlib

from .http import Http
from .wire import TIMEOUT, Closed

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
RSV1 = 4  # in `rsv`: the message is compressed
FLUSH_END = b"\0\0\xff\xff"  # of DEFLATE data; left out of a message (RFC 7692, section 7.2.1)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class CloseFrame(Exception):
    """The gateway sent a close frame: its code (None if empty) and reason."""

    def __init__(self, payload):
        self.code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None
        self.reason = payload[2:].decode("utf-8")
        super().__init__("close %s %r" % (self.code, self.reason))


def frame_bytes(opcode, payload=b"", fin=True, rsv=0, mask=True, form=None):
    """One frame. `mask` is True (random key), False (none) or four bytes; `form` forces
    the length's encoding: 7, 16 or 64 bits, or an int claims that length instead."""
    if isinstance(payload, str):
        payload = payload.encode("utf-8")
    length = len(payload)
    if form not in (None, 7, 16, 64):
        length, form = form, None
    if form is None:
        form = 7 if length < 126 else 16 if length < 65536 else 64
    key = os.urandom(4) if mask is True else mask
    flag = 0x80 if key else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if form == 7:
        head += bytes([flag | length])
    elif form == 16:
        head += bytes([flag | 126]) + struct.pack("!H", length)
    else:
        head += bytes([flag | 127]) + struct.pack("!Q", length)
    if not key:
        return head + payload
    count = len(payload)
    pad = (key * (count // 4 + 1))[:count]
    mixed = (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(count, "big")
    return head + key + mixed


def compress(payload, window_bits=15, level=6):
    """A compressed message's payload."""
    if isinstance(payload, str):
        payload = payload.encode("utf-8")
    deflate = zlib.compressobj(level, wbits=-max(window_bits, 9))
    made = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
    assert made.endswith(FLUSH_END)
    return made[:-len(FLUSH_END)]


def inflate(payload, window_bits=15):
    """What a compressed message of the gateway stands for: whole, and with nothing behind it. One byte
    of room at a time, so that zlib can look back to its window alone."""
    inflate = zlib.decompressobj(-window_bits)
    whole, rest = [], payload + FLUSH_END
    while rest or (whole and whole[-1]):
        whole.append(inflate.decompress(rest, 1 if window_bits < 15 else 0))
        rest = inflate.unconsumed_tail
    assert not inflate.unused_data and not inflate.eof
    return b"".join(whole)


class Frame:
    def __init__(self, fin, rsv, opcode, payload):
        self.fin, self.rsv, self.opcode, self.payload = fin, rsv, opcode, payload

    def __repr__(self):
        return "<frame op=%#x fin=%d %r>" % (self.opcode, self.fin, self.payload[:200])


class WebSocket(Http):
    """Answers pings unless `auto_pong` is cleared; notes those it saw in `pings`."""

    def __init__(self, address, host=None, rcvbuf=None, how=None):
        super().__init__(address, host, rcvbuf, how=how)
        self.auto_pong = True
        self.pings = []
        self.pongs = []
        self.extension = None  # what the gateway has agreed to
        self.window_bits = 15
        self.compressed_frames = 0

    @staticmethod
    def upgrade_headers(key="dGhlIHNhbXBsZSBub25jZQ=="):
        return {
            "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13",
        }

    def handshake(self, target, headers=()):
        """Sends the upgrade request, returns the response; checks the 101's own fields."""
        key = base64.b64encode(os.urandom(16)).decode()
        fields = self.upgrade_headers(key)
        fields.update(dict(headers))
        self.send_request("GET", target, fields)
        response = self.read_head()
        if response.status != 101:
            return self.read_body()
        assert response.header("Upgrade", "").lower() == "websocket", response
        assert "upgrade" in response.tokens("Connection"), response
        want = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        assert response.header("Sec-WebSocket-Accept") == want, response
        extension = response.header("Sec-WebSocket-Extensions")
        if extension is not None:
            assert "Sec-WebSocket-Extensions" in fields, response
            self.agree(extension)
        assert response.header("Sluice"), response
        return response

    def agree(self, extension):
        """Compressed messages may come from now on."""
        self.extension = extension
        name, *parameters = [part.strip() for part in extension.split(";")]
        assert name == "permessage-deflate", extension
        for parameter in parameters:
            if parameter.startswith("server_max_window_bits="):
                self.window_bits = int(parameter.partition("=")[2])

    def send_compressed(self, payload, opcode=TEXT, fragments=1, **how):
        made = compress(payload, **how)
        for number in range(fragments):
            part = made[len(made) * number // fragments:len(made) * (number + 1) // fragments]
            self.send_frame(CONT if number else opcode, part, fin=number == fragments - 1,
                            rsv=0 if number else RSV1)

    def send_frame(self, opcode, payload=b"", **how):
        self.send(frame_bytes(opcode, payload, **how))

    def send_text(self, text, **how):
        self.send_frame(TEXT, text, **how)

    def send_object(self, obj):
        self.send_frame(TEXT, json.dumps(obj))

    def read_frame(self, timeout=TIMEOUT):
        """The next frame as it is; checks that the gateway masks none and sets no
        reserved bit but that of compressed messages, where they are agreed on."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self._take_frame()
            if frame:
                return frame
            self._fill_before(deadline, "frame")

    def _take_frame(self):
        buf = self.buffer
        if len(buf) < 2:
            return None
        assert not buf[1] & 0x80, "the gateway masked a frame"
        may_be_compressed = self.extension and buf[0] & 15 in (TEXT, BINARY)
        assert not buf[0] & (0x30 if may_be_compressed else 0x70), "reserved bits are set"
        length, at = buf[1] & 0x7F, 2
        if length == 126:
            if len(buf) < 4:
                return None
            length, at = struct.unpack("!H", bytes(buf[2:4]))[0], 4
            assert length >= 126, "length not minimal"
        elif length == 127:
            if len(buf) < 10:
                return None
            length, at = struct.unpack("!Q", bytes(buf[2:10]))[0], 10
            assert length >= 65536, "length not minimal"
        if len(buf) < at + length:
            return None
        frame = Frame(bool(buf[0] & 0x80), buf[0] >> 4 & 7, buf[0] & 15,
                      bytes(buf[at:at + length]))
        del buf[:at + length]
        return frame

    def next_data(self, timeout=TIMEOUT):
        """The next text or binary frame, inflated; control frames are handled on the way. Raises
        CloseFrame."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self.read_frame(max(deadline - time.monotonic(), 0.001))
            if frame.opcode == PING:
                self.pings.append(frame.payload)
                if self.auto_pong:
                    self.send_frame(PONG, frame.payload)
            elif frame.opcode == PONG:
                self.pongs.append(frame.payload)
            elif frame.opcode == CLOSE:
                raise CloseFrame(frame.payload)
            else:
                assert frame.fin and frame.opcode in (TEXT, BINARY), frame
                if frame.rsv:
                    self.compressed_frames += 1
                    frame.payload = inflate(frame.payload, self.window_bits)
                return frame

    def next_object(self, timeout=TIMEOUT):
        frame = self.next_data(timeout)
        assert frame.opcode == TEXT, frame
        return json.loads(frame.payload)

    def await_pong(self, timeout=TIMEOUT):
        """Reads until a pong; returns its payload. Data frames before it are an error."""
        frame = self.read_frame(timeout)
        while frame.opcode == PING:
            frame = self.read_frame(timeout)
        assert frame.opcode == PONG, frame
        return frame.payload

    def await_close(self, timeout=TIMEOUT):
        """Reads until the gateway's close frame, ignoring what comes before it; returns
        the CloseFrame."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.next_data(max(deadline - time.monotonic(), 0.001))
            except CloseFrame as close:
                return close

    def close_handshake(self, code=1000):
        """Closes as a client should and waits for the gateway to close the socket."""
        self.send_frame(CLOSE, struct.pack("!H", code))
        answer = self.await_close()
        try:
            self.read_to_end()
        except Closed:
            pass
        self.close()
        return answer
