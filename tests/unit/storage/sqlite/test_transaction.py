"""What a store's function may do inside a transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from ironhub.storage.sqlite.errors import Clash
from ironhub.storage.sqlite.transaction import Transaction

INSERT = "INSERT INTO t (a, b) VALUES (:a, :b)"


@pytest.fixture
def tx() -> Iterator[Transaction]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
        yield Transaction(connection)


def test_rows_come_back_and_are_counted(tx: Transaction) -> None:
    assert tx.change(INSERT, {"a": 1, "b": "x"}) == 1
    assert tx.change_each(INSERT, [{"a": 2, "b": "y"}, {"a": 3, "b": "z"}]) == 2
    assert tx.one("SELECT b FROM t WHERE a = :a", {"a": 2}) == ("y",)
    assert tx.one("SELECT b FROM t WHERE a = :a", {"a": 9}) is None
    assert tx.all("SELECT a FROM t ORDER BY a", {}) == [(1,), (2,), (3,)]
    assert tx.change("UPDATE t SET b = :b", {"b": "w"}) == 3
    assert not tx.has_facts


def test_a_row_that_is_there_already_clashes(tx: Transaction) -> None:
    row = {"a": 1, "b": "x"}
    tx.change(INSERT, row)
    with pytest.raises(Clash):
        tx.change(INSERT, row)
    with pytest.raises(Clash):
        tx.change_each(INSERT, [row])
    with pytest.raises(Clash):
        tx.all(f"{INSERT} RETURNING a", row)
