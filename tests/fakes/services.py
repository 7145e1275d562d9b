"""The stores of a small hub in memory, with devices in them, for tests of the services."""

from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.grants import by_operator
from tests.fakes.trouble import Trouble, troubled

from ironhub.access.model import Permission
from ironhub.core.bus import Notice
from ironhub.core.facts import Fact
from ironhub.core.ids import Identity
from ironhub.registry.model import DeviceDraft, ModuleDraft
from ironhub.registry.service import RegistryService
from ironhub.storage.memory.stores import memory_stores
from ironhub.streams.inproc import InprocBus


class SmallHub:
    """Clock, bus and stores that belong together; `trouble` stands in front of what the services get."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.entropy = FakeEntropy()
        self.bus = InprocBus()
        self.heard: list[Notice] = []
        self.bus.subscribe(self.heard.append)
        self.stores = memory_stores(self.entropy)
        self.trouble = Trouble()
        self.devices = troubled(self.stores.devices, self.trouble)
        self.twins = troubled(self.stores.twins, self.trouble)
        self.commands = troubled(self.stores.commands, self.trouble)

    async def register(self, *identities: Identity) -> None:
        """Create devices and modules, with keys; nobody hears of it."""
        registry = RegistryService(self.stores.devices, InprocBus(), self.clock, self.entropy)
        for who in identities:
            grant = by_operator(Permission.REGISTRY_WRITE, who)
            if who.module_id is None:
                await registry.put_device(grant, DeviceDraft(), if_match=None)
            else:
                await registry.put_module(grant, ModuleDraft(), if_match=None)

    async def facts(self) -> list[Fact]:
        """Return what the stores left in the outbox since the last call."""
        pending = await self.stores.outbox.pending_facts(10_000)
        if pending:
            await self.stores.outbox.drop_facts(pending[-1][0])
        return [fact for _, fact in pending]
