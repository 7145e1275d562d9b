"""A twin as a value, and the pure rules of how it changes.

Source: Azure IoT Hub, "Understand and use device twins" (limits, merge rule, metadata).
"""

import json
from base64 import b64encode
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


class TwinNotFound(HubError):
    """There is no twin because there is no such device or module."""

    code: ClassVar[str] = "twin.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Create the device or module first, or check the id: ids are case-sensitive."


class ModuleTwinNotFound(TwinNotFound):
    """There is no twin because the device, which exists, has no such module."""

    code: ClassVar[str] = "twin.module_not_found"
    next_step: ClassVar[str] = "Create the module first, or check its id: ids are case-sensitive."


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
    configurations: Properties = field(default_factory=dict)
    """The automatic configurations that target it, by id: `{"status": "Targeted" | "Applied"}`."""


def initial_twin(identity: Identity, created_at: float) -> Twin:
    """Return the twin of an identity that nobody wrote to yet."""
    born = {"$lastUpdated": created_at}
    return replace(Twin(identity), desired=Section(metadata=dict(born)), reported=Section(metadata=dict(born)))


def merge(stored: Properties, patch: Properties) -> Properties:
    """Return `stored` with `patch` merged in: objects recurse, None removes the key, everything else replaces."""
    merged = dict(stored)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def with_patch(section: Section, patch: Properties, *, at: float, count_versions: bool) -> Section:
    """Return the section after a merge patch, its version one higher.

    Args:
        at: when, seconds since the epoch; stamped on every object and leaf the patch touched.
        count_versions: desired properties also remember the version that last touched each of them.
    """
    version = section.version + 1
    stamp: Properties = {"$lastUpdated": at}
    if count_versions:
        stamp["$lastUpdatedVersion"] = version
    return Section(version, merge(section.properties, patch), _merge_metadata(section.metadata, patch, stamp))


def with_properties(section: Section, properties: Properties, *, at: float, count_versions: bool) -> Section:
    """Return the section with exactly `properties`, its version one higher. Nones in it are dropped."""
    emptied = replace(section, properties={}, metadata={})
    return with_patch(emptied, properties, at=at, count_versions=count_versions)


def difference(old: Properties, new: Properties) -> Properties:
    """Return the merge patch that leads from `old` to `new`; what a connected device is told of a replacement."""
    patch: Properties = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if below := difference(before, value):
                patch[key] = below
        elif key not in old or not _same(before, value):
            patch[key] = value
    return patch


def touched(metadata: Properties, patch: Properties) -> Properties:
    """Return what `metadata` says of the keys that `patch` names, and of the objects on the way to them.

    The news of a small change stays small, however large the section is.
    """
    kept: Properties = {key: value for key, value in metadata.items() if key.startswith("$")}
    for key, value in patch.items():
        if key in metadata:
            kept[key] = touched(metadata[key], value) if isinstance(value, dict) else metadata[key]
    return kept


def copied(value: Any) -> Any:
    """Return a copy of a JSON value that shares nothing that could be changed."""
    if isinstance(value, dict):
        return {key: copied(below) for key, below in value.items()}
    return [copied(below) for below in value] if isinstance(value, list) else value


def etag_of(twin: Twin) -> str:
    """Return the twin's etag as text: base64 of the counter as eight bytes, as back ends know it."""
    return b64encode(twin.etag_counter.to_bytes(8, "big")).decode()


def _same(one: Any, other: Any) -> bool:
    """As JSON text, where Python says 1 == 1.0 == True, also inside lists."""
    if isinstance(one, list) and isinstance(other, list):
        return json.dumps(one) == json.dumps(other)
    return type(one) is type(other) and bool(one == other)


def _merge_metadata(stored: Properties, patch: Properties, stamp: Properties) -> Properties:
    merged = {**stored, **stamp}
    for key, value in patch.items():
        below = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge_metadata(below if isinstance(below, dict) else {}, value, stamp)
        else:
            merged[key] = dict(stamp)
    return merged
