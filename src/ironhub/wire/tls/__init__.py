"""TLS without sockets: engines that ask for client certificates, judge none, and prove that the key is held."""

from ironhub.wire.tls.choose import EngineReport, choose_engine, make_context, tls_report
from ironhub.wire.tls.model import (
    BadCertificate,
    BadTlsSettings,
    Context,
    ContextFactory,
    Engine,
    EngineName,
    EngineUnavailable,
    ServerIdentity,
    TlsFailed,
    TlsSettings,
    TlsVersion,
)

__all__ = [
    "BadCertificate",
    "BadTlsSettings",
    "Context",
    "ContextFactory",
    "Engine",
    "EngineName",
    "EngineReport",
    "EngineUnavailable",
    "ServerIdentity",
    "TlsFailed",
    "TlsSettings",
    "TlsVersion",
    "choose_engine",
    "make_context",
    "tls_report",
]
