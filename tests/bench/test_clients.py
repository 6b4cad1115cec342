"""--clients: the same clients on the gateway and on Socket.IO's own server, beside the gateway's own. Counts
are exact; no time and no ratio is asserted."""

import pytest

from benchtest import Bench

QUICK = ("--quick", "--seconds", 0.2, "--subscribers", 20, "--connections", 40, "--repeats", 1)
OURS = ("sluice-socketio", "sluice-socketio-4", "sluice-engineio")
NODE = "socket.io"


@pytest.fixture(scope="module")
def clients():
    run = Bench("--clients", *QUICK).wait()
    assert run.status == 0, run.stdout + run.stderr
    return run


def has_node(run):
    """npm's registry may be out of reach."""
    return any(result["server"] == NODE for result in run.report["results"])


def test_every_row_has_its_figures(clients):
    lines = {line["name"]: line for line in clients.report["clients"]["lines"]}
    assert len(lines) == 15
    for name, line in lines.items():
        assert line["title"] in clients.stdout
        # A percentile of so few is chance, and not shown.
        few = name in ("clients-upgrade-p99", "clients-upgrade-shards-p99")
        assert few or line["clients"]["count"] == 1, line
        compared = line["native"] is not None
        assert compared == (line["scenario"] != "upgrade"), line
        if compared:
            assert line["ratio"]["median"] == pytest.approx(
                line["clients"]["median"] / line["native"]["median"], rel=1e-3)


def test_the_same_clients_run_on_their_own_server(clients):
    if not has_node(clients):
        pytest.skip("Socket.IO is not installed (make peers)")
    for line in clients.report["clients"]["lines"]:
        if line["server"] == "sluice-socketio" and not line["name"].endswith("p99"):
            assert line["node_ratio"]["median"] == pytest.approx(
                line["node"]["median"] / line["clients"]["median"], rel=1e-3), line


def test_every_message_reaches_every_client_once(clients):
    seen = set()
    for result in clients.report["results"]:
        repeat = result["repeats"][0]
        assert "error" not in repeat, result
        if result["scenario"] == "fanout":
            seen.add((result["server"], result["transport"]))
            assert repeat["deliveries"] == repeat["expected"] > 0, result
            assert repeat["lost"] == repeat["doubled"] == repeat["reordered"] == 0, result
    assert {server for server, _ in seen} >= set(OURS)
    assert {transport for _, transport in seen} == {"websocket", "longpoll"}


@pytest.mark.parametrize("server", ["sluice-socketio", "sluice-socketio-4", NODE])
def test_every_session_goes_on_over_its_websocket(clients, server):
    found = [result for result in clients.results("upgrade") if result["server"] == server]
    if server == NODE and not found:
        pytest.skip("Socket.IO is not installed (make peers)")
    figures = found[0]["repeats"][0]["figures"]
    assert figures["samples"] >= 100
    assert 0 < figures["released_p50_us"] <= figures["p50_us"] <= figures["max_us"]


@pytest.mark.parametrize("server, transport", [
    (server, transport) for server in OURS for transport in ("websocket", "longpoll")])
def test_a_peer_counts_its_bytes(run_bench, server, transport):
    run = run_bench("peers", "--peers", server, "--transports", transport, "--scenarios", "overhead", *QUICK)
    assert run.status == 0, run.stdout + run.stderr
    for result in run.results("overhead", transport):
        assert result["repeats"][0]["figures"]["down_total"] > result["case"]["payload"]


def test_peers_leaves_these_out_unless_they_are_named(run_bench):
    run = run_bench("peers", "--transports", "stream", "--scenarios", "idle", *QUICK)
    assert not any(name in text for text in run.report["not_measured"] for name in OURS)
    assert {result["server"] for result in run.report["results"]} & {"sluice-4", *OURS} == set()


@pytest.mark.parametrize("options", [
    ("--clients", "--tls"), ("--clients", "--tokens=all"), ("--clients", "--target", "http://127.0.0.1:1/"),
    ("--clients", "--full"), ("--clients", "--against", "/bin/true"), ("--clients", "--network", "lan"),
    ("budget", "--clients"), ("peers", "--clients"),
], ids=["tls", "tokens", "target", "full", "against", "network", "budget", "peers"])
def test_what_makes_no_sense_is_refused(run_bench, options):
    run = run_bench(*options)
    assert run.status == 2, run.stderr
    assert "--clients" in run.stderr
