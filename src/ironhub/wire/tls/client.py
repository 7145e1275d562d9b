"""The other end of a TLS connection: a client as a value, for those who open thousands of them in one process.

It judges the server as the standard `ssl` module does by default: the chain, its dates and the name must be right.
"""

import ssl
from contextlib import suppress
from typing import Final

from ironhub.wire.tls.model import TlsFailed

_RECORD: Final = 16_384


def client_context(ca_pem: str) -> ssl.SSLContext:
    """Return what connections that trust only the authorities in `ca_pem` have in common. Raises ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=ca_pem)
    return context


class ClientEngine:
    """One connection's TLS, client side: the calls of `Engine`. `to_send` holds the first flight at once."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "handshake_done", "peer_closed")

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        """Begin the handshake; `server_name`, a host name or address, is what the certificate must be good for."""
        self.handshake_done = False
        self.peer_closed = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._step()

    def receive(self, data: bytes) -> bytes:
        """Take ciphertext, cut anywhere; return the plaintext it completes, b"" if none. There may be bytes to send.

        Raises:
            TlsFailed: the server is not who it should be, or broke the protocol.
        """
        self._incoming.write(data)
        if not self.handshake_done:
            self._step()
            if not self.handshake_done:
                return b""
        try:
            return self._drain()
        except ssl.SSLError as error:
            raise TlsFailed(str(error.reason or error)) from None

    def send(self, plaintext: bytes) -> None:
        """Encrypt; take the result with `to_send`. Raises TlsFailed: the handshake is not done, or it is closed."""
        if not self.handshake_done:
            raise TlsFailed("nothing can be sent before the handshake is done")
        try:
            for start in range(0, len(plaintext), _RECORD):
                self._tls.write(plaintext[start : start + _RECORD])
        except ssl.SSLError as error:
            raise TlsFailed(str(error.reason or error)) from None

    def to_send(self) -> bytes:
        """Return the ciphertext that waits, once."""
        return self._outgoing.read()

    def close(self) -> None:
        """Queue close_notify."""
        if self.handshake_done:
            with suppress(ssl.SSLError):  # it is queued; the module would have waited for the server's
                self._tls.unwrap()

    def _step(self) -> None:
        try:
            self._tls.do_handshake()
            self.handshake_done = True
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise TlsFailed(getattr(error, "verify_message", "") or str(error.reason or error)) from None

    def _drain(self) -> bytes:
        pieces = []
        with suppress(ssl.SSLWantReadError):
            while piece := self._tls.read(_RECORD):
                pieces.append(piece)
            self.peer_closed = True
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
