"""The engine on the standard `ssl` module, with the judgement of client certificates taken out (`accept_any`)."""

import os
import ssl
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from ironhub.wire.tls.accept_any import server_context
from ironhub.wire.tls.certificates import CheckedIdentity, check_identity, find_identity
from ironhub.wire.tls.engine import RecordEngine
from ironhub.wire.tls.model import (
    BadCertificate,
    BadTlsSettings,
    EngineName,
    ServerIdentity,
    TlsFailed,
    TlsSettings,
    TlsVersion,
)

_RECORD: Final = 16_384
_DER: Final = 2
"""`_ssl.ENCODING_DER`, which is not public."""


class _Tls(ssl.SSLObject):
    """Remembers the name the client asked for, which the module tells its callback only."""

    asked_name: str | None = None


class StdlibEngine(RecordEngine):
    """See `Engine`."""

    __slots__ = ("_incoming", "_outgoing", "_shared", "_tls")

    def __init__(self, context: ssl.SSLContext, settings: TlsSettings) -> None:
        super().__init__()
        self._shared = settings
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def close(self) -> None:
        """See `Engine.close`."""
        if self.handshake_done:
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                return  # close_notify is queued; the module would have waited for the peer's

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """See `Engine.peer_chain`."""
        return tuple(as_der(certificate) for certificate in self._chain())

    @property
    def server_name(self) -> str | None:
        """See `Engine.server_name`."""
        return cast("_Tls", self._tls).asked_name

    @property
    def alpn(self) -> str | None:
        """See `Engine.alpn`."""
        return self._tls.selected_alpn_protocol()

    @property
    def version(self) -> TlsVersion | None:
        """See `Engine.version`."""
        version = self._tls.version() if self.handshake_done else None
        return None if version is None else TlsVersion(version)

    @property
    def _settings(self) -> TlsSettings:
        return self._shared

    def _settle(self) -> None:
        """Nothing can be: the module keeps the buffers it was given."""

    def _feed(self, records: bytes | memoryview) -> None:
        self._incoming.write(records)

    def _step(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise _failed(error) from None
        return True

    def _decrypt_record(self, record: bytes | memoryview) -> bytes:
        self._incoming.write(record)
        try:
            plaintext = self._tls.read(len(record))
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLError as error:
            raise _failed(error) from None
        if not plaintext:
            self.peer_closed = True
        return plaintext

    def _drain(self) -> bytes:
        pieces = []
        try:
            while piece := self._tls.read(_RECORD):
                pieces.append(piece)
            self.peer_closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise _failed(error) from None
        return b"".join(pieces)

    def _encrypt(self, plaintext: bytes) -> None:
        try:
            self._tls.write(plaintext)
        except ssl.SSLError as error:
            raise _failed(error) from None

    def _take(self) -> bytes:
        return self._outgoing.read()

    def _chain(self) -> Sequence[Any]:
        """What the module returns: bytes, or before CPython 3.13 (where it is not public) objects of its own."""
        if self._tls.getpeercert(binary_form=True) is None:
            return ()  # the module would put a None into the chain, or trip over it
        source: Any = self._tls if hasattr(self._tls, "get_unverified_chain") else self._tls._sslobj  # type: ignore[attr-defined]  # not in the stubs
        chain: Sequence[Any] = source.get_unverified_chain()
        return chain

    def _chain_length(self) -> int:
        return len(self._chain())


class StdlibContext:
    """See `Context`."""

    engine_name = EngineName.SSL

    def __init__(self, identities: Sequence[ServerIdentity], settings: TlsSettings) -> None:
        self._identities = [check_identity(identity) for identity in identities]
        if not self._identities:
            raise BadCertificate("a TLS listener needs at least one certificate")
        self._settings = settings
        self._contexts = [_make_context(identity, settings) for identity in self._identities]
        self._contexts[0].sni_callback = self._on_name
        self._owner: int | None = None

    def new_engine(self) -> StdlibEngine:
        """See `Context.new_engine`."""
        if self._owner != threading.get_ident():
            if self._owner is not None:
                raise RuntimeError("a TLS context belongs to the thread that used it first")
            self._owner = threading.get_ident()
        return StdlibEngine(self._contexts[0], self._settings)

    def _on_name(self, tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        cast("_Tls", tls).asked_name = name
        chosen = find_identity(self._identities, name)
        if chosen:
            tls.context = self._contexts[chosen]


def as_der(certificate: Any) -> bytes:
    """Return the DER of one entry of the module's chain, whose type changed with CPython 3.13."""
    if isinstance(certificate, bytes):
        return certificate
    der: bytes = certificate.public_bytes(_DER)
    return der


def _make_context(identity: CheckedIdentity, settings: TlsSettings) -> ssl.SSLContext:
    context = server_context()
    context.sslobject_class = _Tls
    context.minimum_version = _version(settings.min_version)
    context.maximum_version = _version(settings.max_version)
    # No tickets: a session resumed by one shows the leaf only, and the gate needs the chain.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    try:
        context.set_ciphers(settings.ciphers)
    except ssl.SSLError as error:
        raise BadTlsSettings(f"OpenSSL knows no cipher of {settings.ciphers!r}") from error
    if settings.alpn:
        context.set_alpn_protocols(list(settings.alpn))
    try:
        with _file(identity.identity.chain_pem) as chain, _file(identity.identity.key_pem) as key:
            context.load_cert_chain(chain, key)
    except ssl.SSLError as error:
        raise BadCertificate(f"OpenSSL refuses the certificate: {error.reason}") from error
    return context


def _version(version: TlsVersion) -> ssl.TLSVersion:
    return ssl.TLSVersion.TLSv1_2 if version is TlsVersion.TLS1_2 else ssl.TLSVersion.TLSv1_3


def _failed(error: ssl.SSLError) -> TlsFailed:
    return TlsFailed(str(error.reason or error))


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A path to `content`, which the module takes from files only: in memory where Linux offers it."""
    memory = Path("/proc/self/fd")
    if hasattr(os, "memfd_create") and memory.exists():
        with os.fdopen(os.memfd_create("ironhub-tls"), "wb") as file:
            file.write(content)
            file.flush()
            yield str(memory / str(file.fileno()))
    else:
        with tempfile.NamedTemporaryFile() as file:  # mode 0600, gone when the block ends
            file.write(content)
            file.flush()
            yield file.name
