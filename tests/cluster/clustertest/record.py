"""What one reader got, written down for the judge; what is wrong by itself is reported at once."""

from chaostest.coverage import split


class Visit:
    """What came of one epoch without another between."""

    def __init__(self, epoch, start):
        self.epoch, self.start = epoch, start
        self.seen = []  # (seq, channel, n)


class Record:
    """Stands in for chaostest's Coverage. `say(kind, text)` takes violations."""

    def __init__(self, say):
        self.say = say
        self.names = ()
        self.visits = []
        self.gaps = []  # (channel, after, resumed): both (epoch, seq), after may be None
        self.position = None
        self.again = []

    def begin(self, names, cursor):
        self.names = tuple(names)
        self._move(split(cursor))

    def _move(self, position):
        if not self.visits or self.visits[-1].epoch != position[0]:
            self.visits.append(Visit(*position))
        self.position = position

    @property
    def cursor(self):
        return None if self.position is None else "%s-%d" % self.position

    def resume(self, cursor):
        """A cursor of the gateway's: all up to it was sent."""
        if self.position is None:
            return
        position = split(cursor)
        if position[0] == self.position[0] and position[1] < self.position[1]:
            self.say("cursor", "%s behind %s-%d" % (cursor, *self.position))
            return
        self._move(position)

    def take_message(self, name, message_id, n):
        epoch, seq = position = split(message_id)
        if name not in self.names:
            self.say("channel", "%s of %s was not asked for" % (message_id, name))
            return
        if epoch == self.position[0] and seq <= self.position[1]:
            self.say("order", "%s of %s comes behind %s-%d" % (message_id, name, *self.position))
        self._move(position)
        self.visits[-1].seen.append((seq, name, n))

    def take_gap(self, name, after, resumed):
        if name not in self.names:
            self.say("channel", "a gap of %s, which was not asked for" % name)
            return
        self.gaps.append((name, split(after) if after else None, split(resumed)))

    def finish(self):
        """The reader has everything up to its position."""

    def told(self):
        """As plain data, for another process."""
        return {"names": self.names, "gaps": self.gaps,
                "visits": [(visit.epoch, visit.start, visit.seen) for visit in self.visits]}
