"""Persistent sessions in SQLite."""

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from ironhub.core.ids import Identity
from ironhub.messaging.sessions.model import StoredSession
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import is_identity, key_of, sql
from ironhub.storage.sqlite.tables import IDENTITIES, SESSIONS
from ironhub.storage.sqlite.transaction import Transaction

GET: Final = sql(select(SESSIONS.c.subscriptions).where(is_identity(SESSIONS)))
UPDATE: Final = sql(update(SESSIONS).where(is_identity(SESSIONS)), "subscriptions")
INSERT: Final = sql(
    insert(SESSIONS).from_select(
        ["device_id", "module_id", "subscriptions"],
        select(IDENTITIES.c.device_id, IDENTITIES.c.module_id, bindparam("subscriptions")).where(
            is_identity(IDENTITIES)
        ),
    )
)
"""Nothing happens when the identity is gone."""
DELETE: Final = sql(delete(SESSIONS).where(is_identity(SESSIONS)))


class SqliteSessionStore:
    """A SessionStore over the sessions table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_session(self, identity: Identity) -> StoredSession | None:
        """Return what the last connection left, or None."""
        row = await self._database.read(lambda tx: tx.one(GET, key_of(identity)))
        if row is None:
            return None
        with reading(f"the session of {identity}"):
            return StoredSession(identity, json_object(row[0]))

    async def put_session(self, session: StoredSession) -> None:
        """Store it durably, replacing what was there; dropped silently when the identity is gone."""
        values = key_of(session.identity) | {"subscriptions": json_text(session.subscriptions)}

        def work(tx: Transaction) -> None:
            if not tx.change(UPDATE, values):
                tx.change(INSERT, values)

        await self._database.write(work)

    async def delete_session(self, identity: Identity) -> None:
        """Forget it; no error when there is none."""
        await self._database.write(lambda tx: tx.change(DELETE, key_of(identity)))
