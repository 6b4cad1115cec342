"""The world of one run: NATS servers, gateways, and what happens when."""

import os
import subprocess
import time

from .gateways import Node, Prober
from .servers import Cluster, Place

CHANNELS = ["chaos.ledger.%d" % n for n in range(20)]
FOREIGN, END = "chaos.ledger.foreign", "chaos.ledger.end"


class Loopback:
    """Everything on 127.0.0.1. Other layouts say where a process runs, and by which URLs a gateway
    reaches NATS."""

    def open(self, world):
        """Before anything is started."""

    def close(self):
        """When everything has ended."""

    def place_of_server(self, number):
        return Place()

    def place_of_gateway(self, number):
        return Place()

    def urls(self, number, servers):
        """What gateway `number` gets as --nats. Each begins at another server."""
        at = number % len(servers)
        return [server.url for server in servers[at:] + servers[:at]]


class World:
    """`fault` says how many servers and gateways there are and what their options are; `backend` is
    "nats" or, for one gateway without faults, "memory"."""

    def __init__(self, fault, folder, backend="nats"):
        self.fault, self.folder, self.backend = fault, folder, backend
        self.layout = fault.layout()
        self.nats = None
        self.nodes, self.probers = [], []
        self.began = self.ended = self.healed_at = None
        self.notes = []
        self.mounts = []
        self.left = {}  # of gateways that had to leave their server: seconds that it took, or None
        self.may_be_away = fault.away  # numbers of gateways; None: any
        self.foreign = []  # (n, number) of what the fault itself published on FOREIGN

    # ---- start and end ----

    def start(self):
        self.layout.open(self)
        if self.backend == "nats":
            self.nats = Cluster(self.fault.servers, self.layout, self.folder, self.fault.settings)
            self.fault.prepare(self)
            self.nats.start()
        for number in range(self.fault.gateways):
            node = Node(number, self.layout.place_of_gateway(number), self._options(number))
            self.fault.prepare_node(self, node)
            self.nodes.append(node)
            node.start()
        self.probers = [Prober(node) for node in self.nodes]
        for prober in self.probers:
            prober.start()

    def _options(self, number):
        options = ["--shards", "2", "--history-messages", "20000", "--history-bytes", "16M",
                   "--history-total", "64M", "--outbox", "4M", "--log-level", "info"]
        if self.backend == "nats":
            options += ["--backend", "nats"]
            for url in self.layout.urls(number, self.nats.servers):
                options += ["--nats", url]
        return options + list(self.fault.options)

    def stop(self):
        """Ends everything, whatever state it is in; returns what was wrong with that."""
        wrong = []
        for prober in self.probers:
            prober.is_stopping = True
        for node in self.nodes:
            try:
                if node.is_running():
                    node.resume()
                    node.stop()
                elif node.has_died():
                    wrong.append(("died", "gateway %d: status %s: %s" % (
                        node.number, node.gateway.process.returncode, node.log[-600:])))
            except Exception as error:  # noqa: BLE001 (it is reported)
                wrong.append(("end", "gateway %d: %r" % (node.number, error)))
                node.kill()
        if self.nats:
            self.nats.stop()
        for folder in self.mounts:
            subprocess.run(["umount", "-l", folder], check=False)
        self.layout.close()
        return wrong

    # ---- what faults do ----

    def note(self, text):
        """A line of the run's own log, with the seconds since the fault."""
        at = time.monotonic() - self.began if self.began else 0.0
        self.notes.append("%6.2f %s" % (at, text))

    def healed(self):
        """A server is about to come back. It may begin an election of its own, which is another event."""
        self.healed_at = time.monotonic()

    def sleep(self, seconds):
        time.sleep(seconds)

    def mount(self, folder, megabytes):
        """A small file system of its own; it needs root."""
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "none", folder], check=True)
        self.mounts.append(folder)

    def wait_statuses(self, status, seconds, nodes=None):
        """Until /readyz of all these gateways (numbers, all by default) answers `status`; seconds that it
        took, or None."""
        began = time.monotonic()
        chosen = [self.probers[n] for n in (range(len(self.nodes)) if nodes is None else nodes)]
        while time.monotonic() - began < seconds:
            if all(prober.changes and prober.changes[-1][1] == status for prober in chosen):
                return time.monotonic() - began
            time.sleep(0.05)
        return None
