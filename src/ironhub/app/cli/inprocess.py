"""Calls an ASGI app of this process as if it were a server, piece by piece: a log of any length passes through."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
from starlette.types import ASGIApp, Message

MAX_WAITING: Final = 16
"""Pieces of an answer that wait to be read."""


class InProcessTransport(httpx.AsyncBaseTransport):
    """An httpx transport without a network."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer as soon as it begins."""
        call = _Call(self._app, request, await request.aread())
        start = await call.next()
        return httpx.Response(start["status"], headers=start["headers"], stream=call, request=request)


class _Call(httpx.AsyncByteStream):
    """One request on its way through the app."""

    def __init__(self, app: ASGIApp, request: httpx.Request, body: bytes) -> None:
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue(MAX_WAITING)
        self._request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self._gone = asyncio.Event()
        self._task = asyncio.create_task(self._run(app, _scope(request)))

    async def next(self) -> Message:
        """Return the next message of the app. Raises what the app raised."""
        message = await self._messages.get()
        if message is None:
            await self._task
            raise httpx.RemoteProtocolError("the answer ended before it was complete")
        return message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        more = True
        while more:
            message = await self.next()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        """The caller has read enough."""
        self._gone.set()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._messages.put)
        finally:
            await self._messages.put(None)

    async def _receive(self) -> Message:
        if self._request:
            return self._request.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
