import pytest
from tests.fakes.clock import START, FakeClock, FakeEntropy

from ironhub.core.errors import InvalidArgument
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import device_id, identity
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.registry.edge import SYSTEM_MODULES
from ironhub.registry.making import KEY_SIZE, IdentityMaker, created
from ironhub.registry.model import MAX_STATUS_REASON, DeviceDraft, DeviceStatus, ModuleDraft

PRESS = device_id("press-7")
KEYS = Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"p" * 16, b"s" * 16))


@pytest.fixture
def maker() -> IdentityMaker:
    return IdentityMaker(FakeClock(), FakeEntropy())


def test_new_ones_have_keys_and_changed_ones_keep_them(maker: IdentityMaker) -> None:
    device = maker.new_device(PRESS, DeviceDraft())
    assert device.credentials.keys is not None
    assert {len(key) for key in device.credentials.keys} == {KEY_SIZE}
    changed = maker.changed_device(device, DeviceDraft(credentials=Credentials(CredentialKind.SAS)))
    assert changed.credentials == device.credentials
    assert changed.etag != device.etag
    assert changed.generation_id == device.generation_id
    assert maker.changed_device(device, DeviceDraft(credentials=KEYS)).credentials == KEYS


def test_the_instant_of_a_status_is_that_of_its_change(maker: IdentityMaker) -> None:
    device = maker.new_device(PRESS, DeviceDraft())
    disabled = maker.changed_device(device, DeviceDraft(status=DeviceStatus.DISABLED))
    assert (device.status_changed_at, disabled.status_changed_at) == (None, START)


def test_a_module_keeps_who_manages_it(maker: IdentityMaker) -> None:
    module = maker.new_module(identity("press-7", "arm"), ModuleDraft(managed_by="us"))
    assert maker.changed_module(module, ModuleDraft(credentials=KEYS)).managed_by == "us"
    assert maker.changed_module(module, ModuleDraft(managed_by="them")).credentials == module.credentials
    with pytest.raises(InvalidArgument):
        maker.new_module(identity("press-7"), ModuleDraft())


def test_a_reason_is_bounded_and_keys_are_looked_at(maker: IdentityMaker) -> None:
    for draft in (
        DeviceDraft(status_reason="x" * (MAX_STATUS_REASON + 1)),
        DeviceDraft(credentials=Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"short", b"short"))),
    ):
        with pytest.raises(InvalidArgument):
            maker.new_device(PRESS, draft)


def test_system_modules_come_once(maker: IdentityMaker) -> None:
    plain = maker.new_device(PRESS, DeviceDraft())
    edge = maker.changed_device(plain, DeviceDraft(edge_capable=True))
    assert maker.system_modules(plain, None) == ()
    assert tuple(module.module_id for module in maker.system_modules(edge, plain)) == SYSTEM_MODULES
    assert maker.system_modules(edge, edge) == ()


def test_what_is_made_is_told(maker: IdentityMaker) -> None:
    device = maker.new_device(PRESS, DeviceDraft())
    data = {"generation_id": device.generation_id}
    assert created(device) == (Fact(FactKind.DEVICE_CREATED, device.identity, START, data),)
