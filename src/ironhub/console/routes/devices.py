"""Devices: create, read, change, delete."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import IfMatch, WithKeys, router
from ironhub.console.shapes.identities import DeviceChange, DeviceGiven, DevicePage, NewDevice
from ironhub.core.ids import identity
from ironhub.dialects.azure.if_match import decode_if_match
from ironhub.registry.model import DeviceExists, DeviceNotFound, EtagMismatch
from ironhub.registry.service import MAX_PAGE

routes: Final[APIRouter] = router("/devices", "devices", DeviceNotFound, DeviceExists, EtagMismatch)

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


@routes.get("")
async def list_devices(caller: Authenticated, after: str | None = None, limit: Limit = 100) -> DevicePage:
    """Return a page of devices, ordered by id."""
    grant = caller.may(Permission.REGISTRY_READ)
    page = await caller.services.registry.list_devices(grant, after=after, limit=limit)
    return DevicePage(devices=tuple(DeviceGiven.of(device) for device in page.items), after=page.after)


@routes.post("", status_code=201)
async def create_device(caller: Authenticated, new: NewDevice, keys: WithKeys = False) -> DeviceGiven:
    """Create a device; without `auth` it gets two new keys."""
    grant = caller.may(Permission.REGISTRY_WRITE, identity(new.device_id))
    device = await caller.services.registry.put_device(grant, new.draft(), if_match=None)
    return DeviceGiven.of(device, with_keys=keys)


@routes.get("/{device_id}")
async def read_device(caller: Authenticated, device_id: str, keys: WithKeys = False) -> DeviceGiven:
    """Return one device."""
    grant = caller.may(Permission.REGISTRY_READ, identity(device_id))
    return DeviceGiven.of(await caller.services.registry.get_device(grant), with_keys=keys)


@routes.patch("/{device_id}")
async def change_device(
    caller: Authenticated, device_id: str, change: DeviceChange, if_match: IfMatch = None, keys: WithKeys = False
) -> DeviceGiven:
    """Change what is given and leave the rest; sessions that rest on what was taken away end at once."""
    grant = caller.may(Permission.REGISTRY_WRITE, identity(device_id))
    etag = decode_if_match(if_match) or "*"
    device = await caller.services.registry.put_device(grant, change.draft(), if_match=etag)
    return DeviceGiven.of(device, with_keys=keys)


@routes.delete("/{device_id}", status_code=204)
async def delete_device(caller: Authenticated, device_id: str, if_match: IfMatch = None) -> Response:
    """Delete the device with its modules, twins, commands and sessions."""
    grant = caller.may(Permission.REGISTRY_WRITE, identity(device_id))
    await caller.services.registry.delete_device(grant, if_match=decode_if_match(if_match))
    return Response(status_code=204)
