"""When the generator itself could not keep up, the report says so."""

import os
import subprocess
import sys

import pytest

CORES = sorted(os.sched_getaffinity(0))
OPTIONS = ("--scenarios", "latency", "--transports", "websocket", "--repeats", 1, "--seconds", 2,
           "--server-core", CORES[0], "--load-core", CORES[-1])


def warned(run):
    return any("generator" in warning for warning in run.report["warnings"])


@pytest.fixture(params=[(), ("--no-busy-poll",)], ids=["polls", "sleeps"])
def waits(request):
    return request.param


def test_a_generator_without_its_core_is_reported_as_saturated(run_bench, waits):
    """Beside busy loops and at the lowest priority it wakes late, or polls a part of the time."""
    busy = [subprocess.Popen(["taskset", "-c", str(CORES[-1]), sys.executable, "-c",
                              "while True: pass"]) for _ in range(2)]
    try:
        run = run_bench(*OPTIONS, *waits, before=("nice", "-n", "19"))
    finally:
        for process in busy:
            process.kill()
            process.wait()
    repeat = run.repeat("latency", "websocket")
    assert repeat["generator"]["saturated"], repeat["generator"]
    assert repeat["generator"]["reasons"], repeat["generator"]
    if repeat["generator"]["busy_polling"]:
        assert any("of its core" in reason for reason in repeat["generator"]["reasons"]), repeat["generator"]
    assert warned(run), run.report["warnings"]


def test_a_report_names_what_the_generator_used(run_bench, waits):
    """One that polls takes a whole core, and is not saturated by that: there is little to do."""
    repeat = run_bench(*OPTIONS, *waits).repeat("latency", "websocket")
    generator = repeat["generator"]
    assert 0 < generator["cpu_share"] < 1.1 and generator["late_p99_us"] >= 0, generator
    assert 0 < generator["busy_share"] < 0.9, generator
    assert not any("busy for" in reason for reason in generator["reasons"]), generator
