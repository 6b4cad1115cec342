"""Request smuggling at a path of clients of other libraries, whose POSTs have bodies and may be served on another
shard than the one that reads them: the shapes of test_smuggling.py. A session takes what a body says as messages of
a channel, so that whatever is read beyond it, or short of it, shows."""

import itertools

import pytest

from checks import check_closing_refusal, published
from sluicetest import Place, responses_in, send_quietly, send_quietly_bytewise
from test_smuggling import BEHIND, REFUSED, SHAPES, UNFINISHED, Alone, Refused, Served

OPTIONS = ["--shards", "4", "--client-publish", "*"]
TARGET = b"/engine.io/?EIO=4&transport=polling&channel=CHANNEL&sid="

_channels = itertools.count(1)

# Those that are about bodies of another length than this path allows, or about other paths, say nothing here.
LEFT_OUT = {name for name, (data, expected) in SHAPES.items()
            if not isinstance(expected, (Refused, Served, tuple)) or b"POST /publish?channel=CHANNEL HTTP/1." not in data
            or isinstance(expected, Served) and not expected.data}
NAMES = [name for name in SHAPES if name not in LEFT_OUT]

WAYS = {"tcp": ("tcp-fresh", send_quietly), "unix, bytewise": ("unix-fresh", send_quietly_bytewise)}


def packet(text):
    """A message of Engine.IO as long as the shape's body."""
    return text.replace(b"hello", b"4ello").replace(b"hell{", b"4ell{").replace(b"x\r\n", b"4\r\n")


def message(data):
    return [data.replace("hello", "4ello").replace("hell", "4ell").replace("x", "4")[1:]]


def is_family_refusal(response):
    return response.status in (400, 413) and list(response.json()) == ["code", "message"]


def check_refused(responses, first, behind):
    """One refusal, in the path's own words where the request got that far, and the end."""
    if not (len(responses) == 1 and is_family_refusal(responses[0])):
        check_closing_refusal(responses, 400, 413, 431)
    assert "close" in responses[0].tokens("Connection"), responses
    assert first == behind == [], (first, behind)


def check_served(expected, responses, first, behind):
    is_alone = isinstance(expected, Alone)
    assert responses and responses[0].status == 200 and responses[0].body == b"ok", responses
    assert first == message(expected.data), first
    assert behind == ([] if is_alone else ["behind"]), behind
    assert is_alone or [one.status for one in responses] == [200, 200], responses


def check(expected, *seen):
    if isinstance(expected, tuple):
        expected = REFUSED if "close" in seen[0][0].tokens("Connection") else expected[0]
    if expected is UNFINISHED and not seen[0]:
        assert seen[1:] == ([], [])
    elif isinstance(expected, Refused):
        check_refused(*seen)
    else:
        check_served(expected, *seen)


def open_session(gateway, channel):
    answer = gateway.get("/engine.io/?EIO=4&transport=polling&channel=" + channel)
    assert answer.status == 200 and answer.body[:1] == b"0", answer
    return answer.body.split(b'"sid":"')[1].split(b'"')[0]


@pytest.mark.shards
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_a_shape_has_one_reading_in_a_session(two_sockets, name, way):
    data, expected = SHAPES[name]
    channel = "c%06d" % next(_channels)
    place, send = WAYS[way]
    if len(data) > 10_000 and send is send_quietly_bytewise:
        send = send_quietly
    first_line = TARGET + open_session(two_sockets, channel)
    sent = packet(data).replace(b"/publish?channel=CHANNEL", first_line, 1) + BEHIND
    with Place(two_sockets, place).connect() as wire:
        send(wire, sent.replace(b"CHANNEL", channel.encode()))
        if expected is UNFINISHED:
            wire.shut()
        responses = responses_in(wire.read_to_end())
    assert published(two_sockets, channel + ".within") == []
    check(expected, responses, published(two_sockets, channel), published(two_sockets, channel + ".behind"))


def test_most_shapes_are_tried():
    assert len(NAMES) > 150 and len(SHAPES) - len(NAMES) < 40, (len(NAMES), sorted(LEFT_OUT))
