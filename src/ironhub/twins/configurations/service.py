"""What can be done with configurations."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.twins.configurations.applying import Applier
from ironhub.twins.configurations.engine import target_of
from ironhub.twins.configurations.errors import (
    ConfigurationContentImmutable,
    ConfigurationContentInvalid,
    ConfigurationEtagMismatch,
    ConfigurationNotFound,
    ConfigurationTargetInvalid,
)
from ironhub.twins.configurations.model import (
    MAX_METRICS,
    Configuration,
    ConfigurationDraft,
    Content,
    ContentKind,
    check_content,
    check_draft,
    check_id,
)
from ironhub.twins.configurations.ports import ConditionReader, ConfigurationStore
from ironhub.twins.queries.model import Source

MAX_ATTEMPTS: Final = 100
"""How often a change of whatever is there is tried again because somebody else was faster."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is wrong with the words of a configuration to be."""

    target: str | None
    """None: nothing."""
    metrics: Mapping[str, str]
    """By name, those with which something is wrong."""


class ConfigurationService:
    """Creates, reads, changes, tries and deletes configurations. A change is durable when it is answered; the twins
    follow in the background."""

    def __init__(
        self,
        store: ConfigurationStore,
        reader: ConditionReader,
        applier: Applier,
        wake: Callable[[], None],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._reader = reader
        self._applier = applier
        self._wake = wake
        self._clock = clock
        self._entropy = entropy

    async def get(self, grant: Grant, configuration_id: str) -> Configuration:
        """Return one with its newest results. Raises ConfigurationNotFound."""
        grant.require_whole_hub(Permission.CONFIGURATION_READ)
        return _found(await self._store.get_configuration(configuration_id), configuration_id)

    async def list(self, grant: Grant) -> Sequence[Configuration]:
        """Return all (there are at most 100), ordered by id."""
        grant.require_whole_hub(Permission.CONFIGURATION_READ)
        return await self._store.list_configurations()

    async def put(
        self, grant: Grant, configuration_id: str, draft: ConfigurationDraft, *, if_match: str | None
    ) -> Configuration:
        """Create or change a configuration and return it as stored.

        Args:
            if_match: None: create it; "*": change whatever is there; else change it if this is its etag.

        Raises:
            ConfigurationInvalid, ConfigurationTargetInvalid, ConfigurationContentInvalid, ConfigurationMetricInvalid,
            ConfigurationExists, TooManyConfigurations, ConfigurationNotFound, ConfigurationEtagMismatch;
            ConfigurationContentImmutable: to be changed, with other content.
        """
        grant.require_whole_hub(Permission.CONFIGURATION_WRITE)
        check_id(configuration_id)
        check_draft(draft)
        if if_match is None:
            made = self._made(configuration_id, draft)
            self._understood(made)
            await self._store.put_configuration(made, replacing=None)
            self._wake()
            return made
        for _ in range(MAX_ATTEMPTS):
            stored = await self._stored(configuration_id, if_match)
            changed = self._changed(stored, draft)
            self._understood(changed)
            try:
                await self._store.put_configuration(changed, replacing=stored.etag)
            except ConfigurationEtagMismatch:
                continue
            self._wake()
            return changed
        raise ConfigurationEtagMismatch(f"{configuration_id} was changed {MAX_ATTEMPTS} times while this was tried")

    async def delete(self, grant: Grant, configuration_id: str, *, if_match: str | None = None) -> None:
        """Delete it; what it wrote stays until another one applies. Raises ConfigurationNotFound, …EtagMismatch."""
        grant.require_whole_hub(Permission.CONFIGURATION_WRITE)
        replacing = None if if_match == "*" else if_match
        await self._store.delete_configuration(configuration_id, replacing=replacing)
        self._wake()

    async def test(self, grant: Grant, target: str | None, metrics: Mapping[str, str]) -> Verdicts:
        """Say what is wrong with a condition and with queries, without storing anything."""
        grant.require_whole_hub(Permission.CONFIGURATION_READ)
        if len(metrics) > MAX_METRICS:
            raise InvalidArgument(f"at most {MAX_METRICS} metrics are looked at")
        told = {name: _problem(self._reader.metric, text) for name, text in metrics.items()}
        return Verdicts(
            None if not target else _problem(self._reader.target, target),
            {name: problem for name, problem in told.items() if problem is not None},
        )

    async def apply(self, grant: Grant, contents: Sequence[Content]) -> None:
        """Write contents to one device and its modules, once and now.

        Raises ConfigurationContentInvalid, DeviceNotFound, TwinNotFound, TwinInvalid, TooManyModules.
        """
        grant.require(Permission.CONFIGURATION_WRITE)
        if not contents or any(content.kind is ContentKind.MODULE for content in contents):
            raise ConfigurationContentInvalid("give content for the device, or for modules by their ids")
        for content in contents:
            check_content(content)
        for content in contents:
            await self._applier.apply_content(grant.principal, grant.identity, content)

    async def _stored(self, configuration_id: str, if_match: str) -> Configuration:
        stored = await self._store.get_configuration(configuration_id)
        if stored is None and if_match != "*":
            raise ConfigurationEtagMismatch(f"there is no configuration {configuration_id}, so it has no such etag")
        found = _found(stored, configuration_id)
        if if_match not in ("*", found.etag):
            raise ConfigurationEtagMismatch(f"{configuration_id} has another etag")
        return found

    def _understood(self, configuration: Configuration) -> None:
        """Refuse words that could never be evaluated."""
        if configuration.target:
            target = target_of(self._reader, configuration)
            of_modules = configuration.content.kind is ContentKind.MODULE
            if (target.source is Source.MODULES) != of_modules:
                raise ConfigurationTargetInvalid(
                    "content of modules is for FROM devices.modules, and all other content for devices"
                )
        for text in configuration.metrics.values():
            self._reader.metric(text)

    def _made(self, configuration_id: str, draft: ConfigurationDraft) -> Configuration:
        if draft.content is None:
            raise ConfigurationContentInvalid("the configuration has no content")
        now = self._clock.now()
        return Configuration(
            id=configuration_id,
            etag=self._etag(),
            created_at=now,
            updated_at=now,
            content=draft.content,
            target=draft.target or "",
            priority=draft.priority or 0,
            labels=draft.labels or {},
            metrics=draft.metrics or {},
            schema_version=draft.schema_version or "1.0",
        )

    def _changed(self, stored: Configuration, draft: ConfigurationDraft) -> Configuration:
        if draft.content not in (None, stored.content):
            raise ConfigurationContentImmutable(f"the content of {stored.id} cannot be changed")
        return replace(
            stored,
            etag=self._etag(),
            updated_at=self._clock.now(),
            target=stored.target if draft.target is None else draft.target,
            priority=stored.priority if draft.priority is None else draft.priority,
            labels=stored.labels if draft.labels is None else draft.labels,
            metrics=stored.metrics if draft.metrics is None else draft.metrics,
            schema_version=stored.schema_version if draft.schema_version is None else draft.schema_version,
        )

    def _etag(self) -> str:
        return b64encode(self._entropy.token_bytes(9)).decode()


def _found(configuration: Configuration | None, configuration_id: str) -> Configuration:
    if configuration is None:
        shown = configuration_id[:128].encode("ascii", "backslashreplace").decode()
        raise ConfigurationNotFound(f"there is no configuration {shown}")
    return configuration


def _problem(read: Callable[[str], object], text: str) -> str | None:
    try:
        read(text)
    except HubError as error:
        return str(error)
    return None
