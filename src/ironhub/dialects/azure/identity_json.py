"""Devices and modules as the identity registry's REST API shows and takes them.

Source: azure "Understand the identity registry", REST reference of IoT Hub service. Empty keys mean "keep or generate":
the Node SDK sends them with every create and update that names none.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any, ClassVar, Final

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.strict_json import decode_json_object
from ironhub.dialects.azure.timestamps import instant_or_never
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints
from ironhub.registry.model import Device, DeviceDraft, DeviceStatus, Module, ModuleDraft, Presence

AUTHENTICATION_TYPES: Final = {
    CredentialKind.SAS: "sas",
    CredentialKind.SELF_SIGNED: "selfSigned",
    CredentialKind.CERTIFICATE_AUTHORITY: "certificateAuthority",
    CredentialKind.NONE: "none",
}
_KINDS: Final = {name.lower(): kind for kind, name in AUTHENTICATION_TYPES.items()}
_THUMBPRINT: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_BETWEEN_HEX: Final = str.maketrans("", "", " :-\t\u200e")
MIN_KEY, MAX_KEY = 16, 64
"""Bytes of a symmetric key."""


class IdMismatch(HubError):
    """The body is about another device or module than the address."""

    code: ClassVar[str] = "identity.mismatch"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Use the same id in the address and in the body; ids are case-sensitive."


def decode_device(data: bytes, device_id: DeviceId) -> DeviceDraft:
    """Return what the body of a PUT wants `device_id` to be.

    Raises:
        JsonInvalid, InvalidArgument: a field is of the wrong kind; IdMismatch.
    """
    body = decode_json_object(data)
    _must_be(body, "deviceId", device_id)
    return device_draft(body)


def device_draft(body: dict[str, Any]) -> DeviceDraft:
    """Return what an object that describes a device wants of it. Raises InvalidArgument."""
    capabilities = _typed(body, "capabilities", dict) or {}
    scopes = _typed(body, "parentScopes", list)
    if scopes is not None and not all(isinstance(scope, str) for scope in scopes):
        raise InvalidArgument("parentScopes must be a list of texts")
    return DeviceDraft(
        status=_status(_typed(body, "status", str)),
        status_reason=_typed(body, "statusReason", str),
        credentials=decode_credentials(_typed(body, "authentication", dict)),
        edge_capable=_typed(capabilities, "iotEdge", bool),
        scope=_typed(body, "deviceScope", str),
        parent_scopes=None if scopes is None else tuple(scopes),
    )


def decode_module(data: bytes, identity: Identity) -> ModuleDraft:
    """Return what the body of a PUT wants a module to be. Raises as decode_device."""
    body = decode_json_object(data)
    _must_be(body, "deviceId", identity.device_id)
    _must_be(body, "moduleId", identity.module_id)
    return module_draft(body)


def module_draft(body: dict[str, Any]) -> ModuleDraft:
    """Return what an object that describes a module wants of it. Raises InvalidArgument."""
    return ModuleDraft(
        credentials=decode_credentials(_typed(body, "authentication", dict)),
        managed_by=_typed(body, "managedBy", str),
    )


def decode_credentials(given: dict[str, Any] | None) -> Credentials | None:
    """Return what an `authentication` object wants, None for nothing said. Raises InvalidArgument."""
    if given is None:
        return None
    keys = _keys(_typed(given, "symmetricKey", dict) or {})
    thumbprints = _thumbprints(_typed(given, "x509Thumbprint", dict) or {})
    name = _typed(given, "type", str)
    if name is None:
        kind = CredentialKind.SELF_SIGNED if thumbprints else CredentialKind.SAS if keys else None
        if kind is None:
            return None
    elif name.lower() in _KINDS:
        kind = _KINDS[name.lower()]
    else:
        raise InvalidArgument(f"authentication.type must be one of {', '.join(AUTHENTICATION_TYPES.values())}")
    if kind is CredentialKind.SELF_SIGNED and thumbprints is None:
        raise InvalidArgument("authentication.type selfSigned needs a thumbprint")
    return Credentials(
        kind,
        keys=keys if kind is CredentialKind.SAS else None,
        thumbprints=thumbprints if kind is CredentialKind.SELF_SIGNED else None,
    )


def encode_device(device: Device) -> dict[str, Any]:
    """Return the device with its keys: only for whoever may read the registry."""
    shown: dict[str, Any] = {
        "deviceId": device.device_id,
        "generationId": device.generation_id,
        "etag": device.etag,
        **encode_presence(device.presence),
        "status": device.status.value,
        "statusReason": device.status_reason or None,
        "statusUpdatedTime": instant_or_never(device.status_changed_at),
        "cloudToDeviceMessageCount": device.pending_commands,
        "authentication": encode_credentials(device.credentials),
        "capabilities": {"iotEdge": device.edge_capable},
        "parentScopes": list(device.parent_scopes),
    }
    return shown if device.scope is None else {**shown, "deviceScope": device.scope}


def encode_module(module: Module) -> dict[str, Any]:
    """Return the module with its keys: only for whoever may read the registry."""
    return {
        "moduleId": module.module_id,
        "managedBy": module.managed_by,
        "deviceId": module.device_id,
        "generationId": module.generation_id,
        "etag": module.etag,
        **encode_presence(module.presence),
        "cloudToDeviceMessageCount": module.pending_commands,
        "authentication": encode_credentials(module.credentials),
    }


def encode_presence(presence: Presence) -> dict[str, Any]:
    """Return whether and when it was connected, in the registry's form."""
    return {
        "connectionState": connection_state(presence),
        "connectionStateUpdatedTime": instant_or_never(presence.changed_at),
        "lastActivityTime": instant_or_never(presence.last_activity_at),
    }


