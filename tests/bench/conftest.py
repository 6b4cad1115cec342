"""Fixtures: gateways as tests/e2e starts them, and runs of sluice-bench that end with the test."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]

from benchtest import Bench  # noqa: E402  (needs the path above)
from sluicetest import Gateway  # noqa: E402


@pytest.fixture
def gateway():
    """One shard, as the bench itself starts it."""
    with Gateway("--shards", "1", "--max-connections", "20000",
                 "--max-connections-per-address", "20000", "--limits", "off") as gateway:
        yield gateway


@pytest.fixture
def start_bench():
    """Begins runs; those that have not ended are ended with the test."""
    started = []

    def start(*options, **how):
        started.append(Bench(*options, **how))
        return started[-1]

    yield start
    for bench in started:
        bench.kill()


@pytest.fixture
def run_bench(start_bench):
    return lambda *options, **how: start_bench(*options, **how).wait()


@pytest.fixture(params=["websocket", "sse", "stream", "longpoll", "poll"])
def transport(request):
    return request.param
