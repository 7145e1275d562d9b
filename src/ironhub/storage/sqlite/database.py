"""The database file of one hub: opened and migrated once, written by one thread, read by others."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import insert, literal_column, select, update

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.sealing import WrappedKey
from ironhub.storage.sqlite.backup import back_up
from ironhub.storage.sqlite.connections import create_file, open_reader, open_writer
from ironhub.storage.sqlite.errors import Clash, translated
from ironhub.storage.sqlite.queries.functions import open_searcher
from ironhub.storage.sqlite.schema import upgrade
from ironhub.storage.sqlite.searchers import Searchers
from ironhub.storage.sqlite.statements import names, sql
from ironhub.storage.sqlite.tables import DATA_KEYS, PROBES
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.storage.sqlite.workers import Worker, Writer

T = TypeVar("T")

LIST_KEYS: Final = sql(select(DATA_KEYS.c.key_id, DATA_KEYS.c.wrapped).order_by(DATA_KEYS.c.key_id))
ADD_KEY: Final = sql(insert(DATA_KEYS), *names(DATA_KEYS))
PROBE: Final = sql(update(PROBES).values(times=PROBES.c.times + literal_column("1")))


class Database:
    """One SQLite file of the right schema. Its methods are for the event loop's thread; `open_database` makes one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._facts_stored: list[Callable[[], None]] = []
        self._writer = Writer("store-writer", partial(open_writer, path), self._tell_of_facts, probe=PROBE)
        self._reader = Worker("store-reader", partial(open_reader, path))
        self._browser = Worker("store-browser", partial(open_reader, path))
        self._searchers = Searchers(partial(open_searcher, path))

    def read(self, work: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """Run `work` on what is committed. For look-ups: whoever connects waits behind it."""
        return self._reader.submit(work)

    def browse(self, work: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """As `read`, for what may take long: pages and counts."""
        return self._browser.submit(work)

    async def search(self, work: Callable[[Transaction], T]) -> T:
        """As `read`, for queries of callers: bounded in time. Raises QueryTooExpensive besides."""
        return await self._searchers.run(work)

    def write(self, work: Callable[[Transaction], T], after: Callable[[], None] | None = None) -> asyncio.Future[T]:
        """Run `work` all or nothing; what it returns or raises comes when that is on the disk.

        It is done even when the caller is cancelled meanwhile. `after` is called when it is known how it ended.
        Raises Unavailable besides: the disk refused, and nothing is acknowledged.
        """
        return self._writer.submit(work, after)

    async def data_keys(self) -> Sequence[WrappedKey]:
        """Return all wrapped data keys, ordered by id."""
        rows = await self.read(lambda tx: tx.all(LIST_KEYS, {}))
        return [WrappedKey(key_id, wrapped) for key_id, wrapped in rows]

    async def add_data_key(self, key: WrappedKey) -> None:
        """Store it durably. Raises InvalidArgument: there is one of this id; nothing was changed."""
        try:
            await self.write(lambda tx: tx.change(ADD_KEY, {"key_id": key.key_id, "wrapped": key.wrapped}))
        except Clash:
            raise InvalidArgument(f"there is a data key {key.key_id} already") from None

    @property
    def last_error(self) -> HubError | None:
        """Why the newest batch of writes or look-ups failed; None: it did not."""
        return self._writer.last_error or self._reader.last_error

    @property
    def healthy(self) -> bool:
        """Whether the newest writes and look-ups went well."""
        return self.last_error is None

    async def probe(self) -> bool:
        """Return whether a write and a look-up go well now: what failed before may have been mended since."""
        try:
            await self.write(lambda tx: tx.change(PROBE, {}))
            await self.data_keys()
        except HubError:
            return False
        return self.healthy

    def on_facts(self, handler: Callable[[], None]) -> None:
        """Call `handler`, in the event loop's thread, whenever facts were committed."""
        self._facts_stored.append(handler)

    async def backup_to(self, path: Path) -> None:
        """Copy it as it stands to the new file `path`; the hub goes on. Raises InvalidArgument, Unavailable."""
        await asyncio.to_thread(back_up, self.path, path)

    async def close(self) -> None:
        """Commit what was handed in, then close; what comes later raises Unavailable."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        """The writer goes last: then it empties the write-ahead log into the file."""
        for worker in (self._searchers, self._reader, self._browser, self._writer):
            worker.close()

    def _tell_of_facts(self) -> None:
        for handler in self._facts_stored:
            handler()


def open_database(path: Path) -> Database:
    """Open hub.db at `path`, making or migrating it as needed; blocks meanwhile.

    Raises:
        StoreTooNew: a newer version of the hub wrote it.
        CorruptStore: it is damaged, or no database.
        Unavailable: it cannot be read or written.
    """
    try:
        create_file(path)
        connection = open_writer(path)
        try:
            upgrade(connection)
        finally:
            connection.close()
        return Database(path)
    except (OSError, sqlite3.Error) as error:
        raise translated(error) or error from error
