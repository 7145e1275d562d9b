"""The hook into the standard module's OpenSSL: found, checked, and clear about what is missing."""

import ctypes
import ssl
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.fakes.pki import self_signed
from tests.fakes.tls_client import MemoryClient, client_context, server_identity

from ironhub.wire.tls import accept_any
from ironhub.wire.tls.model import EngineUnavailable


@pytest.fixture
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for the library again, whatever was found before."""
    monkeypatch.setattr(accept_any, "_library", accept_any._library.__wrapped__)


def test_a_context_asks_and_does_not_require() -> None:
    assert accept_any.server_context().verify_mode is ssl.CERT_OPTIONAL


def test_a_certificate_that_chains_to_nothing_completes_the_handshake(tmp_path: Path) -> None:
    identity = server_identity()
    (tmp_path / "server.pem").write_bytes(identity.key_pem + identity.chain_pem)
    context = accept_any.server_context()
    context.load_cert_chain(tmp_path / "server.pem")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    device = self_signed("press-7")
    client = MemoryClient(client_context(device))
    for _ in range(2):
        incoming.write(client.step(outgoing.read()))
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
    assert server.getpeercert(binary_form=True) == device.der


def test_contexts_of_others_are_not_touched() -> None:
    accept_any.server_context()
    assert ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).verify_mode is ssl.CERT_NONE


@pytest.mark.usefixtures("_anew")
def test_an_openssl_that_shows_no_functions_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept_any, "_path_of_ssl", lambda: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda _path: SimpleNamespace())
    with pytest.raises(EngineUnavailable, match="shows no functions"):
        accept_any.server_context()


@pytest.mark.usefixtures("_anew")
def test_a_file_that_cannot_be_opened_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept_any, "_path_of_ssl", lambda: "/no/such/file")
    with pytest.raises(EngineUnavailable, match="shows no functions"):
        accept_any.server_context()


def test_a_statically_linked_module_has_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("_ssl.__file__")
    assert accept_any._path_of_ssl() is None


class Library:
    """Stands in for an OpenSSL that is not the one `ssl` uses, or refuses."""

    def __init__(self, *, version: int = ssl.OPENSSL_VERSION_NUMBER, index: int = 1) -> None:
        self.OpenSSL_version_num = function(version)
        self.CRYPTO_get_ex_new_index = function(index)
        self.SSL_CTX_ctrl = function(0)
        self.SSL_CTX_set_cert_verify_callback = function(None)


def function(result: Any) -> Any:
    def call(*_: Any) -> Any:
        return result

    return call


@pytest.mark.usefixtures("_anew")
@pytest.mark.parametrize(
    ("library", "reason"),
    [
        (Library(version=0x30000000), "is OpenSSL 0x30000000"),
        (Library(index=-1), "refused the hook"),
    ],
)
def test_another_library_is_not_taken_for_the_modules_own(
    monkeypatch: pytest.MonkeyPatch, library: Library, reason: str
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _path: library)
    with pytest.raises(EngineUnavailable, match=reason):
        accept_any.server_context()


def test_a_hook_that_is_never_called_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    accept_any.server_context()
    monkeypatch.setattr(ssl, "SSLContext", lambda _protocol: None)
    with pytest.raises(EngineUnavailable, match="reported 0 new contexts"):
        accept_any.server_context()


@pytest.mark.usefixtures("_anew")
def test_an_openssl_too_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "OPENSSL_VERSION_NUMBER", 0x10002000)
    monkeypatch.setattr(ctypes, "CDLL", lambda _path: Library(version=0x10002000))
    with pytest.raises(EngineUnavailable):
        accept_any.server_context()
