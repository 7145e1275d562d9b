"""Devices and modules as rows of `identities`, and back."""

import json
from typing import Final

from sqlalchemy import ScalarSelect, func, select

from ironhub.core.ids import DeviceId, Identity, ModuleId
from ironhub.core.sealing import Sealer
from ironhub.identity.model import CredentialKind, Credentials, KnownIdentity, Thumbprints
from ironhub.registry.model import Device, DeviceStatus, Module, Presence
from ironhub.storage.sqlite.rows import identity_context, json_text, open_keys, reading, seal_keys
from ironhub.storage.sqlite.statements import Values, ids_of
from ironhub.storage.sqlite.tables import COMMANDS, IDENTITIES, Row

_PENDING: Final[ScalarSelect[int]] = (
    select(func.count())
    .select_from(COMMANDS)
    .where(COMMANDS.c.device_id == IDENTITIES.c.device_id, COMMANDS.c.module_id == IDENTITIES.c.module_id)
    .scalar_subquery()
)
COLUMNS: Final = (*IDENTITIES.columns, _PENDING)
"""What `device_of` and `module_of` take."""
UNSEEN: Final[Values] = {"connected": 0, "presence_changed_at": None, "last_activity_at": None, "model_id": None}
"""The presence of who was just created."""


def device_values(device: Device, sealer: Sealer) -> Values:
    """All columns but those of the presence."""
    return {
        **ids_of(device.identity),
        **_credential_values(device.identity, device.credentials, sealer),
        "generation_id": device.generation_id,
        "etag": device.etag,
        "created_at": device.created_at,
        "status": device.status.value,
        "status_reason": device.status_reason,
        "status_changed_at": device.status_changed_at,
        "edge_capable": int(device.edge_capable),
        "scope": device.scope,
        "parent_scopes": json_text(device.parent_scopes),
        "managed_by": None,
    }


def module_values(module: Module, sealer: Sealer) -> Values:
    """All columns but those of the presence; those that only a device has get what stands for nothing."""
    return {
        **ids_of(module.identity),
        **_credential_values(module.identity, module.credentials, sealer),
        "generation_id": module.generation_id,
        "etag": module.etag,
        "created_at": module.created_at,
        "status": DeviceStatus.ENABLED.value,
        "status_reason": None,
        "status_changed_at": None,
        "edge_capable": 0,
        "scope": None,
        "parent_scopes": "[]",
        "managed_by": module.managed_by,
    }


def device_of(row: Row, sealer: Sealer) -> Device:
    """The device in a row of COLUMNS. Raises CorruptStore."""
    device_id = DeviceId(row[0])
    with reading(f"device {device_id}"):
        return Device(
            device_id,
            generation_id=row[2],
            etag=row[3],
            credentials=_credentials(Identity(device_id), row[4:8], sealer),
            created_at=row[8],
            status=DeviceStatus(row[9]),
            status_reason=row[10],
            status_changed_at=row[11],
            edge_capable=bool(row[12]),
            scope=row[13],
            parent_scopes=tuple(json.loads(row[14])),
            presence=Presence(bool(row[16]), row[17], row[18], row[19] or ""),
            pending_commands=row[20],
        )


def module_of(row: Row, sealer: Sealer) -> Module:
    """The module in a row of COLUMNS. Raises CorruptStore."""
    identity = Identity(DeviceId(row[0]), ModuleId(row[1]))
    with reading(f"module {identity}"):
        return Module(
            identity.device_id,
            ModuleId(row[1]),
            generation_id=row[2],
            etag=row[3],
            credentials=_credentials(identity, row[4:8], sealer),
            created_at=row[8],
            managed_by=row[15],
            presence=Presence(bool(row[16]), row[17], row[18], row[19] or ""),
            pending_commands=row[20],
        )


def known_of(identity: Identity, row: Row, sealer: Sealer) -> KnownIdentity:
    """What the gate needs, from (generation_id, status, and the four columns of a credential). Raises CorruptStore."""
    generation_id, status, *credential = row
    with reading(f"identity {identity}"):
        enabled = DeviceStatus(status) is DeviceStatus.ENABLED
        return KnownIdentity(identity, generation_id, enabled, _credentials(identity, tuple(credential), sealer))


def _credential_values(identity: Identity, credentials: Credentials, sealer: Sealer) -> Values:
    keys, thumbprints = credentials.keys, credentials.thumbprints or Thumbprints(None, None)
    return {
        "credential_kind": credentials.kind.value,
        "sealed_keys": None if keys is None else seal_keys(sealer, keys, identity_context(identity)),
        "primary_thumbprint": thumbprints.primary,
        "secondary_thumbprint": thumbprints.secondary,
    }


def _credentials(identity: Identity, row: Row, sealer: Sealer) -> Credentials:
    kind_text, sealed, primary, secondary = row
    kind = CredentialKind(kind_text)
    keys = None if sealed is None else open_keys(sealer, sealed, identity_context(identity))
    return Credentials(kind, keys, Thumbprints(primary, secondary) if kind is CredentialKind.SELF_SIGNED else None)
