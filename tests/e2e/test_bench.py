"""The command line of sluice-bench: what it measures is all there, in JSON and in the page."""

import json
import os
import re
import subprocess

import pytest

from sluicetest import TRANSPORTS
from sluicetest.gateway import binary

BENCH = os.path.join(os.path.dirname(binary()), "sluice-bench")
PAGE = os.path.join(os.path.dirname(BENCH), "bench-data", "report.html")
# Sizes at which a run over everything takes some seconds.
SMALL = ("--quick", "--seconds", "0.3", "--subscribers", "20")
FIGURES = {
    "latency": ("p50_us", "max_us", "mean_us", "samples", "wakeups_per_delivery"),
    "fanout": ("deliveries_per_s", "deliveries_per_cpu_s", "cpu_us_per_delivery", "server_cpu_share",
               "wakeups_per_delivery", "server_sleeps_per_delivery"),
    "overhead": ("down_payload", "down_framing", "down_heads", "down_tcp_ip", "down_total", "up_total"),
}

# A build with sanitizers makes no page, and is not measured.
pytestmark = pytest.mark.skipif(not os.path.exists(PAGE), reason="a build with sanitizers is not measured")


def run(*arguments, status=0):
    done = subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def results_of(report, scenario):
    return [result for result in report["results"] if result["scenario"] == scenario]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One small run over all transports: its output, its JSON, its page."""
    folder = tmp_path_factory.mktemp("bench")
    done = run(*SMALL, "--json", str(folder / "report.json"), "--html", str(folder / "report.html"))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return done.stdout, report, (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_quick_run_has_every_figure_of_every_transport(quick):
    _, report, _ = quick
    for scenario, figures in FIGURES.items():
        for transport in TRANSPORTS:
            results = [r for r in results_of(report, scenario) if r["transport"] == transport]
            assert results, f"{scenario} over {transport} is missing"
            for result in results:
                assert set(figures) <= set(result["summary"]), (scenario, transport, result["repeats"])
    assert len(results_of(report, "break-even")) == 1


@pytest.mark.slow
def test_quick_run_loses_nothing(quick):
    _, report, _ = quick
    repeats = [repeat for result in report["results"] for repeat in result["repeats"]]
    assert repeats
    for repeat in repeats:
        assert "error" not in repeat
        assert [repeat.get(count, 0) for count in ("lost", "doubled", "reordered")] == [0, 0, 0]


@pytest.mark.slow
def test_report_says_what_it_was_measured_on(quick):
    _, report, _ = quick
    assert report["command"].startswith("sluice-bench --quick")
    assert {"cores", "kernel", "memory_mib", "load_before"} <= set(report["machine"])
    assert {"sluice", "libmicrohttpd", "openssl"} <= set(report["versions"])
    assert any("--full" in sentence for sentence in report["not_measured"])


@pytest.mark.slow
def test_table_fits_a_terminal_and_has_a_row_a_transport(quick):
    table, _, _ = quick
    assert max(map(len, table.splitlines())) <= 100
    for transport in TRANSPORTS:
        assert re.search(rf"^  {transport}\b", table, re.M)


@pytest.mark.slow
def test_page_holds_the_same_report_and_loads_nothing(quick):
    _, report, page = quick
    embedded = re.search(r'<script type="application/json" id="report">(.*?)</script>', page, re.S)[1]
    assert json.loads(embedded)["results"] == report["results"]
    assert "default-src 'none'" in page
    assert "@REPORT" not in page and "uPlot" in page
    without_scripts = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    for loading in (r"<link\b", r"\bsrc\s*=", r"@import", r"url\("):
        assert not re.search(loading, without_scripts)
    assert not re.search(r"<script[^>]+src", page)


@pytest.mark.parametrize("arguments", [
    ("--repeats", "0"),
    ("--repeats", "three"),
    ("--seconds", "0"),
    ("--threads", "-1"),
    ("--scenarios", "latency,telepathy"),
    ("--transports", "sse,"),
    ("--target", "localhost:8080"),
    ("--pid", "1"),
    ("--quick", "--full"),
    ("--unknown",),
    ("compare",),
    ("peers", "--peers", "nobody"),
    ("peers", "--target", "http://127.0.0.1:1/"),
    ("--peers", "floor"),
    ("budget", "--scenarios", "latency"),
    ("peers", "budget"),
], ids=" ".join)
def test_bad_command_line_answers_2_and_says_why(arguments):
    done = run(*arguments, status=2)
    assert done.stdout == ""
    assert "sluice-bench: " in done.stderr


def test_target_that_does_not_answer_is_told_before_anything_is_measured():
    done = run("--target", "http://127.0.0.1:1/", status=1)
    assert "http://127.0.0.1:1/" in done.stderr and "refused" in done.stderr


def test_file_that_cannot_be_written_is_told_before_anything_is_measured(tmp_path):
    done = run("--json", str(tmp_path / "none" / "report.json"), status=1)
    assert "none/report.json" in done.stderr and done.stdout == ""


def test_gateway_that_is_not_there_is_named_and_fails(tmp_path):
    done = run(*SMALL, "--scenarios", "request", "--sluice", str(tmp_path / "sluice"), status=1)
    assert "skipped: sluice" in done.stdout


@pytest.mark.slow
def test_running_gateway_is_measured_and_its_cpu_only_when_its_process_is_told(start_gateway, tmp_path):
    gateway = start_gateway()
    url, path = gateway.origin + "/", tmp_path / "report.json"
    figures = {}
    for pid in ((), ("--pid", str(gateway.pid))):
        run(*SMALL, "--target", url, *pid, "--scenarios", "fanout", "--transports", "sse", "--json", str(path))
        report = json.loads(path.read_text(encoding="utf-8"))
        assert report["settings"]["target"] == url
        figures[bool(pid)] = set(report["results"][0]["summary"])
    assert "cpu_us_per_delivery" not in figures[False]
    assert "deliveries_per_s" in figures[False]
    assert "cpu_us_per_delivery" in figures[True]
    for figures_seen in figures.values():
        assert "wakeups_per_delivery" in figures_seen


@pytest.mark.slow
def test_budget_shows_each_beside_its_limit_and_is_a_report():
    done = run("budget", "--repeats", "1", "--seconds", "0.3", "--connections", "200")
    for words in ("websocket, one at a time", "websocket, bursts of 10", "sse, one at a time",
                  "sse, bursts of 10", "a poll cycle"):
        assert re.search(rf"{words} .*\d\.\d\dx .* [\d.]+, [\d.]+ +\d\.\d\dx +(OVER|within)",
                         done.stdout), done.stdout
    assert re.search(r"an idle sse .*KiB", done.stdout)
