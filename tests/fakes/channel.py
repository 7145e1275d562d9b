"""A heads.channel.Channel that remembers what was sent and lets the test be slow, absent or rude."""

from collections.abc import Sequence


class FakeChannel:
    """The hub's end of a connection. `sent` is everything in order; nothing is sent after it was closed."""

    def __init__(
        self,
        *,
        peer_address: str = "192.0.2.7",
        peer_chain: Sequence[bytes] = (),
        server_name: str | None = "hub.example",
    ) -> None:
        self.peer_address = peer_address
        self.peer_chain = tuple(peer_chain)
        self.server_name = server_name
        self.congested = False
        self.sent = bytearray()
        self.closed = False
        self.aborted = False
        self.reading = True
        self.is_identified = False

    def send(self, data: bytes) -> None:
        """Remember `data`, unless the connection is over."""
        if not self.closed:
            self.sent += data

    def close(self) -> None:
        """End it in order."""
        self.closed = True

    def abort(self) -> None:
        """End it at once."""
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        """Read no more from the peer."""
        self.reading = False

    def resume_reading(self) -> None:
        """Read again."""
        self.reading = True

    def identified(self) -> None:
        """The peer is no stranger any more."""
        self.is_identified = True

    def take(self) -> bytes:
        """Return what was sent since the last call."""
        data = bytes(self.sent)
        self.sent.clear()
        return data
