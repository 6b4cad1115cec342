"""--tls: the gateway over https by turns with http. One run, of which each test looks at a part. Counts
are exact; what the ratios are is not asserted, since that would be timing."""

import pytest

from benchtest import Bench

CONNECTIONS = 40
RECORD = 22  # what a record of TLS 1.3 adds
QUICK = ("--quick", "--seconds", 0.2, "--subscribers", 20, "--connections", CONNECTIONS)
TRANSPORTS = ("websocket", "sse", "stream", "longpoll", "poll")
ROWS = {
    ("fanout", "websocket"), ("fanout", "sse"), ("fanout", "stream"), ("fanout", "longpoll"),
    ("opening", "websocket"), ("opening", "sse"), ("opening", "longpoll"),
    ("idle", "websocket"), ("idle", "sse"), ("idle", "longpoll"),
    ("publish", "http"), ("handshake", "http"), ("storm", "websocket"),
    *(("overhead", transport) for transport in TRANSPORTS),
}
WITH_A_LIMIT = {"fanout", "idle", "overhead"}


@pytest.fixture(scope="module")
def run():
    run = Bench("--tls", *QUICK).wait()
    assert run.status == 0, run.stdout + run.stderr
    return run


def figures(run, scenario, server, transport=None, **case):
    """Of the one repeat of the one result."""
    found = [result for result in run.results(scenario, transport) if result["server"] == server
             and case.items() <= result["case"].items()]
    assert len(found) == 1 and len(found[0]["repeats"]) == 1, found
    return found[0]["repeats"][0]["figures"]


def test_every_row_has_both_and_a_verdict(run):
    lines = run.report["tls"]["lines"]
    assert {(line["scenario"], line["transport"]) for line in lines} == ROWS
    for line in lines:
        assert line["title"] in run.stdout
        assert line["tls"]["count"] == line["clear"]["count"] == 1 or line["figure"].endswith("p99_us")
        if line["limit"] is None:
            assert line["verdict"] in ("", "not measured"), line
        elif line["value"] is not None:
            assert line["verdict"] == ("over" if line["value"] > line["limit"] else "within"), line
        if line["scenario"] in WITH_A_LIMIT:
            assert line["limit"] is not None, line
        if line["ratio"]["count"]:
            assert line["ratio"]["median"] == pytest.approx(
                line["tls"]["median"] / line["clear"]["median"], rel=1e-3)
    assert {result["server"] for result in run.report["results"]} == {"sluice", "sluice-tls"}


@pytest.mark.parametrize("held, figure, limit", [
    ("ratio", "cpu_us_per_delivery", 1.6), ("median", "process_kib", 15),
    ("highest", "longest_turn_us", 10000), ("highest", "down_tls", RECORD), ("highest", "relayed", 0),
])
def test_what_is_held_against_a_limit_is_that_of_the_figure(run, held, figure, limit):
    lines = [line for line in run.report["tls"]["lines"] if line["figure"] == figure]
    assert lines and all(line["held"] == held for line in lines)
    assert limit in {line["limit"] for line in lines}


@pytest.mark.parametrize("transport", ["websocket", "sse", "stream", "longpoll"])
def test_each_record_is_longer_by_22_bytes(run, transport):
    result, = (result for result in run.results("overhead", transport)
               if result["server"] == "sluice-tls")
    messages = result["repeats"][0]["deliveries"]
    added = result["repeats"][0]["figures"]["down_tls"] * messages
    # A gateway that was held up may put two messages into one record, and no message into two.
    assert added == pytest.approx(RECORD * round(added / RECORD), abs=1e-2)
    assert 0 < round(added / RECORD) <= messages
    assert figures(run, "overhead", "sluice", transport)["down_tls"] == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("server", ["sluice", "sluice-tls"])
def test_the_gateway_counts_the_bytes_of_the_wire_and_relays_nothing(run, server, transport):
    counted = figures(run, "overhead", server, transport)
    assert counted["stats_down"] == counted["wire_down"] > 0
    assert counted["stats_up"] == counted["wire_up"]
    assert counted["relayed"] == 0


# Of these a message has the same bytes whether or not others go with it.
@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_messages_one_at_a_time_are_as_long_on_either_wire(run, transport):
    wire = [figures(run, "fanout", server, transport, burst=1)["wire_per_delivery"]
            for server in ("sluice-tls", "sluice")]
    # Less only where two messages went into one record.
    assert wire[1] - RECORD < wire[0] <= wire[1] + 1e-6


@pytest.mark.parametrize("handshake", ["full", "resumed"])
def test_new_connections_shake_hands_as_their_case_says(run, handshake):
    one = figures(run, "handshake", "sluice-tls", handshake=handshake)
    assert one["connections"] > 0 and one["cpu_us_per_connection"] > 0
    assert one["resumed"] == (one["connections"] if handshake == "resumed" else 0)
    assert "resumed" not in figures(run, "handshake", "sluice", handshake=handshake)


@pytest.mark.parametrize("handshake", ["full", "resumed"])
def test_every_client_of_the_storm_comes_back_by_the_gateways_own_count(run, handshake):
    storm = figures(run, "storm", "sluice-tls", handshake=handshake)
    other = {"full": "resumed", "resumed": "full"}[handshake]
    assert storm["connections"] == storm[handshake] == CONNECTIONS
    assert storm[other] == storm["failed"] == 0
    assert storm["longest_turn_us"] > 0
    assert figures(run, "storm", "sluice", handshake=handshake)["longest_turn_us"] > 0


def test_scenarios_and_transports_choose_rows(run_bench):
    run = run_bench("--tls", "--scenarios", "opening,publish", "--transports", "sse", *QUICK,
                    "--repeats", 2)
    assert run.status == 0, run.stdout + run.stderr
    lines = run.report["tls"]["lines"]
    assert [(line["scenario"], line["transport"]) for line in lines] == [
        ("publish", "http"), ("opening", "sse")]
    assert all(line["ratio"]["count"] == 2 for line in lines), lines


def test_every_message_arrives_once_and_in_order_over_tls_whatever_is_cut(run_bench):
    run = run_bench("peers", "--peers", "sluice-tls", "--scenarios", "switch", "--quick")
    assert run.status == 0, run.stdout + run.stderr
    switched = figures(run, "switch", "sluice-tls")
    assert switched["hops"] > 0 and switched["delivered"] > 0
    assert switched["lost"] == switched["doubled"] == switched["reordered"] == 0


def test_a_gateway_that_speaks_no_tls_is_a_failure_and_no_row_is_measured(run_bench):
    run = run_bench("--tls", "--sluice", "/bin/false", "--scenarios", "publish", *QUICK)
    assert run.status == 1
    line, = run.report["tls"]["lines"]
    assert line["verdict"] == "not measured" and line["value"] is None


@pytest.mark.parametrize("options", [
    ("--tls", "--target", "https://127.0.0.1:1/"), ("--tls", "--against", "/bin/true"),
    ("--tls", "--full"), ("--tls", "--network", "lan"), ("budget", "--tls"), ("peers", "--tls"),
], ids=["target", "against", "full", "network", "budget", "peers"])
def test_what_makes_no_sense_with_it_is_refused(run_bench, options):
    run = run_bench(*options)
    assert run.status == 2, run.stderr
    assert "--tls" in run.stderr
