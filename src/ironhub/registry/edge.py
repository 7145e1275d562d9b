"""Edge devices, and what is connected through them: scopes, parents, and the two modules that every edge device has.

Protects against a device that is put below one that is no edge device, below itself, or deeper than anybody looks.
Source: Azure IoT Hub, "Understand the identity registry" (device scope, parent scopes), IoT Edge "Connect downstream
devices": an edge device has a scope of its own, a leaf device takes over its parent's, an edge device below another
one names it among its parent scopes. Scopes are texts that the vendor's tools build and compare, so they are stored as
they are told.
"""

import re
from typing import ClassVar, Final, NamedTuple

from ironhub.core.errors import HubError
from ironhub.core.ids import DeviceId, Identity, ModuleId, device_id
from ironhub.registry.model import Device, DeviceDraft

SYSTEM_MODULES: Final = (ModuleId("$edgeAgent"), ModuleId("$edgeHub"))
"""Created with every edge device, for the runtime on it."""
SYSTEM_MANAGER: Final = "iotEdge"
MAX_LEVELS: Final = 5
"""Edge devices above one another."""

_SCOPE: Final = re.compile(r"ms-azure-iot-edge://(.{1,128})-(\d{1,32})\Z", re.ASCII)


class ScopeInvalid(HubError):
    """The scope names no edge device that this device may be put below."""

    code: ClassVar[str] = "device.scope_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Read the parent, which must be an edge device, and give its scope as it stands there."


class SystemModule(HubError):
    """The module belongs to the runtime of an edge device; nobody else creates, changes or deletes it."""

    code: ClassVar[str] = "module.system"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Change the edge device itself; its runtime's modules come and go with it."


class Place(NamedTuple):
    """Where a device stands among edge devices."""

    scope: str | None
    parent_scopes: tuple[str, ...]


def own_scope(device: DeviceId, generation_id: str) -> str:
    """Return the scope of a new edge device."""
    return f"ms-azure-iot-edge://{device}-{generation_id}"


def owner_of(scope: str) -> DeviceId:
    """Return the edge device that `scope` names. Raises ScopeInvalid."""
    match = _SCOPE.match(scope)
    if match is None:
        raise ScopeInvalid("a device scope is that of an edge device, or empty")
    return device_id(match[1])


def place_of(device: DeviceId, generation_id: str, draft: DeviceDraft, stored: Device | None) -> Place:
    """Return where `draft` wants the device to be. Raises ScopeInvalid.

    Clients send back whole devices: a scope or parent that is the stored one says nothing, an empty one takes the
    device away from its parent.
    """
    before = Place(None, ()) if stored is None else Place(stored.scope, stored.parent_scopes)
    was_edge = stored is not None and stored.edge_capable
    is_edge = was_edge if draft.edge_capable is None else draft.edge_capable
    if is_edge:
        return _edge_place(device, generation_id, draft, before, was_edge=was_edge)
    if was_edge:
        before = Place(None, ())
    wanted = before.scope
    if draft.scope is not None and draft.scope != before.scope:
        wanted = draft.scope
    elif draft.parent_scopes is not None and draft.parent_scopes != before.parent_scopes:
        wanted = _only_parent(draft.parent_scopes)
    return Place(wanted, (wanted,)) if wanted else Place(None, ())


def parent_of(device: Device) -> str | None:
    """Return the scope of the edge device above this one."""
    if device.edge_capable:
        return device.parent_scopes[0] if device.parent_scopes else None
    return device.scope


def check_parent(child: DeviceId, scope: str, parent: Device | None, level: int) -> str | None:
    """Return the scope of what is above `parent`, which the hub knows by the owner of `scope`; None: nothing.

    Args:
        level: 1 for the parent itself, 2 for what is above it, ...

    Raises:
        ScopeInvalid: there is no such edge device, or `child` would stand below itself or too deep.
    """
    if parent is None or not parent.edge_capable or parent.scope != scope:
        raise ScopeInvalid(f"{child} would stand below something that is no edge device here")
    if parent.device_id == child or level > MAX_LEVELS:
        raise ScopeInvalid(f"{child} would stand below itself, or more than {MAX_LEVELS} levels deep")
    return parent_of(parent)


def is_system_module(identity: Identity) -> bool:
    """Return whether this would be a system module on an edge device."""
    return identity.module_id in SYSTEM_MODULES


def _edge_place(device: DeviceId, generation_id: str, draft: DeviceDraft, before: Place, *, was_edge: bool) -> Place:
    """A new edge device that comes from another hub keeps its scope, so that those below it still name it."""
    own = before.scope if was_edge and before.scope else own_scope(device, generation_id)
    if draft.scope and draft.scope not in (own, before.scope):
        if was_edge or owner_of(draft.scope) != device:
            raise ScopeInvalid("the scope of an edge device is its own")
        own = draft.scope
    parents = before.parent_scopes
    if draft.parent_scopes is not None:
        parent = _only_parent(draft.parent_scopes)
        parents = (parent,) if parent else ()
    return Place(own, parents)


def _only_parent(scopes: tuple[str, ...]) -> str:
    if len(scopes) > 1:
        raise ScopeInvalid("a device has one parent")
    return scopes[0] if scopes else ""
