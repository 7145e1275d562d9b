"""rhea as the client of our engine on a plain socket: links, messages of any size, verdicts, drain, and the ends."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE

from ironhub.wire.amqp.conditions import CONNECTION_FORCED, NOT_FOUND
from ironhub.wire.amqp.connection import ServerConnection
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.events import (
    Attached,
    Credited,
    Delivered,
    Detached,
    Event,
    Opened,
    Outcome,
    SaslInit,
    Settled,
)
from ironhub.wire.amqp.incoming import IncomingLink
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.message import split_message
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.sections import data_section, encode_message

CREDIT = 20
VERDICTS = {
    b"reject": Outcome.REJECTED,
    b"release": Outcome.RELEASED,
    b"modify": Outcome.MODIFIED,
}
MISSING = Error(NOT_FOUND, "no such node")


class Node(asyncio.Protocol):
    """Takes what is sent, with a verdict by its body; gives "/out/<count>/<size>" as many messages as that says."""

    def __init__(self, limits: Limits) -> None:
        self.wire = ServerConnection(limits, 0.0, ("PLAIN", "ANONYMOUS"))
        self.wire.identified()
        self.events: list[Event] = []
        self.bodies: list[bytes] = []
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()

    def data_received(self, data: bytes) -> None:
        todo = self.wire.receive(data, 0.0)
        while todo:
            event = todo.pop(0)
            self.events.append(event)
            todo += self._answer(event)
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.wire.to_send())
        if self.wire.closed:
            self.transport.close()

    def of(self, kind: type[Any]) -> list[Any]:
        """What happened of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def _answer(self, event: Event) -> list[Event]:
        if isinstance(event, SaslInit):
            self.wire.sasl_outcome(event.mechanism == "ANONYMOUS" or event.response == b"\0me\0secret")
            return self.wire.receive(b"", 0.0)
        if isinstance(event, Attached):
            self._attached(event.link)
        elif isinstance(event, Delivered):
            self._delivered(event)
        elif isinstance(event, Credited):
            self._send(event.link)
        return []

    def _attached(self, link: IncomingLink | OutgoingLink) -> None:
        if "missing" in (link.source_address, link.target_address):
            link.refuse(MISSING)
        elif isinstance(link, IncomingLink):
            link.accept(CREDIT)
        else:
            assert link.source_address is not None
            _, _, count, size = link.source_address.split("/")
            link.app = [encode_message(body=data_section(bytes(int(size))))] * int(count)
            link.accept()

    def _delivered(self, event: Delivered) -> None:
        delivery, link = event.delivery, event.link
        body = split_message(delivery.payload).body
        self.bodies.append(body)
        if not delivery.settled:
            verdict = VERDICTS.get(body, Outcome.ACCEPTED)
            error = Error("vendor:no", "because") if verdict is Outcome.REJECTED else None
            link.settle(delivery.id, delivery.id, verdict, error)
        if link.credit < CREDIT // 2:
            link.grant(CREDIT)

    def _send(self, link: OutgoingLink) -> None:
        waiting = link.app
        assert isinstance(waiting, list)
        while waiting and link.sendable:
            link.send(waiting.pop(), b"%d" % len(waiting), link.snd_settle_mode == 1)
        if link.drain and not waiting:
            link.drained()


class Served:
    """A server for one client, and the Node process that has the client."""

    def __init__(self, node: NodeProcess, limits: Limits) -> None:
        self._node = node
        self._limits = limits
        self.peers: list[Node] = []

    async def start(self) -> None:
        self.server = await asyncio.get_running_loop().create_server(self._peer, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def ask(self, action: str, **arguments: Any) -> Any:
        """What the client answers."""
        return await asyncio.to_thread(self._node.ask, action, **arguments)

    async def open(self, **options: Any) -> Any:
        """Connect the client."""
        return await self.ask("open", port=self.port, options=options)

    @property
    def peer(self) -> Node:
        return self.peers[-1]

    async def stop(self) -> None:
        self.server.close()
        for peer in self.peers:
            peer.transport.abort()
            async with asyncio.timeout(PATIENCE):
                await peer.gone.wait()

    def _peer(self) -> Node:
        self.peers.append(Node(self._limits))
        return self.peers[-1]


@pytest.fixture(scope="module")
def node(_node_sdks: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    process = NodeProcess("rhea.js", tmp_path_factory.mktemp("rhea") / "log")
    yield process
    process.close()


@pytest.fixture
async def served(node: NodeProcess) -> AsyncIterator[Served]:
    served = Served(node, Limits(incoming_window=50))
    await served.start()
    yield served
    await served.stop()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="bare"),
        pytest.param({"username": "me"}, id="anonymous"),
        pytest.param({"username": "me", "password": "secret"}, id="plain"),
    ],
)
async def test_it_connects_with_and_without_sasl(served: Served, options: dict[str, str]) -> None:
    told = await served.open(**options)
    assert told == {"container": "ironhub", "idle": 240_000}
    assert [type(event) for event in served.peer.events] == ([SaslInit, Opened] if options else [Opened])
    await served.ask("close")
    await served.peer.gone.wait()


