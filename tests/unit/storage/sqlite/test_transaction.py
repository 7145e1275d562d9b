"""What a store's function may do inside a transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from ironhub.storage.sqlite.errors import Clash
from ironhub.storage.sqlite.statements import rows_of
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


@pytest.mark.parametrize("count", [0, 1, 5, 63, 64, 85, 150])
def test_many_rows_go_in_together_in_their_order_with_few_statements(tx: Transaction, count: int) -> None:
    asked: list[int] = []

    def insert(size: int) -> str:
        asked.append(size)
        return f"INSERT INTO t (b) {rows_of(size, 1)}"

    assert tx.change_together(insert, [(str(number),) for number in range(count)]) == count
    assert tx.all("SELECT a, b FROM t ORDER BY a", {}) == [(number + 1, str(number)) for number in range(count)]
    assert sum(asked) == count
    assert len(asked) <= 10
    with pytest.raises(Clash):
        tx.change_together(lambda size: f"INSERT INTO t (a) {rows_of(size, 1)}", [(1,), (1,)])


def test_a_row_that_is_there_already_clashes(tx: Transaction) -> None:
    row = {"a": 1, "b": "x"}
    tx.change(INSERT, row)
    with pytest.raises(Clash):
        tx.change(INSERT, row)
    with pytest.raises(Clash):
        tx.change_each(INSERT, [row])
    with pytest.raises(Clash):
        tx.all(f"{INSERT} RETURNING a", row)
