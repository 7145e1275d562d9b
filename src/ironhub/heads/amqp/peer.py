"""What a node may ask of the conversation that its link lives in."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from ironhub.core.errors import HubError
from ironhub.heads.amqp.credentials import Credentials
from ironhub.heads.amqp.replies import ReplyLinks
from ironhub.heads.amqp.services import AmqpServices
from ironhub.heads.channel import Channel
from ironhub.wire.amqp import Error, IncomingLink, OutgoingLink


class Peer(Protocol):
    """One connection; implemented by AmqpConversation. Everything is called in the event loop's thread."""

    @property
    def channel(self) -> Channel:
        """The way to the peer; nodes look at `congested`, `peer_address` and `peer_chain`, and never send on it."""

    @property
    def hub(self) -> AmqpServices:
        """The services."""

    @property
    def credentials(self) -> Credentials:
        """Who the peer has shown to be."""

    @property
    def closed(self) -> bool:
        """Nothing can be sent any more."""

    @property
    def container(self) -> str:
        """The container id that the peer gave itself."""

    @property
    def hostname(self) -> str:
        """The host that the peer asked for in its OPEN, unchecked; perhaps empty."""

    def flush(self) -> None:
        """Send what the engine has to say, at once."""

    def soon_flush(self) -> None:
        """Send it in this turn of the loop: many calls, one write. While `receive` routes events it costs nothing."""

    def when_read(self, callback: Callable[[], None]) -> None:
        """Call it once when all that came together was routed, before anything is sent; outside of that, soon."""

    def adjust_reading(self) -> None:
        """Pause or resume reading from the peer, as the nodes that were overloaded say now."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`. A HubError that leaves it, or a bug, ends this connection; the end of the connection does not end
        the work, which looks at `closed` or is told by `Node.detached`."""

    def replies(self, address: str) -> ReplyLinks:
        """Return where the answers to requests at `address` ("$cbs", "$management") go; one object per address."""

    def detach(self, link: IncomingLink | OutgoingLink, error: Error | HubError | None) -> None:
        """End one link with an error; its node hears `detached` at once. Harmless when it is over."""

    def dismiss(self, links: Iterable[IncomingLink | OutgoingLink], error: Error | HubError) -> None:
        """Detach each; then close the connection with the same error unless a link is left that keeps it open.

        Vendor clients do not open again a link that was detached alone: only the end of the connection makes them. They
        close it themselves then, and get `AmqpSettings.dismissal` to do so: those of Node hang for long when they are
        anticipated.
        """

    def refused(self, error: HubError, asked: str = "") -> None:
        """Log and count that something was refused; a stranger who collects too many refusals is cut.

        `asked`: what for, as the peer named it: nothing that could be a secret.
        """

    def fail(self, error: HubError) -> None:
        """End the connection because of what the peer did, or the hub could not do."""

    def close(self, error: Error | None = None) -> None:
        """End the connection in order: CLOSE with `error`, flush, goodbye."""