async def test_a_wrong_password_is_refused(served: Served) -> None:
    with pytest.raises(NodeError):
        await served.open(username="me", password="wrong")


@pytest.mark.parametrize("max_frame", [512, 65_536])
async def test_it_sends_messages_of_any_size(served: Served, max_frame: int) -> None:
    await served.open(max_frame_size=max_frame)
    sizes = [0, 1, 1000, 65_536, 300_000] + [100] * 200
    assert await served.ask("send", address="/in", bodies=sizes, options={}) == ["accepted"] * len(sizes)
    assert [len(body) for body in served.peer.bodies] == sizes


async def test_it_hears_every_verdict(served: Served) -> None:
    await served.open()
    outcomes = await served.ask("send", address="/in", bodies=["x", "reject", "release", "modify"], options={})
    assert outcomes == ["accepted", "rejected vendor:no because", "released", "modified"]


async def test_what_it_sends_settled_needs_no_verdict(served: Served) -> None:
    await served.open()
    await served.ask("send", address="/in", bodies=["x"] * 100, options={"snd_settle_mode": 1})
    assert len(served.peer.bodies) == 100
    assert all(event.delivery.settled for event in served.peer.of(Delivered))


@pytest.mark.parametrize("max_frame", [512, 65_536])
@pytest.mark.parametrize(("count", "size"), [(1, 0), (3, 300_000), (3000, 100)])
async def test_it_receives_messages_of_any_size(served: Served, max_frame: int, count: int, size: int) -> None:
    await served.open(max_frame_size=max_frame)
    options = {"snd_settle_mode": 1, "credit_window": 100}
    got = await served.ask("receive", address=f"/out/{count}/{size}", count=count, verdict="accept", options=options)
    assert got == [[size, True]] * count


@pytest.mark.parametrize("second", [0, 1])
@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        ("accept", Outcome.ACCEPTED),
        ("release", Outcome.RELEASED),
        ("modify", Outcome.MODIFIED),
        ("reject", Outcome.REJECTED),
    ],
)
async def test_its_verdicts_are_heard_once_each(served: Served, verdict: str, outcome: int, second: int) -> None:
    await served.open()
    options = {"rcv_settle_mode": second}
    await served.ask("receive", address="/out/5/10", count=5, verdict=verdict, options=options)
    settled = served.peer.of(Settled)
    assert [(event.tag, event.outcome) for event in settled] == [(b"%d" % n, outcome) for n in (4, 3, 2, 1, 0)]
    if verdict == "reject":
        assert {event.error for event in settled} == {Error("vendor:no", "because")}


@pytest.mark.parametrize("there", [0, 3, 10])
async def test_it_gets_its_credit_back_when_it_drains(served: Served, there: int) -> None:
    await served.open()
    assert await served.ask("drain", address=f"/out/{there}/10", credit=10) == there


@pytest.mark.parametrize("sender", [False, True])
async def test_it_reads_why_a_link_is_refused_and_goes_on(served: Served, sender: bool) -> None:
    await served.open()
    refusal = await served.ask("refused", address="missing", sender=sender)
    assert refusal == {"opened": True, "condition": MISSING.condition, "description": MISSING.description}
    assert await served.ask("send", address="/in", bodies=["x"], options={}) == ["accepted"]
    assert served.peer.of(Detached)[0].error is None


async def test_sessions_come_and_go(served: Served) -> None:
    await served.open()
    for _ in range(3):
        await served.ask("session")
        assert await served.ask("send", address="/in", bodies=["x"], options={}) == ["accepted"]
        await served.ask("end")
    assert await served.ask("send", address="/in", bodies=["x"], options={}) == ["accepted"]
    assert len(served.peer.bodies) == 4


async def test_it_reads_why_the_connection_is_closed(served: Served) -> None:
    await served.open()
    served.peer.wire.close(Error(CONNECTION_FORCED, "maintenance"))
    served.peer.flush()
    assert await served.ask("closed") == {"condition": CONNECTION_FORCED, "description": "maintenance"}
