"""The threads that talk to SQLite."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ironhub.core.errors import HubError, InvalidArgument, Unavailable
from ironhub.storage.sqlite.connections import create_file, open_reader, open_writer
from ironhub.storage.sqlite.transaction import Transaction
from ironhub.storage.sqlite.workers import Worker, Writer

INSERT = "INSERT INTO t (a) VALUES (:a)"
PROBE = "UPDATE probes SET times = times + 1"
Answer = asyncio.Future[int] | asyncio.Future[None]


class Bench:
    """A file with one table, a writer and a reader over it, and a gate that holds the writer up."""

    def __init__(self, path: Path) -> None:
        create_file(path)
        with closing(open_writer(path)) as connection:
            connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
            connection.execute("CREATE TABLE probes (times INTEGER)")
            connection.execute("INSERT INTO probes VALUES (0)")
        self.path = path
        self.told = 0
        self.opened = 0
        self.gate = threading.Event()
        self.writer = Writer("test-writer", self._open, self._tell, probe=PROBE)
        self.reader = Worker("test-reader", partial(open_reader, path))

    def _open(self) -> sqlite3.Connection:
        self.opened += 1
        return open_writer(self.path)

    def _tell(self) -> None:
        self.told += 1

    async def hold_up(self) -> None:
        """Make the writer wait for the gate, so that what is submitted from here on makes one batch."""
        entered = threading.Event()

        def wait(_: Transaction) -> None:
            entered.set()
            self.gate.wait(30)

        self.writer.submit(wait)
        assert await asyncio.to_thread(entered.wait, 30)

    def insert(self, number: int) -> asyncio.Future[int]:
        return self.writer.submit(lambda tx: tx.change(INSERT, {"a": number}))

    async def stored(self) -> list[int]:
        return [row[0] for row in await self.reader.submit(lambda tx: tx.all("SELECT a FROM t ORDER BY a", {}))]


def fail(_: Transaction) -> None:
    """As if the disk could not sync."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    raise error


def _last_error(worker: Worker) -> HubError | None:
    return worker.last_error


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "hub.db")
    yield bench
    bench.gate.set()
    bench.writer.close()
    bench.reader.close()


async def test_what_was_written_is_read(bench: Bench) -> None:
    assert await bench.insert(1) == 1
    assert await bench.stored() == [1]
    assert bench.writer.last_error is bench.reader.last_error is None


async def test_of_a_batch_only_the_one_that_fails_is_undone(bench: Bench) -> None:
    def half_done(tx: Transaction) -> None:
        tx.change(INSERT, {"a": 50})
        raise InvalidArgument("changed its mind")

    def wrong(tx: Transaction) -> None:
        tx.change(INSERT, {"a": 60})
        tx.one("SELECT nonsense", {})

    await bench.hold_up()
    jobs: list[Answer] = [bench.insert(1), bench.writer.submit(half_done), bench.writer.submit(wrong), bench.insert(2)]
    bench.gate.set()
    first, refused, mistaken, last = await asyncio.gather(*jobs, return_exceptions=True)
    assert (first, last) == (1, 1)
    assert isinstance(refused, InvalidArgument)
    assert isinstance(mistaken, sqlite3.OperationalError)
    assert await bench.stored() == [1, 2]
    assert bench.writer.last_error is None


