"""Statements as text, and that none of them grows with the number of devices."""

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, literal_column, select, update

from ironhub.core.ids import identity
from ironhub.storage import sqlite as package
from ironhub.storage.sqlite import device_statements
from ironhub.storage.sqlite.connections import create_file, open_writer
from ironhub.storage.sqlite.schema import upgrade
from ironhub.storage.sqlite.statements import identity_of, ids_of, is_identity, key_of, limited, names, rows_of, sql
from ironhub.storage.sqlite.tables import SESSIONS

WHOLE_TABLES = {
    ("authorities", "LIST"),
    ("blob_statements", "STORED"),
    ("blob_statements", "WHOLE"),
    ("configurations", "COUNT"),
    ("configurations", "LIST"),
    ("consumer_groups", "LIST"),
    ("configurations", "PROGRESS"),
    ("database", "LIST_KEYS"),
    ("database", "PROBE"),
    ("device_statements", "COUNT_DEVICES"),
    ("policies", "LIST"),
    ("transfers", "LIST"),
    ("upload_statements", "GET_ACCOUNT"),
}
"""What there is one of, or at most some hundred; and the blobs, once at a start and in a backup."""


def all_statements() -> Iterator[tuple[str, str, str]]:
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        for name, text in vars(module).items():
            if name.isupper() and isinstance(text, str) and re.match(r"(SELECT|INSERT|UPDATE|DELETE)\b", text):
                yield found.name, name, text


def plan_of(database: sqlite3.Connection, statement: str) -> list[str]:
    values = dict.fromkeys(re.findall(r":(\w+)", statement))
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    create_file(tmp_path / "hub.db")
    with closing(open_writer(tmp_path / "hub.db")) as connection:
        upgrade(connection)
        yield connection


def test_an_index_answers_every_statement(database: sqlite3.Connection) -> None:
    statements = list(all_statements())
    assert len(statements) > 40
    for module, name, text in statements:
        plan = plan_of(database, text)
        assert not any("TEMP B-TREE" in step for step in plan), (module, name, plan)
        scans = any(step.startswith("SCAN") for step in plan)
        assert scans is ((module, name) in WHOLE_TABLES), (module, name, plan)


@pytest.mark.parametrize("count", [1, 64])
def test_presence_of_many_is_written_along_their_keys(database: sqlite3.Connection, count: int) -> None:
    statement = device_statements.came_or_went(count)
    steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * 5 * count)]
    assert "SEARCH identities USING PRIMARY KEY (device_id=? AND module_id=?)" in steps
    assert not any(step.startswith("SCAN identities") or "AUTOMATIC" in step for step in steps)


def test_a_page_of_devices_begins_where_the_last_one_ended(database: sqlite3.Connection) -> None:
    assert "device_id>?" in plan_of(database, device_statements.LIST_DEVICES)[0]


def test_a_value_in_a_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="values stand in"):
        sql(select(SESSIONS).where(SESSIONS.c.device_id == "press-7"))


def test_named_columns_get_the_parameter_of_their_name() -> None:
    assert sql(insert(SESSIONS), "device_id", "module_id") == (
        "INSERT INTO sessions (device_id, module_id) VALUES (:device_id, :module_id)"
    )
    changed = sql(update(SESSIONS).where(is_identity(SESSIONS)), "subscriptions")
    assert changed.startswith("UPDATE sessions SET subscriptions=:subscriptions WHERE")
    assert set(key_of(identity("d"))) == set(re.findall(r":(of_\w+)", changed))


def test_a_limit_is_a_parameter() -> None:
    text = sql(limited(select(literal_column("1")).where(SESSIONS.c.device_id > bindparam("after"))))
    assert re.findall(r":\w+", text) == [":after", ":limit"]


def test_an_identity_becomes_two_columns_and_back() -> None:
    for each in (identity("d"), identity("d", "m")):
        columns = ids_of(each)
        assert identity_of(columns["device_id"], columns["module_id"]) == each
    assert ids_of(identity("d")) == {"device_id": "d", "module_id": ""}


def test_columns_are_named_without_the_ones_left_out() -> None:
    assert names(SESSIONS, "device_id") == ("module_id", "subscriptions")


def test_rows_of_values_are_taken_by_position() -> None:
    assert rows_of(1, 1) == "VALUES (?)"
    assert rows_of(2, 3) == "VALUES (?, ?, ?), (?, ?, ?)"
