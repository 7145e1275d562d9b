"""The engine on the OpenSSL that comes with `cryptography`: works in every interpreter.

pyOpenSSL sets up contexts; records go through the binding directly, with buffers that are used again and again.
"""

import threading
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL, crypto

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

_lib: Final[Any] = Binding.lib  # made of C at run time: no types
_ffi: Final[Any] = Binding.ffi
_BUFFER: Final = 32_768
"""Bytes. More than OpenSSL ever holds for us: one record's plaintext, or a handshake flight read in pieces."""
_HOST_NAME: Final = 0  # TLSEXT_NAMETYPE_host_name, RFC 6066 3
_VERSIONS: Final = {TlsVersion.TLS1_2: SSL.TLS1_2_VERSION, TlsVersion.TLS1_3: SSL.TLS1_3_VERSION}


@_ffi.callback("int (*)(int, X509_STORE_CTX *)")  # type: ignore[untyped-decorator]  # cffi has no types
def _accept(_ok: int, _store: object) -> int:
    """Take every certificate; OpenSSL has checked by then, or will, that the client holds the key."""
    return 1


class OpensslEngine(RecordEngine):
    """See `Engine`."""

    __slots__ = ("_context", "_incoming", "_outgoing", "_ssl")

    def __init__(self, context: "OpensslContext") -> None:
        super().__init__()
        self._context = context
        self._ssl = _ffi.gc(_lib.SSL_new(context.pointers[0]), _lib.SSL_free)
        self._fresh_buffers()
        _lib.SSL_set_accept_state(self._ssl)

    def close(self) -> None:
        """See `Engine.close`."""
        if self.handshake_done:
            _lib.ERR_clear_error()
            _lib.SSL_shutdown(self._ssl)

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """See `Engine.peer_chain`."""
        leaf = _lib.SSL_get_peer_certificate(self._ssl)
        if leaf == _ffi.NULL:
            return ()
        chain = [_der(leaf)]
        _lib.X509_free(leaf)
        others = _lib.SSL_get_peer_cert_chain(self._ssl)  # borrowed; a server's holds no leaf
        chain += [_der(_lib.sk_X509_value(others, index)) for index in range(_lib.sk_X509_num(others))]
        return tuple(chain)

    @property
    def server_name(self) -> str | None:
        """See `Engine.server_name`."""
        return _server_name(self._ssl)

    @property
    def alpn(self) -> str | None:
        """See `Engine.alpn`."""
        text, size = _ffi.new("unsigned char **"), _ffi.new("unsigned int *")
        _lib.SSL_get0_alpn_selected(self._ssl, text, size)
        return _ffi.unpack(_ffi.cast("char *", text[0]), size[0]).decode("latin-1") if size[0] else None

    @property
    def version(self) -> TlsVersion | None:
        """See `Engine.version`."""
        return TlsVersion(_ffi.string(_lib.SSL_get_version(self._ssl)).decode()) if self.handshake_done else None

    @property
    def _settings(self) -> TlsSettings:
        return self._context.settings

    def _fresh_buffers(self) -> None:
        """Give OpenSSL new memory buffers (it frees the old ones, which have grown to the size of the handshake)."""
        self._incoming = _lib.BIO_new(_lib.BIO_s_mem())
        self._outgoing = _lib.BIO_new(_lib.BIO_s_mem())
        _lib.SSL_set_bio(self._ssl, self._incoming, self._outgoing)

    def _settle(self) -> None:
        self._ready += self._take()
        self._fresh_buffers()

    def _feed(self, records: bytes | memoryview) -> None:
        _lib.BIO_write(self._incoming, bytes(records), len(records))

    def _step(self) -> bool:
        _lib.ERR_clear_error()
        result = _lib.SSL_do_handshake(self._ssl)
        if result == 1:
            return True
        self._check(result)
        return False

    def _decrypt_record(self, record: bytes | memoryview) -> bytes:
        buffer = self._context.buffer
        _lib.ERR_clear_error()
        _lib.BIO_write(self._incoming, bytes(record), len(record))
        size = _lib.SSL_read(self._ssl, buffer, _BUFFER)
        if size <= 0:
            self._check(size)
            return b""
        plaintext: bytes = _ffi.unpack(buffer, size)
        return plaintext

    def _drain(self) -> bytes:
        buffer = self._context.buffer
        pieces = []
        _lib.ERR_clear_error()
        while (size := _lib.SSL_read(self._ssl, buffer, _BUFFER)) > 0:
            pieces.append(_ffi.unpack(buffer, size))
        self._check(size)
        return b"".join(pieces)

    def _check(self, result: int) -> None:
        """Raise for anything but "more bytes, please"."""
        error = _lib.SSL_get_error(self._ssl, result)
        if error == _lib.SSL_ERROR_ZERO_RETURN:
            self.peer_closed = True
        elif error != _lib.SSL_ERROR_WANT_READ:
            raise TlsFailed(_reason())

    def _encrypt(self, plaintext: bytes) -> None:
        if _lib.SSL_write(self._ssl, plaintext, len(plaintext)) <= 0:
            raise TlsFailed(_reason())

    def _take(self) -> bytes:
        buffer = self._context.buffer
        size = _lib.BIO_read(self._outgoing, buffer, _BUFFER)
        if size <= 0:
            return b""
        taken: bytes = _ffi.unpack(buffer, size)
        return taken if size < _BUFFER else taken + self._take()

    def _chain_length(self) -> int:
        others = _lib.SSL_get_peer_cert_chain(self._ssl)
        return 1 + int(_lib.sk_X509_num(others))  # -1: there is none at all


