"""Key files: what is refused at the start, by --check-config and at a reload, what a reload changes,
and the tokens of `sluice token`, which others can read and make too."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time

import pytest

from sluicetest import Http, binary, eventually
from sluicetest.gateway import GatewayFailed
from sluicetest.tls import run_openssl

SECRET = "a secret of this test, of forty bytes ok"
POLL = "/poll?channels=chat.1&wait=0"


def write(path, text):
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    return path


@pytest.fixture
def secret(tmp_path):
    return write(tmp_path / "secret", SECRET + "\n")


def run(*words):
    return subprocess.run([binary(), *map(str, words)], capture_output=True, text=True, timeout=60)


def make_token(key, *options):
    made = run("token", "--key", key, "--sub", "ann", "--subscribe", "chat.*", *options)
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    return made.stdout.strip()


def bearer(token):
    return {"Authorization": "Bearer " + token}


def status(gateway, token=None, target=POLL):
    return gateway.get(target, bearer(token) if token else {}).status


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# ---- sluice token ----

def make_pair(tmp_path, *kind):
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    run_openssl("genpkey", *kind, "-out", str(private))
    run_openssl("pkey", "-in", str(private), "-pubout", "-out", str(public))
    return private, public


KINDS = {
    "RS256": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "ES256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "EdDSA": ("-algorithm", "ed25519"),
}


@pytest.mark.parametrize("alg", sorted(KINDS))
def test_a_token_of_a_private_key_is_accepted_by_its_public_part(start_gateway, tmp_path, alg):
    private, public = make_pair(tmp_path, *KINDS[alg])
    token = make_token(private, "--alg", alg)
    assert json.loads(decode(token.split(".")[0])) == {"alg": alg, "typ": "JWT"}
    gateway = start_gateway("--token-key", public)
    assert status(gateway, token) == 200
    other = tmp_path / "other"
    other.mkdir()
    stranger, _ = make_pair(other, *KINDS[alg])
    assert status(gateway, make_token(stranger)) == 401


def test_a_token_of_a_secret_is_what_any_other_program_makes_of_it(start_gateway, secret):
    token = make_token(secret, "--publish", "chat.42", "--admin", "--ttl", "90m", "--iss", "me")
    header, payload, signature = token.split(".")
    claims = json.loads(decode(payload))
    assert claims.pop("exp") - claims.pop("iat") == 5400
    assert claims == {"sub": "ann", "iss": "me", "sluice": {
        "subscribe": ["chat.*"], "publish": ["chat.42"], "admin": True}}
    signed = ("%s.%s" % (header, payload)).encode()
    assert decode(signature) == hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    gateway = start_gateway("--token-key", secret)
    assert status(gateway, token) == 200
    now = int(time.time())
    signed = "%s.%s" % (encode(b'{"alg":"HS256"}'), encode(json.dumps({
        "sub": "ann", "iat": now, "exp": now + 60, "sluice": {"subscribe": ["chat.1"]}}).encode()))
    mac = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    assert status(gateway, signed + "." + encode(mac)) == 200


@pytest.mark.parametrize("words, part", [
    ((), "--key: the option is missing"),
    (("--key", "{}", "--ttl", "1w"), '--ttl: "1w" is not a time; use 1s to 3650d'),
    (("--key", "{}", "--sub", "ann", "--publish", "a*"), '--publish: "a*" is not a pattern'),
    (("--key", "/no/such", "--sub", "ann"), "--key /no/such: cannot read the file"),
    (("--frobnicate",), "--frobnicate: there is no such option"),
])
def test_what_sluice_token_refuses_is_a_sentence_and_status_2(secret, words, part):
    made = run("token", *(str(secret) if word == "{}" else word for word in words))
    assert made.returncode == 2
    assert made.stdout == ""
    assert made.stderr.startswith("sluice token: ") and part in made.stderr
    assert made.stderr.count("\n") == 1


def test_sluice_token_prints_its_help():
    made = run("token", "--help")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("Usage: sluice token ")


# ---- start ----

REFUSED = {
    "short": ("short\n", "--token-key {}: an HMAC secret of 5 bytes is too short; use 32 or more"),
    "no keys": ('{"keys":[]}', "--token-key {}: no key of the JWKS is usable"),
    "private": ("-----BEGIN PRIVATE KEY-----\n", "openssl pkey -in FILE -pubout"),
    "certificate": ("-----BEGIN CERTIFICATE-----\n", "openssl x509 -in FILE -noout -pubkey"),
    "shifted": ("\n-----BEGIN PUBLIC KEY-----\n", "there are bytes before -----BEGIN"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_key_file_that_is_refused_ends_the_start(start_gateway, tmp_path, name):
    content, sentence = REFUSED[name]
    path = write(tmp_path / "key", content)
    sentence = sentence.format(path)
    with pytest.raises(GatewayFailed) as failed:
        start_gateway("--token-key", path)
    assert failed.value.status == 2
    assert "tokens.refused" in failed.value.stderr and sentence in failed.value.stderr
    checked = run("--check-config", "--token-key", path)
    assert checked.returncode == 2
    said = checked.stderr.split("\n")[-2]
    assert said.startswith("sluice: --token-key ") and sentence in said


@pytest.mark.parametrize("options, sentence", [
    (("--token-key", "{}", "--allow-anonymous"), "--allow-anonymous: --token-key is there"),
    (("--anonymous-subscribe", "a"), "--anonymous-subscribe: without a token key everybody"),
    (("--token-cookie", "a"), "--token-cookie: without a token key everybody"),
    (("--token-key", "{}", "--anonymous-publish", "a*"), '--anonymous-publish: "a*" is not a pattern'),
])
def test_options_that_contradict_each_other_end_the_start(start_gateway, secret, options, sentence):
    words = [str(secret) if word == "{}" else word for word in options]
    with pytest.raises(GatewayFailed) as failed:
        start_gateway(*words)
    assert failed.value.status == 2
    assert sentence in failed.value.stderr
    checked = run("--check-config", *words)
    assert checked.returncode == 2 and sentence in checked.stderr


def test_check_config_reads_keys_and_makes_no_secret(secret, tmp_path):
    words = ("--check-config", "--token-key", secret, "--secret", tmp_path / "made")
    checked = run(*words)
    assert checked.returncode == 0 and "sluice: " not in checked.stderr
    assert not (tmp_path / "made").exists()


def test_the_secret_is_made_at_the_start_for_its_owner_alone(start_gateway, secret, tmp_path):
    start_gateway("--token-key", secret, "--secret", tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode & 0o7777 == 0o600
    assert [name for name in os.listdir(tmp_path) if name.startswith("made")] == ["made"]


def test_with_a_key_any_address_is_listened_on(start_gateway, secret):
    with pytest.raises(GatewayFailed) as failed:
        start_gateway("--listen", "0.0.0.0:0")
    assert failed.value.status == 2 and "listen.refused" in failed.value.stderr
    gateway = start_gateway("--listen", "0.0.0.0:0", "--token-key", secret)
    assert b"access.loopback" not in gateway.stderr()
    with Http(("127.0.0.1", gateway.address[1])) as http:
        assert http.request("GET", POLL).status == 401
        assert http.request("GET", POLL, bearer(make_token(secret))).status == 200


# ---- reload ----

class Keyed:
    """A gateway whose key file is written anew."""

    def __init__(self, start_gateway, path, *options):
        self.path = write(path, SECRET)
        self.gateway = start_gateway("--token-key", path, *options)

    def reload(self, content):
        self.path.write_text(content)
        before = len(self.gateway.stderr())
        self.gateway.signal(signal.SIGHUP)
        eventually(lambda: b"reload.done" in self.gateway.stderr()[before:])
        return self.gateway.stderr()[before:].decode()

    def metric(self, name, token):
        text = self.gateway.get("/metrics", bearer(token)).body.decode()
        return float(text.split("\n%s " % name, 1)[1].split("\n", 1)[0])


def test_key_files_are_read_again_all_or_nothing(start_gateway, tmp_path):
    here = Keyed(start_gateway, tmp_path / "key")
    old_token = make_token(here.path, "--admin")
    assert here.metric("sluice_token_keys", old_token) == 1
    assert here.metric("sluice_token_reload_failed", old_token) == 0

    said = here.reload('{"keys":[{"kty":"oct","k":"%s"},{"kty":"oct","k":"AAAA"}]}' % ("A" * 43))
    assert 'tokens.refused reason="--token-key %s: key 2 of the JWKS: ' % here.path in said
    assert 'in_force="the files that were loaded before"' in said
    assert status(here.gateway, old_token) == 200
    assert here.metric("sluice_token_reload_failed", old_token) == 1
    stats = here.gateway.get("/stats", bearer(old_token)).json()
    assert (stats["tokens"]["reload_failed"], stats["tokens"]["keys"]) == (1, 1)

    other = '{"keys":[{"kty":"oct","k":"%s","kid":"a"},{"kty":"oct","k":"%s"}]}' % ("A" * 43, "B" * 42 + "A")
    assert "tokens.refused" not in here.reload(other)
    assert status(here.gateway, old_token) == 401
    one = write(tmp_path / "one", '{"kty":"oct","k":"%s","kid":"a"}' % ("A" * 43))
    token = make_token(one, "--admin")
    assert status(here.gateway, token) == 200
    assert here.metric("sluice_token_keys", token) == 2
    assert here.metric("sluice_token_reload_failed", token) == 0
    assert status(here.gateway, make_token(one, "--kid", "b")) == 401


def test_a_stream_of_a_key_that_is_gone_goes_on(start_gateway, tmp_path):
    here = Keyed(start_gateway, tmp_path / "key")
    token = make_token(here.path, "--publish", "chat.*")
    with Http(here.gateway.address) as http:
        http.send_request("GET", "/stream?channels=chat.1", bearer(token))
        http.read_head()
        here.reload("another secret of this test, forty bytes")
        assert status(here.gateway, token) == 401
        new_token = make_token(here.path, "--publish", "chat.*")
        sent = here.gateway.request("POST", "/publish?channel=chat.1",
                                    {"Content-Type": "text/plain", **bearer(new_token)}, b"late")
        assert sent.status == 200
        while b"late" not in http.read_chunk():
            pass


def test_the_last_key_stays_while_others_reach_the_gateway(start_gateway, tmp_path, secret):
    config = tmp_path / "sluice.json"
    options = {"listen": "0.0.0.0:0", "token-key": str(secret)}
    config.write_text(json.dumps(options))
    gateway = start_gateway("--config", config)
    del options["token-key"]
    config.write_text(json.dumps(options))
    gateway.signal(signal.SIGHUP)
    eventually(lambda: b"tokens.refused" in gateway.stderr())
    with Http(("127.0.0.1", gateway.address[1])) as http:
        assert http.request("GET", POLL).status == 401
