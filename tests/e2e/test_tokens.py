"""Which tokens count: algorithms, keys, claims, and each that must be refused."""

import hashlib
import json
import re

import pytest

from checks import check_challenge, check_error
from sluicetest import Gateway, GatewayFailed, SharedGateway
from sluicetest.tokens import (
    ED25519, ED448, P256, P384, RSA, RSA_1024, SECP256K1, TOKEN_MAX, KeyPair, Secret, b64, bearer,
    claims, join, jwks, mint, now, pair, unb64, write_key)
from sluicetest.tls import authority

KINDS = {"RS256": RSA, "ES256": P256, "EdDSA": ED25519}
ALGS = ["HS256", *KINDS]
SECRET = Secret()
MAY = dict(subscribe=["may"], publish=["may"])


def key_of(alg):
    return SECRET if alg == "HS256" else pair(KINDS[alg])


@pytest.fixture(scope="module")
def shared_gateway():
    """It knows a key of each algorithm, from files that name no kid."""
    options = [part for alg in ALGS for part in ("--token-key", key_of(alg).file())]
    with SharedGateway(*options) as shared:
        yield shared


def ask(gateway, token, channel="may", **headers):
    """A poll by whoever has this token."""
    fields = {} if token is None else bearer(token)
    return gateway.get("/poll?channels=%s&wait=0" % channel, {**fields, **headers})


def counts(gateway, token):
    response = ask(gateway, token)
    assert response.status in (200, 401), response
    return response.status == 200


def check_refused(gateway, token, code="unauthorized"):
    """Refused by what it is, though the gateway would serve a right one."""
    error = check_challenge(ask(gateway, token), code)
    for part in token.split("."):
        assert len(part) < 8 or part not in error["message"], error
    assert counts(gateway, mint(SECRET, claims(**MAY)))


# Algorithms.

@pytest.mark.parametrize("alg", ALGS)
def test_a_token_of_each_algorithm_counts(gateway, alg):
    token = mint(key_of(alg), claims(**MAY))
    assert counts(gateway, token)
    assert counts(gateway, token), "once more, when it is known"
    check_error(ask(gateway, token, "other"), 403, "forbidden")


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "at+jwt", "AT+JWT"])
def test_typ_may_be_absent_or_that_of_a_token(gateway, alg, typ):
    if typ == "JWT" and alg != "HS256":
        return  # as above
    assert counts(gateway, mint(key_of(alg), claims(**MAY), typ=typ))


@pytest.mark.parametrize("alg", ALGS)
def test_a_changed_signature_is_refused(gateway, alg):
    token = mint(key_of(alg), claims(**MAY))
    signed, _, signature = token.rpartition(".")
    raw = bytearray(unb64(signature))
    for at in 0, len(raw) // 2, len(raw) - 1:
        changed = bytearray(raw)
        changed[at] ^= 1
        check_refused(gateway, signed + "." + b64(bytes(changed)))
    for other in b"", bytes(raw[:-1]), bytes(raw) + b"\0", bytes(len(raw)):
        check_refused(gateway, signed + "." + b64(other))


@pytest.mark.parametrize("alg", ALGS)
def test_a_changed_head_or_payload_is_refused(gateway, alg):
    head, payload, signature = mint(key_of(alg), claims(**MAY)).split(".")
    more = b64(json.dumps(claims(subscribe=["*"], publish=["*"])).encode())
    check_refused(gateway, ".".join((head, more, signature)))
    check_refused(gateway, ".".join((b64(b'{"alg":"%s"}' % alg.encode()), payload, signature)))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "HS384", "hs256", "RS512", "PS256",
                                 "ES384", "ES256K", "Ed25519", "EdDSA ", "dir", None, 5, ["HS256"]],
                         ids=repr)