def connection_state(presence: Presence) -> str:
    """Return "Connected" or "Disconnected"."""
    return "Connected" if presence.connected else "Disconnected"


def encode_credentials(credentials: Credentials) -> dict[str, Any]:
    """Return an `authentication` object, keys and all."""
    keys = credentials.keys
    return {
        "symmetricKey": {
            "primaryKey": b64encode(keys.primary).decode() if keys else None,
            "secondaryKey": b64encode(keys.secondary).decode() if keys else None,
        },
        "x509Thumbprint": encode_thumbprints(credentials.thumbprints),
        "type": AUTHENTICATION_TYPES[credentials.kind],
    }


def encode_thumbprints(thumbprints: Thumbprints | None) -> dict[str, str | None]:
    """Return both slots. Stored in one form (lower case), shown in the vendor's (upper case, as Windows prints them):
    scripts compare the text they read with what their certificate store shows."""
    primary, secondary = thumbprints or (None, None)
    return {
        "primaryThumbprint": primary.upper() if primary else None,
        "secondaryThumbprint": secondary.upper() if secondary else None,
    }


def _must_be(body: dict[str, Any], name: str, wanted: str | None) -> None:
    if _typed(body, name, str) not in {None, wanted}:
        raise IdMismatch(f"{name} in the body is not the id in the address")


def _typed(body: dict[str, Any], name: str, kind: type) -> Any:
    """The value, None for null or absent; `kind` is one that JSON has. Raises InvalidArgument."""
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidArgument(f"{name} has the wrong kind of value")
    return value


def _status(name: str | None) -> DeviceStatus | None:
    if name is None:
        return None
    try:
        return DeviceStatus(name.lower())
    except ValueError as error:
        raise InvalidArgument("status must be enabled or disabled") from error


def _keys(given: dict[str, Any]) -> SymmetricKeys | None:
    primary, secondary = _typed(given, "primaryKey", str), _typed(given, "secondaryKey", str)
    if not primary and not secondary:
        return None
    if not primary or not secondary:
        raise InvalidArgument("give both symmetric keys or none")
    return SymmetricKeys(_key(primary), _key(secondary))


def _key(text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        key = b""
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise InvalidArgument(f"a symmetric key is base64 of {MIN_KEY} to {MAX_KEY} bytes")  # never shows the key
    return key


def _thumbprints(given: dict[str, Any]) -> Thumbprints | None:
    both = Thumbprints(
        *(_thumbprint(_typed(given, name, str)) for name in ("primaryThumbprint", "secondaryThumbprint"))
    )
    return both if any(both) else None


def _thumbprint(text: str | None) -> str | None:
    """Windows' certificate dialog puts an invisible mark and spaces into what people paste; OpenSSL puts colons."""
    bare = (text or "").translate(_BETWEEN_HEX).lower()
    if not bare:
        return None
    if not _THUMBPRINT.match(bare):
        raise InvalidArgument("a thumbprint is 40 or 64 hexadecimal digits")
    return bare
