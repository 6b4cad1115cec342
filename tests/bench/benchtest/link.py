"""Runs programs over an emulated network with `sluice-bench link`, and reads what it counted."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import textwrap

import pytest

from .bench import binary

TIMEOUT = 120
DEVICE = "link0"
SERVER, CLIENT = "10.97.0.1", "10.97.0.2"
ECHO = (SERVER, 7)

# What every script on the client's side begins with.
PRELUDE = '''
import json, os, signal, socket, statistics, subprocess, sys, time
folder = %r
ECHO = (%r, %d)
def connect():
    made = socket.create_connection(ECHO)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
def retransmitted():
    with open("/proc/self/net/snmp") as file:
        names, values = [line.split() for line in file if line.startswith("Tcp:")]
    return int(dict(zip(names, values))["RetransSegs"])
def wait_for(name):
    """A file that the other side leaves."""
    until = time.monotonic() + 60
    while not os.path.exists(os.path.join(folder, name)):
        assert time.monotonic() < until, "the other side has failed"
        time.sleep(0.02)
def tell(**values):
    print(json.dumps(values))
'''


def require_networks():
    """Without the right to make networks these tests say nothing; where tools are required, that
    is a failure."""
    tried = subprocess.run([binary(), "link", "rtt=0", "true"], capture_output=True, text=True,
                           timeout=TIMEOUT)
    if "there can be no network here" not in tried.stderr:
        return
    if os.environ.get("SLUICE_REQUIRE_TOOLS") == "1":
        pytest.fail(tried.stderr)
    pytest.skip(tried.stderr)


class LinkRun:
    """One that has ended: `said`, the JSON that the client's script printed; `counted`, the JSON of
    the link; `status`; and in `folder` the files that the programs left."""

    def __init__(self, network, client, server=None, options=()):
        self.kept = tempfile.TemporaryDirectory(prefix="sluice-link-test-")
        self.folder = self.kept.name
        path = os.path.join(self.folder, "link.json")
        prelude = PRELUDE % (self.folder, *ECHO)
        command = [binary(), "link", *options, "--json", path]
        if server:
            script = os.path.join(self.folder, "server.py")
            with open(script, "w") as file:
                file.write(prelude + textwrap.dedent(server))
            command += ["--server", "exec '%s' '%s'" % (sys.executable, script)]
        command += [network, sys.executable, "-c", prelude + textwrap.dedent(client)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIMEOUT)
        self.status, self.stderr = done.returncode, done.stderr
        assert done.returncode == 0, done.stdout + done.stderr
        self.said = json.loads(done.stdout) if done.stdout else None
        with open(path) as file:
            self.counted = json.load(file)

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()


def read_ip_packets(data):
    """Yields (source, length) of the IPv4 packets of a capture of raw IP (pcap-savefile(5))."""
    order = {0xa1b2c3d4: "<", 0xd4c3b2a1: ">"}[struct.unpack_from("<I", data)[0]]
    assert struct.unpack_from(order + "I", data, 20)[0] in (12, 101), "not raw IP"
    at = 24
    while at + 16 <= len(data):
        kept, length = struct.unpack_from(order + "II", data, at + 8)
        at += 16
        if at + kept > len(data):
            break
        if data[at] >> 4 == 4:
            assert struct.unpack_from(">H", data, at + 2)[0] == length
            yield ".".join(map(str, data[at + 12:at + 16])), length
        at += kept
