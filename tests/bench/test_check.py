"""sluice-bench check-code and check-report, as they are built: the program finds Node.js, the scripts
and the modules of the check page."""

import os
import shutil
import subprocess

import pytest

from benchtest.bench import binary

MODULES = os.path.join(os.path.dirname(binary()), "www", "check", "code.js")

pytestmark = pytest.mark.skipif(not os.path.exists(MODULES) or not shutil.which("node"),
                                reason="a build with sanitizers has no page; Node.js is needed")


def run(*args, text=""):
    return subprocess.run([binary(), *args], input=text, capture_output=True, text=True, check=False)


def test_a_code_is_read():
    done = run("check-code", "4000-0ghk-6k0e")
    assert done.returncode == 0, done.stderr
    assert "On this path the client uses WebSocket; a message takes 2 ms to 3 ms." in done.stdout


def test_a_code_that_was_misheard_is_refused():
    done = run("check-code", "4000-0ghk-6k0f")
    assert (done.returncode, done.stdout) == (1, "")
    assert "wrong character" in done.stderr


def test_what_is_no_report_is_refused():
    done = run("check-report", "-", text="{}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "version: it is missing" in done.stderr


@pytest.mark.parametrize("command", ["check-code", "check-report"])
def test_without_an_argument_nothing_is_done(command):
    assert run(command).returncode == 2
