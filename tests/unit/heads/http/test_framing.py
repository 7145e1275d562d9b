"""Requests that two readers could cut differently are refused."""

from time import process_time

import pytest

from ironhub.heads.http.errors import RequestMalformed, RequestTooLarge
from ironhub.heads.http.framing import MAX_HEADERS, Body, ChunkedBody, CountedBody, body_of, parse_head, take_head

HEAD = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def test_a_head_is_cut_off_when_it_is_whole() -> None:
    buffer = bytearray(HEAD[:-1])
    assert take_head(buffer, 1000) is None
    buffer += HEAD[-1:] + b"rest"
    assert take_head(buffer, 1000) == HEAD
    assert buffer == b"rest"


def test_empty_lines_before_a_request_are_ignored() -> None:
    buffer = bytearray(b"\r\n\r\n" + HEAD)
    assert take_head(buffer, 1000) == HEAD


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\nHost: h\n\n",
        b"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\tfolded\r\n\r\n",
        b"\n",
        b"x\n",
    ],
)
def test_bare_line_feeds_and_folds_are_refused(head: bytes) -> None:
    """[RFC 9112, 2.2, 5.2]"""
    with pytest.raises(RequestMalformed):
        take_head(bytearray(head), 1000)


def test_a_head_that_comes_byte_by_byte_costs_little_each_time() -> None:
    buffer, began = bytearray(b"GET / HTTP/1.1\r\nA: "), process_time()
    while len(buffer) < 16_000:
        buffer += b"a"
        assert take_head(buffer, 16_384) is None
    assert process_time() - began < 0.7  # about 1.2 s when each byte was looked at by itself


def test_a_head_is_bounded() -> None:
    assert take_head(bytearray(HEAD), len(HEAD)) == HEAD
    for buffer in (HEAD, HEAD[:-2] + b"X: y"):
        with pytest.raises(RequestTooLarge):
            take_head(bytearray(buffer), len(HEAD) - 1)


def head_with(*lines: str, first: str = "PUT / HTTP/1.1", host: str = "Host: h") -> bytes:
    return "\r\n".join([first, host, *lines, "", ""]).encode("latin-1")


def test_a_head_is_taken_apart_with_its_names_as_sent() -> None:
    head = parse_head(head_with("X-Abc:\t v w \t", "x-abc: 2", "Y:", "Z: \xe9"))
    assert (head.method, head.target, head.version) == ("PUT", "/", "1.1")
    assert head.fields == (("Host", "h"), ("X-Abc", "v w"), ("x-abc", "2"), ("Y", ""), ("Z", "\xe9"))
    assert head.headers == {"host": "h", "x-abc": "v w", "y": "", "z": "\xe9"}


@pytest.mark.parametrize("host", ["h", "hub.example:443", "127.0.0.1:8443", "[::1]", "[::1]:443", "a_b-c.d"])
def test_a_host_is_a_name_or_an_address_perhaps_with_a_port(host: str) -> None:
    assert parse_head(head_with(host=f"Host: {host}")).headers["host"] == host


