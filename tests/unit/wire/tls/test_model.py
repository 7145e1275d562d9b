"""The words of TLS."""

from ironhub.wire.tls import TlsSettings, TlsVersion
from ironhub.wire.tls.model import ServerIdentity


def test_a_key_is_never_in_a_repr() -> None:
    shown = repr(ServerIdentity(b"certificate", b"-----BEGIN PRIVATE KEY-----"))
    assert "PRIVATE" not in shown
    assert "hidden" in shown


def test_nothing_older_than_tls_1_2_is_spoken_unless_told_otherwise() -> None:
    assert TlsSettings().min_version is TlsVersion.TLS1_2
    assert {version.value for version in TlsVersion} == {"TLSv1.2", "TLSv1.3"}
