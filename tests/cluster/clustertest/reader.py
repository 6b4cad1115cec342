"""Readers: chaostest's clients without tokens, which change gateways instead of having accidents."""

from chaostest.client import CLOSES, REASONS, Client

from .record import Record

TRANSPORTS = "websocket", "sse", "stream", "longpoll", "poll"


class Reader(Client):
    """Its accidents are moves: it closes or resets the connection, and resumes at any gateway."""

    open_within_s, silent_within_s = 10, 25  # a held poll takes 20
    reasons = REASONS | {"epoch"}
    closes = {**CLOSES, 4003: "epoch"}

    def __init__(self, number, loop, world, rng, report):
        super().__init__(number, loop, world, rng, report, None)
        self.secure, self.names = False, list(world.thin)
        if number // len(TRANSPORTS) % 2:  # half of them want some channels only
            self.names = rng.sample(self.names[:-1], len(self.names) // 2) + [self.names[-1]]
        self.coverage = Record(self.report)
        self.name = "%s reader %d" % (self.transport, number)
        self.is_snail = False

    def _mint(self):
        self.token, self.token_until = "none", float("inf")

    def _take(self, thing, event_id=None):
        if thing.get("type") == "backend":
            self.world.counts["backend " + thing["state"]] += 1
        return super()._take(thing, event_id)

    def _plan_accidents(self):
        if not self.goal:
            self.accidents.append(self.loop.after(self.rng.expovariate(1 / self.world.stay_s), self._move))

    def _move(self):
        self.world.counts["moves"] += 1
        self.again(self.rng.choice([0, 0.05, 0.5]), abort=self.rng.random() < 0.5)
