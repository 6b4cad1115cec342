"""The bytes that the scenario `overhead` counts, held against what was really on the wire."""

import time

import pytest

from benchtest import Capture

OPTIONS = ("--scenarios", "overhead", "--repeats", 1, "--seconds", 2)
STREAM_KINDS = ("payload", "framing", "heads")


def is_subscriber(packets):
    """By what the client said first; the others publish or only look whether anybody is there."""
    said = [packet.start for packet in packets if packet.payload]
    return bool(said) and said[0].startswith(b"GET /") and b"bench.publisher" not in said[0]


def captured_between(capture, start, end):
    """Bytes by direction: (of the TCP stream, of TCP/IP headers)."""
    sums = {"down": [0, 0], "up": [0, 0]}
    for packets in capture.connections().values():
        if not is_subscriber(packets):
            continue
        for packet in packets:
            if start <= packet.time < end:
                way = sums["down" if packet.source == capture.port else "up"]
                way[0] += packet.payload
                way[1] += packet.headers
    return sums


def counted(repeat, way, kinds):
    """The bench's own: its figures are a delivered message."""
    figures = repeat["figures"]
    return repeat["deliveries"] * sum(figures["%s_%s" % (way, kind)] for kind in kinds)


def agrees(mine, theirs):
    """Within 1 %, as promised."""
    return mine == pytest.approx(theirs, rel=0.01)


def test_the_counts_are_those_of_a_capture_within_1_percent(run_bench, gateway, transport):
    with Capture(gateway.address[1]) as capture:
        run = run_bench(*OPTIONS, "--transports", transport, "--target", gateway.origin)
        to_unix = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    assert run.status == 0, run.stdout + run.stderr
    results = run.results("overhead", transport)
    assert results, run.report["not_measured"]
    for result in results:
        repeat = result["repeats"][0]
        window = [repeat["counted"][edge] / 1e9 + to_unix for edge in ("from_ns", "to_ns")]
        sums = captured_between(capture, *window)
        assert repeat["deliveries"] > 0 and sums["down"][0] > 0, repeat
        for way, (stream, headers) in sums.items():
            said = (result["case"], way, repeat["figures"], sums)
            assert agrees(counted(repeat, way, STREAM_KINDS), stream), said
            assert agrees(counted(repeat, way, ["tcp_ip"]), headers), said
            assert agrees(counted(repeat, way, ["total"]), stream + headers), said


def test_the_counts_are_the_gateways_own_to_the_byte(run_bench, transport):
    run = run_bench(*OPTIONS, "--transports", transport)
    assert run.status == 0, run.stdout + run.stderr
    results = run.results("overhead", transport)
    assert results, run.report["not_measured"]
    for result in results:
        figures = result["repeats"][0]["figures"]
        assert figures["wire_down"] > 0 and figures["wire_up"] >= 0, figures
        assert figures["stats_down"] == figures["wire_down"], figures
        assert figures["stats_up"] == figures["wire_up"], figures
