"""What is special about the outbox in SQLite: what the process before left, and failing reads."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.stores import PRESS, fact, facts_of, register, stores_over

from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.core.facts import FactKind
from ironhub.storage.sqlite import outbox
from ironhub.storage.sqlite.database import open_database


async def test_what_the_process_before_left_is_found_without_waiting(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)
    await stores.devices.record_presence([fact(FactKind.CONNECTED)])
    await database.close()
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    assert await stores.outbox.wait_for_facts(60)
    assert await facts_of(stores) == [fact(FactKind.CONNECTED)]
    await database.close()


async def test_a_read_that_fails_is_tried_again(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await database.close()
    with pytest.raises(Unavailable):
        await stores.outbox.pending_facts(10)
    assert await stores.outbox.wait_for_facts(0.001)


@pytest.mark.parametrize("change", ["kind = 'perhaps'", "data = '[]'"])
async def test_a_fact_that_cannot_be_is_named(tmp_path: Path, change: str) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)
    await stores.devices.record_presence([fact(FactKind.CONNECTED)])
    with closing(sqlite3.connect(database.path)) as raw, raw:
        raw.execute(f"UPDATE outbox SET {change}")
    with pytest.raises(CorruptStore, match="fact 1"):
        await stores.outbox.pending_facts(10)
    assert await stores.outbox.wait_for_facts(0.001)
    await database.close()


async def test_what_was_dropped_is_deleted_when_there_is_no_more_or_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "DELETE_EVERY", 3)
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)
    await stores.devices.record_presence([fact(FactKind.CONNECTED)] * 6)
    with closing(sqlite3.connect(database.path)) as raw:
        for dropped, stored, pending in ((2, 6, 4), (3, 3, 3), (2, 3, 3), (5, 3, 1)):
            await stores.outbox.drop_facts(dropped)
            assert raw.execute("SELECT COUNT(*) FROM outbox").fetchone() == (stored,)
            assert len(await facts_of(stores)) == pending
        await stores.outbox.drop_facts(6)
        assert await facts_of(stores) == []
        assert raw.execute("SELECT COUNT(*) FROM outbox").fetchone() == (0,)
    await database.close()


async def test_a_delete_that_fails_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS)
    await stores.devices.record_presence([fact(FactKind.CONNECTED)])
    await stores.outbox.drop_facts(1)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "DROP", "DELETE FROM nowhere WHERE :up_to")
        with pytest.raises(sqlite3.OperationalError):
            await stores.outbox.pending_facts(10)
    assert await stores.outbox.wait_for_facts(60)
    assert await facts_of(stores) == []
    with closing(sqlite3.connect(database.path)) as raw:
        assert raw.execute("SELECT COUNT(*) FROM outbox").fetchone() == (0,)
    await database.close()
