"""What can be done with a twin: by the device itself, and by back ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import Bus, DesiredChanged
from ironhub.core.clock import Clock
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity
from ironhub.core.receipts import Receipt
from ironhub.core.tally import Tally
from ironhub.twins.changes import change_fact, changed, checked
from ironhub.twins.configurations.model import Write, written
from ironhub.twins.model import (
    ModuleTwinNotFound,
    Properties,
    Section,
    Twin,
    TwinNotFound,
    TwinVersionConflict,
    difference,
    etag_of,
    with_patch,
    with_properties,
)
from ironhub.twins.ports import TwinStore
from ironhub.twins.rules import check_size

MAX_ATTEMPTS: Final = 100
"""How often a change is tried again because another node was faster; far above what happens."""

Change = Callable[[Twin], tuple[Twin, Fact | None]]
"""The twin as it shall be, and what is told of it; the very same twin: nothing is to be stored."""
Wish = tuple[Properties, Properties]
"""A merge patch of the desired properties, and the configurations that the twin shall have."""


@dataclass(slots=True)
class _Turn:
    """Those who want to change one twin, in the order in which they came."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class TwinService:
    """Reads and changes twins. Every change is durable, and told to the log and the device, before it is answered.

    Twins are values: nobody changes the dicts inside a twin, and what callers give is copied.
    """

    def __init__(self, store: TwinStore, bus: Bus, clock: Clock) -> None:
        self.tally = Tally()
        """Changes by section: "tags", "desired", "reported"."""
        self._store = store
        self._bus = bus
        self._clock = clock
        self._turns: dict[Identity, _Turn] = {}

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
        patch = checked("reported", patch)

        def change(twin: Twin) -> tuple[Twin, Fact]:
            at = self._clock.now()
            reported = with_patch(twin.reported, patch, at=at, count_versions=False)
            check_size("reported", reported.properties)
            new = replace(twin, version=twin.version + 1, reported=reported)
            return new, change_fact(FactKind.TWIN_UPDATED, new, at, reported=(patch, reported))

        _, new = await self._change(grant.identity, change, if_match=None)
        return new

    async def update(
        self,
        grant: Grant,
        *,
        tags: Properties | None,
        desired: Properties | None,
        if_match: str | None,
        receipt: Receipt | None = None,
    ) -> Twin:
        """Merge what is given into tags and desired properties, and return the stored twin.

        Args:
            if_match: the etag the caller read, "*" or None for any.
            receipt: left with the change, so that it is made once.

        Raises:
            TwinInvalid, TwinNotFound; TwinVersionConflict: another etag is stored; ReceiptRefused.
        """
        grant.require(Permission.TWIN_WRITE)
        tags = None if tags is None else checked("tags", tags)
        desired = None if desired is None else checked("desired", desired)

        def change(twin: Twin) -> tuple[Twin, Fact]:
            at = self._clock.now()
            merged = (
                twin.tags
                if tags is None
                else with_patch(Section(properties=twin.tags), tags, at=at, count_versions=False).properties
            )
            section = twin.desired if desired is None else with_patch(twin.desired, desired, at=at, count_versions=True)
            new = changed(twin, merged, section)
            shown = None if desired is None else (desired, section)
            return new, change_fact(FactKind.TWIN_UPDATED, new, at, tags=tags, desired=shown)

        def tell(_: Twin, new: Twin) -> None:
            if desired is not None:
                self._bus.publish(DesiredChanged(new.identity, new.desired.version, desired))

        changing = self._change_and_tell(grant.identity, change, tell, if_match=if_match, receipt=receipt)
        return await asyncio.shield(changing)

    async def replace(
        self, grant: Grant, *, tags: Properties | None, desired: Properties | None, if_match: str | None
    ) -> Twin:
        """Make tags and desired properties exactly what is given (None: empty). As `update` otherwise."""
        grant.require(Permission.TWIN_WRITE)
        wanted_tags = checked("tags", {} if tags is None else tags)
        wanted = checked("desired", {} if desired is None else desired)

        def change(twin: Twin) -> tuple[Twin, Fact]:
            at = self._clock.now()
            exact = with_properties(Section(), wanted_tags, at=at, count_versions=False).properties
            section = with_properties(twin.desired, wanted, at=at, count_versions=True)
            new = changed(twin, exact, section)
            whole = (section.properties, section), (new.reported.properties, new.reported)
            return new, change_fact(FactKind.TWIN_REPLACED, new, at, tags=exact, desired=whole[0], reported=whole[1])

        def tell(old: Twin, new: Twin) -> None:
            patch = difference(old.desired.properties, new.desired.properties)
            self._bus.publish(DesiredChanged(new.identity, new.desired.version, patch))

        return await asyncio.shield(self._change_and_tell(grant.identity, change, tell, if_match=if_match))

    async def edit_desired(
        self, grant: Grant, edit: Callable[[Twin], Properties], *, if_match: str | None = None
    ) -> Twin:
        """Merge what `edit` makes of the stored twin into its desired properties, and return the twin.

        Nothing is stored when the patch is empty. Otherwise as `update`; raises what `edit` raises too.
        """
        grant.require(Permission.TWIN_WRITE)

        def wish(twin: Twin) -> Wish:
            return checked("desired", edit(twin)), twin.configurations

        return await self._edit(grant.identity, wish, if_match=if_match)

    async def configure(
        self, grant: Grant, mark: Callable[[Properties], Properties], writes: Sequence[Write] = ()
    ) -> Twin:
        """Write what a configuration wants into the desired properties, and note it in the twin, both or neither.

        Nothing is stored when nothing changes. Raises TwinInvalid, TwinNotFound.

        Args:
            mark: tells which configurations the twin shall have from those that it has.
        """
        grant.require(Permission.CONFIGURATION_WRITE)

        def wish(twin: Twin) -> Wish:
            wanted = written(twin.desired.properties, writes)
            return difference(twin.desired.properties, wanted), mark(twin.configurations)

        return await self._edit(grant.identity, wish, if_match=None)

    async def _edit(self, identity: Identity, wish: Callable[[Twin], Wish], *, if_match: str | None) -> Twin:
        def change(twin: Twin) -> tuple[Twin, Fact | None]:
            patch, configurations = wish(twin)
            if not patch and configurations == twin.configurations:
                return twin, None
            at = self._clock.now()
            new = replace(twin, version=twin.version + 1, configurations=configurations)
            if not patch:
                return new, None
            section = with_patch(twin.desired, patch, at=at, count_versions=True)
            check_size("desired", section.properties)
            new = replace(new, etag_counter=twin.etag_counter + 1, desired=section)
            return new, change_fact(FactKind.TWIN_UPDATED, new, at, desired=(patch, section))

        def tell(old: Twin, new: Twin) -> None:
            if old.desired.version != new.desired.version:
                patch = difference(old.desired.properties, new.desired.properties)
                self._bus.publish(DesiredChanged(new.identity, new.desired.version, patch))

        return await asyncio.shield(self._change_and_tell(identity, change, tell, if_match=if_match))

    async def _change_and_tell(
        self,
        identity: Identity,
        change: Change,
        tell: Callable[[Twin, Twin], None],
        *,
        if_match: str | None,
        receipt: Receipt | None = None,
    ) -> Twin:
        """Run under a shield: a caller that hangs up half-way must not leave a stored change untold."""
        old, new = await self._change(identity, change, if_match=if_match, receipt=receipt)
        tell(old, new)
        return new

    async def _change(
        self, identity: Identity, change: Change, *, if_match: str | None, receipt: Receipt | None = None
    ) -> tuple[Twin, Twin]:
        """Read, change, put, and begin again when somebody else was faster; returns the twin before and after."""
        async with self._turn(identity):
            for _ in range(MAX_ATTEMPTS):
                old = await self._stored(identity)
                if if_match not in (None, "*") and if_match != etag_of(old):
                    raise TwinVersionConflict(f"the twin of {identity} has another etag")
                new, fact = change(old)
                if new is old:
                    return old, old
                facts = () if fact is None else (fact,)
                try:
                    await self._store.put_twin(new, replacing=old.version, facts=facts, receipt=receipt)
                except TwinVersionConflict:
                    continue
                self._count(old, new)
                return old, new
        raise TwinVersionConflict(f"the twin of {identity} changed {MAX_ATTEMPTS} times in a row")

    def _count(self, old: Twin, new: Twin) -> None:
        if new.tags is not old.tags:
            self.tally.add("tags")
        if new.desired.version != old.desired.version:
            self.tally.add("desired")
        if new.reported.version != old.reported.version:
            self.tally.add("reported")

    async def _stored(self, identity: Identity) -> Twin:
        twin = await self._store.get_twin(identity)
        if twin is not None:
            return twin
        device = Identity(identity.device_id)
        if device != identity and await self._store.get_twin(device) is not None:
            raise ModuleTwinNotFound(f"{identity} is not registered")
        raise TwinNotFound(f"{identity} is not registered")

    @asynccontextmanager
    async def _turn(self, identity: Identity) -> AsyncIterator[None]:
        """One writer of a twin at a time on this node: a hundred at once cost a hundred writes, not five thousand."""
        turn = self._turns.setdefault(identity, _Turn())
        turn.waiting += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[identity]
