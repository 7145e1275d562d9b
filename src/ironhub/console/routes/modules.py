"""Modules: create, read, change, delete."""

from typing import Final

from fastapi import APIRouter, Response

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import IfMatch, WithKeys, router
from ironhub.console.shapes.identities import ModuleChange, ModuleGiven, ModuleList, NewModule
from ironhub.core.ids import identity
from ironhub.dialects.azure.if_match import decode_if_match
from ironhub.registry.model import DeviceNotFound, EtagMismatch, ModuleExists, ModuleNotFound, TooManyModules

routes: Final[APIRouter] = router(
    "/devices/{device_id}/modules",
    "modules",
    DeviceNotFound,
    ModuleNotFound,
    ModuleExists,
    TooManyModules,
    EtagMismatch,
)


@routes.get("")
async def list_modules(caller: Authenticated, device_id: str) -> ModuleList:
    """Return all modules of the device, ordered by id."""
    grant = caller.may(Permission.REGISTRY_READ, identity(device_id))
    modules = await caller.services.registry.list_modules(grant)
    return ModuleList(modules=tuple(ModuleGiven.of(module) for module in modules))


@routes.post("", status_code=201)
async def create_module(caller: Authenticated, device_id: str, new: NewModule, keys: WithKeys = False) -> ModuleGiven:
    """Create a module; without `auth` it gets two new keys."""
    grant = caller.may(Permission.REGISTRY_WRITE, identity(device_id, new.module_id))
    module = await caller.services.registry.put_module(grant, new.draft(), if_match=None)
    return ModuleGiven.of(module, with_keys=keys)


@routes.get("/{module_id}")
async def read_module(caller: Authenticated, device_id: str, module_id: str, keys: WithKeys = False) -> ModuleGiven:
    """Return one module."""
    grant = caller.may(Permission.REGISTRY_READ, identity(device_id, module_id))
    return ModuleGiven.of(await caller.services.registry.get_module(grant), with_keys=keys)


@routes.patch("/{module_id}")
async def change_module(
    caller: Authenticated,
    device_id: str,
    module_id: str,
    change: ModuleChange,
    if_match: IfMatch = None,
    keys: WithKeys = False,
) -> ModuleGiven:
    """Change what is given and leave the rest."""
    grant = caller.may(Permission.REGISTRY_WRITE, identity(device_id, module_id))
    etag = decode_if_match(if_match) or "*"
    module = await caller.services.registry.put_module(grant, change.draft(), if_match=etag)
    return ModuleGiven.of(module, with_keys=keys)


@routes.delete("/{module_id}", status_code=204)
async def delete_module(caller: Authenticated, device_id: str, module_id: str, if_match: IfMatch = None) -> Response:
    """Delete the module with its twin, commands and sessions."""
    grant = caller.may(Permission.REGISTRY_WRITE, identity(device_id, module_id))
    await caller.services.registry.delete_module(grant, if_match=decode_if_match(if_match))
    return Response(status_code=204)
