"""Every message that ends a start: each names the option or the file, the value, and what would be right."""

import os
import re
import socket
import subprocess

import pytest

from sluicetest import binary
from sluicetest.tls import run_openssl
from sluicetest.wire import TIMEOUT

HERE = ("--listen", "127.0.0.1:0")
SEED = "SU" + "A" * 56
OTHER_JSON = '{"kty":"OKP","crv":"Ed25519","x":"%s"%s}'


def make_pair(folder, name, *kind):
    key, certificate = folder / (name + ".key"), folder / (name + ".crt")
    run_openssl("req", "-x509", "-newkey", *kind, "-nodes", "-keyout", str(key), "-out", str(certificate),
                "-days", "2", "-subj", "/CN=localhost")
    return certificate.read_text(), key.read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the rows below name: FILE in a row is a file of this folder."""
    where = tmp_path_factory.mktemp("files")
    cert, key = make_pair(where, "a", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    other_cert, _ = make_pair(where, "b", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    run_openssl("pkey", "-in", str(where / "a.key"), "-aes128", "-passout", "pass:secret", "-out",
                str(where / "locked.key"))
    run_openssl("pkey", "-in", str(where / "a.key"), "-pubout", "-out", str(where / "public"))
    run_openssl("pkey", "-in", str(where / "a.key"), "-pubout", "-outform", "DER", "-out", str(where / "der"))
    run_openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", str(where / "rsa.key"))
    run_openssl("pkey", "-in", str(where / "rsa.key"), "-pubout", "-out", str(where / "rsa"))
    public = (where / "public").read_text()
    for name, text in {
        "empty": "", "short": "short\n", "secret": "a secret of this test, of forty bytes ok\n",
        "array.json": "[]", "half.json": '{"shards": 1', "unknown.json": '{"heart-beat": 15}',
        "range.json": '{"heartbeat": 3}', "type.json": '{"heartbeat": "15"}', "twice.json": '{"check":true,"check":true}',
        "half.crt": cert[:len(cert) // 2], "half.key": key[:len(key) // 2], "chain.crt": other_cert + cert,
        "tickets": "00" * 80 + "\nx\n", "many": ("00" * 80 + "\n") * 20, "big": "x" * (1 << 21),
        "before": "\n" + public, "bom": "\ufeff" + public, "ssh": "ssh-ed25519 AAAA", "two": public + public,
        "base64": "".join(public.split("\n")[1:-2]), "half.pem": public[:len(public) // 2] + "\n-----END PUBLIC KEY-----\n",
        "rsa-public": "-----BEGIN RSA PUBLIC KEY-----\n", "what": "-----BEGIN WHAT-----\n", "list": "[{}]",
        "no-keys": '{"keys":[]}', "keys-object": '{"keys":{}}', "no-kty": "{}", "kty": '{"kty":"X"}', "broken": "{",
        "private-jwk": OTHER_JSON % ("A" * 43, ',"d":"' + "A" * 43 + '"'), "bad-x": OTHER_JSON % ("A", ""),
        "bad-kid": OTHER_JSON % ("A" * 43, ',"kid":1'), "bad-use": OTHER_JSON % ("A" * 43, ',"use":1'),
        "bad-ops": OTHER_JSON % ("A" * 43, ',"key_ops":1'), "oct": '{"kty":"oct","k":"AA"}', "lines": "{}\n",
        "creds": "x\n", "user": "x\n",
    }.items():
        (where / name).write_text(text)
    return where


# The words of the command, what the message names, its value, and the remedy.
OPTIONS = [
    (["--heartbeat", "3"], "--heartbeat", '"3" is out of range', "use 4 to 60 (seconds)"),
    (["--heartbeat", "x"], "--heartbeat", '"x" is not valid', "use a whole number from 4 to 60 (seconds)"),
    (["--shards", "65"], "--shards", '"65" is out of range', "use 1 to 64"),
    (["--drain", "601"], "--drain", '"601"', "use 0 to 600 (seconds)"),
    (["--drain", "1."], "--drain", '"1."', "use a number with at most three decimals from 0 to 600 (seconds)"),
    (["--max-message", "17M"], "--max-message", '"17M"', "use 1 to 16M (bytes)"),
    (["--max-message", "1KB"], "--max-message", '"1KB"',
     "use a whole number, or one with K, M or G behind it, from 1 to 16M (bytes)"),
    (["--mailbox", "1"], "--mailbox", '"1"', "use 64 to 1048576 (messages)"),
    (["--reserved-connections", "91"], "--reserved-connections", '"91"', "use 0 to 90 (percent)"),
    (["--web", ""], "--web", '""', "use a text that is not empty"),
    (["--tls-cert", ""], "--tls-cert", '""', "use the path of a file"),
    (["--limits", "maybe"], "--limits", '"maybe"', "use one of on|off"),
    (["--backend", "mem"], "--backend", '"mem"', "use one of memory"),
    (["--log-level", "loud"], "--log-level", '"loud"', "use one of error|warning|info|debug"),
    (["--base-path", "a//b"], "--base-path", '"a//b"', "use a path such as /push/"),
    (["--listen", "example.org:80"], "--listen", '"example.org:80"', "use 127.0.0.1:8080, localhost:8080"),
    (["--tls-listen", "443"], "--tls-listen", '"443"', "use 127.0.0.1:8080"),
    (["--public-origin", "a.org"], "--public-origin", '"a.org"', "use http://HOST or https://HOST"),
    (["--allow-origin", "file://"], "--allow-origin", '"file://"', "capacitor://HOST"),
    (["--trust-proxy", "10.0.0.0/33"], "--trust-proxy", '"10.0.0.0/33"', "use a network such as 10.0.0.0/8"),
    (["--raise-limits", "10.0.0.1"], "--raise-limits", '"10.0.0.1"', "use WHO=FACTOR"),
    (["--nats-bus", "a b"], "--nats-bus", '"a b"', "use 1 to 32 of a-z"),
    (["--nats", "http://me:pass@here"], "--nats", '"http://***@here"', "nats://HOST:PORT"),
    (["--client-publish", ""], "--client-publish", '""', "use the name of a channel, prefix.* or *"),
    (["stray"], "argument", '"stray"', "use --NAME VALUE"),
    (["--no-such-thing"], "--no-such-thing", "unrecognized option", "--help"),
    (["--shards"], "--shards", "requires an argument", "--help"),
    (["--config", "/nowhere"], "--config", "/nowhere", "use the path of a JSON file"),
    (["--config", "/"], "--config", "/: cannot read the file (Is a directory)", "use the path of a JSON file"),
    (["--config", "FILE array.json"], "--config", "array.json: the file is not one JSON object", 'use {"listen"'),
    (["--config", "FILE half.json"], "--config", "half.json: line 1, column", "use one object"),
    (["--config", "FILE twice.json"], "--config", "duplicate", "use one object"),
    (["--config", "FILE unknown.json"], "--config", '"heart-beat" is not an option', "use the long names"),
    (["--config", "FILE range.json"], "range.json: heartbeat", '"3" is out of range', "use 4 to 60 (seconds)"),
    (["--config", "FILE type.json"], "type.json: heartbeat", 'the JSON value "15" is not valid', ", without quotes"),
]

TLS = ["--tls-listen", "127.0.0.1:0", "--tls-cert"]
FILES = [
    (["--tls-listen", "127.0.0.1:0"], "--tls-listen", "a certificate and its key", "use --tls-cert FILE"),
    (TLS + ["FILE a.crt"], "--tls-cert", "certificates: 1, keys (--tls-key): 0", "use one key for each"),
    (TLS + ["/nowhere", "--tls-key", "FILE a.key"], "--tls-cert", "/nowhere: cannot read", "use the path of a file"),
    (TLS + ["/dev/null", "--tls-key", "FILE a.key"], "--tls-cert", "/dev/null: not a regular file", "use the path"),
    (TLS + ["FILE big", "--tls-key", "FILE a.key"], "--tls-cert", "2097152 bytes", "use a file of at most 1 MiB"),
    (TLS + ["FILE empty", "--tls-key", "FILE a.key"], "--tls-cert", "no certificate", "use one that begins with"),
    (TLS + ["FILE half.crt", "--tls-key", "FILE a.key"], "--tls-cert", "certificate 1", "use a complete copy"),
    (TLS + ["FILE chain.crt", "--tls-key", "FILE a.key"], "--tls-cert", "certificate 2", "is the first one"),
    (TLS + ["FILE a.crt", "--tls-key", "FILE empty"], "--tls-key", "no private key", "use one that begins with"),
    (TLS + ["FILE a.crt", "--tls-key", "FILE half.key"], "--tls-key", "is damaged", "use a complete key"),
    (TLS + ["FILE a.crt", "--tls-key", "FILE locked.key"], "--tls-key", "has a password", "use a key without one"),
    (TLS + ["FILE b.crt", "--tls-key", "FILE a.key"], "--tls-key", "b.crt", "use the key"),
    (TLS + ["FILE a.crt", "--tls-key", "FILE a.key", "--tls-ticket-keys", "FILE tickets"], "--tls-ticket-keys",
     "line 2", "use 160 hex digits"),
    (TLS + ["FILE a.crt", "--tls-key", "FILE a.key", "--tls-ticket-keys", "FILE many"], "--tls-ticket-keys",
     "one key too many", "use at most"),
    (TLS + ["FILE a.crt", "--tls-key", "FILE a.key", "--tls-ticket-keys", "FILE empty"], "--tls-ticket-keys",
     "no key", "use lines of 160 hex digits"),
    (["--secret", "FILE short"], "--secret", "5 bytes", "use 32 or more"),
    (["--token-cookie", "a"], "--token-cookie", "without a token key", "use --token-key FILE"),
    (["--token-key", "FILE secret", "--allow-anonymous"], "--allow-anonymous", "--token-key", "use --anonymous"),
    (["--token-key", "FILE secret", "--token-cookie", "a b"], "--token-cookie", '"a b"', "use letters, digits"),
    (["--token-key", "FILE secret", "--anonymous-publish", "a*"], "--anonymous-publish", '"a*"', "use the name"),
    (["--client-publish", "a*"], "--client-publish", '"a*" is not a pattern', "use the name of a channel"),
    (["--socketio-channel", "~a"], "--socketio-channel", '"~a"', "use 1 to 255 bytes"),
]
KEYS = [("/nowhere", "cannot read", "use the path"), ("short", "5 bytes", "use 32 or more"),
        ("a.key", "private key", "use its public part"), ("a.crt", "certificate", "use its key"),
        ("rsa", "too short", "use 2048 bits"), ("rsa-public", "RSA PUBLIC KEY", "use openssl rsa"),
        ("what", "not a public key", "use a file that begins with"), ("two", "more than one block", "use one file"),
        ("half.pem", "damaged", "use a new copy"), ("before", "bytes before -----BEGIN", "use a file in PEM"),
        ("bom", "-----BEGIN", "use a file"), ("ssh", "SSH", "use ssh-keygen"), ("der", "DER", "use openssl pkey"),
        ("base64", "base64", "-----BEGIN"), ("list", "JSON array", "use a JWKS"), ("broken", "not a JSON object", "use a JWKS"),
        ("no-keys", "JWKS", "use one of HS256"), ("keys-object", "not an array", "use {"), ("no-kty", "kty", "use RSA"),
        ("kty", "usable", "use one of HS256"), ("private-jwk", "private key", "use the public part"),
        ("bad-x", "x is not valid", "use 32 bytes"), ("bad-kid", "kid", "use a string"), ("bad-use", "use is not a string", "use sig"),
        ("bad-ops", "key_ops", "verify"), ("oct", "too short", "use 32 bytes")]
FILES += [(["--token-key", name if name[0] == "/" else "FILE " + name], "--token-key", why, remedy)
          for name, why, remedy in KEYS]

STARTS = [
    (["--listen", "0.0.0.0:0"], "option=--listen", "0.0.0.0:0", "use --token-key FILE"),
    (["--admin-listen", "192.0.2.1:1", "--allow-anonymous", *HERE], "option=--admin-listen", "192.0.2.1:1",
     "use an address that this machine has"),
    (["--listen", "BUSY"], "option=--listen", "127.0.0.1:", "use another port"),
    (["--listen", "unix:/nowhere/s"], "option=--listen", "unix:/nowhere/s", "use a path in a folder that exists"),
    (["--tls-cert", "FILE a.crt", "--tls-key", "FILE a.key", *HERE], "--tls-cert", "no listener speaks TLS",
     "use --tls-listen ADDRESS"),
    (["--check-reports", "/nowhere", *HERE], "--check-reports", "/nowhere", "a folder that exists"),
    (["--revocations", "FILE lines", *HERE], "--revocations", "line 1", "use a copy of the whole file"),
    (["--revocations", "/nowhere/r", *HERE], "--revocations", "/nowhere/r", "use a path in a folder"),
    (["--secret", "/nowhere/s", *HERE], "--secret", "/nowhere/s", "use a path in a folder"),
    (["--demo", "--demo-cluster", "/nowhere", *HERE], "--demo-cluster", "/nowhere", "scripts/demo --cluster"),
]

NATS = [
    (["--nats-user", "jo"], "--nats-user", "--nats-password is missing", "use both"),
    (["--nats-token", "/nowhere"], "--nats-token", "/nowhere: cannot read", "use the path"),
    (["--nats-token", "FILE empty"], "--nats-token", "empty: the first line is empty", "use a file with the secret"),
    (["--nats-token", "FILE big"], "--nats-token", "big: the file is too large", "use a text of at most"),
    (["--nats-nkey", "FILE user"], "--nats-nkey", "no seed", "use 58 characters that begin with SU"),
    (["--nats-creds", "FILE creds"], "--nats-creds", "no JWT and seed", "use a file of nsc"),
    (["--nats-ca", "FILE empty"], "--nats-ca", "empty: TLS cannot use this", "use a file in PEM"),
    (["--nats-token", "FILE user", "--nats-nkey", "FILE user"], "--nats-nkey", "--nats-token", "use one of them"),
    (["--nats-token", "FILE user", "--nats", "nats://me@here"], "--nats-token", "--nats has a login", "use one of"),
]

TOKENS = [
    ([], "--key", "missing", "use --key FILE"),
    (["--key", "FILE secret"], "--sub", "missing", "use --sub NAME"),
    (["--key", "FILE secret", "--sub", ""], "--sub", '""', "use a text"),
    (["--key", "FILE secret", "--ttl", "1w"], "--ttl", '"1w"', "use 1s to 3650d"),
    (["--publish", "a*"], "--publish", '"a*"', "use the name of a channel"),
    (["--what"], "--what", "no such option", "use one of those"),
    (["--key"], "--key", "value is missing", "use --key VALUE"),
    (["stray"], "argument", '"stray"', "use --NAME VALUE"),
    (["--key", "/nowhere", "--sub", "a"], "--key", "/nowhere: cannot read", "use the path"),
    (["--key", "FILE public", "--sub", "a"], "--key", "no private key", "use one without a password"),
    (["--key", "FILE secret", "--sub", "a", "--alg", "RS256"], "--alg", '"RS256"', "use HS256"),
    (["--key", "FILE no-keys", "--sub", "a"], "--key", "JWKS", "use one private JWK"),
]


def fill(words, folder):
    return [str(folder / word[5:]) if word.startswith("FILE ") else word for word in words]


def run(*words):
    return subprocess.run([binary(), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT, env={**os.environ, "LANG": "C"})


def judge(done, option, value, remedy):
    said = done.stderr
    assert done.returncode in (1, 2), said
    lines = [line for line in said.splitlines() if option in line] or [""]
    assert value in lines[0] and remedy in said, said
    assert not re.search(r": (it|its) ", said), "name the thing: " + said


def ids(rows):
    return [" ".join(words)[-40:] for words, *_ in rows]


@pytest.mark.parametrize("words,option,value,remedy", OPTIONS + FILES, ids=ids(OPTIONS + FILES))
def test_a_refused_option_or_file_is_named_with_its_value_and_remedy(folder, words, option, value, remedy):
    done = run("--check-config", "--log-level", "error", *fill(words, folder))
    assert done.returncode == 2
    judge(done, option, value, remedy)


@pytest.mark.parametrize("words,option,value,remedy", STARTS, ids=ids(STARTS))
def test_a_start_that_fails_names_the_address_or_folder_and_the_remedy(folder, words, option, value, remedy):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        address = "127.0.0.1:%d" % busy.getsockname()[1]
        words = [address if word == "BUSY" else word for word in fill(words, folder)]
        judge(run("--log-level", "error", *words), option, value, remedy)


def test_a_password_in_a_value_of_the_wrong_type_is_not_shown(tmp_path):
    (tmp_path / "file").write_text('{"nats": [["nats://me:pass@here"]]}')
    done = run("--check-config", "--config", str(tmp_path / "file"))
    judge(done, "nats", "the JSON value", "use at most 64 of nats://HOST:PORT")
    assert "pass@" not in done.stderr


def test_sockets_of_systemd_that_are_none_are_refused_with_the_remedy():
    done = subprocess.run(["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" 3</dev/null', binary()],
                          capture_output=True, text=True, timeout=TIMEOUT)
    judge(done, "systemd_fd=3", "not a listening stream socket", "use ListenStream=")
    done = subprocess.run(["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=x exec "$0"', binary()],
                          capture_output=True, text=True, timeout=TIMEOUT)
    judge(done, "LISTEN_FDS", "does not count sockets", "use a socket unit")


@pytest.mark.parametrize("words,option,value,remedy", NATS, ids=ids(NATS))
def test_a_refused_login_at_nats_is_named_with_its_value_and_remedy(folder, words, option, value, remedy):
    if "memory|nats" not in run("--help").stdout:
        pytest.skip("this build has no NATS")
    done = run("--check-config", "--log-level", "error", "--backend", "nats", *fill(words, folder))
    judge(done, option, value, remedy)


@pytest.mark.parametrize("words,option,value,remedy", TOKENS, ids=ids(TOKENS))
def test_what_sluice_token_refuses_is_named_with_its_value_and_remedy(folder, words, option, value, remedy):
    done = run("token", *fill(words, folder))
    assert done.returncode == 2 and done.stdout == ""
    judge(done, option, value, remedy)
