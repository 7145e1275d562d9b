"""The hub's own authority, and the certificates its listeners show. Values in, PEM out; nothing is stored here.

The keys themselves come from OpenSSL's generator: it takes no other source of randomness.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ironhub.core.clock import Entropy
from ironhub.core.errors import CorruptStore, InvalidArgument
from ironhub.identity.audience import normal_host

DAY: Final = 86_400.0
AUTHORITY_LIFE: Final = 3652 * DAY
"""Ten years: devices carry this certificate, and reaching all of them takes long."""
SERVER_LIFE: Final = 397 * DAY
"""The longest that the trust stores of common systems take."""
BACKDATED: Final = DAY
"""Certificates begin this much before now, for devices whose clocks run late."""
_MAX_COMMON_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with its private key, PEM; the key is PKCS#8 and not encrypted, so store it with mode 0600."""

    certificate: bytes
    key: bytes = field(repr=False)


def make_authority(*, now: float, entropy: Entropy) -> KeyPair:
    """Return a new authority of the hub itself: EC P-256, ten years, for certificates right below it only."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Hubs on one network must be told apart in trust stores and in devices' error messages.
    subject = _name(f"Ironhub CA {entropy.token_bytes(4).hex()}")
    builder = _builder(subject, subject, key.public_key(), now, now + AUTHORITY_LIFE, entropy)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    return _signed(builder, key, key)


def issue_server_certificate(authority: KeyPair, names: Sequence[str], *, now: float, entropy: Entropy) -> KeyPair:
    """Return a new certificate for listeners that answer under `names` (host names and IP addresses), EC P-256.

    It lives 397 days, but not longer than its authority. The PEM is its own only, without the authority's.

    Raises:
        InvalidArgument: no name, or one that cannot stand in a certificate.
        CorruptStore: `authority` is not a certificate and its key.
    """
    alternatives = [_alternative(name) for name in dict.fromkeys(names)]
    if not alternatives:
        raise InvalidArgument("a server certificate needs a name")
    issuer, issuer_key = _load(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + SERVER_LIFE, issuer.not_valid_after_utc.timestamp())
    subject = _name(next((name for name in names if len(name) <= _MAX_COMMON_NAME), "Ironhub"))
    builder = _builder(subject, issuer.subject, key.public_key(), now, end, entropy)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage("digital_signature"), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return _signed(builder, key, issuer_key)


def needs_renewal(certificate: bytes, now: float) -> bool:
    """Tell whether a third or less of a certificate's life is left, PEM. Raises CorruptStore."""
    loaded = _load_certificate(certificate)
    begin, end = loaded.not_valid_before_utc.timestamp(), loaded.not_valid_after_utc.timestamp()
    return now >= end - (end - begin) / 3


def belong_together(pair: KeyPair) -> bool:
    """Tell whether both can be read and the key is the certificate's; the key may be of any kind."""
    try:
        certificate, key = x509.load_pem_x509_certificate(pair.certificate), load_pem_private_key(pair.key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return key.public_key() == certificate.public_key()


def covers_names(certificate: bytes, names: Sequence[str]) -> bool:
    """Tell whether a certificate, PEM, is good for each of `names`. Raises CorruptStore, InvalidArgument."""
    try:
        found = _load_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return {_alternative(name) for name in names} <= set(found)


def begins_at(certificate: bytes) -> float:
    """Return from when on a certificate, PEM, is good: seconds since the epoch. Raises CorruptStore."""
    return _load_certificate(certificate).not_valid_before_utc.timestamp()


def ends_at(certificate: bytes) -> float:
    """Return when a certificate, PEM, ends: seconds since the epoch. Raises CorruptStore."""
    return _load_certificate(certificate).not_valid_after_utc.timestamp()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: float,
    end: float,
    entropy: Entropy,
) -> x509.CertificateBuilder:
    serial_number = int.from_bytes(b"\x40" + entropy.token_bytes(15), "big")  # positive, 127 bits (RFC 5280, 4.1.2.2)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
    builder = builder.serial_number(serial_number).not_valid_before(_instant(now - BACKDATED))
    builder = builder.not_valid_after(_instant(end))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey
) -> KeyPair:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    certificate = builder.add_extension(identifier, critical=False).sign(issuer_key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate.public_bytes(Encoding.PEM), private)


def _load(pair: KeyPair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate = _load_certificate(pair.certificate)
    try:
        key = load_pem_private_key(pair.key, None)
    except (ValueError, TypeError) as error:
        raise CorruptStore("the authority's private key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CorruptStore("the authority's private key is not that of its certificate")
    return certificate, key


def _load_certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CorruptStore("a certificate of the hub cannot be read") from error


def _alternative(name: str) -> x509.GeneralName:
    if normal_host(name) != name.lower():
        raise InvalidArgument(f"{name[:100]!r} is no host name or address for a certificate; write IDNs as xn--…")
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.lower())


def _usage(*wanted: str) -> x509.KeyUsage:
    signing = ("digital_signature", "content_commitment", "key_cert_sign", "crl_sign")
    exchange = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{usage: usage in wanted for usage in (*signing, *exchange)})


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(int(at), UTC)
