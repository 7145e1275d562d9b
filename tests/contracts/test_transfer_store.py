"""The contract of provisioning.transfer.ports.TransferStore, against every implementation."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import CREATED_AT, IMPLEMENTATIONS, open_stores

from ironhub.identity.model import Remembered
from ironhub.provisioning.transfer.model import (
    Transfer,
    TransferBusy,
    TransferKind,
    TransferRequest,
    TransferStatus,
)
from ironhub.storage.stores import Stores

REQUEST = TransferRequest(
    kind=TransferKind.IMPORT,
    input_uri="https://account.example/in?sig=secret-of-the-input",
    input_blob="a.txt",
    output_uri="https://account.example/out?sig=secret-of-the-output",
    output_blob="b.txt",
    with_keys=False,
)

CREATOR = Remembered("owner", True, "", "digest of the key")


def job(job_id: str = "j1") -> Transfer:
    """A new job."""
    return Transfer(job_id=job_id, request=REQUEST, creator=CREATOR, created_at=CREATED_AT)


def ended(transfer: Transfer, at: float = CREATED_AT + 10) -> Transfer:
    """The same, over."""
    return replace(transfer, status=TransferStatus.COMPLETED, started_at=at - 1, ended_at=at, progress=100)


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


async def test_a_job_comes_back_as_it_was_stored(stores: Stores) -> None:
    assert await stores.transfers.get_transfer("j1") is None
    await stores.transfers.add_transfer(job())
    assert await stores.transfers.get_transfer("j1") == job()
    running = replace(job(), status=TransferStatus.RUNNING, started_at=CREATED_AT + 1, progress=40, failure="\u2014")
    assert await stores.transfers.put_transfer(running)
    assert await stores.transfers.get_transfer("j1") == running


async def test_one_job_at_a_time(stores: Stores) -> None:
    await stores.transfers.add_transfer(job())
    with pytest.raises(TransferBusy):
        await stores.transfers.add_transfer(job("j2"))
    assert await stores.transfers.get_transfer("j2") is None
    assert await stores.transfers.active_transfer() == job()
    await stores.transfers.put_transfer(ended(job()))
    assert await stores.transfers.active_transfer() is None
    await stores.transfers.add_transfer(job("j2"))


async def test_what_is_over_stays_as_it_ended(stores: Stores) -> None:
    await stores.transfers.add_transfer(job())
    cancelled = replace(job(), status=TransferStatus.CANCELLED, ended_at=CREATED_AT + 5)
    assert await stores.transfers.put_transfer(cancelled)
    assert not await stores.transfers.put_transfer(replace(job(), status=TransferStatus.RUNNING))
    assert not await stores.transfers.put_transfer(job("unknown"))
    assert await stores.transfers.get_transfer("j1") == cancelled


async def test_jobs_are_listed_newest_first_and_forgotten_when_they_are_old(stores: Stores) -> None:
    for number in range(3):
        await stores.transfers.add_transfer(job(f"j{number}"))
        await stores.transfers.put_transfer(ended(job(f"j{number}"), CREATED_AT + number))
    await stores.transfers.add_transfer(job("j3"))
    assert [each.job_id for each in await stores.transfers.list_transfers(limit=3)] == ["j3", "j2", "j1"]
    await stores.transfers.drop_transfers(CREATED_AT + 2)
    assert [each.job_id for each in await stores.transfers.list_transfers(limit=9)] == ["j3", "j2"]


async def test_no_signature_of_a_container_lies_open_on_the_disk(tmp_path: Path) -> None:
    async with open_stores("sqlite", tmp_path) as stores:
        await stores.transfers.add_transfer(job())
    found = [path.name for path in tmp_path.iterdir() if b"secret-of-the" in path.read_bytes()]
    assert found == []
