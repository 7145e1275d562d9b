"""Twins of devices and modules: read, merge, replace."""

from typing import Final

from fastapi import APIRouter

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import IfMatch, router
from ironhub.console.shapes.messaging import TwinChange, TwinGiven
from ironhub.core.ids import identity
from ironhub.dialects.azure.if_match import decode_if_match
from ironhub.twins.model import ModuleTwinNotFound, TwinInvalid, TwinNotFound, TwinVersionConflict

routes: Final[APIRouter] = router(
    "/twins/{device_id}", "twins", TwinNotFound, ModuleTwinNotFound, TwinInvalid, TwinVersionConflict
)


@routes.get("")
async def read_twin(caller: Authenticated, device_id: str, module: str | None = None) -> TwinGiven:
    """Return the twin of a device, or of its module."""
    grant = caller.may(Permission.TWIN_READ, identity(device_id, module))
    return TwinGiven.of(await caller.services.twins.read(grant))


@routes.patch("")
async def update_twin(
    caller: Authenticated, device_id: str, change: TwinChange, module: str | None = None, if_match: IfMatch = None
) -> TwinGiven:
    """Merge tags and desired properties; null removes the property it stands for. A connected device is told."""
    grant = caller.may(Permission.TWIN_WRITE, identity(device_id, module))
    etag = decode_if_match(if_match)
    twin = await caller.services.twins.update(grant, tags=change.tags, desired=change.desired, if_match=etag)
    return TwinGiven.of(twin)


@routes.put("")
async def replace_twin(
    caller: Authenticated, device_id: str, change: TwinChange, module: str | None = None, if_match: IfMatch = None
) -> TwinGiven:
    """Make tags and desired properties exactly what is given; what is left out becomes empty."""
    grant = caller.may(Permission.TWIN_WRITE, identity(device_id, module))
    etag = decode_if_match(if_match)
    twin = await caller.services.twins.replace(grant, tags=change.tags, desired=change.desired, if_match=etag)
    return TwinGiven.of(twin)
