"""The ledger: what was acknowledged, what was read, and whether the two agree."""

import collections


class Ack:
    """An acknowledged publish. `ordered`: the publisher waited for this answer before the next one of
    the channel."""

    __slots__ = "channel", "n", "epoch", "seq", "ordered"

    def __init__(self, channel, n, epoch, seq, ordered=False):
        self.channel, self.n, self.epoch, self.seq, self.ordered = channel, n, epoch, seq, ordered


class Judge:
    """`gaps`: gaps may have been reported; `resets`: there may be several epochs. Violations are
    (kind, text); of each kind at most `most` are kept, and all are counted."""

    def __init__(self, gaps=False, resets=False, most=20):
        self.gaps, self.resets, self.most = gaps, resets, most
        self.violations = []
        self.counts = collections.Counter()
        self.truth = collections.defaultdict(dict)  # epoch: {seq: (channel, n)}
        self.numbers = {}                           # (epoch, channel, n): seq
        self.excused = self.checked = 0

    def say(self, kind, text):
        self.counts[kind] += 1
        if self.counts[kind] <= self.most:
            self.violations.append((kind, text))

    def judge(self, acks, refused, readers):
        """`refused`: (channel, n) of which every answer said that nothing was stored; `readers`: by name
        what Record.told() returned."""
        self._take_acks(acks)
        for name, told in readers.items():
            self._take_reader(name, told)
        for epoch, channel, n in self.numbers:
            if (channel, n) in refused:
                self.say("refused", "%s %d was refused, and is there in %s" % (channel, n, epoch))
        for name, told in readers.items():
            self._check_reader(name, told)
        if not acks or not self.checked:
            self.say("nothing", "%d acknowledged, %d compared" % (len(acks), self.checked))
        return self.violations

    # ---- what is there ----

    def _place(self, epoch, seq, channel, n, who):
        """One message under one number, one number for one message."""
        there = self.truth[epoch].setdefault(seq, (channel, n))
        if there != (channel, n):
            self.say("forked", "%s-%d is %s %d, and for %s it is %s %d" % (
                epoch, seq, *there, who, channel, n))
            return
        number = self.numbers.setdefault((epoch, channel, n), seq)
        if number != seq:
            self.say("doubled", "%s %d is %s-%d, and for %s %s-%d" % (
                channel, n, epoch, number, who, epoch, seq))

    def _take_acks(self, acks):
        last = {}
        for ack in acks:
            self._place(ack.epoch, ack.seq, ack.channel, ack.n, "its publisher")
            if not ack.ordered:
                continue
            before = last.get((ack.epoch, ack.channel))
            if before and before.n < ack.n and before.seq >= ack.seq:
                self.say("reordered", "%s %d has %d, and %d before it had %d" % (
                    ack.channel, ack.n, ack.seq, before.n, before.seq))
            last[ack.epoch, ack.channel] = ack

    def _take_reader(self, name, told):
        for epoch, _, seen in told["visits"]:
            before = -1
            for seq, channel, n in seen:
                if seq == before:
                    self.say("again", "%s got %s-%d twice" % (name, epoch, seq))
                elif seq < before:
                    self.say("order", "%s got %s-%d behind %d" % (name, epoch, seq, before))
                before = seq
                self._place(epoch, seq, channel, n, name)

    # ---- what each reader must have ----

    def _check_reader(self, name, told):
        visits = told["visits"]
        if not visits:
            self.say("nothing", "%s got nothing" % name)
            return
        epochs = list(dict.fromkeys(epoch for epoch, _, _ in visits))
        if len(epochs) > 1 and not self.resets:
            self.say("epoch", "%s saw the epochs %s" % (name, " ".join(epochs)))
        if told["gaps"] and not self.gaps:
            self.say("gap", "%s was told %d gaps: %r" % (name, len(told["gaps"]), told["gaps"][:2]))
        seen = collections.defaultdict(set)
        for epoch, _, messages in visits:
            seen[epoch].update(seq for seq, _, _ in messages)
        names, start = set(told["names"]), {visits[0][0]: visits[0][1]}
        for epoch in epochs:
            for seq, (channel, n) in self.truth[epoch].items():
                if channel not in names or seq <= start.get(epoch, 0):
                    continue
                self.checked += 1
                if seq in seen[epoch]:
                    continue
                if any(_covers(gap, epoch, seq) for gap in told["gaps"] if gap[0] == channel):
                    self.excused += 1
                else:
                    self.say("lost", "%s did not get %s-%d (%s %d)" % (name, epoch, seq, channel, n))


def _covers(gap, epoch, seq):
    """If a reported gap tells of a message. A gap that leads to another epoch tells of all that the reader
    had not had of the old one."""
    _, after, resumed = gap
    is_above = after is None or after[0] != epoch or seq > after[1]
    return is_above and (resumed[0] != epoch or seq <= resumed[1])
