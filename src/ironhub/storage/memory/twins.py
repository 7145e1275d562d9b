"""Twins in memory."""

from collections.abc import Sequence
from copy import deepcopy

from ironhub.core.facts import Fact
from ironhub.core.ids import Identity
from ironhub.core.receipts import Receipt
from ironhub.storage.memory.outbox import MemoryOutbox
from ironhub.storage.memory.state import State
from ironhub.twins.model import Twin, TwinVersionConflict, initial_twin


class MemoryTwinStore:
    """A TwinStore in a dictionary."""

    def __init__(self, state: State, outbox: MemoryOutbox) -> None:
        self._state = state
        self._outbox = outbox

    async def get_twin(self, identity: Identity) -> Twin | None:
        """Return the twin; the initial one if nothing was ever written; None when the identity is not registered."""
        return deepcopy(self._stored(identity))

    async def put_twin(
        self, twin: Twin, *, replacing: int, facts: Sequence[Fact] = (), receipt: Receipt | None = None
    ) -> None:
        """Store it, its facts and the receipt if `replacing` is the stored version. Raises TwinVersionConflict,
        ReceiptRefused."""
        stored = self._stored(twin.identity)
        if stored is None or stored.version != replacing:
            raise TwinVersionConflict(f"the twin of {twin.identity} is not at version {replacing}")
        if receipt is not None:
            self._state.jobs.take(receipt)
        self._state.twins[twin.identity] = deepcopy(twin)
        self._outbox.leave(facts)

    def _stored(self, identity: Identity) -> Twin | None:
        owner = self._state.identity(identity)
        if owner is None:
            return None
        return self._state.twins.get(identity) or initial_twin(identity, owner.created_at)
