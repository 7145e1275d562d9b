"""What the registry needs of a store."""

from collections.abc import Sequence
from typing import Protocol

from ironhub.core.facts import Fact
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.pages import Page
from ironhub.identity.ports import IdentitySource
from ironhub.registry.model import Device, Module


class DeviceStore(IdentitySource, Protocol):
    """Where devices and modules live. Whatever implements it passes tests/contracts/test_device_store.py.

    Every write is durable when it returns, and stores its fact in the outbox in the same transaction.
    """

    async def get_device(self, device_id: DeviceId) -> Device | None:
        """Return the device with its presence and number of pending commands, or None."""

    async def put_device(
        self, device: Device, *, replacing: str | None, facts: Sequence[Fact] = (), modules: Sequence[Module] = ()
    ) -> None:
        """Store `device`; `replacing` is the etag of the stored one, None to create.

        Presence and pending commands are not written. `modules` are created along with it, unless they are there.

        Raises:
            DeviceExists: to be created, but there is one.
            EtagMismatch: another etag (or no device) is stored; nothing was changed.
        """

    async def delete_device(self, device_id: DeviceId, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """Delete the device and all that is its own: modules, twins, commands, feedback, sessions.

        Raises:
            DeviceNotFound: there is none.
            EtagMismatch: `replacing` is given and another etag is stored; nothing was changed.
        """

    async def list_devices(self, *, after: str | None, limit: int) -> Page[Device]:
        """Return at most `limit` devices ordered by id; `after` from the page before."""

    async def count_devices(self) -> tuple[int, int]:
        """Return how many devices there are, and how many of them are enabled."""

    async def get_module(self, identity: Identity) -> Module | None:
        """Return the module, or None when it or its device is not there."""

    async def put_module(self, module: Module, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """As put_device. Raises ModuleExists, EtagMismatch; and when it is to be created, DeviceNotFound,
        TooManyModules."""

    async def delete_module(self, identity: Identity, *, replacing: str | None, facts: Sequence[Fact] = ()) -> None:
        """As delete_device. Raises ModuleNotFound (also when there is no such device), EtagMismatch."""

    async def list_modules(self, device_id: DeviceId) -> tuple[Module, ...]:
        """Return all modules of the device ordered by id; empty when there is no device."""

    async def record_presence(self, changes: Sequence[Fact]) -> None:
        """Store who came and went (facts CONNECTED and DISCONNECTED, in order), with the facts in the outbox.

        Both count as activity; who came announces its model, or that it has none (`registry.model.announced_model`).
        Changes of identities that are gone are dropped.
        """

    async def forget_presence(self, at: float) -> int:
        """Mark everybody disconnected since `at` (the hub starts: nobody is), with a fact DISCONNECTED (no data) for
        each; returns how many were connected."""
