"""The hub itself: status, the certificate to trust, connection strings, backup."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from ironhub.access.model import Grant, Permission
from ironhub.access.policies import PolicyNotFound
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes import ConnectionStringGiven, Given
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import identity
from ironhub.dialects.azure.connection_string import (
    device_connection_string,
    events_connection_string,
    policy_connection_string,
)
from ironhub.identity.model import Credentials, Right
from ironhub.registry.model import DeviceNotFound, ModuleNotFound

routes: Final[APIRouter] = router("", "hub", PolicyNotFound, DeviceNotFound, ModuleNotFound)

EVENTS_POLICY: Final = "service"
"""The policy whose key reads telemetry and can do the least besides."""
_PIECE: Final = 1 << 18


class CertificateGiven(Given):
    """The certificate that clients must trust, PEM."""

    pem: str


@routes.get("/status")
async def read_status(caller: Authenticated) -> dict[str, object]:
    """Return what the hub says of itself."""
    grant = caller.may(Permission.REGISTRY_READ)
    devices, enabled = await caller.services.registry.count(grant)
    counts = {"devices": devices, "devices_enabled": enabled, "connected": len(caller.services.sessions)}
    return {**caller.services.status(), "hostnames": list(caller.services.hub_names), **counts}


@routes.get("/ca")
async def read_ca(caller: Authenticated) -> CertificateGiven:
    """Return the certificate that clients must trust."""
    return CertificateGiven(pem=caller.services.ca_pem)


@routes.get("/connection-string")
async def read_connection_string(
    caller: Authenticated,
    policy: str | None = None,
    device: str | None = None,
    module: str | None = None,
    events: bool = False,
    host: str | None = None,
) -> ConnectionStringGiven:
    """Return the connection string of one policy, of one device or module, or of the stream of telemetry.

    The one of the stream stands for the policy "service", or for another one that may read it.
    """
    if [policy is not None or events, device is not None].count(True) != 1 or (module is not None and device is None):
        raise InvalidArgument("give a policy, events with or without a policy, or a device with or without a module")
    name = host or caller.services.hub_names[0]
    if device is not None:
        return ConnectionStringGiven(connection_string=await _of_device(caller, name, device, module))
    found = await caller.services.policies.get(caller.may(Permission.POLICY_READ), policy or EVENTS_POLICY)
    key = found.keys.primary
    if events:
        if Right.SERVICE_CONNECT not in found.rights:
            raise InvalidArgument(f"the policy {found.name} may not read telemetry: it has no right ServiceConnect")
        return ConnectionStringGiven(connection_string=events_connection_string(name, found.name, key))
    return ConnectionStringGiven(connection_string=policy_connection_string(name, found.name, key))


@routes.post("/backup", response_class=StreamingResponse)
async def back_up(caller: Authenticated) -> StreamingResponse:
    """Return an archive of the data directory, consistent at one instant. It holds every secret of the hub."""
    caller.may(Permission.HUB_BACKUP)
    scratch = tempfile.TemporaryDirectory(prefix=".backup-", dir=caller.services.scratch)
    archive = Path(scratch.name) / "backup"
    try:
        await caller.services.backup(archive)
    except BaseException:
        scratch.cleanup()
        raise
    length = {"Content-Length": str(archive.stat().st_size)}
    return StreamingResponse(_pieces(archive, scratch), media_type="application/octet-stream", headers=length)


async def _pieces(archive: Path, scratch: "tempfile.TemporaryDirectory[str]") -> AsyncIterator[bytes]:
    with scratch, archive.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


async def _of_device(caller: Authenticated, host: str, device: str, module: str | None) -> str:
    who = identity(device, module)
    grant = caller.may(Permission.REGISTRY_READ, who)
    credentials = await _credentials(caller, grant)
    return device_connection_string(host, who, credentials.keys.primary if credentials.keys else None)


async def _credentials(caller: Authenticated, grant: Grant) -> Credentials:
    registry = caller.services.registry
    if grant.identity.module_id is None:
        return (await registry.get_device(grant)).credentials
    return (await registry.get_module(grant)).credentials
