"""Permissions, what each right of a policy allows, and the Grant that proves that a check was made."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.core.ids import DeviceId, Identity
from ironhub.identity.model import Principal


class Permission(StrEnum):
    """Everything that can be allowed, as `<resource>:<action>`."""

    TELEMETRY_SEND = "telemetry:send"
    TELEMETRY_READ = "telemetry:read"
    CONSUMER_GROUP_WRITE = "consumer_group:write"
    COMMAND_RECEIVE = "command:receive"
    COMMAND_SEND = "command:send"
    COMMAND_PURGE = "command:purge"
    FEEDBACK_READ = "feedback:read"
    METHOD_ANSWER = "method:answer"
    METHOD_INVOKE = "method:invoke"
    TWIN_READ_OWN = "twin:read_own"
    TWIN_REPORT = "twin:report"
    TWIN_READ = "twin:read"
    TWIN_WRITE = "twin:write"
    REGISTRY_READ = "registry:read"
    REGISTRY_WRITE = "registry:write"
    REGISTRY_QUERY = "registry:query"
    FILE_UPLOAD = "file:upload"
    FILE_NOTIFICATION_READ = "file:read_notification"
    BLOB_READ = "blob:read"
    BLOB_WRITE = "blob:write"
    BLOB_DELETE = "blob:delete"
    BLOB_LIST = "blob:list"
    BLOB_SHARE = "blob:share"
    JOB_READ = "job:read"
    JOB_WRITE = "job:write"
    TRANSFER_READ = "transfer:read"
    TRANSFER_WRITE = "transfer:write"
    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    AUTHORITY_READ = "authority:read"
    AUTHORITY_WRITE = "authority:write"
    POLICY_READ = "policy:read"
    POLICY_WRITE = "policy:write"
    HUB_BACKUP = "hub:backup"


@dataclass(frozen=True, slots=True)
class WholeHub:
    """The target of what concerns no single identity, such as a list of devices."""


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """One blob of a container, or the container itself."""

    container: str
    name: str | None = None
    """None: the container."""


WHOLE_HUB: Final = WholeHub()
Target = Identity | WholeHub | BlobPlace


class PermissionDenied(HubError):
    """We know who it is, and they may not do this."""

    code: ClassVar[str] = "access.denied"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = (
        "Use a credential whose policy has the right this call needs, or act on your own identity."
    )


@dataclass(frozen=True, slots=True)
class Grant:
    """Proof that `principal` may do `permission` to `target`. Only `authorise` makes one."""

    principal: Principal
    permission: Permission
    target: Target

    def require(self, permission: Permission) -> None:
        """Raise PermissionDenied unless this grant is for `permission`; the first line of every service call."""
        if self.permission is not permission:
            raise PermissionDenied(f"{permission} was asked of a grant for {self.permission}")

    def require_whole_hub(self, permission: Permission) -> None:
        """As `require`, for what shows or changes more than one identity: a grant for one of them is not enough."""
        self.require(permission)
        if not isinstance(self.target, WholeHub):
            raise PermissionDenied(f"{permission} over the whole hub was asked of a grant for one identity")

    @property
    def identity(self) -> Identity:
        """The one identity this grant is for. Raises PermissionDenied for a grant over the whole hub."""
        if not isinstance(self.target, Identity):
            raise PermissionDenied(f"{self.permission} was granted for no single identity")
        return self.target

    @property
    def place(self) -> BlobPlace:
        """The container or blob this grant is for. Raises PermissionDenied."""
        if not isinstance(self.target, BlobPlace):
            raise PermissionDenied(f"{self.permission} was granted for no container or blob")
        return self.target

    @property
    def device_id(self) -> DeviceId:
        """The one device this grant is for, itself and not a module of it. Raises PermissionDenied."""
        if self.identity.module_id is not None:
            raise PermissionDenied(f"{self.permission} was granted for a module, not for its device")
        return self.identity.device_id
