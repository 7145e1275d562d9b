"""Automatic configurations in memory."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from ironhub.core.ids import Identity
from ironhub.storage.memory.state import State
from ironhub.twins.configurations.errors import (
    ConfigurationEtagMismatch,
    ConfigurationExists,
    ConfigurationNotFound,
    TooManyConfigurations,
)
from ironhub.twins.configurations.model import MAX_CONFIGURATIONS, Configuration, Configured, Progress, Results


class MemoryConfigurationStore:
    """A ConfigurationStore in dictionaries."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def get_configuration(self, configuration_id: str) -> Configuration | None:
        """Return it with its newest results, or None."""
        return deepcopy(self._state.configurations.get(configuration_id))

    async def list_configurations(self) -> Sequence[Configuration]:
        """Return all, ordered by id."""
        return [deepcopy(stored) for _, stored in sorted(self._state.configurations.items())]

    async def put_configuration(self, configuration: Configuration, *, replacing: str | None) -> None:
        """Store it if `replacing` is the stored etag.

        Raises ConfigurationExists, TooManyConfigurations, ConfigurationEtagMismatch.
        """
        stored = self._state.configurations.get(configuration.id)
        if replacing is None:
            if stored is not None:
                raise ConfigurationExists(f"{configuration.id} exists already")
            if len(self._state.configurations) >= MAX_CONFIGURATIONS:
                raise TooManyConfigurations(f"there are {MAX_CONFIGURATIONS} configurations already")
        elif stored is None or stored.etag != replacing:
            raise ConfigurationEtagMismatch(f"{configuration.id} has another etag, or is gone")
        self._state.configurations[configuration.id] = deepcopy(configuration)

    async def delete_configuration(self, configuration_id: str, *, replacing: str | None) -> None:
        """Delete it. Raises ConfigurationNotFound, ConfigurationEtagMismatch."""
        stored = self._state.configurations.get(configuration_id)
        if stored is None:
            raise ConfigurationNotFound(f"there is no configuration {configuration_id}")
        if replacing not in (None, stored.etag):
            raise ConfigurationEtagMismatch(f"{configuration_id} has another etag")
        del self._state.configurations[configuration_id]

    async def record_results(
        self, results: Mapping[str, Results], covered: Mapping[str, float], progress: Progress | None
    ) -> None:
        """Store what was found of each configuration that is still the one of `covered`, and how far a new look is."""
        for name, found in results.items():
            stored = self._state.configurations.get(name)
            if stored is not None and covered.get(name) == stored.created_at:
                self._state.configurations[name] = replace(stored, results=found)
        await self.put_progress(progress)

    async def get_progress(self) -> Progress | None:
        """Return how far a look at all twins has come; None: none is under way."""
        return self._state.configuration_progress

    async def put_progress(self, progress: Progress | None) -> None:
        """Store it; None: none is under way."""
        self._state.configuration_progress = deepcopy(progress)

    async def configured_twins(self, *, after: Identity | None, limit: int) -> Sequence[Configured]:
        """Return at most `limit` twins that have configurations, after `after`."""
        place = ("", "") if after is None else _place(after)
        twins = [twin for twin in self._state.twins.values() if twin.configurations and _place(twin.identity) > place]
        twins.sort(key=lambda twin: _place(twin.identity))
        return [Configured(twin.identity, deepcopy(twin.configurations)) for twin in twins[:limit]]


def _place(identity: Identity) -> tuple[str, str]:
    return identity.device_id, identity.module_id or ""
