"""The delivery checker must be able to fail: a hop that loses or doubles one message."""

import pytest

from benchtest import Relay

OPTIONS = ("--scenarios", "switch", "--repeats", 1, "--seconds", 3)


@pytest.mark.parametrize("harm, figure", [("lose", "lost"), ("double", "doubled")])
def test_a_harmed_message_is_found_and_ends_the_run_with_1(run_bench, gateway, harm, figure):
    """Four, because a reader that is cut just then asks again and never sees the harm."""
    with Relay(gateway.address, harm, times=4) as relay:
        run = run_bench(*OPTIONS, "--target", relay.origin)
        assert relay.harmed == 4
    repeat = run.repeat("switch")
    assert 1 <= repeat["figures"][figure] <= 4, repeat
    assert run.status == 1, run.stdout


def test_a_hop_that_harms_nothing_is_no_failure(run_bench, gateway):
    with Relay(gateway.address) as relay:
        run = run_bench(*OPTIONS, "--target", relay.origin)
        assert relay.seen > 50
    figures = run.repeat("switch")["figures"]
    assert (figures["lost"], figures["doubled"], figures["reordered"]) == (0, 0, 0), figures
    assert figures["hops"] > 10 and figures["delivered"] > 50, figures
    assert run.status == 0, run.stderr
