"""Rows of bulk calls and of import and export files: ExportImportDevice objects, and the results that answer them.

Source: azure "Import and export IoT Hub device identities in bulk", REST reference of IoT Hub service (bulk registry).
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final, NamedTuple

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import Identity, identity
from ironhub.core.strict_json import decode_json, decode_json_object, encode_json
from ironhub.dialects.azure.errors import azure_error, error_text
from ironhub.dialects.azure.identity_json import device_draft, encode_credentials, module_draft
from ironhub.dialects.azure.timestamps import decode_instant
from ironhub.dialects.azure.twin_json import encode_section
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.provisioning.bulk.model import Row, RowError, RowMode, SectionWish, TwinWish
from ironhub.provisioning.bulk.service import Given, Rekeyed
from ironhub.registry.model import Device, Module
from ironhub.twins.model import FIRST_VERSION, Properties, Twin, etag_of

MAX_ROW_DEPTH: Final = 40
"""Far above what a twin may hold, with its metadata beside it."""
MAX_VERSION: Final = 2**52
_IF_MATCH: Final = "ifmatchetag"
_MODES: Final = {
    "create": RowMode.CREATE,
    "createorupdate": RowMode.CREATE_OR_UPDATE,
    "update": RowMode.UPDATE,
    "delete": RowMode.DELETE,
    "updatetwin": RowMode.UPDATE_TWIN,
}
_SYSTEM: Final = frozenset({"$metadata", "$version"})


class PolicyKeyInvalid(HubError):
    """The request does not say which of the two keys shall be made anew."""

    code: ClassVar[str] = "bulk.which_key"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send policyKey as primaryKey or secondaryKey."


class BulkElement(NamedTuple):
    """One element of a bulk call: a row, or why it is none; and what the answer calls it."""

    given: Given
    device_id: str
    module_id: str
    operation: str


class KeyRequest(NamedTuple):
    """Whose keys shall be made anew, and which."""

    policy_key: str
    secondary: bool
    identities: tuple[Identity, ...]


def decode_bulk(data: bytes) -> list[BulkElement]:
    """Return the elements of a bulk call's body. Raises JsonInvalid, InvalidArgument: it is no list of objects."""
    body = decode_json(data, max_depth=MAX_ROW_DEPTH)
    if not isinstance(body, list) or not all(isinstance(element, dict) for element in body):
        raise InvalidArgument("the body must be a list of devices")
    return [_element(element) for element in body]


def decode_line(line: bytes) -> Row:
    """Return the row that one line of an import file stands for. Raises JsonInvalid, InvalidArgument, InvalidId.

    Without an import mode it creates or updates; the edge device above it may stand further below.
    """
    return decode_row(decode_json_object(line, max_depth=MAX_ROW_DEPTH), parent_may_follow=True)


def decode_row(body: dict[str, Any], *, parent_may_follow: bool = False) -> Row:
    """Return the row that an object stands for. Raises InvalidArgument, InvalidId, TimestampInvalid."""
    who = identity(_text(body, "id") or "", _text(body, "moduleId") or None)
    mode, conditional = _mode(_text(body, "importMode"))
    # The Node SDK sends devices as it read them, where the same thing is called etag.
    etag, twin_etag = _text(body, "eTag") or _text(body, "etag"), _text(body, "twinETag") or _text(body, "twinEtag")
    if conditional and not (twin_etag if mode is RowMode.UPDATE_TWIN else etag):
        raise InvalidArgument("importMode asks for an etag, and none is given")
    keeps = mode in (RowMode.DELETE, RowMode.UPDATE_TWIN)
    drafts: dict[str, Any] = {}
    if not keeps:
        drafts = {"device": device_draft(body)} if who.module_id is None else {"module": module_draft(body)}
    return Row(
        identity=who,
        mode=mode,
        if_match=_bare(etag) if conditional and mode is not RowMode.UPDATE_TWIN else None,
        twin_if_match=_bare(twin_etag) if conditional and twin_etag else None,
        twin=TwinWish() if mode is RowMode.DELETE else decode_twin_part(body),
        parent_may_follow=parent_may_follow,
        **drafts,
    )


def decode_twin_part(body: dict[str, Any]) -> TwinWish:
    """Return what an object says of a twin. Raises InvalidArgument, TimestampInvalid."""
    properties = _object(body, "properties") or {}
    return TwinWish(
        _object(body, "tags"), _section(_object(properties, "desired")), _section(_object(properties, "reported"))
    )


def encode_result(elements: Sequence[BulkElement], errors: Sequence[RowError]) -> dict[str, Any]:
    """Return a BulkRegistryOperationResult."""
    told = []
    for error in errors:
        element = elements[error.number]
        told.append(
            {
                "deviceId": element.device_id,
                "moduleId": element.module_id or None,
                "errorCode": azure_error(error.error).name,
                "errorStatus": error_text(error.error),
                "operation": element.operation,
            }
        )
    return {"isSuccessful": not told, "errors": told, "warnings": []}


