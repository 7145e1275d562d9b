"""One device port: accepts, secures and bounds connections, and hands each peer's plaintext to a conversation."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from ironhub.heads.channel import Channel, Conversation, ConversationFactory
from ironhub.heads.connection import Connection
from ironhub.heads.limits import ConnectionLimits
from ironhub.heads.sockets import AddressUnusable, PortRefused, PortTaken, bind_all, port_of
from ironhub.wire.tls import EngineSource

__all__ = [
    "AddressUnusable",
    "Channel",
    "Conversation",
    "ConversationFactory",
    "Listener",
    "ListenerCounts",
    "ListenerSettings",
    "PortRefused",
    "PortTaken",
]

_LAST_WORDS: Final = 1.0
"""Seconds an aborted transport may take to say that it is over; it needs one turn of the loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """The bounds of one device port. All times to identify run from accept: bytes that drip do not extend them."""

    handshake_timeout: float = 20.0
    """Seconds from accept until the TLS handshake is done."""
    first_byte_timeout: float = 25.0
    """Seconds from accept until the peer has said something inside TLS."""
    connect_timeout: float = 30.0
    """Seconds from accept until the peer is identified."""
    close_timeout: float = 5.0
    """Seconds a peer gets to read our last words and close, then it is cut."""
    high_water: int = 65_536
    """Bytes waiting for a peer from which on nothing is read from it."""
    low_water: int = 16_384
    """Bytes waiting for a peer at which reading goes on."""
    max_queued: int = 4_194_304
    """Bytes waiting for a peer at which it is cut."""
    backlog: int = 4096
    """Connections the kernel keeps until they are accepted."""


@dataclass(slots=True)
class ListenerCounts:
    """What happened on a port since it was opened; only ever grows."""

    accepted: int = 0
    refused: int = 0
    """Closed at once: a limit was reached."""
    displaced: int = 0
    """Strangers cut to make room for newcomers."""
    handshakes: int = 0
    """TLS handshakes that were completed."""
    tls_failures: int = 0
    timed_out: int = 0
    overflowed: int = 0
    """Cut because they did not read."""


class Listener:
    """One port on one or several addresses. Belongs to the event loop that starts it."""

    def __init__(
        self, context: EngineSource, factory: ConversationFactory, limits: ConnectionLimits, settings: ListenerSettings
    ) -> None:
        """Take what a connection needs; `limits` may be shared with other listeners.

        Args:
            factory: called with each peer whose TLS handshake is done.
        """
        self.context = context
        self.factory = factory
        self.limits = limits
        self.settings = settings
        self.counts = ListenerCounts()
        self.loop: asyncio.AbstractEventLoop
        self._servers: list[asyncio.Server] = []
        self._open: set[Connection] = set()
        self._emptied: asyncio.Event | None = None

    @property
    def connections(self) -> int:
        """How many are open, identified or not."""
        return len(self._open)

    async def start(self, addresses: Sequence[str], port: int) -> int:
        """Listen on `port` (0: any free one) of every address; returns the port.

        Raises:
            PortTaken, PortRefused, AddressUnusable: nothing listens.
        """
        self.loop = asyncio.get_running_loop()
        sockets = bind_all(addresses, port)
        bound = port_of(sockets[0])
        for each in sockets:
            server = await self.loop.create_server(self._accept, sock=each, backlog=self.settings.backlog)
            self._servers.append(server)
        return bound

    def replace_context(self, context: EngineSource) -> None:
        """Use another certificate for connections that begin from now on; the others keep theirs."""
        self.context = context

    def stop_accepting(self) -> None:
        """Close the port; open connections live on."""
        for server in self._servers:
            server.close()

    async def close(self, grace: float) -> None:
        """Stop accepting and end all connections; none is left afterwards.

        Args:
            grace: seconds the peers get to read what was sent to them, then they are cut.
        """
        self.stop_accepting()
        self._emptied = asyncio.Event()
        for connection in list(self._open):
            connection.close()
        if not await self._empty_within(grace):
            for connection in list(self._open):
                connection.abort()
            await self._empty_within(_LAST_WORDS)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def enter(self, connection: Connection) -> bool:
        """Take a new connection in; False: there is no place for it."""
        self.counts.accepted += 1
        if not self.limits.admit(connection):
            self.counts.refused += 1
            return False
        self._open.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        self.limits.release(connection)
        self._open.discard(connection)
        if not self._open and self._emptied is not None:
            self._emptied.set()

    def _accept(self) -> asyncio.Protocol:
        return cast("asyncio.Protocol", Connection(self))  # it has the methods, which is all that the loop asks

    async def _empty_within(self, seconds: float) -> bool:
        if self._open and self._emptied is not None:
            try:
                await asyncio.wait_for(self._emptied.wait(), seconds)
            except TimeoutError:
                return False
        return True
