"""What is special about commands in SQLite: a look before the lock, and rows that cannot be."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.stores import CREATED_AT, PRESS, register, stores_over

from ironhub.core.errors import CorruptStore
from ironhub.messaging.commands.model import Ack, Command, CommandDraft, Delivery
from ironhub.storage.sqlite.database import Database, open_database
from ironhub.storage.stores import Stores


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(tmp_path / "hub.db")
    yield database
    await database.close()


@pytest.fixture
async def stores(database: Database) -> Stores:
    stores = await stores_over(database)
    await register(stores, PRESS)
    return stores


async def send(stores: Stores, ack: Ack = Ack.NONE) -> Command:
    return await stores.commands.add_command(
        PRESS,
        CommandDraft(body=b"go", ack=ack),
        message_id="m",
        now=CREATED_AT,
        expires_at=CREATED_AT + 60,
        max_pending=50,
    )


async def hold(stores: Stores) -> list[Delivery]:
    return await stores.commands.lock_commands(PRESS, now=CREATED_AT, locked_until=None, owner="s", limit=9)


async def edit(database: Database, statement: str) -> None:
    """Change a row behind the stores' back."""
    with closing(sqlite3.connect(database.path)) as raw, raw:
        assert raw.execute(statement).rowcount > 0


async def test_what_went_between_the_look_and_the_lock_is_not_handed_out(stores: Stores) -> None:
    """All of them look first, and see the same three; then one after the other locks what is left."""
    for _ in range(3):
        await send(stores)
    taken = await asyncio.gather(*(hold(stores) for _ in range(10)))
    assert sorted(len(deliveries) for deliveries in taken) == [0] * 9 + [3]


@pytest.mark.parametrize("change", ["ack = 'perhaps'", "properties = '{'"])
async def test_a_command_that_cannot_be_is_named(database: Database, stores: Stores, change: str) -> None:
    number = (await send(stores)).sequence_number
    await edit(database, f"UPDATE commands SET {change}")
    with pytest.raises(CorruptStore, match=f"command {number}"):
        await hold(stores)


async def test_what_cannot_be_is_not_ended_either(database: Database, stores: Stores) -> None:
    await send(stores)
    await edit(database, "UPDATE commands SET ack = 'perhaps'")
    with pytest.raises(CorruptStore):
        await stores.commands.purge_commands(PRESS, now=CREATED_AT)
    assert await stores.commands.count_commands(PRESS) == 1


async def test_a_feedback_record_that_cannot_be_is_named(database: Database, stores: Stores) -> None:
    await send(stores, Ack.FULL)
    await stores.commands.purge_commands(PRESS, now=CREATED_AT)
    await edit(database, "UPDATE feedback SET outcome = 'perhaps'")
    with pytest.raises(CorruptStore, match="feedback record 1"):
        await stores.commands.list_feedback(after=0, limit=9, now=CREATED_AT)


async def test_who_connects_to_an_empty_queue_waits_for_no_writer(database: Database, stores: Stores) -> None:
    """The disk is held up by somebody else's transaction; an empty queue is seen all the same."""
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await asyncio.wait_for(hold(stores), 4) == []
        other.execute("ROLLBACK")
