"""Tests of storage/sqlite/queries/statements.py."""

import sqlite3
from collections.abc import Iterator
from functools import reduce
from pathlib import Path as FilePath

import pytest

from ironhub.dialects.azure.query import MAX_QUERY, parse_condition
from ironhub.storage.sqlite.connections import create_file, open_writer
from ironhub.storage.sqlite.queries.documents import Reader
from ironhub.storage.sqlite.queries.functions import open_searcher
from ironhub.storage.sqlite.queries.statements import Statement, count, rows
from ironhub.storage.sqlite.schema import upgrade
from ironhub.twins.queries.model import DOCUMENT_FIELDS, MAX_DEPTH, Source

NAMED = (
    "deviceId = 'a'",
    "deviceId IN ['a', 'b']",
    "deviceId = 'a' AND tags.x = 1",
    "deviceId = 'a' OR deviceId = 'b'",
)
FEW = {
    "status = 'disabled'": "ix_identities_disabled",
    "capabilities.iotEdge = true": "ix_identities_edge",
    "connectionState = 'Connected'": "ix_identities_connected",
    "tags.x = 1 AND connectionState = 'Connected'": "ix_identities_connected",
}


@pytest.fixture
def connection(tmp_path: FilePath) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "hub.db"
    create_file(path)
    writer = open_writer(path)
    upgrade(writer)
    reader = open_searcher(path)
    yield reader
    reader.close()
    writer.close()


def asking(condition: str, after: tuple[str, str] | None = None, *, source: Source = Source.DEVICES) -> Statement:
    return rows(Reader(source, DOCUMENT_FIELDS), parse_condition(condition, source), source, after, 10)


def plan(connection: sqlite3.Connection, statement: Statement) -> str:
    found = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", statement.values)
    return "; ".join(row[3] for row in found)


@pytest.mark.parametrize("condition", NAMED)
def test_devices_that_are_named_are_looked_up(connection: sqlite3.Connection, condition: str) -> None:
    for after in (None, ("a", "")):
        assert "SCAN" not in plan(connection, asking(condition, after))
    assert "SCAN" not in plan(connection, count(parse_condition(condition), Source.DEVICES))


@pytest.mark.parametrize("condition", FEW)
def test_the_few_devices_that_are_often_asked_for_have_an_index(connection: sqlite3.Connection, condition: str) -> None:
    for after in (None, ("a", "")):
        assert FEW[condition] in plan(connection, asking(condition, after))


def test_a_page_goes_on_where_the_last_one_ended(connection: sqlite3.Connection) -> None:
    assert "(device_id>?)" in plan(connection, asking("tags.x = 1", ("a", "")))
    modules = asking("tags.x = 1", ("a", "b"), source=Source.MODULES)
    assert "(device_id,module_id)>(?,?)" in plan(connection, modules)
    assert "TEMP B-TREE" not in plan(connection, modules)


def test_no_value_of_a_query_stands_in_the_text() -> None:
    marker = "x'; DROP TABLE twins; --"
    text = f"""tags.[[{marker}]] = "{marker}" AND deviceId IN ["{marker}"] AND STARTSWITH(deviceId, "{marker}")"""
    statement = asking(text)
    assert "DROP" not in statement.text
    assert marker in statement.values.values()


def test_no_statement_reads_keys() -> None:
    assert "sealed_keys" not in asking("true").text


def test_the_sql_grows_with_the_query_and_not_faster(connection: sqlite3.Connection) -> None:
    deep = reduce(lambda inner, number: f"({inner} = tags.x{number})", range(MAX_DEPTH - 2), "tags.a")
    summed = reduce(lambda inner, _: f"(1 + LOWER({inner}) * 2)", range((MAX_DEPTH - 2) // 3), "tags.a")
    wide = " OR ".join(["tags.a = 1"] * 400)
    for condition in (deep, f"{summed} = 1", wide, f"tags.a IN [{','.join(['1'] * 400)}]"):
        statement = asking(condition)
        assert len(condition) <= MAX_QUERY
        assert len(statement.text) < 5000 + 60 * len(condition)
        assert connection.execute(statement.text, statement.values).fetchall() == []
