"""The threads that answer queries: beside those for look-ups and pages, so that a query keeps nobody else waiting.

Protects against queries that run away: each has a time limit, kept by SQLite itself between two of its steps, and there
are so many threads and no more.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Final, TypeVar

from ironhub.core.errors import HubError, Unavailable
from ironhub.storage.sqlite.errors import translated
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.twins.queries.model import QueryTooExpensive

log: Final = logging.getLogger(__name__)

T = TypeVar("T")

THREADS: Final = 2
TIME_LIMIT: Final = 10.0
"""Seconds that one query may run."""
STEPS: Final = 2_000
"""Instructions of SQLite's machine between two looks whether a query's time is over."""

TOO_LARGE: Final = ("Expression tree is too large", "parser stack overflow")
"""What SQLite says of a statement that it does not take: it has no code of its own for it."""


class Searchers:
    """Threads with a connection each, opened at once (as those of `workers.Worker` are). Raises sqlite3.Error."""

    def __init__(self, open_connection: Callable[[], sqlite3.Connection], *, time_limit: float = TIME_LIMIT) -> None:
        self._open = open_connection
        self._time_limit = time_limit
        self._free = [open_connection() for _ in range(THREADS)]
        self._turns = asyncio.Semaphore(THREADS)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store-searcher")
        self._closed = False

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Return what `work` returns, on what is committed. Raises QueryTooExpensive, Unavailable, CorruptStore.

        A caller that is cancelled ends its query.
        """
        async with self._turns:
            if self._closed:
                raise Unavailable("the store is closed")
            over = Event()
            answer = asyncio.get_running_loop().run_in_executor(self._pool, self._work, work, over)
            try:
                async with asyncio.timeout(self._time_limit):
                    return await asyncio.shield(answer)
            except TimeoutError:
                raise QueryTooExpensive(f"the query took longer than {self._time_limit:g} seconds") from None
            finally:
                over.set()
                answer.add_done_callback(_forget)

    def close(self) -> None:
        """End what runs and close the connections; blocks until then."""
        self._closed = True
        self._pool.shutdown()
        for connection in self._free:
            connection.close()

    def _work(self, work: Callable[[Transaction], T], over: Event) -> T:
        connection = self._free.pop() if self._free else None
        try:
            connection = connection or self._open()
            connection.set_progress_handler(over.is_set, STEPS)
            connection.execute("BEGIN")
            result = work(Transaction(connection))
            connection.execute("COMMIT")
        except BaseException as error:
            if connection is not None:
                connection.close()
            raise _meaning(error, over) from error
        self._free.append(connection)
        return result


def _meaning(error: BaseException, over: Event) -> BaseException:
    too_large = any(words in str(error) for words in TOO_LARGE)
    if isinstance(error, sqlite3.OperationalError) and (over.is_set() or too_large):
        return QueryTooExpensive("the query takes too long, or has too many parts")
    meaning = translated(error) if isinstance(error, Exception) else None
    if meaning is not None:
        log.error("store_search_failed", extra={"code": meaning.code, "detail": meaning.detail})
    return meaning or error


def _forget(answer: "asyncio.Future[T]") -> None:
    """Nobody waits for what ended late."""
    if not answer.cancelled() and isinstance(error := answer.exception(), HubError):
        log.debug("store_search_refused", extra={"code": error.code})
