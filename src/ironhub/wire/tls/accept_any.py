"""Lets the standard `ssl` module ask for a client certificate without judging it, which it offers no way to do.

OpenSSL calls documented hooks when an SSL_CTX is made (CRYPTO_get_ex_new_index(3)); that is how the context's address
is learnt, without knowing the layout of any structure. SSL_CTX_set_cert_verify_callback(3) then replaces the judgement.
Proof of possession is not touched: a certificate whose private key the client does not hold still ends the handshake.
"""

import ctypes
import ssl
import threading
from functools import cache
from typing import Any, Final

from ironhub.wire.tls.model import EngineUnavailable

_EX_INDEX_SSL_CTX: Final = 1  # CRYPTO_EX_INDEX_SSL_CTX in <openssl/crypto.h>, unchanged since OpenSSL 1.1.0
_SET_SESSION_CACHE_MODE: Final = 44  # SSL_CTRL_SET_SESS_CACHE_MODE in <openssl/ssl.h>, unchanged since SSLeay
_CACHE_OFF: Final = 0
_OLDEST: Final = 0x10101000  # OpenSSL 1.1.1, the first with TLS 1.3

_NewHook = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p
)
_VerifyHook = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Watch(threading.local):
    """The contexts made in this thread while it is watching."""

    addresses: set[int] | None = None


_watch = _Watch()


@_NewHook  # type: ignore[untyped-decorator]  # ctypes makes it
def _on_new(parent: int, _ptr: int, _data: int, _index: int, _argl: int, _argp: int) -> None:
    if _watch.addresses is not None:
        _watch.addresses.add(parent)


@_VerifyHook  # type: ignore[untyped-decorator]  # ctypes makes it
def _accept(_store: int, _argument: int) -> int:
    return 1


def server_context() -> ssl.SSLContext:
    """Return a server context that asks for a client certificate, requires none, and takes any whose key is held.

    Raises:
        EngineUnavailable: this interpreter's `ssl` module is built in a way that its OpenSSL cannot be reached.
    """
    library = _library()
    _watch.addresses = set()
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        addresses = tuple(_watch.addresses)
    finally:
        _watch.addresses = None
    if len(addresses) != 1:
        raise EngineUnavailable(f"OpenSSL reported {len(addresses)} new contexts where one was made")
    context.verify_mode = ssl.CERT_OPTIONAL
    library.SSL_CTX_set_cert_verify_callback(addresses[0], _accept, None)
    # A session resumed by its id would show the leaf only, and the module offers no way to turn that cache off either.
    library.SSL_CTX_ctrl(addresses[0], _SET_SESSION_CACHE_MODE, _CACHE_OFF, None)
    return context


@cache
def _library() -> Any:  # a ctypes.CDLL, whose functions are attributes of type Any
    """The OpenSSL that the `ssl` module itself uses, with our hook in it; made once."""
    path = _path_of_ssl()
    try:
        library = ctypes.CDLL(path)
        _declare(library)
    except (OSError, AttributeError) as error:
        raise EngineUnavailable(f"the ssl module's OpenSSL shows no functions: {error}") from error
    number = library.OpenSSL_version_num()
    if number != ssl.OPENSSL_VERSION_NUMBER or number < _OLDEST:
        raise EngineUnavailable(f"the library found is OpenSSL {number:#x}, ssl uses {ssl.OPENSSL_VERSION_NUMBER:#x}")
    if library.CRYPTO_get_ex_new_index(_EX_INDEX_SSL_CTX, 0, None, _on_new, None, None) < 0:
        raise EngineUnavailable("OpenSSL refused the hook for new contexts")
    return library


def _path_of_ssl() -> str | None:
    """The extension module's file (its symbols and those of what it links to are found through it), None: built in."""
    import _ssl

    return getattr(_ssl, "__file__", None)


def _declare(library: Any) -> None:
    library.OpenSSL_version_num.restype = ctypes.c_ulong
    library.OpenSSL_version_num.argtypes = []
    library.CRYPTO_get_ex_new_index.restype = ctypes.c_int
    library.CRYPTO_get_ex_new_index.argtypes = [
        ctypes.c_int,
        ctypes.c_long,
        ctypes.c_void_p,
        _NewHook,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    library.SSL_CTX_ctrl.restype = ctypes.c_long
    library.SSL_CTX_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    library.SSL_CTX_set_cert_verify_callback.restype = None
    library.SSL_CTX_set_cert_verify_callback.argtypes = [ctypes.c_void_p, _VerifyHook, ctypes.c_void_p]
