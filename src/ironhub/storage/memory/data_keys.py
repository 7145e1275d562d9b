"""Wrapped data keys in memory."""

from collections.abc import Sequence

from ironhub.core.errors import InvalidArgument
from ironhub.core.sealing import WrappedKey


class MemoryDataKeyStore:
    """A DataKeyStore in a dictionary."""

    def __init__(self) -> None:
        self._keys: dict[int, WrappedKey] = {}

    async def data_keys(self) -> Sequence[WrappedKey]:
        """Return all, ordered by id."""
        return [key for _, key in sorted(self._keys.items())]

    async def add_data_key(self, key: WrappedKey) -> None:
        """Store it. Raises InvalidArgument: there is one of this id; nothing was changed."""
        if key.key_id in self._keys:
            raise InvalidArgument(f"there is a data key {key.key_id} already")
        self._keys[key.key_id] = key
