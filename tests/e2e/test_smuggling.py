"""Request smuggling: shapes that two readers of HTTP may divide differently. Behind each comes a
second request, and many carry a third within. The gateway has one reading of a shape, or refuses it
and closes; what is inside a body is never a request."""

import itertools

import pytest

from checks import check_closing_refusal, check_error, published
from sluicetest import Place, responses_in, send_quietly, send_quietly_bytewise

# Less than the request that bodies carry, so that a body may be too long.
OPTIONS = ["--max-message", "150"]

_channels = itertools.count(1)


def publish_to(suffix, data, *fields):
    return b"".join(one + b"\r\n" for one in (
        b"POST /publish?channel=CHANNEL" + suffix + b" HTTP/1.1", b"Host: 127.0.0.1",
        b"Content-Type: text/plain", b"Content-Length: %d" % len(data), *fields)) + b"\r\n" + data


WITHIN = publish_to(b".within", b"within", b"X-Padding: " + b"p" * 50)
BEHIND = publish_to(b".behind", b"behind", b"Connection: close")
BOTH = b"Content-Length: %d" % (5 + len(BEHIND))  # of `hello` and the request behind
IN_CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
OLD_LINE = b"POST /publish?channel=CHANNEL HTTP/1.0"


def shape(body, *fields, line=b"POST /publish?channel=CHANNEL HTTP/1.1", host=b"Host: 127.0.0.1"):
    lines = (line, host, b"Content-Type: text/plain", *fields)
    return b"".join(one + b"\r\n" for one in lines if one) + b"\r\n" + body


def length(value, body=b"hello", *fields):
    return shape(body, b"Content-Length: " + value, *fields)


def hello(*fields):
    return length(b"5", b"hello", *fields)


def coding(value, body=IN_CHUNKS, *fields):
    return shape(body, b"Transfer-Encoding: " + value, *fields)


def chunks(body):
    return coding(b"chunked", body)


def in_chunks(*fields):
    return coding(b"chunked", IN_CHUNKS, *fields)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def with_body(line, body=WITHIN, *fields):
    return shape(body, b"Content-Length: %d" % len(body), *fields, line=line)


# Outcomes: what the answers to a shape and to the request behind it are, and what is published.

class Refused:
    """One refusal, the end, and nothing is published."""

    def __init__(self, *statuses):
        self.statuses = statuses or (400,)

    def check(self, responses, first, behind):
        check_closing_refusal(responses, *self.statuses)
        assert first == behind == [], (first, behind)


class Unfinished(Refused):
    """It announces more than comes, and then the client sends no more: a refusal, or the end."""

    def check(self, responses, first, behind):
        if responses:
            check_closing_refusal(responses, 400, 413)
        assert first == behind == [], (first, behind)


class Served:
    """Both requests are served; the first one's body is `data`."""

    def __init__(self, data="hello"):
        self.data = data

    def check(self, responses, first, behind):
        assert [one.status for one in responses] == [200, 200], responses
        assert (first, behind) == ([self.data], ["behind"])


class Alone(Served):
    """The shape is served; what is behind it is no publish to its channel: refused, or not read."""

    def check(self, responses, first, behind):
        assert responses and responses[0].status == 200, responses
        for one in responses[1:]:
            check_error(one, one.status)
        assert len(responses) <= 2, responses
        assert (first, behind) == ([self.data], [])


class BodyRefused:
    """An answer for the shape with its body; then the second request is served, or the end."""

    def __init__(self, *statuses):
        self.statuses = statuses

    def check(self, responses, first, behind):
        assert responses and responses[0].status in self.statuses, responses
        assert responses[0].header("Sluice"), responses
        assert first == []
        assert [one.status for one in responses[1:]] in ([], [200]), responses
        assert len(behind) == len(responses) - 1, (responses, behind)
        closes = "close" in responses[0].tokens("Connection")
        assert closes == (len(responses) == 1), responses


