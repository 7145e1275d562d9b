"""The way from a command to the hub: the admin API, over HTTPS where a hub runs, in this process where none does."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from ironhub.app.cli.problems import Problem
from ironhub.app.datadir import DataDirectory, DirectoryInUse, RunInfo
from ironhub.app.settings import Settings, load_settings
from ironhub.app.system import SystemClock, SystemEntropy
from ironhub.core.clock import Clock
from ironhub.core.ids import MAX_ID_LENGTH, InvalidId

PREFIX: Final = "/api/v1"
PATIENCE: Final = 10.0
"""Seconds to wait for another command, or for a hub that is about to start."""
RETRY: Final = 0.2
"""Seconds between two looks who has the data directory."""
TIMEOUT: Final = 630.0
"""Seconds; a direct method may take twice 300."""
LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where a wildcard listener is reached


class AdminClient:
    """The admin API of one hub, as commands call it."""

    def __init__(self, http: httpx.AsyncClient, *, running: bool) -> None:
        self._http = http
        self.running = running
        """Whether a hub runs; else this process has opened its data directory for as long as the command takes."""

    async def get(self, *path: str, **query: Any) -> Any:
        """Return the decoded answer. Raises Problem."""
        return await self.send("GET", *path, **query)

    async def send(
        self,
        method: str,
        *path: str,
        body: dict[str, Any] | bytes | None = None,
        if_match: str | None = None,
        **query: Any,
    ) -> Any:
        """Return the decoded answer, None when it is empty.

        Args:
            path: segments of the path below the prefix, not yet encoded.
            body: sent as JSON; bytes are sent as they are.
            query: parameters; those that are None are left out.

        Raises:
            Problem: the hub refused, or is not there.
        """
        async with self._opened(method, path, body, if_match, query) as response:
            content = await response.aread()
        return json.loads(content) if content else None

    @asynccontextmanager
    async def lines(self, *path: str, **query: Any) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Yield the decoded lines of an answer that may never end; the hub has begun when this is entered."""
        async with self._opened("GET", path, None, None, query, silence=None) as response:
            yield (json.loads(line) async for line in response.aiter_lines())

    @asynccontextmanager
    async def pieces(self, *path: str, **query: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the pieces of an answer of any length."""
        async with self._opened("GET", path, None, None, query) as response:
            yield response.aiter_bytes()

    @asynccontextmanager
    async def download(self, *path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the pieces of a file."""
        async with self._opened("POST", path, None, None, {}) as response:
            yield response.aiter_bytes()

    @asynccontextmanager
    async def _opened(
        self,
        method: str,
        path: tuple[str, ...],
        body: dict[str, Any] | bytes | None,
        if_match: str | None,
        query: dict[str, Any],
        *,
        silence: float | None = TIMEOUT,
    ) -> AsyncIterator[httpx.Response]:
        parameters = {name: value for name, value in query.items() if value is not None}
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        url = "/".join((PREFIX, *map(_segment, path)))
        content: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        timeout = httpx.Timeout(silence, connect=10.0)
        request = self._http.build_request(method, url, params=parameters, headers=headers, timeout=timeout, **content)
        try:
            async with aclosing(await self._http.send(request, stream=True)) as response:
                if response.is_error:
                    raise _refusal(response.status_code, await response.aread())
                yield response
        except httpx.TransportError as error:
            step = "Look whether the hub still runs, and into its log."
            raise Problem("hub.unreachable", f"the hub does not answer: {error}", step) from error


@asynccontextmanager
async def open_client(data: Path, *, creates: bool = False, clock: Clock | None = None) -> AsyncIterator[AdminClient]:
    """Yield the admin API of the hub of `data`, whether it runs or not.

    Args:
        creates: create the data directory when there is none.

    Raises:
        DirectoryMissing, DirectoryInUse, SettingsInvalid.
    """
    directory = DataDirectory(data)
    if not creates:
        directory.require()
    settings = load_settings(data)
    async with AsyncExitStack() as stack:
        yield await _reach(stack, directory, settings, clock or SystemClock())


async def _reach(stack: AsyncExitStack, directory: DataDirectory, settings: Settings, clock: Clock) -> AdminClient:
    deadline = clock.monotonic() + PATIENCE
    while True:
        info = directory.running()
        if info is not None:
            http = await stack.enter_async_context(_over_network(directory, settings, info))
            return AdminClient(http, running=True)
        try:
            return AdminClient(await _in_process(stack, settings, clock), running=False)
        except DirectoryInUse:
            # A hub that starts says where it listens soon; another command is over soon.
            if clock.monotonic() >= deadline:
                raise


async def _in_process(stack: AsyncExitStack, settings: Settings, clock: Clock) -> httpx.AsyncClient:
    # A hub's worth of imports that a command sent to a running hub does without.
    from ironhub.app.cli.inprocess import InProcessTransport
    from ironhub.app.hub import open_hub
    from ironhub.console.api import make_admin_app

    opening = open_hub(settings, clock=clock, entropy=SystemEntropy(), patience=RETRY)
    hub = await stack.enter_async_context(opening)
    transport = InProcessTransport(make_admin_app(hub.services, hub.admin_token))
    http = _http(hub.admin_token.decode(), "http://localhost", transport=transport)
    return await stack.enter_async_context(http)


def _over_network(directory: DataDirectory, settings: Settings, info: RunInfo) -> httpx.AsyncClient:
    address = LOOPBACK.get(settings.admin_bind, settings.admin_bind)
    host = f"[{address}]" if ":" in address else address
    trusted = ssl.create_default_context(cadata=directory.ca_pem())
    transport = _LocalName(verify=trusted, trust_env=False)
    return _http(directory.admin_token(), f"https://{host}:{info.admin}", transport=transport)


class _LocalName(httpx.AsyncHTTPTransport):
    """Asks for the certificate of "localhost" at whatever address the admin port listens."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = "localhost"
        return await super().handle_async_request(request)


def _http(token: str, url: str, *, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=url, headers=headers, transport=transport, trust_env=False)


def _segment(text: str) -> str:
    """Dots too: an id may be "..", which would be taken for a step up. Raises InvalidId."""
    if not text or "/" in text:  # the hub could not tell it from none or two segments, and no id is like that
        raise InvalidId(f"{text[:MAX_ID_LENGTH]!r} is not a valid id")
    return quote(text, safe="").replace(".", "%2E")


def _refusal(status: int, content: bytes) -> Problem:
    try:
        told = json.loads(content)["error"]
        return Problem(told["code"], told["message"], told["next_step"], status=status)
    except (ValueError, KeyError, TypeError):
        return Problem("hub.error", f"the hub answered {status}", "Look into the hub's log.", status=status)
