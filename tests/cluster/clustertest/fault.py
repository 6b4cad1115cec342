"""What a fault is."""

from .world import Loopback


class Fault:
    """`act(world)` does it and undoes it: when it returns, servers and gateways run again, and nothing is
    in the way. What must hold besides a clean ledger:

    resume_s   no gateway but those in `spared` goes for so long without an answered publish; None: it is
               only reported
    gaps       gaps may be reported, because the log really loses messages
    resets     the log may become another one: another epoch
    away       the gateways (numbers) whose /readyz may be 503; None: any

    stay_s     for how long, on average, a reader stays at a gateway

    `layout` says where processes run; `settings` are lines for nats-server; `options` are of all gateways.
    `prepare(world)` is called before servers start, `prepare_node(world, node)` before a gateway does.
    `check(world)`, at the end, returns what is wrong: (kind, text)."""

    def __init__(self, name, act, text, servers=3, gateways=2, resume_s=None, gaps=False, resets=False,
                 away=None, spared=(), stay_s=4.0, layout=Loopback, settings="", options=(), prepare=None,
                 prepare_node=None, check=None, needs=()):
        self.name, self.act, self.text = name, act, text
        self.servers, self.gateways = servers, gateways
        self.resume_s, self.gaps, self.resets = resume_s, gaps, resets
        self.away, self.spared, self.stay_s = away, spared, stay_s
        self.layout, self.settings, self.options = layout, settings, options
        self.prepare = prepare or _nothing
        self.prepare_node = prepare_node or _nothing
        self.check = check or (lambda world: [])
        self.needs = needs  # functions that return why the fault cannot be had here, or None


def _nothing(*what):
    pass
