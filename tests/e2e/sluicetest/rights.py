"""A model of who may what: principals with patterns, what they brought, the log of what was published,
and from these what each reader must get. It knows nothing of the gateway's code."""

import time

from .subscriber import split_cursor

MARGIN_S = 1.5  # around an expiry nobody can say whether a request came before it


def allows(patterns, channel):
    """Whether one of them stands for `channel`."""
    for pattern in patterns:
        if pattern == "*" or pattern == channel:
            return True
        if pattern.endswith(".*") and channel.startswith(pattern[:-1]) and channel != pattern[:-1]:
            return True
    return False


class Credential:
    """What somebody brings: a token or a ticket, or nothing at all (`text` None)."""

    def __init__(self, text, subject, may, issued, until, key=None, ticket_until=None):
        self.text, self.subject, self.may = text, subject, may
        self.issued, self.until, self.key = issued, until, key
        self.ticket_until = ticket_until

    @property
    def is_ticket(self):
        return self.ticket_until is not None

    def allows(self, act, channel):
        return allows(self.may[act], channel)

    def __repr__(self):
        return "<%s of %s, %r>" % ("ticket" if self.is_ticket else "token", self.subject, self.may)


class Rules:
    """Keys that are in force, and subjects whose older tokens are refused."""

    def __init__(self, keys):
        self.keys = set(keys)
        self.revoked = {}

    def is_revoked(self, credential):
        return credential.text is not None and (
            credential.issued <= self.revoked.get(credential.subject, -1))

    def reasons(self, credential):
        """The codes by which it may be refused; empty: it counts; None: that cannot be said now."""
        if credential.text is None:
            return set()
        at, reasons = time.time(), set()
        for until in credential.until, credential.ticket_until:
            if until is not None and abs(at - until) < MARGIN_S:
                return None
            if until is not None and at > until:
                reasons.add("token_expired")
        if not credential.is_ticket and credential.key not in self.keys:
            reasons.add("unauthorized")
        if self.is_revoked(credential):
            reasons.add("token_revoked")
        return reasons

    def stream_counts(self, credential):
        """Whether a stream goes on that it opened: a key or ticket that is gone is nothing to it. None:
        that cannot be said now."""
        if credential.text is None:
            return True
        if self.is_revoked(credential):
            return False
        at = time.time()
        return None if abs(at - credential.until) < MARGIN_S else at < credential.until


class Log:
    """What was published, in order."""

    def __init__(self):
        self.messages = []

    def add(self, cursor, channel, text):
        seq = split_cursor(cursor)[1]
        assert not self.messages or seq > self.messages[-1][0], "numbers rise"
        self.messages.append((seq, channel, text))

    def of(self, spans):
        """What a reader of these spans gets; each is (channel, above, up to)."""
        return [(channel, text) for seq, channel, text in self.messages
                if any(channel == name and above < seq <= up_to for name, above, up_to in spans)]


class Spans:
    """From where to where a reader has each channel."""

    def __init__(self, channels, above):
        self.done = []
        self.open = {name: above for name in channels}

    def join(self, channels, position):
        for name in channels:
            self.open.setdefault(name, position)

    def leave(self, channels, position):
        for name in channels:
            if name in self.open:
                self.done.append((name, self.open.pop(name), position))

    def all(self):
        return self.done + [(name, above, float("inf")) for name, above in self.open.items()]
