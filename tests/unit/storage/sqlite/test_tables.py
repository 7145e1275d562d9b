"""The schema keeps what the stores rely on when a device is deleted."""

import runpy

import pytest
from sqlalchemy import MetaData, Table

from ironhub.storage.sqlite import tables

FRESH: MetaData = runpy.run_path(tables.__file__)["METADATA"]
"""Built anew, so that it is this test that builds it."""
IDS = ["device_id", "module_id"]
OWNED = [name for name, table in FRESH.tables.items() if "device_id" in table.columns and name != "identities"]


def test_the_schema_is_the_same_each_time_it_is_built() -> None:
    assert set(FRESH.tables) == set(tables.METADATA.tables)


@pytest.mark.parametrize("name", sorted(set(OWNED) - {"outbox"}))
def test_what_belongs_to_an_identity_goes_with_it(name: str) -> None:
    (key,) = FRESH.tables[name].foreign_key_constraints
    assert key.referred_table.name == "identities"
    assert list(key.column_keys) == IDS
    assert key.ondelete == "CASCADE"


@pytest.mark.parametrize("name", sorted(set(OWNED) - {"outbox"}))
def test_what_goes_with_it_is_found_without_a_scan(name: str) -> None:
    """SQLite looks for the rows of a deleted parent in an index, if there is one."""
    assert any(columns[:2] == IDS for columns in _indexed(FRESH.tables[name]))


def test_a_fact_outlives_its_device() -> None:
    assert not FRESH.tables["outbox"].foreign_key_constraints


def _indexed(table: Table) -> list[list[str]]:
    indexes = [[column.name for column in index.columns] for index in table.indexes]
    return [*indexes, [column.name for column in table.primary_key.columns]]
