"""Who one connection has shown to be, and what rests on it.

What it protects: a link works only while a credential that opens it is good. A token that ends, a policy that changes
and a device that is disabled end the links that rest on them, and nothing else.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from ironhub.access.model import Permission
from ironhub.core.ids import Identity
from ironhub.identity.model import DevicePrincipal, ServicePrincipal

if TYPE_CHECKING:
    from ironhub.wire.amqp import IncomingLink, OutgoingLink

P = TypeVar("P", DevicePrincipal, ServicePrincipal)


class Credential(Generic[P]):
    """One verified principal of a connection."""

    principal: P
    """As the gate found at the last renewal."""
    judged_at: int
    """`LiveSessions.notices` (a device) or `LiveBackends.notices` as they were before the gate judged."""
    expires_at: float | None
    """Seconds since the epoch; None: never."""

    def hold(self, link: "IncomingLink | OutgoingLink") -> None:
        """`link` rests on this credential: it is detached when the credential ends unrenewed."""

    def drop(self, link: "IncomingLink | OutgoingLink") -> None:
        """`link` does not any more; harmless if it did not. The conversation calls it for every link that is over."""

    def watch(self, callback: Callable[[], None]) -> None:
        """Call it after each renewal, when `principal` has changed."""

    def unwatch(self, callback: Callable[[], None]) -> None:
        """Take back `watch`."""


DeviceCredential = Credential[DevicePrincipal]
ServiceCredential = Credential[ServicePrincipal]


class Credentials:
    """All that one connection has shown."""

    async def put(self, token: str) -> DeviceCredential | ServiceCredential:
        """Take a token (CBS), or renew with it what was shown for the same audience.

        Raises:
            AuthenticationFailed: it is not good. TooManyAudiences.
        """
        raise NotImplementedError

    async def plain(self, username: str, password: str) -> DeviceCredential | ServiceCredential:
        """Take the user name and password of SASL PLAIN. Raises AuthenticationFailed."""
        raise NotImplementedError

    async def device(self, identity: Identity) -> DeviceCredential:
        """Return what shows that the peer is `identity`: its own token, a policy's token that covers it, or the
        certificate of the TLS handshake. The gate is asked anew at each call. Raises AuthenticationFailed."""
        raise NotImplementedError

    def service(self, permission: Permission, *, near: str = "") -> ServiceCredential:
        """Return a back end's credential that allows `permission` over the whole hub.

        Args:
            near: the path the link is for ("/messages/events/ConsumerGroups/a/Partitions/0"): where several allow it,
                the one that was signed for the most specific part around it is taken, so that its renewal counts.

        Raises:
            AuthenticationFailed: no policy's token was shown. PermissionDenied: none of those shown allows it.
        """
        raise NotImplementedError

    def end(self, credential: DeviceCredential | ServiceCredential, reason: str) -> None:
        """It is no longer good: forget it and dismiss its links (unauthorized-access; detach-forced for TAKEN_OVER).

        The connection is closed when no link is left that keeps it open, or when the hub stops. Harmless when it is
        over. A device session's `end` is this call.
        """
