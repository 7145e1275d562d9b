"""Tests of console/shapes/identities.py."""

from ironhub.console.shapes.identities import DeviceChange, DeviceGiven, ModuleChange, ModuleGiven, NewDevice
from ironhub.core.ids import device_id, module_id
from ironhub.identity.model import CredentialKind, Credentials
from ironhub.registry.model import Device, DeviceDraft, DeviceStatus, Module, ModuleDraft, Presence

CREDENTIALS = Credentials(CredentialKind.CERTIFICATE_AUTHORITY)


def test_a_change_that_names_nothing_changes_nothing() -> None:
    assert DeviceChange().draft() == DeviceDraft()
    assert ModuleChange().draft() == ModuleDraft()


def test_a_new_device_is_drafted_as_it_was_said() -> None:
    new = NewDevice(device_id="d", status=DeviceStatus.DISABLED, status_reason="new", edge_capable=True)
    assert new.draft() == DeviceDraft(status=DeviceStatus.DISABLED, status_reason="new", edge_capable=True)


def test_a_device_is_given_with_its_instants_in_words() -> None:
    presence = Presence(connected=True, changed_at=0.0, last_activity_at=None)
    device = Device(device_id("d"), "g", "e", CREDENTIALS, created_at=1.5, presence=presence, pending_commands=3)
    given = DeviceGiven.of(device)
    assert given.created_at == "1970-01-01T00:00:01.500Z"
    assert given.connection_changed_at == "1970-01-01T00:00:00.000Z"
    assert (given.last_activity_at, given.status_changed_at, given.pending_commands) == (None, None, 3)


def test_a_module_is_given_with_its_owner() -> None:
    given = ModuleGiven.of(Module(device_id("d"), module_id("m"), "g", "e", CREDENTIALS, created_at=0.0))
    assert (given.device_id, given.module_id, given.connected) == ("d", "m", False)
