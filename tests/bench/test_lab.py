"""sluice-bench lab: however it ends, nothing that it started is left."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from benchtest.bench import binary

BENCH_CLIENT = os.path.join(os.path.dirname(binary()), "www", "client")
PATIENCE = 60

pytestmark = pytest.mark.skipif(not os.path.exists(BENCH_CLIENT) or not shutil.which("node"),
                                reason="a build with sanitizers has no client; Node.js is needed")

# A client whose error nobody catches, while everything runs.
FAILING_CLIENT = "export class Sluice { constructor() { setTimeout(() => { throw new Error('on purpose'); }, 300); } %s }" % (
    "addEventListener() {} close() {}")


class Lab:
    """The lab, in mid-run; `folder` is where its proxies have theirs."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.seen = set()
        self.process = subprocess.Popen(
            [binary(), "lab", "--quiet", *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)})

    def descendants(self):
        """Their process ids, those of what its proxies have started too."""
        found, parents = set(), [self.process.pid]
        while parents:
            children = read_children(parents.pop())
            found |= children
            parents += children
        return found

    def wait_until(self, has_begun):
        """What runs when it has begun."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            running = self.descendants()
            self.seen |= running
            if has_begun(running):
                return running
            time.sleep(0.05)
        raise AssertionError("it did not begin: %s" % self.process.poll())

    def kill(self):
        for pid in filter(is_running, self.seen | self.descendants()):
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()


def read_children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return set(map(int, file.read().split()))
    except OSError:  # it has ended
        return set()


def is_running(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until_gone(pids):
    """Those of `pids` that are there still after some patience."""
    end = time.monotonic() + PATIENCE
    while any(map(is_running, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return {pid for pid in pids if is_running(pid)}


@pytest.fixture
def start_lab(tmp_path):
    started = []
    tmp_path.chmod(0o755)  # nginx's workers are another user
    folder = tmp_path / "folders"
    folder.mkdir()

    def start(*options):
        started.append(Lab(folder, *options))
        return started[-1]

    yield start
    for lab in started:
        lab.kill()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_what_the_lab_started_and_removes_its_folders(start_lab, name):
    number = getattr(signal, name)
    has_proxy = bool(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"))
    lab = start_lab("--profiles=none,nginx-good" if has_proxy else "--profiles=none")
    # A gateway and seven obstacles; a proxy with a worker.
    running = lab.wait_until(lambda pids: len(pids) >= (10 if has_proxy else 8))
    assert bool(os.listdir(lab.folder)) == has_proxy
    lab.process.send_signal(number)
    assert lab.process.wait(PATIENCE) == 128 + number
    assert not wait_until_gone(running)
    assert not os.listdir(lab.folder)


def test_an_error_that_nobody_caught_ends_what_the_lab_started(start_lab, tmp_path):
    (tmp_path / "sluice.js").write_text(FAILING_CLIENT)
    (tmp_path / "diagnose.js").write_text("export const diagnose = () => new Promise(() => {});")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    lab = start_lab("--profiles=none", "--transports=sse", "--client=%s" % tmp_path)
    running = lab.wait_until(lambda pids: len(pids) >= 2)
    assert lab.process.wait(PATIENCE) == 2
    assert "on purpose" in lab.process.stderr.read()
    assert not wait_until_gone(running)
