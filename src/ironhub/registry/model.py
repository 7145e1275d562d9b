"""What the hub knows of a device and of a module, and the rules an operator's wishes must keep."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity, ModuleId
from ironhub.identity.model import CredentialKind, Credentials

MAX_STATUS_REASON = 128
MAX_MODULES_PER_DEVICE = 50
MIN_KEY: Final = 16
MAX_KEY: Final = 64
"""Bytes of a symmetric key."""

_THUMBPRINT: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")


class DeviceStatus(StrEnum):
    """Whether a device may connect. The values are stored."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether it is connected, and when it was last heard of. Instants: seconds since the epoch, None = never."""

    connected: bool = False
    changed_at: float | None = None
    last_activity_at: float | None = None
    model_id: str = ""
    """The plug-and-play model that the newest connection announced, or empty."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device as stored. `etag` changes with every change of identity; `generation_id` when it is created anew."""

    device_id: DeviceId
    generation_id: str
    etag: str
    credentials: Credentials
    created_at: float
    status: DeviceStatus = DeviceStatus.ENABLED
    status_reason: str | None = None
    status_changed_at: float | None = None
    edge_capable: bool = False
    scope: str | None = None
    parent_scopes: tuple[str, ...] = ()
    presence: Presence = Presence()
    pending_commands: int = 0
    """Filled by the store when read; not stored with the device."""

    @property
    def identity(self) -> Identity:
        """The identity of the device itself."""
        return Identity(self.device_id)


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a device as stored; it is enabled when its device is."""

    device_id: DeviceId
    module_id: ModuleId
    generation_id: str
    etag: str
    credentials: Credentials
    created_at: float
    managed_by: str | None = None
    presence: Presence = Presence()
    pending_commands: int = 0

    @property
    def identity(self) -> Identity:
        """The identity of the module."""
        return Identity(self.device_id, self.module_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDraft:
    """What a caller wants a device to be. None: keep what is stored, or the default for a new one.

    Empty `keys` in SAS `credentials` (None) mean: keep the stored keys, or generate some for a new device.
    `status_reason` alone is not kept: it explains the status, and whoever changes the device says it again.
    """

    status: DeviceStatus | None = None
    status_reason: str | None = None
    credentials: Credentials | None = None
    edge_capable: bool | None = None
    scope: str | None = None
    parent_scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleDraft:
    """What a caller wants a module to be; as DeviceDraft."""

    credentials: Credentials | None = None
    managed_by: str | None = None


def check_credentials(credentials: Credentials) -> None:
    """Refuse credentials that nobody could use, or that would be weak. Raises InvalidArgument, never showing a key.

    Source: Azure IoT Hub, "Understand the identity registry" (16 to 64 bytes, SHA-1 or SHA-256 thumbprints).
    """
    for key in credentials.keys or ():
        if not MIN_KEY <= len(key) <= MAX_KEY:
            raise InvalidArgument(f"a symmetric key has {MIN_KEY} to {MAX_KEY} bytes")
    thumbprints = [text for text in credentials.thumbprints or () if text is not None]
    if not all(_THUMBPRINT.match(text) for text in thumbprints):
        raise InvalidArgument("a thumbprint is 40 or 64 lower-case hexadecimal digits")
    if credentials.kind is CredentialKind.SELF_SIGNED and not thumbprints:
        raise InvalidArgument("a device with a self-signed certificate needs a thumbprint")


def announced_model(fact: Fact) -> str | None:
    """Return the plug-and-play model that a fact of presence brings: that of who came; None: the one before stays."""
    if fact.kind is not FactKind.CONNECTED:
        return None
    model_id: str = fact.data.get("model_id", "")
    return model_id


class DeviceNotFound(HubError):
    """No such device."""

    code: ClassVar[str] = "device.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Create it first (`ironhub device create ID`), or check the id: ids are case-sensitive."


class ModuleNotFound(HubError):
    """The device is there, the module is not."""

    code: ClassVar[str] = "module.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Create it first (`ironhub module create DEVICE MODULE`), or check the id."


class DeviceExists(HubError):
    """A device of this id is already there."""

    code: ClassVar[str] = "device.exists"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Choose another id, or update the device that is there."


class ModuleExists(HubError):
    """A module of this id is already there."""

    code: ClassVar[str] = "module.exists"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Choose another id, or update the module that is there."


class TooManyModules(HubError):
    """The device has all the modules it may have."""

    code: ClassVar[str] = "module.too_many"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = f"Delete a module; a device has at most {MAX_MODULES_PER_DEVICE}."


class EtagMismatch(HubError):
    """Somebody else changed it since the caller read it."""

    code: ClassVar[str] = "registry.etag_mismatch"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Read it again, apply your change, and retry with the new etag."
