"""What the gate needs of the stores."""

from collections.abc import Sequence
from typing import Protocol

from ironhub.core.ids import Identity
from ironhub.identity.model import KnownIdentity, KnownPolicy, TrustedAuthority


class IdentitySource(Protocol):
    """Where the credentials of devices and modules are found."""

    async def known_identity(self, identity: Identity) -> KnownIdentity | None:
        """Return what is stored, or None when there is no such device or module."""


class PolicySource(Protocol):
    """Where shared access policies are found."""

    async def known_policy(self, name: str) -> KnownPolicy | None:
        """Return the policy (names compare case-insensitively), or None."""


class AuthoritySource(Protocol):
    """Where the certificate authorities are found that device certificates may chain to."""

    async def trusted_authorities(self) -> Sequence[TrustedAuthority]:
        """Return every registered CA whose possession was proven, with its revocation list."""
