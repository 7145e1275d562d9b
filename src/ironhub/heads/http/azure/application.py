"""Answers the vendor's REST calls: finds the route, asks the gate, hands over to the call, encodes errors.

Protects against a second way in: every handler gets a caller that the gate admitted.
Source: REST reference of IoT Hub service and device; what the vendor's SDKs accept (exact success codes, etags in
quotes).
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.errors import ERROR_HEADER, azure_error, error_body, tracking_id
from ironhub.dialects.azure.http_messages import CALLER_HEADER, decode_caller
from ironhub.heads.background import Background
from ironhub.heads.channel import Channel
from ironhub.heads.http.azure.calls import Call, Caller, CallGroup, Door, LinkDoor, Route
from ironhub.heads.http.errors import InternalError, MethodNotAllowed
from ironhub.heads.http.messages import Head, Request, Response
from ironhub.heads.http.router import Match, Router
from ironhub.identity.gate import Gate
from ironhub.identity.model import DeviceClaim

log: Final = logging.getLogger(__name__)


class AzureHttp:
    """Answers requests; a heads.http.messages.Application."""

    def __init__(
        self,
        groups: Iterable[CallGroup],
        *,
        gate: Gate,
        clock: Clock,
        entropy: Entropy,
        background: Background | None = None,
        links: LinkDoor | None = None,
    ) -> None:
        self._gate = gate
        self._links = links
        self._entropy = entropy
        self.clock = clock
        self.background = background if background is not None else Background()
        routes = [route for group in groups for route in group.routes()]
        self._router: Router[Route] = Router((route.method, route.path, route) for route in routes)

    async def admit(self, head: Head, channel: Channel) -> Response | None:
        """Return the response that refuses a request before its body comes, or None."""
        try:
            await self._admitted(head, channel)
        except Exception as error:  # noqa: BLE001  # a bug costs its own request only
            return self._failed(error, head, channel)
        return None

    async def answer(self, request: Request) -> Response:
        """Return the response; an error is one too."""
        try:
            principal, match = await self._admitted(request.head, request.channel)
            return self._with_id(await match.handler.handler(Call(principal, request, match.values)))
        except Exception as error:  # noqa: BLE001  # a bug costs its own request only
            return self._failed(error, request.head, request.channel)

    def stream_limit(self, head: Head) -> int | None:
        """Return how many bytes a body may have that is taken as it comes; None: it is read whole first."""
        if head.method != "PUT":
            return None
        try:
            return self._router.find(head.method, head.path).handler.stream_limit
        except HubError:
            return None

    def refuse(self, error: HubError) -> Response:
        """Return the vendor's response for `error`."""
        return self._error_response(error, tracking_id(self._entropy, self.clock.now()))

    async def _admitted(self, head: Head, channel: Channel) -> tuple[Caller, Match[Route]]:
        match = self._router.find(head.method, head.path)
        token = head.headers.get("authorization")
        claimed = _claimed(match, head)
        principal: Caller
        if match.handler.door is Door.LINK and self._links is not None:
            principal = self._links.admit(head, match.values)
        elif claimed is not None:
            claim = DeviceClaim(claimed, head.headers.get("host", ""), token)
            principal = await self._gate.admit_device(claim, channel.peer_chain)
        else:
            principal = await self._gate.admit_service(token)
        channel.identified()
        return principal, match

    def _failed(self, error: Exception, head: Head, channel: Channel) -> Response:
        """Who asked for what goes to the log; never the query nor a header, which may hold a token."""
        tracking = tracking_id(self._entropy, self.clock.now())
        fields = {"tracking_id": tracking, "method": head.method, "path": head.path[:500], "peer": channel.peer_address}
        if not isinstance(error, HubError):
            log.error("http_request_failed", exc_info=error, extra=fields)
            return self._told(InternalError("something broke in the hub"), head, tracking)
        response = self._told(error, head, tracking)
        fields |= {"code": error.code, "detail": error.detail or str(error)}
        level = logging.WARNING if response.status >= 500 else logging.INFO
        log.log(level, "http_request_refused", extra=fields)
        return response

    def _told(self, error: HubError, head: Head, tracking: str) -> Response:
        """Tell of it as the caller of this address expects it."""
        if self._links is not None and self._is_link(head):
            return self._with_id(self._links.refuse(error, head, tracking))
        return self._error_response(error, tracking)

    def _is_link(self, head: Head) -> bool:
        try:
            return self._router.find(head.method, head.path).handler.door is Door.LINK
        except HubError:
            return False

    def _error_response(self, error: HubError, tracking: str) -> Response:
        told = azure_error(error)
        headers = [(ERROR_HEADER, told.name)]
        if isinstance(error, MethodNotAllowed):
            headers.append(("Allow", ", ".join(error.allow)))
        return self._with_id(Response(told.status, error_body(error, tracking, self.clock.now()), tuple(headers)))

    def _with_id(self, response: Response) -> Response:
        headers = (*response.headers, ("x-ms-request-id", self._entropy.uuid()))
        return replace(response, headers=headers)


def _claimed(match: Match[Route], head: Head) -> Identity | None:
    """The device or module that the request says it comes from; None: a back end."""
    match match.handler.door:
        case Door.DEVICE:
            return identity(match.values["device"], match.values.get("module"))
        case Door.SERVICE_OR_MODULE if CALLER_HEADER in head.headers:
            return decode_caller(head.headers[CALLER_HEADER])
        case _:
            return None
