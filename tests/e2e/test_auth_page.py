"""doc/auth.md: its shell commands say what it shows, and each of its programs mints a token that the
gateway accepts. Its pages run in tests/browser."""

import os
import re
import shutil
import subprocess

import pytest

from sluicetest.gateway import E2E_FOLDER
from sluicetest.shell_page import run_page

DOC = os.path.join(os.path.dirname(os.path.dirname(E2E_FOLDER)), "doc")
EXAMPLES = os.path.join(DOC, "auth")
# What runs an example, and if scripts/setup installs that.
RUNNERS = {"mint.mjs": (["node"], True), "mint.py": (["/usr/bin/python3"], True),
           "mint_pyjwt.py": (["/usr/bin/python3"], False), "mint.php": (["php"], False),
           "mint.go": (["go", "run"], False)}


def read_page():
    with open(os.path.join(DOC, "auth.md"), encoding="utf-8") as file:
        return file.read()


def example(name):
    return os.path.join(EXAMPLES, name)


def make_key(folder, size=48):
    path = os.path.join(str(folder), "token.key")
    with open(path, "wb") as file:
        subprocess.run(["openssl", "rand", "-base64", str(size)], check=True, stdout=file)
    return path


def run(command, folder):
    """What it prints. Go keeps what it builds, and asks no network."""
    env = dict(os.environ, GOCACHE=os.path.join(str(folder), "go"), GOPROXY="off", GOTOOLCHAIN="local")
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    return done.stdout.strip()


def mint(name, folder, key, subject):
    runner, is_required = RUNNERS[name]
    is_there = shutil.which(runner[0]) is not None
    if name == "mint_pyjwt.py":
        is_there = subprocess.run([*runner, "-c", "import jwt"], capture_output=True).returncode == 0
    if not is_there:
        assert not (is_required and os.environ.get("SLUICE_REQUIRE_TOOLS") == "1"), \
            "what runs %s is not installed" % name
        pytest.skip("what runs %s is not installed" % name)
    return run([*runner, example(name), key, subject], folder)


def status_of(gateway, token, channel, publish=False):
    headers = {"Authorization": "Bearer " + token, "Content-Type": "text/plain"}
    response = gateway.request("POST", "/publish?channel=" + channel, headers, b"x") if publish else \
        gateway.request("GET", "/poll?channels=" + channel, headers)
    return response.status


def assert_allows_what_the_page_says(gateway, token):
    assert status_of(gateway, token, "chat.42", publish=True) == 200
    assert status_of(gateway, token, "chat.1", publish=True) == 403
    assert status_of(gateway, token, "chat.1") == 200
    assert status_of(gateway, token, "news") == 403
    head, claims, signature = token.split(".")
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert status_of(gateway, ".".join((head, claims, changed)), "chat.1") == 401


def test_commands_of_the_page_say_what_it_shows(tmp_path):
    run_page(read_page(), tmp_path, [example(name) for name in os.listdir(EXAMPLES)], (8080, 8081, 9090, 8000))


@pytest.mark.parametrize("name", RUNNERS)
def test_an_example_mints_what_the_gateway_accepts(name, tmp_path, start_gateway):
    key = make_key(tmp_path)
    token = mint(name, tmp_path, key, "ann")
    assert_allows_what_the_page_says(start_gateway("--token-key", key), token)


def test_a_token_of_another_key_is_refused(tmp_path, start_gateway):
    token = mint("mint.py", tmp_path, make_key(tmp_path), "ann")
    gateway = start_gateway("--token-key", make_key(tmp_path))
    assert status_of(gateway, token, "chat.1") == 401


@pytest.mark.parametrize("subject", ["ann", "günther@example.org", "雪", "a\\\"b"])
@pytest.mark.parametrize("name", ["mint.mjs", "mint.py", "mint.php"])
def test_a_subject_may_be_any_text(name, subject, tmp_path, start_gateway):
    key = make_key(tmp_path)
    token = mint(name, tmp_path, key, subject)
    assert status_of(start_gateway("--token-key", key), token, "chat.1") == 200


def test_the_page_mints_with_a_private_key(tmp_path, start_gateway):
    private, public = (os.path.join(str(tmp_path), name) for name in ("private.pem", "may.pem"))
    run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], tmp_path)
    run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], tmp_path)
    jwks = os.path.join(str(tmp_path), "keys.json")
    with open(jwks, "w") as file:
        file.write(run(["node", example("jwks.mjs"), public], tmp_path))
    mint_for = lambda kid: run(["node", example("mint-ed25519.mjs"), private, kid, "ann"], tmp_path)
    for key in (public, jwks):
        assert_allows_what_the_page_says(start_gateway("--token-key", key), mint_for("may"))
    assert status_of(start_gateway("--token-key", jwks), mint_for("june"), "chat.1") == 401


def test_every_program_of_the_page_is_run():
    run_here = set(RUNNERS) | {"mint-ed25519.mjs", "jwks.mjs"}
    in_browsers = {"listen.html", "eventsource.mjs"}
    assert run_here | in_browsers == set(os.listdir(EXAMPLES))
    assert set(re.findall(r"^```(\w+)$", read_page(), re.M)) == {
        "sh", "js", "json", "html", "python", "php", "go"}
