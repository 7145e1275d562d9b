"""What is special about policies in SQLite: sealed keys, and rows that cannot be."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.stores import KEYS, stores_over

from ironhub.core.errors import CorruptStore
from ironhub.identity.model import KnownPolicy, Right, SymmetricKeys
from ironhub.storage.sqlite.database import Database, open_database

OWNER = KnownPolicy("Owner", KEYS, frozenset(Right))
DEVICE = KnownPolicy("device", SymmetricKeys(b"d" * 32, b"e" * 32), frozenset({Right.DEVICE_CONNECT}))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await stores.policies.put_policy(OWNER)
    await stores.policies.put_policy(DEVICE)
    yield database
    await database.close()


def edit(database: Database, statement: str) -> None:
    """Change a row behind the stores' back."""
    with closing(sqlite3.connect(database.path)) as raw, raw:
        assert raw.execute(statement).rowcount > 0


async def test_no_key_is_on_the_disk_as_it_is(database: Database) -> None:
    content = b"".join(each.read_bytes() for each in database.path.parent.iterdir())
    assert b"Owner" in content
    assert KEYS.primary not in content


async def test_rights_do_not_get_stronger_by_moving_a_key(database: Database) -> None:
    """Whoever can write the file and knows the device policy's key must not make it the owner's."""
    edit(
        database,
        "UPDATE policies SET sealed_keys = (SELECT sealed_keys FROM policies WHERE name = 'device')"
        " WHERE name = 'Owner'",
    )
    stores = await stores_over(database)
    with pytest.raises(CorruptStore):
        await stores.policies.known_policy("owner")
    assert await stores.policies.known_policy("device") == DEVICE


@pytest.mark.parametrize("rights", ["[", '["Everything"]', "1"])
async def test_a_row_that_cannot_be_is_named(database: Database, rights: str) -> None:
    edit(database, f"UPDATE policies SET rights = '{rights}'")
    stores = await stores_over(database)
    with pytest.raises(CorruptStore, match="policy Owner"):
        await stores.policies.known_policy("owner")
    with pytest.raises(CorruptStore):
        await stores.policies.list_policies()
