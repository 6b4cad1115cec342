"""What one client has of its channels, checked as it comes: order and doubles at once; what is missing is
noted, and judged when all that was published is known (ledger.py)."""


def split(cursor):
    epoch, _, seq = cursor.partition("-")
    return epoch, int(seq)


class Channel:
    """The last message of a channel, and the gaps told since."""

    def __init__(self, base):
        self.at = base  # (epoch, seq): everything up to it is accounted for
        self.n = None   # of the last message; None before the first of an epoch
        self.top = -1   # the largest n ever
        self.gaps = []


class Coverage:
    """`say(kind, text)` takes violations, `note(hole)` what may be missing: a tuple (channel, from, to, gaps,
    whole). Nothing came between both positions; with `whole` nothing at the second one either."""

    def __init__(self, say, note):
        self.say, self.note = say, note
        self.channels = {}
        self.position = None  # of the newest message or cursor: the client resumes there
        self.again = []       # (channel, n): seen before, in an older epoch
        self.messages = self.gaps = 0

    def begin(self, names, cursor):
        """The client's first cursor: what comes behind it is to arrive."""
        self.position = split(cursor)
        for name in names:
            self.channels[name] = Channel(self.position)

    def resume(self, cursor):
        """A cursor of the gateway's: all up to it was sent."""
        if self.position is not None:
            epoch, seq = split(cursor)
            if epoch == self.position[0] and seq < self.position[1]:
                self.say("cursor", "%s behind %s-%d" % (cursor, *self.position))
            self.position = epoch, seq

    @property
    def cursor(self):
        return None if self.position is None else "%s-%d" % self.position

    def take_message(self, name, message_id, n):
        epoch, seq = at = split(message_id)
        channel = self.channels.get(name)
        if channel is None:
            return self.say("channel", "%s of %s was not asked for" % (message_id, name))
        if epoch == self.position[0] and seq <= self.position[1]:
            return self.say("order", "%s of %s comes behind %s-%d" % (message_id, name, *self.position))
        if epoch == channel.at[0] and channel.n is not None:
            if n <= channel.n:
                return self.say("doubled", "%s %d came again as %s" % (name, n, message_id))
            if n > channel.n + 1 or channel.gaps:
                self.note((name, channel.at, at, channel.gaps, False))
        else:
            self.note((name, channel.at, at, channel.gaps, False))
        if n <= channel.top:
            self.again.append((name, n))
        for after, resumed in channel.gaps:
            if resumed[0] == epoch and seq <= resumed[1]:
                self.say("gap", "%s of %s came although a gap up to %d was told" % (
                    message_id, name, resumed[1]))
        channel.at, channel.n, channel.gaps = at, n, []
        channel.top = max(channel.top, n)
        self.position = at
        self.messages += 1

    def take_gap(self, name, after, resumed):
        channel = self.channels.get(name)
        if channel is None:
            return self.say("channel", "a gap of %s, which was not asked for" % name)
        gap = (split(after) if after else None, split(resumed))
        if gap[1][0] == channel.at[0] and gap[1][1] < channel.at[1]:
            self.say("gap", "%s told up to %s, and %s-%d was there" % (name, resumed, *channel.at))
        channel.gaps.append(gap)
        self.gaps += 1

    def finish(self):
        """The client has everything up to its position."""
        for name, channel in self.channels.items():
            if channel.at != self.position or channel.gaps:
                self.note((name, channel.at, self.position, channel.gaps, True))
