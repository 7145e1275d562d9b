"""Registered certificate authorities in memory."""

from collections.abc import Sequence

from ironhub.identity.model import TrustedAuthority
from ironhub.pki.model import Authority, AuthorityEtagMismatch, AuthorityExists, AuthorityNotFound
from ironhub.storage.memory.state import State


class MemoryAuthorityStore:
    """An AuthorityStore, and the AuthoritySource over the same, in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def get_authority(self, name: str) -> Authority | None:
        """Return it, or None."""
        return self._state.authorities.get(name)

    async def list_authorities(self) -> tuple[Authority, ...]:
        """Return all, ordered by name."""
        return tuple(authority for _, authority in sorted(self._state.authorities.items()))

    async def put_authority(self, authority: Authority, *, replacing: str | None) -> None:
        """Store it if `replacing` (None: nothing) is the stored etag. Raises AuthorityExists, AuthorityEtagMismatch."""
        stored = self._state.authorities.get(authority.name)
        if replacing is None and stored is not None:
            raise AuthorityExists(f"an authority {authority.name} is registered already")
        if replacing is not None and (stored is None or stored.etag != replacing):
            raise AuthorityEtagMismatch(f"the authority {authority.name} has another etag, or is gone")
        for other in self._state.authorities.values():
            if other.certificate == authority.certificate and other.name != authority.name:
                raise AuthorityExists(f"this certificate is registered already, as {other.name}")
        self._state.authorities[authority.name] = authority

    async def delete_authority(self, name: str) -> None:
        """Delete it. Raises AuthorityNotFound."""
        if self._state.authorities.pop(name, None) is None:
            raise AuthorityNotFound(f"no authority {name} is registered")

    async def trusted_authorities(self) -> Sequence[TrustedAuthority]:
        """Return every registered CA whose possession was proven, with its revocation list."""
        return [
            TrustedAuthority(authority.name, authority.certificate, authority.revocation_list)
            for authority in await self.list_authorities()
            if authority.verified
        ]
