"""No statement about one identity, one job or one row walks over all of them: what it costs at a hundred devices, it
costs at a million. Asked of SQLite itself (https://sqlite.org/eqp.html)."""

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import ironhub.storage.sqlite
from ironhub.storage.sqlite.connections import create_file, open_writer
from ironhub.storage.sqlite.schema import upgrade

BY_DESIGN = frozenset(
    {
        "database.LIST_KEYS",
        "device_statements.COUNT_DEVICES",
        "database.PROBE",
        "policies.LIST",
        "transfers.LIST",
    }
)
"""Lists of few things, and tables of one row."""
MINE = ("device_statements", "devices", "twins", "sessions", "bulk", "transfers", "outbox", "policies", "database")
"""The modules whose statements are looked at here; what walks over twins by design (queries) has tests of its own."""
_SCAN = re.compile(r"^SCAN (?!CONSTANT ROW|\d+ CONSTANT)")


def statements() -> Iterator[tuple[str, str]]:
    """Every statement of the stores, by module and name."""
    package = ironhub.storage.sqlite
    for found in pkgutil.iter_modules(package.__path__):
        if found.name not in MINE:
            continue
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and re.match(r"SELECT|INSERT|UPDATE|DELETE", value):
                yield f"{found.name}.{name}", value


STATEMENTS = dict(statements())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The schema, with statistics as of many devices."""
    path: Path = tmp_path_factory.mktemp("plans") / "hub.db"
    create_file(path)
    with closing(open_writer(path)) as connection:
        upgrade(connection)
        yield connection


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    """What SQLite will do."""
    names = set(re.findall(r":(\w+)", statement))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", dict.fromkeys(names, "")).fetchall()
    return [row[3] for row in rows]


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_walks_over_a_whole_table(database: sqlite3.Connection, name: str) -> None:
    scans = [step for step in plan(database, STATEMENTS[name]) if _SCAN.match(step)]
    assert bool(scans) == (name in BY_DESIGN), plan(database, STATEMENTS[name])


def test_the_statements_were_found() -> None:
    assert len(STATEMENTS) > 40
    assert set(STATEMENTS) >= BY_DESIGN


def test_pages_are_read_along_the_key_without_sorting(database: sqlite3.Connection) -> None:
    for name in ("bulk.PAGE", "device_statements.LIST_DEVICES", "transfers.LIST", "transfers.ACTIVE"):
        assert [step for step in plan(database, STATEMENTS[name]) if "TEMP B-TREE" in step] == []


def test_counting_devices_reads_one_row(database: sqlite3.Connection) -> None:
    assert plan(database, STATEMENTS["device_statements.COUNT_DEVICES"]) == ["SCAN device_counts"]
