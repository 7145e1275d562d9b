"""Twins as the service REST API shows and takes them.

Source: azure "Understand and use device twins", REST reference of IoT Hub service.
"""

from typing import Any, Final, NamedTuple

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import Identity
from ironhub.core.strict_json import decode_json_object
from ironhub.dialects.azure.identity_json import AUTHENTICATION_TYPES, connection_state, encode_thumbprints
from ironhub.dialects.azure.payloads import MAX_TWIN_DEPTH
from ironhub.dialects.azure.timestamps import instant, instant_or_never
from ironhub.registry.model import Device, DeviceStatus, Module
from ironhub.twins.model import Properties, Section, Twin, etag_of

_SYSTEM_KEYS: Final = frozenset({"$version", "$metadata"})


class TwinWish(NamedTuple):
    """What a back end gives of a twin; None: not given."""

    tags: Properties | None
    desired: Properties | None


def decode_twin_wish(data: bytes) -> TwinWish:
    """Return what the body of a PATCH or PUT wants. Raises JsonInvalid, InvalidArgument.

    What only the hub or the device may write (reported properties, `$version`, `$metadata`) is left aside: SDKs send
    back whole twins as they read them.
    """
    body = decode_json_object(data, max_depth=MAX_TWIN_DEPTH)
    properties = _object(body, "properties") or {}
    desired = _object(properties, "desired")
    if desired is not None:
        desired = {key: value for key, value in desired.items() if key not in _SYSTEM_KEYS}
    return TwinWish(_object(body, "tags"), desired)


def encode_twin(twin: Twin, owner: Device | Module) -> dict[str, Any]:
    """Return the whole twin as back ends see it; `owner` is the device or module it belongs to."""
    shown: dict[str, Any] = {
        **encode_ids(twin.identity),
        "etag": etag_of(twin),
        "deviceEtag": owner.etag,
        **_status(owner),
        "connectionState": connection_state(owner.presence),
        "lastActivityTime": instant_or_never(owner.presence.last_activity_at, zone="Z"),
        "cloudToDeviceMessageCount": owner.pending_commands,
        "authenticationType": AUTHENTICATION_TYPES[owner.credentials.kind],
        "x509Thumbprint": encode_thumbprints(owner.credentials.thumbprints),
        "modelId": owner.presence.model_id,
        "version": twin.version,
        "tags": twin.tags,
        "properties": {"desired": encode_section(twin.desired), "reported": encode_section(twin.reported)},
    }
    if twin.configurations:
        shown["configurations"] = twin.configurations
    if isinstance(owner, Device):
        shown |= {"capabilities": {"iotEdge": owner.edge_capable}, "parentScopes": list(owner.parent_scopes)}
        if owner.scope is not None:
            shown["deviceScope"] = owner.scope
    return shown


def encode_ids(identity: Identity) -> dict[str, str]:
    """Return `deviceId`, and `moduleId` for a module."""
    device = {"deviceId": str(identity.device_id)}
    return device if identity.module_id is None else {**device, "moduleId": str(identity.module_id)}


def encode_section(section: Section) -> dict[str, Any]:
    """Return a section with `$metadata` and `$version`."""
    return {**section.properties, "$metadata": encode_metadata(section.metadata), "$version": section.version}


def encode_metadata(metadata: Properties) -> dict[str, Any]:
    """Return the tree with its instants as text."""
    shown: dict[str, Any] = {}
    for key, value in metadata.items():
        if isinstance(value, dict):
            shown[key] = encode_metadata(value)
        else:
            shown[key] = instant(value) if key == "$lastUpdated" else value
    return shown


def _status(owner: Device | Module) -> dict[str, Any]:
    """A module is enabled when its device is, and has no status of its own."""
    if isinstance(owner, Module):
        return {"status": DeviceStatus.ENABLED.value, "statusUpdateTime": instant_or_never(None, zone="Z")}
    shown = {"status": owner.status.value, "statusUpdateTime": instant_or_never(owner.status_changed_at, zone="Z")}
    return {**shown, "statusReason": owner.status_reason} if owner.status_reason else shown


def _object(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise InvalidArgument(f"{name} must be a JSON object")
    return value
