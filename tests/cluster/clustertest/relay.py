"""Relays between a gateway and the servers, which stop passing bytes on without closing anything."""

import os
import signal
import subprocess
import sys

from .servers import LEASH, free_ports
from .world import Loopback


_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay_process.py")


class Relays(Loopback):
    """Every gateway has a process with a port for each server."""

    def __init__(self):
        self.processes = {}

    def urls(self, number, servers):
        ports = free_ports(len(servers))
        pairs = ["%d=%s:%d" % (port, *server.address) for port, server in zip(ports, servers)]
        self.processes[number] = subprocess.Popen(
            [*LEASH, sys.executable, _PROGRAM, *pairs], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.processes[number].stdout.readline()
        return ["nats://127.0.0.1:%d" % port for port in ports]

    def cut(self, number):
        self.processes[number].send_signal(signal.SIGSTOP)

    def heal(self, number):
        self.processes[number].send_signal(signal.SIGCONT)

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
            process.stdout.close()
