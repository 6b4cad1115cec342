"""Tokens (JWT, RFC 7519) and their keys, made by hand: what a test signs is what it wants to be
judged, right or wrong. HMAC is Python's, all else the command line's openssl."""

import atexit
import base64
import hashlib
import hmac
import json
import os
import shutil
import tempfile
import threading
import time

from .tls import run_openssl

LEEWAY_S = 30
TOKEN_MAX = 8192
# What openssl genpkey is told for a key.
RSA = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
RSA_1024 = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]
P256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
P384 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
SECP256K1 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]
ED25519 = ["-algorithm", "ED25519"]
ED448 = ["-algorithm", "ED448"]

_lock = threading.Lock()
_folder = None


def folder():
    """Where keys lie that openssl reads; it goes with the process."""
    global _folder
    with _lock:
        if _folder is None:
            _folder = tempfile.mkdtemp(prefix="sluice-tokens-")
            atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder


def b64(data):
    """base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def write_key(name, content):
    """A key file for --token-key; the path."""
    path = os.path.join(tempfile.mkdtemp(dir=folder()), name)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    os.chmod(path, 0o600)
    return path


class Secret:
    """An HMAC key."""

    alg = "HS256"

    def __init__(self, secret=None, kid=None):
        self.secret = os.urandom(33).hex().encode() if secret is None else secret
        self.kid = kid

    def sign(self, data, digest=hashlib.sha256):
        return hmac.new(self.secret, data, digest).digest()

    def file(self, end=b"\n"):
        """A file of the secret alone."""
        return write_key("secret", self.secret + end)

    def jwk(self, **more):
        return _jwk(self, {"kty": "oct", "k": b64(self.secret)}, more)


class KeyPair:
    """A key of openssl's: RS256, ES256 or EdDSA by its kind."""

    def __init__(self, kind, kid=None):
        self.kid = kid
        self.alg = {"RSA": "RS256", "EC": "ES256"}.get(kind[1], "EdDSA")
        self.private = os.path.join(tempfile.mkdtemp(dir=folder()), "private.pem")
        run_openssl("genpkey", *kind, "-out", self.private)
        self.pem = run_openssl("pkey", "-in", self.private, "-pubout").decode()
        self.der = run_openssl("pkey", "-in", self.private, "-pubout", "-outform", "DER")
        self.private_pem = run_openssl("pkey", "-in", self.private).decode()

    def sign(self, data, digest="sha256"):
        path = write_key("signed", data)
        if self.alg == "EdDSA":
            return run_openssl("pkeyutl", "-sign", "-rawin", "-in", path, "-inkey", self.private)
        signature = run_openssl("dgst", "-" + digest, "-sign", self.private, path)
        return signature if self.alg == "RS256" else raw_ecdsa(signature)

    def sign_pss(self, data):
        return run_openssl("dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt",
                           "rsa_pss_saltlen:32", "-sign", self.private, write_key("signed", data))

    def file(self):
        return write_key("public.pem", self.pem)

    def jwk(self, **more):
        if self.alg == "RS256":
            text = run_openssl("rsa", "-in", self.private, "-noout", "-modulus").decode()
            modulus = bytes.fromhex(text.strip().partition("=")[2])
            return _jwk(self, {"kty": "RSA", "n": b64(modulus), "e": b64(b"\1\0\1")}, more)
        if self.alg == "EdDSA":
            return _jwk(self, {"kty": "OKP", "crv": "Ed25519", "x": b64(self.der[-32:])}, more)
        half = (len(self.der) - self.der.rindex(b"\0\4") - 2) // 2  # an uncompressed point is last
        return _jwk(self, {"kty": "EC", "crv": {32: "P-256", 48: "P-384"}[half],
                           "x": b64(self.der[-2 * half:-half]), "y": b64(self.der[-half:])}, more)


def _jwk(key, members, more):
    if key.kid is not None:
        members["kid"] = key.kid
    members.update(more)
    return {name: value for name, value in members.items() if value is not None}


def jwks(*keys):
    """A file of them; each is a key or the members of a JWK."""
    members = [key if isinstance(key, dict) else key.jwk() for key in keys]
    return write_key("keys.json", json.dumps({"keys": members}))


def raw_ecdsa(signature):
    """r and s of 32 bytes each (RFC 7518, section 3.4) out of DER."""
    numbers, at = [], 2 if signature[1] < 0x80 else 3
    for _ in range(2):
        length = signature[at + 1]
        numbers.append(int.from_bytes(signature[at + 2:at + 2 + length], "big"))
        at += 2 + length
    size = 32 if max(numbers) < 1 << 256 else 48
    return b"".join(number.to_bytes(size, "big") for number in numbers)


_pairs = {}


def pair(kind):
    """The process's key of this kind."""
    with _lock:
        known = _pairs.get(tuple(kind))
    if known is None:
        known = KeyPair(kind)
        with _lock:
            known = _pairs.setdefault(tuple(kind), known)
    return known


def now():
    return int(time.time())


def claims(sub="ann", subscribe=(), publish=(), admin=False, ttl=600, at=None, **more):
    """A token's claims; `more` adds claims, or takes away those that are None."""
    at = now() if at is None else at
    made = {"sub": sub, "iat": at, "exp": at + ttl}
    made["sluice"] = {"subscribe": list(subscribe), "publish": list(publish), "admin": admin}
    made.update(more)
    return {name: value for name, value in made.items() if value is not None}


def join(header, payload, sign):
    """A token of these bytes; `sign` gets what is signed and returns the signature."""
    parts = [value if isinstance(value, bytes) else json.dumps(value).encode()
             for value in (header, payload)]
    signed = ".".join(b64(part) for part in parts)
    return signed + "." + b64(sign(signed.encode()))


def mint(key, payload, **header):
    """A token of this payload; `header` changes its head."""
    head = {"alg": key.alg, "typ": "JWT"}
    if key.kid is not None:
        head["kid"] = key.kid
    head.update(header)
    return join({name: value for name, value in head.items() if value is not None}, payload,
                key.sign)


def bearer(token):
    return {"Authorization": "Bearer " + token}


class Issuer:
    """Mints with one secret, whose file is for --token-key."""

    def __init__(self, key=None):
        self.key = key or Secret()
        self.path = self.key.file()
        self.options = ["--token-key", self.path]
        self.operator = self.token("operator", ["*"], ["*"], admin=True, ttl=7200)

    def token(self, sub="ann", subscribe=(), publish=(), **more):
        return mint(self.key, claims(sub, subscribe, publish, **more))

    def ending_in(self, seconds, sub="ann", subscribe=(), publish=(), **more):
        """A token that counts for so many seconds yet, leeway included."""
        at = now() - LEEWAY_S - 60
        return self.token(sub, subscribe, publish, at=at, ttl=60 + seconds, **more)
