"""A client whose TLS records are the test's own decision: any length, none at all, any type.

OpenSSL shakes hands and tells the secrets (NSS key log format); from then on records are sealed and
opened here (RFC 8446, 5.2 and 7; RFC 5246, 6.3, RFC 5288), with AES-128-GCM alone."""

import ctypes
import hashlib
import hmac
import os
import struct

from . import tls

ALERT, HANDSHAKE, DATA = 21, 22, 23
CLOSE_NOTIFY, NO_RENEGOTIATION, USER_CANCELED = 0, 100, 90
NEW_SESSION_TICKET, KEY_UPDATE = 4, 24
MAX_PLAINTEXT = 16384
TAG_BYTES = 16
_CIPHERS = {"1.2": "ECDHE-ECDSA-AES128-GCM-SHA256", "1.3": None}
_SET_TAG, _GET_TAG = 0x11, 0x10

_crypto = ctypes.CDLL("libcrypto.so.3")
for _name in "EVP_CIPHER_CTX_new", "EVP_aes_128_gcm":
    getattr(_crypto, _name).restype = ctypes.c_void_p


class AlertReceived(Exception):
    """The gateway sent a fatal alert; `code` is its description."""

    def __init__(self, code):
        super().__init__("alert %d" % code)
        self.code = code


class RecordProfile(tls.Profile):
    """A profile whose connections have an OwnRecords as `wire.tls`; what they send goes out in
    records of `record_bytes` at most."""

    def __init__(self, version="1.3", record_bytes=MAX_PLAINTEXT):
        super().__init__(version, _CIPHERS[version])
        self.layer = OwnRecords
        self.record_bytes = record_bytes
        self.key_log = os.path.join(tls.authority().folder, "keys-%s" % version)
        self.context.keylog_filename = self.key_log

    def secrets(self, client_random):
        """Label -> secret of one connection."""
        with open(self.key_log) as file:
            lines = [line.split() for line in file if not line.startswith("#")]
        return {line[0]: bytes.fromhex(line[2]) for line in lines
                if len(line) == 3 and bytes.fromhex(line[1]) == client_random}


class OwnRecords(tls.Tls):
    """`opened` holds (type, length) of each record that came since the handshake; `alerts` what
    the gateway said in alerts; `key_updates` counts its KeyUpdates."""

    def __init__(self, sock, address, how, session=None, name=None):
        super().__init__(sock, address, how, session, name)
        self.hellos = {"sent": b"", "received": b""}
        self.pending = None  # ciphertext, once the handshake is done
        self.opened, self.alerts = [], []
        self.tickets = self.key_updates = 0
        self.answers_key_updates = True
        self.record_bytes = how.record_bytes

    def flush(self):
        if not self.hellos["sent"]:
            data = self.outgoing.read()
            self.hellos["sent"] = data
            self.outgoing.write(data)
        super().flush()

    def take(self):
        if self.pending is not None:
            got = self.sock.recv(262144)
            if not got:
                raise EOFError
            self.received += len(got)
            self.pending += got
            return got
        got = super().take()
        self.hellos["received"] += got
        return got

    def handshake(self, behind=b""):
        self._shake_hands()
        self._derive()
        records = self.outgoing.read() + (self.seal(behind) if behind else b"")
        self.sock.sendall(records)
        self.sent += len(records)
        self.pending = bytearray()
        self._check_agreed()
        assert "AES" in self.object.cipher()[0] and "128" in self.object.cipher()[0]
        while self.how.version == "1.3" and not self.tickets:
            self.take()
            assert not self.read_buffered(), "the gateway speaks before it was asked"

    def _derive(self):
        # Each hello's random is behind the headers of record and message and two bytes of version.
        client, server = (self.hellos[of][11:43] for of in ("sent", "received"))
        secrets = self.how.secrets(client)
        if self.how.version == "1.3":
            self.outward = Direction13(secrets["CLIENT_TRAFFIC_SECRET_0"])
            self.inward = Direction13(secrets["SERVER_TRAFFIC_SECRET_0"])
            return
        block = expand_12(secrets["CLIENT_RANDOM"], b"key expansion" + server + client, 40)
        self.outward = Direction12(block[:16], block[32:36])
        self.inward = Direction12(block[16:32], block[36:40])

    # Sending.

    def seal(self, data):
        step = self.record_bytes
        return b"".join(self.outward.seal(DATA, data[at:at + step])
                        for at in range(0, len(data), step))

    def send_raw(self, data):
        """Bytes as they are."""
        self.sock.sendall(data)
        self.sent += len(data)

    def send_records(self, *payloads, kind=DATA, padding=0):
        """A record for each payload, all in one segment where that has room."""
        self.send_raw(b"".join(self.outward.seal(kind, one, padding) for one in payloads))

    def key_update(self, asks=False):
        """The record of a KeyUpdate (RFC 8446, 4.6.3), after which the new key counts."""
        record = self.outward.seal(HANDSHAKE, bytes([KEY_UPDATE, 0, 0, 1, int(asks)]))
        self.outward.update()
        return record

    def alert(self, code, level=1):
        return self.outward.seal(ALERT, bytes([level, code]))

    def notify_close(self):
        self.send_raw(self.alert(CLOSE_NOTIFY))

    # Reading.

    def read_buffered(self):
        """As Tls does. Raises AlertReceived."""
        got = b""
        while len(self.pending) >= tls.RECORD_HEADER:
            end = tls.RECORD_HEADER + struct.unpack_from(">H", self.pending, 3)[0]
            if len(self.pending) < end:
                break
            record = bytes(self.pending[:end])
            del self.pending[:end]
            kind, payload = self.inward.open(record)
            self.opened.append((kind, len(payload)))
            if kind == DATA:
                got += payload
            elif kind == HANDSHAKE:
                self._take_message(payload)
            elif kind == ALERT:
                self._take_alert(*payload)
        return None if self.ended_by_notify and not got else got

    def _take_message(self, message):
        if message[0] == NEW_SESSION_TICKET:
            self.tickets += 1
            return
        assert message[0] == KEY_UPDATE, message
        self.key_updates += 1
        self.inward.update()
        if message[4] and self.answers_key_updates:
            self.send_raw(self.key_update())

    def _take_alert(self, level, code):
        self.alerts.append(code)
        if code == CLOSE_NOTIFY:
            self.ended_by_notify = True
        elif level == 2 or (self.how.version == "1.3" and code != USER_CANCELED):
            raise AlertReceived(code)


