"""What the twin service needs of a store."""

from collections.abc import Sequence
from typing import Protocol

from ironhub.core.facts import Fact
from ironhub.core.ids import Identity
from ironhub.core.receipts import Receipt
from ironhub.twins.model import Twin


class TwinStore(Protocol):
    """Where twins live. Whatever implements it passes tests/contracts/test_twin_store.py."""

    async def get_twin(self, identity: Identity) -> Twin | None:
        """Return the twin; the initial one if nothing was ever written; None when the identity is not registered."""

    async def put_twin(
        self, twin: Twin, *, replacing: int, facts: Sequence[Fact] = (), receipt: Receipt | None = None
    ) -> None:
        """Store `twin`, its facts and the receipt durably, all or nothing, if `replacing` is the stored version.

        The initial twin (version `twins.model.FIRST_VERSION`) counts as stored for every registered identity.

        Raises:
            TwinVersionConflict: another version is stored, or the identity is gone; nothing was changed.
            ReceiptRefused: no receipt can be left (any more); nothing was changed.
        """
