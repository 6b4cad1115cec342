"""sluice-bench probe: the verdict on the way from here to a gateway, on the command line."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from sluicetest.gateway import binary
from sluicetest.obstacle import Obstacle

BENCH = os.path.join(os.path.dirname(binary()), "sluice-bench")
CLIENT = os.path.join(os.path.dirname(BENCH), "www", "client", "diagnose.js")
NAMES = ["websocket", "sse", "stream", "longpoll", "poll"]

pytestmark = pytest.mark.skipif(not os.path.exists(CLIENT) or not shutil.which("node"),
                                reason="a build with sanitizers has no client; Node.js is needed")


def run(*arguments, status=0):
    done = subprocess.run([BENCH, "probe", *arguments], capture_output=True, text=True, timeout=240)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def url(server):
    return "http://%s:%d/" % server.address


def probe(*arguments, status=0):
    report = json.loads(run(*arguments, "--json", status=status).stdout)
    return report, [report["transports"][name]["state"] for name in NAMES]


def test_nothing_in_the_way(gateway):
    text = run(url(gateway)).stdout
    assert "All transports work." in text
    assert "Evidence:\n" in text and "the gateway got HTTP/1.1 with Host" in text
    assert [line.split()[:2] for line in text.splitlines() if line[2:12].strip() in NAMES] == [
        [name, "works"] for name in NAMES]


def test_json_has_verdict_transports_and_evidence(gateway):
    report, states = probe(url(gateway))
    assert report["url"] == url(gateway) and states == ["works"] * 5
    assert all(item["what"] and item["saw"] and item["ms"] >= 0 for item in report["evidence"])


@pytest.mark.parametrize("faults,words,states", [
    (["strip-upgrade"], "removes the Upgrade header", "dead works works works works"),
    (["refuse=451@transport=websocket"], "status 451", "dead works works works works"),
    (["half-up"], "no data to the gateway", "dead works works works works"),
    (["wrong-accept"], "does not arrive intact", "dead works works works works"),
    (["buffer-end"], "holds streams back", "works dead dead works works"),
])
def test_obstacles_are_named(gateway, faults, words, states):
    with Obstacle(gateway, *faults) as obstacle:
        report, found = probe(url(obstacle))
    assert words in report["verdict"] and " ".join(found) == states, report["verdict"]


def test_status_of_a_refused_upgrade_is_seen(gateway):
    with Obstacle(gateway, "strip-upgrade") as obstacle:
        report, _ = probe(url(obstacle))
    assert [item["saw"] for item in report["evidence"] if item["what"] == "WebSocket"][0].startswith(
        "no handshake, status 426")


def test_nothing_gets_through_is_status_1(gateway):
    with Obstacle(gateway, "captive") as obstacle:
        report, states = probe(url(obstacle), status=1)
    assert states == ["dead"] * 5 and "captive portal" in report["verdict"]


def test_forward_proxy_passes_all(gateway):
    with Obstacle(gateway, options=["--forward"]) as proxy:
        report, states = probe(url(gateway), "--via", url(proxy))
        assert states == ["works"] * 5, report["verdict"]
        assert proxy.counts(), "it went through the proxy"


def test_forward_proxy_that_tunnels_to_443_only(gateway):
    with Obstacle(gateway, "connect-only=443", options=["--forward"]) as proxy:
        report, states = probe(url(gateway), "--via=" + url(proxy))
    assert states == ["dead", "works", "works", "works", "works"]
    assert "answers CONNECT with status 403" in report["verdict"]


def test_forward_proxy_that_wants_a_login(gateway):
    with Obstacle(gateway, "proxy-auth", options=["--forward"]) as proxy:
        report, states = probe(url(gateway), "--via=" + url(proxy), status=1)
    assert states == ["dead"] * 5 and "requires a login (status 407)" in report["verdict"]


@contextlib.contextmanager
def intercepted(folder):
    """A TLS server whose certificate nobody trusts; yields its address."""
    files = [str(folder / name) for name in ("key.pem", "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-keyout", files[0], "-out", files[1], "-days", "2",
                    "-subj", "/O=Inspector Ltd/CN=Inspector Root"], check=True, capture_output=True)
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(files[1], files[0])

    def shake_hands(client):
        with contextlib.suppress(OSError), settings.wrap_socket(client, server_side=True) as secure:
            secure.recv(1)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=shake_hands, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("via", [False, True])
def test_who_intercepts_tls_is_named(tmp_path, via):
    with intercepted(tmp_path) as address, Obstacle(address, options=["--forward"]) as proxy:
        report, states = probe("https://%s:%d/" % address, *["--via=" + url(proxy)] * via, status=1)
    assert states == ["dead"] * 5
    assert ("not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT; its issuer is O=Inspector Ltd, CN=Inspector Root): "
            "a proxy intercepts TLS") in report["verdict"]
    assert "NODE_EXTRA_CA_CERTS" in report["verdict"]


def test_a_tunnel_that_is_refused_is_said_of_every_transport(gateway):
    """With TLS each of them needs one."""
    with Obstacle(gateway, "connect-only=443", options=["--forward"]) as proxy:
        report, states = probe("https://127.0.0.1:%d/" % gateway.address[1], "--via=" + url(proxy), status=1)
    assert states == ["dead"] * 5
    assert "answers CONNECT with status 403" in report["verdict"]
    assert len({transport["why"] for transport in report["transports"].values()}) == 1, report["transports"]


def test_the_gateway_says_itself_what_it_refuses(gateway, start_gateway):
    with Obstacle(gateway, "rewrite-host=push.example") as obstacle:
        report, states = probe(url(obstacle), status=1)
    assert states == ["dead"] * 5
    assert "cannot work here: the gateway does not answer to the Host push.example; start it with --public-origin" in report["verdict"]
    moved = start_gateway("--base-path", "/push/")
    report, states = probe(url(moved), status=1)
    assert states == ["dead"] * 5
    assert "status 404 (there is nothing at this path): end the URL with the --base-path" in report["verdict"]
    assert probe(url(moved) + "push/")[1] == ["works"] * 5


@pytest.mark.parametrize("arguments", [
    [], ["ftp://127.0.0.1/"], ["nonsense"], ["http://127.0.0.1/", "http://127.0.0.1/"],
    ["http://127.0.0.1/", "--via=nonsense"], ["http://127.0.0.1/", "--nothing"]])
def test_command_line_that_makes_no_sense_is_2(arguments):
    done = run(*arguments, status=2)
    assert done.stderr.startswith("sluice-bench probe: ") and not done.stdout


def test_help_is_shown():
    assert "--via=PROXY" in run("--help").stdout
