"""What policies need of a store."""

from collections.abc import Sequence
from typing import Protocol

from ironhub.core.ids import DeviceId
from ironhub.identity.model import KnownPolicy
from ironhub.identity.ports import PolicySource


class PolicyStore(PolicySource, Protocol):
    """Where shared access policies live. Whatever implements it passes tests/contracts/test_policy_store.py."""

    async def list_policies(self) -> Sequence[KnownPolicy]:
        """Return all, in the order they were created."""

    async def put_policy(self, policy: KnownPolicy) -> None:
        """Store it durably, replacing the one of that name."""

    async def delete_policy(self, name: str) -> bool:
        """Forget it durably; names compare case-insensitively. Returns False when there is none."""


class FamilySource(Protocol):
    """Where it is known which devices stand below which edge device."""

    async def is_parent(self, parent: DeviceId, child: DeviceId) -> bool:
        """Tell whether `parent` is the edge device that `child` is connected through."""
