"""Which engine runs here: proved by a handshake with the worst honest certificate, not by looking at versions."""

import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from ironhub.wire.tls.model import (
    BadTlsSettings,
    Context,
    ContextFactory,
    Engine,
    EngineName,
    EngineUnavailable,
    ServerIdentity,
    TlsFailed,
    TlsSettings,
)
from ironhub.wire.tls.openssl import OpensslContext
from ironhub.wire.tls.stdlib import StdlibContext

_FACTORIES: Final[dict[EngineName, ContextFactory]] = {
    EngineName.OPENSSL: OpensslContext,
    EngineName.SSL: StdlibContext,
}


@dataclass(frozen=True, slots=True)
class EngineReport:
    """Whether an engine runs in this interpreter."""

    engine: EngineName
    works: bool
    library: str
    """The OpenSSL it stands on."""
    reason: str
    """Why it does not work; empty if it does."""


def make_context(identities: Sequence[ServerIdentity], settings: TlsSettings) -> Context:
    """Return a context on the engine the settings ask for.

    Raises:
        BadCertificate, BadTlsSettings, EngineUnavailable: see `ContextFactory`, `choose_engine`.
    """
    return choose_engine(settings.engine)(identities, settings)


def choose_engine(setting: str) -> ContextFactory:
    """Return the class of contexts for `auto` (the best that works here), `ssl` or `openssl`.

    Raises:
        EngineUnavailable: the engine, or with `auto` every engine, fails its self-test; the message says why.
        BadTlsSettings: no such engine.
    """
    if setting != "auto" and setting not in list(EngineName):
        raise BadTlsSettings(f"there is no TLS engine {setting!r}: choose auto, ssl or openssl")
    wanted = list(EngineName) if setting == "auto" else [EngineName(setting)]
    reports = [_probe(name) for name in wanted]
    for report in reports:
        if report.works:
            return _FACTORIES[report.engine]
    raise EngineUnavailable("; ".join(f"TLS engine {report.engine}: {report.reason}" for report in reports))


def tls_report() -> tuple[EngineReport, ...]:
    """Return what each engine's self-test found, the preferred engine first."""
    return tuple(_probe(name) for name in EngineName)


@cache
def _probe(name: EngineName) -> EngineReport:
    return probe(name, _FACTORIES[name])


def probe(name: EngineName, factory: ContextFactory) -> EngineReport:
    """Let a client show a self-signed certificate that expired long ago; report whether it came through."""
    library = ssl.OPENSSL_VERSION if name is EngineName.SSL else SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode()
    try:
        key, certificate = _expired()
        identity = ServerIdentity(
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
        chain = _shake_hands(factory([identity], TlsSettings()).new_engine(), key, certificate)
    except (EngineUnavailable, TlsFailed) as error:
        return EngineReport(name, works=False, library=library, reason=str(error))
    except (ssl.SSLError, SSL.Error, AttributeError) as error:  # another OpenSSL, binding or module than we know
        return EngineReport(name, works=False, library=library, reason=f"the self-test ended with {error!r}")
    if chain != (certificate.public_bytes(Encoding.DER),):
        return EngineReport(name, works=False, library=library, reason="the client's certificate did not come through")
    return EngineReport(name, works=True, library=library, reason="")


def _shake_hands(engine: Engine, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> tuple[bytes, ...]:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    client = SSL.Connection(context)
    client.set_connect_state()
    while True:  # bio_read raises once the client has nothing more to say
        with suppress(SSL.WantReadError):
            client.do_handshake()
        engine.receive(client.bio_read(65_536))
        if engine.handshake_done:
            return engine.peer_chain
        client.bio_write(engine.to_send())


def _expired() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "self-test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(key.public_key())
    builder = builder.not_valid_before(datetime(2000, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2001, 1, 1, tzinfo=UTC)
    )
    return key, builder.sign(key, hashes.SHA256())