def test_an_algorithm_that_no_key_has_is_refused(gateway, alg):
    head = {"typ": "JWT"} if alg is None else {"alg": alg, "typ": "JWT"}
    for sign in SECRET.sign, lambda data: b"":
        check_refused(gateway, join(head, claims(**MAY), sign))


@pytest.mark.parametrize("alg", ALGS)
def test_a_key_serves_its_own_algorithm_alone(gateway, alg):
    for other in ALGS:
        if other != alg:
            check_refused(gateway, mint(key_of(alg), claims(**MAY), alg=other))


def test_other_digests_and_paddings_of_right_keys_are_refused(gateway):
    for alg in "HS512", "HS256":
        check_refused(gateway, join({"alg": alg}, claims(**MAY),
                                    lambda data: SECRET.sign(data, hashlib.sha512)))
    rsa = pair(RSA)
    for alg, sign in (("RS512", lambda data: rsa.sign(data, "sha512")), ("PS256", rsa.sign_pss),
                      ("RS256", rsa.sign_pss), ("RS256", lambda data: rsa.sign(data, "sha512"))):
        check_refused(gateway, join({"alg": alg}, claims(**MAY), sign))


def test_an_ecdsa_signature_is_two_raw_numbers(gateway):
    ec = pair(P256)
    check_refused(gateway, join({"alg": "ES256"}, claims(**MAY), lambda data: to_der(ec.sign(data))))
    order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
    for r, s in (0, 0), (1, 0), (0, 1), (order, order), (order, 1):
        check_refused(gateway, join({"alg": "ES256"}, claims(**MAY),
                                    lambda data: r.to_bytes(32, "big") + s.to_bytes(32, "big")))


def to_der(raw):
    def number(part):
        part = part.lstrip(b"\0")
        part = b"\0" + part if part[0] & 0x80 else part
        return bytes([2, len(part)]) + part
    body = number(raw[:32]) + number(raw[32:])
    return bytes([0x30, len(body)]) + body


@pytest.mark.parametrize("alg", list(KINDS))
@pytest.mark.parametrize("how", ["pem", "jwks"])
def test_a_public_key_is_no_hmac_secret(start_gateway, alg, how):
    """Where the public key is all that the gateway has, and with it."""
    key = KeyPair(KINDS[alg], kid="known")
    path = key.file() if how == "pem" else jwks(key)
    gateway = start_gateway("--token-key", path)
    assert counts(gateway, mint(key, claims(**MAY)))
    with open(path, "rb") as file:
        whole = file.read()
    jwk = key.jwk()
    for secret in (key.pem.encode(), key.pem.strip().encode(), key.der, whole, whole.strip(),
                   json.dumps(jwk).encode(), *[jwk[name].encode() for name in "nxy" if name in jwk],
                   *[unb64(jwk[name]) for name in "nxy" if name in jwk]):
        for kid in "known", None:
            token = mint(Secret(secret, kid), claims(**MAY))
            check_challenge(ask(gateway, token), "unauthorized")
            token = mint(Secret(secret, kid), claims(**MAY), alg=alg)
            check_challenge(ask(gateway, token), "unauthorized")


def test_a_key_of_another_curve_is_refused(gateway):
    for kind in P384, SECP256K1:
        check_refused(gateway, mint(pair(kind), claims(**MAY), alg="ES256"))
    check_refused(gateway, mint(KeyPair(P256), claims(**MAY)))
    check_refused(gateway, mint(KeyPair(ED25519), claims(**MAY)))
    check_refused(gateway, mint(Secret(), claims(**MAY)))


# The head.

@pytest.mark.parametrize("members", [
    {"crit": ["exp"]}, {"crit": []}, {"crit": "exp"}, {"crit": ["b64"], "b64": True}, {"crit": None},
    {"b64": False}, {"b64": True}, {"kid": 7}, {"kid": None}, {"kid": ["a"]},
    {"typ": 5}, {"typ": "JOSE"}, {"typ": "sluice-ticket+jwt"}, {"typ": "secevent+jwt"}], ids=repr)
