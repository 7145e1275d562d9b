"""Requests at a bounded cost: strict JSON, and bodies that end."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ironhub.console.errors import RequestTooLarge, answer
from ironhub.core.strict_json import decode_json

MAX_BODY: Final = 1 << 20
"""Bytes of one request; the largest thing that is sent, a method payload in base64, is far below."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose JSON means one thing only (`core.strict_json`)."""

    async def json(self) -> Any:
        """Return the decoded body. Raises JsonInvalid."""
        return decode_json(await self.body())


class StrictRoute(APIRoute):
    """A route that reads its body with `StrictRequest`."""

    def get_route_handler(self) -> Handler:
        """Return the handler, given strict requests."""
        handler = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strictly


class BoundedBodies:
    """ASGI middleware: a request whose body passes `max_body` bytes is refused before anybody reads it whole."""

    def __init__(self, app: ASGIApp, *, max_body: int = MAX_BODY) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_body:
                raise RequestTooLarge(f"the body has more than {self._max_body} bytes")
            return message

        try:
            await self._app(scope, counted, send)
        except RequestTooLarge as error:
            await answer(error)(scope, receive, send)
