"""The vendor's names for what can be asked, as places in our documents; and how their values are shown.

Names of the vendor's own attributes are compared without regard to case, keys inside tags and properties with it. A
name that is not known is a place where nothing is.
Source: Azure IoT Hub, "IoT Hub query language for device and module twins, jobs, and message routing".
"""

from enum import Enum, auto
from typing import Final, NamedTuple

from ironhub.dialects.azure.identity_json import AUTHENTICATION_TYPES
from ironhub.twins.queries.model import Path, Source

Steps = tuple[str | int, ...]
Table = tuple[tuple[str | bool, str], ...]

_TWIN: Final[dict[str, tuple[str, Steps]]] = {
    "deviceid": ("deviceId", ("device_id",)),
    "moduleid": ("moduleId", ("module_id",)),
    "etag": ("etag", ("etag_counter",)),
    "deviceetag": ("deviceEtag", ("identity_etag",)),
    "version": ("version", ("version",)),
    "status": ("status", ("status",)),
    "statusreason": ("statusReason", ("status_reason",)),
    "statusupdatetime": ("statusUpdateTime", ("status_changed_at",)),
    "statusupdatedtime": ("statusUpdatedTime", ("status_changed_at",)),
    "connectionstate": ("connectionState", ("connected",)),
    "lastactivitytime": ("lastActivityTime", ("last_activity_at",)),
    "cloudtodevicemessagecount": ("cloudToDeviceMessageCount", ("pending_commands",)),
    "authenticationtype": ("authenticationType", ("credential_kind",)),
    "x509thumbprint": ("x509Thumbprint", ("thumbprints",)),
    "modelid": ("modelId", ("model_id",)),
    "capabilities": ("capabilities", ("edge",)),
    "devicescope": ("deviceScope", ("scope",)),
    "parentscopes": ("parentScopes", ("parent_scopes",)),
    "tags": ("tags", ("tags",)),
    "properties": ("properties", ("sections",)),
    "configurations": ("configurations", ("configurations",)),
}
_JOB: Final[dict[str, tuple[str, Steps]]] = {
    "deviceid": ("deviceId", ("device_id",)),
    "moduleid": ("moduleId", ("module_id",)),
    "jobid": ("jobId", ("job_id",)),
    "jobtype": ("jobType", ("job_kind",)),
    "status": ("status", ("target_status",)),
    "starttimeutc": ("startTimeUtc", ("started_at",)),
    "endtimeutc": ("endTimeUtc", ("ended_at",)),
    "createddatetimeutc": ("createdDateTimeUtc", ("created_at",)),
    "createdtimeutc": ("createdTimeUtc", ("created_at",)),
    "lastupdateddatetimeutc": ("lastUpdatedDateTimeUtc", ("updated_at",)),
    "outcome": ("outcome", ("outcome",)),
    "error": ("error", ("error",)),
}
_BELOW: Final[dict[Steps, dict[str, tuple[str, str]]]] = {
    ("thumbprints",): {
        "primarythumbprint": ("primaryThumbprint", "primary"),
        "secondarythumbprint": ("secondaryThumbprint", "secondary"),
    },
    ("edge",): {"iotedge": ("iotEdge", "capable")},
    ("sections",): {"desired": ("desired", "desired"), "reported": ("reported", "reported")},
}
NOWHERE: Final[Steps] = ("",)
"""The place of a name that is not known: no document has it, so that none of our own names can be asked for."""
_SECTION: Final = {"$version": "version", "$metadata": "metadata"}
_SOURCES: Final[dict[Steps, Source]] = {
    ("devices",): Source.DEVICES,
    ("devices", "modules"): Source.MODULES,
    ("devices", "jobs"): Source.JOBS,
}
_JOB_TYPES: Final[Table] = (("twin_update", "scheduleUpdateTwin"), ("method", "scheduleDeviceMethod"))
_JOB_STATUSES: Final[Table] = (
    ("pending", "pending"),
    ("running", "running"),
    ("succeeded", "completed"),
    ("failed", "failed"),
    ("cancelled", "canceled"),
)
_CONNECTED: Final[Table] = ((True, "Connected"), (False, "Disconnected"))
_AUTHENTICATION: Final[Table] = tuple((kind.value, name) for kind, name in AUTHENTICATION_TYPES.items())
_TABLES: Final[dict[Steps, Table]] = {
    ("connected",): _CONNECTED,
    ("credential_kind",): _AUTHENTICATION,
    ("job_kind",): _JOB_TYPES,
    ("target_status",): _JOB_STATUSES,
}
_INSTANTS: Final = frozenset(
    {"status_changed_at", "last_activity_at", "started_at", "ended_at", "created_at", "updated_at"}
)


class Shape(Enum):
    """How the vendor writes a value that we keep otherwise."""

    PLAIN = auto()
    INSTANT = auto()
    ETAG = auto()
    THUMBPRINT = auto()
    CHOICE = auto()


class Named(NamedTuple):
    """A place in a document, and the name of a column that shows it."""

    path: Path
    name: str


def source_of(steps: Steps) -> Source | None:
    """Return what stands behind FROM; None: there is no such collection."""
    return _SOURCES.get(tuple(str(step).lower() for step in steps))


def place_of(steps: Steps, source: Source) -> Named:
    """Return what the vendor's name `steps` means. A name may begin with that of the collection."""
    steps = _without_collection(steps)
    name, ours = (_JOB if source is Source.JOBS else _TWIN).get(str(steps[0]).lower(), (str(steps[0]), NOWHERE))
    rest = steps[1:]
    if rest and ours in _BELOW:
        name, inner = _BELOW[ours].get(str(rest[0]).lower(), (str(rest[0]), ""))
        ours, rest = (*ours, inner) if inner else NOWHERE, rest[1:]
        if rest and ours[0] == "sections":
            system = _SECTION.get(str(rest[0]))
            ours = (*ours, system or "properties")
            name, rest = str(rest[0]), rest[1:] if system else rest
    texts = [step for step in rest if isinstance(step, str)]
    return Named(Path((*ours, *rest)), texts[-1] if texts else name)


def shape_of(path: Path) -> Shape:
    """Return how the vendor writes what stands at `path`."""
    first = path.steps[0]
    if len(path.steps) == 1:
        if first in _INSTANTS:
            return Shape.INSTANT
        if first == "etag_counter":
            return Shape.ETAG
        return Shape.CHOICE if table_of(path) else Shape.PLAIN
    if first == "thumbprints" and len(path.steps) == 2:
        return Shape.THUMBPRINT
    in_metadata = first == "sections" and path.steps[2:3] == ("metadata",)
    return Shape.INSTANT if in_metadata and path.steps[-1] == "$lastUpdated" else Shape.PLAIN


def table_of(path: Path) -> Table:
    """Return the vendor's words for our values at `path`; empty: they are the same."""
    return _TABLES.get(path.steps, ())


def _without_collection(steps: Steps) -> Steps:
    for size in (2, 1):
        if len(steps) > size and source_of(steps[:size]) is not None:
            return steps[size:]
    return steps
