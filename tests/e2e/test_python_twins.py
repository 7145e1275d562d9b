"""Twins as Microsoft's unmodified Python device SDK reads, reports and follows them."""

import queue
from typing import Any

import pytest
from azure.iot.device.exceptions import ClientError
from tests.covers import covers
from tests.e2e.python_client import EVERY_KIND, MQTT, PATIENCE, Kind, new_id
from tests.fakes.running_hub import Registered, RunningHub


def change(hub: RunningHub, device: Registered, method: str = "PATCH", **sections: Any) -> dict[str, Any]:
    """Change desired properties or tags as an operator."""
    params = {} if device.module_id is None else {"module": device.module_id}
    twin: dict[str, Any] = hub.call(method, f"/twins/{device.device_id}", json=sections, params=params)
    return twin


@covers(
    "py:IoTHubDeviceClient.get_twin",
    "py:IoTHubDeviceClient.on_twin_desired_properties_patch_received",
    "py:IoTHubDeviceClient.patch_twin_reported_properties",
)
@EVERY_KIND
def test_a_twin_is_read_reported_and_followed(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        assert client.twin() == {"desired": {"$version": 1}, "reported": {"$version": 1}}
        client.report({"speed": 3, "mode": {"auto": True}})
        patches = client.desired()
        change(hub, device, desired={"speed": 5, "list": [1, {"ü": None}]}, tags={"hall": "b"})
        assert patches.get(timeout=PATIENCE) == {"speed": 5, "list": [1, {"ü": None}], "$version": 2}
        assert client.twin() == {
            "desired": {"speed": 5, "list": [1, {"ü": None}], "$version": 2},
            "reported": {"speed": 3, "mode": {"auto": True}, "$version": 2},
        }


@EVERY_KIND
def test_null_removes_what_it_names_on_both_sides(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    change(hub, device, desired={"fan": {"speed": 3, "mode": "auto"}, "lamp": 1})
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        client.report({"fan": {"speed": 3, "mode": "auto"}, "lamp": 1})
        client.report({"fan": {"mode": None}, "lamp": None, "never": None})
        change(hub, device, desired={"fan": {"mode": None}, "lamp": None})
        assert patches.get(timeout=PATIENCE) == {"fan": {"mode": None}, "lamp": None, "$version": 3}
        twin = client.twin()
    assert twin["desired"] == {"fan": {"speed": 3}, "$version": 3}
    assert twin["reported"] == {"fan": {"speed": 3}, "$version": 3}


def test_what_was_desired_while_away_is_caught_up_with(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.twin()
        patches = client.desired()
        client.disconnect()
        change(hub, device, desired={"speed": 5})
        change(hub, device, desired={"speed": 6, "mode": "auto"})
        client.connect()
        assert patches.get(timeout=PATIENCE) == {"speed": 6, "mode": "auto", "$version": 3}
        change(hub, device, desired={"speed": 7})
        assert patches.get(timeout=PATIENCE) == {"speed": 7, "$version": 4}
        with pytest.raises(queue.Empty):
            patches.get_nowait()


def test_a_replaced_twin_tells_the_device_what_is_gone(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    change(hub, device, desired={"old": 1, "kept": 1})
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        change(hub, device, "PUT", desired={"kept": 1, "new": 1})
        patch = patches.get(timeout=PATIENCE)
        assert patch["old"] is None
        assert (patch["new"], patch["$version"]) == (1, 3)
        assert client.twin()["desired"] == {"kept": 1, "new": 1, "$version": 3}


BAD_PATCHES: list[Any] = [
    {"a": "x" * 5_000},
    {"$system": 1},
    {"a.b": 1},
    {"a": 2**53},
    {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": {"l": 1}}}}}}}}}}}},
    {str(number): "x" * 4_000 for number in range(9)},
    [1, 2],
    "text",
]


@pytest.mark.parametrize(
    "patch", BAD_PATCHES, ids=["long text", "system key", "dot in key", "huge number", "deep", "large", "list", "text"]
)
def test_a_bad_patch_is_refused_and_changes_nothing(hub: RunningHub, patch: Any) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        client.report({"good": 1})
        with pytest.raises(ClientError) as caught:
            client.report(patch)
        assert "400" in str(caught.value.__cause__)
        assert client.twin()["reported"] == {"good": 1, "$version": 2}


def test_tags_stay_with_the_operators(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    change(hub, device, tags={"secret": "hall b"})
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        assert "hall b" not in str(client.twin())


def test_many_changes_come_in_order_and_none_is_missing(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with MQTT.device(hub, device.connection_string) as client:
        client.connect()
        patches = client.desired()
        for number in range(30):
            change(hub, device, desired={"n": number})
        seen = [patches.get(timeout=PATIENCE) for _ in range(30)]
    assert seen == [{"n": number, "$version": number + 2} for number in range(30)]
