"""What is special about devices in SQLite: sealed keys, rows that cannot be, the cache in front of the gate."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import ARM, KEYS, NOBODY, PRESS, device, register, stores_over

from ironhub.core.errors import CorruptStore
from ironhub.core.ids import Identity
from ironhub.identity.model import CredentialKind, Credentials
from ironhub.registry.model import DeviceStatus, EtagMismatch
from ironhub.storage.sqlite.database import Database, open_database
from ironhub.storage.sqlite.devices import SqliteDeviceStore
from ironhub.storage.stores import Stores


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(tmp_path / "hub.db")
    yield database
    await database.close()


@pytest.fixture
async def stores(database: Database) -> Stores:
    return await stores_over(database)


async def edit(database: Database, statement: str) -> None:
    """Change a row behind the stores' back."""
    with closing(sqlite3.connect(database.path)) as raw, raw:
        assert raw.execute(statement).rowcount > 0


async def look_at_all(stores: Stores, identity: Identity) -> None:
    """Read it in one way that shows whether its row can be read."""
    if identity.module_id is None:
        await stores.devices.get_device(identity.device_id)
    else:
        await stores.devices.get_module(identity)


async def test_no_key_is_on_the_disk_as_it_is(database: Database, stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await database.close()
    content = b"".join(each.read_bytes() for each in database.path.parent.iterdir())
    assert b"press-7" in content
    assert KEYS.primary not in content
    assert KEYS.secondary not in content


async def test_a_sealed_key_that_was_moved_to_another_row_does_not_open(database: Database, stores: Stores) -> None:
    await register(stores, PRESS, ARM, NOBODY)
    await edit(
        database,
        "UPDATE identities SET sealed_keys = (SELECT sealed_keys FROM identities WHERE device_id = 'nobody')"
        " WHERE device_id = 'press-7'",
    )
    for identity in (PRESS, ARM):
        with pytest.raises(CorruptStore):
            await stores.devices.known_identity(identity)
        with pytest.raises(CorruptStore):
            await look_at_all(stores, identity)
    assert await stores.devices.known_identity(NOBODY) is not None


@pytest.mark.parametrize(
    "change",
    [
        "status = 'perhaps'",
        "credential_kind = 'word of honour'",
        "parent_scopes = '['",
        "sealed_keys = x'01'",
    ],
)
async def test_a_row_that_cannot_be_is_named(database: Database, stores: Stores, change: str) -> None:
    await register(stores, PRESS)
    await edit(database, f"UPDATE identities SET {change}")
    with pytest.raises(CorruptStore):
        await stores.devices.get_device(PRESS.device_id)


async def test_a_module_and_a_gate_that_cannot_read_a_row_say_so(database: Database, stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await edit(database, "UPDATE identities SET credential_kind = 'word of honour'")
    with pytest.raises(CorruptStore, match="press-7/arm"):
        await stores.devices.list_modules(PRESS.device_id)
    with pytest.raises(CorruptStore, match="press-7/arm"):
        await stores.devices.known_identity(ARM)


async def test_the_gate_asks_the_disk_once(database: Database, stores: Stores) -> None:
    await register(stores, PRESS)
    first = await stores.devices.known_identity(PRESS)
    await edit(database, "UPDATE identities SET generation_id = 'edited'")
    assert await stores.devices.known_identity(PRESS) is first
    await stores.devices.put_device(device(etag="e2"), replacing="e1")
    assert await stores.devices.known_identity(PRESS) == first


async def test_a_failed_write_voids_the_cache_too(database: Database, stores: Stores) -> None:
    await register(stores, PRESS)
    await stores.devices.known_identity(PRESS)
    await edit(database, "UPDATE identities SET generation_id = 'edited'")
    with pytest.raises(EtagMismatch):
        await stores.devices.put_device(device(etag="e3"), replacing="e2")
    known = await stores.devices.known_identity(PRESS)
    assert known is not None
    assert known.generation_id == "edited"


async def test_a_disabling_whose_caller_is_gone_still_bites(stores: Stores) -> None:
    await register(stores, PRESS)
    await stores.devices.known_identity(PRESS)
    disabled = replace(device(etag="e2"), status=DeviceStatus.DISABLED)
    writing = asyncio.ensure_future(stores.devices.put_device(disabled, replacing="e1"))
    await asyncio.sleep(0)
    writing.cancel()
    await stores.devices.put_device(device(NOBODY), replacing=None)
    known = await stores.devices.known_identity(PRESS)
    assert known is not None
    assert not known.enabled


async def test_what_was_asked_while_it_was_written_is_not_remembered(stores: Stores) -> None:
    """Look-ups and changes race; whatever a look-up saw, one that begins after the change sees the change."""
    await register(stores, PRESS)
    for number in range(1, 40):
        status = DeviceStatus.DISABLED if number % 2 else DeviceStatus.ENABLED
        changed = replace(device(etag=f"e{number + 1}"), status=status)
        looking = [asyncio.ensure_future(stores.devices.known_identity(PRESS)) for _ in range(3)]
        writing = asyncio.ensure_future(stores.devices.put_device(changed, replacing=f"e{number}"))
        looking += [asyncio.ensure_future(stores.devices.known_identity(PRESS)) for _ in range(3)]
        await writing
        known = await stores.devices.known_identity(PRESS)
        assert known is not None
        assert known.enabled == (status is DeviceStatus.ENABLED)
        await asyncio.gather(*looking)
        assert await stores.devices.known_identity(PRESS) == known


async def test_a_changed_credential_is_stored_whole(stores: Stores) -> None:
    await register(stores, PRESS)
    without = replace(device(etag="e2"), credentials=Credentials(CredentialKind.CERTIFICATE_AUTHORITY))
    await stores.devices.put_device(without, replacing="e1")
    known = await stores.devices.known_identity(PRESS)
    assert known is not None
    assert known.credentials.keys is None
    assert isinstance(stores.devices, SqliteDeviceStore)
    assert "pppp" not in repr(vars(stores.devices))
