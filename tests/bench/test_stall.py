"""A server that stands still must be seen in the tail: messages that were due meanwhile count
from when they were due, although none could be sent or received then."""

import os
import signal
import time

import pytest

STALL_S = 0.2
SECONDS = 4


def count_above(histogram, limit_us):
    """Of [[upper_us, count], ...]: how many values lie above, for certain."""
    above = lower = 0
    for upper, count in histogram:
        above += count if lower >= limit_us else 0
        lower = upper
    return above


def published(gateway):
    return gateway.stats()["bus"]["published"]


def wait_for_messages(gateway):
    """Until the schedule is well under way."""
    deadline = time.monotonic() + 20
    while published(gateway) < 200:
        assert time.monotonic() < deadline, "nothing is published"
        time.sleep(0.02)


@pytest.mark.parametrize("polls", [True, False], ids=["polls", "sleeps"])
def test_a_stall_of_200_ms_is_in_the_tail_with_every_message_due_meanwhile(start_bench, gateway, polls):
    """In a closed loop one message a subscriber would be late. Here those that were due in
    the first half of the stall all waited for more than the other half. (Bounds from below: what
    else runs on this machine may stall the gateway as well.)"""
    options = ("--pid", gateway.pid) if polls else ("--no-busy-poll",)
    bench = start_bench("--scenarios", "latency", "--transports", "websocket", "--repeats", 1,
                        "--seconds", SECONDS, "--target", gateway.origin, *options)
    wait_for_messages(gateway)
    gateway.signal(signal.SIGSTOP)
    time.sleep(STALL_S)
    gateway.signal(signal.SIGCONT)
    run = bench.wait()
    assert run.status == 0, run.stderr
    repeat = run.repeat("latency", "websocket")
    figures = repeat["figures"]
    assert repeat["generator"]["busy_polling"] == (polls and len(os.sched_getaffinity(0)) > 1)
    assert figures["max_us"] >= 0.9e6 * STALL_S, figures  # the next one may be due a while after it began
    due_in_half = figures["samples"] * STALL_S / 2 / SECONDS
    late = count_above(repeat["histogram"], 1e6 * STALL_S / 2)
    assert late >= 0.8 * due_in_half, (late, due_in_half)
    assert figures["p99_us"] >= 1e6 * STALL_S / 4, figures
    assert figures["p50_us"] < 1e6 * STALL_S / 2, figures
