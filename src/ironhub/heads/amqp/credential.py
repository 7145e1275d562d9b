"""One verified principal of a connection, and the links that rest on it."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ironhub.identity.model import DevicePrincipal, ServicePrincipal
from ironhub.wire.amqp import IncomingLink, OutgoingLink

P = TypeVar("P", bound="DevicePrincipal | ServicePrincipal")


class Keeper(Protocol):
    """The credentials of a connection, as one of them sees them."""

    def held(self, credential: "Credential[Any]", link: IncomingLink | OutgoingLink) -> None:
        """`link` rests on `credential` from here on. Raises AuthenticationFailed: it is over."""

    def drop(self, link: IncomingLink | OutgoingLink) -> None:
        """`link` rests on nothing any more; harmless if it did not."""

    def end(self, credential: "AnyCredential", reason: str) -> None:
        """`credential` is no longer good."""


class Shown(NamedTuple):
    """What the gate is asked with."""

    host: str
    token: str | None
    source: "ServiceCredential | None" = None
    """The policy's credential that the token belongs to."""

    def __repr__(self) -> str:
        return f"Shown(host={self.host!r})"


class Credential(Generic[P]):
    """One verified principal of a connection; one object for as long as it is renewed."""

    __slots__ = ("_keeper", "_watchers", "judged_at", "links", "principal", "revoked", "shown")

    def __init__(self, keeper: Keeper, shown: Shown, principal: P, judged_at: int) -> None:
        self.principal: P = principal
        """As the gate found at the last renewal."""
        self.judged_at = judged_at
        """`LiveSessions.notices` (a device) or `LiveBackends.notices` as they were before the gate judged."""
        self.revoked = False
        """The right has ended: what was asked for with it and was not done yet is not done any more."""
        self.links: dict[IncomingLink | OutgoingLink, None] = {}
        """What rests on it, in the order it came."""
        self._keeper = keeper
        self.shown = shown
        """What the gate was asked with."""
        self._watchers: list[Callable[[], None]] = []

    @property
    def expires_at(self) -> float | None:
        """Seconds since the epoch, clock skew included; None: never."""
        return self.principal.expires_at

    @property
    def is_passing(self) -> bool:
        """Whether it is forgotten once no link rests on it, since it can be had again without asking the peer."""
        return self.shown.token is None or self.shown.source is not None

    def hold(self, link: IncomingLink | OutgoingLink) -> None:
        """`link` rests on this credential: it is detached when the credential ends unrenewed.

        Raises:
            AuthenticationFailed: it has ended already, perhaps while the link was being opened.
        """
        self._keeper.held(self, link)

    def drop(self, link: IncomingLink | OutgoingLink) -> None:
        """`link` does not any more; harmless if it did not. The conversation calls it for every link that is over."""
        self._keeper.drop(link)

    def watch(self, callback: Callable[[], None]) -> None:
        """Call it after each renewal, when `principal` has changed."""
        self._watchers.append(callback)

    def unwatch(self, callback: Callable[[], None]) -> None:
        """Take back `watch`; harmless without it."""
        if callback in self._watchers:
            self._watchers.remove(callback)

    def renew(self, shown: Shown, principal: P, judged_at: int) -> None:
        """Rest on what was shown now."""
        changed = principal != self.principal
        self.shown, self.principal, self.judged_at = shown, principal, judged_at
        if changed:
            for callback in tuple(self._watchers):
                callback()


class DeviceCredential(Credential[DevicePrincipal]):
    """Shows that the peer is a device or module."""

    __slots__ = ()


class ServiceCredential(Credential[ServicePrincipal]):
    """Shows that the peer is a back end; the BackendSession of what rests on it."""

    __slots__ = ()

    def end_backend(self, principal: ServicePrincipal, reason: str) -> None:
        """See `BackendSession.end_backend`."""
        if principal is self.principal:
            self._keeper.end(self, reason)


AnyCredential = Credential[DevicePrincipal] | Credential[ServicePrincipal]
