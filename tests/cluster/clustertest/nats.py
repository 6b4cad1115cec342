"""A small client of NATS and of JetStream's API: what tests need, over a blocking socket."""

import json
import os
import socket
import time


class ApiError(Exception):
    """JetStream refused; `code` is its error code."""

    def __init__(self, error):
        super().__init__("%s (%s)" % (error.get("description"), error.get("err_code")))
        self.code = error.get("err_code")


class NoResponders(Exception):
    """Nobody answers on the subject now."""


class Message:
    def __init__(self, subject, sid, reply, headers, data):
        self.subject, self.sid, self.reply = subject, sid, reply
        self.headers, self.data = headers, data


class Nats:
    """A connection. Requests wait for their answer; messages of subscriptions are kept until next()."""

    def __init__(self, address, timeout=3.0, **credentials):
        self.sock = socket.create_connection(address, timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes = b""
        self.kept = []
        self.sids = 0
        self.inbox = "_INBOX." + os.urandom(8).hex()
        deadline = time.monotonic() + timeout
        verb, rest = self._read_line(deadline).split(b" ", 1)
        if verb != b"INFO":
            raise ConnectionError("no INFO: %r" % verb)
        self.server = json.loads(rest)
        options = dict(verbose=False, pedantic=False, headers=True, no_responders=True, lang="python",
                       version="1", protocol=1, **credentials)
        self.sock.sendall(b"CONNECT " + json.dumps(options).encode() + b"\r\nPING\r\n")
        while self._read_line(deadline) != b"PONG":
            pass
        self.answers = self.subscribe(self.inbox + ".*")
        self.requests = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    # ---- the protocol ----

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer of NATS")
        self.sock.settimeout(left)
        got = self.sock.recv(65536)
        if not got:
            raise ConnectionError("NATS closed the connection")
        self.bytes += got

    def _read_line(self, deadline):
        while b"\r\n" not in self.bytes:
            self._fill(deadline)
        line, _, self.bytes = self.bytes.partition(b"\r\n")
        if line.startswith(b"-ERR"):
            raise ConnectionError(line.decode())
        return line

    def _read_exact(self, count, deadline):
        while len(self.bytes) < count + 2:
            self._fill(deadline)
        taken, self.bytes = self.bytes[:count], self.bytes[count + 2:]
        return taken

    def _read_message(self, deadline):
        """The next message, answering pings in between."""
        while True:
            words = self._read_line(deadline).split()
            verb = words[0].upper()
            if verb == b"PING":
                self.sock.sendall(b"PONG\r\n")
            elif verb == b"MSG":
                data = self._read_exact(int(words[-1]), deadline)
                return Message(words[1].decode(), int(words[2]),
                               words[3].decode() if len(words) == 5 else None, {}, data)
            elif verb == b"HMSG":
                whole = self._read_exact(int(words[-1]), deadline)
                size = int(words[-2])
                return Message(words[1].decode(), int(words[2]),
                               words[3].decode() if len(words) == 6 else None,
                               _parse_headers(whole[:size]), whole[size:])

    def subscribe(self, subject):
        self.sids += 1
        self.sock.sendall(b"SUB %s %d\r\n" % (subject.encode(), self.sids))
        return self.sids

    def publish(self, subject, data=b"", headers=None, reply=None):
        words = [subject] + ([reply] if reply else [])
        if headers is None:
            line = "PUB %s %d\r\n" % (" ".join(words), len(data))
            self.sock.sendall(line.encode() + data + b"\r\n")
            return
        head = b"NATS/1.0\r\n" + b"".join(
            b"%s: %s\r\n" % (name.encode(), value.encode()) for name, value in headers.items()) + b"\r\n"
        line = "HPUB %s %d %d\r\n" % (" ".join(words), len(head), len(head) + len(data))
        self.sock.sendall(line.encode() + head + data + b"\r\n")

    def next(self, sid, timeout=3.0):
        """The next message of a subscription."""
        for message in self.kept:
            if message.sid == sid:
                self.kept.remove(message)
                return message
        deadline = time.monotonic() + timeout
        while True:
            message = self._read_message(deadline)
            if message.sid == sid:
                return message
            self.kept.append(message)

    def request(self, subject, data=b"", headers=None, timeout=3.0):
        self.requests += 1
        reply = "%s.%d" % (self.inbox, self.requests)
        self.publish(subject, data, headers, reply)
        deadline = time.monotonic() + timeout
        while True:
            message = self.next(self.answers, max(deadline - time.monotonic(), 0.01))
            if message.subject == reply:
                break
        if message.headers.get("status") == "503":
            raise NoResponders(subject)
        return message

    # ---- JetStream ----

    def api(self, name, body=None, timeout=3.0):
        """The answer of $JS.API.NAME."""
        data = b"" if body is None else json.dumps(body).encode()
        answer = json.loads(self.request("$JS.API." + name, data, timeout=timeout).data)
        if "error" in answer:
            raise ApiError(answer["error"])
        return answer

    def store(self, subject, data, headers=None, timeout=3.0):
        """Publishes into a stream; returns the number that it got."""
        answer = json.loads(self.request(subject, data, headers, timeout).data)
        if "error" in answer:
            raise ApiError(answer["error"])
        return answer["seq"]


def _parse_headers(head):
    """Of names and values; the status of the first line is "status"."""
    lines = head.decode("utf-8", "replace").split("\r\n")
    headers = {}
    words = lines[0].split(None, 2)
    if len(words) > 1:
        headers["status"] = words[1]
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name] = value.strip()
    return headers
