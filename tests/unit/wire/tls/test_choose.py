"""Which engine runs here, and what is said if none does."""

import ssl
from collections.abc import Sequence

import pytest
from tests.fakes.tls_client import server_identity

from ironhub.wire.tls import choose
from ironhub.wire.tls.choose import EngineReport, choose_engine, make_context, probe, tls_report
from ironhub.wire.tls.model import (
    BadTlsSettings,
    Context,
    ContextFactory,
    EngineName,
    EngineUnavailable,
    ServerIdentity,
    TlsSettings,
)
from ironhub.wire.tls.openssl import OpensslContext, OpensslEngine
from ironhub.wire.tls.stdlib import StdlibContext


def unreachable(identities: Sequence[ServerIdentity], settings: TlsSettings) -> Context:
    """An engine that this interpreter does not allow."""
    raise EngineUnavailable("OpenSSL is linked in and hidden")


class Judging:
    """A context that does not ask for client certificates: what the ssl module does if left alone."""

    engine_name = EngineName.OPENSSL

    def __init__(self, identities: Sequence[ServerIdentity], settings: TlsSettings) -> None:
        self._inner = OpensslContext(identities, settings)
        for context in self._inner._contexts:
            context.set_verify(0)

    def new_engine(self) -> OpensslEngine:
        return self._inner.new_engine()


def test_both_engines_pass_their_self_test_here() -> None:
    assert [(report.engine, report.works, report.reason) for report in tls_report()] == [
        (EngineName.OPENSSL, True, ""),
        (EngineName.SSL, True, ""),
    ]
    assert tls_report()[0].library.startswith("OpenSSL")
    assert tls_report()[1].library == ssl.OPENSSL_VERSION


@pytest.mark.parametrize(("setting", "expected"), [("ssl", StdlibContext), ("openssl", OpensslContext)])
def test_the_engine_asked_for_is_taken(setting: str, expected: ContextFactory) -> None:
    assert choose_engine(setting) is expected
    assert make_context([server_identity()], TlsSettings(engine=setting)).engine_name == setting


def test_auto_takes_the_engine_whose_handshake_costs_least() -> None:
    assert choose_engine("auto") is OpensslContext


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(BadTlsSettings, match="gnutls"):
        choose_engine("gnutls")


def test_an_engine_that_is_not_allowed_is_reported_with_its_reason() -> None:
    report = probe(EngineName.SSL, unreachable)
    assert report == EngineReport(
        EngineName.SSL, works=False, library=ssl.OPENSSL_VERSION, reason="OpenSSL is linked in and hidden"
    )


def test_an_engine_through_which_no_certificate_comes_is_reported() -> None:
    report = probe(EngineName.OPENSSL, Judging)
    assert not report.works
    assert "did not come through" in report.reason


def test_a_library_that_lacks_a_function_is_reported() -> None:
    def lacking(identities: Sequence[ServerIdentity], settings: TlsSettings) -> Context:
        raise AttributeError("SSL_new")

    assert "SSL_new" in probe(EngineName.OPENSSL, lacking).reason


def test_auto_falls_back_and_says_why_if_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    works = dict.fromkeys(EngineName, True)

    def report(name: EngineName) -> EngineReport:
        return EngineReport(name, works=works[name], library="", reason=f"{name} is hidden")

    monkeypatch.setattr(choose, "_probe", report)
    works[EngineName.OPENSSL] = False
    assert choose_engine("auto") is StdlibContext
    with pytest.raises(EngineUnavailable, match="openssl is hidden"):
        choose_engine("openssl")
    works[EngineName.SSL] = False
    with pytest.raises(EngineUnavailable, match="openssl is hidden; TLS engine ssl: ssl is hidden"):
        choose_engine("auto")


def test_a_context_is_what_its_protocol_says() -> None:
    contexts: list[Context] = [make_context([server_identity()], TlsSettings(engine=name)) for name in EngineName]
    assert [context.engine_name for context in contexts] == list(EngineName)