class OpensslContext:
    """See `Context`."""

    engine_name = EngineName.OPENSSL

    def __init__(self, identities: Sequence[ServerIdentity], settings: TlsSettings) -> None:
        self._identities = [check_identity(identity) for identity in identities]
        if not self._identities:
            raise BadCertificate("a TLS listener needs at least one certificate")
        self.settings = settings
        self.buffer = _ffi.new("char[]", _BUFFER)
        """Shared by the engines, which is why they stay in one thread."""
        self._contexts = [_make_context(identity, settings) for identity in self._identities]
        self.pointers = [context._context for context in self._contexts]
        self._choose_by_name = _ffi.callback("int (*)(SSL *, int *, void *)", self._on_name)
        self._choose_protocol = _ffi.callback(
            "int (*)(SSL *, unsigned char **, unsigned char *, const unsigned char *, unsigned int, void *)",
            self._on_protocols,
        )
        self._protocols = [_ffi.new("unsigned char[]", name.encode()) for name in settings.alpn]
        if len(identities) > 1:
            _lib.SSL_CTX_set_tlsext_servername_callback(self.pointers[0], self._choose_by_name)
        if settings.alpn:
            for pointer in self.pointers:
                _lib.SSL_CTX_set_alpn_select_cb(pointer, self._choose_protocol, _ffi.NULL)
        self._owner: int | None = None

    def new_engine(self) -> OpensslEngine:
        """See `Context.new_engine`."""
        if self._owner != threading.get_ident():
            if self._owner is not None:
                raise RuntimeError("a TLS context belongs to the thread that used it first")
            self._owner = threading.get_ident()
        return OpensslEngine(self)

    def _on_name(self, ssl: Any, _alert: Any, _argument: Any) -> int:
        chosen = find_identity(self._identities, _server_name(ssl))
        if chosen:
            _lib.SSL_set_SSL_CTX(ssl, self.pointers[chosen])
        return int(_lib.SSL_TLSEXT_ERR_OK)

    def _on_protocols(self, _ssl: Any, out: Any, out_size: Any, offer: Any, size: int, _argument: Any) -> int:
        offered = _protocol_list(_ffi.buffer(offer, size)[:])
        for name, held in zip(self.settings.alpn, self._protocols, strict=True):
            if name.encode() in offered:
                out[0], out_size[0] = held, len(name)
                return int(_lib.SSL_TLSEXT_ERR_OK)
        return int(_lib.SSL_TLSEXT_ERR_NOACK)


def _make_context(identity: CheckedIdentity, settings: TlsSettings) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(_VERSIONS[settings.min_version])
    context.set_max_proto_version(_VERSIONS[settings.max_version])
    # No tickets and no cache: a session resumed by one shows the leaf only, and the gate needs the chain.
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(_lib.SSL_MODE_RELEASE_BUFFERS | _lib.SSL_MODE_AUTO_RETRY)
    context.set_verify_depth(settings.max_chain)
    _lib.SSL_CTX_set_verify(context._context, SSL.VERIFY_PEER, _accept)
    try:
        context.set_cipher_list(settings.ciphers.encode())
    except SSL.Error as error:
        raise BadTlsSettings(f"OpenSSL knows no cipher of {settings.ciphers!r}") from error
    try:
        context.use_certificate(identity.chain[0])
        for issuer in identity.chain[1:]:
            context.add_extra_chain_cert(issuer)
        context.use_privatekey(identity.key)
    except (SSL.Error, crypto.Error) as error:
        raise BadCertificate(f"OpenSSL refuses the certificate: {error}") from error
    return context


def _server_name(ssl: Any) -> str | None:
    name = _lib.SSL_get_servername(ssl, _HOST_NAME)
    return None if name == _ffi.NULL else _ffi.string(name).decode("latin-1")


def _protocol_list(wire: bytes) -> list[bytes]:
    """The names of an ALPN offer (RFC 7301 3.1), whose lengths OpenSSL has checked."""
    names = []
    while wire:
        names.append(wire[1 : 1 + wire[0]])
        wire = wire[1 + wire[0] :]
    return names


def _der(certificate: Any) -> bytes:
    sink = _lib.BIO_new(_lib.BIO_s_mem())
    try:
        _lib.i2d_X509_bio(sink, certificate)
        start = _ffi.new("char **")
        size = _lib.BIO_get_mem_data(sink, start)
        der: bytes = _ffi.unpack(start[0], size)
        return der
    finally:
        _lib.BIO_free(sink)


def _reason() -> str:
    """OpenSSL's word for what went wrong first."""
    text = _lib.ERR_reason_error_string(_lib.ERR_get_error())
    _lib.ERR_clear_error()
    return "the connection is in no state for this" if text == _ffi.NULL else _ffi.string(text).decode()
