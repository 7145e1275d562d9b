"""What SQLite is taught of the query language: the functions that mean the same in every store.

Each gets values of the kinds it takes, or NULL for whatever else it was given, and then gives NULL: undefined. None of
them raises, and none reads anything but its arguments.
"""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ironhub.storage.sqlite.connections import open_reader
from ironhub.twins.queries.evaluate import called, compare, found, kind_of
from ironhub.twins.queries.functions import FUNCTIONS, join
from ironhub.twins.queries.model import UNDEFINED, Function, Kind, Operator, Sign

PREFIX: Final = "hub_"

JSON_TYPES: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.NULL: ("null",),
    Kind.BOOLEAN: ("true", "false"),
    Kind.NUMBER: ("integer", "real"),
    Kind.STRING: ("text",),
    Kind.ARRAY: ("array",),
    Kind.OBJECT: ("object",),
}
"""What SQLite's json_type calls each kind."""
_KINDS: Final = {name: kind for kind, names in JSON_TYPES.items() for name in names}


def open_searcher(path: Path) -> sqlite3.Connection:
    """Return a connection that reads, and knows the functions."""
    connection = open_reader(path)
    teach(connection)
    return connection


def teach(connection: sqlite3.Connection) -> None:
    """Make the functions known to `connection`."""
    for function in FUNCTIONS:
        _add(connection, function.value, -1, _calling(function))
    _add(connection, "join", 3, _join)
    _add(connection, "compare", 5, _compare)
    _add(connection, "array_contains", 3, _array_contains)
    _add(connection, "json_type", 2, _json_type)
    _add(connection, "json_value", 2, _json_value)


def _add(connection: sqlite3.Connection, name: str, count: int, function: Callable[..., Any]) -> None:
    connection.create_function(PREFIX + name, count, function, deterministic=True)


def _calling(function: Function) -> Callable[..., Any]:
    apply = FUNCTIONS[function].apply

    def call(*values: Any) -> Any:
        return None if None in values else _result(apply(*values))

    return call


def _join(sign: str, left: Any, right: Any) -> Any:
    return None if left is None or right is None else _result(join(Sign(sign), left, right))


def _compare(operator: str, left_type: str | None, left: Any, right_type: str | None, right: Any) -> Any:
    return _result(compare(Operator(operator), _value(left_type, left), _value(right_type, right)))


def _array_contains(array: str | None, kind: str | None, wanted: Any) -> Any:
    if array is None:
        return None
    return _result(called(Function.ARRAY_CONTAINS, [json.loads(array), _value(kind, wanted)]))


def _json_type(text: str | None, steps: str) -> str | None:
    """For keys that a path of SQLite cannot name."""
    value = UNDEFINED if text is None else found(json.loads(text), json.loads(steps))
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = kind_of(value)
    return None if kind is None else JSON_TYPES[kind][0]


def _json_value(text: str | None, steps: str) -> Any:
    value = UNDEFINED if text is None else found(json.loads(text), json.loads(steps))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _result(value)


def _value(type_name: str | None, value: Any) -> Any:
    """A value again, from its type and what SQLite made of it."""
    kind = None if type_name is None else _KINDS[type_name]
    if kind is None or (value is None and kind is not Kind.NULL):
        return UNDEFINED
    if kind is Kind.BOOLEAN:
        return bool(value)
    return json.loads(value) if kind in {Kind.ARRAY, Kind.OBJECT} else value


def _result(value: Any) -> Any:
    if value is UNDEFINED:
        return None
    return int(value) if isinstance(value, bool) else value
