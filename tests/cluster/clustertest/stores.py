"""What NATS servers have on their disks, to tell a server's fault from a gateway's: the copies of one log must
be the same.

A block file holds records: length (its highest bit: there are headers), number, time in ns, length of the
subject, the subject, headers and payload, eight bytes of checksum (nats-server 2.9 to 2.11, filestore.go)."""

import glob
import os
import struct

from .servers import STREAM

_HEAD = struct.Struct("<IQqH")
_CHECKSUM = 8
_HAS_HEADERS = 1 << 31
_ERASED = 1 << 63  # of a number: the message is gone


def _blocks(store, stream):
    paths = glob.glob(os.path.join(store, "jetstream", "$G", "streams", stream, "msgs", "*.blk"))
    return sorted(paths, key=lambda path: int(os.path.basename(path)[:-len(".blk")]))


def read(store, stream=STREAM):
    """{number: (time, the rest of the record)} of the messages in a server's store."""
    messages = {}
    for path in _blocks(store, stream):
        with open(path, "rb") as file:
            data = file.read()
        at = 0
        while at + _HEAD.size <= len(data):
            length, number, time_ns, _ = _HEAD.unpack_from(data, at)
            length &= _HAS_HEADERS - 1
            if length < _HEAD.size + _CHECKSUM or at + length > len(data):
                break  # not all of it was written
            if number and not number & _ERASED:
                messages[number] = time_ns, data[at + _HEAD.size:at + length - _CHECKSUM]
            at += length
    return messages


def find_difference(stores):
    """The first number under which two of the stores have different messages, or None. One that has fewer lags."""
    copies = [read(store) for store in stores]
    numbers = sorted(set().union(*copies))
    return next((number for number in numbers if len({copy[number] for copy in copies if number in copy}) > 1),
                None)
