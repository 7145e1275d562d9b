"""Persistent sessions in SQLite."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update

from ironhub.core.ids import Identity
from ironhub.messaging.sessions.model import StoredSession
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.identity_cache import IdentityCache
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import is_identity, key_of, sql
from ironhub.storage.sqlite.tables import IDENTITIES, SESSIONS, Row
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.storage.sqlite.workers import Work

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


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was read: a session, or that there is none."""

    session: StoredSession | None


def remembered_of(identity: Identity, row: Row | None) -> Remembered:
    """Return what GET found. Raises CorruptStore."""
    if row is None:
        return Remembered(None)
    with reading(f"the session of {identity}"):
        return Remembered(StoredSession(identity, json_object(row[0])))


class SqliteSessionStore:
    """A SessionStore over the sessions table."""

    def __init__(self, database: Database, cache: IdentityCache[Remembered] | None = None) -> None:
        self._database = database
        self._cache = cache or IdentityCache()

    async def get_session(self, identity: Identity) -> StoredSession | None:
        """Return what the last connection left, or None."""
        remembered = self._cache.get(identity)
        if remembered is not None:
            return remembered.session
        asked_at = self._cache.generation
        remembered = remembered_of(identity, await self._database.read(lambda tx: tx.one(GET, key_of(identity))))
        self._cache.put(identity, remembered, asked_at)
        return remembered.session

    async def put_session(self, session: StoredSession) -> None:
        """Store it durably, replacing what was there; dropped silently when the identity is gone."""
        values = key_of(session.identity) | {"subscriptions": json_text(session.subscriptions)}

        def work(tx: Transaction) -> None:
            if not tx.change(UPDATE, values):
                tx.change(INSERT, values)

        await self._write(session.identity, work)

    async def delete_session(self, identity: Identity) -> None:
        """Forget it; no error when there is none."""
        await self._write(identity, lambda tx: tx.change(DELETE, key_of(identity)))

    async def _write(self, identity: Identity, work: Work[Any]) -> None:
        await self._database.write(work, after=lambda: self._cache.forget(identity.device_id))
