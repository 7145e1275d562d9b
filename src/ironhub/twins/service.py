"""What can be done with a twin: by the device itself, and by back ends."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import Bus, DesiredChanged
from ironhub.core.clock import Clock
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity
from ironhub.twins.model import (
    Properties,
    Section,
    Twin,
    TwinInvalid,
    TwinNotFound,
    TwinVersionConflict,
    difference,
    etag_of,
    with_patch,
    with_properties,
)
from ironhub.twins.ports import TwinStore
from ironhub.twins.rules import check_patch, check_size

MAX_ATTEMPTS: Final = 100
"""How often an unconditional change is tried again because somebody else was faster; far above what happens."""

Change = Callable[[Twin], tuple[Twin, Fact]]


class TwinService:
    """Reads and changes twins. Every change is durable, and told to the log and the device, before it is answered."""

    def __init__(self, store: TwinStore, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def read(self, grant: Grant) -> Twin:
        """Return the whole twin, for a back end. Raises TwinNotFound."""
        grant.require(Permission.TWIN_READ)
        return await self._stored(grant.identity)

    async def read_own(self, grant: Grant) -> Twin:
        """Return the twin for its own device; the dialect leaves the tags out. Raises TwinNotFound."""
        grant.require(Permission.TWIN_READ_OWN)
        return await self._stored(grant.identity)

    async def report(self, grant: Grant, patch: Properties) -> Twin:
        """Merge `patch` into the reported properties and return the stored twin. Raises TwinInvalid, TwinNotFound."""
        grant.require(Permission.TWIN_REPORT)
        check_patch("reported", patch)

        def change(twin: Twin) -> tuple[Twin, Fact]:
            at = self._clock.now()
            reported = with_patch(twin.reported, patch, at=at, count_versions=False)
            check_size("reported", reported.properties)
            new = replace(twin, version=twin.version + 1, reported=reported)
            return new, _fact(FactKind.TWIN_UPDATED, new, at, reported=(patch, reported))

        _, new = await self._change(grant.identity, change, if_match=None)
        return new

    async def update(
        self, grant: Grant, *, tags: Properties | None, desired: Properties | None, if_match: str | None
    ) -> Twin:
        """Merge what is given into tags and desired properties, and return the stored twin.

        Args:
            if_match: the etag the caller read, "*" or None for any.

        Raises:
            TwinInvalid, TwinNotFound; TwinVersionConflict: another etag is stored.
        """
        grant.require(Permission.TWIN_WRITE)
        _check_sections(tags, desired)

        def change(twin: Twin) -> tuple[Twin, Fact]:
            at = self._clock.now()
            merged = with_patch(Section(properties=twin.tags), tags or {}, at=at, count_versions=False).properties
            section = twin.desired if desired is None else with_patch(twin.desired, desired, at=at, count_versions=True)
            new = _changed(twin, merged, section)
            shown = None if desired is None else (desired, section)
            return new, _fact(FactKind.TWIN_UPDATED, new, at, tags=tags, desired=shown)

        old, new = await self._change(grant.identity, change, if_match=if_match)
        if desired is not None:
            self._tell(old, new, desired)
        return new

    async def replace(
        self, grant: Grant, *, tags: Properties | None, desired: Properties | None, if_match: str | None
    ) -> Twin:
        """Make tags and desired properties exactly what is given (None: empty). As `update` otherwise."""
        grant.require(Permission.TWIN_WRITE)
        _check_sections(tags, desired)

        def change(twin: Twin) -> tuple[Twin, Fact]:
            at = self._clock.now()
            exact = with_properties(Section(), tags or {}, at=at, count_versions=False).properties
            section = with_properties(twin.desired, desired or {}, at=at, count_versions=True)
            new = _changed(twin, exact, section)
            whole = (section.properties, section), (new.reported.properties, new.reported)
            return new, _fact(FactKind.TWIN_REPLACED, new, at, tags=exact, desired=whole[0], reported=whole[1])

        old, new = await self._change(grant.identity, change, if_match=if_match)
        self._tell(old, new, difference(old.desired.properties, new.desired.properties))
        return new

    async def _change(self, identity: Identity, change: Change, *, if_match: str | None) -> tuple[Twin, Twin]:
        """Read, change, put, and begin again when somebody else was faster; returns the twin before and after."""
        for _ in range(MAX_ATTEMPTS):
            old = await self._stored(identity)
            if if_match not in (None, "*") and if_match != etag_of(old):
                raise TwinVersionConflict(f"the twin of {identity} has another etag")
            new, fact = change(old)
            try:
                await self._store.put_twin(new, replacing=old.version, facts=(fact,))
            except TwinVersionConflict:
                continue
            return old, new
        raise TwinVersionConflict(f"the twin of {identity} changed {MAX_ATTEMPTS} times in a row")

    async def _stored(self, identity: Identity) -> Twin:
        twin = await self._store.get_twin(identity)
        if twin is None:
            raise TwinNotFound(f"{identity} is not registered")
        return twin

    def _tell(self, old: Twin, new: Twin, patch: Properties) -> None:
        if new.desired.version != old.desired.version:
            self._bus.publish(DesiredChanged(new.identity, new.desired.version, patch))


def _check_sections(tags: Properties | None, desired: Properties | None) -> None:
    for name, section in (("tags", tags), ("desired", desired)):
        if section is not None:
            if not isinstance(section, dict):
                raise TwinInvalid(f"{name} must be a JSON object")
            check_patch(name, section)


def _changed(twin: Twin, tags: Properties, desired: Section) -> Twin:
    check_size("tags", tags)
    check_size("desired", desired.properties)
    return replace(twin, version=twin.version + 1, etag_counter=twin.etag_counter + 1, tags=tags, desired=desired)


def _fact(
    kind: FactKind,
    twin: Twin,
    at: float,
    *,
    tags: Properties | None = None,
    desired: tuple[Properties, Section] | None = None,
    reported: tuple[Properties, Section] | None = None,
) -> Fact:
    """What changed, each section as `{"properties", "version", "metadata"}`."""
    data: Properties = {"version": twin.version, "etag": etag_of(twin)}
    if tags is not None:
        data["tags"] = tags
    for name, given in (("desired", desired), ("reported", reported)):
        if given is not None:
            properties, section = given
            data[name] = {"properties": properties, "version": section.version, "metadata": section.metadata}
    return Fact(kind, twin.identity, at, data)
