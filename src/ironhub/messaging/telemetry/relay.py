"""Brings facts from where stores leave them (the outbox) into the event log: each once, in order, whatever dies."""

import asyncio
import logging
from dataclasses import dataclass

from ironhub.core.errors import Unavailable
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.ports import EventLog, Outbox

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """How the relay works."""

    max_facts: int = 500
    """Facts per commit."""
    idle_timeout: float = 30.0
    """Seconds until it looks again though nobody said that there are facts."""
    linger: float = 0.05
    """Seconds that facts wait for others unless they fill a commit, so that many share one."""
    min_backoff: float = 0.1
    """Seconds before the first retry when a disk refuses; doubled with each refusal."""
    max_backoff: float = 10.0
    """Seconds between two retries at most."""


class Relay:
    """Moves facts from an outbox into an event log. One per outbox and log."""

    def __init__(self, outbox: Outbox, log: EventLog, settings: RelaySettings) -> None:
        self._outbox = outbox
        self._log = log
        self._settings = settings

    async def run(self) -> None:
        """Move facts as they come, for ever; waits and retries when a disk refuses. Cancel it to stop."""
        backoff = self._settings.min_backoff
        while True:
            try:
                moved = await self._move()
                if moved < self._settings.max_facts and await self._outbox.wait_for_facts(self._settings.idle_timeout):
                    await asyncio.sleep(self._settings.linger)
                backoff = self._settings.min_backoff
            except Unavailable as error:
                log.warning("fact_relay_waits", extra={"seconds": backoff, "detail": error.detail or str(error)})
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, self._settings.max_backoff)

    async def step(self) -> bool:
        """Move what is pending, up to a commit's worth; return whether there was anything.

        Raises:
            Unavailable: a disk refused; the facts stay where they are.
        """
        return await self._move() > 0

    async def _move(self) -> int:
        """The log remembers in the same commit what it took last: dying before the outbox drops it repeats nothing."""
        pending = await self._outbox.pending_facts(self._settings.max_facts)
        if not pending:
            return 0
        await self._log.relay(
            [(number, self._log.partition_of(fact.identity.device_id), entry_of(fact)) for number, fact in pending]
        )
        await self._outbox.drop_facts(pending[-1][0])
        return len(pending)
