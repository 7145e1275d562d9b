"""What bulk calls need of a store."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ironhub.core.ids import DeviceId, Identity
from ironhub.provisioning.bulk.model import Change, Mark, Outcome, Registered
from ironhub.registry.model import Device, Module
from ironhub.twins.model import Twin


class View(Protocol):
    """What is stored at this very moment of the transaction, rows before this one included."""

    def device(self, device_id: DeviceId) -> Device | None:
        """Return the device, or None."""

    def module(self, identity: Identity) -> Module | None:
        """Return the module, or None."""

    def count_modules(self, device_id: DeviceId) -> int:
        """Return how many modules the device has."""

    def twin(self, identity: Identity) -> Twin | None:
        """Return the twin; the initial one if nothing was ever written; None when the identity is not registered."""


Step = Callable[[View], Change]
"""Decides on one row: returns what to store, or raises the HubError that is its outcome. Pure, and for any thread."""
Conclude = Callable[[Sequence[Outcome]], Mark]


class BulkStore(Protocol):
    """Where many identities change together. Whatever implements it passes tests/contracts/test_bulk_store.py."""

    async def apply(
        self, steps: Sequence[Step], *, conclude: Conclude | None = None, dry_run: bool = False
    ) -> Sequence[Outcome]:
        """Take the steps one after the other in one transaction, and return the outcome of each.

        A step that raises a HubError changes nothing and stops nobody; any other error undoes all.

        Args:
            conclude: returns the mark that is stored along.
            dry_run: undo everything at the end; the outcomes are what they would have been.
        """

    async def page(self, *, after: Identity | None, limit: int) -> Sequence[Registered]:
        """Return at most `limit` identities behind `after`, ordered by device id, each device before its modules."""

    async def get_mark(self, name: str) -> Mark | None:
        """Return the newest mark of this name, or None."""

    async def drop_mark(self, name: str) -> None:
        """Forget the mark."""

    async def drop_marks(self, before: float) -> None:
        """Forget marks that nobody wrote since the instant `before`."""
