"""Gateways of a test: each keeps its address over its lives."""

import os
import signal
import threading
import time

from sluicetest import Gateway, Http

from .servers import LEASH, free_ports

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
PROBE_S = 0.1


class Node:
    """One gateway, life after life. `log` is what it said in all of them."""

    def __init__(self, number, place, options):
        self.number, self.place = number, place
        self.port, self.admin_port = free_ports(2)
        self.options = ["--listen", "%s:%d" % self.address,
                        "--admin-listen", "%s:%d" % self.admin_address, *place.options, *options]
        self.gateway, self.log = None, ""
        self.longest_turn = 0.0
        self.env = {}

    @property
    def address(self):
        return self.place.host, self.port

    @property
    def admin_address(self):
        return self.place.host, self.admin_port

    @property
    def pid(self):
        return self.gateway.pid

    def skew(self, seconds):
        """From its next start on its wall clock is so far off."""
        self.env = {"LD_PRELOAD": FAKETIME, "FAKETIME": "%+ds" % seconds,
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}

    def start(self):
        self.gateway = Gateway(*self.options, secure=False, prefix=self.place.prefix + LEASH,
                               env=self.env)

    def _take_log(self):
        self.log += self.gateway.stderr().decode("utf-8", "replace")

    def kill(self):
        if self.gateway and not self.gateway.stopped:
            self._take_log()
            self.gateway.kill()

    def stop(self):
        """SIGTERM, and it must end with status 0."""
        if self.gateway and not self.gateway.stopped:
            self.measure()
            self.gateway.check()
            self.gateway.signal(signal.SIGTERM)
            try:
                status = self.gateway.wait(40)
            finally:
                self._take_log()
            assert status == 0, "gateway %d ends with status %s" % (self.number, status)
            self.gateway._forget()

    def has_died(self):
        """If it ended by itself; its log is kept."""
        if self.gateway is None or self.gateway.stopped or self.gateway.process.poll() is None:
            return False
        self.kill()
        return True

    def is_running(self):
        return self.gateway is not None and not self.gateway.stopped and self.gateway.process.poll() is None

    def pause(self):
        self.gateway.signal(signal.SIGSTOP)

    def resume(self):
        self.gateway.signal(signal.SIGCONT)

    def talks_to(self, server):
        """If it has a connection to that server's port, of those that its process has open."""
        with open("/proc/%d/net/tcp" % self.pid) as file:
            lines = [line.split() for line in file][1:]
        inodes = {line[9] for line in lines if int(line[2].partition(":")[2], 16) == server.port}
        folder = "/proc/%d/fd" % self.pid
        links = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
        return any("socket:[%s]" % inode in links for inode in inodes)

    def ask(self, method, target, body=None, headers=(), timeout=3.0):
        with Http(self.address) as http:
            return http.request(method, target, dict(headers, Connection="close"), body, timeout=timeout)

    def head(self):
        """(epoch, number)"""
        epoch, _, seq = self.ask("GET", "/stats").json()["cursor"].partition("-")
        return epoch, int(seq)

    def measure(self):
        """Keeps the longest turn of a shard that the gateway tells of."""
        try:
            for line in self.ask("GET", "/metrics").body.decode().splitlines():
                if line.startswith("sluice_turn_longest_seconds"):
                    self.longest_turn = max(self.longest_turn, float(line.split()[-1]))
        except OSError:
            pass

    def metric(self, name):
        """The sum of the samples of that name, None without any."""
        values = [float(line.split()[-1]) for line in self.ask("GET", "/metrics").body.decode().splitlines()
                  if line.startswith((name + " ", name + "{"))]
        return sum(values) if values else None


class Prober(threading.Thread):
    """Asks a gateway /readyz all the time; `changes` are (time, status), 0 where nobody answers."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.changes, self.is_stopping = node, [], False

    def _ask(self):
        try:
            with Http(self.node.address) as http:
                return http.request("GET", "/readyz", {"Connection": "close"}, timeout=1.0).status
        except Exception:  # noqa: BLE001 (whatever it is, the gateway did not answer)
            return 0

    def run(self):
        while not self.is_stopping:
            began = time.monotonic()
            status = self._ask()
            if not self.changes or self.changes[-1][1] != status:
                self.changes.append((began, status))
            time.sleep(PROBE_S)

    def status_at(self, when):
        before = [status for at, status in self.changes if at <= when]
        return before[-1] if before else 0

    def first(self, status, after):
        """Seconds from `after` until it answered `status`; 0 where it did so then, None for never."""
        if self.status_at(after) == status:
            return 0.0
        return next((at - after for at, what in self.changes if at > after and what == status), None)

    def total(self, status, after, until):
        """Seconds between both in which it answered `status`."""
        ends = [at for at, _ in self.changes[1:]] + [until]
        return sum(max(min(end, until) - max(at, after), 0)
                   for (at, what), end in zip(self.changes, ends) if what == status)


def has_faketime():
    return os.path.exists(FAKETIME)