def test_what_a_head_may_not_say(gateway, members):
    check_refused(gateway, join({"alg": "HS256", **members}, claims(**MAY), SECRET.sign))


def test_keys_that_a_token_names_itself_are_ignored(gateway):
    """Not fetched, and not used: whoever signs could name his own."""
    own = KeyPair(P256)
    for members in ({"jwk": own.jwk()}, {"jku": "http://127.0.0.1:9/keys"},
                    {"x5u": "http://127.0.0.1:9/chain"}, {"x5c": [b64(own.der)]}):
        check_refused(gateway, mint(own, claims(**MAY), **members))
        assert counts(gateway, mint(SECRET, claims(**MAY), **members))


HEAD = b'{"alg":"HS256"%s}'
TIMES = b'"iat":%d,"exp":%d' % (now(), now() + 3000)
LIST = b'"sluice":{"subscribe":["may"]%s}'


@pytest.mark.parametrize("head", [
    HEAD % b',"alg":"HS256"', HEAD % b',"typ":"JWT","typ":"JWT"', HEAD % b',"x":1,"x":1',
    HEAD % b',"\\u0061lg":"none"', HEAD % b',"x":{"y":1,"y":2}', b'[]', b'"HS256"', b'', b'null',
    HEAD[:-3], HEAD % b"" + b"x", HEAD % b"" + HEAD % b"", b"\xef\xbb\xbf" + HEAD % b"", HEAD % b',"x":"\xff"',
    HEAD % (b',"x":' + b"[" * 500 + b"]" * 500)], ids=repr)
def test_a_head_that_is_no_object_of_single_members_is_refused(gateway, head):
    check_refused(gateway, join(head, claims(**MAY), SECRET.sign))


@pytest.mark.parametrize("payload", [
    b'{"sub":"ann","sub":"ann",%s,%s}' % (TIMES, LIST % b""),
    b'{"sub":"ann","\\u0073ub":"bob",%s,%s}' % (TIMES, LIST % b""),
    b'{"sub":"ann",%s,"exp":9999999999,%s}' % (TIMES, LIST % b""),
    b'{"sub":"ann",%s,%s,"sluice":{}}' % (TIMES, LIST % b""),
    b'{"sub":"ann",%s,%s}' % (TIMES, LIST % b',"subscribe":["*"]'),
    b'{"sub":"ann",%s,%s}' % (TIMES, LIST % b',"x":{"y":1,"y":1}'),
    b'{"sub":"ann",%s,%s,"other":[{"y":1,"y":1}]}' % (TIMES, LIST % b""),
    b'{"sub":"ann",%s,%s}x' % (TIMES, LIST % b""), b'{"sub":"ann",%s,%s,}' % (TIMES, LIST % b""),
    b'\xef\xbb\xbf{"sub":"ann",%s,%s}' % (TIMES, LIST % b""),
    b'{"sub":"an\xff",%s,%s}' % (TIMES, LIST % b""),
    b'{"sub":"an\\ud800",%s,%s}' % (TIMES, LIST % b""),
    b"{'sub':'ann'}", b"[]", b"null", b"", b"5"])
def test_a_payload_that_is_no_object_of_single_members_is_refused(gateway, payload):
    check_refused(gateway, join({"alg": "HS256"}, payload, SECRET.sign))


def test_the_payloads_above_would_count_if_they_were_right(gateway):
    assert counts(gateway, join(HEAD % b"", b'{"sub":"ann",%s,%s}' % (TIMES, LIST % b""), SECRET.sign))
    assert counts(gateway, join(HEAD % b',"x":{"y":[1]}', b' {"sub":"\\u0061nn",%s,%s}\n' % (
        TIMES, LIST % b',"other":1'), SECRET.sign))


# The form.

