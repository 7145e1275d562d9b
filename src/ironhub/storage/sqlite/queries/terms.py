"""Places in a document as SQL: which column, and what is known of the kind of value that stands there.

Only the columns named here can be reached. Keys are not among them.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, case, func, literal, literal_column, select

from ironhub.identity.model import CredentialKind
from ironhub.storage.sqlite.queries.functions import JSON_TYPES
from ironhub.storage.sqlite.tables import COMMANDS, IDENTITIES, JOB_DEVICES, JOBS, TWINS
from ironhub.twins.model import FIRST_VERSION
from ironhub.twins.queries.model import NEVER, Kind, Path, Source

Sql = ColumnElement[Any]
Steps = tuple[str | int, ...]

NULL: Final[Sql] = literal_column("NULL")
PENDING: Final = (
    select(func.count())
    .select_from(COMMANDS)
    .where(COMMANDS.c.device_id == IDENTITIES.c.device_id, COMMANDS.c.module_id == IDENTITIES.c.module_id)
    .scalar_subquery()
)
"""How many commands wait for an identity."""
_NAMED_BY_PATH: Final = re.compile(r"[^\"\\\x00-\x1f]+\Z")
"""Keys that a path of SQLite can name; others stand in the text of the column in another way than they are."""
_I: Final = IDENTITIES.c
_T: Final = TWINS.c


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """An expression as SQL. `kind` None: it differs from row to row, and `type` says it as SQLite's json_type does.

    `value` is NULL where the value is undefined or null; booleans are 1 and 0.
    """

    value: Sql
    kind: Kind | None
    type: Sql | None = None
    always: bool = False
    """Whether it is defined in every row."""
    leaf: bool = True
    """Whether it may be written more than once: it is short, and has no part that is written more than once."""


UNDEFINED_TERM: Final = Term(NULL, Kind.BOOLEAN)
"""What is never there."""


def word(text: str) -> Sql:
    """Return a constant of ours as SQL; never a value from outside."""
    return literal_column(f"'{text}'")


def number(value: float) -> Sql:
    """Return a number of ours as SQL."""
    return literal_column(repr(value))


def place(path: Path, source: Source) -> Term:
    """Return what stands at `path`."""
    first, rest = path.steps[0], path.steps[1:]
    if source is Source.JOBS:
        term = _JOB.get(first) if not rest else None
    elif source is Source.MODULES and first in _OF_DEVICES:
        term = None
    else:
        maker = _DOCUMENT.get(str(first))
        term = None if maker is None else maker(rest)
    return term or UNDEFINED_TERM


def json_term(column: Sql, steps: Steps) -> Term:
    """Return what stands at `steps` in the JSON text of `column`."""
    named = all(isinstance(step, int) or _NAMED_BY_PATH.match(step) for step in steps)
    if named:
        path = literal("$" + "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in steps))
        return Term(func.json_extract(column, path), None, func.json_type(column, path))
    text = literal(json.dumps(steps))
    return Term(func.hub_json_value(column, text), None, func.hub_json_type(column, text))


def types_of(*kinds: Kind) -> tuple[Sql, ...]:
    """Return the names that json_type has for `kinds`."""
    return tuple(word(name) for kind in kinds for name in JSON_TYPES[kind])


def _column(value: Sql, kind: Kind, *, always: bool = True) -> Callable[[Steps], Term | None]:
    term = Term(value, kind, always=always)
    return lambda rest: None if rest else term


def _json(table: Table, name: str, empty: str) -> Callable[[Steps], Term]:
    column = func.coalesce(table.c[name], word(empty))
    return lambda rest: json_term(column, rest) if rest else _OBJECT


def _edge(rest: Steps) -> Term | None:
    if not rest:
        return _OBJECT
    return Term(_I.edge_capable, Kind.BOOLEAN, always=True) if rest == ("capable",) else None


def _thumbprints(rest: Steps) -> Term | None:
    if not rest:
        return _OBJECT
    if rest not in {("primary",), ("secondary",)}:
        return None
    column = _I.primary_thumbprint if rest == ("primary",) else _I.secondary_thumbprint
    value = case((_I.credential_kind == word(CredentialKind.SELF_SIGNED.value), column), else_=NULL)
    return Term(value, None, case((value.is_(NULL), word("null")), else_=word("text")))


def _sections(rest: Steps) -> Term | None:
    if not rest or rest in {("desired",), ("reported",)}:
        return _OBJECT
    if rest[0] not in {"desired", "reported"}:
        return None
    section, part, inner = rest[0], rest[1], rest[2:]
    if part == "version" and not inner:
        return Term(func.coalesce(_T[f"{section}_version"], number(1)), Kind.NUMBER, always=True)
    if part == "properties":
        return _json(TWINS, str(section), "{}")(inner)
    return _metadata(f"{section}_metadata", inner) if part == "metadata" else None


def _metadata(name: str, inner: Steps) -> Term:
    """A twin that nobody wrote to has no row: its properties are as old as its owner."""
    term = _json(TWINS, name, "{}")(inner)
    if inner != ("$lastUpdated",):
        return term
    unwritten = _T.version.is_(NULL)
    return Term(
        case((unwritten, _I.created_at), else_=term.value),
        None,
        case((unwritten, word("real")), else_=term.type),
    )


def _at(column: Sql) -> Sql:
    return func.coalesce(column, number(NEVER))


_OBJECT: Final = Term(NULL, Kind.OBJECT, always=True)
_OF_DEVICES: Final = frozenset({"status_reason", "edge", "scope", "parent_scopes"})
_DOCUMENT: Final[dict[str, Callable[[Steps], Term | None]]] = {
    "device_id": _column(_I.device_id, Kind.STRING),
    "module_id": _column(func.nullif(_I.module_id, word("")), Kind.STRING, always=False),
    "identity_etag": _column(_I.etag, Kind.STRING),
    "etag_counter": _column(func.coalesce(_T.etag_counter, number(1)), Kind.NUMBER),
    "version": _column(func.coalesce(_T.version, number(FIRST_VERSION)), Kind.NUMBER),
    "status": _column(_I.status, Kind.STRING),
    "status_reason": _column(func.nullif(_I.status_reason, word("")), Kind.STRING, always=False),
    "status_changed_at": _column(_at(_I.status_changed_at), Kind.NUMBER),
    "connected": _column(_I.connected, Kind.BOOLEAN),
    "last_activity_at": _column(_at(_I.last_activity_at), Kind.NUMBER),
    "pending_commands": _column(PENDING, Kind.NUMBER),
    "credential_kind": _column(_I.credential_kind, Kind.STRING),
    "thumbprints": _thumbprints,
    "model_id": _column(func.coalesce(_I.model_id, word("")), Kind.STRING),
    "edge": _edge,
    "scope": _column(_I.scope, Kind.STRING, always=False),
    "parent_scopes": lambda rest: json_term(_I.parent_scopes, rest),
    "tags": _json(TWINS, "tags", "{}"),
    "sections": _sections,
    "configurations": _json(TWINS, "configurations", "{}"),
}
_JOB: Final[dict[str | int, Term]] = {
    "device_id": Term(JOB_DEVICES.c.device_id, Kind.STRING, always=True),
    "job_id": Term(JOBS.c.job_id, Kind.STRING, always=True),
    "job_kind": Term(JOBS.c.kind, Kind.STRING, always=True),
    "target_status": Term(JOB_DEVICES.c.status, Kind.STRING, always=True),
    "created_at": Term(JOB_DEVICES.c.created_at, Kind.NUMBER, always=True),
    "updated_at": Term(JOB_DEVICES.c.updated_at, Kind.NUMBER, always=True),
    "started_at": Term(JOB_DEVICES.c.started_at, Kind.NUMBER),
    "ended_at": Term(JOB_DEVICES.c.ended_at, Kind.NUMBER),
}
