"""Facts of the log in the vendor's non-telemetry schemas."""

import json
from typing import Any

import pytest

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.fact_events import FactEvent, fact_event
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.model import Encoding, Entry, Logged, Origin, Source

NOON = 1_769_860_800.0
NOON_TEXT = "2026-01-31T12:00:00.0000000Z"
DEVICE = identity("press-7")


def told(properties: Any, body: Any = None, who: Identity = DEVICE) -> FactEvent:
    origin = Origin(who, Source.FACT, Encoding.JSON)
    entry = Entry(origin, json.dumps(properties).encode(), b"" if body is None else json.dumps(body).encode())
    return fact_event(Logged(0, 255, NOON, entry), "hub")


def fact(kind: str, body: Any = None, who: Identity = DEVICE) -> Any:
    return json.loads(told({"kind": kind, "at": NOON}, body, who).body)


@pytest.mark.parametrize(
    ("kind", "source", "operation"),
    [
        ("device_created", "deviceLifecycleEvents", "createDeviceIdentity"),
        ("device_deleted", "deviceLifecycleEvents", "deleteDeviceIdentity"),
        ("connected", "deviceConnectionStateEvents", "deviceConnected"),
        ("disconnected", "deviceConnectionStateEvents", "deviceDisconnected"),
        ("twin_updated", "twinChangeEvents", "updateTwin"),
        ("twin_replaced", "twinChangeEvents", "replaceTwin"),
        ("from_the_future", "unknown", "unknown"),
    ],
)
def test_each_fact_has_its_words(kind: str, source: str, operation: str) -> None:
    event = told({"kind": kind, "at": NOON})
    assert (event.source, event.application["opType"]) == (source, operation)


def test_a_connection_carries_an_ascending_number() -> None:
    assert fact("connected") == {"sequenceNumber": "0" * 62 + "ff"}


def test_a_creation_carries_the_whole_twin() -> None:
    section = {"$metadata": {"$lastUpdated": NOON_TEXT}, "$version": 1}
    assert fact("device_created", {"generation_id": "1"}, identity("press-7", "arm")) == {
        "deviceId": "press-7",
        "moduleId": "arm",
        "etag": "AAAAAAAAAAE=",
        "version": 2,
        "tags": {},
        "properties": {"desired": section, "reported": section},
    }


def test_a_deletion_names_who_is_gone() -> None:
    assert fact("device_deleted", {}) == {"deviceId": "press-7"}


def test_an_update_carries_what_changed_and_the_metadata_of_it() -> None:
    stamp = {"$lastUpdated": NOON, "$lastUpdatedVersion": 3}
    metadata = {**stamp, "fan": {**stamp, "speed": stamp, "mode": stamp}, "other": stamp, "on": stamp}
    changed = {"fan": {"speed": 3}, "gone": None, "on": True}
    shown = {"$lastUpdated": NOON_TEXT, "$lastUpdatedVersion": 3}
    data = {
        "version": 5,
        "etag": "AA=",
        "tags": {"floor": 1},
        "desired": {"properties": changed, "version": 3, "metadata": metadata},
    }
    assert fact("twin_updated", data) == {
        "version": 5,
        "tags": {"floor": 1},
        "properties": {
            "desired": {
                **changed,
                "$metadata": {**shown, "fan": {**shown, "speed": shown}, "on": shown},
                "$version": 3,
            }
        },
    }


def test_an_update_of_tags_only_has_no_properties() -> None:
    assert fact("twin_updated", {"version": 5, "tags": {}}) == {"version": 5, "tags": {}}


def test_a_replacement_carries_the_whole_twin() -> None:
    section = {"properties": {"a": 1}, "version": 2, "metadata": {"$lastUpdated": NOON, "a": {"$lastUpdated": NOON}}}
    shown = {
        "a": 1,
        "$metadata": {"$lastUpdated": NOON_TEXT, "a": {"$lastUpdated": NOON_TEXT}},
        "$version": 2,
    }
    data = {"version": 3, "etag": "AA=", "tags": {}, "desired": section, "reported": section}
    assert fact("twin_replaced", data) == {
        "deviceId": "press-7",
        "etag": "AA=",
        "version": 3,
        "tags": {},
        "properties": {"desired": shown, "reported": shown},
    }


@pytest.mark.parametrize("properties", [[], {"kind": None}, {"kind": [1]}, {}, {"kind": "connected", "at": "x"}])
def test_a_fact_that_cannot_be_read_is_told_at_the_time_it_was_stored(properties: Any) -> None:
    assert told(properties).application["operationTimestamp"] == NOON_TEXT


@pytest.mark.parametrize("kind", list(FactKind))
def test_what_the_log_keeps_of_a_fact_is_understood(kind: FactKind) -> None:
    entry = entry_of(Fact(kind, DEVICE, NOON + 1, {"version": 3, "tags": {"hall": 1}}))
    event = fact_event(Logged(0, 255, NOON, entry), "hub")
    assert event.source != "unknown"
    assert event.application["operationTimestamp"] == "2026-01-31T12:00:01.0000000Z"
    if kind is FactKind.TWIN_UPDATED:
        assert json.loads(event.body) == {"version": 3, "tags": {"hall": 1}}
