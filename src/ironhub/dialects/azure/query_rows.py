"""What a query found, as the vendor shows it: whole twins and job results, or rows of columns.

Source: REST reference of IoT Hub service, "Query - Get Twins"; what the vendor's SDKs read.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final

from ironhub.core.ids import DeviceId, Identity, ModuleId
from ironhub.dialects.azure.identity_json import encode_thumbprints
from ironhub.dialects.azure.query_names import Shape, shape_of, table_of
from ironhub.dialects.azure.timestamps import NEVER as NEVER_TEXT
from ironhub.dialects.azure.timestamps import instant
from ironhub.dialects.azure.twin_json import encode_metadata, encode_section, encode_twin
from ironhub.identity.model import CredentialKind, Credentials, Thumbprints
from ironhub.registry.model import Device, DeviceStatus, Module, Presence
from ironhub.twins.model import Section, Twin
from ironhub.twins.queries.model import NEVER, Aggregate, Measure, Path, Query, Row, Source

TWIN, DEVICE_JOB, RAW = "Twin", "deviceJob", "raw"
"""What the items of an answer are."""
ITEM_TYPE: Final = "x-ms-item-type"
CONTINUATION: Final = "x-ms-continuation"
PAGE_SIZE: Final = "x-ms-max-item-count"
_OF_VALUES: Final = {Measure.LEAST, Measure.GREATEST}


def item_type(query: Query) -> str:
    """Return what the items of its answer are called."""
    if query.source is Source.JOBS:
        return DEVICE_JOB
    return RAW if query.columns or query.grouped else TWIN


def encode_rows(query: Query, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the items of an answer."""
    if query.source is Source.JOBS:
        return [encode_device_job(row) for row in rows]
    if item_type(query) == TWIN:
        return [encode_document(row) for row in rows]
    places = {column.name: _place_of(column.shown) for column in query.columns}
    return [{name: _shown(places[name], value) for name, value in row.items()} for row in rows]


def encode_document(document: Row) -> dict[str, Any]:
    """Return a whole twin, just as it is shown when it is asked for alone."""
    twin = Twin(
        _identity(document),
        document["version"],
        document["etag_counter"],
        document["tags"],
        _section(document["sections"]["desired"]),
        _section(document["sections"]["reported"]),
        document["configurations"],
    )
    return encode_twin(twin, _owner(document))


def encode_device_job(row: Row) -> dict[str, Any]:
    """Return what a job did to one device."""
    words = {name: dict(table_of(Path((name,)))) for name in ("job_kind", "target_status")}
    shown: dict[str, Any] = {
        "deviceId": row["device_id"],
        "jobId": row["job_id"],
        "jobType": words["job_kind"][row["job_kind"]],
        "status": words["target_status"][row["target_status"]],
        "createdDateTimeUtc": instant(row["created_at"]),
        "lastUpdatedDateTimeUtc": instant(row["updated_at"]),
    }
    for name, theirs in (("started_at", "startTimeUtc"), ("ended_at", "endTimeUtc")):
        if name in row:
            shown[theirs] = instant(row[name])
    if "outcome" in row:
        shown["outcome"] = {"deviceMethodResponse": row["outcome"]}
    return {**shown, "error": row["error"]} if "error" in row else shown


def _place_of(what: Any) -> Path | None:
    """Where the values of a column come from: of those that an aggregate chose, too."""
    if isinstance(what, Aggregate):
        return what.of if what.measure in _OF_VALUES and isinstance(what.of, Path) else None
    return what if isinstance(what, Path) else None


def _shown(place: Path | None, value: Any) -> Any:
    """A value in the vendor's form."""
    if place is None or value is None:
        return value
    match shape_of(place):
        case Shape.INSTANT if isinstance(value, int | float):
            return f"{NEVER_TEXT}Z" if value == NEVER else instant(value)
        case Shape.ETAG:
            return b64encode(int(value).to_bytes(8, "big")).decode()
        case Shape.THUMBPRINT:
            return value.upper()
        case Shape.CHOICE:
            return next((theirs for ours, theirs in table_of(place) if ours == value), value)
    return _whole(place, value)


def _whole(place: Path, value: Any) -> Any:
    """An attribute that is an object of its own."""
    match place.steps:
        case ("thumbprints",):
            return encode_thumbprints(Thumbprints(value["primary"], value["secondary"]))
        case ("edge",):
            return {"iotEdge": value["capable"]}
        case ("sections",):
            return {name: encode_section(_section(section)) for name, section in value.items()}
        case ("sections", _):
            return encode_section(_section(value))
        case ("sections", _, "metadata", *_) if isinstance(value, dict):
            return encode_metadata(value)
    return value


def _section(section: Row) -> Section:
    return Section(section["version"], section["properties"], section["metadata"])


def _identity(document: Row) -> Identity:
    module_id = document.get("module_id")
    return Identity(DeviceId(document["device_id"]), None if module_id is None else ModuleId(module_id))


def _owner(document: Row) -> Device | Module:
    """The owner as far as its twin shows it: without keys, which no document has."""
    identity = _identity(document)
    kind = CredentialKind(document["credential_kind"])
    thumbprints = Thumbprints(document["thumbprints"]["primary"], document["thumbprints"]["secondary"])
    known: dict[str, Any] = {
        "generation_id": "",
        "etag": document["identity_etag"],
        "credentials": Credentials(kind, None, thumbprints),
        "created_at": 0.0,
        "presence": Presence(document["connected"], None, _or_none(document["last_activity_at"]), document["model_id"]),
        "pending_commands": document["pending_commands"],
    }
    if identity.module_id is not None:
        return Module(identity.device_id, identity.module_id, **known)
    return Device(
        identity.device_id,
        status=DeviceStatus(document["status"]),
        status_reason=document.get("status_reason"),
        status_changed_at=_or_none(document["status_changed_at"]),
        edge_capable=document["edge"]["capable"],
        scope=document.get("scope"),
        parent_scopes=tuple(document["parent_scopes"]),
        **known,
    )


def _or_none(at: float) -> float | None:
    return None if at == NEVER else at
