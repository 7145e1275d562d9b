"""Writes down who is connected, behind the connects: nobody waits for it, and a storm becomes few commits."""

import asyncio
import logging
from typing import Final

from ironhub.core.clock import Clock
from ironhub.core.errors import HubError
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity
from ironhub.registry.ports import DeviceStore

log: Final = logging.getLogger(__name__)

MAX_WAITING: Final = 100_000
"""Changes kept while the store is out of order; beyond it the oldest are dropped: presence is news, not a record."""
RETRY_AFTER: Final = 1.0
"""Seconds between tries while the store is out of order."""
MAX_BATCH: Final = 1000


class PresenceRecorder:
    """Stores comings and goings, with their facts, in the order in which they happened."""

    def __init__(self, store: DeviceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[Fact] = []
        self._something = asyncio.Event()

    def came(self, identity: Identity) -> None:
        """It is connected; before, it was not."""
        self._note(FactKind.CONNECTED, identity)

    def went(self, identity: Identity) -> None:
        """It is not connected any more."""
        self._note(FactKind.DISCONNECTED, identity)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._something.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; on an error keep it, and return after a while."""
        while self._waiting:
            batch = self._waiting[:MAX_BATCH]
            try:
                await self._store.record_presence(batch)
            except HubError as error:
                log.warning("presence_not_stored", extra={"code": error.code, "waiting": len(self._waiting)})
                await asyncio.sleep(RETRY_AFTER)
                return
            del self._waiting[: len(batch)]
        self._something.clear()

    def _note(self, kind: FactKind, identity: Identity) -> None:
        if len(self._waiting) >= MAX_WAITING:
            del self._waiting[0]
        self._waiting.append(Fact(kind, identity, self._clock.now(), {}))
        self._something.set()
