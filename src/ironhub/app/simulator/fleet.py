"""The simulated devices in the registry: created and tagged, found again, removed, hundreds in a call.

What it protects: devices that are not simulated. Only what carries the tag is ever deleted, and no key of a device that
does not carry it is used.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from ironhub.app.cli.problems import Problem
from ironhub.core.clock import Entropy

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient

T = TypeVar("T")
R = TypeVar("R")

PREFIX: Final = "sim-"
"""How the ids of simulated devices begin."""
TAGS: Final = {"simulated": True}
AT_ONCE: Final = 32
"""Calls of the admin API that are under way."""
_PAGE: Final = 1000
_BATCH: Final = 500
"""Devices that are created or deleted in one call."""
_KEY_SIZE: Final = 32


async def keys_of(
    hub: "AdminClient", ids: Sequence[str], *, register: bool, tags: dict[str, Any], entropy: Entropy
) -> dict[str, bytes]:
    """Return the key of each device; those that are not there are created when `register`, with these tags.

    Raises:
        Problem: a device is missing, or is there and is not a simulated one.
    """
    made = await _created(hub, ids, TAGS | tags, entropy) if register else {}

    async def key_of(device_id: str) -> tuple[str, bytes]:
        return device_id, made[device_id] if device_id in made else await _key(hub, device_id)

    return dict(await _each(key_of, ids))


async def simulated(hub: "AdminClient") -> list[str]:
    """Return the ids of all devices that are tagged as simulated, whoever started them."""
    candidates: list[str] = []
    after: str | None = PREFIX[:-1]
    while after is not None:
        page = await hub.get("devices", after=after, limit=_PAGE)
        ids = [device["device_id"] for device in page["devices"]]
        candidates += [device_id for device_id in ids if device_id.startswith(PREFIX)]
        after = page["after"] if ids and ids[-1] < PREFIX[:-1] + chr(ord("-") + 1) else None

    async def tagged(device_id: str) -> str | None:
        return device_id if await _is_simulated(hub, device_id) else None

    return [device_id for device_id in await _each(tagged, candidates) if device_id is not None]


async def remove(hub: "AdminClient", ids: Sequence[str], entropy: Entropy) -> int:
    """Delete these devices; returns how many there were."""
    rows = [{"device_id": device_id, "mode": "delete"} for device_id in ids]
    return len(ids) - len(await _imported(hub, rows, "device.not_found", entropy))


async def _created(hub: "AdminClient", ids: Sequence[str], tags: dict[str, Any], entropy: Entropy) -> dict[str, bytes]:
    """Create those that are not there yet; returns their keys."""
    keys = {device_id: (entropy.token_bytes(_KEY_SIZE), entropy.token_bytes(_KEY_SIZE)) for device_id in ids}
    rows = [
        {"device_id": device_id, "mode": "create", "tags": tags, "auth": {"kind": "sas", "keys": _shown(pair)}}
        for device_id, pair in keys.items()
    ]
    there = await _imported(hub, rows, "device.exists", entropy)
    return {device_id: primary for device_id, (primary, _) in keys.items() if device_id not in there}


def _shown(pair: tuple[bytes, bytes]) -> dict[str, str]:
    return dict(zip(("primary", "secondary"), (b64encode(key).decode() for key in pair), strict=True))


async def _imported(
    hub: "AdminClient", rows: Sequence[dict[str, Any]], tolerated: str, entropy: Entropy
) -> frozenset[str]:
    """Do all rows in batches; returns the ids of those that failed with the `tolerated` code. Raises Problem."""
    name, failed = entropy.uuid(), set()
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        body = b"\n".join(msgspec.json.encode(row) for row in batch)
        answer = await hub.send("POST", "imports", name, "lines", body=body, position=start + len(batch))
        for failure in answer["failures"]:
            if failure["code"] != tolerated:
                raise Problem(failure["code"], failure["message"], failure["next_step"])
            failed.add(failure["device_id"])
    if rows:
        await hub.send("DELETE", "imports", name)
    return frozenset(failed)


async def _key(hub: "AdminClient", device_id: str) -> bytes:
    """Return the key of a device that is there."""
    if not await _is_simulated(hub, device_id):
        step = f"""Give it the tag: ironhub twin update {device_id} --tags '{{"simulated": true}}'"""
        raise Problem("simulate.not_simulated", f"{device_id} is registered and is not tagged as simulated", step)
    device = await hub.get("devices", device_id, keys=True)
    keys = device["auth"].get("keys")
    if keys is None:
        step = "Delete it, or make it one with keys: ironhub device update ID --auth sas."
        raise Problem("simulate.no_key", f"{device_id} is registered without keys", step)
    return b64decode(keys["primary"])


async def _is_simulated(hub: "AdminClient", device_id: str) -> bool:
    twin = await hub.get("twins", device_id)
    return bool(twin["tags"].get("simulated") is True)


async def _each(call: Callable[[T], Awaitable[R]], items: Sequence[T]) -> list[R]:
    """Return what `call` makes of each, in order, AT_ONCE at a time; the first that fails ends all."""
    results: dict[int, R] = {}
    waiting = iter(enumerate(items))

    async def work() -> None:
        for place, item in waiting:
            results[place] = await call(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(items))):
                group.create_task(work())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [results[place] for place in range(len(items))]