def test_the_form_is_strict(gateway):
    token = mint(SECRET, claims(**MAY))
    head, payload, signature = token.split(".")
    # Of the 43 characters of 32 bytes the last one has two bits that say nothing: only 0 will do.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    for bad in (head, head + "." + payload, head + "." + payload + ".", token + ".", "." + token,
                token + "." + signature, token + "=", head + "=." + payload + "." + signature,
                head + ".." + signature, "..", ".", "x", "a.b.c", ".".join((head, payload, loose)),
                "....".join((head, payload)), token[:-1], token + "A", token + "AAAA",
                token.replace(".", "%2E", 1), '"%s"' % token, token + ";", token + ","):
        check_refused(gateway, bad)


def of_length(length):
    """A right token of so many bytes. Base64 leaves out some lengths, which another head makes good."""
    for typ in "JWT", "at+jwt", None:
        for pad in range(length * 3 // 4 - 300, length * 3 // 4):
            token = mint(SECRET, claims(pad="x" * pad, **MAY), typ=typ)
            if len(token) == length:
                return token
    raise AssertionError("no token has %d bytes" % length)


def test_a_token_may_have_8_kib(gateway):
    """Of which not one byte more."""
    assert counts(gateway, of_length(TOKEN_MAX))
    check_refused(gateway, of_length(TOKEN_MAX + 1))
    check_refused(gateway, of_length(TOKEN_MAX + 4000))


# Claims.

def as_of_now(claims):
    """Times are functions of the present one: long after the tests were collected, they run."""
    at = now()
    return {name: value(at) if callable(value) else value for name, value in claims.items()}


@pytest.mark.parametrize("wrong", [
    {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": ["ann"]}, {"sub": "a" * 257}, {"sub": "a\x00b"},
    {"sub": "a\nb"}, {"sub": "a\x7fb"}, {"sub": "é" * 129},
    {"exp": None}, {"exp": lambda now: str(now + 600)}, {"exp": True}, {"exp": [1]}, {"exp": -1}, {"exp": 0},
    {"iat": None}, {"iat": lambda now: str(now)}, {"iat": False}, {"iat": lambda now: now + 300},
    {"nbf": lambda now: str(now)}, {"nbf": True}, {"nbf": lambda now: now + 300}, {"nbf": lambda now: now + 300.5},
    {"iss": 5}, {"iss": ["a"]}, {"aud": 5}, {"aud": ["a", 5]}, {"aud": "somebody"}, {"aud": ["a"]},
    {"sluice": []}, {"sluice": "may"}, {"sluice": 1},
    *[{"sluice": {list_: value}} for list_ in ("subscribe", "publish") for value in (
        "may", {"may": True}, [5], [["may"]], ["may", 5], [""], ["chat.**"], ["*.chat"], ["chat*"],
        ["chat.*.x"], [".*"], ["~chat.*"], ["a\nb"], ["\x85"], ["may"] * 257, [None], 1)],
    *[{"sluice": {"subscribe": ["may"], "admin": value}} for value in ("true", 1, [], "")],
])
def test_what_claims_may_not_say(gateway, wrong):
    code = "token_expired" if wrong in ({"exp": 0}, {"exp": -1}) else "unauthorized"
    response = ask(gateway, mint(SECRET, claims(**{**MAY, **as_of_now(wrong)})))
    if code == "token_expired" and response.json()["error"]["code"] == "unauthorized":
        code = "unauthorized"  # iat is later than exp, which is wrong too
    check_challenge(response, code)


@pytest.mark.parametrize("right", [
    {"sub": "a"}, {"sub": "a" * 256}, {"sub": "é" * 128}, {"sub": "auth0|62 <\"x\">"}, {"nbf": lambda now: now - 5},
    {"nbf": lambda now: now - 5.5}, {"exp": lambda now: now + 100.5}, {"iat": lambda now: now - 0.5}, {"exp": lambda now: 1e0 * (now + 100)},
    {"iss": "anybody"}, {"jti": "x"}, {"scope": {"a": [None, 1e3]}},
    {"sluice": {"subscribe": ["may"], "later": True}}, {"sluice": {"subscribe": ["may"] * 256}},
    {"sluice": {"subscribe": ["*"]}}, {"sluice": {"subscribe": ["x.*", "may"], "admin": True}}])
def test_what_claims_may_say(gateway, right):
    assert counts(gateway, mint(SECRET, claims(**{**MAY, **as_of_now(right)})))


@pytest.mark.parametrize("number", ["1e400", "1e19", "99999999999999999999999999", "9223372036854775807",
                                    "-1e400", "1e18", "NaN", "Infinity", "0x7fffffff", "1e-400"])
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_numbers_that_are_no_times_are_refused(gateway, claim, number):
    """The later nbf is told as such, an exp of 0 as expired."""
    made = {"sub": '"ann"', "iat": str(now()), "exp": str(now() + 600), "nbf": str(now()),
            "sluice": '{"subscribe":["may"]}'}
    made[claim] = number
    payload = "{%s}" % ",".join('"%s":%s' % pair for pair in made.items())
    response = ask(gateway, join({"alg": "HS256"}, payload.encode(), SECRET.sign))
    if (claim, number) in (("nbf", "1e-400"), ("nbf", "-1e400")) and response.status == 200:
        return  # long ago
    check_challenge(response, response.json()["error"]["code"])


def test_without_the_claim_of_the_gateway_nothing_is_allowed(gateway):
    for mine in None, {}, {"subscribe": []}, {"publish": ["may"]}:
        error = check_error(ask(gateway, mint(SECRET, claims(sluice=mine))), 403, "forbidden")
        assert "may" in error["message"], error


def test_times_have_a_leeway_of_30_s(gateway):
    """What lies 5 s inside of it counts, what lies 5 s outside does not."""
    at = now()
    assert counts(gateway, mint(SECRET, claims(at=at - 100, ttl=75, **MAY)))
    check_refused(gateway, mint(SECRET, claims(at=at - 100, ttl=65, **MAY)), "token_expired")
    assert counts(gateway, mint(SECRET, claims(nbf=at + 25, **MAY)))
    check_refused(gateway, mint(SECRET, claims(nbf=at + 35, **MAY)))
    assert counts(gateway, mint(SECRET, claims(at=at + 25, **MAY)))
    check_refused(gateway, mint(SECRET, claims(at=at + 35, **MAY)))


def test_a_token_lives_a_day_at_most(gateway):
    assert counts(gateway, mint(SECRET, claims(ttl=86400, **MAY)))
    check_refused(gateway, mint(SECRET, claims(ttl=86401, **MAY)))
    check_refused(gateway, mint(SECRET, claims(ttl=-20, **MAY)))


def test_token_max_age_says_how_long_instead(start_gateway):
    gateway = start_gateway("--token-key", SECRET.file(), "--token-max-age", "60")
    assert counts(gateway, mint(SECRET, claims(ttl=60, **MAY)))
    check_challenge(ask(gateway, mint(SECRET, claims(ttl=61, **MAY))), "unauthorized")


def test_issuer_and_audience_are_those_of_the_options(start_gateway):
    gateway = start_gateway("--token-key", SECRET.file(), "--token-issuer", "https://id.example",
                            "--token-audience", "push")
    for iss, aud, right in [
            ("https://id.example", "push", True), ("https://id.example", ["other", "push"], True),
            ("https://id.example", ["push"], True), ("https://id.example/", "push", False),
            ("https://ID.example", "push", False), (None, "push", False), ("https://id.example", None, False),
            ("https://id.example", "Push", False), ("https://id.example", [], False),
            ("https://id.example", ["other"], False), ("https://id.example", "push other", False),
            (["https://id.example"], "push", False)]:
        token = mint(SECRET, claims(iss=iss, aud=aud, **MAY))
        assert counts(gateway, token) == right, (iss, aud)
        if not right:
            check_challenge(ask(gateway, token), "unauthorized")


# Keys by name.

def test_kid_chooses_among_the_keys_of_a_jwks(start_gateway):
    one, two, nameless = Secret(kid="one"), KeyPair(P256, kid="two"), KeyPair(ED25519)
    plain = Secret()
    gateway = start_gateway("--token-key", jwks(one, two, nameless), "--token-key", plain.file())
    for key in one, two, nameless, plain:
        assert counts(gateway, mint(key, claims(**MAY)))
        assert counts(gateway, mint(key, claims(**MAY), kid=None)), "all keys of its alg are tried"
    for key, kid in ((one, "two"), (two, "one"), (one, "three"), (two, "three"), (one, "ONE"), (one, "")):
        check_challenge(ask(gateway, mint(key, claims(**MAY), kid=kid)), "unauthorized")
    for kid in "one", "any":
        assert counts(gateway, mint(plain, claims(**MAY), kid=kid)), "its file names no kid"


def test_two_keys_of_one_kid_both_count(start_gateway):
    """As while an issuer changes from one algorithm to another."""
    keys = [Secret(kid="same"), Secret(kid="same"), KeyPair(RSA, kid="same"), KeyPair(P256, kid="same")]
    gateway = start_gateway("--token-key", jwks(*keys))
    for key in keys:
        assert counts(gateway, mint(key, claims(**MAY)))


def test_one_jwk_is_a_file_too(start_gateway):
    for key in Secret(), KeyPair(ED25519, kid="e"):
        gateway = start_gateway("--token-key", write_key("key.json", "\n " + json.dumps(key.jwk())))
        assert counts(gateway, mint(key, claims(**MAY)))


def test_keys_that_are_not_for_this_are_skipped(start_gateway):
    good = Secret(kid="good")
    other = Secret(kid="other")
    skipped = [other.jwk(use="enc"), other.jwk(key_ops=["sign"]), other.jwk(alg="HS512"),
               {"kty": "unheard", "kid": "other"}, KeyPair(P384, kid="curve").jwk(),
               pair(RSA).jwk(kid="pss", alg="PS256")]
    gateway = start_gateway("--token-key", jwks(*skipped, good))
    assert counts(gateway, mint(good, claims(**MAY)))
    for key in other, Secret(other.secret):
        check_challenge(ask(gateway, mint(key, claims(**MAY))), "unauthorized")
    for kid in "pss", None:
        check_challenge(ask(gateway, mint(pair(RSA), claims(**MAY), kid=kid)), "unauthorized")
    for named in jwks(good.jwk(use="sig")), jwks(good.jwk(alg="HS256", key_ops=["verify", "sign"])):
        assert counts(start_gateway("--token-key", named), mint(good, claims(**MAY)))


# What refuses to start.

def twice(jwk):
    """Its JSON with one member twice."""
    return json.dumps(jwk)[:-1] + ', "kty": "%s"}' % jwk["kty"]


def changed_point(key):
    """A point that is not on the curve."""
    jwk = key.jwk()
    y = bytearray(unb64(jwk["y"]))
    y[-1] ^= 1
    return dict(jwk, y=b64(bytes(y)))


BAD_FILES = {
    "empty": lambda: b"",
    "a secret of 31 bytes": lambda: b"x" * 31,
    "a secret of 31 bytes and a line end": lambda: b"x" * 31 + b"\r\n",
    "a private key": lambda: pair(P256).private_pem,
    "a private rsa key": lambda: pair(RSA).private_pem,
    "a certificate": lambda: open(authority().path).read(),
    "half a pem": lambda: pair(P256).pem[:80],
    "rsa 1024": lambda: pair(RSA_1024).pem,
    "p384": lambda: pair(P384).pem,
    "secp256k1": lambda: pair(SECP256K1).pem,
    "ed448": lambda: pair(ED448).pem,
    "no jwks": lambda: "{}",
    "no keys": lambda: '{"keys":[]}',
    "keys of a wrong type": lambda: '{"keys":{}}',
    "a key of a wrong type": lambda: json.dumps({"keys": [Secret().jwk(), 5]}),
    "only unusable keys": lambda: json.dumps({"keys": [pair(P384).jwk(), {"kty": "unheard"}]}),
    "broken json": lambda: '{"keys":[',
    "a short oct": lambda: json.dumps({"keys": [Secret(b"x" * 31).jwk()]}),
    "a private jwk": lambda: json.dumps({"keys": [pair(P256).jwk(d=b64(b"x" * 32))]}),
    "duplicate members": lambda: twice(Secret().jwk()),
    "a point off the curve": lambda: json.dumps(changed_point(pair(P256))),
    "a short coordinate": lambda: json.dumps(pair(P256).jwk(x=b64(b"x" * 31))),
    "rsa 1024 in a jwk": lambda: json.dumps(pair(RSA_1024).jwk()),
    "an exponent of 1": lambda: json.dumps(pair(RSA).jwk(e=b64(b"\1"))),
    "standard base64": lambda: json.dumps(Secret().jwk(k="a" * 42 + "+/==")),
    "33 keys": lambda: json.dumps({"keys": [Secret(kid=str(n)).jwk() for n in range(33)]}),
}


@pytest.mark.parametrize("what", list(BAD_FILES))
def test_a_key_file_that_is_wrong_prevents_the_start(what):
    content = BAD_FILES[what]()
    path = write_key("wrong", content)
    with pytest.raises(GatewayFailed) as failed:
        start_once("--token-key", path)
    assert failed.value.status == 2 and path in failed.value.stderr, failed.value
    text = content.decode("latin-1") if isinstance(content, bytes) else content
    for word in re.findall(r"[A-Za-z0-9+/_-]{24,}", text):
        assert word not in failed.value.stderr, "the key is told"
    if what in ("a private key", "a private rsa key", "a certificate"):
        assert "openssl" in failed.value.stderr, "it does not say how to get the public key"


def start_once(*options):
    with Gateway(*options):
        pass


def test_32_keys_are_not_too_many(start_gateway):
    keys = [Secret(kid=str(n)) for n in range(31)]
    gateway = start_gateway("--token-key", jwks(*keys), "--token-key", SECRET.file())
    assert counts(gateway, mint(keys[30], claims(**MAY))) and counts(gateway, mint(SECRET, claims(**MAY)))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""], ids=repr)
@pytest.mark.parametrize("secret", [b"\0\xff" * 16, b"x\n" * 20, b" " + b"-" * 40], ids=repr)
def test_of_a_secret_file_one_line_end_is_left_out(start_gateway, secret, end):
    if secret.endswith(b"\n") and not end:
        end = b"\n"
    gateway = start_gateway("--token-key", write_key("secret", secret + end))
    assert counts(gateway, mint(Secret(secret), claims(**MAY)))
    for other in secret + end, secret.rstrip():
        if other != secret:
            check_challenge(ask(gateway, mint(Secret(other), claims(**MAY))), "unauthorized")


@pytest.mark.parametrize("options", [
    ["--allow-anonymous"], ["--anonymous-subscribe", "chat.**"], ["--anonymous-publish", ""],
    ["--token-max-age", "0"], ["--token-max-age", "315360001"], ["--token-cookie", "a b"],
    ["--token-cookie", ""], ["--max-revocations", "-1"], ["--token-key", "/nowhere/at/all"]], ids=repr)
def test_options_that_are_wrong_prevent_the_start(options):
    with pytest.raises(GatewayFailed) as failed:
        start_once("--token-key", SECRET.file(), *options)
    assert failed.value.status == 2 and options[0] in failed.value.stderr, failed.value
