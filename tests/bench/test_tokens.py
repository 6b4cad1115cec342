"""--tokens, and crowds whose tokens end. Counts are exact; no time and no ratio is asserted."""

import pytest

from benchtest import Bench

QUICK = ("--quick", "--seconds", 0.2, "--subscribers", 20, "--repeats", 1)
STREAMS = 60
ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
PARTS = ("renewed", "expired", "disconnected")


@pytest.fixture(scope="module")
def requests():
    """Every kind of token, and of request."""
    run = Bench("--tokens=all", "--scenarios", "token", *QUICK).wait()
    assert run.status == 0, run.stdout + run.stderr
    return run


@pytest.fixture(scope="module")
def crowd():
    run = Bench("--scenarios", "renewal", "--connections", STREAMS, "--quick").wait()
    assert run.status == 0, run.stdout + run.stderr
    return run


def repeat_of(run, scenario, server, transport=None, **case):
    found = [result for result in run.results(scenario, transport) if result["server"] == server
             and case.items() <= result["case"].items()]
    assert len(found) == 1 and len(found[0]["repeats"]) == 1, found
    return found[0]["repeats"][0]


def test_every_algorithm_has_its_lines_beside_the_gateway_without(requests):
    lines = requests.report["tokens"]["lines"]
    assert [line["algorithm"] for line in lines] == [name for name in ALGORITHMS for _ in range(4)]
    for line in lines:
        assert line["title"] in requests.stdout
        assert line["with"]["count"] == line["without"]["count"] == 1
        assert line["ratio"]["median"] == pytest.approx(
            line["with"]["median"] / line["without"]["median"], rel=1e-3)
    assert {result["server"] for result in requests.report["results"]} == {
        "sluice", *("sluice-" + name.lower() for name in ALGORITHMS)}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("request_", ["poll", "publish"])
def test_a_new_token_is_verified_and_one_seen_before_is_not(requests, algorithm, request_):
    server = "sluice-" + algorithm.lower()
    seen = repeat_of(requests, "token", server, request=request_, token="seen")["figures"]
    new = repeat_of(requests, "token", server, request=request_, token="new")["figures"]
    assert seen["requests"] > 0 and new["requests"] > 0
    assert seen["verified"] == 0 and seen["cached"] == seen["requests"]
    # What asks for the count has a token too, which those many may have pushed out.
    assert new["requests"] <= new["verified"] <= new["requests"] + 1


def test_without_tokens_nothing_is_counted(requests):
    for result in requests.results("token"):
        if result["server"] == "sluice":
            assert "verified" not in result["repeats"][0]["figures"]


@pytest.mark.parametrize("transport", ["websocket", "sse"])
@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_lost_or_doubled_when_a_crowds_tokens_end(crowd, transport, part):
    repeat = repeat_of(crowd, "renewal", "sluice-hs256", transport, end=part)
    figures = repeat["figures"]
    assert figures["streams"] == STREAMS
    assert repeat["deliveries"] == repeat["expected"] > 0
    assert repeat["lost"] == repeat["doubled"] == repeat["reordered"] == 0
    assert figures["lost"] == figures["doubled"] == 0
    assert figures["longest_turn_us"] > 0


@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_who_renews_is_not_ended_and_who_does_not_is(crowd, transport):
    told = {part: repeat_of(crowd, "renewal", "sluice-hs256", transport, end=part)["figures"]
            for part in PARTS}
    assert {part: (figures["expired"], figures["revoked"]) for part, figures in told.items()} == {
        "renewed": (0, 0), "expired": (STREAMS, 0), "disconnected": (0, STREAMS)}
    assert told["renewed"]["verified"] == told["expired"]["verified"] == STREAMS
    assert told["disconnected"]["verified"] == 0
    for part in ("expired", "disconnected"):
        assert 0 <= told[part]["retry_min_ms"] < told[part]["retry_max_ms"] <= 2000


def test_an_idle_connection_may_have_a_token_of_its_own(run_bench):
    run = run_bench("peers", "--peers", "sluice-es256", "--scenarios", "idle", "--transports", "sse",
                    "--connections", 30, *QUICK)
    assert run.status == 0, run.stdout + run.stderr
    assert repeat_of(run, "idle", "sluice-es256")["figures"]["connections"] == 30


@pytest.mark.parametrize("server", ["sluice-hs256", "sluice-rs256", "sluice-es256", "sluice-eddsa"])
def test_every_transport_delivers_to_clients_with_tokens(run_bench, server):
    run = run_bench("peers", "--peers", server, "--scenarios", "switch", "--quick")
    assert run.status == 0, run.stdout + run.stderr
    figures = repeat_of(run, "switch", server)["figures"]
    assert figures["delivered"] > 0 and figures["lost"] == figures["doubled"] == 0


def test_a_gateway_that_knows_no_tokens_is_a_failure(run_bench):
    run = run_bench("--tokens=ES256", "--sluice", "/bin/false", "--scenarios", "token", *QUICK)
    assert run.status == 1


@pytest.mark.parametrize("options", [
    ("--tokens=all", "--tls"), ("--tokens=all", "--target", "http://127.0.0.1:1/"), ("--tokens=all", "--full"),
    ("--tokens=all", "--against", "/bin/true"), ("--tokens=all", "--network", "lan"), ("budget", "--tokens=all"),
    ("peers", "--tokens=all"), ("--tokens=none",), ("--tokens=hs256",),
], ids=["tls", "target", "full", "against", "network", "budget", "peers", "none", "lower-case"])
def test_what_makes_no_sense_is_refused(run_bench, options):
    run = run_bench(*options)
    assert run.status == 2, run.stderr
    assert "--tokens" in run.stderr
