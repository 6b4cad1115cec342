"""Honest crowds that the default limits must not touch: nobody is refused, nobody waits for a bucket,
and nothing is lost."""

import secrets
import time

from . import tricks, victims, world

COMPANY, BACKEND = "127.70.0.1", "127.71.0.1"


class Scenario:
    def __init__(self, name, text, play):
        self.name, self.text, self.play = name, text, play


def _start(gateway, secure, count, seconds, **plan):
    """Processes of victims that are ready; each publishes `seconds` from now on once told."""
    nonce = secrets.token_hex(6)
    address = world.address_of(gateway, secure)
    groups = plan.pop("groups")
    shares = [groups[at::count] for at in range(count)]
    return [world.Process(_serve, victims.Plan(address, secure, share, nonce, newcomers=0, **plan),
                          seconds) for share in shares if share]


def _serve(plan, seconds, pipe):
    """As victims.serve; orders are (what, argument), and each has its answer."""
    one = victims.Victims(plan)
    while True:
        what, argument = pipe.recv()
        if what == "ready":
            pipe.send(one.get_ready(argument))
        elif what == "storm":
            one.storm()
            one.forget_cursors()
            pipe.send(True)
        elif what == "forget":
            one.forget_cursors()
            pipe.send(True)
        elif what == "publish":
            now = time.monotonic()
            one.start(now, (now, now + argument), now + argument)
            pipe.send(True)
        elif what == "run":
            one.run(time.monotonic() + argument)
            pipe.send(True)
        elif what == "finish":
            pipe.send(one.finish(argument))
            return


def _all(processes, what, argument=None, timeout=120):
    for process in processes:
        process.tell((what, argument))
    return [process.get(timeout) for process in processes]


def _judge(before, gateway, reports):
    merged = world.merge_reports(reports)
    moved = {name: value - before.get(name, 0)
             for name, value in tricks.read_metrics(gateway).items()
             if name.startswith(("sluice_limited_total", "sluice_refused", "sluice_limit_closes",
                                 "sluice_streams_limited", "sluice_slow_consumers"))
             and value > before.get(name, 0)}
    refused = {name: count for name, count in merged["counts"].items()
               if "refused" in name.lower().replace("econnrefused", "") or "bye" in name}
    return {"published": merged["published"], "lost": merged["lost"],
            "repeated": merged["repeated"], "unpublished": merged["counts"].get("unpublished", 0),
            "refused": refused, "counters": moved,
            "good": not (merged["lost"] or merged["repeated"] or refused or moved
                         or merged["counts"].get("unpublished"))}


def tabs(secure, seconds):
    """25 users with 20 tabs each behind one address; all tabs reconnect at once."""
    with world.start_gateway([], secure) as gateway:
        before = tricks.read_metrics(gateway)
        processes = _start(gateway, secure, 2, seconds, groups=list(range(25)), each=4, rate=2,
                           channels=16, client_source=COMPANY, publisher_source=BACKEND)
        try:
            ready = _all(processes, "ready", 30)
            _all(processes, "publish", seconds + 2)
            _all(processes, "run", seconds / 2)
            _all(processes, "storm")
            back = _all(processes, "ready", 30)
            _all(processes, "run", seconds / 2 + 2)
            result = _judge(before, gateway, _all(processes, "finish", 10))
        finally:
            for process in processes:
                process.end()
    result["good"] = result["good"] and all(ready + back)
    return result


def backend(secure, seconds):
    """5,000 messages a second from one address, half by POST, half by WebSocket, to 300 streams."""
    with world.start_gateway([], secure) as gateway:
        before = tricks.read_metrics(gateway)
        processes = _start(gateway, secure, 2, seconds, groups=list(range(100)), each=1, rate=50,
                           kinds=("websocket", "sse", "stream"), publisher_source=BACKEND,
                           network=80)
        try:
            ready = _all(processes, "ready", 30)
            _all(processes, "publish", seconds)
            _all(processes, "run", seconds)
            result = _judge(before, gateway, _all(processes, "finish", 20))
        finally:
            for process in processes:
                process.end()
    result["good"] = result["good"] and all(ready)
    return result


def restart(secure, seconds):
    """1,000 clients of one address; the gateway restarts."""
    gateway = world.start_gateway([], secure)
    address = world.address_of(gateway, secure)
    processes = _start(gateway, secure, 2, seconds, groups=list(range(50)), each=4, rate=2,
                       client_source=COMPANY, publisher_source=BACKEND)
    try:
        ready = _all(processes, "ready", 30)
        gateway.kill()
        gateway = world.start_gateway([], secure, ports={secure: address[1]})
        before = tricks.read_metrics(gateway)
        _all(processes, "run", 0.3)  # what has not noticed the end yet is not ready
        _all(processes, "forget")
        _all(processes, "publish", seconds + 4)
        _all(processes, "run", 4)
        back = _all(processes, "ready", 30)
        _all(processes, "run", seconds)
        result = _judge(before, gateway, _all(processes, "finish", 10))
    finally:
        for process in processes:
            process.end()
        gateway.kill()
    result["good"] = result["good"] and all(ready + back)
    return result


SCENARIOS = [
    Scenario("honest_tabs", tabs.__doc__, tabs),
    Scenario("honest_backend", backend.__doc__, backend),
    Scenario("honest_restart", restart.__doc__, restart),
]
