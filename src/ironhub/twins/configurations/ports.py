"""What configurations need: a store, somebody who reads a dialect's conditions, and modules made where they lack."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ironhub.access.model import Grant
from ironhub.core.ids import Identity
from ironhub.twins.configurations.model import Configuration, Configured, Progress, Results, Target


class ConfigurationStore(Protocol):
    """Where configurations live. Whatever implements it passes tests/contracts/test_configuration_store.py."""

    async def get_configuration(self, configuration_id: str) -> Configuration | None:
        """Return it with its newest results, or None."""

    async def list_configurations(self) -> Sequence[Configuration]:
        """Return all, ordered by id."""

    async def put_configuration(self, configuration: Configuration, *, replacing: str | None) -> None:
        """Store it durably if `replacing` (None: nothing) is the stored etag.

        Its results are stored with it: None for a new one.

        Raises:
            ConfigurationExists, TooManyConfigurations: to be created, but it is there, or there is no room.
            ConfigurationEtagMismatch: another etag (or none) is stored; nothing was changed.
        """

    async def delete_configuration(self, configuration_id: str, *, replacing: str | None) -> None:
        """Delete it durably. Raises ConfigurationNotFound; ConfigurationEtagMismatch: `replacing` is not stored."""

    async def record_results(
        self, results: Mapping[str, Results], covered: Mapping[str, float], progress: Progress | None
    ) -> None:
        """Store what was found of each configuration that is still the one of `covered`, and how far a new look is."""

    async def get_progress(self) -> Progress | None:
        """Return how far a look at all twins has come; None: none is under way."""

    async def put_progress(self, progress: Progress | None) -> None:
        """Store it durably; None: none is under way."""

    async def configured_twins(self, *, after: Identity | None, limit: int) -> Sequence[Configured]:
        """Return at most `limit` twins that have configurations, by device and module id, after `after`; no scan."""


class ConditionReader(Protocol):
    """Understands the words in which conditions and metrics are written. Implemented by a dialect."""

    def target(self, text: str) -> Target:
        """Return who is meant. Raises ConfigurationTargetInvalid."""

    def metric(self, text: str) -> Target:
        """Return who is counted. Raises ConfigurationMetricInvalid."""

    def reports(self, configuration_id: str) -> tuple[Target, Target]:
        """Return who says that it runs a deployment, and who that it failed to."""


class ModuleMaker(Protocol):
    """Makes the modules that a deployment writes to. Implemented by the registry."""

    async def ensure_module(self, grant: Grant) -> None:
        """Create the module of the grant (CONFIGURATION_WRITE), with keys of its own, unless it is there.

        Raises DeviceNotFound, TooManyModules.
        """
