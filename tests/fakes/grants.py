"""Grants as the services see them: made by `authorise`, from principals that a gate would have made."""

from ironhub.access.model import WHOLE_HUB, Grant, Permission, Target
from ironhub.access.service import authorise
from ironhub.core.ids import Identity
from ironhub.identity.model import DevicePrincipal, OperatorPrincipal, Proof


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


def by_device(permission: Permission, who: Identity) -> Grant:
    """A device's or module's grant, for itself."""
    return authorise(device_principal(who), permission, who)
