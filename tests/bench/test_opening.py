"""The scenario opening: every client that connects while the server is paused is taken, and a
long-poll is held. Nothing is asserted on how long that takes."""

import pytest

OPTIONS = ("--scenarios", "opening", "--repeats", 1, "--seconds", 0.3)
PEERS = {
    "floor-open": ["websocket", "sse", "longpoll"],
    "nchan": ["websocket", "longpoll"],
    "sluice": ["websocket", "sse", "stream", "longpoll"],
}


@pytest.mark.parametrize("peer, transport", [
    (peer, transport) for peer, transports in PEERS.items() for transport in transports])
def test_what_opening_costs_is_measured(run_bench, peer, transport):
    run = run_bench("peers", "--peers", peer, "--transports", transport, *OPTIONS)
    if not run.results("opening"):
        pytest.skip(run.report["not_measured"][0])
    assert run.status == 0, run.stdout + run.stderr
    figures = run.repeat("opening", transport)["figures"]
    assert figures["cpu_us_per_connection"] > 0, figures


def test_floor_open_is_measured_by_nothing_else(run_bench):
    run = run_bench("peers", "--peers", "floor-open", "--scenarios", "latency,fanout")
    assert run.report["results"] == []
    for scenario in "latency", "fanout":
        assert "%s on floor-open: the server only opens connections" % scenario in \
            run.report["not_measured"]


def test_a_target_is_not_paused_and_it_says_so(run_bench, gateway):
    run = run_bench(*OPTIONS, "--target", gateway.origin, "--pid", gateway.pid)
    assert run.results("opening") == []
    assert "opening on sluice: the bench cannot pause a target" in run.report["not_measured"]
