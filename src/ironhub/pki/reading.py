"""Files that operators hand in: one certificate, or one revocation list, PEM or DER."""

import ssl

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ironhub.identity.certificates import UNREADABLE, CertificateRejected, parse_certificate
from ironhub.identity.policy import CertificatePolicy
from ironhub.pki.model import CertificateRefused

_PEM = b"-----BEGIN "


def read_certificate(content: bytes, policy: CertificatePolicy) -> tuple[bytes, x509.Certificate]:
    """Return the one certificate in `content`, as DER and read.

    Raises:
        CertificateRefused: none, several, or one that is not well-formed; the message says which.
    """
    der = _one_certificate(content) if _PEM in content else content
    try:
        return der, parse_certificate(der, policy)
    except CertificateRejected as error:
        raise CertificateRefused(error.detail) from error


def read_revocation_list(content: bytes) -> bytes:
    """Return the revocation list in `content` as DER; DER is returned as it is. Raises CertificateRefused."""
    if _PEM not in content:
        return content
    try:
        return x509.load_pem_x509_crl(content).public_bytes(Encoding.DER)
    except UNREADABLE as error:
        raise CertificateRefused("the PEM file holds no revocation list (-----BEGIN X509 CRL-----)") from error


def pem_of(der: bytes) -> str:
    """Return a certificate as PEM."""
    return ssl.DER_cert_to_PEM_cert(der)


def _one_certificate(content: bytes) -> bytes:
    try:
        found = x509.load_pem_x509_certificates(content)
    except (*UNREADABLE, Warning) as error:
        raise CertificateRefused("the PEM file holds no certificate that can be read") from error
    if len(found) != 1:
        raise CertificateRefused(f"the PEM file holds {len(found)} certificates; give the CA's own one only")
    return found[0].public_bytes(Encoding.DER)