class Direction13:
    """Keys and the count of records of one direction, TLS 1.3."""

    def __init__(self, secret):
        self.secret = secret
        self._derive()

    def _derive(self):
        self.key, self.iv = (expand_label(self.secret, *what) for what in ((b"key", 16), (b"iv", 12)))
        self.count = 0

    def update(self):
        self.secret = expand_label(self.secret, b"traffic upd", 32)
        self._derive()

    def _nonce(self):
        count = self.count.to_bytes(12, "big")
        self.count += 1
        return bytes(a ^ b for a, b in zip(self.iv, count))

    def seal(self, kind, payload, padding=0):
        inner = payload + bytes([kind]) + bytes(padding)
        head = struct.pack(">BHH", DATA, 0x0303, len(inner) + TAG_BYTES)
        return head + seal_gcm(self.key, self._nonce(), head, inner)

    def open(self, record):
        inner = open_gcm(self.key, self._nonce(), record[:5], record[5:]).rstrip(b"\0")
        return inner[-1], inner[:-1]


class Direction12:
    """The same for TLS 1.2; the handshake's Finished was its record number 0."""

    def __init__(self, key, salt):
        self.key, self.salt, self.count = key, salt, 1

    def _number(self):
        number = struct.pack(">Q", self.count)
        self.count += 1
        return number

    def seal(self, kind, payload, padding=0):
        assert not padding, "TLS 1.2 pads no such record"
        number = self._number()
        known = number + struct.pack(">BHH", kind, 0x0303, len(payload))
        sealed = number + seal_gcm(self.key, self.salt + number, known, payload)
        return struct.pack(">BHH", kind, 0x0303, len(sealed)) + sealed

    def open(self, record):
        explicit, sealed = record[5:13], record[13:]
        known = self._number() + record[:3] + struct.pack(">H", len(sealed) - TAG_BYTES)
        return record[0], open_gcm(self.key, self.salt + explicit, known, sealed)


def expand_label(secret, label, length):
    """HKDF-Expand-Label without a context (RFC 8446, 7.1), of at most one block."""
    name = b"tls13 " + label
    info = struct.pack(">HB", length, len(name)) + name + b"\0"
    return hmac.digest(secret, info + b"\x01", hashlib.sha256)[:length]


def expand_12(secret, seed, length):
    """P_SHA256 (RFC 5246, 5)."""
    out, chain = b"", seed
    while len(out) < length:
        chain = hmac.digest(secret, chain, hashlib.sha256)
        out += hmac.digest(secret, chain + seed, hashlib.sha256)
    return out[:length]


def seal_gcm(key, nonce, known, plain):
    with _Gcm(key, nonce, True) as gcm:
        gcm.update(known, None)
        return gcm.update(plain, len(plain)) + gcm.tag()


def open_gcm(key, nonce, known, sealed):
    with _Gcm(key, nonce, False) as gcm:
        gcm.update(known, None)
        plain = gcm.update(sealed[:-TAG_BYTES], len(sealed) - TAG_BYTES)
        gcm.check(sealed[-TAG_BYTES:])
        return plain


class _Gcm:
    def __init__(self, key, nonce, seals):
        self.state = ctypes.c_void_p(_crypto.EVP_CIPHER_CTX_new())
        self.seals = int(seals)
        assert _crypto.EVP_CipherInit_ex(
            self.state, ctypes.c_void_p(_crypto.EVP_aes_128_gcm()), None, key, nonce, self.seals) == 1

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        _crypto.EVP_CIPHER_CTX_free(self.state)

    def update(self, data, length):
        """`length` is None for what is known and only authenticated."""
        out = None if length is None else ctypes.create_string_buffer(length + 16)
        done = ctypes.c_int()
        assert _crypto.EVP_CipherUpdate(self.state, out, ctypes.byref(done), data, len(data)) == 1
        return b"" if out is None else out.raw[:length]

    def tag(self):
        rest, tag = ctypes.create_string_buffer(16), ctypes.create_string_buffer(TAG_BYTES)
        assert _crypto.EVP_CipherFinal_ex(self.state, rest, ctypes.byref(ctypes.c_int())) == 1
        assert _crypto.EVP_CIPHER_CTX_ctrl(self.state, _GET_TAG, TAG_BYTES, tag) == 1
        return tag.raw

    def check(self, tag):
        assert _crypto.EVP_CIPHER_CTX_ctrl(self.state, _SET_TAG, TAG_BYTES, tag) == 1
        rest = ctypes.create_string_buffer(16)
        assert _crypto.EVP_CipherFinal_ex(self.state, rest, ctypes.byref(ctypes.c_int())) == 1, \
            "a record that does not open"
