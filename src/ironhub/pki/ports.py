"""What the authorities need of a store."""

from typing import Protocol

from ironhub.pki.model import Authority


class AuthorityStore(Protocol):
    """Where registered CAs live. Whatever implements it passes tests/contracts/test_authority_store.py."""

    async def get_authority(self, name: str) -> Authority | None:
        """Return it, or None."""

    async def list_authorities(self) -> tuple[Authority, ...]:
        """Return all, ordered by name."""

    async def put_authority(self, authority: Authority, *, replacing: str | None) -> None:
        """Store it durably; `replacing` is the stored etag, None to create. Raises AuthorityExists (name or
        certificate), AuthorityEtagMismatch."""

    async def delete_authority(self, name: str) -> None:
        """Delete it durably. Raises AuthorityNotFound."""
