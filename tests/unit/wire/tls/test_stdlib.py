"""What only the engine on the standard module does; the rest is in contracts/test_tls_engine.py."""

import os
import ssl
from pathlib import Path

import pytest
from tests.fakes.pki import self_signed
from tests.fakes.tls_client import MemoryClient, client_context, server_identity

from ironhub.wire.tls.model import TlsSettings
from ironhub.wire.tls.stdlib import StdlibContext, as_der


def test_keys_reach_the_module_without_a_file_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    load = ssl.SSLContext.load_cert_chain

    def watched(context: ssl.SSLContext, certfile: str, keyfile: str) -> None:
        seen.append(keyfile)
        load(context, certfile, keyfile)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    StdlibContext([server_identity()], TlsSettings())
    assert seen[0].startswith("/proc/self/fd/")


def test_without_files_in_memory_a_private_one_is_used_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []
    load = ssl.SSLContext.load_cert_chain

    def watched(context: ssl.SSLContext, certfile: str, keyfile: str) -> None:
        seen.append((keyfile, Path(keyfile).stat().st_mode & 0o777))
        load(context, certfile, keyfile)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    monkeypatch.delattr(os, "memfd_create")
    StdlibContext([server_identity()], TlsSettings())
    assert seen[0][1] == 0o600
    assert not Path(seen[0][0]).exists()


def test_the_newer_modules_chain_of_bytes_is_taken_as_it_is() -> None:
    assert as_der(b"der") == b"der"


def test_the_engine_reports_the_name_by_its_own_means() -> None:
    engine = StdlibContext([server_identity()], TlsSettings()).new_engine()
    assert engine.server_name is None
    MemoryClient(client_context(self_signed("press-7")), "hub.example").shake_hands(engine)
    assert engine.server_name == "hub.example"
