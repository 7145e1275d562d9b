"""A twin as a value, and the pure rules of how it changes.

Source: Azure IoT Hub, "Understand and use device twins" (limits, merge rule, metadata).
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity

Properties = dict[str, Any]
"""A JSON object."""

FIRST_VERSION: Final = 2
"""The version of a twin that was never written (its two sections are at version 1)."""


class TwinVersionConflict(HubError):
    """Somebody else changed the twin since the caller read it."""

    code: ClassVar[str] = "twin.version_conflict"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Read the twin again, merge your change, and retry with the new version."


class TwinInvalid(HubError):
    """A change that the rules for twins do not allow: size, depth, a key, a value."""

    code: ClassVar[str] = "twin.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Correct the property that the message names; the twin is unchanged."


@dataclass(frozen=True, slots=True)
class Section:
    """Desired or reported properties with their own version and, leaf by leaf, when each was last written.

    `metadata` mirrors the tree of `properties`: every object and leaf is a dict with "$lastUpdated" (seconds since the
    epoch, float), for desired also "$lastUpdatedVersion" (int), and one entry per key below it.
    """

    version: int = 1
    properties: Properties = field(default_factory=dict)
    metadata: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twin:
    """The stored state of a device or module. `version` counts every change, `etag_counter` the back end's changes."""

    identity: Identity
    version: int = FIRST_VERSION
    etag_counter: int = 1
    tags: Properties = field(default_factory=dict)
    desired: Section = field(default_factory=Section)
    reported: Section = field(default_factory=Section)


def initial_twin(identity: Identity, created_at: float) -> Twin:
    """Return the twin of an identity that nobody wrote to yet."""
    born = {"$lastUpdated": created_at}
    return replace(Twin(identity), desired=Section(metadata=dict(born)), reported=Section(metadata=dict(born)))
