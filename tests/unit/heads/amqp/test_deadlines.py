"""heads/amqp/deadlines.py, over the engine and the credentials of a connection."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.amqp_head import AmqpHub, Peer

from ironhub.core.ids import identity
from ironhub.heads.amqp.deadlines import Deadlines
from ironhub.wire.amqp import Limits

PRESS = identity("press-7")
OPEN_TIMEOUT = 60.0
IDLE = Limits().idle_timeout
SKEW = 300.0


class Timers:
    """What the loop is asked to call, and when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits: list[float] = []
        self.handles: list[asyncio.TimerHandle] = []
        self._later = asyncio.get_running_loop().call_later
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self._call_later)

    @property
    def running(self) -> list[float]:
        """The waits whose timers run."""
        return [wait for wait, handle in zip(self.waits, self.handles, strict=True) if not handle.cancelled()]

    def _call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        self.waits.append(delay)
        self.handles.append(self._later(delay, callback, *args))
        return self.handles[-1]


@pytest.fixture
async def hub() -> AmqpHub:
    made = AmqpHub()
    await made.register(PRESS)
    return made


@pytest.fixture
async def timers(hub: AmqpHub, monkeypatch: pytest.MonkeyPatch) -> Timers:
    return Timers(monkeypatch)


def deadlines_of(peer: Peer, *, due: Callable[[], None] = lambda: None) -> Deadlines:
    """Deadlines of their own over what a connection has."""
    conversation = peer.conversation
    return Deadlines(conversation.wire, conversation.credentials, peer.hub.clock, open_timeout=OPEN_TIMEOUT, due=due)


async def test_until_the_open_comes_its_time_counts(hub: AmqpHub, timers: Timers) -> None:
    deadlines = deadlines_of(hub.dial())
    hub.clock.advance(10.0)
    deadlines.arm()
    assert timers.running == [OPEN_TIMEOUT - 10]
    hub.clock.advance(OPEN_TIMEOUT - 11)
    assert not deadlines.missed()
    hub.clock.advance(1.0)
    assert deadlines.missed()
    deadlines.opened()
    assert not deadlines.missed()
    deadlines.arm()
    assert timers.running == []


async def test_of_silence_and_the_end_of_a_credential_the_earlier_counts(hub: AmqpHub, timers: Timers) -> None:
    peer = await hub.connected(await hub.token(PRESS, life=0.0))
    deadlines = deadlines_of(peer)
    deadlines.arm()
    assert timers.waits[-1] == IDLE
    hub.clock.advance(100.0)
    peer.client.heartbeat()
    deadlines.arm()
    assert timers.waits[-1] == SKEW - 100
    hub.clock.advance(SKEW)
    deadlines.arm()
    assert timers.waits[-1] == 0.0
    deadlines.stop()
    peer.conversation.lost()


async def test_bytes_set_the_timer_only_when_something_is_due_earlier(hub: AmqpHub, timers: Timers) -> None:
    peer = hub.dial()
    deadlines = deadlines_of(peer)
    deadlines.heard()
    assert timers.waits == []
    peer.client.open()
    timers.waits.clear()
    timers.handles.clear()
    deadlines.heard()
    deadlines.heard()
    assert timers.waits == [IDLE]
    hub.clock.advance(1.0)
    peer.client.heartbeat()
    deadlines.heard()
    assert timers.waits == [IDLE]
    deadlines.stop()
    peer.conversation.lost()


async def test_a_peer_that_is_silent_for_too_long_has_missed_it(hub: AmqpHub) -> None:
    peer = await hub.connected()
    deadlines = deadlines_of(peer)
    deadlines.opened()
    hub.clock.advance(IDLE - 1)
    assert not deadlines.missed()
    hub.clock.advance(1.0)
    assert deadlines.missed()


async def test_after_the_end_no_timer_is_set(hub: AmqpHub, timers: Timers) -> None:
    deadlines = deadlines_of(hub.dial())
    deadlines.arm()
    deadlines.stop()
    deadlines.arm()
    assert timers.running == []


async def test_when_time_is_up_it_is_told(hub: AmqpHub) -> None:
    told = asyncio.Event()
    deadlines = deadlines_of(hub.dial(), due=told.set)
    hub.clock.advance(OPEN_TIMEOUT)
    deadlines.arm()
    async with asyncio.timeout(5.0):
        await told.wait()
