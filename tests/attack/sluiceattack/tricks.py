"""What the harness asks of a gateway before and after an attack, as honest clients with time."""

import json
import re

from . import wires
from sluicetest.http import Http
from sluicetest.wire import Wire

QUIET_CHANNELS, QUIET_MESSAGES = 20, 5


class Asker:
    """Requests from an address of its own, one after the other on one connection."""

    def __init__(self, address, source, token=None):
        self.address, self.source, self.token = address, source, token
        self.http = Http(address, source=source)

    def close(self):
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def ask(self, method, target, headers=(), body=None):
        headers = dict(headers)
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        return self.http.request(method, target, headers, body)


def fill_history(gateway, channels, messages, size, token):
    with Asker(gateway.address, "127.63.0.1", token) as asker:
        for channel in channels:
            for _ in range(messages):
                answer = asker.ask("POST", "/publish?channel=" + channel,
                                   {"Content-Type": "text/plain"}, b"x" * size)
                assert answer.status == 200, answer


class Quiet:
    """Channels that nobody listens to now, and the note of a probe: both have to outlast an attack."""

    NONCE = "honest-probe-of-a-victim"

    def __init__(self, address, token):
        self.address, self.token = address, token
        self.marks = []

    def leave(self):
        with Asker(self.address, "127.62.0.1", self.token) as asker:
            for at in range(QUIET_CHANNELS * QUIET_MESSAGES):
                answer = asker.ask("POST", "/publish?channel=quiet.%d" % (at % QUIET_CHANNELS),
                                   {"Content-Type": "application/json"},
                                   json.dumps("quiet %d" % at).encode())
                assert answer.status == 200, answer
        with self._wire("127.62.0.2") as wire:
            wire.send(wires.upgrade("quiet.probe", self.token, probe=self.NONCE))
            wire.read_until(b'"type":"open"')

    def _wire(self, source):
        return Wire(self.address, source=source)

    def find(self):
        """Messages lost, and notes lost."""
        lost = 0
        with Asker(self.address, "127.62.0.3", self.token) as asker:
            for at in range(QUIET_CHANNELS):
                answer = asker.ask("GET", "/poll?channels=quiet.%d&wait=0&since=0" % at)
                assert answer.status == 200, answer
                lost += QUIET_MESSAGES - len(answer.json()["messages"])
            seen = asker.ask("GET", "/probe/seen?nonce=" + self.NONCE).json()["seen"]
        return lost, int(not seen.startswith("upgraded"))


def read_metrics(gateway):
    """Name with labels -> value."""
    with Asker(gateway.admin[0], "127.0.0.1") as asker:
        text = asker.ask("GET", "/metrics").body.decode()
    return {found[1]: float(found[2])
            for found in re.finditer(r"^(sluice_\S+) (\S+)$", text, re.M)}
