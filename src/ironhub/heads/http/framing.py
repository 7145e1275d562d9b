"""Where a request begins and ends, read so strictly that nobody can read it differently.

Protects against request smuggling: bare line feeds and carriage returns, folded headers, two lengths, two ways to tell
the length, lengths and chunk sizes with signs, spaces or extensions, trailers. What no client of ours sends is refused
even where the RFC would let it pass: another reader on the way may have understood it otherwise.
Source: RFC 9112, sections 2.2, 3, 5, 6.1 to 6.3, 7.1, 11.2.
"""

import re
from typing import Final, NamedTuple, Protocol

from ironhub.heads.http.errors import RequestMalformed, RequestTooLarge

MAX_HEADERS: Final = 100
_END: Final = b"\r\n\r\n"
_LINE_END: Final = b"\r\n"
_FOLDS: Final = b"\r\n ", b"\r\n\t"
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_REQUEST_LINE: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (/[\x21-\x7e]*) HTTP/(1\.[01])", re.ASCII)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,64}\])(?::[0-9]{1,5})?", re.ASCII)
_LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,8}")
_LONGEST_SIZE_LINE: Final = 10
_ONCE: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "content-type", "authorization", "expect", "if-match"}
)


class RawHead(NamedTuple):
    """The request line and the headers, taken apart."""

    method: str
    target: str
    version: str
    """1.0 or 1.1."""
    fields: tuple[tuple[str, str], ...]
    """As sent and in order; bytes that are no ASCII stand as Latin-1."""
    headers: dict[str, str]
    """By lower-case name; of a repeated one the first."""


class Body(Protocol):
    """The body of one request, as it is cut from what the peer sends."""

    done: bool
    """Whether it is whole."""

    def take(self, buffer: bytearray, max_bytes: int) -> bytes:
        """Cut what belongs to it from the front of `buffer` and return it.

        Args:
            max_bytes: how many more bytes it may have, at least what was announced and is to come.

        Raises:
            RequestMalformed, RequestTooLarge.
        """


def take_head(buffer: bytearray, max_head: int) -> bytes | None:
    """Cut the request line and the headers from the front of `buffer`; None while they are not complete.

    Raises:
        RequestMalformed: a bare line feed, or a folded header.
        RequestTooLarge: more than `max_head` bytes.
    """
    while buffer.startswith(b"\r\n"):  # [RFC 9112, 2.2] an empty line before the request is ignored
        del buffer[:2]
    end = buffer.find(_END, 0, max_head)
    stop = max_head if end < 0 else end + len(_END)
    # Looked for with what is fastest: who sends a head byte by byte has all of it looked at each time.
    folds = any(buffer.find(fold, 0, stop) >= 0 for fold in _FOLDS)
    if folds or buffer.count(b"\n", 0, stop) != buffer.count(_LINE_END, 0, stop):
        raise RequestMalformed("a line ends without CR, or a header is folded")
    if end >= 0:
        return _cut(buffer, stop)
    if len(buffer) >= max_head:
        raise RequestTooLarge(f"the headers have more than {max_head} bytes")
    return None


def parse_head(head: bytes) -> RawHead:
    """Return what `head` (whole, as `take_head` cuts it) says. Raises RequestMalformed, RequestTooLarge."""
    if _CONTROL.search(head):
        raise RequestMalformed("a control character stands in the head")
    first, *lines = head[: -len(_END)].decode("latin-1").split("\r\n")
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        raise RequestMalformed("the first line must be a method, a target that begins with a slash, and HTTP/1.1")
    if len(lines) > MAX_HEADERS:
        raise RequestTooLarge(f"there are more than {MAX_HEADERS} headers")
    fields = tuple(_field(line) for line in lines)
    headers: dict[str, str] = {}
    for name, value in fields:
        lower = name.lower()
        if lower not in headers:
            headers[lower] = value
        elif lower in _ONCE:
            raise RequestMalformed("a header that may stand once stands twice")
    method, target, version = request_line.groups()
    if _HOST.fullmatch(headers.get("host", "" if version == "1.1" else "none")) is None:
        raise RequestMalformed("the request names no host")
    return RawHead(method, target, version, fields, headers)


def body_of(head: RawHead, max_chunks: int) -> Body:
    """Return what reads the body. Raises RequestMalformed: its length is not plainly told, or in two ways."""
    encoding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
    if encoding is None:
        if length is not None and _LENGTH.fullmatch(length) is None:
            raise RequestMalformed("the length is no plain number")
        return CountedBody(int(length or 0))
    if length is not None or head.version == "1.0":
        raise RequestMalformed("the length is told in two ways")  # [RFC 9112, 6.1]
    if encoding.lower() != "chunked":
        raise RequestMalformed("the only transfer encoding is chunked")
    return ChunkedBody(max_chunks)


class CountedBody:
    """A body whose length was told by Content-Length."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def take(self, buffer: bytearray, max_bytes: int) -> bytes:
        """See `Body`."""
        if self._left > max_bytes:
            raise RequestTooLarge("the body is over the bound")
        data = _cut(buffer, self._left)
        self._left -= len(data)
        self.done = self._left == 0
        return data


class ChunkedBody:
    """A body in chunks [RFC 9112, 7.1], without extensions and without trailers."""

    def __init__(self, max_chunks: int) -> None:
        self.done = False
        self._chunks_left = max_chunks
        self._left = 0
        self._ending = False
        """The data of a chunk was read; its line end is to come."""
        self._last = False

    def take(self, buffer: bytearray, max_bytes: int) -> bytes:
        """See `Body`."""
        pieces: list[bytes] = []
        while not self.done:
            if self._left:
                data = _cut(buffer, self._left)
                if not data:
                    break
                self._left -= len(data)
                self._ending = self._left == 0
                max_bytes -= len(data)
                pieces.append(data)
            elif not (self._end_chunk(buffer) if self._ending else self._begin_chunk(buffer, max_bytes)):
                break
        return b"".join(pieces)

    def _begin_chunk(self, buffer: bytearray, max_bytes: int) -> bool:
        """Read the line with the size, if it is whole."""
        end = buffer.find(b"\r\n", 0, _LONGEST_SIZE_LINE)
        line = bytes(buffer[:end] if end >= 0 else buffer[:_LONGEST_SIZE_LINE].removesuffix(b"\r"))
        if (line or end >= 0) and _CHUNK_SIZE.fullmatch(line) is None:
            raise RequestMalformed("a chunk begins with its size in at most eight hexadecimal digits, and nothing else")
        if end < 0:
            return False
        del buffer[: end + 2]
        self._left = int(line, 16)
        self._chunks_left -= 1
        if self._left > max_bytes or self._chunks_left < 0:
            raise RequestTooLarge("the body is over the bound, or comes in too many chunks")
        self._last = self._ending = self._left == 0
        return True

    def _end_chunk(self, buffer: bytearray) -> bool:
        """Read the line end behind a chunk; behind the last one, that is the end of the body."""
        found = bytes(buffer[:2])
        if not b"\r\n".startswith(found):
            raise RequestMalformed("a chunk is longer than it says, or trailers follow the last one")
        if len(found) < 2:
            return False
        del buffer[:2]
        self._ending = False
        self.done = self._last
        return True


def _cut(buffer: bytearray, most: int) -> bytes:
    data = bytes(buffer[:most])
    del buffer[: len(data)]
    return data


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or _NAME.fullmatch(name) is None:
        raise RequestMalformed("a header has no name, or a space before its colon")
    return name, value.strip(" \t")
