"""Who stands below which edge device."""

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.core.ids import device_id
from ironhub.identity.model import CredentialKind, Credentials
from ironhub.registry.family import DeviceFamily
from ironhub.registry.model import Device
from ironhub.registry.ports import DeviceStore
from ironhub.storage.memory.stores import memory_stores

SCOPE = "ms-azure-iot-edge://edge-1"


def device(name: str, *, edge: bool = False, scope: str | None = None, parents: tuple[str, ...] = ()) -> Device:
    return Device(
        device_id(name),
        "g",
        "e",
        Credentials(CredentialKind.NONE),
        0.0,
        edge_capable=edge,
        scope=scope,
        parent_scopes=parents,
    )


@pytest.fixture
async def store() -> DeviceStore:
    devices = memory_stores(FakeEntropy()).devices
    for each in (
        device("edge", edge=True, scope=SCOPE),
        device("plain", scope=SCOPE),
        device("scopeless", edge=True),
        device("told", parents=(SCOPE,)),
        device("lower", edge=True, scope="ms-azure-iot-edge://lower-1", parents=(SCOPE,)),
        device("double", edge=True, scope=SCOPE),
        device("stranger", scope="ms-azure-iot-edge://edge-10"),
        device("alone"),
    ):
        await devices.put_device(each, replacing=None)
    return devices


@pytest.mark.parametrize(
    ("parent", "child", "is_so"),
    [
        ("edge", "plain", True),
        ("edge", "told", True),
        ("edge", "lower", True),
        ("edge", "double", False),
        ("edge", "stranger", False),
        ("edge", "alone", False),
        ("edge", "nobody", False),
        ("plain", "told", False),
        ("lower", "plain", False),
        ("scopeless", "alone", False),
        ("nobody", "plain", False),
        ("plain", "edge", False),
    ],
)
async def test_a_parent_is_an_edge_device_whose_scope_the_child_names(
    store: DeviceStore, parent: str, child: str, is_so: bool
) -> None:
    assert await DeviceFamily(store).is_parent(device_id(parent), device_id(child)) is is_so
