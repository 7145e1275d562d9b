"""Devices and modules as callers send them and see them."""

from pydantic import Field

from ironhub.console.shapes import Given, Taken, example
from ironhub.console.shapes.credentials import AuthGiven, AuthTaken, credentials_given, credentials_taken
from ironhub.console.shapes.instants import shown_if_known, shown_instant
from ironhub.core.ids import MAX_ID_LENGTH
from ironhub.registry.model import MAX_STATUS_REASON, Device, DeviceDraft, DeviceStatus, Module, ModuleDraft


class DeviceChange(Taken):
    """What a device shall be. What is left out stays as it is."""

    model_config = example(status="disabled", status_reason="stolen")

    status: DeviceStatus | None = None
    status_reason: str | None = Field(default=None, max_length=MAX_STATUS_REASON)
    auth: AuthTaken | None = None
    edge_capable: bool | None = None

    def draft(self) -> DeviceDraft:
        """Return it as the registry takes it. Raises InvalidArgument."""
        return DeviceDraft(
            status=self.status,
            status_reason=self.status_reason,
            credentials=credentials_taken(self.auth),
            edge_capable=self.edge_capable,
        )


class NewDevice(DeviceChange):
    """A device to be created."""

    model_config = example(device_id="press-7", auth={"kind": "x509-ca"})

    device_id: str = Field(max_length=MAX_ID_LENGTH)


class ModuleChange(Taken):
    """What a module shall be. What is left out stays as it is."""

    model_config = example(managed_by="plant-2")

    auth: AuthTaken | None = None
    managed_by: str | None = Field(default=None, max_length=MAX_ID_LENGTH)

    def draft(self) -> ModuleDraft:
        """Return it as the registry takes it. Raises InvalidArgument."""
        return ModuleDraft(credentials=credentials_taken(self.auth), managed_by=self.managed_by)


class NewModule(ModuleChange):
    """A module to be created."""

    model_config = example(module_id="arm")

    module_id: str = Field(max_length=MAX_ID_LENGTH)


class DeviceGiven(Given):
    """A device as stored."""

    device_id: str
    status: DeviceStatus
    status_reason: str | None
    status_changed_at: str | None
    auth: AuthGiven
    connected: bool
    connection_changed_at: str | None
    last_activity_at: str | None
    pending_commands: int
    edge_capable: bool
    created_at: str
    generation_id: str
    etag: str

    @classmethod
    def of(cls, device: Device, *, with_keys: bool = False) -> "DeviceGiven":
        """Return what callers see of `device`."""
        return cls(
            device_id=device.device_id,
            status=device.status,
            status_reason=device.status_reason,
            status_changed_at=shown_if_known(device.status_changed_at),
            auth=credentials_given(device.credentials, with_keys=with_keys),
            connected=device.presence.connected,
            connection_changed_at=shown_if_known(device.presence.changed_at),
            last_activity_at=shown_if_known(device.presence.last_activity_at),
            pending_commands=device.pending_commands,
            edge_capable=device.edge_capable,
            created_at=shown_instant(device.created_at),
            generation_id=device.generation_id,
            etag=device.etag,
        )


class ModuleGiven(Given):
    """A module as stored."""

    device_id: str
    module_id: str
    managed_by: str | None
    auth: AuthGiven
    connected: bool
    connection_changed_at: str | None
    last_activity_at: str | None
    pending_commands: int
    created_at: str
    generation_id: str
    etag: str

    @classmethod
    def of(cls, module: Module, *, with_keys: bool = False) -> "ModuleGiven":
        """Return what callers see of `module`."""
        return cls(
            device_id=module.device_id,
            module_id=module.module_id,
            managed_by=module.managed_by,
            auth=credentials_given(module.credentials, with_keys=with_keys),
            connected=module.presence.connected,
            connection_changed_at=shown_if_known(module.presence.changed_at),
            last_activity_at=shown_if_known(module.presence.last_activity_at),
            pending_commands=module.pending_commands,
            created_at=shown_instant(module.created_at),
            generation_id=module.generation_id,
            etag=module.etag,
        )


class DevicePage(Given):
    """Some devices, ordered by id."""

    devices: tuple[DeviceGiven, ...]
    after: str | None
    """Pass it as `after` for the next page; null on the last."""


class ModuleList(Given):
    """All modules of one device, ordered by id."""

    modules: tuple[ModuleGiven, ...]
