"""The scenario channels: each message goes to one of many, and every one is counted."""

import pytest

from benchtest import Relay

CHANNELS = 60
SECONDS = 0.5
MESSAGES = 2000 * SECONDS  # of all channels together
OPTIONS = ("--scenarios", "channels", "--connections", CHANNELS, "--repeats", 1,
           "--seconds", SECONDS)
PEERS = {
    "floor": ["websocket", "sse"],
    "nchan": ["websocket", "sse", "stream", "longpoll"],
    "sluice": ["websocket", "sse", "stream", "longpoll"],
}


@pytest.mark.parametrize("peer, transport", [
    (peer, transport) for peer, transports in PEERS.items() for transport in transports])
def test_every_message_of_every_channel_is_counted(run_bench, peer, transport):
    run = run_bench("peers", "--peers", peer, "--transports", transport, *OPTIONS)
    if not run.results("channels"):
        pytest.skip(run.report["not_measured"][0])
    assert run.status == 0, run.stdout + run.stderr
    result = run.results("channels", transport)[0]
    repeat = result["repeats"][0]
    figures = repeat["figures"]
    assert result["case"]["channels"] == CHANNELS
    assert repeat["deliveries"] == repeat["expected"] == figures["samples"] == MESSAGES
    assert (repeat["lost"], repeat["doubled"], repeat["reordered"]) == (0, 0, 0)
    assert 0 < figures["p50_us"] <= figures["p99_us"]
    assert figures["cpu_us_per_delivery"] > 0 and "process_kib" in figures


LAST = int(CHANNELS + MESSAGES)  # each channel has had one before


@pytest.mark.parametrize("harm, number, figure", [
    ("lose", 200, "lost"), ("lose", LAST, "lost"), ("double", 200, "doubled")])
def test_a_harmed_message_of_one_channel_is_found(run_bench, gateway, harm, number, figure):
    with Relay(gateway.address, harm, every=number) as relay:
        run = run_bench(*OPTIONS, "--transports", "websocket", "--target", relay.origin)
        assert relay.harmed == 1
    repeat = run.repeat("channels")
    assert repeat[figure] == 1, repeat
    assert run.status == 1, run.stdout


def test_short_polls_are_not_measured_and_it_says_why(run_bench):
    run = run_bench(*OPTIONS, "--transports", "poll")
    assert run.results("channels") == []
    assert any(text.startswith("channels on sluice: a short poll")
               for text in run.report["not_measured"]), run.report["not_measured"]
