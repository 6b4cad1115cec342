"""Runs the shell commands of a page, as a reader would who types them one after the other: a command
that starts a gateway goes to the background and ends the one before it on its port; what a comment
under a command shows is what it must say."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
import time

from .gateway import binary, free_port

PATIENCE_S = 60  # for what never comes: a busy machine takes its time
BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.M | re.S)
KEPT = "TOKEN TICKET OLD NEW CURSOR"  # variables that a later command may use


class Command:
    def __init__(self, text, said):
        self.text = text
        self.said = said  # lines that the page shows, without "# "

    def __repr__(self):
        return self.text


def commands_of(page):
    """Of each block of the page its commands, in order."""
    commands = []
    for indent, block in BLOCK.findall(page):
        text, said = "", []
        for line in textwrap.dedent(block).splitlines() + [None]:
            if line is not None and re.match("#( |$)", line) and not text:
                commands[-1].said.append(line[2:])
                continue
            text = (text + "\n" + line if text else line) if line is not None else text
            if text.strip() and _is_complete(text):
                commands.append(Command(text, []))
                text = ""
        assert not text.strip(), "a command without an end: " + text
    return commands


def _is_complete(text):
    if text.rstrip().endswith(("\\", "|", "&&")):
        return False
    return subprocess.run(["bash", "-n", "-c", text], capture_output=True).returncode == 0


def pattern_of(said):
    """What output fits the lines that a page shows: `...` stands for anything, or for any number of
    lines; numbers of a message and times are those of the run."""
    pattern = ""
    for line in said:
        if line == "...":
            pattern += r"(?:.*\n)*?"
            continue
        escaped = ".*".join(re.escape(part) for part in line.split("..."))
        escaped = re.sub(r"9f3a1c07\\-\d+", r"[0-9a-f]{8}-[0-9]+", escaped)
        pattern += re.sub(r"1790\d+", "[0-9]+", escaped) + r"\n"
    return re.compile(pattern)


class Shell:
    """A folder with the page's files, `sluice` in its PATH, and ports of its own for those of the
    page."""

    def __init__(self, folder, files, ports):
        self.folder = str(folder)
        self.ports = {port: free_port() for port in ports}
        self.gateways = {}  # by what they listen at, as the page says it
        self.running = None  # the last one that started
        for file in files:
            shutil.copy(file, self.folder)
        os.mkdir(os.path.join(self.folder, "bin"))
        os.symlink(binary(), os.path.join(self.folder, "bin", "sluice"))

    def run(self, command):
        text = command.text
        for port, own in self.ports.items():
            text = text.replace(":%d" % port, ":%d" % own)
        if text.startswith("sluice --"):
            self._start_gateway(text)
        elif text.startswith("pkill -HUP -x -f "):
            assert re.fullmatch(text.split("'")[1], self.running.text), "the pattern must fit the gateway alone"
            self._reload()
        elif re.search(r"\bcurl -\w*N\b", text):
            self._follow(text, pattern_of(command.said))
        else:
            self._finish(text, command.said)

    def close(self):
        for at in list(self.gateways):
            self._end(at)

    def kill(self):
        for gateway in self.gateways.values():
            gateway.process.kill()
            gateway.process.wait()

    def start(self, script, **how):
        env = dict(os.environ, PATH="%s/bin:%s" % (self.folder, os.environ["PATH"]))
        return subprocess.Popen(["bash", "-euc", script], cwd=self.folder, env=env,
                                stdin=subprocess.DEVNULL, **how)

    def _start_gateway(self, text):
        at = re.search(r"--listen (\S+)", text)[1]
        self._end(at)
        self.running = self.gateways[at] = Background(self, text)
        listeners = len(re.findall(r"--(?:admin-)?listen", text))
        self.running.wait(lambda said: len(re.findall("^listening ", said, re.M)) == listeners)

    def _end(self, at):
        if at in self.gateways:
            gateway = self.gateways.pop(at)
            gateway.process.terminate()
            assert gateway.process.wait(PATIENCE_S) == 0, gateway.said()

    def _reload(self):
        before = self.running.said().count("reload.")
        self.running.process.send_signal(signal.SIGHUP)
        self.running.wait(lambda said: said.count("reload.") > before)
        said = self.running.said()
        assert "refused" not in said and "reload.failed" not in said, said

    def _finish(self, text, said):
        script = "[ ! -e vars ] || . ./vars\n%s\ndeclare -p %s >vars 2>/dev/null || :" % (text, KEPT)
        process = self.start(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, (text, out, errors)
        out = out if out.endswith("\n") or not out else out + "\n"
        assert pattern_of(said).fullmatch(out), "%s\nsaid:\n%s\nthe page:\n%s" % (
            text, out + errors, "\n".join(said))

    def _follow(self, text, pattern):
        """A stream: until it has said what the page shows."""
        stream = Background(self, text)
        try:
            stream.wait(lambda said: pattern.search(said + "\n"))
        finally:
            stream.process.kill()
            stream.process.wait()


class Background:
    """A command that runs until somebody ends it."""

    def __init__(self, shell, text):
        self.text = text
        self.path = tempfile.mkstemp(dir=shell.folder)[1]
        with open(self.path, "w") as out:
            self.process = shell.start("[ ! -e vars ] || . ./vars\nexec " + text,
                                       stdout=out, stderr=out)

    def said(self):
        with open(self.path, errors="replace") as file:  # frames are bytes
            return file.read()

    def wait(self, has_come):
        end = time.monotonic() + PATIENCE_S
        while not has_come(self.said()):
            assert self.process.poll() is None, "%s\nended: %s" % (self.text, self.said())
            assert time.monotonic() < end, "%s\nsaid only: %s" % (self.text, self.said())
            time.sleep(0.02)


def run_page(text, folder, files, ports):
    """Runs all commands of a page, each of which shows what it answers. `files` and `ports` as in Shell."""
    commands = commands_of(text)
    silent = [command for command in commands
              if "curl" in command.text and "=$(curl" not in command.text and not command.said]
    assert not silent, "the page does not say what these answer"
    shell = Shell(folder, files, ports)
    try:
        for command in commands:
            shell.run(command)
    except BaseException:
        shell.kill()
        raise
    shell.close()
