import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.fakes.containers import FakeContainers, FakeSpools, PlainLines
from tests.fakes.grants import FakeRecall, by_operator
from tests.fakes.services import SmallHub

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.errors import InvalidArgument
from ironhub.provisioning.bulk.service import BulkService
from ironhub.provisioning.transfer.model import (
    MAX_URI,
    ContainerInvalid,
    Transfer,
    TransferBusy,
    TransferKind,
    TransferNotFound,
    TransferRequest,
)
from ironhub.provisioning.transfer.runner import TransferRunner
from ironhub.provisioning.transfer.service import KEPT, TransferService

URI = "https://good/c?sig=s"


IMPORT = TransferRequest(kind=TransferKind.IMPORT, input_uri=URI, output_uri=URI)


EXPORT = TransferRequest(kind=TransferKind.EXPORT, output_uri=URI)


WRITE, READ = by_operator(Permission.TRANSFER_WRITE), by_operator(Permission.TRANSFER_READ)


KEYS = by_operator(Permission.REGISTRY_READ)


class World:
    """A small hub with containers, and the jobs over it; `run` may be entered again, as after a crash."""

    def __init__(self) -> None:
        self.hub = SmallHub()
        self.containers = FakeContainers()
        self.spools = FakeSpools()
        self.recall = FakeRecall()
        self.bulk = BulkService(self.hub.stores.bulk, self.hub.bus, self.hub.clock, self.hub.entropy)
        self.service = TransferService(self.hub.stores.transfers, self.containers, self.hub.clock, self.hub.entropy)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Jobs are done while this is entered."""
        runner = TransferRunner(
            self.hub.stores.transfers,
            self.bulk,
            self.containers,
            PlainLines(),
            self.spools,
            self.recall,
            self.hub.clock,
            self.service.changed,
        )
        task = asyncio.create_task(runner.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def done(self, transfer: Transfer) -> Transfer:
        """Wait until it is over and cleaned up after."""
        async with asyncio.timeout(10):
            while not (found := await self.service.get(READ, transfer.job_id)).status.is_over or self.spools.kept:
                await asyncio.sleep(0)
        return found

    async def devices(self) -> list[str]:
        """The ids of all devices."""
        page = await self.hub.stores.devices.list_devices(after=None, limit=10_000)
        return [device.device_id for device in page.items]


@pytest.fixture
def world() -> World:
    return World()


async def test_one_job_at_a_time_and_old_ones_are_forgotten(world: World) -> None:
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


async def test_a_job_for_a_container_or_blob_that_cannot_be_is_refused_at_once(world: World) -> None:
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


async def test_who_may_not_read_the_registry_exports_no_keys(world: World) -> None:
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
