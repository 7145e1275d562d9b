"""A device port on loopback with conversations that echo, and clients that talk to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.tls_client import client_context, server_identity

from ironhub.heads.limits import ConnectionLimits
from ironhub.heads.listener import Channel, Conversation, Listener, ListenerSettings
from ironhub.wire.tls import Context, TlsSettings, make_context

LONG = 60.0
SHORT = 0.15
PATIENCE = 10.0
"""Seconds a test waits for what must happen."""


@dataclass(eq=False)
class Talk:
    """A conversation that remembers what it was told and echoes what it hears."""

    channel: Channel
    heard: bytes = b""
    losses: int = 0
    resumptions: int = 0
    echo: bool = True
    chain: tuple[bytes, ...] = ()
    name: str | None = None

    def receive(self, data: bytes) -> None:
        assert data
        self.heard += data
        if self.echo:
            self.channel.send(data)

    def lost(self) -> None:
        self.losses += 1

    def resumed(self) -> None:
        self.resumptions += 1


@dataclass
class Port:
    """A listener under test and the conversations it began."""

    listener: Listener
    number: int
    talks: list[Talk] = field(default_factory=list)

    async def connect(self, context: ssl.SSLContext | None = None, name: str = "localhost") -> "Stream":
        """Return a client whose handshake is done."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.number, ssl=context or client_context(), server_hostname=name
        )
        return Stream(reader, writer)

    async def connect_plain(self) -> "Stream":
        """Return a client that has said nothing."""
        return Stream(*await asyncio.open_connection("127.0.0.1", self.number))


@dataclass
class Stream:
    """A client's two ends."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def exchange(self, data: bytes) -> bytes:
        """Send and read as many bytes back."""
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(len(data))

    async def rest(self) -> bytes:
        """Read until the server ends."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                return await self.reader.read()
        return b""

    async def end(self) -> None:
        self.writer.close()
        with suppress(OSError, ssl.SSLError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.writer.wait_closed()


@asynccontextmanager
async def open_port(
    *, limits: ConnectionLimits | None = None, make: Callable[[Channel], Conversation] | None = None, **bounds: Any
) -> AsyncIterator[Port]:
    """A listener on a free port, with long deadlines except for those in `bounds`."""
    times = {"handshake_timeout": LONG, "first_byte_timeout": LONG, "connect_timeout": LONG, "close_timeout": 5.0}
    settings = ListenerSettings(**{**times, **bounds})
    talks: list[Talk] = []

    def begin(channel: Channel) -> Conversation:
        talks.append(Talk(channel, chain=channel.peer_chain, name=channel.server_name))
        return talks[-1]

    listener = Listener(tls(), make or begin, limits or ConnectionLimits(), settings)
    number = await listener.start(["127.0.0.1"], 0)
    try:
        yield Port(listener, number, talks)
    finally:
        await listener.close(0.5)
        assert listener.connections == 0
        assert listener.limits.connections == 0
        assert all(talk.losses == 1 for talk in talks)


def tls(name: str = "localhost") -> Context:
    return make_context([server_identity(name)], TlsSettings())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the thing itself, with a deadline."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)
