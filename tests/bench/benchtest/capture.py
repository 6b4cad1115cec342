"""What tcpdump sees on loopback, and what of it is payload and what TCP/IP headers.

Read by itself from the file (pcap-savefile(5)), so that nothing that the bench uses to count
is used here too."""

import collections
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time

import pytest

SNAP_BYTES = 256  # the headers, and of a request its first line
ETHERNET_HEADER = 14

Packet = collections.namedtuple("Packet", "time source destination headers payload flags start")
FIN, RST = 1, 4


def _cannot(why):
    """Without the right to capture these tests say nothing; where tools are required, that
    is a failure."""
    if os.environ.get("SLUICE_REQUIRE_TOOLS") == "1":
        pytest.fail("packets cannot be captured here: " + why)
    pytest.skip("packets cannot be captured here: " + why)


class Capture:
    """Captures the TCP packets of a loopback port while in its `with`."""

    def __init__(self, port):
        self.port = port
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-capture-")
        self.path = os.path.join(self.folder.name, "packets")

    def __enter__(self):
        command = ["tcpdump", "-i", "lo", "-n", "-U", "--immediate-mode", "-B", "65536",
                   "-s", str(SNAP_BYTES),
                   "-w", self.path]
        if os.geteuid() == 0:
            command += ["-Z", "root"]  # else it cannot write into our folder
        command += ["tcp", "port", str(self.port)]
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                            text=True)
        except FileNotFoundError:
            _cannot("tcpdump is not installed (scripts/setup check)")
        said = ""
        while "listening on" not in said:
            line = self.process.stderr.readline()
            if not line:
                self.process.wait()
                _cannot("tcpdump needs CAP_NET_RAW; it said: " + said.strip())
            said += line
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            self._wait_for_sentinel()
        self.process.send_signal(signal.SIGINT)
        self.said = self.process.communicate(timeout=60)[1]
        if kind is None:
            assert "\n0 packets dropped by kernel" in "\n" + self.said, self.said
            with open(self.path, "rb") as file:
                self.packets = list(read_packets(file.read()))
        self.folder.cleanup()

    def _wait_for_sentinel(self):
        """tcpdump that is interrupted forgets what it has not read yet: a connection of our own
        comes last, and when it is in the file all is."""
        with socket.create_connection(("127.0.0.1", self.port)) as sentinel:
            port = sentinel.getsockname()[1]
        deadline = time.monotonic() + 60
        while True:
            with open(self.path, "rb") as file:
                packets = list(read_packets(file.read()))
            if any(packet.source == port and packet.flags & (FIN | RST) for packet in packets):
                return
            assert time.monotonic() < deadline, "tcpdump does not see what is sent"
            time.sleep(0.05)

    def connections(self):
        """The packets by the client's port."""
        found = collections.defaultdict(list)
        for packet in self.packets:
            client = packet.destination if packet.source == self.port else packet.source
            found[client].append(packet)
        return found


def read_packets(data):
    """Yields the Packets of IPv4 over Ethernet, as far as they are whole."""
    if len(data) < 24:
        return
    order = {0xa1b2c3d4: "<", 0xd4c3b2a1: ">"}[struct.unpack_from("<I", data)[0]]
    assert struct.unpack_from(order + "I", data, 20)[0] == 1, "not Ethernet"
    at = 24
    while at + 16 <= len(data):
        seconds, micros, kept, _ = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + kept > len(data):
            break  # it is being written
        yield _read_packet(seconds + micros / 1e6, data[at + ETHERNET_HEADER:at + kept])
        at += kept


def _read_packet(time, ip):
    assert ip[0] >> 4 == 4, "not IPv4"
    ip_header = (ip[0] & 15) * 4
    total = struct.unpack_from(">H", ip, 2)[0]
    tcp = ip[ip_header:]
    source, destination = struct.unpack_from(">HH", tcp)
    tcp_header = (tcp[12] >> 4) * 4
    headers = ip_header + tcp_header
    return Packet(time, source, destination, headers, total - headers, tcp[13] & 7,
                  bytes(tcp[tcp_header:]))
