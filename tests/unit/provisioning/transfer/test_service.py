from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.transfers import EXPORT, IMPORT, KEYS, READ, URI, WRITE, TransferWorld

from ironhub.access.model import PermissionDenied
from ironhub.core.errors import InvalidArgument
from ironhub.provisioning.transfer.model import (
    MAX_URI,
    ContainerInvalid,
    TransferBusy,
    TransferKind,
    TransferNotFound,
    TransferRequest,
)
from ironhub.provisioning.transfer.service import KEPT


@pytest.fixture
def world() -> TransferWorld:
    return TransferWorld()


async def test_one_job_at_a_time_and_old_ones_are_forgotten(world: TransferWorld) -> None:
    first = await world.service.create(WRITE, IMPORT)
    with pytest.raises(TransferBusy):
        await world.service.create(WRITE, EXPORT, reading=KEYS)
    await world.service.cancel(WRITE, first.job_id)
    world.hub.clock.advance(KEPT + 1)
    second = await world.service.create(WRITE, IMPORT)
    assert [each.job_id for each in await world.service.list(READ)] == [second.job_id]
    for call in (world.service.get(READ, first.job_id), world.service.cancel(WRITE, first.job_id)):
        with pytest.raises(TransferNotFound):
            await call


async def test_a_job_for_a_container_or_blob_that_cannot_be_is_refused_at_once(world: TransferWorld) -> None:
    bad = "https://evil/c?sig=s"
    refused: list[tuple[TransferRequest, type[Exception]]] = [
        (TransferRequest(kind=TransferKind.IMPORT, input_uri=bad, output_uri=URI), ContainerInvalid),
        (TransferRequest(kind=TransferKind.EXPORT, output_uri=bad), ContainerInvalid),
        (TransferRequest(kind=TransferKind.EXPORT, output_uri=URI + "x" * MAX_URI), InvalidArgument),
        (TransferRequest(kind=TransferKind.EXPORT, output_uri=URI, output_blob="a/../b"), InvalidArgument),
        (TransferRequest(kind=TransferKind.EXPORT, output_uri=URI, output_blob="a\n"), InvalidArgument),
    ]
    for request, error in refused:
        with pytest.raises(error):
            await world.service.create(WRITE, request, reading=KEYS)
    assert await world.service.list(READ) == []


async def test_who_may_not_read_the_registry_exports_no_keys(world: TransferWorld) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: world.service.create(WRITE, EXPORT),
        lambda: world.service.create(READ, IMPORT),
        lambda: world.service.cancel(READ, "x"),
        lambda: world.service.get(WRITE, "x"),
        lambda: world.service.list(WRITE),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call()
