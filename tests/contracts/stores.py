"""What the contract suites of the stores share: each implementation, and small values to put into it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.clock import START, FakeEntropy

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity, device_id, module_id
from ironhub.core.sealing import KEY_SIZE, MasterKey
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.registry.model import Device, Module
from ironhub.storage.keys import open_sealer
from ironhub.storage.memory.stores import memory_stores
from ironhub.storage.sqlite.database import Database, open_database
from ironhub.storage.sqlite.stores import sqlite_stores
from ironhub.storage.stores import Stores

IMPLEMENTATIONS = ("memory", "sqlite")
PRESS = Identity(device_id("press-7"))
ARM = Identity(device_id("press-7"), module_id("arm"))
NOBODY = Identity(device_id("nobody"))
KEYS = SymmetricKeys(b"p" * 32, b"s" * 64)
SAS = Credentials(CredentialKind.SAS, keys=KEYS)
CREATED_AT = START


@asynccontextmanager
async def open_stores(implementation: str, directory: Path) -> AsyncIterator[Stores]:
    """New stores, closed at the end."""
    if implementation == "memory":
        yield memory_stores(FakeEntropy())
        return
    database = open_database(directory / "hub.db")
    try:
        yield await stores_over(database)
    finally:
        await database.close()


async def stores_over(database: Database) -> Stores:
    """The stores over a database file; the same master key each time."""
    entropy = FakeEntropy()
    master = MasterKey(b"m" * KEY_SIZE, entropy)
    return sqlite_stores(database, await open_sealer(database, master, entropy), entropy)


def device(identity: Identity = PRESS, *, etag: str = "e1") -> Device:
    """A device with keys."""
    return Device(identity.device_id, "g1", etag, SAS, CREATED_AT)


def module(identity: Identity = ARM, *, etag: str = "e1") -> Module:
    """A module with keys."""
    assert identity.module_id is not None
    return Module(identity.device_id, identity.module_id, "g2", etag, SAS, CREATED_AT)


def fact(kind: FactKind, identity: Identity = PRESS, *, at: float = CREATED_AT) -> Fact:
    """Something that happened."""
    return Fact(kind, identity, at, {"n": 1})


async def register(stores: Stores, *identities: Identity) -> None:
    """Create devices and modules, devices first."""
    for identity in identities:
        if identity.module_id is None:
            await stores.devices.put_device(device(identity), replacing=None)
        else:
            await stores.devices.put_module(module(identity), replacing=None)


async def facts_of(stores: Stores) -> list[Fact]:
    """What lies in the outbox."""
    return [fact for _, fact in await stores.outbox.pending_facts(1000)]
