"""The scenario deflate: its bytes are those of frames, and each message is compressed once. No time is asserted."""

import os

import pytest

from benchtest import Bench

QUICK = ("--quick", "--seconds", 0.2, "--subscribers", 5, "--repeats", 1)
PAYLOADS = [256, 1024, 16384]
TLS_RECORD = 22  # bytes around a frame that fits into one record (RFC 8446, section 5.2)


@pytest.fixture(scope="module", params=["sluice", "sluice-tls"])
def run(request):
    run = Bench("peers", "--peers", request.param, "--scenarios", "deflate", *QUICK).wait()
    assert run.status == 0, run.stdout + run.stderr
    run.server = request.param
    return run


def repeat_of(run, **case):
    found = [result for result in run.results("deflate") if case.items() <= result["case"].items()]
    assert len(found) == 1 and len(found[0]["repeats"]) == 1, found
    return found[0]["repeats"][0]


@pytest.mark.parametrize("subscribers", [1, 5])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_without_the_extension_the_wire_carries_the_objects_and_their_frames(run, payload, subscribers):
    figures = repeat_of(run, payload=payload, subscribers=subscribers, compression="none")["figures"]
    assert payload + 50 < figures["object_bytes"] < payload + 150
    around = 4 + (TLS_RECORD if run.server == "sluice-tls" else 0)  # a header with two bytes of length
    records = 2 if payload == 16384 and run.server == "sluice-tls" else 1
    assert figures["wire_per_delivery"] == pytest.approx(
        figures["object_bytes"] + around + (records - 1) * TLS_RECORD, abs=0.5)
    assert figures["compressed_per_message"] == 0


@pytest.mark.parametrize("payload, at_most", [(256, 0.85), (1024, 0.6), (16384, 0.4)])
def test_with_it_each_message_is_compressed_once_and_is_smaller(run, payload, at_most):
    for subscribers in (1, 5):
        figures = repeat_of(run, payload=payload, subscribers=subscribers, compression="deflate")["figures"]
        assert figures["compressed_per_message"] == 1
        assert 0.1 < figures["wire_share"] < at_most
        assert figures["wire_share"] == pytest.approx(
            figures["wire_per_delivery"] / figures["object_bytes"], rel=1e-4)


def test_nothing_is_lost_and_each_sample_is_what_was_published(run):
    for result in run.results("deflate"):
        repeat, = result["repeats"]
        assert repeat["deliveries"] == repeat["expected"] > 0
        assert repeat["lost"] == repeat["doubled"] == repeat["reordered"] == 0
        assert repeat["figures"]["cpu_us_per_message"] > 0


def test_a_gateway_that_does_not_compress_is_a_failure(run_bench, tmp_path):
    """One that leaves the offer unanswered would be measured as something else."""
    program = tmp_path / "plain"
    program.write_text('#!/bin/sh\nexec "%s" "$@" --no-deflate\n' % os.path.abspath(os.environ["SLUICE"]))
    program.chmod(0o755)
    run = run_bench("--sluice", program, "--scenarios", "deflate", *QUICK)
    assert run.status == 1
    for result in run.results("deflate"):
        is_plain = result["case"]["compression"] == "none"
        assert ("error" in result["repeats"][0]) != is_plain, result
