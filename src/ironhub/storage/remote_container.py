"""Containers of blobs elsewhere, reached over HTTPS with the signature in their address.

What it protects: the network the hub stands in. Who may start an import or export names an address that the hub then
calls, so it calls only hosts that the operator allows, by HTTPS, at addresses that are not private (unless that very
host is listed), and follows no redirect. The address that was looked at is the one that is dialled: a name that points
elsewhere a moment later gains nothing. What a stranger's server answers is never repeated to the caller.
Source: Azure Blob Storage REST reference (Get Blob, Put Block, Put Block List).
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

import httpx

from ironhub.provisioning.transfer.model import ContainerInvalid

BLOCK: Final = 4 << 20
"""Bytes that are held before they are sent."""
MAX_BLOCKS: Final = 50_000
TIMEOUT: Final = httpx.Timeout(60.0, connect=15.0)
VERSION: Final = "2021-08-06"
_HTTPS: Final = 443
_WITH_IPV4: Final = ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96")
"""Their last 32 bits are an IPv4 address [RFC 4291, 2.5.5.1; RFC 6052, 2.1]."""
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?\Z", re.ASCII)
_LENGTH: Final = re.compile(r"\d{1,18}\Z", re.ASCII)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the IP addresses of a name. Raises OSError."""


class AllowedHosts:
    """Which hosts may be called: names, names with a port, and `*.domain` for all below a domain."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._listed = frozenset(pattern.lower() for pattern in patterns if not pattern.startswith("*."))
        self._domains = tuple(pattern[1:].lower() for pattern in patterns if pattern.startswith("*."))

    def is_listed(self, host: str, port: int) -> bool:
        """Whether this very host is named; then it may stand in a private network."""
        return f"{host}:{port}" in self._listed or (port == _HTTPS and host in self._listed)

    def allows(self, host: str, port: int) -> bool:
        """Whether the host may be called at all."""
        return self.is_listed(host, port) or (port == _HTTPS and any(host.endswith(each) for each in self._domains))


class RemoteContainers:
    """A provisioning.transfer.ports.Containers over HTTPS."""

    def __init__(
        self, allowed: AllowedHosts, *, trusted: ssl.SSLContext | None = None, resolve: Resolve | None = None
    ) -> None:
        """Begin.

        Args:
            trusted: which certificates are trusted; None: the system's authorities.
            resolve: how names become addresses; None: as the system does.
        """
        self._allowed = allowed
        self._trusted = trusted
        self._resolve = resolve or resolve_name

    def open(self, uri: str) -> "RemoteContainer":
        """Return the container. Raises ContainerInvalid: it is none that may be reached; nothing was asked of it."""
        try:
            parts = urlsplit(uri)
            host, port = (parts.hostname or "").lower(), parts.port or _HTTPS
        except ValueError:
            raise ContainerInvalid("the address of the container cannot be read") from None
        if parts.scheme != "https" or parts.username is not None or parts.fragment or not parts.query:
            raise ContainerInvalid("a container has an address with https and a signature")
        if not _HOST.match(host) or not self._allowed.allows(host, port) or not parts.path.strip("/"):
            raise ContainerInvalid(f"containers at {host[:100]!a} are not reached from here")
        transport = _GuardedTransport(self._allowed, self._resolve, self._trusted)
        base = f"https://{host}:{port}{parts.path.rstrip('/')}"
        return RemoteContainer(base, parts.query, transport)


class RemoteContainer:
    """One container elsewhere."""

    def __init__(self, base: str, signature: str, transport: httpx.AsyncBaseTransport) -> None:
        self._base = base
        self._signature = signature
        self._transport = transport

    async def size(self, blob: str) -> int:
        """Return how many bytes a blob has."""
        async with self._http() as http:
            answer = await self._asked(http, "HEAD", blob)
        length = answer.headers.get("content-length", "")
        if not _LENGTH.match(length):
            raise ContainerInvalid("the container does not say how long the blob is")
        return int(length)

    async def read(self, blob: str, *, start: int) -> AsyncIterator[bytes]:
        """Yield a blob from the byte `start` on."""
        if start and start >= await self.size(blob):
            return
        async with self._http() as http:
            request = http.build_request("GET", self._url(blob), headers={"Range": f"bytes={start}-"} if start else {})
            try:
                answer = await http.send(request, stream=True)
                try:
                    _check(answer.status_code, 206 if start else 200)
                    async for piece in answer.aiter_raw(1 << 18):
                        yield piece
                finally:
                    await answer.aclose()
            except httpx.HTTPError as error:
                raise _unreachable(error) from None

    async def write(self, blob: str, pieces: AsyncIterator[bytes]) -> None:
        """Store a blob whole or not at all: nobody sees its blocks before the list of them is sent."""
        ids: list[str] = []
        async with self._http() as http:
            async for block in _blocks(pieces):
                if len(ids) >= MAX_BLOCKS:
                    raise ContainerInvalid("the blob would have too many blocks")
                ids.append(b64encode(b"%08d" % len(ids)).decode())
                await self._asked(http, "PUT", blob, f"comp=block&blockid={quote(ids[-1], safe='')}", block)
            listed = "".join(f"<Latest>{each}</Latest>" for each in ids)
            body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
            await self._asked(http, "PUT", blob, "comp=blocklist", body)

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport, timeout=TIMEOUT, trust_env=False, headers={"x-ms-version": VERSION}
        )

    def _url(self, blob: str, more: str = "") -> str:
        return f"{self._base}/{quote(blob, safe='/')}?{more}{'&' if more else ''}{self._signature}"

    async def _asked(
        self, http: httpx.AsyncClient, method: str, blob: str, more: str = "", body: bytes | None = None
    ) -> httpx.Response:
        try:
            answer = await http.send(http.build_request(method, self._url(blob, more), content=body), stream=True)
            await answer.aclose()  # its body is nothing to us, and may be without end
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        _check(answer.status_code, 201 if method == "PUT" else 200)
        return answer


class _GuardedTransport(httpx.AsyncBaseTransport):
    """Looks at the address of a host, then dials exactly that address under the host's name."""

    def __init__(self, allowed: AllowedHosts, resolve: Resolve, trusted: ssl.SSLContext | None) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._trusted = trusted

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, port = request.url.host, request.url.port or _HTTPS
        address = await self._address(host, port)
        verify = self._trusted if self._trusted is not None else ssl.create_default_context()
        inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False)
        dialled = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        answer = await inner.handle_async_request(dialled)
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=_Closing(answer, inner), extensions=answer.extensions
        )

    async def _address(self, host: str, port: int) -> str:
        try:
            found = await self._resolve(host, port)
        except OSError:
            found = ()
        good = [each for each in found if self._allowed.is_listed(host, port) or _is_public(each)]
        if not good or len(good) != len(found):
            raise ContainerInvalid("the container's host has no address that may be reached from here")
        return good[0]


