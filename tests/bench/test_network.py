"""sluice-bench --network: every figure for every transport, held against what cannot be otherwise on
such a network, and the bytes against those over loopback.

Times are only asserted to be long enough: no message is faster than its network."""

import pytest

from benchtest.link import require_networks

TRANSPORTS = ("websocket", "sse", "stream", "longpoll", "poll")
FIGURES = {
    "net-connect": ("connect_p50_us", "first_fresh_p50_us", "first_resumed_p50_us"),
    "net-latency": ("latency_p50_us",),
    "net-recovery": ("recovery_us", "recovery_max_us"),
    "net-bytes": ("link_bytes_down_per_message", "link_bytes_up_per_message",
                  "link_retransmitted_bytes_per_message"),
    "net-publish": ("publish_p50_us",),
}
RTT_US = 30000
STREAM_KINDS = ("payload", "framing", "heads")


@pytest.fixture(scope="module", autouse=True)
def networks():
    require_networks()


def figures_of(run, scenario, transport, **case):
    results = [result for result in run.results(scenario, transport)
               if case.items() <= result["case"].items()]
    assert len(results) == 1 and len(results[0]["repeats"]) == 1, (scenario, transport, case, results)
    repeat = results[0]["repeats"][0]
    assert "error" not in repeat and repeat.get("lost", 0) == 0, repeat
    return repeat["figures"]


def check_shape(run):
    """Each row says its network, and what the link cost."""
    for result in run.report["results"]:
        assert result["network"] == {
            "name": "rtt=30,loss=1,rate=50/20", "rtt_ms": 30, "jitter_ms": 0, "loss": 0.01,
            "down_mbit": 50, "up_mbit": 20, "seed": 1,
            "queue_bytes": result["network"]["queue_bytes"]}, result["network"]
        for repeat in result["repeats"]:
            assert repeat["link"]["seed"] == 1 and repeat["link"]["cpu_share"] > 0, repeat["link"]
            assert repeat["figures"]["link_late_p99_us"] >= 0, repeat["figures"]
            assert all(repeat["link"][way]["bytes"] > 0 for way in ("down", "up")), repeat["link"]
    for scenario, figures in FIGURES.items():
        for transport in TRANSPORTS:
            for result in run.results(scenario, transport):
                assert set(figures) <= result["summary"].keys(), result


def check_times(run, transport):
    """By the least number of one-way trips that each takes."""
    connect = figures_of(run, "net-connect", transport)
    assert connect["connect_p50_us"] >= 2 * RTT_US, connect
    assert connect["first_fresh_p50_us"] >= 2.5 * RTT_US, connect
    assert connect["first_resumed_p50_us"] >= 2 * RTT_US, connect
    for rate in (1, 10, 100):
        latency = figures_of(run, "net-latency", transport, rate=rate)
        assert latency["latency_p50_us"] >= RTT_US / 2, (rate, latency)
    assert figures_of(run, "net-publish", transport)["publish_p50_us"] >= RTT_US


def check_cut(run, transport):
    """While the link is cut, packets are lost on it; its 10 messages came nevertheless."""
    result, = run.results("net-recovery", transport)
    repeat = result["repeats"][0]
    assert result["case"]["cut_s"] == 1 and repeat["deliveries"] == repeat["expected"] > 0, result
    assert repeat["figures"]["samples"] * result["case"]["rate"] < repeat["expected"], repeat
    link = repeat["link"]
    assert link["down"]["cut_packets"] + link["up"]["cut_packets"] > 0, link
    assert repeat["figures"]["recovery_max_us"] >= repeat["figures"]["recovery_us"] > 0, repeat


