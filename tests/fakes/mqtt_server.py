"""A server for MQTT clients under test: TLS, one session per connection, everything is acknowledged or as told."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.fakes.pki import SERVER_AUTH, make_authority

from ironhub.wire.mqtt import Connect, Event, Publish, ServerSession, SessionLimits, State, Subscribe

AUTHORITY = make_authority("fake hub")
CERTIFICATE = AUTHORITY.issue("localhost", names=["localhost"], usages=[SERVER_AUTH])


class FakeServer:
    """Remembers what clients said, by client id; a test may speak to them, cut them off, or refuse them."""

    def __init__(self) -> None:
        self.port = 0
        self.connects: list[Connect] = []
        self.heard: list[Publish] = []
        self.refusing = 0
        """The return code for newcomers; 0: they are let in."""
        self.silent = False
        """Whether publishes stay without acknowledgement."""
        self._sessions: dict[str, tuple[ServerSession, asyncio.StreamWriter]] = {}
        self._changed = asyncio.Event()

    @property
    def connected(self) -> set[str]:
        """Who is there."""
        return set(self._sessions)

    def tell(self, client_id: str, topic: str, payload: bytes = b"", qos: int = 0) -> None:
        """Publish something to a client."""
        session, writer = self._sessions[client_id]
        session.publish(topic, payload, qos)
        writer.write(session.to_send())

    def cut(self, client_id: str) -> None:
        """End a connection as a network does."""
        self._sessions[client_id][1].transport.abort()

    def topics(self, start: str) -> list[Publish]:
        """What came to topics that begin so."""
        return [message for message in self.heard if message.topic.startswith(start)]

    async def until(self, count: int, start: str = "") -> list[Publish]:
        """Wait until `count` messages came to topics that begin so; returns them."""
        async with asyncio.timeout(20):
            while len(self.topics(start)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.topics(start)

    async def until_connects(self, count: int) -> None:
        """Wait until so many CONNECTs came."""
        async with asyncio.timeout(20):
            while len(self.connects) < count:
                self._changed.clear()
                await self._changed.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it goes."""
        session, who = ServerSession(SessionLimits(), 0.0), ""
        with suppress(OSError, ssl.SSLError):
            while session.state is not State.CLOSED and (data := await reader.read(65_536)):
                todo = session.receive(data, 0.0)
                while todo:
                    event = todo.pop(0)
                    if isinstance(event, Connect):
                        who = event.client_id
                        todo += self._connected(session, writer, event)
                    elif isinstance(event, Publish):
                        self._published(session, event)
                    elif isinstance(event, Subscribe):
                        session.suback(event.packet_id, b"\x01" * len(event.subscriptions))
                    self._changed.set()
                writer.write(session.to_send())
        self._sessions.pop(who, None)
        writer.close()

    def _connected(self, session: ServerSession, writer: asyncio.StreamWriter, connect: Connect) -> list[Event]:
        self.connects.append(connect)
        if self.refusing:
            session.refuse(self.refusing)
            return []
        self._sessions[connect.client_id] = (session, writer)
        return session.accept(False, None, 0.0)

    def _published(self, session: ServerSession, message: Publish) -> None:
        self.heard.append(message)
        if message.qos and not self.silent:
            session.acknowledge(message.packet_id)


@asynccontextmanager
async def fake_server() -> AsyncIterator[FakeServer]:
    """Run one on a free port of 127.0.0.1, with a certificate for localhost below AUTHORITY."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder) / "chain.pem", Path(folder) / "key.pem"
        chain.write_bytes(CERTIFICATE.chain_pem)
        key.write_bytes(CERTIFICATE.key_pem)
        context.load_cert_chain(chain, key)
    fake = FakeServer()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0, ssl=context)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        for client_id in fake.connected:
            fake.cut(client_id)
