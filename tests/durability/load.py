"""A hub under load: devices, operators, and the waiting for what they get done."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from tests.fakes.load_devices import LoadDevice, Record
from tests.fakes.load_registry import Ledger, Operator
from tests.fakes.running_hub import RunningHub

PATIENCE: Final = 30.0
"""Seconds until something that should happen is missed."""
LOOK: Final = 0.005
"""Seconds between two looks."""


class Load:
    """Everything that is done to one hub, over all its restarts."""

    def __init__(
        self, hub: RunningHub, *, devices: int = 6, window: int = 8, operators: int = 2, reports: bool = True
    ) -> None:
        """The hub runs; the devices are registered now. `reports`: whether they change their reported properties."""
        self.hub = hub
        self.records = [Record(hub.create_device(f"press-{number}")) for number in range(devices)]
        self.ledger = Ledger()
        self.in_flight = devices * window
        context = ssl.create_default_context(cafile=str(hub.ca_path))
        self.devices = [
            LoadDevice(record, hub, context, window=window, clean=number % 2 == 0, reports=reports)
            for number, record in enumerate(self.records)
        ]
        self._operators = [Operator(str(number), hub, self.ledger, self.records) for number in range(operators)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Devices and operators work inside; at the end they are gone without a goodbye."""
        work = [*(device.run() for device in self.devices), *(operator.run() for operator in self._operators)]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [each for each in ended if not isinstance(each, asyncio.CancelledError)]
        assert failures == []

    @property
    def acked(self) -> int:
        """Messages that were acknowledged."""
        return sum(len(record.acked) for record in self.records)

    @property
    def reported(self) -> int:
        """Reported patches that were answered with success."""
        return sum(len(record.reported) for record in self.records)

    @property
    def changes(self) -> int:
        """Changes of all kinds that were answered with success."""
        return self.reported + self.ledger.changes

    async def works(self, messages: int = 100, changes: int = 10) -> None:
        """Return when so many more messages, and changes of each kind, were acknowledged."""
        acked, reported, ledger = self.acked, self.reported, self.ledger.changes
        await until(
            lambda: (
                self.acked >= acked + messages
                and self.reported >= reported + changes
                and self.ledger.changes >= ledger + changes
            )
        )

    async def ends(self) -> None:
        """Return when every device has heard all that the hub said before it ended."""
        lost = [record.lost for record in self.records]
        await until(lambda: all(record.lost > before for record, before in zip(self.records, lost, strict=True)))


async def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return as soon as `condition()` holds. Raises TimeoutError."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen within {patience} seconds")
        await asyncio.sleep(LOOK)
