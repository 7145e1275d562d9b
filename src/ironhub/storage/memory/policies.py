"""Shared access policies in memory."""

from collections.abc import Sequence

from ironhub.identity.model import KnownPolicy
from ironhub.storage.memory.state import State


class MemoryPolicyStore:
    """A PolicyStore in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def known_policy(self, name: str) -> KnownPolicy | None:
        """Return the policy (names compare case-insensitively), or None."""
        return self._state.policies.get(name.lower())

    async def list_policies(self) -> Sequence[KnownPolicy]:
        """Return all, in the order they were created."""
        return list(self._state.policies.values())

    async def put_policy(self, policy: KnownPolicy) -> None:
        """Store it durably, replacing the one of that name."""
        self._state.policies[policy.name.lower()] = policy

    async def delete_policy(self, name: str) -> bool:
        """Forget it durably; names compare case-insensitively. Returns False when there is none."""
        return self._state.policies.pop(name.lower(), None) is not None
