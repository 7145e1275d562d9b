"""Rows as documents. Only what a query shows is read; keys never are."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import func

from ironhub.core.ids import DeviceId
from ironhub.identity.model import CredentialKind
from ironhub.messaging.jobs.model import Target, TargetStatus
from ironhub.messaging.methods.model import MethodAnswer
from ironhub.registry.model import DeviceStatus
from ironhub.storage.documents import instant_of, job_document
from ironhub.storage.sqlite.queries.terms import PENDING, Sql, number, word
from ironhub.storage.sqlite.rows import json_object, reading
from ironhub.storage.sqlite.tables import IDENTITIES, JOB_DEVICES, JOBS, TWINS, Row
from ironhub.twins.model import FIRST_VERSION
from ironhub.twins.queries.model import UNDEFINED, Source
from ironhub.twins.queries.model import Row as Document

_I: Final = IDENTITIES.c
_T: Final = TWINS.c


class Field(NamedTuple):
    """The columns of one field of a document, and how their values make it; UNDEFINED: it has none."""

    columns: tuple[Sql, ...]
    made: Callable[..., Any]


def _known(value: Any) -> Any:
    """What is not set is absent."""
    return UNDEFINED if value in (None, "") else value


def _object(text: str | None) -> Document:
    return {} if text is None else json_object(text)


def _thumbprints(kind: str, primary: str | None, secondary: str | None) -> Document:
    known = CredentialKind(kind) is CredentialKind.SELF_SIGNED
    return {"primary": primary if known else None, "secondary": secondary if known else None}


def _sections(created_at: float, *columns: Any) -> Document:
    return {"desired": _section(created_at, *columns[:3]), "reported": _section(created_at, *columns[3:])}


def _section(created_at: float, version: int | None, properties: str | None, metadata: str | None) -> Document:
    """A twin that nobody wrote to has no row: its properties are as old as its owner."""
    if version is None:
        return {"version": 1, "properties": {}, "metadata": {"$lastUpdated": created_at}}
    return {"version": version, "properties": _object(properties), "metadata": _object(metadata)}


def _same(value: Any) -> Any:
    return value


FIELDS: Final[dict[str, Field]] = {
    "device_id": Field((_I.device_id,), _same),
    "module_id": Field((_I.module_id,), _known),
    "identity_etag": Field((_I.etag,), _same),
    "etag_counter": Field((func.coalesce(_T.etag_counter, number(1)),), _same),
    "version": Field((func.coalesce(_T.version, number(FIRST_VERSION)),), _same),
    "status": Field((_I.status,), lambda status: DeviceStatus(status).value),
    "status_reason": Field((_I.status_reason,), _known),
    "status_changed_at": Field((_I.status_changed_at,), instant_of),
    "connected": Field((_I.connected,), bool),
    "last_activity_at": Field((_I.last_activity_at,), instant_of),
    "pending_commands": Field((PENDING,), _same),
    "credential_kind": Field((_I.credential_kind,), _same),
    "thumbprints": Field((_I.credential_kind, _I.primary_thumbprint, _I.secondary_thumbprint), _thumbprints),
    "model_id": Field((func.coalesce(_I.model_id, word("")),), _same),
    "edge": Field((_I.edge_capable,), lambda capable: {"capable": bool(capable)}),
    "scope": Field((_I.scope,), _known),
    "parent_scopes": Field((_I.parent_scopes,), json.loads),
    "tags": Field((_T.tags,), _object),
    "sections": Field(
        (
            _I.created_at,
            _T.desired_version,
            _T.desired,
            _T.desired_metadata,
            _T.reported_version,
            _T.reported,
            _T.reported_metadata,
        ),
        _sections,
    ),
    "configurations": Field((_T.configurations,), _object),
}
OF_DEVICES: Final = frozenset({"status_reason", "edge", "scope", "parent_scopes"})
"""Fields that a module does not have."""
JOB_COLUMNS: Final = (*JOB_DEVICES.columns, JOBS.c.job_id, JOBS.c.kind)
"""What `document_of_job` takes."""


class Reader:
    """Makes documents with some of the fields from rows that begin with the device's and the module's id."""

    def __init__(self, source: Source, wanted: Iterable[str]) -> None:
        absent = OF_DEVICES if source is Source.MODULES else frozenset({"module_id"})
        self._fields = {name: FIELDS[name] for name in wanted if name in FIELDS and name not in absent}

    @property
    def columns(self) -> Sequence[Sql]:
        """The columns of its rows."""
        return [_I.device_id, _I.module_id, *(column for field in self._fields.values() for column in field.columns)]

    def document(self, row: Row) -> Document:
        """Return the document in a row of `columns`. Raises CorruptStore."""
        document: Document = {}
        start = 2
        with reading(f"what is known of {row[0]}/{row[1]}"):
            for name, (columns, made) in self._fields.items():
                value = made(*row[start : start + len(columns)])
                start += len(columns)
                if value is not UNDEFINED:
                    document[name] = value
        return document


def document_of_job(row: Row) -> Document:
    """Return the document in a row of JOB_COLUMNS. Raises CorruptStore."""
    it: dict[str, Any] = dict(zip(_JOB_NAMES, row, strict=True))
    with reading(f"what a job did to {it['device_id']}"):
        answer = None if it["answer_status"] is None else MethodAnswer(it["answer_status"], it["answer_payload"])
        target = Target(
            device_id=DeviceId(it["device_id"]),
            status=TargetStatus(it["status"]),
            created_at=it["created_at"],
            started_at=it["started_at"],
            ended_at=it["ended_at"],
            answer=answer,
            error_code=it["error_code"],
            error=it["error"],
        )
        return job_document(it["job_id"], it["kind"], target, it["updated_at"])


_JOB_NAMES: Final = tuple(column.name for column in JOB_COLUMNS)
