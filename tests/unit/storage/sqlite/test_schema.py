"""Database files of all ages come to the schema of this code, or are refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ironhub.core.errors import CorruptStore, StoreTooNew
from ironhub.storage.sqlite.connections import create_file, open_writer
from ironhub.storage.sqlite.database import open_database
from ironhub.storage.sqlite.schema import MIGRATIONS, SCHEMA, engine_over, stored_revision, upgrade
from ironhub.storage.sqlite.tables import METADATA


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "hub.db"
    create_file(path)
    return path


@pytest.fixture
def empty(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_writer(path)) as connection:
        yield connection


def test_the_migrations_lead_to_exactly_the_tables_in_the_code(empty: sqlite3.Connection) -> None:
    assert stored_revision(empty) is None
    upgrade(empty)
    assert stored_revision(empty) == SCHEMA
    with engine_over(empty).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_what_a_comparison_does_not_see_is_the_same_too(empty: sqlite3.Connection) -> None:
    """AUTOINCREMENT, WITHOUT ROWID and the condition of an index, by the text that SQLite itself keeps."""
    upgrade(empty)
    migrated = _definitions(empty)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as other:
        METADATA.create_all(engine_over(other))
        assert migrated == _definitions(other)


def _definitions(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: " ".join(sql.split()) for name, sql in rows if name not in ("alembic_version", "sqlite_sequence")}


def test_the_newest_migration_is_the_one_the_code_relies_on() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == SCHEMA


def test_a_newer_database_is_refused_and_not_touched(path: Path) -> None:
    with closing(open_writer(path)) as connection:
        upgrade(connection)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew) as refusal:
        open_database(path)
    assert "9999" in str(refusal.value)
    assert refusal.value.next_step
    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_nothing_behind(path: Path) -> None:
    """The last table of the first migration is there already, as in a file that was never a hub's."""
    with closing(open_writer(path)) as connection:
        connection.execute("CREATE TABLE probes (a)")
    with pytest.raises(CorruptStore):
        open_database(path)
    with closing(open_writer(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("probes",)]


def test_a_disk_that_is_full_while_migrating_is_told_as_such(empty: sqlite3.Connection) -> None:
    empty.execute("PRAGMA max_page_count = 5")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        upgrade(empty)
    empty.execute("PRAGMA max_page_count = 100000")
    upgrade(empty)
    assert stored_revision(empty) == SCHEMA