REFUSED, SERVED = Refused(), Served()
EITHER = SERVED, REFUSED  # RFC 9112 allows both
TOO_LONG, UNFINISHED = Refused(400, 413), Unfinished()

SHAPES = {
    # Content-Length and Transfer-Encoding.
    "CL.TE": (shape(b"0\r\n\r\n" + WITHIN, b"Content-Length: %d" % (5 + len(WITHIN)),
                    b"Transfer-Encoding: chunked"), REFUSED),
    "CL.TE, the length last": (shape(
        b"0\r\n\r\n" + WITHIN, b"Transfer-Encoding: chunked",
        b"Content-Length: %d" % (5 + len(WITHIN))), REFUSED),
    "CL.0 and chunks": (length(b"0", b"0\r\n\r\n", b"Transfer-Encoding: chunked"), REFUSED),
    "TE.CL": (shape(chunk(WITHIN) + b"0\r\n\r\n", b"Content-Length: 4",
                    b"Transfer-Encoding: chunked"), REFUSED),
    "TE.CL of equal length": (shape(b"5\r\nhello\r\n0\r\n\r\n", b"Content-Length: 15",
                                    b"Transfer-Encoding: chunked"), REFUSED),
    "length and identity": (hello(b"Transfer-Encoding: identity"), REFUSED),
    "length and an empty coding": (hello(b"Transfer-Encoding:"), REFUSED),
    "no length and no coding": (shape(b""), Served("")),
    # Transfer-Encoding in odd spellings.
    "TE.TE": (in_chunks(b"Transfer-Encoding: cow"), REFUSED),
    "TE.TE, the other first": (coding(b"cow", IN_CHUNKS,
                                      b"Transfer-Encoding: chunked"), REFUSED),
    "TE.TE, both chunked": (coding(b"chunked", IN_CHUNKS,
                                   b"transfer-encoding: chunked"), REFUSED),
    "TE.TE, the other empty": (coding(b"chunked", IN_CHUNKS,
                                      b"Transfer-Encoding:"), REFUSED),
    "chunked in upper case": (coding(b"CHUNKED"), EITHER),
    "chunked between tabs": (coding(b"\t chunked \t"), SERVED),
    "chunked without a space": (shape(IN_CHUNKS,
                                      b"Transfer-Encoding:chunked"), SERVED),
    "the name in upper case": (shape(IN_CHUNKS,
                                     b"TRANSFER-ENCODING: chunked"), SERVED),
    "chunked, and an empty element": (coding(b"chunked,"), EITHER),
    "an empty element, and chunked": (coding(b", chunked"), EITHER),
    "chunked and TE": (in_chunks(b"TE: trailers"), SERVED),
    "a space before TE's colon": (hello(b"Transfer-Encoding : chunked"), REFUSED),
    "a tab before TE's colon": (hello(b"Transfer-Encoding\t: chunked"), REFUSED),
    "a NUL before TE's colon": (hello(b"Transfer-Encoding\0: chunked"), REFUSED),
    "VT before TE's colon": (hello(b"Transfer-Encoding\x0b: chunked"), REFUSED),
    "NBSP before TE's colon": (hello(b"Transfer-Encoding\xa0: chunked"), REFUSED),
    "a space before TE": (hello(b" Transfer-Encoding: chunked"), REFUSED),
    "TE behind a bare CR": (hello(b"X-A: b\rTransfer-Encoding: chunked"), REFUSED),
    "TE behind a bare LF": (hello(b"X-A: b\nTransfer-Encoding: chunked"), REFUSED),
    "TE folded": (shape(IN_CHUNKS, b"Transfer-Encoding:\r\n chunked"), REFUSED),
    "TE in a folded line": (hello(b"X-A: b\r\n Transfer-Encoding: chunked"), REFUSED),
    "TE with an underscore": (hello(b"Transfer_Encoding: chunked"), SERVED),
    "TE as a prefix": (hello(b"Transfer-Encodings: chunked"), SERVED),
    "chunks by HTTP/1.0": (shape(IN_CHUNKS, b"Transfer-Encoding: chunked",
                                 line=OLD_LINE), (REFUSED, Alone())),
    "chunks by HTTP/1.0, kept": (shape(
        IN_CHUNKS, b"Transfer-Encoding: chunked", b"Connection: keep-alive",
        line=OLD_LINE), (REFUSED, Alone())),
    # Content-Length.
    "equal lengths": (hello(b"Content-Length: 5"), SERVED),
    "a list of equal lengths": (length(b"5, 5"), EITHER),
    "a list of equal lengths, no space": (length(b"5,5"), EITHER),
    "a list and a line": (length(b"5, 5", b"hello", b"Content-Length: 5"), EITHER),
    "a list of lengths": (length(b"5, 6"), REFUSED),
    "a list and another line": (length(b"5, 5", b"hello", b"Content-Length: 6"), REFUSED),
    "a list and an empty element": (length(b"5,"), EITHER),
    "differing lengths": (hello(BOTH), REFUSED),
    "differing lengths, the longer first": (shape(b"hello", BOTH, b"Content-Length: 5"), REFUSED),
    "a length of 0 and another": (length(b"0", b"hello", b"Content-Length: 5"), REFUSED),
    "leading zeros": (length(b"0005"), EITHER),
    "equal lengths, one with a zero": (hello(b"Content-Length: 05"), EITHER),
    "a length between tabs": (length(b"\t5 \t"), SERVED),
    "a length with an underscore": (hello(b"Content_Length: 50"), SERVED),
    "a length's name in upper case": (shape(b"hello", b"CONTENT-LENGTH: 5"), SERVED),
    "a folded length": (length(b"5\r\n 0"), REFUSED),
    "a length in a folded line": (hello(b"X-A: b\r\n Content-Length: 50"), REFUSED),
    "no digits but a chunked body": (length(b"chunked", b"5\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "a length of 0": (length(b"0", b""), Served("")),
    "a length that is too short": (length(b"4", b"hell{"), Alone("hell")),
    "a length that is too long": (length(b"7"), Alone("helloPO")),
    # A body where none is taken, and bodies of what is refused for another reason.
    "a body of a GET": (with_body(b"GET /healthz HTTP/1.1"), BodyRefused(400)),
    "chunks of a GET": (shape(chunk(WITHIN) + b"0\r\n\r\n", b"Transfer-Encoding: chunked",
                              line=b"GET /healthz HTTP/1.1"), BodyRefused(400)),
    "a body of a file": (with_body(b"GET /client/sluice.js HTTP/1.1"), BodyRefused(400)),
    "a body of a GET poll": (with_body(b"GET /poll?channels=CHANNEL HTTP/1.1"), BodyRefused(400)),
    "a body of a POST poll": (with_body(b"POST /poll?channels=CHANNEL HTTP/1.1"), BodyRefused(400)),
    "a body of sse": (with_body(b"GET /sse?channels=CHANNEL HTTP/1.1"), BodyRefused(400)),
    "a body of a handshake": (with_body(
        b"GET /ws?channels=CHANNEL HTTP/1.1", WITHIN, b"Upgrade: websocket", b"Connection: Upgrade",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13"),
        BodyRefused(400)),
    "a body of OPTIONS": (with_body(b"OPTIONS /publish HTTP/1.1"), BodyRefused(204, 400)),
    "a body of nothing": (with_body(b"POST /nothing HTTP/1.1"), BodyRefused(404)),
    "a body of a wrong method": (with_body(b"PUT /publish?channel=CHANNEL HTTP/1.1"),
                                 BodyRefused(400, 405)),
    "a body of an unknown method": (with_body(b"BREW /publish?channel=CHANNEL HTTP/1.1"),
                                    BodyRefused(400, 405, 501)),
    "a body of a foreign page": (with_body(b"POST /publish?channel=CHANNEL HTTP/1.1", WITHIN,
                                           b"Origin: http://evil.example"), BodyRefused(403)),
    "a body of an encoding": (with_body(b"POST /publish?channel=CHANNEL HTTP/1.1", WITHIN,
                                        b"Content-Encoding: gzip"), BodyRefused(413, 415)),
    "a body of no channel": (with_body(b"POST /publish?channel=..CHANNEL HTTP/1.1"),
                             BodyRefused(400, 413)),
    "a body that is too long": (length(b"%d" % len(WITHIN), WITHIN), BodyRefused(413)),
    "chunks that are too long": (chunks(chunk(WITHIN) + b"0\r\n\r\n"), BodyRefused(413)),
    "small chunks that are too long": (
        chunks(b"".join(chunk(WITHIN[at:at + 40]) for at in range(0, len(WITHIN), 40))
               + b"0\r\n\r\n"), BodyRefused(413)),
    "an upgrade to h2c with a body": (hello(
        b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMA"), SERVED),
    "a body that is not waited for": (hello(b"Expect: 100-continue"), SERVED),
    "a close with a request behind": (hello(b"Connection: close"), Alone()),
    "a second close line": (hello(b"Connection: keep-alive",
                                   b"Connection: close"), Alone()),
    "HTTP/1.0 with a request behind": (shape(
        b"hello", b"Content-Length: 5", line=OLD_LINE), Alone()),
    # Chunks.
    "a chunk with an extension": (chunks(b"5;a=b\r\nhello\r\n0;c\r\n\r\n"), SERVED),
    "a chunk with a quoted extension": (chunks(b'5;a="b;c, d"\r\nhello\r\n0\r\n\r\n'), SERVED),
    "a chunk with an extension in spaces": (chunks(b"5 ;\ta = b\r\nhello\r\n0\r\n\r\n"), EITHER),
    "a chunk with an empty extension": (chunks(b"5;\r\nhello\r\n0\r\n\r\n"), EITHER),
    "an extension with a bare LF": (chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "an extension with a bare CR": (chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "an extension with a NUL": (chunks(b"5;a\0b\r\nhello\r\n0\r\n\r\n"), EITHER),
    "an extension that carries a request": (chunks(b"5;a\n" + WITHIN + b"\r\nhello\r\n0\r\n\r\n"),
                                            REFUSED),
    "an extension of 200": (chunks(b"5;" + b"a" * 200 + b"\r\nhello\r\n0\r\n\r\n"), EITHER),
    "an extension of 20,000": (chunks(b"5;" + b"a" * 20_000 + b"\r\nhello\r\n0\r\n\r\n"), TOO_LONG),
    "a size in upper case": (chunks(b"A\r\nhellohello\r\n0\r\n\r\n"), Served("hellohello")),
    "a size in lower case": (chunks(b"a\r\nhellohello\r\n0\r\n\r\n"), Served("hellohello")),
    "a size with zeros": (chunks(b"0005\r\nhello\r\n000\r\n\r\n"), EITHER),
    "a size with many zeros": (chunks(b"0" * 40 + b"5\r\nhello\r\n0\r\n\r\n"), EITHER),
    "a size of 2^64 + 5": (chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), TOO_LONG),
    "a size of 2^32 + 5": (chunks(b"100000005\r\nhello\r\n0\r\n\r\n"), UNFINISHED),
    "a size of 2^63": (chunks(b"8000000000000000\r\nhello\r\n0\r\n\r\n"), UNFINISHED),
    "a size of 2^64 - 1": (chunks(b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), UNFINISHED),
    "a second size that wraps": (chunks(b"5\r\nhello\r\nffffffffffffffff\r\n\r\n"), UNFINISHED),
    "a size behind": (chunks(b"5 \r\nhello\r\n0\r\n\r\n"), EITHER),
    "a size between tabs": (chunks(b"\t5\t\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "a last size below zero": (chunks(b"5\r\nhello\r\n-0\r\n\r\n"), REFUSED),
    "two last chunks": (chunks(b"5\r\nhello\r\n0\r\n0\r\n\r\n"), REFUSED),
    "CR alone behind a size": (chunks(b"5\rhello\r\n0\r\n\r\n"), REFUSED),
    "two CRs behind a size": (chunks(b"5\r\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "LF alone behind a size": (chunks(b"5\nhello\r\n0\r\n\r\n"), REFUSED),
    "LF alone behind data": (chunks(b"5\r\nhello\n0\r\n\r\n"), REFUSED),
    "CR alone behind data": (chunks(b"5\r\nhello\r0\r\n\r\n"), REFUSED),
    "other bytes behind data": (chunks(b"5\r\nhelloXX0\r\n\r\n"), REFUSED),
    "LF alone behind the last size": (chunks(b"5\r\nhello\r\n0\n\r\n"), REFUSED),
    "LF alone at the end": (chunks(b"5\r\nhello\r\n0\r\n\n"), REFUSED),
    "data longer than its size": (chunks(b"3\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "data shorter than its size": (chunks(b"6\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "no empty line behind the last chunk": (chunks(b"5\r\nhello\r\n0\r\n"), REFUSED),
    "no chunk": (chunks(b"0\r\n\r\n"), Served("")),
    "many chunks": (chunks(b"1\r\nx\r\n" * 50 + b"0\r\n\r\n"), Served("x" * 50)),
    # Trailers.
    "a trailer": (chunks(b"5\r\nhello\r\n0\r\nX-A: b\r\n\r\n"), SERVED),
    "two trailers": (chunks(b"5\r\nhello\r\n0\r\nX-A: b\r\nX-C:d\r\n\r\n"), SERVED),
    "a length as a trailer": (chunks(b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n"), EITHER),
    "a coding as a trailer": (
        chunks(b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), EITHER),
    "a host as a trailer": (chunks(b"5\r\nhello\r\n0\r\nHost: evil.example\r\n\r\n"), EITHER),
    "close as a trailer": (chunks(b"5\r\nhello\r\n0\r\nConnection: close\r\n\r\n"), EITHER),
    "a key as a trailer": (chunks(b"5\r\nhello\r\n0\r\nIdempotency-Key: x\r\n\r\n"), EITHER),
    "a folded trailer": (chunks(b"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n"), EITHER),
    "a trailer with a bare LF": (chunks(b"5\r\nhello\r\n0\r\nX-A: b\nX-C: d\r\n\r\n"), REFUSED),
    "a trailer that ends in LF LF": (chunks(b"5\r\nhello\r\n0\r\nX-A: b\n\n"), REFUSED),
    "a trailer of 100,000": (chunks(b"5\r\nhello\r\n0\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n"),
                             Refused(400, 413, 431)),
    "trailers of 100,000": (chunks(b"5\r\nhello\r\n0\r\n" + b"X-A: b\r\n" * 12_500 + b"\r\n"),
                            Refused(400, 413, 431)),
    # What is behind a body that has ended.
    "an empty line behind chunks": (chunks(b"5\r\nhello\r\n0\r\n\r\n\r\n"), SERVED),
    "an empty line behind a body": (length(b"5", b"hello\r\n"), SERVED),
    "junk behind chunks": (chunks(b"5\r\nhello\r\n0\r\n\r\n{"), Alone()),
    "a letter behind chunks": (chunks(b"5\r\nhello\r\n0\r\n\r\nX"), Alone()),
    "a line behind chunks": (chunks(b"5\r\nhello\r\n0\r\n\r\njunk\r\n"), Alone()),
    "a NUL behind a body": (length(b"5", b"hello\0"), Alone()),
    "a LF behind a body": (length(b"5", b"hello\n"), Alone()),
    # Other ways to disagree about where a request goes.
    "an absolute target and another host": (shape(
        b"hello", b"Content-Length: 5", host=b"Host: evil.example",
        line=b"POST http://127.0.0.1/publish?channel=CHANNEL HTTP/1.1"), SERVED),
    "two hosts": (hello(b"Host: 127.0.0.1"), REFUSED),
    "a host in a folded line": (shape(b"hello", b" Host: 127.0.0.1", b"Content-Length: 5",
                                      host=b"X-A: b"), REFUSED),
    "a version twice": (shape(b"hello", b"Content-Length: 5",
                              line=b"POST /publish?channel=CHANNEL HTTP/1.1 HTTP/1.1"), REFUSED),
    "a request in the target": (shape(
        b"hello", b"Content-Length: 5",
        line=b"POST /publish?channel=CHANNEL HTTP/1.1\rHost: 127.0.0.1\r"), REFUSED),
}

# Lengths that are no number or no possible one.
for _value in (b"+5", b"-5", b"-0", b"0x5", b"5.0", b"5e0", b"5;", b"5 5", b"5\x0b", b"\x0c5",
               b"5\0", b"\xc2\xa05", b"five", b"5, five", b"'5'", b'"5"', b"", b",", b"0b101",
               b"05h", b"18446744073709551621", b"4294967301", b"9" * 40):
    SHAPES["a length of %r" % _value.decode("latin-1")] = (length(_value), TOO_LONG)

# Spellings of `chunked` that some reader takes.
for _value in (b"xchunked", b"chunkedx", b"chunk", b"chunked, identity", b"identity, chunked",
               b"gzip, chunked", b"chunked, chunked", b"chunked chunked", b"chunked;a=b",
               b'"chunked"', b"'chunked'", b"chunked\x0b", b"\x0bchunked", b"chunked\0",
               b"\0chunked", b"chu nked", b"chunked\x0c", b"\xc2\xa0chunked", b"identity", b"cow",
               b"chunked\r\n ", b"\r\n chunked", b"x\rTransfer-Encoding: chunked"):
    SHAPES["a coding of %r" % _value.decode("latin-1")] = (coding(_value), REFUSED)

# Sizes of a chunk that some reader takes for 5.
for _value in (b"+5", b"-5", b"0x5", b"x5", b" 5", b"\t5", b"5h", b"5g", b"5_", b"5.0", b"5,5", b"",
               b"five", b"\0" b"5", b"5\0", b"\x0b5", b"\xff5", b"0X5"):
    SHAPES["a chunk size of %r" % _value.decode("latin-1")] = (
        chunks(_value + b"\r\nhello\r\n0\r\n\r\n"), REFUSED)

# A place, and whether the bytes come in one piece.
WAYS = {"tcp": ("tcp-fresh", send_quietly), "unix, kept": ("unix-poll", send_quietly),
        "tcp, kept, bytewise": ("tcp-publish", send_quietly_bytewise),
        "unix, bytewise": ("unix-fresh", send_quietly_bytewise)}


def outcomes_of(expected):
    return expected if isinstance(expected, tuple) else (expected,)


def is_one_of(outcomes, *seen):
    """The last of the outcomes says why nothing fits."""
    for outcome in outcomes[:-1]:
        try:
            outcome.check(*seen)
            return
        except AssertionError:
            pass
    outcomes[-1].check(*seen)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_one_reading(two_sockets, name, way):
    data, expected = SHAPES[name]
    channel = "c%06d" % next(_channels)  # as long as its place in the shapes, which have lengths
    place, send = WAYS[way]
    if len(data) > 10_000 and send is send_quietly_bytewise:
        send = send_quietly  # takes too long, and says nothing more
    with Place(two_sockets, place).connect() as wire:
        send(wire, (data + BEHIND).replace(b"CHANNEL", channel.encode()))
        if expected is UNFINISHED:
            wire.shut()
        responses = responses_in(wire.read_to_end())
    assert published(two_sockets, channel + ".within") == []
    is_one_of(outcomes_of(expected), responses, published(two_sockets, channel),
              published(two_sockets, channel + ".behind"))
