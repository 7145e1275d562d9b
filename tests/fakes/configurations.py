"""A small hub with automatic configurations, whose words are a hall in the tags instead of a vendor's language."""

from typing import Any

from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub

from ironhub.access.model import Permission
from ironhub.core.ids import Identity
from ironhub.registry.service import RegistryService
from ironhub.streams.inproc import InprocBus
from ironhub.twins.configurations.applying import Applier
from ironhub.twins.configurations.engine import ConfigurationEngine, ConfigurationSettings
from ironhub.twins.configurations.errors import ConfigurationMetricInvalid, ConfigurationTargetInvalid
from ironhub.twins.configurations.model import (
    Configuration,
    ConfigurationDraft,
    Content,
    ContentKind,
    Target,
    Write,
)
from ironhub.twins.configurations.service import ConfigurationService
from ironhub.twins.model import Properties, Twin
from ironhub.twins.queries.model import ALWAYS, Comparison, Constant, Operator, Path, Source
from ironhub.twins.service import TwinService

READ = by_operator(Permission.CONFIGURATION_READ)
WRITE = by_operator(Permission.CONFIGURATION_WRITE)


class Halls:
    """Reads "*", "b" (devices of hall b), "m:b" (modules of hall b); "?" cannot be read."""

    def target(self, text: str) -> Target:
        """Return who is meant."""
        if text.endswith("?"):
            raise ConfigurationTargetInvalid("nobody understands ?")
        source = Source.MODULES if text.startswith("m:") else Source.DEVICES
        return Target(source, _in_hall(text.removeprefix("m:")))

    def metric(self, text: str) -> Target:
        """Return who is counted."""
        if text.endswith("?"):
            raise ConfigurationMetricInvalid("nobody understands ?")
        return self.target(text)

    def reports(self, configuration_id: str) -> tuple[Target, Target]:
        """Return the modules that report "good", and those that report "bad"."""
        said = Path(("sections", "reported", "properties", configuration_id))
        good, bad = (Comparison(Operator.EQUAL, said, Constant(word)) for word in ("good", "bad"))
        return Target(Source.MODULES, good), Target(Source.MODULES, bad)


class ConfiguredHub(SmallHub):
    """The services, and what tests ask of them again and again."""

    def __init__(self, *, batch: int = 500) -> None:
        super().__init__()
        self.service_of_twins = TwinService(self.twins, self.bus, self.clock)
        registry = RegistryService(self.stores.devices, InprocBus(), self.clock, self.entropy)
        self.applier = Applier(self.service_of_twins, registry)
        self.reader = Halls()
        self.engine = self.new_engine(batch)
        self.service = ConfigurationService(
            self.stores.configurations, self.reader, self.applier, self.wake, self.clock, self.entropy
        )

    def new_engine(self, batch: int) -> ConfigurationEngine:
        """Return an engine as it is after a restart."""
        settings = ConfigurationSettings(interval=1000.0, batch=batch, writes_at_once=3, retry_after=0.0)
        stores = self.stores
        return ConfigurationEngine(
            stores.configurations, stores.queries, self.reader, self.applier, self.clock, settings
        )

    def wake(self) -> None:
        """Whichever engine there is, it hears of changes."""
        self.engine.wake()

    async def put(self, name: str, target: str, *, if_match: str | None = None, **fields: Any) -> Configuration:
        """Create or change a configuration that sets "by" to its name unless told otherwise."""
        self.clock.advance(1)
        if if_match is None:
            fields.setdefault("content", Content(ContentKind.DEVICE, (Write(("by",), name),)))
        return await self.service.put(WRITE, name, ConfigurationDraft(target=target, **fields), if_match=if_match)

    async def place(self, who: Identity, hall: str | None) -> None:
        """Put a device or module into a hall."""
        grant = by_operator(Permission.TWIN_WRITE, who)
        await self.service_of_twins.update(grant, tags={"hall": hall}, desired=None, if_match=None)

    async def twin(self, who: Identity) -> Twin:
        """Return a twin."""
        return await self.service_of_twins.read(by_operator(Permission.TWIN_READ, who))

    async def standing(self, who: Identity) -> dict[str, str]:
        """Return how configurations stand to a twin."""
        configurations: Properties = (await self.twin(who)).configurations
        return {name: each["status"] for name, each in configurations.items()}

    async def counts(self, name: str) -> tuple[int, int]:
        """Return how many twins one targets, and how many it is applied to."""
        results = (await self.service.get(READ, name)).results
        assert results is not None
        return results.targeted, results.applied


def _in_hall(hall: str) -> Any:
    return ALWAYS if hall == "*" else Comparison(Operator.EQUAL, Path(("tags", "hall")), Constant(hall))