def test_all_figures_of_all_transports_are_there_and_none_beats_its_network(run_bench):
    run = run_bench("--network", "rtt=30,loss=1,rate=50/20", "--quick")
    assert run.status == 0, run.stdout + run.stderr
    check_shape(run)
    for transport in TRANSPORTS:
        check_times(run, transport)
        check_cut(run, transport)
        size = figures_of(run, "net-bytes", transport)
        assert size["link_bytes_down_per_message"] > 128 and size["link_bytes_up_per_message"] > 0
    # A fresh long-poll asks a second time for the message; a fresh poll waits for its interval.
    fresh = figures_of(run, "net-connect", "longpoll")
    assert fresh["first_fresh_p50_us"] >= 3 * RTT_US, fresh
    assert figures_of(run, "net-connect", "poll")["first_fresh_p50_us"] >= 1000000
    lines = run.stdout.splitlines()
    assert "rtt=30,loss=1,rate=50/20: 30 ms, 1 % loss, 50/20 Mbit/s" in lines, run.stdout
    assert [line.split()[0] for line in lines[lines.index("") + 1:]
            if line.split()[:1] in [[name] for name in TRANSPORTS]] == [*TRANSPORTS, *TRANSPORTS]


def wire_bytes(figures, way):
    return sum(figures["%s_%s" % (way, kind)] for kind in STREAM_KINDS)


def overhead_bytes(run):
    """By transport, rate and way."""
    return {(result["transport"], result["case"]["rate"], way):
            wire_bytes(result["repeats"][0]["figures"], way)
            for result in run.results("overhead") for way in ("down", "up")}


def until_equal(compare, rel):
    """`compare` of transports gives pairs of bytes by what they are of, the transport first. On a
    busy machine two messages may share an answer, which has fewer bytes, or TCP sends again what is
    only late. So each pair has five attempts."""
    pairs, left = {}, set()
    for _ in range(5):
        for name, pair in compare(sorted({name[0] for name in left} or TRANSPORTS)).items():
            if name not in pairs or name in left:
                pairs[name] = pair
        left = {name for name, (one, other) in pairs.items()
                if one != pytest.approx(other, rel=rel)}
        if not left:
            return pairs
    pytest.fail(str({name: pairs[name] for name in left}))


def test_bytes_without_delay_are_those_over_loopback(start_bench):
    """Of the TCP streams. How a stream is cut into segments depends on the path: the MTU of
    loopback is 65536."""
    def compare(transports):
        options = ("--scenarios", "overhead", "--repeats", 1, "--seconds", 1,
                   "--transports", ",".join(transports))
        network, plain = [run.wait() for run in [start_bench(*options, "--network", "rtt=0"),
                                                 start_bench(*options)]]
        assert network.status == 0 and plain.status == 0, network.stderr + plain.stderr
        plain_bytes = overhead_bytes(plain)
        return {name: (size, plain_bytes[name]) for name, size in overhead_bytes(network).items()}

    assert len(until_equal(compare, rel=0.001)) == 2 * 2 * len(TRANSPORTS)


def test_the_link_counts_what_the_sockets_count(run_bench):
    def compare(transports):
        run = run_bench("--network", "rtt=0", "--scenarios", "net-bytes", "--quick",
                        "--transports", ",".join(transports))
        assert run.status == 0, run.stdout + run.stderr
        pairs = {}
        for transport in transports:
            figures = figures_of(run, "net-bytes", transport)
            for way in ("down", "up"):
                pairs[transport, way] = (figures["link_bytes_%s_per_message" % way],
                                         figures["%s_total" % way])
        return pairs

    assert len(until_equal(compare, rel=0.01)) == 2 * len(TRANSPORTS)


@pytest.mark.parametrize("options, said", [
    (("--network", "5g"), "5g"),
    (("--network", "rtt=1,loss=x"), "percent"),
    (("--network", "4g", "--target", "http://127.0.0.1:1/"), "--network does not work with"),
    (("peers", "--network", "4g"), "--network does not work with"),
    (("budget", "--network", "4g"), "--network does not work with"),
    (("--scenarios", "net-latency"), "net-latency needs --network"),
])
def test_a_command_line_that_makes_no_sense_is_refused(run_bench, options, said):
    run = run_bench(*options)
    assert run.status == 2 and said in run.stderr, run.stderr


def test_a_scenario_for_loopback_alone_says_why(run_bench):
    run = run_bench("--network", "4g", "--scenarios", "request")
    assert run.status == 1 and not run.report["results"], run.stderr
    assert any(line.startswith("request on sluice: it asks") for line in run.report["not_measured"])


def test_networks_are_listed(run_bench):
    run = run_bench("--list")
    assert "    4g           40 ms, 10 ms jitter, 0.5 % loss, 20/5 Mbit/s\n" in run.stdout
