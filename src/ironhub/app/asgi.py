"""An ASGI app on a port of its own, in this process and loop: the admin API, the metrics.

Protects the places there are on the port against connections that ask for nothing, or never finish asking.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ironhub.heads.listener import PortRefused, PortTaken

STOP_TIMEOUT: Final = 5
"""Seconds that open requests may still take when the server stops."""


class AsgiServer:
    """uvicorn without its own signal handlers; listens while it is entered."""

    def __init__(
        self,
        app: Any,
        address: str,
        port: int,
        *,
        request_timeout: float = 30.0,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """Take what to serve, and where.

        Args:
            request_timeout: seconds a connection is kept that asks for nothing; twice that for half a request.
        """

        class Protocol(_ImpatientProtocol):
            patience = request_timeout

        self._address = address
        self._port = port
        self._certificate = certificate
        self._key = key
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ssl_certfile=certificate,
            ssl_keyfile=key,
            timeout_graceful_shutdown=STOP_TIMEOUT,
            limit_concurrency=256,
            ws="none",
            http=Protocol,
        )
        self._config = config
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> int:
        """Start; returns the port. Raises PortTaken, PortRefused."""
        listening = _bind(self._address, self._port)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            done, _ = await asyncio.wait({self._task}, timeout=0.01)
            if done:
                await self._task
        port: int = listening.getsockname()[1]
        return port

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task

    def reload_certificate(self) -> None:
        """Use the files' present content for new connections."""
        if isinstance(self._config.ssl, ssl.SSLContext) and self._certificate is not None:
            self._config.ssl.load_cert_chain(self._certificate, self._key)


class _QuietServer(uvicorn.Server):
    """The hub handles signals itself, once, for all its listeners."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _ImpatientProtocol(H11Protocol):
    """uvicorn counts silent connections among those it serves, and has no end for them: here they get one."""

    patience = 30.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._seen: RequestResponseCycle | None = None
        self._timer = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Twice the same request that is over, or that has not come whole, is none; an answer may take its time."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        waiting = cycle is None or cycle.response_complete or cycle.more_body
        if waiting and cycle is self._seen:
            self.transport.abort()
            return
        self._seen = cycle
        self._timer = self.loop.call_later(self.patience, self._look)


def _bind(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
    except PermissionError as error:
        listening.close()
        raise PortRefused(f"port {port} on {address} is refused to this user") from error
    except OSError as error:
        listening.close()
        raise PortTaken(f"port {port} on {address} cannot be used: {error.strerror}") from error
    return listening
