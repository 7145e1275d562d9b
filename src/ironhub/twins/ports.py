"""What the twin service needs of a store."""

from collections.abc import Sequence
from typing import Protocol

from ironhub.core.facts import Fact
from ironhub.core.ids import Identity
from ironhub.twins.model import Twin


class TwinStore(Protocol):
    """Where twins live. Whatever implements it passes tests/contracts/test_twin_store.py."""

    async def get_twin(self, identity: Identity) -> Twin | None:
        """Return the twin; the initial one if nothing was ever written; None when the identity is not registered."""

    async def put_twin(self, twin: Twin, *, replacing: int, facts: Sequence[Fact] = ()) -> None:
        """Store `twin` and its facts durably, both or neither, if `replacing` is the version that is stored.

        The initial twin (version `twins.model.FIRST_VERSION`) counts as stored for every registered identity.

        Raises:
            TwinVersionConflict: another version is stored, or the identity is gone; nothing was changed.
        """
