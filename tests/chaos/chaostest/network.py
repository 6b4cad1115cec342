"""A network namespace of the run's own, in which packets are lost by the kernel's packet filter."""

import os
import shutil
import subprocess
import sys

INSIDE = "SLUICE_CHAOS_NETWORK"
TABLE = """add table inet chaos
delete table inet chaos
table inet chaos {
chain input {
type filter hook input priority 0;
%s}
}
"""


def missing():
    """Why packets cannot be lost here, or None."""
    for tool in "unshare", "nft", "ip":
        if not shutil.which(tool):
            return "%s is not installed" % tool
    tried = subprocess.run(_command("true"), capture_output=True, text=True)
    return None if tried.returncode == 0 else "no namespace with nftables: " + tried.stderr.strip()[-200:]


def _command(*words):
    """As another user than root in a user namespace in which it is root."""
    flags = ["--net"] if os.geteuid() == 0 else ["--net", "--user", "--map-root-user"]
    setup = "ip link set lo up && nft add table inet chaos && exec \"$@\""
    return ["unshare", *flags, "sh", "-c", setup, "chaos", *words]


def enter():
    """Runs this program again, in a namespace. Returns in there only."""
    if not os.environ.get(INSIDE):
        command = _command(sys.executable, *sys.argv)
        os.execvpe(command[0], command, dict(os.environ, **{INSIDE: "1"}))


class Network:
    """Loss and cuts of TCP between clients and a gateway's ports; nothing where this is no namespace."""

    def __init__(self, ports):
        self.works = bool(os.environ.get(INSIDE))
        self.ports = ", ".join(str(port) for port in ports)
        self.loss, self.cut = 0.0, ()

    def set(self, loss=None, cut=None):
        """The share of packets lost; numbers of the networks (127.0.N.0/24) that are cut off."""
        self.loss = self.loss if loss is None else loss
        self.cut = self.cut if cut is None else cut
        if not self.works:
            return
        rules = []
        for number in self.cut:
            rules += ["ip saddr 127.0.%d.0/24 tcp dport { %s } drop" % (number, self.ports),
                      "ip daddr 127.0.%d.0/24 tcp sport { %s } drop" % (number, self.ports)]
        if self.loss:
            lost = "numgen random mod 10000 < %d drop" % (self.loss * 10000)
            rules += ["tcp dport { %s } %s" % (self.ports, lost), "tcp sport { %s } %s" % (self.ports, lost)]
        table = TABLE % "".join(rule + "\n" for rule in rules)
        subprocess.run(["nft", "-f", "-"], input=table, text=True, check=True)
