"""Shared access policies in SQLite."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from ironhub.core.sealing import Sealer
from ironhub.identity.model import KnownPolicy, Right
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.rows import json_text, open_keys, reading, seal_keys
from ironhub.storage.sqlite.statements import names, sql
from ironhub.storage.sqlite.tables import POLICIES, Row
from ironhub.storage.sqlite.transaction import Transaction

_SELECT: Final = select(POLICIES.c.name, POLICIES.c.sealed_keys, POLICIES.c.rights)
_IS_NAMED: Final = POLICIES.c.name_key == bindparam("named")
GET: Final = sql(_SELECT.where(_IS_NAMED))
LIST: Final = sql(_SELECT.order_by(POLICIES.c.position))
INSERT: Final = sql(insert(POLICIES), *names(POLICIES, "position"))
UPDATE: Final = sql(update(POLICIES).where(_IS_NAMED), *names(POLICIES, "position", "name_key"))
DELETE: Final = sql(delete(POLICIES).where(_IS_NAMED))


class SqlitePolicyStore:
    """A PolicyStore over the policies table."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def known_policy(self, name: str) -> KnownPolicy | None:
        """Return the policy (names compare case-insensitively), or None."""
        row = await self._database.read(lambda tx: tx.one(GET, {"named": name.lower()}))
        return None if row is None else self._policy(row)

    async def list_policies(self) -> Sequence[KnownPolicy]:
        """Return all, in the order they were created."""
        rows = await self._database.read(lambda tx: tx.all(LIST, {}))
        return [self._policy(row) for row in rows]

    async def put_policy(self, policy: KnownPolicy) -> None:
        """Store it durably, replacing the one of that name."""
        values = {
            "named": policy.name.lower(),
            "name_key": policy.name.lower(),
            "name": policy.name,
            "sealed_keys": seal_keys(self._sealer, policy.keys, _context(policy.name)),
            "rights": json_text(sorted(right.value for right in policy.rights)),
        }

        def work(tx: Transaction) -> None:
            if not tx.change(UPDATE, values):
                tx.change(INSERT, values)

        await self._database.write(work)

    async def delete_policy(self, name: str) -> bool:
        """Forget it durably; names compare case-insensitively. Returns False when there is none."""
        return bool(await self._database.write(lambda tx: tx.change(DELETE, {"named": name.lower()})))

    def _policy(self, row: Row) -> KnownPolicy:
        name, sealed, rights = row
        with reading(f"policy {name}"):
            keys = open_keys(self._sealer, sealed, _context(name))
            return KnownPolicy(name, keys, frozenset(Right(value) for value in json.loads(rights)))


def _context(name: str) -> bytes:
    return f"policies/{name.lower()}".encode()
