"""A configuration as a value: what it writes, to whom, and which of several wins.

Source: Azure IoT Hub, "Automatic device and module management"; "Understand IoT Edge automatic deployments".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from ironhub.core.ids import Identity, module_id
from ironhub.twins.configurations.errors import ConfigurationContentInvalid, ConfigurationInvalid
from ironhub.twins.model import Properties, TwinInvalid, copied
from ironhub.twins.queries.model import Condition, Source
from ironhub.twins.rules import MAX_DEPTH, check_patch, check_size

MAX_CONFIGURATIONS: Final = 100
MAX_METRICS: Final = 5
MAX_LABELS: Final = 100
MAX_LABEL: Final = 1024
"""Characters of a label's name, and of its value."""
MAX_METRIC_NAME: Final = 128
MAX_MODULES: Final = 50
"""How many modules one deployment may write to; a device has no more."""
MAX_PRIORITY: Final = 2**31 - 1

_ID: Final = re.compile(r"[a-z0-9\-:+%_#*?!(),=@;$']{1,128}\Z")


class ContentKind(StrEnum):
    """Whose twins are written. The values are stored."""

    DEVICE = "device"
    MODULE = "module"
    EDGE = "edge"
    """A deployment: the twins of several modules of an edge device together."""


class Status(StrEnum):
    """How a configuration stands to a twin that meets its condition. The values are stored in the twin."""

    TARGETED = "Targeted"
    """Another one of a higher priority applies, or this one could not be written."""
    APPLIED = "Applied"


class Write(NamedTuple):
    """One value for one place in the desired properties of a twin."""

    path: tuple[str, ...]
    """Below the section; empty: the whole section."""
    value: Any
    module: str | None = None
    """The module of the device whose twin is written; None: the twin that is targeted."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a configuration writes; it never changes, so that "applied" means the same for ever."""

    kind: ContentKind
    writes: tuple[Write, ...]

    def modules(self) -> tuple[str, ...]:
        """Return the modules that a deployment writes to, each once."""
        return tuple(dict.fromkeys(write.module for write in self.writes if write.module is not None))

    def writes_to(self, module: str | None) -> tuple[Write, ...]:
        """Return what goes to one twin."""
        return tuple(write for write in self.writes if write.module == module)


@dataclass(frozen=True, slots=True)
class Results:
    """What the newest whole look at all twins found."""

    at: float
    """When it ended, seconds since the epoch."""
    targeted: int = 0
    applied: int = 0
    reported_successful: int = 0
    """Deployments only: how many devices say that they run it."""
    reported_failed: int = 0
    custom: Mapping[str, int] = field(default_factory=dict)
    """By the name of the metric; one whose query failed is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One configuration as stored. `etag` changes with every change that a caller makes."""

    id: str
    etag: str
    created_at: float
    updated_at: float
    content: Content
    target: str = ""
    """Who it is for, in the dialect's words; empty: nobody."""
    priority: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Queries by name, in the dialect's words."""
    schema_version: str = "1.0"
    results: Results | None = None
    """None: all twins have not been looked at since it was made."""

    @property
    def rank(self) -> tuple[int, float, str]:
        """The highest rank wins: priority, then the newest."""
        return self.priority, self.created_at, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationDraft:
    """What a caller wants a configuration to be. None: keep what is stored, or the default for a new one."""

    content: Content | None = None
    target: str | None = None
    priority: int | None = None
    labels: Mapping[str, str] | None = None
    metrics: Mapping[str, str] | None = None
    schema_version: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Who is meant: devices or modules that meet a condition."""

    source: Source
    condition: Condition


class Configured(NamedTuple):
    """A twin that configurations target, and how they stand to it."""

    identity: Identity
    configurations: Properties


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a look at all twins has come; stored, so that a restart goes on from there."""

    after: Identity | None = None
    """The last one looked at; None: none yet."""
    covered: Mapping[str, float] = field(default_factory=dict)
    """The configurations it looks for from its beginning on, by id, with their creation."""
    targeted: Mapping[str, int] = field(default_factory=dict)
    applied: Mapping[str, int] = field(default_factory=dict)


def check_id(text: str) -> str:
    """Return `text` when it may be the id of a configuration. Raises ConfigurationInvalid."""
    if not _ID.match(text):
        shown = text[:128].encode("ascii", "backslashreplace").decode()
        raise ConfigurationInvalid(f"{shown!r} is not the id of a configuration")
    return text


