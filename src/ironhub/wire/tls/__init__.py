"""TLS without sockets: engines that ask for client certificates, judge none, and prove that the key is held."""

from ironhub.wire.tls.choose import EngineReport, choose_engine, make_context, tls_report
from ironhub.wire.tls.model import (
    BadCertificate,
    BadTlsSettings,
    Context,
    ContextFactory,
    Engine,
    EngineName,
    EngineSource,
    EngineUnavailable,
    ServerIdentity,
    TlsFailed,
    TlsSettings,
    TlsVersion,
)
from ironhub.wire.tls.plain import PlainContext

__all__ = [
    "BadCertificate",
    "BadTlsSettings",
    "Context",
    "ContextFactory",
    "Engine",
    "EngineName",
    "EngineReport",
    "EngineSource",
    "EngineUnavailable",
    "PlainContext",
    "ServerIdentity",
    "TlsFailed",
    "TlsSettings",
    "TlsVersion",
    "choose_engine",
    "make_context",
    "tls_report",
]