@pytest.mark.parametrize("host", ["Host:", "Host: a b", "Host: a/b", "Host: a:b", "Host: [x", "Host: u@h", "X: y"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(RequestMalformed):
        parse_head(head_with(host=host))


def test_only_the_old_version_may_name_no_host() -> None:
    assert parse_head(b"GET / HTTP/1.0\r\nX: y\r\n\r\n").version == "1.0"
    with pytest.raises(RequestMalformed):
        parse_head(b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n")


@pytest.mark.parametrize(
    "first",
    [
        "GET /",
        "GET / HTTP/1.1 ",
        "GET  / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/11",
        "GET * HTTP/1.1",
        "GET http://elsewhere/ HTTP/1.1",
        "CONNECT elsewhere:443 HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
        "G(T / HTTP/1.1",
        f"{'G' * 33} / HTTP/1.1",
        "",
    ],
)
def test_a_request_line_of_any_other_form_is_refused(first: str) -> None:
    """[RFC 9112, 3]"""
    with pytest.raises(RequestMalformed):
        parse_head(head_with(first=first))


@pytest.mark.parametrize(
    "line", ["X : y", " X: y", ": y", "X", "", "X\x0b: y", "X: a\x00b", "X: a\rb", "X: a\x7f", "\xc9: y", "X(: y"]
)
def test_a_header_of_any_other_form_is_refused(line: str) -> None:
    """[RFC 9112, 5.1]"""
    with pytest.raises(RequestMalformed):
        parse_head(head_with(line, "Y: z"))


@pytest.mark.parametrize(
    "name", ["Host", "Content-Length", "Transfer-Encoding", "Content-Type", "Authorization", "Expect", "If-Match"]
)
def test_a_header_that_decides_stands_once(name: str) -> None:
    for other in (name, name.lower(), name.upper()):
        with pytest.raises(RequestMalformed):
            parse_head(head_with(f"{name}: h", f"{other}: h", host="Host: h"))


def test_the_number_of_headers_is_bounded() -> None:
    assert len(parse_head(head_with(*["X: y"] * (MAX_HEADERS - 1))).fields) == MAX_HEADERS
    with pytest.raises(RequestTooLarge):
        parse_head(head_with(*["X: y"] * MAX_HEADERS))


def body_from(*lines: str, first: str = "PUT / HTTP/1.1") -> Body:
    return body_of(parse_head(head_with(*lines, first=first)), max_chunks=3)


def test_a_body_is_told_by_its_length_or_comes_in_chunks() -> None:
    assert body_from().done
    assert body_from("Content-Length: 0").done
    counted = body_from("Content-Length: 5")
    assert isinstance(counted, CountedBody)
    assert not counted.done
    assert isinstance(body_from("Transfer-Encoding: Chunked"), ChunkedBody)


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 1", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 0"),
        ("Transfer-Encoding: gzip",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: chunked;x=y",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: \xa0chunked",),
        ("Transfer-Encoding:",),
        ("Content-Length:",),
        ("Content-Length: +1",),
        ("Content-Length: -0",),
        ("Content-Length: 1 1",),
        ("Content-Length: 1, 1",),
        ("Content-Length: 0x1",),
        ("Content-Length: 1_0",),
        ("Content-Length: \xb2",),
        ("Content-Length: 1.0",),
        (f"Content-Length: {'0' * 19}",),
    ],
)
def test_a_length_that_is_not_plain_is_refused(lines: tuple[str, ...]) -> None:
    """[RFC 9112, 6.1 to 6.3]"""
    with pytest.raises(RequestMalformed):
        body_from(*lines)


def test_chunks_are_for_the_newer_version_only() -> None:
    with pytest.raises(RequestMalformed):
        body_from("Transfer-Encoding: chunked", first="PUT / HTTP/1.0")


def test_a_counted_body_leaves_what_follows() -> None:
    body, buffer = CountedBody(4), bytearray(b"ab")
    assert body.take(buffer, 4) == b"ab"
    buffer += b"cdGET"
    assert (body.take(buffer, 2), body.done, bytes(buffer)) == (b"cd", True, b"GET")
    with pytest.raises(RequestTooLarge):
        CountedBody(4).take(buffer, 3)


def test_chunks_are_joined_however_they_are_cut() -> None:
    stream = b"2\r\nhi\r\n01\r\n!\r\n0\r\n\r\nGET"
    whole, buffer = ChunkedBody(3), bytearray(stream)
    assert (whole.take(buffer, 3), whole.done, bytes(buffer)) == (b"hi!", True, b"GET")
    dripping, buffer, taken = ChunkedBody(3), bytearray(), b""
    for byte in stream[:-3]:
        assert not dripping.done
        buffer.append(byte)
        taken += dripping.take(buffer, 3 - len(taken))
    assert (taken, dripping.done, bytes(buffer)) == (b"hi!", True, b"")


@pytest.mark.parametrize(
    "stream",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"0x1\r\n",
        b"1;x=y\r\n",
        b"1;\r\n",
        b"1\n",
        b"1\rx",
        b"1\r\r\n",
        b"111111111",
        b"000000001\r\n",
        b"1\r\nxy",
        b"1\r\nx\n",
        b"1\r\nx\rx",
        b"0\r\nX",
        b"0\r\n\n",
    ],
)
def test_a_chunk_of_any_other_form_is_refused(stream: bytes) -> None:
    """[RFC 9112, 7.1]; extensions and trailers too."""
    with pytest.raises(RequestMalformed):
        ChunkedBody(9).take(bytearray(stream), 100)


def test_size_and_number_of_chunks_are_bounded() -> None:
    for stream in (b"ffffffff\r\n", b"5\r\nabcde\r\n5\r\n", b"1\r\nx\r\n" * 4):
        with pytest.raises(RequestTooLarge):
            ChunkedBody(3).take(bytearray(stream), 9)
