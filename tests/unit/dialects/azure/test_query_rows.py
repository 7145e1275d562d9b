"""Tests of dialects/azure/query_rows.py."""

from typing import Any

import pytest

from ironhub.core.ids import identity
from ironhub.dialects.azure.query import parse_query
from ironhub.dialects.azure.query_rows import encode_device_job, encode_document, encode_rows, item_type
from ironhub.dialects.azure.twin_json import encode_twin
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints
from ironhub.registry.model import Device, DeviceStatus, Module, Presence
from ironhub.storage.documents import document_of
from ironhub.twins.model import Section, Twin
from ironhub.twins.queries.model import NEVER, Row

KEYS = SymmetricKeys(b"p" * 32, b"s" * 32)
STAMP = {"$lastUpdated": 1.5, "a": {"$lastUpdated": 2.5}}
PRESS, ARM = identity("press-7"), identity("press-7", "arm")
DEVICES = (
    Device(PRESS.device_id, "g", "e", Credentials(CredentialKind.SAS, KEYS), 1.0),
    Device(
        PRESS.device_id,
        "g",
        "e",
        Credentials(CredentialKind.SELF_SIGNED, None, Thumbprints("ab" * 20, None)),
        1.0,
        DeviceStatus.DISABLED,
        "worn",
        2.0,
        edge_capable=True,
        scope="s",
        parent_scopes=("p", "q"),
        presence=Presence(True, 3.0, 4.0, "dtmi:m;1"),
        pending_commands=3,
    ),
)


def twin(who: Any = PRESS) -> Twin:
    section = Section(2, {"a": 1}, STAMP)
    return Twin(who, 5, 3, {"hall": "B2"}, section, section, {"c": {"status": "Applied"}})


def rows(text: str, *found: Row) -> list[dict[str, Any]]:
    return encode_rows(parse_query(text), found)


@pytest.mark.parametrize("device", DEVICES)
def test_a_whole_twin_is_shown_as_when_it_is_asked_for_alone(device: Device) -> None:
    shown = encode_document(document_of(device, twin()))
    assert shown == encode_twin(twin(), device)
    assert rows("SELECT * FROM devices", document_of(device, twin())) == [shown]


def test_a_module_twin_too() -> None:
    assert ARM.module_id is not None
    module = Module(ARM.device_id, ARM.module_id, "g", "e", Credentials(CredentialKind.SAS, KEYS), 1.0)
    assert encode_document(document_of(module, twin(ARM))) == encode_twin(twin(ARM), module)


def test_what_the_items_are_is_said() -> None:
    for text, kind in (
        ("SELECT * FROM devices", "Twin"),
        ("SELECT * FROM devices.modules", "Twin"),
        ("SELECT deviceId FROM devices", "raw"),
        ("SELECT COUNT() FROM devices", "raw"),
        ("SELECT * FROM devices.jobs", "deviceJob"),
    ):
        assert item_type(parse_query(text)) == kind


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("lastActivityTime", NEVER, "0001-01-01T00:00:00Z"),
        ("lastActivityTime", 1.5, "1970-01-01T00:00:01.5000000Z"),
        ("etag", 1, "AAAAAAAAAAE="),
        ("connectionState", True, "Connected"),
        ("authenticationType", "self_signed", "selfSigned"),
        ("x509Thumbprint.primaryThumbprint", "ab", "AB"),
        ("x509Thumbprint.primaryThumbprint", None, None),
        (
            "x509Thumbprint",
            {"primary": "ab", "secondary": None},
            {"primaryThumbprint": "AB", "secondaryThumbprint": None},
        ),
        ("capabilities", {"capable": True}, {"iotEdge": True}),
        ("tags.lastActivityTime", 5, 5),
        (
            "properties.desired",
            {"version": 2, "properties": {"a": 1}, "metadata": {"$lastUpdated": 0.0}},
            {"a": 1, "$metadata": {"$lastUpdated": "1970-01-01T00:00:00.0000000Z"}, "$version": 2},
        ),
        (
            "properties.reported.$metadata.a",
            {"$lastUpdated": 0.0, "$lastUpdatedVersion": 3},
            {"$lastUpdated": "1970-01-01T00:00:00.0000000Z", "$lastUpdatedVersion": 3},
        ),
        ("properties.reported.$metadata.a.$lastUpdated", 0.0, "1970-01-01T00:00:00.0000000Z"),
    ],
)
def test_columns_are_in_the_vendors_form(name: str, ours: Any, theirs: Any) -> None:
    assert rows(f"SELECT {name} AS x FROM devices", {"x": ours}, {}) == [{"x": theirs}, {}]


def test_both_sections_are_shown_together() -> None:
    section = {"version": 1, "properties": {}, "metadata": {}}
    shown = {"$metadata": {}, "$version": 1}
    found = rows("SELECT properties FROM devices", {"properties": {"desired": section, "reported": section}})
    assert found == [{"properties": {"desired": shown, "reported": shown}}]


def test_what_an_aggregate_chose_is_shown_as_what_it_was_chosen_from() -> None:
    text = "SELECT MAX(lastActivityTime) AS late, COUNT(lastActivityTime) AS n FROM devices"
    assert rows(text, {"late": 0.0, "n": 0}) == [{"late": "1970-01-01T00:00:00.0000000Z", "n": 0}]


def test_what_a_job_did_is_shown() -> None:
    row = {
        "device_id": "press-7",
        "job_id": "j",
        "job_kind": "method",
        "target_status": "succeeded",
        "created_at": 0.0,
        "updated_at": 1.0,
        "started_at": 0.5,
        "outcome": {"status": 200, "payload": None},
        "error": {"code": "c", "description": "d"},
    }
    assert encode_device_job(row) == {
        "deviceId": "press-7",
        "jobId": "j",
        "jobType": "scheduleDeviceMethod",
        "status": "completed",
        "createdDateTimeUtc": "1970-01-01T00:00:00.0000000Z",
        "lastUpdatedDateTimeUtc": "1970-01-01T00:00:01.0000000Z",
        "startTimeUtc": "1970-01-01T00:00:00.5000000Z",
        "outcome": {"deviceMethodResponse": {"status": 200, "payload": None}},
        "error": {"code": "c", "description": "d"},
    }
    assert rows("SELECT * FROM devices.jobs", row) == [encode_device_job(row)]
