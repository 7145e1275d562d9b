"""The one place that turns a principal into a grant.

What it protects: a device reaches only its own identity, a policy token only what its rights and its scope cover.
Decide on the resource that will really be touched: resolve aliases and defaults before you call.
"""

from typing import Final

from ironhub.access.model import BlobPlace, Grant, Permission, PermissionDenied, Target, WholeHub
from ironhub.access.ports import FamilySource
from ironhub.core.ids import Identity
from ironhub.identity.audience import EVENTS_PATH, covers, identity_path
from ironhub.identity.model import (
    DevicePrincipal,
    LinkPrincipal,
    LinkRight,
    OperatorPrincipal,
    Principal,
    Remembered,
    Right,
    ServicePrincipal,
)

OWN_PERMISSIONS: Final = frozenset(
    {
        Permission.TELEMETRY_SEND,
        Permission.COMMAND_RECEIVE,
        Permission.METHOD_ANSWER,
        Permission.TWIN_READ_OWN,
        Permission.TWIN_REPORT,
        Permission.FILE_UPLOAD,
    }
)
"""What a device may do, to its own identity only."""

FAMILY_PERMISSIONS: Final = frozenset({Permission.METHOD_INVOKE})
"""What a module may do to its own device, to the modules beside it, and, where its device is an edge device, to the
devices directly below that and their modules. A device itself may not: only modules are programs of an operator's own
choice, put there to act on others (azure-device-api 2.6)."""

RIGHTS_NEEDED: Final[dict[Permission, Right]] = {
    Permission.TELEMETRY_READ: Right.SERVICE_CONNECT,
    Permission.COMMAND_SEND: Right.SERVICE_CONNECT,
    Permission.COMMAND_PURGE: Right.SERVICE_CONNECT,
    Permission.FEEDBACK_READ: Right.SERVICE_CONNECT,
    Permission.METHOD_INVOKE: Right.SERVICE_CONNECT,
    Permission.TWIN_READ: Right.SERVICE_CONNECT,
    Permission.TWIN_WRITE: Right.SERVICE_CONNECT,
    Permission.REGISTRY_QUERY: Right.SERVICE_CONNECT,
    Permission.FILE_NOTIFICATION_READ: Right.SERVICE_CONNECT,
    Permission.JOB_READ: Right.SERVICE_CONNECT,
    Permission.JOB_WRITE: Right.SERVICE_CONNECT,
    Permission.REGISTRY_READ: Right.REGISTRY_READ,
    Permission.REGISTRY_WRITE: Right.REGISTRY_WRITE,
    Permission.TRANSFER_READ: Right.REGISTRY_WRITE,
    Permission.TRANSFER_WRITE: Right.REGISTRY_WRITE,
    Permission.CONFIGURATION_READ: Right.REGISTRY_READ,
    Permission.CONFIGURATION_WRITE: Right.REGISTRY_WRITE,
}
"""What a shared access policy must hold (Azure IoT Hub, "Control access with shared access signatures")."""

LINK_RIGHTS_NEEDED: Final[dict[Permission, LinkRight]] = {
    Permission.BLOB_READ: LinkRight.READ,
    Permission.BLOB_WRITE: LinkRight.WRITE,
    Permission.BLOB_DELETE: LinkRight.DELETE,
    Permission.BLOB_LIST: LinkRight.LIST,
}
"""What a signed link to a blob or container must allow; it opens nothing else."""


def authorise(principal: Principal, permission: Permission, target: Target) -> Grant:
    """Return the proof that `principal` may do `permission` to `target`. Raises PermissionDenied."""
    match principal:
        case DevicePrincipal(identity=own):
            allowed = permission in OWN_PERMISSIONS and target == own
        case ServicePrincipal(rights=rights, scope=scope):
            allowed = RIGHTS_NEEDED.get(permission) in rights and _covers(scope, permission, target)
        case LinkPrincipal():
            allowed = LINK_RIGHTS_NEEDED.get(permission) in principal.rights and _links_to(principal, target)
        case OperatorPrincipal():
            allowed = permission not in OWN_PERMISSIONS
    if not allowed:
        raise PermissionDenied(f"{permission} is not allowed here", detail=f"{principal!r} asked for {target}")
    return Grant(principal, permission, target)


def remember(creator: Principal) -> Remembered:
    """Return what is kept of who sets something going that works on without them. Raises PermissionDenied: a device."""
    match creator:
        case ServicePrincipal(policy=policy, scope=scope, key_digest=digest):
            return Remembered(policy, True, scope, digest)
        case OperatorPrincipal(name=name):
            return Remembered(name, False)
    raise PermissionDenied("jobs are created by back ends and operators")


async def authorise_in_family(
    principal: DevicePrincipal, permission: Permission, target: Identity, family: FamilySource
) -> Grant:
    """Return the proof that a module may do `permission` to a relative of its device. Raises PermissionDenied."""
    own = principal.identity
    allowed = permission in FAMILY_PERMISSIONS and own.module_id is not None
    if allowed and target.device_id != own.device_id:
        allowed = await family.is_parent(own.device_id, target.device_id)
    if not allowed:
        raise PermissionDenied(f"{permission} is not allowed here", detail=f"{own} asked for {target}")
    return Grant(principal, permission, target)


def _covers(scope: str, permission: Permission, target: Target) -> bool:
    """Whole path segments only: a token for /devices/d1 is none for /devices/d10."""
    if isinstance(target, WholeHub):
        return scope == "" or (permission is Permission.TELEMETRY_READ and _is_of_events(scope))
    return isinstance(target, Identity) and covers(scope.rstrip("/"), identity_path(target))


def _links_to(link: LinkPrincipal, target: Target) -> bool:
    """A link to one blob is none to another, nor to the container; one to the container is one to all in it."""
    return (
        isinstance(target, BlobPlace)
        and target.container == link.container
        and (link.blob is None or link.blob == target.name)
    )


def _is_of_events(scope: str) -> bool:
    """Event Hubs clients sign for the stream, one consumer group or one partition of it; each reads the same events."""
    return covers(scope.rstrip("/"), EVENTS_PATH) or covers(EVENTS_PATH, scope)
