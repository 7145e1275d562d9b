"""One request and its response: bytes in, a whole request out; a response in, bytes out. No IO."""

import re
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from ironhub.heads.http.errors import RequestTooLarge
from ironhub.heads.http.framing import Body, CountedBody, body_of, parse_head, take_head
from ironhub.heads.http.messages import Head, HttpSettings, Response

_BODYLESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
"""The Python SDK builds its error text from the reason phrase."""
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")

StreamLimit = Callable[[Head], int | None]


def _never(_: Head) -> int | None:
    return None


class Exchange:
    """Reads one request, strictly bounded, then writes its response. Errors end the connection it belongs to."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._body: Body = CountedBody(0)
        self._collected = bytearray()
        self._max_body = settings.max_body
        self._taken = 0
        self.streams = False
        """Whether the body is to be taken as it comes, with `take_piece`."""
        self._is_head_request = False
        self._waits = False
        self._may_stay = False
        self._answered = False

    @property
    def sends_no_body(self) -> bool:
        """Whether the answer is to a HEAD request."""
        return self._is_head_request

    @property
    def keeps_alive(self) -> bool:
        """Whether another exchange may follow on the connection; asked after `respond`."""
        return self._answered and self._may_stay

    @property
    def whole(self) -> bool:
        """Whether all of the body was taken."""
        return self._body.done

    def take_head(self, buffer: bytearray, stream_limit: StreamLimit = _never) -> Head | None:
        """Cut the request line and headers from `buffer`; None while they are not complete.

        Args:
            stream_limit: see `Application.stream_limit`.

        Raises:
            RequestMalformed, RequestTooLarge.
        """
        data = take_head(buffer, self._settings.max_head)
        if data is None:
            return None
        raw = parse_head(data)
        path, _, query = raw.target.partition("?")
        head = Head(raw.method, path, query, MappingProxyType(raw.headers), raw.version, raw.fields)
        limit = stream_limit(head)
        self.streams = limit is not None
        self._max_body = self._settings.max_body if limit is None else limit
        self._body = body_of(raw, self._settings.max_pieces if limit is None else self._settings.max_streamed_pieces)
        if (head.announced or 0) > self._max_body:
            raise RequestTooLarge(f"the body has more than {self._max_body} bytes")
        self._is_head_request = raw.method == "HEAD"
        self._waits = raw.version == "1.1" and raw.headers.get("expect", "").lower() == "100-continue"
        self._may_stay = raw.version == "1.1" and not _says_close(raw.fields)
        return head

    def take_body(self, buffer: bytearray) -> bytes | None:
        """Take what belongs to the body from `buffer` and return the body once it is whole, else None.

        Raises:
            RequestMalformed, RequestTooLarge.
        """
        body, collected = self._body, self._collected
        collected += body.take(buffer, self._max_body - len(collected))
        return bytes(collected) if body.done else None

    def take_piece(self, buffer: bytearray) -> bytes:
        """Take what belongs to the body from `buffer` and return it, perhaps nothing; `whole` tells when that is all.

        Raises:
            RequestMalformed, RequestTooLarge.
        """
        piece = self._body.take(buffer, self._max_body - self._taken)
        self._taken += len(piece)
        return piece

    def go_ahead(self) -> bytes:
        """Return what lets a client send its body that waits for it, else nothing."""
        waits, self._waits = self._waits and not self._body.done, False
        return b"HTTP/1.1 100 Continue\r\n\r\n" if waits else b""

    def respond(self, response: Response, now: float, *, closing: bool = False) -> bytes:
        """Return the bytes of `response`; `now` in seconds since the epoch, `closing` if the connection ends here.

        Raises:
            ValueError: a header holds what no header can carry: the caller's mistake.
        """
        self._answered = True
        self._may_stay = self._may_stay and self._body.done and not closing
        lines = [
            f"HTTP/1.1 {response.status} {_PHRASES[response.status]}",
            f"Date: {_date(int(now))}",
            *(f"{name}: {value}" for name, value in response.headers),
        ]
        length = len(response.body) if response.length is None else response.length
        if length or response.length is not None:
            lines.append(f"Content-Type: {response.content_type}")
        if response.status not in _BODYLESS:
            lines.append(f"Content-Length: {length}")
        if not self._may_stay:
            lines.append("Connection: close")
        if _UNSENDABLE.search("".join(lines)):
            raise ValueError("a header of the response holds what no header can carry")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if self._is_head_request else head + response.body


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _says_close(fields: tuple[tuple[str, str], ...]) -> bool:
    return any(
        "close" in (option.strip().lower() for option in value.split(","))
        for name, value in fields
        if name.lower() == "connection"
    )
