"""Statements are built with SQLAlchemy once, at import, and run as text: composing them at each call costs more than
SQLite does. Every value is a named parameter, but those of statements over many rows: they stand in the rows' order."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement

from ironhub.core.ids import DeviceId, Identity, ModuleId

_DIALECT: Final = sqlite.dialect(paramstyle="named")

Values = dict[str, Any]


def sql(statement: ClauseElement, *columns: str) -> str:
    """Return `statement` as text with `:name` parameters.

    Args:
        columns: of an INSERT or UPDATE: the columns that get the parameter of their own name.
    """
    compiled: Any = statement.compile(dialect=_DIALECT, column_keys=list(columns) or None)
    unnamed = [bind.key for bind in compiled.bind_names if not bind.required]
    if unnamed:
        raise ValueError(f"values stand in the statement itself: {unnamed}")
    return str(compiled)


def rows_of(count: int, columns: int) -> str:
    """Return VALUES of `count` rows; SQLite takes them in the order in which they stand."""
    row = f"({', '.join('?' * columns)})"
    return f"VALUES {', '.join([row] * count)}"


def limited(statement: Select[Any]) -> Select[Any]:
    """`statement` with at most `:limit` rows; the offset is written out because SQLAlchemy would make it a value."""
    return statement.limit(bindparam("limit")).offset(literal_column("0"))


def is_identity(table: Any) -> ColumnElement[bool]:
    """The row of one identity; takes `key_of(identity)`."""
    of_module: ColumnElement[bool] = table.c.module_id == bindparam("of_module")
    return and_(is_device(table), of_module)


def is_device(table: Any) -> ColumnElement[bool]:
    """All rows of a device and its modules; takes `key_of(identity)` too."""
    of_device: ColumnElement[bool] = table.c.device_id == bindparam("of_device")
    return of_device


def key_of(identity: Identity) -> Values:
    """The parameters that `is_identity` needs."""
    return {"of_device": identity.device_id, "of_module": identity.module_id or ""}


def ids_of(identity: Identity) -> Values:
    """The two columns that name an identity, for an INSERT."""
    return {"device_id": identity.device_id, "module_id": identity.module_id or ""}


def identity_of(device_id: str, module_id: str) -> Identity:
    """The identity that a row's two columns name."""
    return Identity(DeviceId(device_id), ModuleId(module_id) if module_id else None)


def names(table: Table, *without: str) -> tuple[str, ...]:
    """The names of all columns but those `without`."""
    return tuple(column.name for column in table.columns if column.name not in without)
