"""One authority's revocation list (CRL): complete, its own, and read once.

Protects against lists that are forged, altered, of another authority, or that say less than they seem to: partial,
indirect and delta lists are refused, since a certificate missing from one proves nothing.
"""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtensionOID, SignatureAlgorithmOID

from ironhub.identity.certificates import UNREADABLE, CertificateRejected
from ironhub.identity.policy import CertificatePolicy

_REFUSED: Final = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.DELTA_CRL_INDICATOR})


@dataclass(frozen=True, slots=True)
class RevocationList:
    """What a verified list says. Instants are seconds since the Unix epoch."""

    serials: frozenset[int]
    number: int
    this_update: float
    next_update: float

    def is_fresh(self, now: float) -> bool:
        """Tell whether `now` lies between this update and the next."""
        return self.this_update <= now < self.next_update


def load_revocation_list(der: bytes, issuer: x509.Certificate, policy: CertificatePolicy) -> RevocationList:
    """Return what the list says; it was signed by `issuer`. Says nothing about whether it is fresh.

    Raises:
        CertificateRejected: not well-formed, another authority's, wrongly signed, or not a complete list.

    Source: RFC 5280, 5.1, 5.2 and 6.3.3.
    """
    if len(der) > policy.max_revocation_list:
        raise CertificateRejected(f"a revocation list of {len(der)} bytes")
    try:
        crl = x509.load_der_x509_crl(der)
        number = _check_extensions(crl)
        _check_issuer(crl, issuer, policy)
        return _content(crl, number)
    except UNREADABLE as error:
        raise CertificateRejected(f"not a well-formed revocation list: {error}") from error


def _check_extensions(crl: x509.CertificateRevocationList) -> int:
    number = None
    for extension in crl.extensions:
        if extension.oid == ExtensionOID.CRL_NUMBER and not extension.critical:
            number = extension.value
        elif extension.critical or extension.oid in _REFUSED:  # (5.2: refuse what is critical and not understood)
            raise CertificateRejected(f"a revocation list with extension {extension.oid.dotted_string}")
    if not isinstance(number, x509.CRLNumber):
        raise CertificateRejected("a revocation list without a number")  # 5.2.3
    return number.crl_number


def _check_issuer(crl: x509.CertificateRevocationList, issuer: x509.Certificate, policy: CertificatePolicy) -> None:
    if crl.issuer != issuer.subject:
        raise CertificateRejected("the revocation list of another authority")
    try:
        if not issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign:  # 6.3.3 (f)
            raise CertificateRejected("the authority's key usage lacks cRLSign")
    except x509.ExtensionNotFound:
        pass  # without the extension the key is good for every use
    algorithm = crl.signature_hash_algorithm
    plain = crl.signature_algorithm_oid == SignatureAlgorithmOID.ED25519
    if not plain and (algorithm is None or algorithm.name not in policy.hashes):
        raise CertificateRejected("a revocation list signed with a hash that is not strong enough")
    key = issuer.public_key()
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey) or not crl.is_signature_valid(key):
        raise CertificateRejected("the revocation list was not signed by this authority")


def _content(crl: x509.CertificateRevocationList, number: int) -> RevocationList:
    if crl.next_update_utc is None:
        raise CertificateRejected("a revocation list without a next update")  # 5.1.2.5
    serials = set()
    for entry in crl:
        if any(extension.critical for extension in entry.extensions):  # certificateIssuer: an indirect list, 5.3.3
            raise CertificateRejected("a revocation list with a critical extension of an entry")
        serials.add(entry.serial_number)
    this_update, next_update = crl.last_update_utc.timestamp(), crl.next_update_utc.timestamp()
    return RevocationList(frozenset(serials), number, this_update, next_update)
