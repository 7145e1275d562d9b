"""Automatic configurations as callers send them and see them."""

from typing import Any

from pydantic import Field

from ironhub.console.shapes import Given, Taken, example
from ironhub.console.shapes.instants import shown_instant
from ironhub.core.errors import InvalidArgument
from ironhub.twins.configurations.model import Configuration, ConfigurationDraft, Content, ContentKind, Results, Write
from ironhub.twins.configurations.service import Verdicts

Values = dict[str, Any]
"""Values by their path below the desired properties, steps joined by "."; the empty path is the whole section."""


class ContentTaken(Taken):
    """What is written, of exactly one kind: by device, by module, or by the modules of an edge device by their ids."""

    model_config = example(device={"settings.speed": 3})

    device: Values | None = None
    module: Values | None = None
    modules: dict[str, Values] | None = None

    def content(self) -> Content:
        """Return it as the service takes it. Raises InvalidArgument."""
        contents = self.contents()
        if len(contents) != 1:
            raise InvalidArgument("give content of exactly one kind: device, module or modules")
        return contents[0]

    def contents(self) -> list[Content]:
        """Return each kind that is given."""
        found = []
        if self.device is not None:
            found.append(Content(ContentKind.DEVICE, _writes(self.device)))
        if self.module is not None:
            found.append(Content(ContentKind.MODULE, _writes(self.module)))
        if self.modules is not None:
            writes = [write for module, values in self.modules.items() for write in _writes(values, module)]
            found.append(Content(ContentKind.EDGE, tuple(writes)))
        return found


class ConfigurationChange(Taken):
    """What a configuration shall be. What is left out stays as it is; content can be given with a new one only."""

    model_config = example(target="tags.hall = 'B2'", priority=20)

    target: str | None = None
    """Who it is for: * or a condition over device twins, FROM devices.modules WHERE and one over module twins."""
    priority: int | None = None
    """The highest wins, of equals the newest."""
    labels: dict[str, str] | None = None
    metrics: dict[str, str] | None = None
    """Queries by name; each selects deviceId, and who it finds is counted."""
    content: ContentTaken | None = None

    def draft(self) -> ConfigurationDraft:
        """Return it as the service takes it. Raises InvalidArgument."""
        return ConfigurationDraft(
            content=None if self.content is None else self.content.content(),
            target=self.target,
            priority=self.priority,
            labels=self.labels,
            metrics=self.metrics,
        )


class NewConfiguration(ConfigurationChange):
    """A configuration to be created."""

    model_config = example(id="speed", target="tags.hall = 'B2'", content={"device": {"settings.speed": 3}})

    id: str = Field(max_length=128)


class ResultsGiven(Given):
    """What the newest look at all twins found."""

    at: str
    targeted: int
    applied: int
    reported_successful: int
    reported_failed: int
    metrics: dict[str, int]

    @classmethod
    def of(cls, results: Results) -> "ResultsGiven":
        """Return what callers see of `results`."""
        return cls(
            at=shown_instant(results.at),
            targeted=results.targeted,
            applied=results.applied,
            reported_successful=results.reported_successful,
            reported_failed=results.reported_failed,
            metrics=dict(results.custom),
        )


class ConfigurationGiven(Given):
    """A configuration as stored."""

    id: str
    kind: ContentKind
    content: dict[str, Any]
    target: str
    priority: int
    labels: dict[str, str]
    metrics: dict[str, str]
    results: ResultsGiven | None
    """Null until all twins have been looked at."""
    created_at: str
    updated_at: str
    etag: str

    @classmethod
    def of(cls, configuration: Configuration) -> "ConfigurationGiven":
        """Return what callers see of `configuration`."""
        results = configuration.results
        return cls(
            id=configuration.id,
            kind=configuration.content.kind,
            content=content_given(configuration.content),
            target=configuration.target,
            priority=configuration.priority,
            labels=dict(configuration.labels),
            metrics=dict(configuration.metrics),
            results=None if results is None else ResultsGiven.of(results),
            created_at=shown_instant(configuration.created_at),
            updated_at=shown_instant(configuration.updated_at),
            etag=configuration.etag,
        )


class ConfigurationList(Given):
    """All configurations, ordered by id."""

    configurations: tuple[ConfigurationGiven, ...]


class WordsTaken(Taken):
    """A condition and queries to be tried."""

    model_config = example(target="tags.hall = 'B2'")

    target: str | None = None
    metrics: dict[str, str] = Field(default_factory=dict)


class VerdictsGiven(Given):
    """What is wrong with them."""

    target: str | None
    """Null: nothing."""
    metrics: dict[str, str]
    """By name, those with which something is wrong."""

    @classmethod
    def of(cls, verdicts: Verdicts) -> "VerdictsGiven":
        """Return what callers see of `verdicts`."""
        return cls(target=verdicts.target, metrics=dict(verdicts.metrics))


def content_given(content: Content) -> dict[str, Any]:
    """Return content as `ContentTaken` takes it."""
    if content.kind is not ContentKind.EDGE:
        return {content.kind.value: {".".join(write.path): write.value for write in content.writes}}
    modules: dict[str, Values] = {module: {} for module in content.modules()}
    for write in content.writes:
        modules[str(write.module)][".".join(write.path)] = write.value
    return {"modules": modules}


def _writes(values: Values, module: str | None = None) -> tuple[Write, ...]:
    return tuple(Write(tuple(path.split(".")) if path else (), value, module) for path, value in values.items())
