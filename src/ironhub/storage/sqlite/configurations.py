"""Automatic configurations in SQLite."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from ironhub.core.ids import Identity
from ironhub.storage.sqlite.configuration_rows import (
    configuration_of,
    configuration_values,
    progress_of,
    progress_text,
    results_text,
)
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.errors import Clash
from ironhub.storage.sqlite.rows import json_object, reading
from ironhub.storage.sqlite.statements import identity_of, limited, names, sql
from ironhub.storage.sqlite.tables import CONFIGURATION_PROGRESS, CONFIGURATIONS, TWINS
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.twins.configurations.errors import (
    ConfigurationEtagMismatch,
    ConfigurationExists,
    ConfigurationNotFound,
    TooManyConfigurations,
)
from ironhub.twins.configurations.model import MAX_CONFIGURATIONS, Configuration, Configured, Progress, Results

_C: Final = CONFIGURATIONS.c
_SELECT: Final = select(*CONFIGURATIONS.columns)
_IS: Final = _C.configuration_id == bindparam("of_id")
GET: Final = sql(_SELECT.where(_IS))
LIST: Final = sql(_SELECT.order_by(_C.configuration_id))
COUNT: Final = sql(select(func.count()).select_from(CONFIGURATIONS))
INSERT: Final = sql(insert(CONFIGURATIONS), *names(CONFIGURATIONS))
UPDATE: Final = sql(
    update(CONFIGURATIONS).where(_IS, _C.etag == bindparam("replacing")), *names(CONFIGURATIONS, "configuration_id")
)
DELETE: Final = sql(delete(CONFIGURATIONS).where(_IS))
RECORD: Final = sql(update(CONFIGURATIONS).where(_IS, _C.created_at == bindparam("made_at")), "results")

PROGRESS: Final = sql(select(CONFIGURATION_PROGRESS.c.document))
DROP_PROGRESS: Final = sql(delete(CONFIGURATION_PROGRESS))
ADD_PROGRESS: Final = sql(insert(CONFIGURATION_PROGRESS), *names(CONFIGURATION_PROGRESS))

_T: Final = TWINS.c
CONFIGURED: Final = sql(
    limited(
        select(_T.device_id, _T.module_id, _T.configurations)
        .where(
            _T.configurations.is_not(None),
            _T.device_id >= bindparam("of_device"),
            or_(_T.device_id > bindparam("of_device"), _T.module_id > bindparam("of_module")),
        )
        .order_by(_T.device_id, _T.module_id)
    )
)


class SqliteConfigurationStore:
    """A ConfigurationStore over the configurations table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_configuration(self, configuration_id: str) -> Configuration | None:
        """Return it with its newest results, or None."""
        row = await self._database.read(lambda tx: tx.one(GET, {"of_id": configuration_id}))
        return None if row is None else configuration_of(row)

    async def list_configurations(self) -> Sequence[Configuration]:
        """Return all, ordered by id."""
        rows = await self._database.read(lambda tx: tx.all(LIST, {}))
        return [configuration_of(row) for row in rows]

    async def put_configuration(self, configuration: Configuration, *, replacing: str | None) -> None:
        """Store it if `replacing` is the stored etag.

        Raises ConfigurationExists, TooManyConfigurations, ConfigurationEtagMismatch.
        """
        values = configuration_values(configuration) | {"of_id": configuration.id, "replacing": replacing}

        def work(tx: Transaction) -> None:
            if replacing is None:
                tx.change(INSERT, values)
                _check_room(tx)
            elif not tx.change(UPDATE, values):
                raise ConfigurationEtagMismatch(f"{configuration.id} has another etag, or is gone")

        try:
            await self._database.write(work)
        except Clash:
            raise ConfigurationExists(f"{configuration.id} exists already") from None

    async def delete_configuration(self, configuration_id: str, *, replacing: str | None) -> None:
        """Delete it. Raises ConfigurationNotFound, ConfigurationEtagMismatch."""
        named = {"of_id": configuration_id}

        def work(tx: Transaction) -> None:
            row = tx.one(GET, named)
            if row is None:
                raise ConfigurationNotFound(f"there is no configuration {configuration_id}")
            if replacing not in (None, row[1]):
                raise ConfigurationEtagMismatch(f"{configuration_id} has another etag")
            tx.change(DELETE, named)

        await self._database.write(work)

    async def record_results(
        self, results: Mapping[str, Results], covered: Mapping[str, float], progress: Progress | None
    ) -> None:
        """Store what was found of each configuration that is still the one of `covered`, and how far a new look is."""
        rows = [
            {"of_id": name, "made_at": covered[name], "results": results_text(found)}
            for name, found in results.items()
            if name in covered
        ]

        def work(tx: Transaction) -> None:
            tx.change_each(RECORD, rows)
            _put_progress(tx, progress)

        await self._database.write(work)

    async def get_progress(self) -> Progress | None:
        """Return how far a look at all twins has come; None: none is under way."""
        row = await self._database.read(lambda tx: tx.one(PROGRESS, {}))
        return None if row is None else progress_of(row[0])

    async def put_progress(self, progress: Progress | None) -> None:
        """Store it durably; None: none is under way."""
        await self._database.write(lambda tx: _put_progress(tx, progress))

    async def configured_twins(self, *, after: Identity | None, limit: int) -> Sequence[Configured]:
        """Return at most `limit` twins that have configurations, after `after`."""
        device, module = ("", "") if after is None else (after.device_id, after.module_id or "")
        values = {"of_device": device, "of_module": module, "limit": limit}
        rows = await self._database.browse(lambda tx: tx.all(CONFIGURED, values))
        found = []
        for device_id, module_id, text in rows:
            who = identity_of(device_id, module_id)
            with reading(f"the twin of {who}"):
                found.append(Configured(who, json_object(text)))
        return found


def _check_room(tx: Transaction) -> None:
    """Raising here takes the new row back."""
    counted = tx.one(COUNT, {})
    if counted is not None and counted[0] > MAX_CONFIGURATIONS:
        raise TooManyConfigurations(f"there are {MAX_CONFIGURATIONS} configurations already")


def _put_progress(tx: Transaction, progress: Progress | None) -> None:
    tx.change(DROP_PROGRESS, {})
    if progress is not None:
        tx.change(ADD_PROGRESS, {"progress_id": 1, "document": progress_text(progress)})
