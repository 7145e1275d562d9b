"""A queue that back ends read over a link: each entry under a lock while it is out, settled by a disposition.

A disposition that comes after its lock has ended, or twice, is ignored: the entry is in the queue again, or with
somebody else. What is out when the link ends goes back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from ironhub.core.errors import HubError
from ironhub.heads.amqp.node import SilentNode
from ironhub.heads.amqp.peer import Peer
from ironhub.messaging.arrivals import Arrivals
from ironhub.wire.amqp import SND_SETTLED, Outcome, OutgoingLink, Settled

log: Final = logging.getLogger(__name__)

WINDOW: Final = 8
"""Entries that one link holds at a time, whatever credit it has: others want some too."""
MAX_UNSETTLED: Final = 100
"""Deliveries that a reader may leave without a disposition; their locks have ended, but its link remembers them."""
RETRY_AFTER: Final = 1.0
"""Seconds until a queue that could not be read is looked at again."""


class Held(NamedTuple):
    """An entry that one reader holds."""

    lock_token: str
    """A UUID."""
    locked_until: float
    """Seconds since the epoch."""
    payload: bytes
    """The whole message."""


class Source(Protocol):
    """The queue, as one back end may see it."""

    @property
    def arrivals(self) -> Arrivals:
        """Tells when there may be something to receive."""

    async def receive(self) -> Held | None:
        """Take the oldest entry that nobody holds; None: there is none. Raises HubError."""

    async def complete(self, lock_token: str) -> None:
        """Forget the entry. Raises HubError: its lock is over, or the store is out of order."""

    async def abandon(self, lock_token: str) -> None:
        """Give the entry back. Raises HubError, as `complete`."""


class QueueNode(SilentNode):
    """Hands out entries, one for each credit, as soon as they are there."""

    __slots__ = ("_gone", "_held", "_leave", "_link", "_looking", "_peer", "_retry", "_source")

    def __init__(self, peer: Peer, link: OutgoingLink, source: Source) -> None:
        self._peer = peer
        self._link = link
        self._source = source
        self._held: dict[bytes, Held] = {}
        """By delivery tag."""
        self._looking = False
        self._gone = False
        self._retry: asyncio.TimerHandle | None = None
        self._leave: Callable[[], None] = source.arrivals.subscribe(self._wake)

    def credited(self) -> None:
        """There may be credit, or the reader wants to know that there is nothing."""
        self._wake()
        if not self._looking:
            self._answer_drain()

    def settled(self, event: Settled) -> None:
        """The reader has decided about an entry."""
        held = self._held.pop(event.tag, None)
        if held is not None:
            self._spawn_settling(held, event.outcome)
            self._wake()

    def detached(self) -> None:
        """What was not settled goes back, for others."""
        self._gone = True
        self._leave()
        if self._retry is not None:
            self._retry.cancel()
        for held in self._held.values():
            self._spawn_settling(held, Outcome.RELEASED)
        self._held.clear()

    def _wake(self) -> None:
        if not self._looking and self._room() > 0:
            self._looking = True
            self._peer.spawn(self._look())

    def _room(self) -> int:
        """How many more may be out."""
        if self._gone or self._peer.channel.congested:
            return 0
        now = self._peer.hub.clock.now()
        self._held = {tag: held for tag, held in self._held.items() if held.locked_until > now}
        return min(self._link.sendable, WINDOW - len(self._held), MAX_UNSETTLED - self._link.unsettled)

    async def _look(self) -> None:
        try:
            while self._room() > 0:
                held = await self._source.arrivals.take(self._source.receive)
                if held is None:
                    break
                self._hand_out(held)
        except HubError as error:
            log.warning("amqp_queue_not_read", extra={"code": error.code})
            self._retry = asyncio.get_running_loop().call_later(RETRY_AFTER, self._wake)
        finally:
            self._looking = False
        self._answer_drain()

    def _hand_out(self, held: Held) -> None:
        if self._gone or self._link.sendable < 1:
            self._spawn_settling(held, Outcome.RELEASED)  # the reader went, or took its credit back, meanwhile
            return
        settled = self._link.snd_settle_mode == SND_SETTLED
        tag = UUID(held.lock_token).bytes  # .NET takes the tag for the lock token
        if settled:
            self._spawn_settling(held, Outcome.ACCEPTED)
        else:
            self._held[tag] = held
        self._link.send(held.payload, tag, settled=settled)
        self._peer.soon_flush()

    def _answer_drain(self) -> None:
        """Nothing more comes for now: say so to a reader that asked for all there is."""
        if self._link.drain and not self._gone:
            self._link.drained()
            self._peer.soon_flush()

    def _spawn_settling(self, held: Held, outcome: int) -> None:
        """A rejected entry is one that the reader never wants to see again."""
        done = outcome in (Outcome.ACCEPTED, Outcome.REJECTED)
        settle = self._source.complete if done else self._source.abandon
        self._peer.hub.background.spawn(_quietly(settle(held.lock_token)))


async def _quietly(settling: Awaitable[None]) -> None:
    """The reader has done its part. What cannot be settled comes again when its lock ends."""
    try:
        await settling
    except HubError as error:
        log.debug("amqp_entry_not_settled", extra={"code": error.code})
