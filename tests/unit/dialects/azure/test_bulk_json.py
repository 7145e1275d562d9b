"""Rows of bulk calls and files. (The property tests are in tests/properties/test_azure_bulk_json.py.)"""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.contracts.stores import ARM, CREATED_AT, PRESS, device, module

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import InvalidId, identity
from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.bulk_json import (
    PolicyKeyInvalid,
    decode_bulk,
    decode_key_request,
    decode_line,
    decode_row,
    encode_import_error,
    encode_line,
    encode_rekeyed,
    encode_result,
)
from ironhub.dialects.azure.timestamps import TimestampInvalid
from ironhub.identity.model import CredentialKind, SymmetricKeys
from ironhub.provisioning.bulk.model import RowError, RowMode
from ironhub.provisioning.bulk.service import Rekeyed
from ironhub.registry.model import DeviceExists, DeviceNotFound, DeviceStatus
from ironhub.twins.model import Section, Twin, initial_twin

AZURE_LINE = (
    b'{"id":"Device1","eTag":"MA==","status":"enabled","authentication":{"symmetricKey":{"primaryKey":'
    b'"cHJpbWFyeS1rZXktb2YtMzItYnl0ZXMtLi4uLi4uLi4=","secondaryKey":"c2Vjb25kYXJ5LWtleS1vZi0zMi1ieXRlcy0uLi4uLi4="},'
    b'"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},"twinETag":"AAAAAAAAAAE=",'
    b'"tags":{"hall":"b"},"properties":{"desired":{"fan":{"speed":3},"$metadata":{"$lastUpdated":'
    b'"2020-01-02T03:04:05.1234567Z","$lastUpdatedVersion":9,"fan":{"$lastUpdated":"2020-01-01T00:00:00Z","gone":{}}},'
    b'"$version":9},"reported":{"$metadata":{"$lastUpdated":"2020-01-02T03:04:05Z"},"$version":1}},'
    b'"capabilities":{"iotEdge":false}}'
)


def test_a_line_of_an_export_of_the_vendors_hub_is_read_as_it_is() -> None:
    row = decode_line(AZURE_LINE)
    assert (row.identity, row.mode, row.if_match, row.parent_may_follow) == (
        identity("Device1"),
        RowMode.CREATE_OR_UPDATE,
        None,
        True,
    )
    assert row.device.status is DeviceStatus.ENABLED
    assert row.device.credentials is not None
    assert row.device.credentials.kind is CredentialKind.SAS
    assert row.device.edge_capable is False
    assert row.twin.tags == {"hall": "b"}
    desired = row.twin.desired
    assert desired is not None
    assert (desired.properties, desired.version) == ({"fan": {"speed": 3}}, 9)
    at = 1577934245.1234567
    assert desired.metadata == {
        "$lastUpdated": pytest.approx(at),
        "$lastUpdatedVersion": 9,
        "fan": {"$lastUpdated": 1577836800.0, "speed": {"$lastUpdated": 1577836800.0}},
    }
    assert row.twin.reported is not None
    assert row.twin.reported.properties == {}


@pytest.mark.parametrize(
    ("mode", "wanted", "conditional"),
    [
        ("create", RowMode.CREATE, False),
        ("createOrUpdate", RowMode.CREATE_OR_UPDATE, False),
        ("CREATEORUPDATEIFMATCHETAG", RowMode.CREATE_OR_UPDATE, True),
        ("Update", RowMode.UPDATE, False),
        ("UpdateIfMatchETag", RowMode.UPDATE, True),
        ("Delete", RowMode.DELETE, False),
        ("DeleteIfMatchETag", RowMode.DELETE, True),
        ("updateTwin", RowMode.UPDATE_TWIN, False),
        (None, RowMode.CREATE_OR_UPDATE, False),
    ],
)
def test_modes_are_read_whatever_their_case(mode: str | None, wanted: RowMode, conditional: bool) -> None:
    for name in ("eTag", "etag"):  # the Node SDK sends a device as it read it
        row = decode_row({"id": "a", "importMode": mode, name: '"e1"'})
        assert (row.mode, row.if_match) == (wanted, "e1" if conditional else None)


