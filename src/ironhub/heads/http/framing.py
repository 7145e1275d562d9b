"""Where a request begins and ends, read so strictly that nobody can read it differently.

Protects against request smuggling: bare line feeds, folded headers, two lengths, two ways to tell the length.
Source: RFC 9112, sections 2.2, 3.2, 5.2, 6.1 to 6.3, 11.2.
"""

import re
from typing import Final

import h11

from ironhub.heads.http.errors import RequestMalformed, RequestTooLarge

MAX_HEADERS: Final = 100
_END: Final = b"\r\n\r\n"
_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_FOLD: Final = re.compile(rb"\r\n[ \t]")
_LENGTHS: Final = re.compile(rb"\r\ncontent-length[ \t]*:[^\r]*", re.IGNORECASE)
_ONCE: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"authorization", b"expect", b"if-match"})

RawHeaders = list[tuple[bytes, bytes]]


def take_head(buffer: bytearray, max_head: int) -> bytes | None:
    """Cut the request line and the headers from the front of `buffer`; None while they are not complete.

    Raises:
        RequestMalformed: a bare line feed, a folded header, a length told twice.
        RequestTooLarge: more than `max_head` bytes.
    """
    while buffer.startswith(b"\r\n"):  # [RFC 9112, 2.2] an empty line before the request is ignored
        del buffer[:2]
    end = buffer.find(_END, 0, max_head)
    head = bytes(buffer[: max_head if end < 0 else end + len(_END)])
    if _BARE_LINE_FEED.search(head) or _FOLD.search(head):
        raise RequestMalformed("a line ends without CR, or a header is folded")
    lengths = _LENGTHS.findall(head)
    if len(lengths) > 1 or any(b"," in length for length in lengths):  # h11 takes equal ones
        raise RequestMalformed("the length is told twice")
    if end >= 0:
        del buffer[: len(head)]
        return head
    if len(buffer) >= max_head:
        raise RequestTooLarge(f"the headers have more than {max_head} bytes")
    return None


def check_framing(request: h11.Request, max_body: int) -> None:
    """Raise RequestMalformed or RequestTooLarge unless the request's target and length are plain."""
    headers: RawHeaders = list(request.headers)
    if len(headers) > MAX_HEADERS:
        raise RequestTooLarge(f"there are more than {MAX_HEADERS} headers")
    names = [name for name, _ in headers]
    if any(names.count(name) > 1 for name in _ONCE):
        raise RequestMalformed("a header that may stand once stands twice")
    if b"transfer-encoding" in names and (b"content-length" in names or request.http_version < b"1.1"):
        raise RequestMalformed("the length is told in two ways")
    if not request.target.startswith(b"/"):
        raise RequestMalformed("the target must begin with a slash")
    length = next((value for name, value in headers if name == b"content-length"), b"0")
    if int(length) > max_body:  # h11 has seen to it that these are at most 20 digits
        raise RequestTooLarge(f"the body has more than {max_body} bytes")
