"""--against: two gateways by turns in one run, and the ratios of their figures. Here both are the
same program; what the ratios are is not asserted, since that would be timing."""

import pytest

from sluicetest.gateway import binary as gateway_binary

QUICK = ("--quick", "--seconds", 0.2, "--subscribers", 20, "--connections", 50)
ROWS = {
    ("fanout", "websocket"), ("fanout", "sse"), ("fanout", "stream"), ("fanout", "longpoll"),
    ("opening", "websocket"), ("opening", "sse"), ("opening", "longpoll"),
    ("publish", "http"), ("page", "http"),
    ("idle", "websocket"), ("idle", "sse"), ("idle", "longpoll"),
}


@pytest.fixture
def page(tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html>")
    return tmp_path


def test_every_row_has_both_and_a_ratio(run_bench, page):
    run = run_bench("--against", gateway_binary(), "--web", page, *QUICK)
    assert run.status == 0, run.stdout + run.stderr
    ratios = run.report["against"]["ratios"]
    assert {(ratio["scenario"], ratio["transport"]) for ratio in ratios} == ROWS
    for ratio in ratios:
        if ratio["scenario"] == "idle":  # of so few connections it may be nothing
            continue
        assert ratio["new"] > 0 and ratio["old"] > 0 and ratio["ratio"]["count"] == 1, ratio
        assert ratio["ratio"]["median"] == pytest.approx(ratio["new"] / ratio["old"], rel=1e-3)
        assert ratio["title"] in run.stdout
    assert {result["server"] for result in run.report["results"]} == {"sluice", "against"}
    assert run.report["versions"]["against"]


def test_scenarios_and_transports_choose_rows(run_bench):
    run = run_bench("--against", gateway_binary(), "--scenarios", "fanout,opening",
                    "--transports", "sse", *QUICK, "--repeats", 2)
    assert run.status == 0, run.stdout + run.stderr
    ratios = run.report["against"]["ratios"]
    assert [(ratio["scenario"], ratio["transport"]) for ratio in ratios] == [
        ("fanout", "sse"), ("fanout", "sse"), ("opening", "sse")]
    assert all(ratio["ratio"]["count"] == 2 for ratio in ratios), ratios


def test_a_gateway_that_does_not_start_is_a_failure_and_no_ratio(run_bench):
    run = run_bench("--against", "/bin/false", "--scenarios", "publish", *QUICK)
    assert run.status == 1
    assert "not measured" in run.stdout, run.stdout
    assert run.report["against"]["ratios"][0]["ratio"]["count"] == 0


@pytest.mark.parametrize("options", [
    ("--against", "/nowhere/sluice"),
    ("--against", "/bin/true", "--target", "http://127.0.0.1:1/"),
    ("--against", "/bin/true", "--full"),
    ("budget", "--against", "/bin/true"),
], ids=["no-program", "target", "full", "budget"])
def test_what_makes_no_sense_with_it_is_refused(run_bench, options):
    run = run_bench(*options)
    assert run.status == 2, run.stderr
    assert "--against" in run.stderr
