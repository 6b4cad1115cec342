"""The short form of `make chaos`, and the judge of what it delivers: it must notice each fault."""

import os
import subprocess
import sys

import pytest

from sluicetest import binary

CHAOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos")
sys.path.append(CHAOS)

from chaostest.coverage import Coverage  # noqa: E402  (needs the path above)
from chaostest.ledger import Ledger  # noqa: E402

A, B = "0000000a", "0000000b"
PUBLISHED = [("c", A, 3, 0), ("c", A, 5, 1), ("c", A, 9, 2), ("c", B, 1, 3), ("c", B, 4, 4)]


class Delivery:
    """A client of channel c, and what is said of what it gets."""

    def __init__(self, published=PUBLISHED, uncertain=()):
        self.ledger = Ledger([A, B])
        for entry in published:
            self.ledger.add(*entry)
        for entry in uncertain:
            self.ledger.add_uncertain(*entry)
        self.found = [kind for kind, _ in self.ledger.seal()]
        self.coverage = Coverage(lambda kind, text: self.found.append(kind), self.take_hole)
        self.coverage.begin(["c"], A + "-2")

    def take_hole(self, hole):
        self.found += [kind for kind, _ in self.ledger.judge(hole)]

    def get(self, *messages):
        for epoch, seq, n in messages:
            self.coverage.take_message("c", "%s-%d" % (epoch, seq), n)
        return self

    def gap(self, after, resumed):
        self.coverage.take_gap("c", after, resumed)
        return self

    def verdict(self, end=None):
        if end:
            self.coverage.resume(end)
        self.coverage.finish()
        for channel, n in self.coverage.again:
            self.found += [kind for kind, _ in self.ledger.judge_again(channel, n)]
        return self.found


def test_judge_finds_nothing_where_all_came():
    all_of_it = [(A, 3, 0), (A, 5, 1), (A, 9, 2)]
    assert Delivery().get(*all_of_it).gap(A + "-9", B + "-0").get((B, 1, 3), (B, 4, 4)).verdict() == []
    assert Delivery().get(*all_of_it).verdict(A + "-20") == []


@pytest.mark.parametrize("messages,end", [
    ([(A, 5, 1), (A, 9, 2)], None),
    ([(A, 3, 0), (A, 9, 2)], None),
    ([(A, 3, 0), (A, 5, 1)], A + "-9"),
    ([], A + "-3"),
    ([(A, 3, 0), (A, 5, 1), (B, 1, 3)], None),
    ([(A, 3, 0), (A, 5, 1), (A, 9, 2), (B, 4, 4)], None),
], ids=["first", "middle", "last", "only", "end-of-an-epoch", "begin-of-an-epoch"])
def test_judge_finds_a_loss_of_which_no_gap_tells(messages, end):
    assert Delivery().get(*messages).verdict(end) == ["lost"]


def test_judge_takes_a_gap_for_just_what_it_tells():
    assert Delivery().get((A, 3, 0)).gap(A + "-3", A + "-5").get((A, 9, 2)).verdict() == []
    assert Delivery().get((A, 3, 0)).gap(A + "-3", A + "-4").get((A, 9, 2)).verdict() == ["lost"]
    assert Delivery().gap(None, A + "-5").get((A, 9, 2)).verdict() == []
    assert Delivery().get((A, 3, 0)).gap(A + "-5", A + "-8").get((A, 9, 2)).verdict() == ["lost"]
    assert Delivery().get((A, 3, 0)).gap(A + "-3", B + "-1").get((B, 4, 4)).verdict() == []


def test_judge_finds_a_message_behind_a_gap_that_covers_it():
    delivery = Delivery().get((A, 3, 0)).gap(A + "-3", A + "-9")
    assert "gap" in delivery.get((A, 9, 2)).verdict()


@pytest.mark.parametrize("messages", [
    [(A, 3, 0), (A, 3, 0)], [(A, 3, 0), (A, 5, 1), (A, 3, 0)], [(A, 3, 0), (A, 2, 0)],
])
def test_judge_finds_doubled_and_reordered(messages):
    assert "order" in Delivery().get(*messages).verdict()


def test_judge_finds_a_message_that_was_numbered_twice():
    assert "doubled" in Delivery(PUBLISHED + [("c", A, 6, 1)]).get((A, 3, 0), (A, 5, 1), (A, 6, 1)).found
    twice = [(A, 3, 0), (A, 5, 1), (A, 9, 2), (B, 1, 2)]
    assert Delivery(PUBLISHED[:3]).get(*twice).verdict() == ["doubled"]
    assert Delivery(PUBLISHED[:3], [("c", 2)]).get(*twice).verdict() == []


def test_judge_finds_channels_and_cursors_that_are_wrong():
    delivery = Delivery().get((A, 3, 0))
    delivery.coverage.take_message("d", A + "-4", 0)
    assert delivery.found == ["channel"]
    assert Delivery().get((A, 5, 1)).verdict(A + "-4") == ["lost", "cursor"]


def run_chaos(*options):
    done = subprocess.run(
        [sys.executable, os.path.join(CHAOS, "run"), *options], env=dict(os.environ, SLUICE=binary()),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    return done.returncode, done.stdout[-6000:]


@pytest.mark.slow
def test_hundred_clients_lose_nothing_while_accidents_happen():
    status, said = run_chaos("--seconds", "9", "--clients", "100", "--no-loss")
    assert status == 0, said
    assert "violations           0" in said and "1 by SIGKILL, 1 by SIGTERM" in said, said


@pytest.mark.slow
def test_run_notices_clients_that_lose_a_message():
    status, said = run_chaos("--seconds", "3", "--clients", "10", "--no-loss", "--forget", "2", "--rate", "60")
    assert status == 1 and "violation lost" in said, said
