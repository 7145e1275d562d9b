"""The two sides of a connection: what a conversation may do with its peer, and what it is told."""

from collections.abc import Callable
from typing import Protocol


class Channel(Protocol):
    """One peer, behind TLS. Everything is called in the event loop's thread; nothing here blocks or raises."""

    @property
    def congested(self) -> bool:
        """More than the high-water mark waits to be read by the peer; nothing is read from it meanwhile."""

    @property
    def peer_address(self) -> str:
        """The peer's IP address, without its port."""

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """The certificates the peer sent, DER, leaf first; it holds the leaf's key, and nothing else was judged."""

    @property
    def server_name(self) -> str | None:
        """The name the peer asked for, unchecked."""

    def send(self, data: bytes) -> None:
        """Encrypt and write; harmless once the connection is closing or gone."""

    def close(self) -> None:
        """Let what was sent arrive, say goodbye, close; after a bounded time, cut."""

    def abort(self) -> None:
        """Cut now."""

    def pause_reading(self) -> None:
        """Receive nothing more until `resume_reading`; what one `receive` was given must still be kept."""

    def resume_reading(self) -> None:
        """Take back `pause_reading`."""

    def identified(self) -> None:
        """The peer has authenticated: the connect deadline ends, and it no longer counts as a stranger."""


class Conversation(Protocol):
    """One peer's protocol. An exception that leaves a method ends this connection, and no other."""

    def receive(self, data: bytes) -> None:
        """Take plaintext, cut anywhere; never after `close` or `abort`, never empty."""

    def lost(self) -> None:
        """The connection is over, whatever the reason; called exactly once."""

    def resumed(self) -> None:
        """The peer reads again, after `Channel.congested` was True."""


ConversationFactory = Callable[[Channel], Conversation]