def check_draft(draft: ConfigurationDraft) -> None:
    """Refuse what may never be stored. Raises ConfigurationInvalid, ConfigurationContentInvalid."""
    if draft.priority is not None and not 0 <= draft.priority <= MAX_PRIORITY:
        raise ConfigurationInvalid(f"the priority is 0 to {MAX_PRIORITY}")
    labels = draft.labels or {}
    if len(labels) > MAX_LABELS or any(len(text) > MAX_LABEL for pair in labels.items() for text in pair):
        raise ConfigurationInvalid(f"there are at most {MAX_LABELS} labels of at most {MAX_LABEL} characters")
    metrics = draft.metrics or {}
    if len(metrics) > MAX_METRICS or any(not 1 <= len(name) <= MAX_METRIC_NAME for name in metrics):
        raise ConfigurationInvalid(
            f"there are at most {MAX_METRICS} metrics, named with 1 to {MAX_METRIC_NAME} letters"
        )
    if draft.content is not None:
        check_content(draft.content)


def check_content(content: Content) -> None:
    """Refuse content that no twin could hold. Raises ConfigurationContentInvalid."""
    modules = content.modules()
    if not content.writes or (content.kind is ContentKind.EDGE) != bool(modules):
        raise ConfigurationContentInvalid("the content writes nothing, or to twins of another kind")
    if len(modules) > MAX_MODULES:
        raise ConfigurationContentInvalid(f"the content is for more than {MAX_MODULES} modules")
    for module in modules or (None,):
        if module is not None:
            module_id(module)
        for write in content.writes_to(module):
            _check_write(write)
        _check_whole(content.writes_to(module))


def written(properties: Properties, writes: Sequence[Write]) -> Properties:
    """Return `properties` with each value at its place; what stood there, or in the way, is replaced."""
    result: Properties = properties
    for write in writes:
        result = _with(result, write.path, write.value)
    return result


def statuses(configurations: Sequence[Configuration]) -> Properties:
    """Return how those that target one twin stand to it: of each kind the highest rank applies."""
    winners = {winner.id for winner in winners_of(configurations)}
    return {
        each.id: {"status": (Status.APPLIED if each.id in winners else Status.TARGETED).value}
        for each in sorted(configurations, key=lambda each: each.id)
    }


def winners_of(configurations: Sequence[Configuration]) -> list[Configuration]:
    """Return the one of each kind with the highest rank."""
    best: dict[ContentKind, Configuration] = {}
    for each in sorted(configurations, key=lambda each: each.rank):
        best[each.content.kind] = each
    return list(best.values())


def is_applied(stored: Properties, configuration_id: str) -> bool:
    """Whether a twin's map says that this one applies."""
    return bool(stored.get(configuration_id) == {"status": Status.APPLIED.value})


def _with(properties: Properties, path: tuple[str, ...], value: Any) -> Properties:
    if not path:
        return _without_nulls(value) if isinstance(value, dict) else {}
    if value is None and path[0] not in properties:
        return properties
    changed = dict(properties)
    if len(path) > 1:
        below = changed.get(path[0])
        changed[path[0]] = _with(below if isinstance(below, dict) else {}, path[1:], value)
    elif value is None:
        del changed[path[0]]
    else:
        changed[path[0]] = _without_nulls(value) if isinstance(value, dict) else copied(value)
    return changed


def _without_nulls(value: Properties) -> Properties:
    """A null in a twin means that nothing is there; inside a list it is a value."""
    return {
        key: _without_nulls(below) if isinstance(below, dict) else copied(below)
        for key, below in value.items()
        if below is not None
    }


def _check_write(write: Write) -> None:
    nested = write.value
    if len(write.path) > MAX_DEPTH:
        raise ConfigurationContentInvalid(f"a path has more than {MAX_DEPTH} steps")
    if not write.path and not isinstance(nested, dict):
        raise ConfigurationContentInvalid("the desired properties as a whole must be a JSON object")
    for step in reversed(write.path):
        nested = {step: nested}
    try:
        check_patch("desired", nested)
    except TwinInvalid as error:
        raise ConfigurationContentInvalid(str(error)) from error


def _check_whole(writes: Sequence[Write]) -> None:
    try:
        check_size("desired", written({}, writes))
    except TwinInvalid as error:
        raise ConfigurationContentInvalid(str(error)) from error
