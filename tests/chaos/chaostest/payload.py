"""What is published: a number of its channel, the time, and a text that the number decides."""

import random
import time

_TEXT = "".join(chr(code) for code in random.Random(7).choices(range(0x20, 0x7f), k=70000))


def make(channel, n, size):
    start = n * 31 % 1000
    return {"c": channel, "n": n, "t": time.time(), "s": size, "text": _TEXT[start:start + size]}


def is_whole(data, channel):
    start = data["n"] * 31 % 1000
    return data["c"] == channel and data["text"] == _TEXT[start:start + data["s"]]
