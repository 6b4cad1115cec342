"""What `sluice-bench peers` compares with: each peer that is installed here is started, listened
to, published to and stopped, and no message is lost; the others are named with what is missing."""

import pytest

PEERS = {
    "nchan": ["websocket", "sse", "stream", "longpoll"],
    "ws": ["websocket"],
    "socket.io": ["websocket", "longpoll"],
    "pushpin": ["websocket", "sse"],
}


def skip_if_missing(run, peer):
    """Debian 13 has no Pushpin; of ws and Socket.IO npm's registry may be out of reach."""
    missing = [text for text in run.report["not_measured"] if "skipped: " + peer in text]
    if missing:
        pytest.skip(missing[0])


def measure(run_bench, peer, transport, *options):
    return run_bench("peers", "--peers", peer, "--transports", transport, "--scenarios",
                     "latency", "--repeats", 1, "--seconds", 0.5, *options)


@pytest.mark.parametrize("peer, transport", [
    (peer, transport) for peer, transports in PEERS.items() for transport in transports])
def test_a_peer_delivers_everything(run_bench, peer, transport):
    run = measure(run_bench, peer, transport)
    results = run.results("latency", transport)
    if not results:
        skip_if_missing(run, peer)
    assert results, run.report["not_measured"]
    assert run.status == 0, run.stdout + run.stderr
    for result in results:
        repeat = result["repeats"][0]
        assert repeat["deliveries"] == repeat["expected"] > 0, repeat
        assert repeat["lost"] == repeat["doubled"] == repeat["reordered"] == 0, repeat


@pytest.mark.parametrize("peer, option, says", [
    ("nchan", "--nginx", "nginx is not installed (scripts/setup peers)"),
    ("ws", "--node", "Node.js is not installed (scripts/setup peers)"),
    ("pushpin", "--pushpin", "pushpin is not installed (scripts/setup peers)"),
])
def test_a_peer_that_is_not_installed_is_named_with_what_is_missing(run_bench, peer, option, says):
    run = measure(run_bench, peer, "websocket", option, "/nowhere/program")
    assert run.results("latency") == []
    assert "skipped: %s, %s" % (peer, says) in run.report["not_measured"]


def test_what_a_peer_offers_but_is_not_measured_says_why(run_bench):
    run = measure(run_bench, "pushpin", "longpoll")
    skip_if_missing(run, "pushpin")
    assert any(text.startswith("longpoll on pushpin: it keeps no messages")
               for text in run.report["not_measured"]), run.report["not_measured"]
