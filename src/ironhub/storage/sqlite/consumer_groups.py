"""Consumer groups in SQLite."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from ironhub.messaging.telemetry.model import ConsumerGroup
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.statements import names, sql
from ironhub.storage.sqlite.tables import CONSUMER_GROUPS
from ironhub.storage.sqlite.transaction import Transaction

_SELECT: Final = select(CONSUMER_GROUPS.c.name, CONSUMER_GROUPS.c.created_at)
_IS_NAMED: Final = CONSUMER_GROUPS.c.name_key == bindparam("named")
GET: Final = sql(_SELECT.where(_IS_NAMED))
LIST: Final = sql(_SELECT.order_by(CONSUMER_GROUPS.c.position))
INSERT: Final = sql(insert(CONSUMER_GROUPS), *names(CONSUMER_GROUPS, "position"))
DELETE: Final = sql(delete(CONSUMER_GROUPS).where(_IS_NAMED))


class SqliteConsumerGroupStore:
    """A ConsumerGroupStore over the consumer_groups table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_groups(self) -> Sequence[ConsumerGroup]:
        """Return all, in the order they were created."""
        rows = await self._database.read(lambda tx: tx.all(LIST, {}))
        return [ConsumerGroup(*row) for row in rows]

    async def get_group(self, name: str) -> ConsumerGroup | None:
        """Return one, or None."""
        row = await self._database.read(lambda tx: tx.one(GET, {"named": name.lower()}))
        return None if row is None else ConsumerGroup(*row)

    async def add_group(self, group: ConsumerGroup) -> None:
        """Store it; when there is one of its name, that one stays."""
        key = group.name.lower()

        def work(tx: Transaction) -> None:
            if tx.one(GET, {"named": key}) is None:
                tx.change(INSERT, {"name_key": key, "name": group.name, "created_at": group.created_at})

        await self._database.write(work)

    async def delete_group(self, name: str) -> bool:
        """Forget it; returns False when there is none."""
        return bool(await self._database.write(lambda tx: tx.change(DELETE, {"named": name.lower()})))
