"""What our reader takes for one request, another one (h11) takes for the same: method, target, headers, body, rest."""

from contextlib import suppress
from typing import NamedTuple

import h11
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from ironhub.heads.http.errors import RequestMalformed, RequestTooLarge
from ironhub.heads.http.framing import MAX_HEADERS, body_of, parse_head, take_head

LINES = st.sampled_from(
    [
        b"Content-Length: 3",
        b"Content-Length: 03",
        b"content-length:5 ",
        b"Content-Length: +3",
        b"Content-Length: 3, 3",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding:\tCHUNKED ",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding : chunked",
        b"X: a\xe9b",
        b"X: a\x0bb",
        b"Y:",
        b"Connection: close",
        b"Expect: 100-continue",
        b" folded",
    ]
)
ENDS = st.sampled_from([b"\r\n"] * 90 + [b"\n", b"\r", b"\r\r\n"])
FIRSTS = st.sampled_from(
    [
        b"PUT /a?b HTTP/1.1",
        b"GET / HTTP/1.0",
        b"GET  / HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"P\x7fT / HTTP/1.1",
        b"GET * HTTP/1.1",
    ]
)
BODIES = st.lists(
    st.sampled_from(
        [
            b"abc",
            b"3\r\nabc\r\n",
            b"03\r\nabc\r\n",
            b"3;x=y\r\nabc\r\n",
            b"3 \r\nabc\r\n",
            b"3\nabc\n",
            b"0\r\n\r\n",
            b"0\r\nX: y\r\n\r\n",
            b"0\r\n\n",
            b"GET /b HTTP/1.1\r\n\r\n",
        ]
    ),
    max_size=4,
).map(b"".join)


class Cut(NamedTuple):
    """One request as a reader cuts it from a stream."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    rest: bytes


def ours(stream: bytes) -> Cut | None:
    """As we cut it; None: refused, or not whole."""
    buffer = bytearray(stream)
    with suppress(RequestMalformed, RequestTooLarge):
        data = take_head(buffer, 4096)
        if data is None:
            return None
        head = parse_head(data)
        body = body_of(head, 20)
        taken = body.take(buffer, 4096)
        if body.done:
            fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in head.fields]
            return Cut(head.method.encode(), head.target.encode(), fields, taken, bytes(buffer))
    return None


def theirs(stream: bytes) -> Cut:
    """As h11 cuts it."""
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(stream)
    request = reader.next_event()
    assert isinstance(request, h11.Request), request
    body = b""
    while isinstance(piece := reader.next_event(), h11.Data):
        body += bytes(piece.data)
    assert isinstance(piece, h11.EndOfMessage), piece
    return Cut(request.method, request.target, list(request.headers), body, reader.trailing_data[0])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A request, well or badly made, and what follows it."""
    lines = [draw(FIRSTS), b"Host: h", *draw(st.lists(LINES, max_size=2))]
    head = b"".join(line + draw(ENDS) for line in lines)
    return head + draw(ENDS) + draw(BODIES)


@settings(max_examples=400)
@given(streams())
@example(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n")
@example(
    b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.1\r\n\r\n"
)
@example(b"PUT /a HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * (MAX_HEADERS - 1) + b"\r\n")
def test_whom_we_understand_nobody_understands_differently(stream: bytes) -> None:
    cut = ours(stream)
    event("taken" if cut else "refused")
    if cut is not None:
        theirs_cut = theirs(stream)
        # h11 writes "chunked" in lower case; it changes no other value.
        headers = [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in cut.headers]
        assert cut._replace(headers=headers) == theirs_cut
