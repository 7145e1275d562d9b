"""Requests are read, or refused with a documented error, whole or byte by byte; and always the same."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ironhub.core.errors import HubError
from ironhub.heads.http.exchange import Exchange
from ironhub.heads.http.messages import Head, HttpSettings, Response

SETTINGS = HttpSettings(max_head=300, max_body=60, max_pieces=20)
PIECES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"PUT /a?b HTTP/1.1\r\n",
        b"POST / HTTP/1.0\r\n",
        b"Host: h\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 61\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"X: y\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\n",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"\x00",
    ]
)
STREAMS = st.lists(PIECES, max_size=12).map(b"".join) | st.builds(
    lambda headers, body: b"PUT / HTTP/1.1\r\nHost: h\r\n" + b"".join(headers) + b"\r\n" + body,
    st.lists(PIECES, max_size=3),
    st.binary(max_size=30),
)


def outcome(pieces: list[bytes]) -> tuple[Head, bytes] | str | None:
    """The first request in the stream, the code of its refusal, or None while it is not whole."""
    exchange, buffer, head = Exchange(SETTINGS), bytearray(), None
    try:
        for piece in pieces:
            buffer += piece
            head = head or exchange.take_head(buffer)
            body = exchange.take_body(buffer) if head else None
            if head and body is not None:
                return head, body
    except HubError as refusal:
        return refusal_of(exchange, refusal)
    return None


def refusal_of(exchange: Exchange, error: HubError) -> str:
    answer = exchange.respond(Response(error.status, b"{}"), 0.0, closing=True)
    assert b"\r\n\r\n" in answer
    assert not exchange.keeps_alive
    return error.code


@settings(max_examples=300)
@given(STREAMS, st.data())
def test_how_a_stream_is_cut_never_changes_what_it_means(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    whole = outcome([stream])
    cut = outcome([stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])])
    single = outcome([stream[place : place + 1] for place in range(len(stream))])
    assert whole == cut == single
