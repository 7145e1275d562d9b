"""What is special about twins in SQLite: rows that cannot be."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.stores import PRESS, register, stores_over

from ironhub.core.errors import CorruptStore
from ironhub.storage.sqlite.database import open_database
from ironhub.twins.model import FIRST_VERSION, Twin


@pytest.mark.parametrize(
    "change", ["tags = '['", "tags = '[]'", "desired = x'ff'", "reported_metadata = 'null'", "desired_version = 'two'"]
)
async def test_a_row_that_cannot_be_is_named(tmp_path: Path, change: str) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)
    await stores.twins.put_twin(Twin(PRESS, FIRST_VERSION + 1), replacing=FIRST_VERSION)
    with closing(sqlite3.connect(database.path)) as raw, raw:
        raw.execute(f"UPDATE twins SET {change}")
    with pytest.raises(CorruptStore, match="press-7"):
        await stores.twins.get_twin(PRESS)
    await database.close()
