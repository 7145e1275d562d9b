"""The gate for signed links: who shows one may do to one blob or container what was signed, until it ends.

Protects against links that are forged, altered, used at another blob, or used too late. A link rests on the key of the
hub's own blob account, which nobody is ever given.
"""

from dataclasses import dataclass, field

from ironhub.core.clock import Clock
from ironhub.identity.model import AuthenticationFailed, LinkPrincipal, LinkRight, SymmetricKeys
from ironhub.identity.sas import find_signer


@dataclass(frozen=True, slots=True)
class LinkClaim:
    """What a link says. Nothing of it is true until the gate admitted it."""

    container: str
    blob: str | None
    """None: the whole container."""
    rights: frozenset[LinkRight]
    starts_at: float | None
    expires_at: float
    message: bytes = field(repr=False)
    """What was signed: it follows from everything above, as the dialect writes it."""
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BlobAccount:
    """The name and keys under which the hub's own blobs are reached. Made at the first start."""

    name: str
    keys: SymmetricKeys = field(repr=False)


class LinkGate:
    """Verifies links to the hub's own blobs."""

    def __init__(self, account: BlobAccount, clock: Clock) -> None:
        self.account = account
        self._clock = clock

    def admit(self, claim: LinkClaim) -> LinkPrincipal:
        """Return what the holder of the link may do. Raises AuthenticationFailed: one message, whatever the reason."""
        now = self._clock.now()
        if find_signer(claim.message, claim.signature, self.account.keys) is None:
            raise refuse_link("signed with another key, or altered")
        if now >= claim.expires_at:
            raise refuse_link(f"ended {now - claim.expires_at:.0f} s ago")
        if claim.starts_at is not None and now < claim.starts_at:
            raise refuse_link("not good yet")
        return LinkPrincipal(claim.container, claim.blob, claim.rights, claim.expires_at)


def refuse_link(detail: str) -> AuthenticationFailed:
    """Return the refusal of a link; `detail` is for our log."""
    return AuthenticationFailed("the link was not accepted", detail=detail)
