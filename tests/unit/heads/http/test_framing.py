"""Requests that two readers could cut differently are refused."""

import h11
import pytest

from ironhub.heads.http.errors import RequestMalformed, RequestTooLarge
from ironhub.heads.http.framing import MAX_HEADERS, check_framing, take_head

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


def test_a_head_is_bounded() -> None:
    assert take_head(bytearray(HEAD), len(HEAD)) == HEAD
    for buffer in (HEAD, HEAD[:-2] + b"X: y"):
        with pytest.raises(RequestTooLarge):
            take_head(bytearray(buffer), len(HEAD) - 1)


def request(*headers: tuple[str, str], target: str = "/", version: str = "1.1") -> h11.Request:
    return h11.Request(method="PUT", target=target, headers=[("Host", "h"), *headers], http_version=version)


@pytest.mark.parametrize(
    "good",
    [
        request(),
        request(("Content-Length", "100")),
        request(("Transfer-Encoding", "chunked")),
        request(("Accept", "a"), ("Accept", "b")),
    ],
)
def test_a_plain_request_passes(good: h11.Request) -> None:
    check_framing(good, 100)


@pytest.mark.parametrize(
    "bad",
    [
        request(("Content-Length", "1"), ("Transfer-Encoding", "chunked")),
        request(("Transfer-Encoding", "chunked"), version="1.0"),
        request(("Authorization", "a"), ("Authorization", "b")),
        request(("If-Match", "a"), ("if-match", "b")),
        request(target="http://elsewhere/"),
        request(target="*"),
    ],
)
def test_an_ambiguous_request_is_refused(bad: h11.Request) -> None:
    """[RFC 9112, 6.1]"""
    with pytest.raises(RequestMalformed):
        check_framing(bad, 100)


def test_length_and_number_of_headers_are_bounded() -> None:
    with pytest.raises(RequestTooLarge):
        check_framing(request(("Content-Length", "101")), 100)
    with pytest.raises(RequestTooLarge):
        check_framing(request(*(("X", "y"),) * MAX_HEADERS), 100)
