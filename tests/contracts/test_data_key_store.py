"""The contract of storage.keys.DataKeyStore, against every implementation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.stores import IMPLEMENTATIONS

from ironhub.core.errors import InvalidArgument
from ironhub.core.sealing import WrappedKey
from ironhub.storage.keys import DataKeyStore
from ironhub.storage.memory.data_keys import MemoryDataKeyStore
from ironhub.storage.sqlite.database import open_database


@pytest.fixture(params=IMPLEMENTATIONS)
async def keys(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DataKeyStore]:
    if request.param == "memory":
        yield MemoryDataKeyStore()
        return
    database = open_database(tmp_path / "hub.db")
    yield database
    await database.close()


async def test_keys_come_back_ordered(keys: DataKeyStore) -> None:
    assert list(await keys.data_keys()) == []
    second, first = WrappedKey(2, b"two"), WrappedKey(1, b"one")
    await keys.add_data_key(second)
    await keys.add_data_key(first)
    assert list(await keys.data_keys()) == [first, second]


async def test_a_key_is_never_replaced(keys: DataKeyStore) -> None:
    await keys.add_data_key(WrappedKey(1, b"one"))
    with pytest.raises(InvalidArgument):
        await keys.add_data_key(WrappedKey(1, b"other"))
    assert list(await keys.data_keys()) == [WrappedKey(1, b"one")]
