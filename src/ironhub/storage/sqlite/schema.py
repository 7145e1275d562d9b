"""Brings a database file to the schema of this code, before anything else is done with it."""

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from ironhub.core.errors import CorruptStore, StoreTooNew
from ironhub.storage.sqlite.errors import translated

SCHEMA: Final = "0007"
"""The newest revision in migrations/versions."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def upgrade(connection: sqlite3.Connection) -> None:
    """Run the migrations that `connection`'s file still needs, all or none of them.

    Raises:
        StoreTooNew: the file is at a revision that this code does not know.
        CorruptStore: it holds something else than a hub's database.
        sqlite3.Error: it cannot be read or written.
    """
    if stored_revision(connection) != SCHEMA:
        _migrate(connection)


def stored_revision(connection: sqlite3.Connection) -> str | None:
    """Return the revision of the file; None: it is empty."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if found else None
    return None if row is None else str(row[0])


def engine_over(connection: sqlite3.Connection) -> Engine:
    """Return an SQLAlchemy engine that uses this very connection, with transactions that hold changes of the schema."""
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def _begin(conn: object) -> None:
        connection.execute("BEGIN IMMEDIATE")

    return engine


def _migrate(connection: sqlite3.Connection) -> None:
    from alembic import command  # slow to import, and needed once in the life of most files
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    stored = stored_revision(connection)
    if stored is not None and stored not in known:
        raise StoreTooNew(f"the database is at schema {stored}, this version knows up to {SCHEMA}")
    try:
        with engine_over(connection).connect() as shared:
            config.attributes["connection"] = shared
            command.upgrade(config, "head")
    except DBAPIError as error:
        cause = error.orig
        if isinstance(cause, sqlite3.Error) and translated(cause) is not None:
            raise cause from error
        raise CorruptStore("hub.db is not the database of a hub", detail=str(cause)) from error
