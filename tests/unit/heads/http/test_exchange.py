"""One request and its response, byte by byte."""

import pytest

from ironhub.heads.http.errors import RequestMalformed, RequestTooLarge
from ironhub.heads.http.exchange import Exchange
from ironhub.heads.http.messages import Head, HttpSettings, Response

SETTINGS = HttpSettings(max_head=500, max_body=100, max_pieces=5)
NOON = 1_769_860_800.0
DATE = b"Date: Sat, 31 Jan 2026 12:00:00 GMT\r\n"


def read(data: bytes) -> tuple[Exchange, Head | None, bytes | None, bytes]:
    """Feed `data`; returns the exchange, the head, the body, and what is left."""
    exchange, buffer = Exchange(SETTINGS), bytearray(data)
    head = exchange.take_head(buffer)
    body = None if head is None else exchange.take_body(buffer)
    return exchange, head, body, bytes(buffer)


def test_a_request_is_read_and_what_follows_is_left() -> None:
    data = b'PUT /a%20b?x=%31 HTTP/1.1\r\nHost: h\r\nIf-Match: "*"\r\nContent-Length: 2\r\n\r\nhiGET /'
    _, head, body, rest = read(data)
    assert head is not None
    assert (head.method, head.path, head.query, head.version) == ("PUT", "/a%20b", "x=%31", "1.1")
    assert head.headers["if-match"] == '"*"'
    assert (body, rest) == (b"hi", b"GET /")


def test_a_body_in_chunks_is_read() -> None:
    chunks = b"2\r\nhi\r\n01\r\n!\r\n0\r\n\r\nGET"
    _, _, body, rest = read(b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert (body, rest) == (b"hi!", b"GET")


def test_a_body_may_come_later() -> None:
    exchange, head, body, _ = read(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
    assert head is not None
    assert body is None
    assert exchange.take_body(bytearray()) is None
    assert exchange.take_body(bytearray(b"cd")) == b"abcd"


def test_of_a_repeated_header_the_first_counts() -> None:
    _, head, _, _ = read(b"GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\n\r\n")
    assert head is not None
    assert head.headers["x"] == "1"


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA\x00: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\nx",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + b"1" * 300 + b"\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\n!\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: t\r\n\r\n",
    ],
)
def test_what_could_be_smuggled_is_refused(data: bytes) -> None:
    with pytest.raises((RequestMalformed, RequestTooLarge)):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101,
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 6,
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 500 + b"\r\n\r\n",
    ],
)
def test_head_body_and_number_of_pieces_are_bounded(data: bytes) -> None:
    with pytest.raises(RequestTooLarge):
        read(data)


def test_a_client_that_waits_is_told_to_go_on_once() -> None:
    exchange, _, _, _ = read(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert exchange.go_ahead() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert exchange.go_ahead() == b""
    assert exchange.take_body(bytearray(b"hi")) == b"hi"


def test_a_response_has_a_reason_a_date_and_its_length() -> None:
    exchange, *_ = read(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    response = Response(404, b"{}", (("iothub-errorcode", "DeviceNotFound"),))
    assert exchange.respond(response, NOON) == (
        b"HTTP/1.1 404 Not Found\r\n" + DATE + b"iothub-errorcode: DeviceNotFound\r\n"
        b"Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert exchange.keeps_alive


def test_no_content_has_no_length_and_no_type() -> None:
    exchange, *_ = read(b"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert exchange.respond(Response(204), NOON) == b"HTTP/1.1 204 No Content\r\n" + DATE + b"\r\n"


def test_an_empty_body_is_told_by_its_length() -> None:
    exchange, *_ = read(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert exchange.respond(Response(200), NOON) == b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 0\r\n\r\n"


def test_a_head_request_gets_the_headers_only() -> None:
    exchange, *_ = read(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
    answer = exchange.respond(Response(405, b"{}"), NOON)
    assert answer.endswith(b"Content-Length: 2\r\n\r\n")
    assert exchange.keeps_alive


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\nHost: h\r\n\r\n"]
)
def test_a_client_that_wants_to_close_is_let_go(head: bytes) -> None:
    exchange, *_ = read(head)
    assert b"onnection: close\r\n" in exchange.respond(Response(200, b"{}"), NOON)
    assert not exchange.keeps_alive


def test_an_upgrade_that_nobody_serves_is_an_ordinary_request() -> None:
    exchange, *_ = read(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert exchange.respond(Response(200, b"{}"), NOON).endswith(b"{}")
    assert exchange.keeps_alive


def test_what_was_not_even_read_can_be_answered() -> None:
    exchange = Exchange(SETTINGS)
    with pytest.raises(RequestMalformed):
        exchange.take_head(bytearray(b"GARBAGE\r\n\r\n"))
    answer = exchange.respond(Response(400, b"{}"), NOON, closing=True)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\n{}")
    assert b"Connection: close\r\n" in answer
    assert not exchange.keeps_alive


def test_a_request_that_is_cut_off_can_be_answered() -> None:
    exchange, *_ = read(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
    assert b"408 Request Timeout" in exchange.respond(Response(408, b"{}"), NOON, closing=True)
    assert not exchange.keeps_alive


def test_names_of_headers_are_kept_as_sent() -> None:
    _, head, _, _ = read(b"GET / HTTP/1.1\r\nHost: h\r\nIoTHub-App-Temp: 1\r\n\r\n")
    assert head is not None
    assert head.fields == (("Host", "h"), ("IoTHub-App-Temp", "1"))
    assert head.headers["iothub-app-temp"] == "1"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 2\r\n\r\nhi", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"]
)
def test_a_body_on_get_belongs_to_it_and_not_to_what_follows(framing: bytes) -> None:
    exchange, _, body, rest = read(b"GET / HTTP/1.1\r\nHost: h\r\n" + framing + b"GET /next")
    assert (body, rest) == (b"hi", b"GET /next")
    exchange.respond(Response(204), NOON)
    assert exchange.keeps_alive


def test_an_answer_before_the_body_is_whole_ends_the_connection() -> None:
    exchange, *_ = read(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n12")
    assert b"Connection: close\r\n" in exchange.respond(Response(401, b"{}"), NOON)
    assert not exchange.keeps_alive


def test_one_close_among_the_options_is_enough() -> None:
    exchange, *_ = read(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: TE, Close\r\n\r\n")
    exchange.respond(Response(204), NOON)
    assert not exchange.keeps_alive


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "a\0", "\u20ac"])
def test_no_header_of_an_answer_can_end_early(value: str) -> None:
    exchange, *_ = read(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    with pytest.raises(ValueError, match="no header can carry"):
        exchange.respond(Response(200, b"", (("X", value),)), NOON)


def test_a_value_of_latin_1_is_sent_as_that() -> None:
    exchange, *_ = read(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert b"X: \xfc\r\n" in exchange.respond(Response(200, b"", (("X", "\u00fc"),)), NOON)
