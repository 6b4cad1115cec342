"""A process that passes bytes on: PORT=HOST:PORT for each way. A program of its own, see relay.py."""

import select
import socket
import sys


class _Relay:
    def __init__(self, pairs):
        self.epoll = select.epoll()
        self.listeners, self.peers, self.sockets = {}, {}, {}
        for pair in pairs:
            port, _, target = pair.partition("=")
            host, _, target_port = target.partition(":")
            listener = socket.create_server(("127.0.0.1", int(port)), backlog=64)
            self.listeners[listener.fileno()] = listener, (host, int(target_port))
            self.epoll.register(listener.fileno(), select.EPOLLIN)

    def _accept(self, listener, target):
        near, _ = listener.accept()
        try:
            far = socket.create_connection(target, 2)
        except OSError:
            near.close()
            return
        for sock, other in (near, far), (far, near):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets[sock.fileno()], self.peers[sock.fileno()] = sock, other
            self.epoll.register(sock.fileno(), select.EPOLLIN)

    def _pass_on(self, descriptor):
        sock, other = self.sockets[descriptor], self.peers[descriptor]
        try:
            data = sock.recv(65536)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        for one in sock, other:
            if self.sockets.pop(one.fileno(), None):
                del self.peers[one.fileno()]
                self.epoll.unregister(one.fileno())
                one.close()

    def run(self):
        while True:
            for descriptor, _ in self.epoll.poll():
                if descriptor in self.listeners:
                    self._accept(*self.listeners[descriptor])
                elif descriptor in self.sockets:
                    self._pass_on(descriptor)


if __name__ == "__main__":
    relay = _Relay(sys.argv[1:])
    print("ready", flush=True)
    relay.run()
