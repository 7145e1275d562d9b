"""How the data keys get from the store into the sealer that all other stores need."""

from collections.abc import Sequence
from typing import Final, Protocol

from ironhub.core.clock import Entropy
from ironhub.core.sealing import MasterKey, Sealer, WrappedKey

FIRST_KEY: Final = 1


class DataKeyStore(Protocol):
    """Where wrapped data keys live. Whatever implements it passes tests/contracts/test_data_key_store.py."""

    async def data_keys(self) -> Sequence[WrappedKey]:
        """Return all, ordered by id."""

    async def add_data_key(self, key: WrappedKey) -> None:
        """Store it durably. Raises InvalidArgument: there is one of this id; nothing was changed."""


async def open_sealer(store: DataKeyStore, master: MasterKey, entropy: Entropy) -> Sealer:
    """Return the sealer over all stored data keys, making the first one for a store that has none.

    Raises:
        CorruptStore: a stored key does not open under this master key.
    """
    keys = list(await store.data_keys())
    if not keys:
        keys = [master.new_data_key(FIRST_KEY)]
        await store.add_data_key(keys[0])
    return Sealer({key.key_id: master.unwrap(key) for key in keys}, entropy)
