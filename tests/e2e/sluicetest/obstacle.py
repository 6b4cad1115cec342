"""Starts sluice-obstacle in front of a gateway, or of an origin that notes what it gets."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import threading

from .gateway import binary
from .http import Response
from .wire import TIMEOUT


def obstacle_binary():
    return os.path.join(os.path.dirname(binary()), "sluice-obstacle")


def run_obstacle(*options):
    """One that is expected to end by itself."""
    return subprocess.run([obstacle_binary(), *options], capture_output=True, text=True,
                          timeout=TIMEOUT)


class Obstacle:
    """A running obstacle; `address` is where clients connect."""

    def __init__(self, to, *faults, options=(), listen="0"):
        address = to if isinstance(to, tuple) else to.address
        command = [obstacle_binary(), "--listen", listen, "--control", "0", "--to",
                   "%s:%d" % address, "--seed", "7", *options]
        for fault in faults:
            command += ["--fault", fault]
        self.process = subprocess.Popen(command, bufsize=0, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            said = self._read_addresses()
        except BaseException:
            self.process.kill()  # what failed must not be left running
            self.process.wait()
            raise
        self.address = said["listening"]
        self.control = said["control"]

    def _read_addresses(self):
        said = {}
        while len(said) < 2:
            assert select.select([self.process.stdout], [], [], TIMEOUT)[0], "it does not start"
            line = self.process.stdout.readline().decode()
            assert line, self.process.stderr.read().decode()
            word, place = line.split()
            said[word] = ("127.0.0.1", int(place.rpartition(":")[2]))
        return said

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        stderr = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        if kind is None:
            assert status == 0 and not stderr, (status, stderr[-4000:])

    def ask(self, method, path, body=None, headers=None):
        """On the control address; status, headers, JSON."""
        conn = http.client.HTTPConnection(*self.control, timeout=TIMEOUT)
        conn.request(method, path, body=body, headers=headers or {})
        answer = conn.getresponse()
        text = answer.read()
        conn.close()
        return answer.status, answer.headers, json.loads(text) if text else None

    def set(self, *faults):
        status, _, answer = self.ask("PUT", "/faults", json.dumps(faults))
        assert status == 200 and answer == list(faults), (status, answer)

    def counts(self):
        return self.ask("GET", "/counts")[2]


class Request(Response):
    """A request as an origin got it."""

    def __init__(self, head, body):
        first, _, rest = head.decode("latin-1").partition("\r\n")
        self.method, self.target, self.version = first.split(" ")
        self.pairs = [tuple(p.strip() for p in line.split(":", 1))
                      for line in rest.split("\r\n") if line]
        self.body = body

    def __repr__(self):
        return "<%s %s %r %r>" % (self.method, self.target, self.pairs, self.body)


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"


class Origin:
    """Notes each request in `requests` and lets `answer(request, sock)` answer it; the
    connection is kept while that returns true."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda request, sock: not sock.sendall(PLAIN))
        self.requests = []
        self.ended = 0  # connections that the other side has closed
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = self.server.getsockname()
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def _accept(self):
        while True:
            try:
                sock = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        data = b""
        with sock:
            while True:
                while b"\r\n\r\n" not in data:
                    try:
                        got = sock.recv(65536)
                    except OSError:
                        got = b""
                    if not got:
                        with self.lock:
                            self.ended += 1
                        return
                    data += got
                head, _, data = data.partition(b"\r\n\r\n")
                request = Request(head, b"")
                length = int(request.header("Content-Length", "0"))
                while len(data) < length:
                    data += sock.recv(65536)
                request.body, data = data[:length], data[length:]
                with self.lock:
                    self.requests.append(request)
                try:
                    if not self.answer(request, sock):
                        return
                except OSError:
                    return
