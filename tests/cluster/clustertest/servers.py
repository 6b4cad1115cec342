"""NATS servers of a test: each with its own ports and folder, started and ended by its process."""

import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request

from .nats import ApiError, Nats, NoResponders

PROGRAM = os.environ.get("NATS_SERVER", "nats-server")
START_S = 15
NOT_NOW = (OSError, ApiError, NoResponders, ValueError, KeyError)
STREAM = "sluice-main"  # of --nats-bus main
# The last words before a command: what is started does not outlive the run, however that ends.
LEASH = ["setpriv", "--pdeathsig", "KILL"]
_PORTS = 20000, 31900   # below what Linux gives to connections by itself, so that a server can come back


def free_ports(count, host="127.0.0.1"):
    """Ports that nobody has. They stay free while their server is dead: connections get none of these."""
    held = []
    while len(held) < count:
        sock = socket.socket()
        try:
            sock.bind((host, random.SystemRandom().randrange(*_PORTS)))
            held.append(sock)
        except OSError:
            sock.close()
    ports = [sock.getsockname()[1] for sock in held]
    for sock in held:
        sock.close()
    return ports


class Place:
    """Where a process runs: the address that others reach it at, and the words before its command."""

    def __init__(self, host="127.0.0.1", prefix=(), options=()):
        self.host, self.prefix, self.options = host, list(prefix), list(options)


class Server:
    """One nats-server. `store` is its folder; `settings` are more lines of its configuration."""

    def __init__(self, number, place, folder, settings=""):
        self.number, self.place, self.settings = number, place, settings
        self.name = "n%d" % (number + 1)
        self.folder = os.path.join(folder, self.name)
        self.store = os.path.join(self.folder, "store")
        os.makedirs(self.store)
        self.port, self.route_port, self.monitor_port = free_ports(3)
        self.process = None

    @property
    def address(self):
        return self.place.host, self.port

    @property
    def url(self):
        return "nats://%s:%d" % self.address

    @property
    def pid(self):
        return self.process.pid

    def configure(self, routes):
        """Writes its configuration. `routes`: of the whole cluster, empty for a server alone."""
        lines = ["server_name: %s" % self.name, 'listen: "%s:%d"' % self.address,
                 'http: "%s:%d"' % (self.place.host, self.monitor_port),
                 "max_payload: 4MB", "max_pending: 64MB",
                 'jetstream { store_dir: "%s", max_mem: 64MB, max_file: 8GB }' % self.store]
        if routes:
            lines.append('cluster { name: ledger, no_advertise: true, listen: "%s:%d", routes: [%s] }' % (
                self.place.host, self.route_port, ", ".join('"%s"' % route for route in routes)))
        self.config = os.path.join(self.folder, "nats.conf")
        with open(self.config, "w") as file:
            file.write("\n".join(lines + [self.settings]) + "\n")

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen([*self.place.prefix, *LEASH, PROGRAM, "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, also of one that is stopped."""
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def terminate(self, seconds=10):
        """Lets it write what it has; one that does not end is killed."""
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def monitor(self, path, timeout=1.0):
        """What the monitoring port says."""
        url = "http://%s:%d%s" % (self.place.host, self.monitor_port, path)
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return json.load(answer)

    def is_ready(self):
        try:
            return self.monitor("/healthz?js-server-only=true", 2.0).get("status") == "ok"
        except NOT_NOW:
            return False

    def connect(self, timeout=3.0):
        return Nats(self.address, timeout)

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()


class Cluster:
    """One server or three."""

    def __init__(self, count, layout, folder, settings=""):
        self.servers = [Server(n, layout.place_of_server(n), folder, settings) for n in range(count)]
        routes = ["nats://%s:%d" % (one.place.host, one.route_port) for one in self.servers]
        for server in self.servers:
            server.configure(routes if count > 1 else ())

    def start(self):
        for server in self.servers:
            if not server.is_running():
                server.start()
        self.wait_ready()

    def wait_ready(self, seconds=START_S):
        deadline = time.monotonic() + seconds
        while not all(server.is_ready() for server in self.servers):
            if time.monotonic() > deadline:
                raise AssertionError("NATS does not start: %s" % "".join(
                    server.log()[-600:] for server in self.servers))
            time.sleep(0.1)
        self.wait_for(self.meta_leader, seconds, "no leader of the cluster")

    def wait_for(self, what, seconds, complaint):
        """What `what()` returns, once that is true."""
        deadline = time.monotonic() + seconds
        while not (found := what()):
            if time.monotonic() > deadline:
                raise AssertionError(complaint)
            time.sleep(0.1)
        return found

    def stop(self):
        for server in self.servers:
            server.kill()

    def named(self, name):
        return next((server for server in self.servers if server.name == name), None)

    def ask(self, name, body=None, timeout=3.0, seconds=15):
        """An answer of JetStream's API from whichever server gives one."""
        deadline = time.monotonic() + seconds
        while True:
            for server in self.servers:
                if not server.is_running():
                    continue
                try:
                    with server.connect(1.0) as nats:
                        return nats.api(name, body, timeout)
                except NOT_NOW as error:
                    if time.monotonic() > deadline:
                        raise AssertionError("%s: %s" % (name, error)) from error
            if time.monotonic() > deadline:
                raise AssertionError("%s: no server runs" % name)
            time.sleep(0.1)

    def stream(self, name=STREAM):
        return self.ask("STREAM.INFO." + name)

    def leader(self, name=STREAM):
        """The server that leads the stream, or None."""
        if len(self.servers) == 1:
            return self.servers[0]
        return self.named(self.stream(name)["cluster"].get("leader"))

    def wait_leader(self, seconds=30):
        return self.wait_for(self.leader, seconds, "the stream has no leader")

    def meta_leader(self):
        """The server that leads the cluster, or None."""
        if len(self.servers) == 1:
            return self.servers[0]
        for server in self.servers:
            try:
                name = server.monitor("/jsz")["meta_cluster"].get("leader")
            except NOT_NOW:
                continue
            if name and self.named(name):
                return self.named(name)
        return None

    def follower(self):
        """A server that leads neither the stream nor the cluster, if there is one."""
        leader, meta = self.wait_leader(), self.meta_leader()
        others = [server for server in self.servers if server is not leader]
        return next((server for server in others if server is not meta), others[0])

    def consumer_nodes(self, name=STREAM):
        """For each consumer of the stream its server."""
        listed = self.ask("CONSUMER.LIST." + name)["consumers"] or []
        names = [one.get("cluster", {}).get("leader") for one in listed]
        return [self.named(one) or self.servers[0] for one in names]

    def consumer_node(self):
        """A server with a gateway's consumer, one that does not lead the stream if there is one."""
        nodes = self.wait_for(self.consumer_nodes, 15, "the stream has no consumer")
        leader = self.leader()
        return next((server for server in nodes if server is not leader), nodes[0])
