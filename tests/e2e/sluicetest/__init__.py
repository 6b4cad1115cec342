"""Clients and helpers for the end-to-end tests: raw sockets only, standard library only,
so that every byte on the wire is the test's own decision."""

from .demo import Recorder, address_of, block, carried, lanes, new_name, trace
from .gateway import Gateway, GatewayFailed, SharedGateway, binary
from .obstacle import PLAIN, Obstacle, Origin, run_obstacle
from .subscriber import (
    HELD,
    STREAMING,
    TRANSPORTS,
    Bye,
    Gap,
    Poll,
    Subscriber,
    open_subscriber,
)
from .streams import LineReader, SseReader
from .http import Http, Response, request_bytes
from .places import (
    BEFORE, PLACES, SOCKETS, Place, responses_in, send_quietly, send_quietly_bytewise)
from .websocket import CloseFrame, WebSocket
from .wire import TIMEOUT, Closed, Wire, eventually, has_ipv6

__all__ = [
    "BEFORE", "Bye", "CloseFrame", "Closed", "Gap", "Gateway", "GatewayFailed", "HELD", "Http",
    "LineReader", "Obstacle", "Origin", "PLACES", "PLAIN", "Place", "Poll", "Recorder",
    "Response", "SOCKETS", "STREAMING", "SharedGateway", "SseReader", "Subscriber", "TIMEOUT",
    "TRANSPORTS", "WebSocket", "Wire", "binary", "block", "carried", "eventually", "has_ipv6",
    "lanes", "new_name", "open_subscriber", "request_bytes", "responses_in", "run_obstacle",
    "send_quietly", "send_quietly_bytewise", "trace",
]
