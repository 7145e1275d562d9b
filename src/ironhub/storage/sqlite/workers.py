"""The threads that talk to SQLite: one writes, in groups; others read beside it."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from ironhub.core.batching import BatchThread
from ironhub.core.errors import HubError, Unavailable
from ironhub.storage.sqlite.errors import translated
from ironhub.storage.sqlite.transaction import Transaction

log: Final = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Transaction], T]
Opener = Callable[[], sqlite3.Connection]


class _Job(NamedTuple):
    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    after: Callable[[], None] | None


class _Answer(NamedTuple):
    job: _Job
    result: Any
    error: Exception | None


class Worker:
    """A thread with a connection of its own, opened at once, and anew after it failed.

    At once, because SQLite makes files for the first connection: readers that are there need no room on a full disk.
    Raises sqlite3.Error when it is made.
    """

    def __init__(self, name: str, open_connection: Opener) -> None:
        self._open = open_connection
        self._connection: sqlite3.Connection | None = open_connection()
        self._closed = False
        self.last_error: HubError | None = None
        """Why the last batch failed as a whole; None: it did not."""
        self._thread: BatchThread[_Job] = BatchThread(name, self._run)

    def submit(self, work: Work[T], after: Callable[[], None] | None = None) -> asyncio.Future[T]:
        """Return the future of what `work` returns or raises; from the event loop's thread.

        `work` runs even when the caller is cancelled meanwhile. `after` is called in the loop's thread when it is
        known how it ended, before the future is, whether or not anybody waits.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._closed:
            future.set_exception(Unavailable("the store is closed"))
        else:
            self._thread.put(_Job(work, future, loop, after))
        return future

    def close(self) -> None:
        """Do what was submitted, then close the connection; blocks until then."""
        self._closed = True
        self._thread.close()
        self._drop_connection()

    def _run(self, jobs: list[_Job]) -> None:
        facts = False
        try:
            if self._connection is None:
                self._connection = self._open()
            transaction = Transaction(self._connection)
            answers = self._transact(self._connection, transaction, jobs)
            facts = transaction.has_facts
            self.last_error = None
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller is answered and the thread goes on
            answers = self._all_failed(jobs, error)
            self._drop_connection()
        _deliver(answers, self._facts_stored if facts else None)

    def _transact(self, connection: sqlite3.Connection, transaction: Transaction, jobs: list[_Job]) -> list[_Answer]:
        """Run all jobs in one transaction and end it. Raises when nothing of it came to be."""
        connection.execute("BEGIN")
        answers = [self._attempt(transaction, job) for job in jobs]
        connection.execute("COMMIT")
        return answers

    def _attempt(self, transaction: Transaction, job: _Job) -> _Answer:
        try:
            return _Answer(job, job.work(transaction), None)
        except sqlite3.Error as error:
            if translated(error) is not None:
                raise
            return _Answer(job, None, error)
        except Exception as error:  # noqa: BLE001 - it belongs to the caller of this job alone
            return _Answer(job, None, error)

    def _all_failed(self, jobs: list[_Job], error: Exception) -> list[_Answer]:
        meaning = translated(error) or error
        self.last_error = meaning if isinstance(meaning, HubError) else Unavailable("the store failed")
        log.error("store_failed", extra={"code": self.last_error.code, "detail": self.last_error.detail or repr(error)})
        return [_Answer(job, None, _same_again(meaning)) for job in jobs]

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()  # rolls back what is open
            except sqlite3.Error as error:
                log.warning("store_close_failed", extra={"detail": str(error)})

    def _facts_stored(self) -> None:
        """Facts were committed; called in the loop's thread."""


class Writer(Worker):
    """Runs what waits together in one transaction; each job undoes itself alone when it fails, the rest is committed
    with one sync of the disk, and only then anybody gets an answer."""

    def __init__(self, name: str, open_connection: Opener, facts_stored: Callable[[], None], *, probe: str) -> None:
        super().__init__(name, open_connection)
        self._tell = facts_stored
        self._probe = probe
        """A statement that changes a row; run with each group after one that failed, because a group that happens to
        change nothing does not show that the disk takes writes again."""

    def _transact(self, connection: sqlite3.Connection, transaction: Transaction, jobs: list[_Job]) -> list[_Answer]:
        connection.execute("BEGIN IMMEDIATE")
        if self.last_error is not None:
            connection.execute(self._probe)
        answers = []
        for job in jobs:
            connection.execute("SAVEPOINT job")
            answer = self._attempt(transaction, job)
            if answer.error is not None:
                connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
            answers.append(answer)
        connection.execute("COMMIT")
        return answers

    def _facts_stored(self) -> None:
        self._tell()


def _same_again(error: Exception) -> Exception:
    """An exception for each caller: raising one object in many tasks would tangle their tracebacks."""
    return type(error)(str(error), detail=error.detail) if isinstance(error, HubError) else error


def _deliver(answers: list[_Answer], facts_stored: Callable[[], None] | None) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Answer]] = {}
    for answer in answers:
        by_loop.setdefault(answer.job.loop, []).append(answer)
    for loop, its_answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, its_answers, facts_stored)
        except RuntimeError:
            log.debug("store_answer_unheard")  # the loop is closed: nobody waits any more


def _resolve(answers: list[_Answer], facts_stored: Callable[[], None] | None) -> None:
    if facts_stored is not None:
        facts_stored()
    for job, result, error in answers:
        if job.after is not None:
            job.after()
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
