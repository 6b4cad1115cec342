"""Passes a socket to a program as systemd does (sd_listen_fds(3)): ADDRESS NAME PROGRAM ARGUMENT...
An address with a slash is a Unix socket's path, another is a port of 127.0.0.1."""
import os
import socket
import sys

address, name, program = sys.argv[1:4]
is_path = "/" in address
listener = socket.socket(socket.AF_UNIX if is_path else socket.AF_INET)
if not is_path:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(address if is_path else ("127.0.0.1", int(address)))
listener.listen(128)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)  # it may have been 3 before
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=name)
os.execv(program, sys.argv[3:])
