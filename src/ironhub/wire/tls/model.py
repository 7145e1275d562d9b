"""What a TLS engine is: one peer's protocol as a value, ciphertext and plaintext in and out, no socket.

Protects what devices and back ends say from readers and forgers on the way, and proves that a peer holds the private
key of the certificate it shows. Whether that certificate is *good* is not judged here: self-signed, expired or odd
ones complete the handshake, so that the gate can look at them and answer in the peer's own protocol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

RECORD_HEADER: Final = 5
MAX_RECORD_BODY: Final = 16384 + 2048
"""Bytes. RFC 5246 6.2.3; TLS 1.3 allows less (RFC 8446 5.2)."""
SLICE: Final = 4096
"""Bytes handed to OpenSSL at once: its memory buffers never shrink, so a long message must not make them grow."""


class TlsFailed(Exception):
    """The peer broke the protocol or the bounds. Send what `to_send()` holds (the alert), then close."""


class BadCertificate(ValueError):
    """A server certificate, its chain and its private key cannot be used together; the message says why."""


class BadTlsSettings(ValueError):
    """OpenSSL cannot do what the settings ask for; the message says what."""


class EngineUnavailable(RuntimeError):
    """This interpreter cannot run the engine; the message says why."""


class EngineName(StrEnum):
    """The engines there are, the preferred one first (docs/decisions/0002-tls-engines.md)."""

    OPENSSL = "openssl"
    SSL = "ssl"


class TlsVersion(StrEnum):
    """The protocol versions that are spoken."""

    TLS1_2 = "TLSv1.2"
    TLS1_3 = "TLSv1.3"


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A certificate chain (leaf first) and its private key, both PEM, the key not encrypted."""

    chain_pem: bytes
    key_pem: bytes

    def __repr__(self) -> str:
        """Without the key: a repr ends up in logs."""
        return f"ServerIdentity(chain_pem=<{len(self.chain_pem)} bytes>, key_pem=<hidden>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """How the device plane speaks TLS."""

    engine: str = "auto"
    """`auto`, `ssl` or `openssl`."""
    min_version: TlsVersion = TlsVersion.TLS1_2
    """The oldest version a client may speak."""
    max_version: TlsVersion = TlsVersion.TLS1_3
    """The newest version a client may speak."""
    ciphers: str = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES"
    """OpenSSL's cipher list for TLS 1.2; forward secrecy always."""
    alpn: tuple[str, ...] = ()
    """Protocols to agree on, best first. A peer that offers none, or only others, is served without."""
    max_chain: int = 8
    """Certificates a client may send."""
    max_handshake: int = 32_768
    """Bytes a client may send until the handshake is done."""


class Engine(Protocol):
    """One connection's TLS, server side. Not thread-safe. After `TlsFailed` only `to_send` may be called."""

    handshake_done: bool
    peer_closed: bool
    """The peer sent close_notify: nothing more will come."""

    def receive(self, data: bytes | memoryview) -> bytes:
        """Take ciphertext, cut anywhere; return the plaintext it completes, b"" if none. There may be bytes to send.

        Raises:
            TlsFailed: the peer broke the protocol; plaintext of the same call is lost.
        """

    def send(self, plaintext: bytes) -> None:
        """Encrypt; take the result with `to_send`. Raises TlsFailed: the handshake is not done, or it is closed."""

    def to_send(self) -> bytes:
        """Return the ciphertext that waits, once."""

    def close(self) -> None:
        """Queue close_notify (after the handshake; before it there is nothing to say). May be called again."""

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """The certificates the client sent, DER, leaf first; empty: it sent none. Made anew at each call."""

    @property
    def server_name(self) -> str | None:
        """The name the client asked for (SNI), unchecked."""

    @property
    def alpn(self) -> str | None:
        """The protocol that was agreed on."""

    @property
    def version(self) -> TlsVersion | None:
        """What is spoken; None before the handshake is done."""


class EngineSource(Protocol):
    """What a listener needs: an engine for each connection."""

    def new_engine(self) -> Engine:
        """Return the engine of a new connection. Raises RuntimeError: called in another thread than before."""


class Context(EngineSource, Protocol):
    """Certificates and settings, from which each connection gets an engine. Belongs to one thread."""

    @property
    def engine_name(self) -> EngineName:
        """Which implementation this is."""


class ContextFactory(Protocol):
    """A class of contexts."""

    def __call__(self, identities: Sequence[ServerIdentity], settings: TlsSettings) -> Context:
        """The first identity serves whoever asks for no known name, the others those who ask for theirs.

        Raises:
            BadCertificate: a chain and key that cannot be used.
            BadTlsSettings: ciphers that do not exist.
            EngineUnavailable: the engine does not run here.
        """
