"""An authority store in a dictionary, and a bus that remembers."""

from collections.abc import Callable

from ironhub.core.bus import Notice
from ironhub.pki.model import Authority, AuthorityEtagMismatch, AuthorityExists, AuthorityNotFound


class DictAuthorityStore:
    """Implements AuthorityStore."""

    def __init__(self) -> None:
        self.stored: dict[str, Authority] = {}

    async def get_authority(self, name: str) -> Authority | None:
        """Return what was put there."""
        return self.stored.get(name)

    async def list_authorities(self) -> tuple[Authority, ...]:
        """Return all, ordered by name."""
        return tuple(self.stored[name] for name in sorted(self.stored))

    async def put_authority(self, authority: Authority, *, replacing: str | None) -> None:
        """Create or replace."""
        stored = self.stored.get(authority.name)
        if replacing is None:
            if stored or any(other.certificate == authority.certificate for other in self.stored.values()):
                raise AuthorityExists(f"{authority.name} is there already")
        elif stored is None or stored.etag != replacing:
            raise AuthorityEtagMismatch(f"{authority.name} has another etag")
        self.stored[authority.name] = authority

    async def delete_authority(self, name: str) -> None:
        """Delete."""
        if self.stored.pop(name, None) is None:
            raise AuthorityNotFound(f"no authority {name}")


class RememberingBus:
    """Implements Bus for one who publishes; nobody can subscribe."""

    def __init__(self) -> None:
        self.published: list[Notice] = []

    def publish(self, notice: Notice) -> None:
        """Remember it."""
        self.published.append(notice)

    def subscribe(self, handler: Callable[[Notice], None]) -> Callable[[], None]:
        """Refuse: this bus delivers nothing."""
        raise NotImplementedError(f"{handler} would hear nothing")
