"""Twins in the service API's JSON."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import DeviceId, ModuleId, identity
from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.twin_json import TwinWish, decode_twin_wish, encode_twin
from ironhub.identity.model import CredentialKind, Credentials
from ironhub.registry.model import Device, Module, Presence
from ironhub.twins.model import Section, Twin, initial_twin, with_patch

NOON = 1_769_860_800.0
NOON_TEXT = "2026-01-31T12:00:00.0000000Z"
DEVICE = Device(DeviceId("press-7"), "638", "dev=", Credentials(CredentialKind.CERTIFICATE_AUTHORITY), created_at=NOON)


def test_a_new_twin_looks_as_the_vendor_shows_it() -> None:
    assert encode_twin(initial_twin(identity("press-7"), NOON), DEVICE) == {
        "deviceId": "press-7",
        "etag": "AAAAAAAAAAE=",
        "deviceEtag": "dev=",
        "status": "enabled",
        "statusUpdateTime": "0001-01-01T00:00:00Z",
        "connectionState": "Disconnected",
        "lastActivityTime": "0001-01-01T00:00:00Z",
        "cloudToDeviceMessageCount": 0,
        "authenticationType": "certificateAuthority",
        "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
        "modelId": "",
        "version": 2,
        "tags": {},
        "properties": {
            "desired": {"$metadata": {"$lastUpdated": NOON_TEXT}, "$version": 1},
            "reported": {"$metadata": {"$lastUpdated": NOON_TEXT}, "$version": 1},
        },
        "capabilities": {"iotEdge": False},
        "parentScopes": [],
    }


def test_metadata_mirrors_the_tree() -> None:
    desired = with_patch(Section(), {"fan": {"speed": 3}}, at=NOON, count_versions=True)
    shown = encode_twin(replace(Twin(identity("press-7")), desired=desired), DEVICE)["properties"]["desired"]
    stamp = {"$lastUpdated": NOON_TEXT, "$lastUpdatedVersion": 2}
    assert shown == {"fan": {"speed": 3}, "$version": 2, "$metadata": {**stamp, "fan": {**stamp, "speed": stamp}}}


def test_what_a_device_may_have_is_shown_when_it_has_it() -> None:
    owner = replace(
        DEVICE, status_reason="why", scope="s", presence=Presence(last_activity_at=NOON, model_id="dtmi:a;1")
    )
    configurations = {"speed": {"status": "Applied"}}
    shown = encode_twin(Twin(identity("press-7"), configurations=configurations), owner)
    assert (shown["statusReason"], shown["deviceScope"], shown["lastActivityTime"]) == ("why", "s", NOON_TEXT)
    assert (shown["modelId"], shown["configurations"]) == ("dtmi:a;1", configurations)


def test_a_module_has_its_id_and_no_capabilities() -> None:
    owner = Module(DeviceId("press-7"), ModuleId("arm"), "1", "mod=", Credentials(CredentialKind.NONE), created_at=NOON)
    shown = encode_twin(Twin(identity("press-7", "arm")), owner)
    assert (shown["deviceId"], shown["moduleId"], shown["deviceEtag"]) == ("press-7", "arm", "mod=")
    assert shown["status"] == "enabled"
    assert "capabilities" not in shown


def test_what_only_the_hub_writes_is_left_aside() -> None:
    body = {
        "deviceId": "press-7",
        "etag": "x",
        "tags": {"floor": 1},
        "properties": {"desired": {"a": 1, "$version": 9, "$metadata": {}}, "reported": {"b": 1}},
    }
    assert decode_twin_wish(json.dumps(body).encode()) == TwinWish({"floor": 1}, {"a": 1})


@pytest.mark.parametrize("body", [{}, {"tags": None, "properties": None}, {"properties": {"desired": None}}])
def test_a_section_that_is_not_given_is_none(body: Any) -> None:
    assert decode_twin_wish(json.dumps(body).encode()) == TwinWish(None, None)


@pytest.mark.parametrize("body", [{"tags": 1}, {"properties": []}, {"properties": {"desired": "x"}}])
def test_a_section_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(InvalidArgument, match="must be a JSON object"):
        decode_twin_wish(json.dumps(body).encode())


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(JsonInvalid):
        decode_twin_wish(b"")
