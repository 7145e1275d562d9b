"""What can be done with many identities at once."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import Bus
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.identity.model import SymmetricKeys
from ironhub.provisioning.bulk.deciding import Decider
from ironhub.provisioning.bulk.model import (
    BulkResult,
    Change,
    DefinedTwice,
    Mark,
    Outcome,
    Registered,
    Row,
    RowError,
    TooManyRows,
)
from ironhub.provisioning.bulk.ports import BulkStore, Conclude, Step, View
from ironhub.registry.making import IdentityMaker

MAX_ROWS: Final = 1000
"""Rows in one call; they share one transaction, which nobody else's write may wait for too long."""
MARK_AGE: Final = 30 * 86_400.0
"""Seconds after which an import that was never taken up again is forgotten."""

Given = Row | HubError
"""A row, or why what should be one cannot be read."""


class Rekeyed(NamedTuple):
    """The keys of one identity after one of them was replaced, or why it was not."""

    identity: Identity
    outcome: SymmetricKeys | HubError


class BulkService:
    """Changes many identities in one transaction. What is changed is durable, and sessions that rested on what it took
    away are told to end, before it is answered; as with the single calls."""

    def __init__(self, store: BulkStore, bus: Bus, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._decider = Decider(IdentityMaker(clock, entropy), clock)

    async def apply(
        self,
        grant: Grant,
        rows: Sequence[Given],
        *,
        max_rows: int = MAX_ROWS,
        distinct: bool = False,
        dry_run: bool = False,
    ) -> BulkResult:
        """Do what each row says, in order, and return which could not be done.

        Args:
            distinct: refuse the call when it names an identity twice.
            dry_run: change nothing.

        Raises:
            TooManyRows, DefinedTwice: nothing was changed.
        """
        grant.require_whole_hub(Permission.REGISTRY_WRITE)
        _check_count(len(rows), max_rows)
        if distinct:
            _check_distinct([row.identity for row in rows if isinstance(row, Row)])
        outcomes = await self._store_and_tell([self._step(row) for row in rows], None, dry_run=dry_run)
        return _result(rows, outcomes)

    async def continue_import(
        self,
        grant: Grant,
        rows: Sequence[Given],
        *,
        name: str,
        position: int,
        notes: Callable[[BulkResult], dict[str, Any]],
    ) -> BulkResult:
        """As `apply`, and store with it that the import `name` goes on at `position`. Raises TooManyRows.

        Args:
            notes: what to store with the mark (JSON values).
        """
        grant.require_whole_hub(Permission.REGISTRY_WRITE)
        _check_count(len(rows), MAX_ROWS)

        def conclude(outcomes: Sequence[Outcome]) -> Mark:
            return Mark(name, position, self._clock.now(), notes(_result(rows, outcomes)))

        return _result(rows, await self._store_and_tell([self._step(row) for row in rows], conclude))

    async def page(self, grant: Grant, *, after: Identity | None, limit: int = MAX_ROWS) -> Sequence[Registered]:
        """Return at most `limit` devices and modules with their keys and twins, behind `after`, in order."""
        grant.require_whole_hub(Permission.TRANSFER_READ)
        return await self._store.page(after=after, limit=max(1, min(limit, MAX_ROWS)))

    async def import_mark(self, grant: Grant, name: str) -> Mark | None:
        """Return how far the import of this name got, or None: it did not begin."""
        grant.require_whole_hub(Permission.REGISTRY_WRITE)
        return await self._store.get_mark(name)

    async def forget_import(self, grant: Grant, name: str) -> None:
        """Forget the mark of an import that is over, and those that nobody came back to."""
        grant.require_whole_hub(Permission.REGISTRY_WRITE)
        await self._store.drop_mark(name)
        await self._store.drop_marks(self._clock.now() - MARK_AGE)

    async def new_keys(
        self, grant: Grant, identities: Sequence[Identity], *, secondary: bool, max_rows: int = MAX_ROWS
    ) -> Sequence[Rekeyed]:
        """Give each a new primary or secondary key. Raises TooManyRows, DefinedTwice."""
        grant.require_whole_hub(Permission.REGISTRY_WRITE)
        _check_count(len(identities), max_rows)
        _check_distinct(identities)
        steps = [self._new_key_step(who, secondary) for who in identities]
        outcomes = await self._store_and_tell(steps, None)
        return [Rekeyed(who, _keys_of(outcome)) for who, outcome in zip(identities, outcomes, strict=True)]

    def _step(self, row: Given) -> Step:
        return partial(_refuse, row) if isinstance(row, HubError) else partial(self._decider.decide, row)

    def _new_key_step(self, identity: Identity, secondary: bool) -> Step:
        return lambda view: self._decider.new_key(identity, secondary=secondary, view=view)

    async def _store_and_tell(
        self, steps: Sequence[Step], conclude: Conclude | None, *, dry_run: bool = False
    ) -> Sequence[Outcome]:
        """Under a shield: a caller that hangs up half-way must not leave a stored change untold."""

        async def store_and_tell() -> Sequence[Outcome]:
            outcomes = await self._store.apply(steps, conclude=conclude, dry_run=dry_run)
            if not dry_run:
                self._tell(outcomes)
            return outcomes

        return await asyncio.shield(store_and_tell())

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Change):
                for notice in outcome.notices:
                    self._bus.publish(notice)


def _result(rows: Sequence[Given], outcomes: Sequence[Outcome]) -> BulkResult:
    errors = tuple(
        RowError(number, row.identity if isinstance(row, Row) else None, outcome)
        for number, (row, outcome) in enumerate(zip(rows, outcomes, strict=True))
        if isinstance(outcome, HubError)
    )
    return BulkResult(len(rows) - len(errors), errors)


def _keys_of(outcome: Outcome) -> SymmetricKeys | HubError:
    if isinstance(outcome, HubError):
        return outcome
    keys = None if outcome.put is None else outcome.put.credentials.keys
    return keys if keys is not None else HubError("no key was made")


def _refuse(error: HubError, view: View) -> Change:
    del view
    raise error


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise TooManyRows(f"{count} devices were sent; at most {most} are taken in one call")


def _check_distinct(identities: Sequence[Identity]) -> None:
    seen: set[Identity] = set()
    for who in identities:
        if who in seen:
            raise DefinedTwice(f"{who} is named more than once")
        seen.add(who)
