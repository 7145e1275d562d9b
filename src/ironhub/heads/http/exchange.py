"""One request and its response over h11: bytes in, a whole request out; a response in, bytes out. No IO."""

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, cast

import h11

from ironhub.heads.http.errors import RequestMalformed, RequestTooLarge
from ironhub.heads.http.framing import check_framing, take_head
from ironhub.heads.http.messages import Head, HttpSettings, Response

_BODYLESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(slots=True)
class _Body:
    data: bytearray
    pieces: int = 0


class Exchange:
    """Reads one request, strictly bounded, then writes its response. Errors end the connection it belongs to."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=settings.max_head)
        self._body = _Body(bytearray())
        self._is_head_request = False

    @property
    def keeps_alive(self) -> bool:
        """Whether another exchange may follow on the connection; asked after `respond`."""
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def take_head(self, buffer: bytearray) -> Head | None:
        """Cut the request line and headers from `buffer`; None while they are not complete.

        Raises:
            RequestMalformed, RequestTooLarge.
        """
        head = take_head(buffer, self._settings.max_head)
        if head is None:
            return None
        self._http.receive_data(head)
        request = cast("h11.Request", self._next_event())  # a whole head is a request, or an error
        check_framing(request, self._settings.max_body)
        self._is_head_request = request.method == b"HEAD"
        return _decoded(request)

    def take_body(self, buffer: bytearray) -> bytes | None:
        """Take what belongs to the body from `buffer` and return the body once it is whole, else None.

        Raises:
            RequestMalformed, RequestTooLarge.
        """
        if buffer:
            self._http.receive_data(bytes(buffer))
            buffer.clear()
        while True:
            match self._next_event():
                case h11.Data(data=data):
                    self._take_piece(bytes(data))
                case h11.EndOfMessage():
                    buffer += self._http.trailing_data[0]
                    return bytes(self._body.data)
                case _:
                    return None

    def go_ahead(self) -> bytes:
        """Return what lets a client send its body that waits for it, else nothing."""
        if not self._http.they_are_waiting_for_100_continue:
            return b""
        return self._http.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")) or b""

    def respond(self, response: Response, now: float, *, closing: bool = False) -> bytes:
        """Return the bytes of `response`; `now` in seconds since the epoch, `closing` if the connection ends here."""
        headers = [("Date", formatdate(now, usegmt=True)), *response.headers]
        if response.body:
            headers.append(("Content-Type", response.content_type))
        if response.status not in _BODYLESS:
            headers.append(("Content-Length", str(len(response.body))))
        if closing:
            headers.append(("Connection", "close"))
        phrase = HTTPStatus(response.status).phrase.encode()  # the Python SDK builds its error text from it
        out = self._http.send(h11.Response(status_code=response.status, headers=headers, reason=phrase)) or b""
        if not self._is_head_request and response.body:
            out += self._http.send(h11.Data(data=response.body)) or b""
        return out + (self._http.send(h11.EndOfMessage()) or b"")

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise RequestMalformed(f"no HTTP/1.1 request: {error}") from error

    def _take_piece(self, data: bytes) -> None:
        self._body.data += data
        self._body.pieces += 1
        if len(self._body.data) > self._settings.max_body or self._body.pieces > self._settings.max_pieces:
            raise RequestTooLarge(f"the body has more than {self._settings.max_body} bytes, or too many pieces")


def _decoded(request: h11.Request) -> Head:
    path, _, query = request.target.decode("ascii").partition("?")
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers.setdefault(name.decode("ascii"), value.decode("latin-1"))
    return Head(
        request.method.decode("ascii"), path, query, MappingProxyType(headers), request.http_version.decode("ascii")
    )
