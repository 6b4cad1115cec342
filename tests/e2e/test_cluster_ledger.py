"""The judge of `make check-cluster` must notice each fault; and the short run on one gateway in memory."""

import copy
import os
import subprocess
import sys

import pytest

from sluicetest import binary

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path += [os.path.join(TESTS, "chaos"), os.path.join(TESTS, "cluster")]

from clustertest.judge import Ack, Judge  # noqa: E402  (needs the path above)
from clustertest.record import Record  # noqa: E402

A, B = "0000000a", "0000000b"
MESSAGES = [(A, 3, "c", 0), (A, 5, "d", 0), (A, 6, "c", 1), (A, 9, "d", 1), (A, 12, "c", 2)]


class Script:
    """Two readers of the channels c and d, and what is found of them."""

    def __init__(self, messages=MESSAGES):
        self.acks = [Ack(channel, n, epoch, seq, True) for epoch, seq, channel, n in messages]
        self.found, self.refused = [], set()
        self.readers = {name: self.reader() for name in ("first", "second")}
        for record in self.readers.values():
            self.play(record, messages)

    def reader(self):
        record = Record(lambda kind, text: self.found.append(kind))
        record.begin(["c", "d"], A + "-2")
        return record

    def play(self, record, messages):
        for epoch, seq, channel, n in messages:
            record.take_message(channel, "%s-%d" % (epoch, seq), n)

    def verdict(self, **allowed):
        told = {name: copy.deepcopy(record.told()) for name, record in self.readers.items()}
        judge = Judge(**allowed)
        judge.judge(self.acks, self.refused, told)
        return sorted(set(self.found) | set(judge.counts))

    @property
    def seen(self):
        """What the first reader has written down."""
        return self.readers["first"].visits[0].seen


def test_judge_finds_nothing_where_all_came():
    assert Script().verdict() == []


def test_judge_notices_a_lost_message():
    script = Script()
    del script.seen[2]
    assert script.verdict() == ["lost"]


def test_judge_notices_a_loss_that_was_never_acknowledged():
    """Another reader got it."""
    script = Script()
    del script.acks[2], script.seen[2]
    assert script.verdict() == ["lost"]


def test_judge_notices_a_doubled_message():
    script = Script()
    script.seen.insert(3, script.seen[2])
    assert script.verdict() == ["again"]


def test_judge_notices_reordered_messages():
    script = Script()
    script.seen[1], script.seen[2] = script.seen[2], script.seen[1]
    assert script.verdict() == ["order"]


def test_record_notices_a_message_behind_its_cursor():
    script = Script()
    script.readers["first"].take_message("c", A + "-9", 3)
    assert "order" in script.verdict()


def test_record_notices_a_cursor_that_goes_back():
    script = Script()
    script.readers["first"].resume(A + "-11")
    assert script.verdict() == ["cursor"]


def test_judge_notices_two_orders():
    script = Script()
    script.seen[1], script.seen[2] = (5, "c", 1), (6, "d", 0)
    assert "forked" in script.verdict()


def test_judge_notices_a_message_that_was_stored_twice():
    script = Script()
    for record in script.readers.values():
        record.take_message("c", A + "-13", 2)
    assert script.verdict() == ["doubled"]


def test_judge_notices_an_answer_with_another_id():
    script = Script()
    script.acks[2].seq = 7
    assert "doubled" in script.verdict() and "lost" in script.verdict()


def test_judge_notices_a_publisher_that_was_overtaken():
    script = Script([(A, 3, "c", 0), (A, 5, "c", 2), (A, 6, "c", 1)])
    script.acks.sort(key=lambda ack: ack.n)
    assert script.verdict() == ["reordered"]


def test_judge_notices_a_refusal_that_was_none():
    script = Script()
    script.refused.add(("c", 1))
    assert script.verdict() == ["refused"]


def test_judge_notices_a_gap_that_nothing_explains():
    script = Script()
    script.readers["first"].take_gap("c", A + "-12", A + "-20")
    assert script.verdict() == ["gap"]
    assert script.verdict(gaps=True) == []


def test_judge_notices_another_epoch():
    script = Script(MESSAGES + [(B, 1, "c", 3)])
    assert "epoch" in script.verdict()
    assert "epoch" not in script.verdict(resets=True)


@pytest.mark.parametrize("after, resumed, found", [
    (A + "-5", A + "-9", []),
    (None, A + "-6", []),
    (A + "-6", A + "-9", ["lost"]),     # it tells of what came behind
    (A + "-3", A + "-5", ["lost"]),     # of what came before
    (A + "-3", B + "-0", []),           # of all of the old epoch
])
def test_judge_takes_a_gap_only_for_what_it_tells(after, resumed, found):
    script = Script()
    del script.seen[2]
    script.readers["first"].take_gap("c", after, resumed)
    assert script.verdict(gaps=True) == found


def test_judge_takes_no_gap_of_another_channel():
    script = Script()
    del script.seen[2]
    script.readers["first"].take_gap("d", A + "-3", A + "-9")
    assert script.verdict(gaps=True) == ["lost"]


def test_judge_wants_all_of_a_new_epoch_as_well():
    script = Script(MESSAGES + [(B, 1, "c", 3), (B, 2, "c", 4)])
    for record in script.readers.values():
        record.take_gap("c", A + "-12", B + "-0")
    assert script.verdict(gaps=True, resets=True) == []
    del script.readers["first"].visits[1].seen[0]
    assert script.verdict(gaps=True, resets=True) == ["lost"]


@pytest.mark.parametrize("fault", ["calm", "kill_gateways"])
def test_ledger_is_clean_on_one_gateway_in_memory(fault):
    """Readers that change connections all the time, and writers of all kinds. A gateway that was killed
    begins another epoch."""
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(TESTS, "cluster", "run"), "--backend", "memory", "--rate", "200",
         "--faults", fault],
        env=dict(os.environ, SLUICE=binary()), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and " clean; " in done.stdout, done.stdout + done.stderr
