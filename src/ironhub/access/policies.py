"""Shared access policies: who may see them, and new keys for them when one has leaked or is due.

What it protects: promise 2, "revoked is gone". A rolled key opens nothing any more, and the device sessions that rested
on it are told to end before the change is answered.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar, Final

from ironhub.access.model import Grant, Permission
from ironhub.access.ports import PolicyStore
from ironhub.core.bus import Bus, PolicyChanged
from ironhub.core.clock import Entropy
from ironhub.core.errors import HubError
from ironhub.core.sealing import KEY_SIZE
from ironhub.identity.model import KnownPolicy

MAX_SHOWN_NAMES: Final = 20
"""Names that an error lists."""


class PolicyNotFound(HubError):
    """No shared access policy has this name."""

    code: ClassVar[str] = "policy.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Use one of the policies that the message lists."


class WhichKey(StrEnum):
    """One of the two keys of a policy: roll the one that nobody uses, move everybody to it, then roll the other."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class PolicyService:
    """What operators do with policies. Every call needs a grant over the whole hub."""

    def __init__(self, store: PolicyStore, bus: Bus, entropy: Entropy) -> None:
        self._store = store
        self._bus = bus
        self._entropy = entropy
        self._rolling = asyncio.Lock()

    async def list(self, grant: Grant) -> Sequence[KnownPolicy]:
        """Return all with their keys, in the order they were created."""
        grant.require_whole_hub(Permission.POLICY_READ)
        return await self._store.list_policies()

    async def get(self, grant: Grant, name: str) -> KnownPolicy:
        """Return one with its keys; names compare case-insensitively. Raises PolicyNotFound."""
        grant.require_whole_hub(Permission.POLICY_READ)
        return await self._found(name)

    async def roll_key(self, grant: Grant, name: str, which: WhichKey = WhichKey.PRIMARY) -> KnownPolicy:
        """Replace one key by a random one and return the policy; the other key stays good. Raises PolicyNotFound."""
        grant.require_whole_hub(Permission.POLICY_WRITE)
        # Shielded: a caller that hangs up half-way must not leave a key rolled and its sessions alive.
        return await asyncio.shield(self._roll(name, which))

    async def _roll(self, name: str, which: WhichKey) -> KnownPolicy:
        async with self._rolling:  # or two at once would each write back the key that the other has just replaced
            policy = await self._found(name)
            keys = policy.keys._replace(**{which.value: self._entropy.token_bytes(KEY_SIZE)})
            rolled = replace(policy, keys=keys)
            try:
                await self._store.put_policy(rolled)
            finally:
                # Also after an error: the store may have taken it and lost only the answer; to judge anew harms nobody.
                self._bus.publish(PolicyChanged(policy.name))
        return rolled

    async def _found(self, name: str) -> KnownPolicy:
        policy = await self._store.known_policy(name)
        if policy is None:
            known = ", ".join(each.name for each in (await self._store.list_policies())[:MAX_SHOWN_NAMES])
            raise PolicyNotFound(f"there is no policy of this name; there are {known}")
        return policy
