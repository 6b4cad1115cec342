"""All that was published, and the judge of what clients have not got of it."""

import bisect
import collections


class Ledger:
    """`epochs` in their order. What was acknowledged stands at its epoch and number; what was not (a
    publisher cannot know) may have arrived, in any epoch that it was sent in."""

    def __init__(self, epochs):
        self.rank = {epoch: i for i, epoch in enumerate(epochs)}
        self.published = collections.defaultdict(list)  # channel: [(rank, seq, n)], sorted by seal()
        self.uncertain = collections.defaultdict(set)   # channel: {n}
        self.lost = self.excused = 0

    def add(self, channel, epoch, seq, n):
        self.published[channel].append((self.rank[epoch], seq, n))

    def add_uncertain(self, channel, n):
        self.uncertain[channel].add(n)

    def seal(self):
        """Returns what is wrong with the publishers' answers themselves."""
        wrong = []
        for channel, entries in self.published.items():
            entries.sort()
            for before, entry in zip(entries, entries[1:]):
                if before[:2] == entry[:2]:
                    wrong.append(("ledger", "%s: two messages are number %d" % (channel, entry[1])))
                elif before[0] == entry[0] and before[2] >= entry[2]:
                    wrong.append(("ledger", "%s: %d is numbered before %d" % (
                        channel, before[2], entry[2])))
        return wrong

    def _place(self, position):
        return self.rank[position[0]], position[1]

    def judge(self, hole):
        """Violations of a hole: a message between its ends that no gap tells of."""
        channel, begin, end, gaps, whole = hole
        try:
            begin, end = self._place(begin), self._place(end)
            told = [(self._place(after) if after else (-1, 0), self._place(resumed))
                    for after, resumed in gaps]
        except KeyError as epoch:
            return [("epoch", "%s: nobody knows the epoch %s" % (channel, epoch))]
        entries = self.published[channel]
        wrong = []
        for entry in entries[bisect.bisect_right(entries, begin + (1 << 62,)):]:
            if entry[:2] > end or entry[:2] == end and not whole:
                break
            if any(after < entry[:2] <= resumed for after, resumed in told):
                self.excused += 1
            else:
                self.lost += 1
                wrong.append(("lost", "%s: %d, number %d of epoch %d, between %r and %r; told: %r" % (
                    channel, entry[2], entry[1], entry[0], begin, end, told)))
        return wrong

    def judge_again(self, channel, n):
        if n in self.uncertain[channel]:
            return []
        return [("doubled", "%s: %d came again in another epoch, and was acknowledged once" % (channel, n))]
