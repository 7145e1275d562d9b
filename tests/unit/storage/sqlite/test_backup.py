"""A copy of the database while the hub goes on."""

import asyncio
import stat
from pathlib import Path

import pytest
from tests.contracts.stores import ARM, NOBODY, PRESS, device, fact, facts_of, module, register, stores_over

from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.facts import FactKind
from ironhub.storage.sqlite.database import open_database
from ironhub.twins.model import FIRST_VERSION, Twin


async def test_a_backup_taken_while_others_write_is_consistent(tmp_path: Path) -> None:
    """Each change of the twin leaves a fact: in the copy, version and number of facts belong together."""
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, PRESS, ARM)
    copies = [tmp_path / f"copy-{number}.db" for number in range(3)]

    async def write() -> None:
        version = FIRST_VERSION
        while not copies[-1].exists():
            new = Twin(PRESS, version + 1)
            await stores.twins.put_twin(new, replacing=version, facts=[fact(FactKind.TWIN_UPDATED)])
            version += 1

    async def copy() -> None:
        for each in copies:
            await database.backup_to(each)

    await asyncio.gather(write(), copy())
    await database.close()
    for each in copies:
        restored = open_database(each)
        its_stores = await stores_over(restored)
        twin = await its_stores.twins.get_twin(PRESS)
        assert twin is not None
        assert twin.version == FIRST_VERSION + len(await facts_of(its_stores))
        assert await its_stores.devices.get_module(ARM) == module()
        assert await its_stores.devices.get_device(PRESS.device_id) == device()
        await restored.close()


async def test_a_backup_is_for_the_owner_only_and_overwrites_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    await register(stores, NOBODY)
    copy = tmp_path / "copy.db"
    (tmp_path / "copy.db.partial").write_bytes(b"left by one that was interrupted")
    await database.backup_to(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.partial*"))
    before = copy.read_bytes()
    with pytest.raises(InvalidArgument):
        await database.backup_to(copy)
    with pytest.raises(InvalidArgument):
        await database.backup_to(database.path)
    assert copy.read_bytes() == before
    await database.close()


async def test_a_backup_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    with pytest.raises(Unavailable):
        await database.backup_to(tmp_path / "nowhere" / "copy.db")
    await database.close()
    database.path.unlink()
    with pytest.raises(Unavailable):
        await database.backup_to(tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []
