"""How fast the stores in SQLite are, and how little that depends on the number of devices.

    python tools/measure_stores.py [--devices 100 10000] [--seconds 2] [--in-flight 1 100] [--directory DIR]

For each number of devices and of calls in flight, one line per operation: calls a second, and the CPU time that one
call costs the whole process, threads included. Compare lines of one run only; other work on the machine shifts them.
"""

import argparse
import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.sealing import KEY_SIZE, MasterKey, Sealer
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.messaging.commands.model import CommandDraft, Outcome
from ironhub.messaging.sessions.model import StoredSession
from ironhub.registry.model import Device
from ironhub.storage.keys import open_sealer
from ironhub.storage.sqlite.database import Database, open_database
from ironhub.storage.sqlite.devices import SqliteDeviceStore
from ironhub.storage.sqlite.identity_cache import IdentityCache
from ironhub.storage.sqlite.stores import sqlite_stores
from ironhub.storage.stores import Stores

NOW: Final = 1_780_000_000.0
CREDENTIALS: Final = Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"p" * 32, b"s" * 32))
DRAFT: Final = CommandDraft(body=b"x" * 200, properties={"unit": "7"})

Operation = Callable[[int], Awaitable[object]]


class SystemEntropy:
    """Randomness of the operating system."""

    def token_bytes(self, size: int) -> bytes:
        """`size` random bytes."""
        return os.urandom(size)

    def uuid(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())


def identity(number: int) -> Identity:
    """The number-th device."""
    return Identity(DeviceId(f"device-{number:07}"))


async def fill(stores: Stores, devices: int) -> None:
    """Register `devices` devices, each with a stored session."""
    for start in range(0, devices, 500):
        numbers = range(start, min(start + 500, devices))
        made = (Device(identity(n).device_id, "g", "e", CREDENTIALS, NOW) for n in numbers)
        await asyncio.gather(*(stores.devices.put_device(device, replacing=None) for device in made))
        sessions = (StoredSession(identity(n), {"devices/x/messages/devicebound/#": 1}) for n in numbers)
        await asyncio.gather(*(stores.sessions.put_session(session) for session in sessions))


async def measure(name: str, operation: Operation, in_flight: int, seconds: float) -> None:
    """Keep `in_flight` calls going for `seconds` and print what one costs."""
    numbers, ends_at = count(), time.perf_counter() + seconds

    async def one_after_the_other() -> None:
        while time.perf_counter() < ends_at:
            await operation(next(numbers))

    cpu, begun = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    took, done = time.perf_counter() - begun, next(numbers)
    cost = (time.process_time() - cpu) / done * 1e6
    print(f"  {name:<42} in flight {in_flight:>4}  {done / took:>9,.0f} a second  {cost:>7.1f} us CPU each", flush=True)


def operations(stores: Stores, uncached: SqliteDeviceStore, devices: int) -> dict[str, Operation]:
    """What is measured: the name, and one call of it, for devices in an order that no cache foresees."""

    def some(number: int) -> Identity:
        return identity(number * 7919 % devices)

    async def connect(device: Identity) -> None:
        await stores.sessions.get_session(device)
        await stores.commands.lock_commands(device, now=NOW, locked_until=None, owner="s", limit=50)

    async def connect_known(number: int) -> None:
        device = some(number % 64)
        await stores.devices.known_identity(device)
        await connect(device)

    async def connect_unknown(number: int) -> None:
        await uncached.known_identity(some(number))
        await connect(some(number))

    async def change_twin(number: int) -> None:
        twin = await stores.twins.get_twin(some(number))
        assert twin is not None
        new = replace(twin, version=twin.version + 1, tags={"n": number, "site": {"hall": "b", "line": 7}})
        told = Fact(FactKind.TWIN_UPDATED, new.identity, NOW, {"version": new.version, "tags": new.tags})
        await stores.twins.put_twin(new, replacing=twin.version, facts=(told,))

    async def command(number: int) -> None:
        device = some(number)
        await stores.commands.add_command(device, DRAFT, message_id="m", now=NOW, expires_at=NOW + 60, max_pending=1000)
        for delivery in await stores.commands.lock_commands(
            device, now=NOW, locked_until=None, owner=str(number), limit=1
        ):
            await stores.commands.complete_command(device, delivery.lock_token, now=NOW, outcome=Outcome.SUCCESS)

    async def presence(number: int) -> None:
        batch = [Fact(FactKind.CONNECTED, some(number * 100 + n), NOW, {}) for n in range(100)]
        await stores.devices.record_presence(batch)

    return {
        "connect (3 look-ups), identity in the cache": connect_known,
        "connect (3 look-ups), identity read": connect_unknown,
        "get_device": lambda number: stores.devices.get_device(some(number).device_id),
        "twin: read, change, put with a fact": change_twin,
        "command: send, lock, complete": command,
        "presence of 100 devices": presence,
    }


async def sealer_of(database: Database) -> Sealer:
    """A sealer over the database's own keys."""
    return await open_sealer(database, MasterKey(b"m" * KEY_SIZE, SystemEntropy()), SystemEntropy())


async def run(path: Path, devices: int, in_flight: list[int], seconds: float) -> None:
    """Measure everything over one new database."""
    database = open_database(path)
    try:
        sealer = await sealer_of(database)
        stores = sqlite_stores(database, sealer, SystemEntropy())
        await fill(stores, devices)
        print(f"{devices:,} devices")
        uncached = SqliteDeviceStore(database, sealer, IdentityCache(0))
        for name, operation in operations(stores, uncached, devices).items():
            for flight in in_flight:
                await measure(name, operation, flight, seconds)
    finally:
        await database.close()


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description="Measure the stores in SQLite.")
    parser.add_argument("--devices", type=int, nargs="+", default=[100, 10_000])
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--directory", type=Path, default=None, help="on the disk that is to be measured")
    given = parser.parse_args()
    for devices in given.devices:
        with tempfile.TemporaryDirectory(dir=given.directory) as directory:
            asyncio.run(run(Path(directory) / "hub.db", devices, given.in_flight, given.seconds))


if __name__ == "__main__":
    main()
