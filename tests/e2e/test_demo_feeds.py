"""`--demo`: three feeds to look at."""

import pytest

from sluicetest import TRANSPORTS, SharedGateway, open_subscriber


@pytest.fixture(scope="module")
def shared_gateway():
    with SharedGateway("--demo") as shared:
        yield shared


def take(gateway, channel, count):
    """The next messages as each transport brings them; all the same, but for where each
    begins."""
    subs = [open_subscriber(t, gateway, channel) for t in TRANSPORTS]
    got = [[sub.next_message() for _ in range(count)] for sub in subs]
    for sub in subs:
        sub.close()
    return got


def test_clock_ticks_on_every_transport(gateway):
    for ticks in take(gateway, "demo.clock", 3):
        assert ticks[2]["time"] - ticks[0]["time"] > 300_000
        assert ticks[1]["data"] != ticks[2]["data"]


def test_ticker_walks_on_every_transport(gateway):
    for got in take(gateway, "demo.ticker", 15):
        assert all(isinstance(m["data"], dict) for m in got), got
        assert len({str(m["data"]) for m in got}) > 1
        assert got[-1]["time"] - got[0]["time"] < 15_000_000


def test_tokens_arrive_word_by_word_on_every_transport(gateway):
    for got in take(gateway, "demo.tokens", 8):
        assert all(m["data"] for m in got)


def test_all_feeds_over_one_connection(gateway):
    names = ["demo.clock", "demo.ticker", "demo.tokens"]
    with open_subscriber("stream", gateway, names) as sub:
        seen = set()
        while seen != set(names):
            seen.add(sub.next_message()["channel"])


def test_no_feeds_without_demo(start_gateway):
    gateway = start_gateway()
    with open_subscriber("stream", gateway, "demo.ticker") as sub:
        with pytest.raises(TimeoutError):
            sub.next_message(1.5)
