"""What is special about configurations in SQLite: no scan, and rows that cannot be."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.stores import PRESS, register, stores_over

from ironhub.core.errors import CorruptStore
from ironhub.storage.sqlite.configurations import CONFIGURED, COUNT, GET, RECORD, SqliteConfigurationStore
from ironhub.storage.sqlite.database import open_database
from ironhub.twins.model import FIRST_VERSION, Twin


async def test_configured_twins_are_found_by_an_index_of_their_own(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    with closing(sqlite3.connect(database.path)) as raw:
        values = {"of_device": "a", "of_module": "", "limit": 5, "of_id": "a", "made_at": 0.0, "results": "{}"}
        plans = {
            text: " ".join(str(row) for row in raw.execute(f"EXPLAIN QUERY PLAN {text}", values))
            for text in (CONFIGURED, GET, RECORD)
        }
    assert "USING INDEX ix_twins_configured (device_id>?)" in plans[CONFIGURED]
    assert "TEMP B-TREE" not in plans[CONFIGURED]
    assert all("SCAN" not in plan for plan in plans.values())
    assert COUNT
    await database.close()


async def test_a_row_that_cannot_be_is_named(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)
    applied = {"speed": {"status": "Applied"}}
    await stores.twins.put_twin(Twin(PRESS, FIRST_VERSION + 1, configurations=applied), replacing=FIRST_VERSION)
    with closing(sqlite3.connect(database.path)) as raw, raw:
        raw.execute("UPDATE twins SET configurations = '['")
    assert isinstance(stores.configurations, SqliteConfigurationStore)
    with pytest.raises(CorruptStore, match="press-7"):
        await stores.configurations.configured_twins(after=None, limit=1)
    await database.close()