async def test_nobody_is_answered_before_the_commit(bench: Bench) -> None:
    """The second of a batch fails the disk; the first was done by then, and must not hear that it is stored."""
    await bench.hold_up()
    jobs: list[Answer] = [bench.insert(1), bench.writer.submit(fail), bench.insert(2)]
    bench.gate.set()
    answers = await asyncio.gather(*jobs, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert len({id(answer) for answer in answers}) == 3
    assert await bench.stored() == []
    assert isinstance(bench.writer.last_error, Unavailable)
    assert await bench.insert(3) == 1
    assert _last_error(bench.writer) is None
    assert bench.opened == 2


async def test_a_group_after_one_that_failed_proves_that_the_disk_takes_writes(bench: Bench) -> None:
    with pytest.raises(Unavailable):
        await bench.writer.submit(fail)
    for _ in range(3):
        await bench.writer.submit(lambda _: None)
    assert await bench.reader.submit(lambda tx: tx.one("SELECT times FROM probes", {})) == (1,)


async def test_a_caller_that_is_gone_harms_nobody(bench: Bench) -> None:
    await bench.hold_up()
    gone, stays = bench.insert(1), bench.insert(2)
    gone.cancel()
    bench.gate.set()
    assert await stays == 1
    assert await bench.stored() == [1, 2]


async def test_what_comes_after_is_called_whether_or_not_anybody_waits(bench: Bench) -> None:
    called: list[str] = []

    def refuse(_: Transaction) -> None:
        raise InvalidArgument("no")

    await bench.hold_up()
    gone = bench.writer.submit(refuse, lambda: called.append("gone"))
    refused = bench.writer.submit(refuse, lambda: called.append("refused"))
    gone.cancel()
    bench.gate.set()
    with pytest.raises(InvalidArgument):
        await refused
    assert called == ["gone", "refused"]


async def test_facts_are_told_of_once_per_batch(bench: Bench) -> None:
    def leave(tx: Transaction) -> None:
        tx.has_facts = True

    await bench.hold_up()
    jobs: list[Answer] = [bench.writer.submit(leave), bench.writer.submit(leave), bench.insert(1)]
    bench.gate.set()
    await asyncio.gather(*jobs)
    assert bench.told == 1
    await bench.insert(2)
    assert bench.told == 1


async def test_what_was_handed_in_is_done_before_the_end(bench: Bench) -> None:
    await bench.hold_up()
    waiting = [bench.insert(number) for number in range(5)]
    bench.gate.set()
    await asyncio.to_thread(bench.writer.close)
    assert await asyncio.gather(*waiting) == [1] * 5
    with pytest.raises(Unavailable):
        await bench.insert(9)
    assert await bench.stored() == list(range(5))


async def test_a_reader_whose_file_is_gone_says_so_and_recovers(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "hub.db", tmp_path / "elsewhere"
    create_file(path)
    reader = Worker("test-reader", partial(open_reader, path))
    path.rename(elsewhere)
    with pytest.raises(Unavailable):
        await reader.submit(fail)
    with pytest.raises(Unavailable):
        await reader.submit(lambda tx: tx.one("SELECT 1", {}))
    assert reader.last_error is not None
    elsewhere.rename(path)
    assert await reader.submit(lambda tx: tx.one("SELECT 1", {})) == (1,)
    assert _last_error(reader) is None
    await asyncio.to_thread(reader.close)


def test_a_loop_that_is_closed_stops_nobody(bench: Bench) -> None:
    async def leave_behind() -> None:
        await bench.hold_up()
        bench.insert(1)

    asyncio.run(leave_behind())
    bench.gate.set()
    assert asyncio.run(_insert_and_read(bench)) == [1, 2]


async def _insert_and_read(bench: Bench) -> list[int]:
    await bench.insert(2)
    return await bench.stored()


async def test_a_mistake_outside_of_a_job_is_told_to_all_and_ends_nothing(bench: Bench) -> None:
    """Somebody ends the transaction under the writer's feet."""
    with pytest.raises(sqlite3.OperationalError):
        await bench.writer.submit(lambda tx: tx.all("COMMIT", {}))
    assert isinstance(bench.writer.last_error, Unavailable)
    assert await bench.insert(1) == 1


class Stubborn(sqlite3.Connection):
    """A connection that does not close as it should."""

    def close(self) -> None:
        super().close()
        raise sqlite3.OperationalError("unable to close")


async def test_a_connection_that_does_not_close_stops_nobody() -> None:
    worker = Worker(
        "test-stubborn",
        lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=Stubborn),
    )
    with pytest.raises(Unavailable):
        await worker.submit(fail)
    assert await worker.submit(lambda tx: tx.one("SELECT 1", {})) == (1,)
    await asyncio.to_thread(worker.close)