def test_a_twin_is_compared_by_its_own_etag() -> None:
    row = decode_row({"id": "a", "importMode": "updateTwinIfMatchETag", "eTag": "e1", "twinETag": "t1"})
    assert (row.if_match, row.twin_if_match) == (None, "t1")
    row = decode_row({"id": "a", "importMode": "updateIfMatchETag", "eTag": "e1", "twinETag": "t1"})
    assert (row.if_match, row.twin_if_match) == ("e1", "t1")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, InvalidId),
        ({"id": "a b"}, InvalidId),
        ({"id": 5}, InvalidArgument),
        ({"id": "a", "importMode": "purge"}, InvalidArgument),
        ({"id": "a", "importMode": "createIfMatchETag", "eTag": "e"}, InvalidArgument),
        ({"id": "a", "importMode": "updateIfMatchETag"}, InvalidArgument),
        ({"id": "a", "tags": []}, InvalidArgument),
        ({"id": "a", "properties": {"desired": 5}}, InvalidArgument),
        ({"id": "a", "properties": {"desired": {"$version": 0}}}, InvalidArgument),
        ({"id": "a", "properties": {"desired": {"$version": True}}}, InvalidArgument),
        ({"id": "a", "properties": {"desired": {"$metadata": {"$lastUpdated": "soon"}}}}, TimestampInvalid),
        ({"id": "a", "status": "tired"}, InvalidArgument),
    ],
)
def test_what_is_no_row_is_refused(body: dict[str, Any], error: type[HubError]) -> None:
    with pytest.raises(error):
        decode_row(body)


def test_a_call_is_a_list_and_each_element_has_its_own_outcome() -> None:
    elements = decode_bulk(b'[{"id":"a","importMode":"create"},{"id":"b c","moduleId":"m","importMode":"Delete"}]')
    assert isinstance(elements[1].given, InvalidId)
    errors = [RowError(0, PRESS, DeviceExists("there")), RowError(1, None, InvalidId("no id"))]
    told = encode_result(elements, errors)
    assert told["isSuccessful"] is False
    assert [(each["deviceId"], each["moduleId"], each["errorCode"], each["operation"]) for each in told["errors"]] == [
        ("a", None, "DeviceAlreadyExists", "create"),
        ("b c", "m", "ArgumentInvalid", "Delete"),
    ]
    assert encode_result(elements, []) == {"isSuccessful": True, "errors": [], "warnings": []}
    for body in (b"{}", b"[1]"):
        with pytest.raises(InvalidArgument):
            decode_bulk(body)
    with pytest.raises(JsonInvalid):
        decode_bulk(b"[")


def test_a_line_that_was_written_is_read_again() -> None:
    twin = Twin(PRESS, 5, 3, {"hall": "b"}, Section(4, {"n": 1}, {"$lastUpdated": 1.5, "n": {"$lastUpdated": 1.0}}))
    stored = replace(device(), edge_capable=True, scope="ms-azure-iot-edge://press-7-1", status_reason="new")
    row = decode_line(encode_line(stored, twin, with_keys=True))
    assert (row.identity, row.mode) == (PRESS, RowMode.CREATE_OR_UPDATE)
    assert (row.device.credentials, row.device.scope, row.device.edge_capable) == (
        stored.credentials,
        stored.scope,
        True,
    )
    assert row.twin.tags == {"hall": "b"}
    assert row.twin.desired is not None
    assert (row.twin.desired.properties, row.twin.desired.metadata, row.twin.desired.version) == (
        {"n": 1},
        twin.desired.metadata,
        4,
    )


def test_keys_and_twins_are_left_out_where_they_are_not_wanted() -> None:
    shown = json.loads(encode_line(device(), initial_twin(PRESS, CREATED_AT), with_keys=False))
    assert shown["authentication"]["symmetricKey"] == {"primaryKey": None, "secondaryKey": None}
    assert "tags" not in shown
    assert "properties" not in shown
    shown = json.loads(encode_line(module(), None, with_keys=True))
    assert (shown["id"], shown["moduleId"]) == (ARM.device_id, ARM.module_id)
    assert "status" not in shown


def test_an_error_of_an_import_names_line_and_id() -> None:
    shown = json.loads(encode_import_error("a", 7, DeviceExists("there")))
    assert (shown["id"], shown["line"], shown["errorCode"]) == ("a", 7, 409001)


def test_new_keys_are_asked_for_and_shown() -> None:
    request = decode_key_request(b'{"policyKey":"secondaryKey","devices":[{"id":"a"},{"id":"b","moduleId":"m"}]}')
    assert (request.secondary, request.identities) == (True, (identity("a"), identity("b", "m")))
    assert decode_key_request(b'{"policyKey":"Primary","devices":[]}').secondary is False
    done = [
        Rekeyed(request.identities[0], SymmetricKeys(b"p" * 16, b"s" * 16)),
        Rekeyed(request.identities[1], DeviceNotFound("no")),
    ]
    shown = encode_rekeyed(request, done)
    assert shown["rotatedKeys"][0]["primaryKey"] == "cHBwcHBwcHBwcHBwcHBwcA=="
    assert [(each["id"], each["moduleId"], each["errorCode"]) for each in shown["errors"]] == [("b", "m", 404001)]
    with pytest.raises(PolicyKeyInvalid):
        decode_key_request(b'{"policyKey":"both","devices":[]}')
    with pytest.raises(InvalidArgument):
        decode_key_request(b'{"policyKey":"primary","devices":["a"]}')
