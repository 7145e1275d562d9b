"""Shared access policies: who may see and change them, and new keys for them when one has leaked or is due.

What it protects: promise 2, "revoked is gone". A rolled key, a right that was withdrawn and a policy that was deleted
open nothing any more, and the device sessions that rested on them are told to end before the change is answered.
"""

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar, Final

from ironhub.access.model import Grant, Permission
from ironhub.access.ports import PolicyStore
from ironhub.core.bus import Bus, PolicyChanged
from ironhub.core.clock import Entropy
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.sealing import KEY_SIZE
from ironhub.identity.model import KnownPolicy, Right, SymmetricKeys

MAX_SHOWN_NAMES: Final = 20
"""Names that an error lists."""
MAX_POLICIES: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9!._\-]{1,64}\Z")


class PolicyNotFound(HubError):
    """No shared access policy has this name."""

    code: ClassVar[str] = "policy.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Use one of the policies that the message lists."


class PolicyNeeded(HubError):
    """The policy is one of those that every hub has."""

    code: ClassVar[str] = "policy.needed"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Roll its keys (`ironhub policy roll NAME`) to shut everybody out who has them."


class TooManyPolicies(HubError):
    """The hub has all the policies it may have."""

    code: ClassVar[str] = "policy.too_many"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Delete a policy that nobody uses (`ironhub policy delete NAME`)."


class WhichKey(StrEnum):
    """One of the two keys of a policy: roll the one that nobody uses, move everybody to it, then roll the other."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class PolicyService:
    """What operators do with policies. Every call needs a grant over the whole hub."""

    def __init__(self, store: PolicyStore, bus: Bus, entropy: Entropy, *, needed: Collection[str] = ()) -> None:
        """Make it over `store`; policies of the names `needed` cannot be deleted."""
        self._store = store
        self._bus = bus
        self._entropy = entropy
        self._needed = frozenset(name.lower() for name in needed)
        self._changing = asyncio.Lock()

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

    async def put(self, grant: Grant, name: str, rights: frozenset[Right]) -> KnownPolicy:
        """Create a policy with two new keys, or change what the one of this name may do; its keys stay.

        Raises:
            InvalidArgument: `name` is not 1 to 64 letters, digits and ! . _ -, or there are no rights.
            TooManyPolicies.
        """
        grant.require_whole_hub(Permission.POLICY_WRITE)
        if not _NAME.match(name):
            raise InvalidArgument("a policy's name has 1 to 64 letters, digits and ! . _ -")
        if not rights:
            raise InvalidArgument("a policy without rights opens nothing")
        return await asyncio.shield(self._put(name, rights))

    async def delete(self, grant: Grant, name: str) -> None:
        """Forget a policy; what rested on it ends at once. Raises PolicyNotFound, PolicyNeeded."""
        grant.require_whole_hub(Permission.POLICY_WRITE)
        if name.lower() in self._needed:
            raise PolicyNeeded("every hub has this policy")
        await asyncio.shield(self._delete(name))

    async def _put(self, name: str, rights: frozenset[Right]) -> KnownPolicy:
        async with self._changing:
            stored = await self._store.known_policy(name)
            if stored is None and len(await self._store.list_policies()) >= MAX_POLICIES:
                raise TooManyPolicies(f"there are {MAX_POLICIES} policies already")
            keys = stored.keys if stored else SymmetricKeys(*(self._entropy.token_bytes(KEY_SIZE) for _ in range(2)))
            return await self._store_and_tell(KnownPolicy(stored.name if stored else name, keys, rights))

    async def _delete(self, name: str) -> None:
        async with self._changing:
            policy = await self._found(name)
            try:
                await self._store.delete_policy(name)
            finally:
                self._bus.publish(PolicyChanged(policy.name))

    async def _roll(self, name: str, which: WhichKey) -> KnownPolicy:
        async with self._changing:  # or two at once would each write back the key that the other has just replaced
            policy = await self._found(name)
            keys = policy.keys._replace(**{which.value: self._entropy.token_bytes(KEY_SIZE)})
            return await self._store_and_tell(replace(policy, keys=keys))

    async def _store_and_tell(self, policy: KnownPolicy) -> KnownPolicy:
        try:
            await self._store.put_policy(policy)
        finally:
            # Also after an error: the store may have taken it and lost only the answer; to judge anew harms nobody.
            self._bus.publish(PolicyChanged(policy.name))
        return policy

    async def _found(self, name: str) -> KnownPolicy:
        policy = await self._store.known_policy(name)
        if policy is None:
            known = ", ".join(each.name for each in (await self._store.list_policies())[:MAX_SHOWN_NAMES])
            raise PolicyNotFound(f"there is no policy of this name; there are {known}")
        return policy
