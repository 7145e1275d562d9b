"""Facts in memory."""

import asyncio
from collections.abc import Sequence

from ironhub.core.facts import Fact
from ironhub.storage.memory.state import State


class MemoryOutbox:
    """An Outbox; the other stores leave their facts here with `leave`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._something = asyncio.Event()

    def leave(self, facts: Sequence[Fact]) -> None:
        """Store facts together with the change they tell of."""
        for fact in facts:
            self._state.last_fact_id += 1
            self._state.outbox[self._state.last_fact_id] = fact
            self._something.set()

    async def pending_facts(self, limit: int) -> Sequence[tuple[int, Fact]]:
        """Return (outbox id, Fact), ids ascending, of facts not yet dropped."""
        return list(self._state.outbox.items())[:limit]

    async def drop_facts(self, up_to: int) -> None:
        """Forget the facts with ids up to and including `up_to`."""
        for fact_id in [fact_id for fact_id in self._state.outbox if fact_id <= up_to]:
            del self._state.outbox[fact_id]
        if not self._state.outbox:
            self._something.clear()

    async def continue_after(self, number: int) -> None:
        """Forget the facts with ids up to and including `number`, and give no new fact such an id."""
        self._state.last_fact_id = max(self._state.last_fact_id, number)
        await self.drop_facts(number)

    async def wait_for_facts(self, timeout: float) -> bool:
        """Return True as soon as there may be pending facts, False after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._something.wait()
        except TimeoutError:
            return False
        return True
