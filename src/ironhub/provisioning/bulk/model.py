"""What a bulk call asks for, row by row, and what became of each."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from ironhub.core.bus import Notice
from ironhub.core.errors import HubError
from ironhub.core.facts import Fact
from ironhub.core.ids import Identity
from ironhub.registry.model import Device, DeviceDraft, Module, ModuleDraft
from ironhub.twins.model import Properties, Twin


class RowMode(StrEnum):
    """What a row does."""

    CREATE = "create"
    CREATE_OR_UPDATE = "create-or-update"
    UPDATE = "update"
    DELETE = "delete"
    UPDATE_TWIN = "update-twin"


@dataclass(frozen=True, slots=True)
class SectionWish:
    """Properties as a row gives them. A file that another hub wrote brings their history along."""

    properties: Properties
    metadata: Properties | None = None
    """Shaped as `twins.model.Section.metadata`; None: they are written now."""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class TwinWish:
    """What a row wants of a twin; None: not given."""

    tags: Properties | None = None
    desired: SectionWish | None = None
    reported: SectionWish | None = None

    def __bool__(self) -> bool:
        """Whether anything is given."""
        return (self.tags, self.desired, self.reported) != (None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One identity, and what shall become of it."""

    identity: Identity
    mode: RowMode
    if_match: str | None = None
    """The etag that must be stored; None: any."""
    twin_if_match: str | None = None
    """As `if_match`, of the twin."""
    device: DeviceDraft = field(default_factory=DeviceDraft)
    """For a device."""
    module: ModuleDraft = field(default_factory=ModuleDraft)
    """For a module."""
    twin: TwinWish = field(default_factory=TwinWish)
    parent_may_follow: bool = False
    """Whether the edge device above it may come later: files are in no order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one row changes; to be stored all or nothing, then told."""

    identity: Identity
    put: Device | Module | None = None
    is_new: bool = False
    """Whether `put` is created; else what is stored under its id is replaced."""
    modules: tuple[Module, ...] = ()
    """Created along with it, unless they are there."""
    delete: bool = False
    twin: Twin | None = None
    facts: tuple[Fact, ...] = ()
    notices: tuple[Notice, ...] = ()


Outcome = Change | HubError


class Registered(NamedTuple):
    """A device or module with its twin."""

    owner: Device | Module
    twin: Twin


class Mark(NamedTuple):
    """How far an import got; stored in the transaction of the rows it tells of, so that no row is done twice."""

    name: str
    position: int
    """Where it reads on; what it counts is the import's own business."""
    at: float
    """When, seconds since the epoch."""
    data: dict[str, Any]
    """JSON values: what became of the rows of the newest batch, for whoever did not hear it."""


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that changed nothing, and why."""

    number: int
    """Its place among the rows of the call, from 0."""
    identity: Identity | None
    """None: it could not be read."""
    error: HubError


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of all rows of one call."""

    done: int
    errors: tuple[RowError, ...] = field(default=())


class TooManyRows(HubError):
    """A bulk call names more devices than are taken in one."""

    code: ClassVar[str] = "bulk.too_many"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send fewer devices in each call."


class DefinedTwice(HubError):
    """One bulk call names a device or module more than once, and nobody could say which is meant."""

    code: ClassVar[str] = "bulk.defined_twice"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Name each device and module once in a call."
