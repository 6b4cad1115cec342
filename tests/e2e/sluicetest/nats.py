"""NATS servers for tests of the gateway: those of the cluster's tests, one server alone."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from .gateway import E2E_FOLDER, binary

sys.path.insert(1, os.path.join(os.path.dirname(E2E_FOLDER), "cluster"))


def find_why_not():
    """Why there can be no gateway on NATS here, or None."""
    if not shutil.which(os.environ.get("NATS_SERVER", "nats-server")):
        return "nats-server is not installed"
    refused = subprocess.run([binary(), "--backend", "nats", "--nats", "no such URL"],
                             capture_output=True, text=True, timeout=60).stderr
    if "--backend" in refused:
        return "the gateway is built without NATS: " + refused.strip()
    return None


def require():
    """Skips a test where there can be no gateway on NATS; where tools are required, that is a failure."""
    why = find_why_not()
    if why:
        assert os.environ.get("SLUICE_REQUIRE_TOOLS") != "1", why
        pytest.skip(why)


@contextlib.contextmanager
def run_cluster(servers=1, settings="", prepare=None):
    """A running clustertest.servers.Cluster in a folder of its own; `prepare` is called before it starts."""
    from clustertest.servers import Cluster
    from clustertest.world import Loopback

    with tempfile.TemporaryDirectory(prefix="sluice-nats-") as folder:
        cluster = Cluster(servers, Loopback(), folder, settings)
        try:
            if prepare:
                prepare(cluster)
            cluster.start()
            yield cluster
        finally:
            for server in cluster.servers:
                if server.is_running():
                    server.resume()
            cluster.stop()


def pause(cluster):
    """The first server; its last thread has stopped when this returns."""
    cluster.servers[0].pause()
    os.waitid(os.P_PID, cluster.servers[0].pid, os.WSTOPPED)


def options_for(cluster, bus):
    """What a gateway needs to be on the bus of that name."""
    options = ["--backend", "nats", "--nats-bus", bus]
    for server in cluster.servers:
        options += ["--nats", server.url]
    return options
