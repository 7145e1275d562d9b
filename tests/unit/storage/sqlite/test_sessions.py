"""What is special about sessions in SQLite: rows that cannot be, and what is remembered of those that are."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.stores import PRESS, register, stores_over

from ironhub.core.errors import CorruptStore
from ironhub.messaging.sessions.model import StoredSession
from ironhub.storage.sqlite.database import open_database


async def test_a_row_that_cannot_be_is_named(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)
    await stores.sessions.put_session(StoredSession(PRESS, {"t": 1}))
    with closing(sqlite3.connect(database.path)) as raw, raw:
        raw.execute("UPDATE sessions SET subscriptions = '[1]'")
    with pytest.raises(CorruptStore, match="press-7"):
        await stores.sessions.get_session(PRESS)
    await database.close()


async def test_what_was_read_is_remembered_until_the_device_or_its_session_is_written(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)

    async def asks_the_disk() -> bool:
        before = await stores.sessions.get_session(PRESS)
        with closing(sqlite3.connect(database.path)) as raw, raw:
            raw.execute("UPDATE sessions SET subscriptions = '{\"behind\": 1}'")
        return await stores.sessions.get_session(PRESS) != before

    assert await stores.sessions.get_session(PRESS) is None
    await stores.sessions.put_session(StoredSession(PRESS, {"t": 1}))
    assert await stores.sessions.get_session(PRESS) == StoredSession(PRESS, {"t": 1})
    assert not await asks_the_disk()
    await stores.devices.delete_device(PRESS.device_id, replacing=None)
    assert await stores.sessions.get_session(PRESS) is None
    await database.close()
