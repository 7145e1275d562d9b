"""The database file of one hub: what happens when the disk does not do as it should."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.contracts.stores import NOBODY, PRESS, device, facts_of, register, stores_over

from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.registry.model import DeviceNotFound
from ironhub.storage.sqlite.database import Database, open_database
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.twins.model import FIRST_VERSION, Twin


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(tmp_path / "hub.db")
    yield database
    await database.close()


@contextmanager
def full_disk(at: int) -> Iterator[None]:
    """No file of this process grows beyond `at` bytes: what the kernel answers is what a broken disk answers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def big_twin(number: int) -> Twin:
    return Twin(PRESS, FIRST_VERSION + number, tags={"n": number, "ballast": "x" * 20_000})


async def test_a_full_disk_acknowledges_nothing_and_what_was_stored_can_be_read(database: Database) -> None:
    stores = await stores_over(database)
    await register(stores, PRESS)
    await database.write(lambda tx: tx.all("PRAGMA max_page_count = 40", {}))
    acknowledged = 0
    for number in range(1, 100):
        try:
            await stores.devices.put_device(device(PRESS, etag=f"e{number + 1}"), replacing=f"e{number}")
            acknowledged = number
            await database.write(fill)
        except Unavailable:
            break
    assert not database.healthy
    assert isinstance(database.last_error, Unavailable)
    assert "FULL" in database.last_error.detail
    found = await stores.devices.get_device(PRESS.device_id)
    assert found is not None
    assert found.etag == f"e{acknowledged + 1}"


def fill(tx: Transaction) -> None:
    """Take some pages for good."""
    tx.change(
        "INSERT INTO outbox (kind, device_id, module_id, at, data) VALUES ('connected', 'd', '', 0, :data)",
        {"data": "x" * 20_000},
    )


async def test_a_disk_that_fails_and_recovers_loses_nothing_that_was_acknowledged(database: Database) -> None:
    """The writes fail for a while; then the same writer goes on, without anybody doing anything about it."""
    stores = await stores_over(database)
    await register(stores, PRESS)
    wal = database.path.with_name("hub.db-wal")
    with full_disk(wal.stat().st_size + 8192):
        acknowledged = 0
        for number in range(1, 20):
            try:
                await stores.twins.put_twin(big_twin(number), replacing=FIRST_VERSION + acknowledged)
            except Unavailable:
                break
            acknowledged = number
        else:
            raise AssertionError("the disk was never full")
        with pytest.raises(Unavailable):
            await stores.twins.put_twin(big_twin(acknowledged + 1), replacing=FIRST_VERSION + acknowledged)
        assert not database.healthy
        found = await stores.twins.get_twin(PRESS)
        assert found is not None
        assert found.version == FIRST_VERSION + acknowledged
        assert await facts_of(stores) == []
    assert await database.probe()
    await stores.twins.put_twin(big_twin(acknowledged + 1), replacing=FIRST_VERSION + acknowledged)
    found = await stores.twins.get_twin(PRESS)
    assert found == big_twin(acknowledged + 1)


async def test_a_file_that_is_read_only_can_still_be_read(database: Database) -> None:
    stores = await stores_over(database)
    await register(stores, PRESS)
    await database.write(lambda tx: tx.all("PRAGMA query_only = ON", {}))
    with pytest.raises(Unavailable):
        await register(stores, NOBODY)
    assert not database.healthy
    assert await stores.devices.get_device(PRESS.device_id) is not None


async def test_a_probe_says_whether_the_disk_takes_writes(database: Database) -> None:
    stores = await stores_over(database)
    keys = await database.data_keys()
    wal = database.path.with_name("hub.db-wal")
    with full_disk(wal.stat().st_size):
        assert not await database.probe()
        with pytest.raises(Unavailable):  # nothing is held, nothing would change: that is no sign of health
            await stores.commands.release_commands("s", now=0.0)
        assert not database.healthy
        assert await database.data_keys() == keys
    assert await database.probe()


async def test_a_damaged_page_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    database = open_database(path)
    stores = await stores_over(database)
    await register(stores, PRESS)
    await database.close()
    with closing(sqlite3.connect(path)) as raw:
        (page,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'identities'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    database = open_database(path)
    stores = await stores_over(database)
    with pytest.raises(CorruptStore):
        await stores.devices.get_device(PRESS.device_id)
    assert isinstance(database.last_error, CorruptStore)
    await database.close()


async def test_what_was_queued_is_committed_before_the_close(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    database = open_database(path)
    stores = await stores_over(database)
    waiting = [asyncio.ensure_future(register(stores, each)) for each in (PRESS, NOBODY)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*waiting)
    with pytest.raises(Unavailable):
        await stores.devices.get_device(PRESS.device_id)
    assert [each.name for each in sorted(path.parent.iterdir())] == ["hub.db"]
    again = open_database(path)
    assert await (await stores_over(again)).devices.count_devices() == (2, 2)
    await again.close()


async def test_pages_and_look_ups_do_not_wait_for_each_other(database: Database) -> None:
    stores = await stores_over(database)
    await register(stores, PRESS)
    counting = asyncio.ensure_future(stores.devices.count_devices())
    assert await stores.devices.get_device(PRESS.device_id) is not None
    assert await counting == (1, 1)


async def test_a_cancelled_write_is_done_and_the_next_one_too(database: Database) -> None:
    stores = await stores_over(database)
    await register(stores, PRESS)
    deleting = asyncio.ensure_future(stores.devices.delete_device(PRESS.device_id, replacing=None))
    await asyncio.sleep(0)
    deleting.cancel()
    with pytest.raises(DeviceNotFound):
        await stores.devices.delete_device(PRESS.device_id, replacing=None)
    assert await stores.devices.known_identity(PRESS) is None


def test_a_directory_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_database(tmp_path / "nowhere" / "hub.db")


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hub.db"
    path.write_bytes(content)
    with pytest.raises(CorruptStore):
        open_database(path)
    assert path.read_bytes() == content
