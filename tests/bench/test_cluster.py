"""The scenario cluster: what a bus on NATS costs, from servers and gateways that it starts itself."""

import os
import shutil
import subprocess

import pytest

from benchtest.bench import binary

GATEWAY = os.path.join(os.path.dirname(binary()), "sluice")
MEMORY, NATS = {"servers": 0}, {"servers": 1}


def has_nats():
    """True where the gateway has --backend nats and there is a nats-server."""
    told = subprocess.run([GATEWAY, "--backend=nats", "--shards=0"], capture_output=True, text=True)
    path = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
    return "--shards" in told.stderr + told.stdout and shutil.which("nats-server", path=path)


needs_nats = pytest.mark.skipif(not has_nats(), reason="built without libnats, or no nats-server")


def figures_of(run, case):
    found = [result for result in run.results("cluster") if result["case"] == case]
    assert len(found) == 1, run.report["results"]
    repeat = found[0]["repeats"][0]
    assert "figures" in repeat, repeat
    return repeat["figures"]


def check_goals_and_sizes(run):
    cluster = run.report["cluster"]
    assert [goal["limit"] for goal in cluster["goals"]] == [500, 20000, 2, 5]
    assert all(goal["verdict"] in ("met", "missed") for goal in cluster["goals"]), cluster
    sizes = cluster["sizes"]
    assert [size["clients"] for size in sizes] == [1e6, 1e7, 1e8]
    for smaller, larger in zip(sizes, sizes[1:]):
        assert larger["gateways"] >= smaller["gateways"] >= 2, sizes
        assert larger["buses"] >= smaller["buses"] >= 1, sizes
    for size in sizes:
        assert size["first"] in run.stdout, run.stdout


@needs_nats
def test_a_log_of_one_server_is_measured_beside_memory_and_held_against_goals(run_bench):
    run = run_bench("--scenarios", "cluster", "--quick")
    assert run.status == 0, run.stdout + run.stderr
    memory, nats = figures_of(run, MEMORY), figures_of(run, NATS)
    for name in ("lone_p50_us", "publishes_per_s", "gateway_cpu_us_per_publish", "delivery_p50_us"):
        assert memory[name] > 0 and nats[name] > 0, (name, memory, nats)
    assert nats["lone_p50_us"] > memory["lone_p50_us"], "a server's round trip costs something"
    assert nats["replayed"] >= 100000 and nats["replay_us"] > 0, nats
    assert nats["log_cpu_us_per_publish"] > 0 and nats["tailed_cpu_us"] > 0, nats
    assert "replay_us" not in memory and "log_cpu_us_per_publish" not in memory, memory
    check_goals_and_sizes(run)


def test_without_nats_memory_is_measured_and_the_rest_says_what_is_missing(run_bench, monkeypatch):
    monkeypatch.setenv("NATS_SERVER", "/nonexistent/nats-server")
    run = run_bench("--scenarios", "cluster", "--quick")
    assert run.status == 0, run.stdout + run.stderr
    assert figures_of(run, MEMORY)["lone_p50_us"] > 0
    left_out = [result for result in run.results("cluster") if result["case"] == NATS]
    assert "nats-server is not installed: scripts/setup cluster" in left_out[0]["repeats"][0]["skipped"]
    assert any("scripts/setup cluster" in text for text in run.report["not_measured"]), run.report
    assert "cluster" not in run.report
