"""Tests of storage/sqlite/searchers.py."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Event

import pytest

from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.storage.sqlite.connections import create_file, open_reader, open_writer
from ironhub.storage.sqlite.searchers import THREADS, Searchers
from ironhub.twins.queries.model import QueryTooExpensive

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def connect(tmp_path: Path) -> Callable[[], sqlite3.Connection]:
    path = tmp_path / "hub.db"
    create_file(path)
    writer = open_writer(path)
    writer.execute("CREATE TABLE t (x)")
    writer.close()
    return lambda: open_reader(path)


@pytest.fixture
async def searchers(connect: Callable[[], sqlite3.Connection]) -> AsyncIterator[Searchers]:
    searchers = Searchers(connect, time_limit=0.2)
    yield searchers
    searchers.close()


async def test_a_query_is_answered(searchers: Searchers) -> None:
    assert await searchers.run(lambda tx: tx.one("SELECT 1 + :n", {"n": 2})) == (3,)


async def test_a_query_that_runs_away_ends_and_the_next_is_answered(searchers: Searchers) -> None:
    for _ in range(THREADS + 1):
        with pytest.raises(QueryTooExpensive):
            await searchers.run(lambda tx: tx.one(FOREVER, {}))
    assert await searchers.run(lambda tx: tx.one("SELECT 1", {})) == (1,)


async def test_a_caller_who_goes_takes_the_query_along(connect: Callable[[], sqlite3.Connection]) -> None:
    searchers = Searchers(connect, time_limit=60.0)
    begun = Event()

    def work(tx: object) -> None:
        begun.set()
        tx.one(FOREVER, {})  # type: ignore[attr-defined]  # a Transaction

    asked = [asyncio.create_task(searchers.run(work)) for _ in range(THREADS)]
    await asyncio.to_thread(begun.wait, 10)
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    async with asyncio.timeout(10):
        assert await searchers.run(lambda tx: tx.one("SELECT 1", {})) == (1,)
    searchers.close()


async def test_nothing_can_be_written(searchers: Searchers) -> None:
    with pytest.raises(Unavailable):
        await searchers.run(lambda tx: tx.change("INSERT INTO t VALUES (1)", {}))


async def test_an_expression_that_is_too_deep_for_sqlite_is_refused(searchers: Searchers) -> None:
    for text in (" + ".join(["1"] * 5000), "(" * 500 + "1" + ")" * 500):
        with pytest.raises(QueryTooExpensive):
            await searchers.run(lambda tx, text=text: tx.one(f"SELECT {text}", {}))  # type: ignore[misc]


async def test_a_mistake_of_ours_and_a_damaged_file_are_told_apart(searchers: Searchers, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await searchers.run(lambda tx: tx.one("SELECT nonsense FROM t", {}))
    (tmp_path / "hub.db").write_bytes(b"rubbish" * 1000)
    (tmp_path / "hub.db-wal").unlink(missing_ok=True)
    with pytest.raises(CorruptStore):
        await asyncio.gather(*(searchers.run(lambda tx: tx.one("SELECT count(*) FROM t", {})) for _ in range(THREADS)))


async def test_a_closed_store_says_so(searchers: Searchers) -> None:
    searchers.close()
    with pytest.raises(Unavailable):
        await searchers.run(lambda tx: tx.one("SELECT 1", {}))
