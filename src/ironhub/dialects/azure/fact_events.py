"""What happened to an identity, as the events that Azure's built-in endpoint carries beside telemetry.

Source: azure "IoT Hub non-telemetry event schemas". An entry of the log holds a fact as `{"kind", "at"}` in its
properties and the fact's data in its body, both JSON.
"""

from typing import Any, Final, NamedTuple

from ironhub.core.facts import FactKind
from ironhub.core.strict_json import JsonInvalid, decode_json_object, encode_json
from ironhub.dialects.azure.timestamps import instant
from ironhub.dialects.azure.twin_json import encode_ids, encode_metadata, encode_section
from ironhub.messaging.telemetry.model import Logged
from ironhub.twins.model import Properties, etag_of, initial_twin


class FactEvent(NamedTuple):
    """The parts of an event that tells of a fact."""

    source: str
    properties: dict[str, str]
    application: dict[str, str | None]
    body: bytes


class _Words(NamedTuple):
    source: str
    operation: str
    schema: str


_WORDS: Final = {
    FactKind.DEVICE_CREATED: _Words("deviceLifecycleEvents", "createDeviceIdentity", "deviceLifecycleNotification"),
    FactKind.DEVICE_DELETED: _Words("deviceLifecycleEvents", "deleteDeviceIdentity", "deviceLifecycleNotification"),
    FactKind.CONNECTED: _Words("deviceConnectionStateEvents", "deviceConnected", "deviceConnectionStateNotification"),
    FactKind.DISCONNECTED: _Words(
        "deviceConnectionStateEvents", "deviceDisconnected", "deviceConnectionStateNotification"
    ),
    FactKind.TWIN_UPDATED: _Words("twinChangeEvents", "updateTwin", "twinChangeNotification"),
    FactKind.TWIN_REPLACED: _Words("twinChangeEvents", "replaceTwin", "twinChangeNotification"),
}
_UNKNOWN: Final = _Words("unknown", "unknown", "unknown")


def fact_event(logged: Logged, hub_name: str) -> FactEvent:
    """Return the event; one that says "unknown" for a fact that a later hub wrote."""
    head = _object(logged.entry.properties)
    kind, at = _kind(head.get("kind")), head.get("at")
    words = _WORDS[kind] if kind else _UNKNOWN
    at = at if isinstance(at, int | float) else logged.enqueued_at
    identity = logged.entry.origin.identity
    application: dict[str, str | None] = {
        "hubName": hub_name,
        **encode_ids(identity),
        "opType": words.operation,
        "operationTimestamp": instant(at),
        "iothub-message-schema": words.schema,
    }
    properties = {
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "user-id": hub_name,
        "correlation-id": f"{logged.partition:x}-{logged.sequence_number:x}",
    }
    return FactEvent(words.source, properties, application, encode_json(_body(logged, kind, at)))


def _kind(name: Any) -> FactKind | None:
    try:
        return FactKind(name)
    except ValueError:
        return None


def _body(logged: Logged, kind: FactKind | None, at: float) -> dict[str, Any]:
    data = _object(logged.entry.body)
    ids = encode_ids(logged.entry.origin.identity)
    match kind:
        case FactKind.CONNECTED | FactKind.DISCONNECTED:
            return {"sequenceNumber": f"{logged.sequence_number:064x}"}
        case FactKind.DEVICE_CREATED:
            return {**ids, **_born(logged, at)}
        case FactKind.TWIN_UPDATED:
            return _twin(data, whole=False)
        case FactKind.TWIN_REPLACED:
            return {**ids, **_twin(data, whole=True)}
        case _:
            return {**ids, **data}


def _born(logged: Logged, at: float) -> dict[str, Any]:
    twin = initial_twin(logged.entry.origin.identity, at)
    sections = {"desired": encode_section(twin.desired), "reported": encode_section(twin.reported)}
    return {"etag": etag_of(twin), "version": twin.version, "tags": {}, "properties": sections}


def _twin(data: Properties, *, whole: bool) -> dict[str, Any]:
    """`data` as the twin service wrote it: sections as `{"properties", "version", "metadata"}`."""
    names = ["etag", "version", "tags"] if whole else ["version", "tags"]
    shown: dict[str, Any] = {name: data[name] for name in names if name in data}
    sections = {}
    for name in ("desired", "reported"):
        if isinstance(section := data.get(name), dict):
            changed, metadata = section.get("properties", {}), section.get("metadata", {})
            metadata = encode_metadata(metadata if whole else _touched(metadata, changed))
            sections[name] = {**changed, "$metadata": metadata, "$version": section.get("version")}
    return {**shown, "properties": sections} if sections else shown


def _touched(metadata: Properties, patch: Properties) -> Properties:
    """Only what belongs to the keys of `patch`, and the stamps of the objects on the way."""
    kept: Properties = {}
    for key, value in metadata.items():
        if key.startswith("$"):
            kept[key] = value
        elif key in patch:
            below = patch[key]
            kept[key] = _touched(value, below) if isinstance(below, dict) else value
    return kept


def _object(data: bytes) -> Properties:
    try:
        return decode_json_object(data or b"{}")
    except JsonInvalid:
        return {}
