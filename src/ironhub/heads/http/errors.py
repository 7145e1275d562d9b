"""What can be wrong with a request before anybody asks what it is about."""

from typing import ClassVar

from ironhub.core.errors import HubError


class RequestMalformed(HubError):
    """The bytes are no HTTP/1.1 request, or one that two readers could understand differently."""

    code: ClassVar[str] = "http.malformed"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send a plain HTTP/1.1 request: CRLF line ends, one Host, one way to tell the length."


class RequestTooLarge(HubError):
    """The headers or the body are over the bound."""

    code: ClassVar[str] = "http.too_large"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Send less in one request."


class RequestTooSlow(HubError):
    """The request did not arrive whole in time."""

    code: ClassVar[str] = "http.too_slow"
    status: ClassVar[int] = 408
    next_step: ClassVar[str] = "Send the whole request at once, on a new connection."


class BodyIncomplete(HubError):
    """The peer left, or was cut, before its body was whole; nothing of it was kept."""

    code: ClassVar[str] = "http.body_incomplete"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send the whole request again."


class AnswerTooSlow(HubError):
    """The hub could not answer in time; whether the request was carried out is not known."""

    code: ClassVar[str] = "http.answer_too_slow"
    status: ClassVar[int] = 504
    next_step: ClassVar[str] = "Read the state before you send the request again."


class RouteUnknown(HubError):
    """Nothing is served at this address."""

    code: ClassVar[str] = "http.route_unknown"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Check the address against the REST reference; ids must be percent-encoded."


class MethodNotAllowed(HubError):
    """The address is served, with other methods."""

    code: ClassVar[str] = "http.method_not_allowed"
    status: ClassVar[int] = 405
    next_step: ClassVar[str] = "Use one of the methods of the Allow header."

    def __init__(self, message: str, *, allow: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allow = allow


class HandshakeRefused(HubError):
    """The request to become a WebSocket is not one that is served."""

    code: ClassVar[str] = "websocket.handshake_refused"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Open a WebSocket, version 13, with the subprotocol mqtt."


class InternalError(HubError):
    """Something broke here; the hub's log has the trace under the tracking id."""

    code: ClassVar[str] = "hub.internal"
    status: ClassVar[int] = 500
    next_step: ClassVar[str] = "Report it with the tracking id and the hub's log of this time."
