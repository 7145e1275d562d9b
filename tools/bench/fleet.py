"""A data directory with registered devices, made by the product's own code, before the hub is started on it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from tools.bench.credentials import SAS_KEY, BenchDevice, Kind, Pair, make_devices, signed_by

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.access.service import authorise
from ironhub.app.hub import Hub, open_hub
from ironhub.app.settings import Settings
from ironhub.app.system import SystemClock, SystemEntropy
from ironhub.core.ids import DeviceId
from ironhub.core.sealing import MasterKey, Sealer
from ironhub.identity.gate import trust_local_operator
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints
from ironhub.registry.model import Device
from ironhub.storage.keys import open_sealer
from ironhub.storage.sqlite.device_rows import UNSEEN, device_values
from ironhub.storage.sqlite.device_statements import INSERT
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.transaction import Transaction

OWNER: Final = "iothubowner"
AT_ONCE: Final = 20_000
"""Rows of one transaction."""
KINDS: Final = (Kind.THUMBPRINT, Kind.AUTHORITY, Kind.SAS)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The devices of one data directory that the load generator may be, by kind; there may be others beside them."""

    directory: Path
    registered: int
    devices: dict[Kind, list[BenchDevice]]
    owner_key: bytes
    """Of the policy that may do everything."""


def ids_among(registered: int, per_kind: int) -> dict[Kind, list[str]]:
    """Return ids for `per_kind` devices of each kind, spread evenly over the ids of all `registered` devices."""
    step = registered // (per_kind * len(KINDS))
    return {
        kind: [name_of(position * step) for position in range(place, per_kind * len(KINDS), len(KINDS))]
        for place, kind in enumerate(KINDS)
    }


def name_of(number: int) -> str:
    """Return the id of the number-th device."""
    return f"device-{number:07}"


def make_fleet(
    directory: Path, names: Sequence[str], authority: Pair, registered: int, per_kind: int, partitions: int
) -> Fleet:
    """Create `directory` with `registered` devices, `per_kind` of each kind to be used; the others have SAS keys.

    Args:
        names: what the hub will answer to.
        authority: registered and proven by the code that does it for operators.
        partitions: of the event log.
    """
    settings = Settings(data=directory, hostname=tuple(names), partitions=partitions)
    ids = ids_among(registered, per_kind)
    devices = {kind: make_devices(kind, ids[kind], authority) for kind in KINDS}
    filling = _fill(settings, authority, registered, [d for kind in KINDS for d in devices[kind]])
    return Fleet(directory, registered, devices, asyncio.run(filling))


async def _fill(settings: Settings, authority: Pair, registered: int, used: Sequence[BenchDevice]) -> bytes:
    async with open_hub(settings, clock=SystemClock(), entropy=SystemEntropy()) as hub:
        await _register_authority(hub, authority)
        await _register_devices(hub, registered, {device.device_id: device for device in used})
        grant = authorise(trust_local_operator(), Permission.POLICY_READ, WHOLE_HUB)
        return (await hub.policies.get(grant, OWNER)).keys.primary


async def _register_authority(hub: Hub, authority: Pair) -> None:
    grant = authorise(trust_local_operator(), Permission.AUTHORITY_WRITE, WHOLE_HUB)
    registered = await hub.authorities.register(grant, "bench", authority.pem)
    proof = signed_by(authority, registered.verification_code)
    await hub.authorities.verify(grant, "bench", proof.pem)


async def _register_devices(hub: Hub, registered: int, used: dict[str, BenchDevice]) -> None:
    """The rows that the device store writes, many in a transaction: one by one, a million take a quarter of an hour."""
    sealer = await _sealer(hub)
    rows = (device_values(device, sealer) | UNSEEN for device in _devices(hub, registered, used))
    while batch := list(islice(rows, AT_ONCE)):
        await hub.database.write(partial(_insert, batch))


def _insert(batch: Sequence[Values], tx: Transaction) -> int:
    return tx.change_each(INSERT, batch)


async def _sealer(hub: Hub) -> Sealer:
    return await open_sealer(hub.database, MasterKey(hub.directory.master_key(), hub.entropy), hub.entropy)


def _devices(hub: Hub, registered: int, used: dict[str, BenchDevice]) -> Iterator[Device]:
    now = hub.clock.now()
    for number in range(registered):
        name = name_of(number)
        yield Device(
            DeviceId(name),
            generation_id=f"{int(now * 1000):013d}{number % 65_536:05d}",
            etag=hub.entropy.token_bytes(9).hex(),
            credentials=credentials_of(used.get(name)),
            created_at=now,
        )


def credentials_of(device: BenchDevice | None) -> Credentials:
    """Return what is registered of a device; None: one that is only there, with SAS keys."""
    if device is None or device.pair is None:
        return Credentials(CredentialKind.SAS, keys=SymmetricKeys(SAS_KEY, SAS_KEY))
    if device.kind is Kind.AUTHORITY:
        return Credentials(CredentialKind.CERTIFICATE_AUTHORITY)
    return Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(device.pair.thumbprint, None))