class _Closing(httpx.AsyncByteStream):
    """Closes the connection with the answer."""

    def __init__(self, answer: httpx.Response, transport: httpx.AsyncHTTPTransport) -> None:
        self._answer = answer
        self._transport = transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._answer.stream
        if isinstance(stream, httpx.AsyncByteStream):
            async for piece in stream:
                yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._transport.aclose()


async def resolve_name(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, as the system finds them. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def _is_public(address: str) -> bool:
    """An IPv6 address in which an IPv4 address stands leads to wherever that one does."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None = ipaddress.ip_address(address)
    while ip is not None:
        if not ip.is_global or ip.is_multicast:
            return False
        ip = _inside(ip)
    return True


def _inside(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF) if any(ip in each for each in _WITH_IPV4) else ip.sixtofour


async def _blocks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= BLOCK:
            yield bytes(held[:BLOCK])
            del held[:BLOCK]
    if held:
        yield bytes(held)


def _check(status: int, wanted: int) -> None:
    """Only the number is told: what a stranger's server says may be anything, from anywhere."""
    if status != wanted:
        raise ContainerInvalid(f"the container answered {status}")


def _unreachable(error: Exception) -> ContainerInvalid:
    return ContainerInvalid("the container cannot be reached", detail=type(error).__name__)
