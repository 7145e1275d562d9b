"""A queue that back ends read over a link: each entry under a lock while it is out, settled by a disposition.

What is out when the link ends goes back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol

from ironhub.core.errors import HubError
from ironhub.heads.amqp.node import SilentNode
from ironhub.heads.amqp.outstanding import Outstanding
from ironhub.heads.amqp.peer import Peer
from ironhub.messaging.arrivals import Arrivals
from ironhub.wire.amqp import Outcome, OutgoingLink, Settled

log: Final = logging.getLogger(__name__)

WINDOW: Final = 8
"""Entries that one link holds at a time, whatever credit it has: others want some too."""
MAX_UNSETTLED: Final = 100
"""See `Outstanding`."""
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

    __slots__ = ("_gone", "_leave", "_link", "_looking", "_out", "_peer", "_retry", "_source")

    def __init__(self, peer: Peer, link: OutgoingLink, source: Source) -> None:
        self._peer = peer
        self._link = link
        self._source = source
        self._out = Outstanding(link, peer.hub.clock, window=WINDOW, max_unsettled=MAX_UNSETTLED)
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
        token = self._out.take(event.tag)
        if token is not None:
            self._spawn_settling(token, event.outcome)
            self._wake()

    def detached(self) -> None:
        """What was not settled goes back, for others."""
        self._gone = True
        self._leave()
        if self._retry is not None:
            self._retry.cancel()
        for token in self._out.take_all():
            self._spawn_settling(token, Outcome.RELEASED)

    def _wake(self) -> None:
        if not self._looking and self._room() > 0:
            self._looking = True
            self._peer.spawn(self._look())

    def _room(self) -> int:
        """How many more may be out."""
        return 0 if self._gone or self._peer.channel.congested else self._out.room()

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
            self._spawn_settling(
                held.lock_token, Outcome.RELEASED
            )  # the reader went, or took its credit back, meanwhile
            return
        if self._out.send(held.payload, held.lock_token, held.locked_until):
            self._spawn_settling(held.lock_token, Outcome.ACCEPTED)
        self._peer.soon_flush()

    def _answer_drain(self) -> None:
        """Nothing more comes for now: say so to a reader that asked for all there is."""
        if self._link.drain and not self._gone:
            self._link.drained()
            self._peer.soon_flush()

    def _spawn_settling(self, lock_token: str, outcome: int) -> None:
        """A rejected entry is one that the reader never wants to see again."""
        done = outcome in (Outcome.ACCEPTED, Outcome.REJECTED)
        settle = self._source.complete if done else self._source.abandon
        self._peer.hub.background.spawn(_quietly(settle(lock_token)))


async def _quietly(settling: Awaitable[None]) -> None:
    """The reader has done its part. What cannot be settled comes again when its lock ends."""
    try:
        await settling
    except HubError as error:
        log.debug("amqp_entry_not_settled", extra={"code": error.code})