def encode_line(owner: Device | Module, twin: Twin | None, *, with_keys: bool) -> bytes:
    """Return one line of an export file, without its end; `twin` None: without the parts of the twin."""
    credentials = owner.credentials
    if not with_keys and credentials.keys is not None:
        credentials = Credentials(credentials.kind, None, credentials.thumbprints)
    shown: dict[str, Any] = {"id": owner.device_id}
    if isinstance(owner, Module):
        shown |= {"moduleId": owner.module_id, "managedBy": owner.managed_by}
    shown |= {"eTag": owner.etag, "importMode": "createOrUpdate"}
    if isinstance(owner, Device):
        shown |= {"status": owner.status.value, "statusReason": owner.status_reason}
    shown["authentication"] = encode_credentials(credentials)
    if twin is not None and _has_data(twin):
        sections = {"desired": encode_section(twin.desired), "reported": encode_section(twin.reported)}
        shown |= {"twinETag": etag_of(twin), "tags": twin.tags, "properties": sections}
    if isinstance(owner, Device):
        shown |= {"capabilities": {"iotEdge": owner.edge_capable}, "parentScopes": list(owner.parent_scopes)}
        if owner.scope is not None:
            shown["deviceScope"] = owner.scope
    return encode_json(shown)


def encode_import_error(identity_text: str, line: int, error: HubError) -> bytes:
    """Return one line of the log of an import's errors, without its end."""
    name = azure_error(error)
    shown = {"errorCode": name.number, "errorStatus": error_text(error), "id": identity_text, "line": line}
    return encode_json(shown)


def decode_key_request(data: bytes) -> KeyRequest:
    """Return whose keys shall be made anew. Raises JsonInvalid, InvalidArgument, InvalidId, PolicyKeyInvalid."""
    body = decode_json_object(data)
    wanted = _text(body, "policyKey") or ""
    place = wanted.lower().removesuffix("key")
    if place not in ("primary", "secondary"):
        raise PolicyKeyInvalid("policyKey names none of the two keys")
    devices = body.get("devices")
    if not isinstance(devices, list) or not all(isinstance(device, dict) for device in devices):
        raise InvalidArgument("devices must be a list of objects")
    identities = tuple(identity(_text(each, "id") or "", _text(each, "moduleId") or None) for each in devices)
    return KeyRequest(wanted, place == "secondary", identities)


def encode_rekeyed(request: KeyRequest, rekeyed: Sequence[Rekeyed]) -> dict[str, Any]:
    """Return the answer to a request for new keys."""
    shown: dict[str, Any] = {"policyKey": request.policy_key, "rotatedKeys": [], "errors": []}
    for who, outcome in rekeyed:
        ids = {"id": who.device_id, "moduleId": who.module_id}
        if isinstance(outcome, SymmetricKeys):
            keys = encode_credentials(Credentials(CredentialKind.SAS, outcome))["symmetricKey"]
            shown["rotatedKeys"].append({**ids, **keys})
        else:
            name = azure_error(outcome)
            shown["errors"].append({**ids, "errorCode": name.number, "errorStatus": error_text(outcome)})
    return shown


def _has_data(twin: Twin) -> bool:
    return bool(twin.version > FIRST_VERSION or twin.tags or twin.desired.properties or twin.reported.properties)


def _element(body: dict[str, Any]) -> BulkElement:
    given: Given
    try:
        given = decode_row(body)
    except HubError as error:
        given = error
    return BulkElement(given, _shown(body.get("id")), _shown(body.get("moduleId")), _shown(body.get("importMode")))


def _shown(value: Any) -> str:
    return value[:128] if isinstance(value, str) else ""


def _mode(name: str | None) -> tuple[RowMode, bool]:
    if not name:
        return RowMode.CREATE_OR_UPDATE, False
    folded = name.lower()
    bare = folded.removesuffix(_IF_MATCH)
    mode = _MODES.get(bare)
    if mode is None or (mode is RowMode.CREATE and bare != folded):
        raise InvalidArgument("importMode is none of those there are")
    return mode, bare != folded


def _bare(etag: str | None) -> str | None:
    return None if etag is None else etag.strip('"')


def _section(given: dict[str, Any] | None) -> SectionWish | None:
    if given is None:
        return None
    properties = {key: value for key, value in given.items() if key not in _SYSTEM}
    version, metadata = given.get("$version"), given.get("$metadata")
    if version is not None and (type(version) is not int or not 1 <= version <= MAX_VERSION):
        raise InvalidArgument("$version must be a positive number")
    told = _metadata(metadata, properties, None) if isinstance(metadata, dict) and "$lastUpdated" in metadata else None
    return SectionWish(properties, told, version)


def _metadata(given: dict[str, Any], properties: Properties, above: float | None) -> Properties:
    """Shaped like the properties, whatever the file's own shape: nothing is remembered of what is not there."""
    at = given.get("$lastUpdated")
    updated = decode_instant(at) if isinstance(at, str) else above
    kept: Properties = {"$lastUpdated": updated}
    version = given.get("$lastUpdatedVersion")
    if isinstance(version, int) and 1 <= version <= MAX_VERSION:
        kept["$lastUpdatedVersion"] = int(version)
    for key, value in properties.items():
        if value is not None:
            below = given.get(key)
            inner = value if isinstance(value, dict) else {}
            kept[key] = _metadata(below if isinstance(below, dict) else {}, inner, updated)
    return kept


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidArgument(f"{name} must be a text")
    return value


def _object(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise InvalidArgument(f"{name} must be a JSON object")
    return value
