"""One request and its response: bytes in, a whole request out; a response in, bytes out. No IO."""

import re
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


class Exchange:
    """Reads one request, strictly bounded, then writes its response. Errors end the connection it belongs to."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._body: Body = CountedBody(0)
        self._collected = bytearray()
        self._is_head_request = False
        self._waits = False
        self._may_stay = False
        self._answered = False

    @property
    def keeps_alive(self) -> bool:
        """Whether another exchange may follow on the connection; asked after `respond`."""
        return self._answered and self._may_stay

    def take_head(self, buffer: bytearray) -> Head | None:
        """Cut the request line and headers from `buffer`; None while they are not complete.

        Raises:
            RequestMalformed, RequestTooLarge.
        """
        data = take_head(buffer, self._settings.max_head)
        if data is None:
            return None
        raw = parse_head(data)
        self._body = body_of(raw, self._settings.max_pieces)
        path, _, query = raw.target.partition("?")
        head = Head(raw.method, path, query, MappingProxyType(raw.headers), raw.version, raw.fields)
        if (head.announced or 0) > self._settings.max_body:
            raise RequestTooLarge(f"the body has more than {self._settings.max_body} bytes")
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
        collected += body.take(buffer, self._settings.max_body - len(collected))
        return bytes(collected) if body.done else None

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
        if response.body:
            lines.append(f"Content-Type: {response.content_type}")
        if response.status not in _BODYLESS:
            lines.append(f"Content-Length: {len(response.body)}")
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
