"""Runs sluice-bench and reads its JSON."""

import json
import os
import subprocess
import tempfile

TIMEOUT = 600


def binary():
    path = os.environ.get("SLUICE_BENCH")
    assert path, "set SLUICE_BENCH to the path of sluice-bench"
    return os.path.abspath(path)


class Run:
    """One that has ended: `status`, `stdout`, `stderr` and, when it wrote one, `report`."""

    def __init__(self, status, stdout, stderr, report):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.report = report

    def results(self, scenario, transport=None):
        assert self.report, "no report; status %s: %s" % (self.status, self.stderr[-2000:])
        return [result for result in self.report["results"] if result["scenario"] == scenario
                and transport in (None, result["transport"])]

    def repeat(self, scenario, transport=None):
        """The one repeat of the one result."""
        found = self.results(scenario, transport)
        assert len(found) == 1 and len(found[0]["repeats"]) == 1, (found, self.stderr[-2000:])
        return found[0]["repeats"][0]


class Bench:
    """sluice-bench with `options`, begun at once; `before` are words to run it by (taskset)."""

    def __init__(self, *options, before=()):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-bench-test-")
        self.json_path = os.path.join(self.folder.name, "report.json")
        command = [*before, binary(), *map(str, options), "--quiet", "--json", self.json_path]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)

    def wait(self, timeout=TIMEOUT):
        try:
            stdout, stderr = self.process.communicate(timeout=timeout)
        finally:
            self.kill()
        report = None
        if os.path.exists(self.json_path):
            with open(self.json_path) as file:
                report = json.load(file)
        self.folder.cleanup()
        return Run(self.process.returncode, stdout, stderr, report)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
