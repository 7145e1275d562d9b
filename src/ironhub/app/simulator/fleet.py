"""The simulated devices in the registry: created and tagged, found again, removed; many calls side by side.

What it protects: devices that are not simulated. Only what carries the tag is ever deleted, and no key of a device that
does not carry it is used.
"""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ironhub.app.cli.problems import Problem

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
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404


async def keys_of(hub: "AdminClient", ids: Sequence[str], *, register: bool, tags: dict[str, Any]) -> dict[str, bytes]:
    """Return the key of each device; those that are not there are created when `register`, with these tags.

    Raises:
        Problem: a device is missing, or is there and is not a simulated one.
    """

    async def key_of(device_id: str) -> tuple[str, bytes]:
        device = await _device(hub, device_id, tags, register=register)
        keys = device["auth"].get("keys")
        if keys is None:
            step = "Delete it, or make it one with keys: ironhub device update ID --auth sas."
            raise Problem("simulate.no_key", f"{device_id} is registered without keys", step)
        return device_id, b64decode(keys["primary"])

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


async def remove(hub: "AdminClient", ids: Sequence[str]) -> int:
    """Delete these devices; returns how many there were."""

    async def delete(device_id: str) -> bool:
        try:
            await hub.send("DELETE", "devices", device_id)
        except Problem as problem:
            if problem.status != _NOT_FOUND:
                raise
            return False
        return True

    return sum(await _each(delete, ids))


async def _device(hub: "AdminClient", device_id: str, tags: dict[str, Any], *, register: bool) -> dict[str, Any]:
    """Return the device with its keys."""
    if register:
        try:
            created: dict[str, Any] = await hub.send(
                "POST", "devices", body={"device_id": device_id, "auth": {"kind": "sas"}}, keys=True
            )
        except Problem as problem:
            if problem.status != _CONFLICT:
                raise
        else:
            await hub.send("PATCH", "twins", device_id, body={"tags": TAGS | tags})
            return created
    if not await _is_simulated(hub, device_id):
        step = f"""Give it the tag: ironhub twin update {device_id} --tags '{{"simulated": true}}'"""
        raise Problem("simulate.not_simulated", f"{device_id} is registered and is not tagged as simulated", step)
    found: dict[str, Any] = await hub.get("devices", device_id, keys=True)
    return found


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
