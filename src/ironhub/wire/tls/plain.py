"""No TLS at all: what stands in an engine's place on a port that only this machine reaches.

Whoever listens with it takes care that it is so; here nothing is protected.
"""

from ironhub.wire.tls.model import TlsFailed, TlsVersion


class PlainEngine:
    """Hands bytes through, both ways; a `wire.tls.Engine` whose handshake is always done."""

    __slots__ = ("_waiting", "handshake_done", "peer_closed")

    def __init__(self) -> None:
        self.handshake_done = True
        self.peer_closed = False
        self._waiting: list[bytes] | None = []

    def receive(self, data: bytes | memoryview) -> bytes:
        """See `Engine.receive`."""
        return bytes(data)

    def send(self, plaintext: bytes) -> None:
        """See `Engine.send`."""
        if self._waiting is None:
            raise TlsFailed("nothing can be sent after the end")
        self._waiting.append(plaintext)

    def to_send(self) -> bytes:
        """See `Engine.to_send`."""
        if not self._waiting:
            return b""
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting.clear()
        return data

    def close(self) -> None:
        """See `Engine.close`: there is no goodbye but the end of the stream."""
        self._waiting = None

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """Nobody shows a certificate."""
        return ()

    @property
    def server_name(self) -> str | None:
        """Nobody names the server."""
        return None

    @property
    def alpn(self) -> str | None:
        """Nothing is agreed on."""
        return None

    @property
    def version(self) -> TlsVersion | None:
        """None is spoken."""
        return None


class PlainContext:
    """Gives each connection a PlainEngine; a `wire.tls.EngineSource`."""

    def new_engine(self) -> PlainEngine:
        """Return the engine of a new connection."""
        return PlainEngine()
