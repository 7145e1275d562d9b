"""Grants as the services see them: made by `authorise`, from principals that a gate would have made."""

import math

from ironhub.access.model import WHOLE_HUB, Grant, Permission, Target
from ironhub.access.service import authorise
from ironhub.core.ids import Identity
from ironhub.identity.model import (
    AuthenticationFailed,
    DevicePrincipal,
    OperatorPrincipal,
    Principal,
    Proof,
    Remembered,
    Right,
    ServicePrincipal,
)


def device_principal(
    who: Identity,
    *,
    generation: str = "g1",
    proof: Proof = Proof.OWN_KEY,
    policy: str | None = None,
    expires_at: float | None = None,
) -> DevicePrincipal:
    """A device or module whose credential was verified."""
    return DevicePrincipal(who, generation, proof, expires_at, policy)


def by_operator(permission: Permission, target: Target = WHOLE_HUB) -> Grant:
    """An operator's grant, over the whole hub unless told otherwise."""
    return authorise(OperatorPrincipal("tester"), permission, target)


def by_policy(permission: Permission, *rights: Right) -> Grant:
    """A back end's grant, over the whole hub."""
    return authorise(ServicePrincipal("owner", frozenset(rights), "", math.inf, "digest"), permission, WHOLE_HUB)


class FakeRecall:
    """Recalls operators as they were, and back ends with `rights`; None: their key is gone."""

    def __init__(self) -> None:
        self.rights: frozenset[Right] | None = frozenset(Right)

    async def __call__(self, who: Remembered) -> Principal:
        """Return who they are now. Raises AuthenticationFailed."""
        if not who.by_policy:
            return OperatorPrincipal(who.name)
        if self.rights is None:
            raise AuthenticationFailed("the credential was not accepted")
        return ServicePrincipal(who.name, self.rights, who.scope, math.inf, who.key_digest)


def by_device(permission: Permission, who: Identity) -> Grant:
    """A device's or module's grant, for itself."""
    return authorise(device_principal(who), permission, who)
