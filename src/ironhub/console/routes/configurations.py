"""Automatic configurations: create, list, show, change, try, delete; and content written to one device."""

from typing import Final

from fastapi import APIRouter, Response

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import IfMatch, router
from ironhub.console.shapes.configurations import (
    ConfigurationChange,
    ConfigurationGiven,
    ConfigurationList,
    ContentTaken,
    NewConfiguration,
    VerdictsGiven,
    WordsTaken,
)
from ironhub.core.ids import identity
from ironhub.dialects.azure.if_match import decode_if_match
from ironhub.registry.model import DeviceNotFound, TooManyModules
from ironhub.twins.configurations.errors import (
    ConfigurationContentImmutable,
    ConfigurationContentInvalid,
    ConfigurationEtagMismatch,
    ConfigurationExists,
    ConfigurationInvalid,
    ConfigurationMetricInvalid,
    ConfigurationNotFound,
    ConfigurationTargetInvalid,
    TooManyConfigurations,
)
from ironhub.twins.model import TwinInvalid, TwinNotFound

routes: Final[APIRouter] = router(
    "",
    "configurations",
    ConfigurationContentImmutable,
    ConfigurationContentInvalid,
    ConfigurationEtagMismatch,
    ConfigurationExists,
    ConfigurationInvalid,
    ConfigurationMetricInvalid,
    ConfigurationNotFound,
    ConfigurationTargetInvalid,
    TooManyConfigurations,
    DeviceNotFound,
    TooManyModules,
    TwinInvalid,
    TwinNotFound,
)


@routes.get("/configurations")
async def list_configurations(caller: Authenticated) -> ConfigurationList:
    """Return all configurations with their newest results."""
    found = await caller.services.configurations.list(caller.may(Permission.CONFIGURATION_READ))
    return ConfigurationList(configurations=tuple(ConfigurationGiven.of(each) for each in found))


@routes.post("/configurations", status_code=201)
async def create_configuration(caller: Authenticated, new: NewConfiguration) -> ConfigurationGiven:
    """Create a configuration; the twins it is for follow in the background."""
    grant = caller.may(Permission.CONFIGURATION_WRITE)
    made = await caller.services.configurations.put(grant, new.id, new.draft(), if_match=None)
    return ConfigurationGiven.of(made)


@routes.post("/configuration-test")
async def test_configuration(caller: Authenticated, words: WordsTaken) -> VerdictsGiven:
    """Say what is wrong with a condition and with metrics, without storing anything."""
    grant = caller.may(Permission.CONFIGURATION_READ)
    return VerdictsGiven.of(await caller.services.configurations.test(grant, words.target, words.metrics))


@routes.get("/configurations/{configuration_id}")
async def read_configuration(caller: Authenticated, configuration_id: str) -> ConfigurationGiven:
    """Return one configuration with its newest results."""
    grant = caller.may(Permission.CONFIGURATION_READ)
    return ConfigurationGiven.of(await caller.services.configurations.get(grant, configuration_id))


@routes.patch("/configurations/{configuration_id}")
async def update_configuration(
    caller: Authenticated, configuration_id: str, change: ConfigurationChange, if_match: IfMatch = None
) -> ConfigurationGiven:
    """Change everything but the content; the twins follow in the background."""
    grant = caller.may(Permission.CONFIGURATION_WRITE)
    etag = decode_if_match(if_match) or "*"
    changed = await caller.services.configurations.put(grant, configuration_id, change.draft(), if_match=etag)
    return ConfigurationGiven.of(changed)


@routes.delete("/configurations/{configuration_id}", status_code=204)
async def delete_configuration(caller: Authenticated, configuration_id: str, if_match: IfMatch = None) -> Response:
    """Delete it; what it wrote stays until another one applies."""
    grant = caller.may(Permission.CONFIGURATION_WRITE)
    await caller.services.configurations.delete(grant, configuration_id, if_match=decode_if_match(if_match))
    return Response(status_code=204)


@routes.post("/devices/{device_id}/content", status_code=204)
async def apply_content(caller: Authenticated, device_id: str, content: ContentTaken) -> Response:
    """Write content to one device and its modules, once and now."""
    grant = caller.may(Permission.CONFIGURATION_WRITE, identity(device_id))
    await caller.services.configurations.apply(grant, content.contents())
    return Response(status_code=204)
