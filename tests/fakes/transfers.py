"""Imports and exports over a small hub and containers in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes.containers import FakeContainers, FakeSpools, PlainLines
from tests.fakes.grants import FakeRecall, by_operator
from tests.fakes.services import SmallHub

from ironhub.access.model import Permission
from ironhub.provisioning.bulk.service import BulkService
from ironhub.provisioning.transfer.model import Transfer, TransferKind, TransferRequest
from ironhub.provisioning.transfer.runner import TransferRunner
from ironhub.provisioning.transfer.service import TransferService

URI = "https://good/c?sig=s"
IMPORT = TransferRequest(kind=TransferKind.IMPORT, input_uri=URI, output_uri=URI)
EXPORT = TransferRequest(kind=TransferKind.EXPORT, output_uri=URI)
WRITE, READ = by_operator(Permission.TRANSFER_WRITE), by_operator(Permission.TRANSFER_READ)
KEYS = by_operator(Permission.REGISTRY_READ)


class TransferWorld:
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
