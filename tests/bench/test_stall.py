"""A server that stands still must be seen in the tail: messages that were due meanwhile count
from when they were due, although none could be sent or received then."""

import signal
import time

RATE_WAIT_S = 20


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
    deadline = time.monotonic() + RATE_WAIT_S
    while published(gateway) < 200:
        assert time.monotonic() < deadline, "nothing is published"
        time.sleep(0.02)


def measure(start_bench, gateway, stall_s):
    bench = start_bench("--scenarios", "latency", "--transports", "websocket", "--repeats", 1,
                        "--seconds", 4, "--target", gateway.origin)
    wait_for_messages(gateway)
    if stall_s:
        gateway.signal(signal.SIGSTOP)
        time.sleep(stall_s)
        gateway.signal(signal.SIGCONT)
    run = bench.wait()
    assert run.status == 0, run.stderr
    return run.repeat("latency", "websocket")


def test_a_stall_of_200_ms_is_seen_whole_in_the_maximum(start_bench, gateway):
    figures = measure(start_bench, gateway, 0.2)["figures"]
    assert 200_000 * 0.98 <= figures["max_us"] < 400_000, figures


def test_every_message_due_in_the_stall_counts_from_when_it_was_due(start_bench, gateway):
    """In a closed loop one message a subscriber would be late. Here those that were due in
    the first half of the stall all waited for more than the other half."""
    repeat = measure(start_bench, gateway, 0.2)
    samples = repeat["figures"]["samples"]
    due_in_half = samples * 0.1 / 4
    late = count_above(repeat["histogram"], 100_000)
    assert 0.8 * due_in_half <= late <= 2 * due_in_half, (late, samples)
    assert repeat["figures"]["p99_us"] > 50_000, repeat["figures"]


def test_without_a_stall_there_is_none_in_the_tail(start_bench, gateway):
    repeat = measure(start_bench, gateway, 0)
    assert repeat["figures"]["p99_us"] < 50_000, repeat["figures"]
