"""The schema keeps what the stores rely on when a device is deleted."""

import runpy

import pytest
from sqlalchemy import MetaData, Table

from ironhub.storage.sqlite import tables

IDS = ["device_id", "module_id"]
OWNED = sorted(
    name
    for name, table in tables.METADATA.tables.items()
    if "device_id" in table.columns and name not in ("identities", "outbox", "job_devices", "file_notifications")
)


@pytest.fixture(scope="module")
def fresh() -> MetaData:
    """The schema built anew, by this test and not by whoever was imported first."""
    built = runpy.run_path(tables.__file__)["METADATA"]
    assert isinstance(built, MetaData)
    return built


def test_the_schema_is_the_same_each_time_it_is_built(fresh: MetaData) -> None:
    assert set(fresh.tables) == set(tables.METADATA.tables)


@pytest.mark.parametrize("name", OWNED)
def test_what_belongs_to_an_identity_goes_with_it(fresh: MetaData, name: str) -> None:
    (key,) = fresh.tables[name].foreign_key_constraints
    assert key.referred_table.name == "identities"
    assert list(key.column_keys) == IDS
    assert key.ondelete == "CASCADE"


@pytest.mark.parametrize("name", OWNED)
def test_what_goes_with_it_is_found_without_a_scan(fresh: MetaData, name: str) -> None:
    """SQLite looks for the rows of a deleted parent in an index, if there is one."""
    assert any(columns[:2] == IDS for columns in _indexed(fresh.tables[name]))


def test_a_fact_outlives_its_device(fresh: MetaData) -> None:
    assert not fresh.tables["outbox"].foreign_key_constraints


def _indexed(table: Table) -> list[list[str]]:
    indexes = [[column.name for column in index.columns] for index in table.indexes]
    return [*indexes, [column.name for column in table.primary_key.columns]]
