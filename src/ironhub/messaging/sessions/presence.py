"""Writes down who is connected, behind the connects: nobody waits for it, and a storm becomes few commits."""

import asyncio
import logging
from collections import deque
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
LINGER: Final = 0.05
"""Seconds that a change waits for others, so that a storm of connects is a few commits."""


class PresenceRecorder:
    """Stores comings and goings, with their facts, in the order in which they happened."""

    def __init__(self, store: DeviceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[Fact] = deque()
        self._writing: tuple[list[Fact], asyncio.Task[None]] | None = None
        self._turn = asyncio.Lock()
        self._something = asyncio.Event()
        self.dropped = 0
        """Changes that were never written down because the store was out of order for too long."""

    def came(self, identity: Identity, model_id: str = "") -> None:
        """It is connected, and announces `model_id`; before, it was not."""
        self._note(FactKind.CONNECTED, identity, {"model_id": model_id} if model_id else {})

    def went(self, identity: Identity) -> None:
        """It is not connected any more."""
        self._note(FactKind.DISCONNECTED, identity, {})

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._something.wait()
            await asyncio.sleep(LINGER)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; on an error keep it, and return after a while."""
        async with self._turn:
            while self._waiting or self._writing:
                batch, task = self._writing or self._begin()
                try:
                    await asyncio.shield(task)  # cancelled, it is still under way: the next flush waits for it
                except HubError as error:
                    self._writing = None
                    self._waiting.extendleft(reversed(batch))
                    log.warning("presence_not_stored", extra={"code": error.code, "waiting": len(self._waiting)})
                    await asyncio.sleep(RETRY_AFTER)
                    return
                except Exception:
                    self._writing = None  # a bug: what it struck is lost, and what comes later is not
                    raise
                self._writing = None
            self._something.clear()

    def _begin(self) -> tuple[list[Fact], asyncio.Task[None]]:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        task = asyncio.get_running_loop().create_task(self._record(batch))
        self._writing = batch, task
        return self._writing

    async def _record(self, batch: list[Fact]) -> None:
        await self._store.record_presence(batch)

    def _note(self, kind: FactKind, identity: Identity, data: dict[str, str]) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(Fact(kind, identity, self._clock.now(), data))
        self._something.set()
