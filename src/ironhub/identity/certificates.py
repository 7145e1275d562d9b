"""One certificate: read it, and hold it against the policy.

Protects against weak keys and hashes, certificates made for something else, and names that read differently to
different eyes (several common names, a NUL or a wildcard in one: all compare as the plain text they are).
"""

import hashlib
import re
from typing import Final, TypeVar, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from ironhub.identity.model import AuthenticationFailed
from ironhub.identity.policy import CertificatePolicy

T = TypeVar("T", bound=x509.ExtensionType)
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the parser raises for one that is not well-formed, or of a kind it does not know."""

_MAX_SERIAL_BITS: Final = 160
_MUST_BE_CRITICAL: Final = (x509.BasicConstraints, x509.NameConstraints, x509.PolicyConstraints)
_LABELS: Final = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}))*"
_PLAIN: Final[dict[type[x509.GeneralName], re.Pattern[str]]] = {
    x509.DNSName: re.compile(_LABELS),
    x509.RFC822Name: re.compile(r"[^@\s\x00-\x1f]+@" + _LABELS),
}


class CertificateRejected(AuthenticationFailed):
    """The certificate, or the chain above it, is not good for this; `detail` tells why."""

    def __init__(self, detail: str) -> None:
        super().__init__("the certificate was not accepted", detail=detail)


def parse_certificate(der: bytes, policy: CertificatePolicy) -> x509.Certificate:
    """Return the certificate; its extensions are well-formed too. Raises CertificateRejected."""
    if len(der) > policy.max_certificate:
        raise CertificateRejected(f"a certificate of {len(der)} bytes")
    try:
        certificate = x509.load_der_x509_certificate(der)
        len(certificate.extensions)  # to ask for them is to read them all
        positive = certificate.serial_number > 0  # RFC 5280, 4.1.2.2
    except (*UNREADABLE, Warning) as error:  # the parser warns of what it will refuse one day
        raise CertificateRejected(f"not a well-formed certificate: {error}") from error
    if not positive:
        raise CertificateRejected("a serial number that is not positive")
    return certificate


def common_name(certificate: x509.Certificate) -> str | None:
    """Return the subject's common name as it stands there, or None unless there is exactly one."""
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except UNREADABLE:
        return None
    value = names[0].value if len(names) == 1 else None
    return value if isinstance(value, str) else None


def is_valid_at(certificate: x509.Certificate, now: float) -> bool:
    """Tell whether `now` (seconds since the epoch) lies between its two dates, both included (RFC 5280, 4.1.2.5)."""
    second = int(now)  # a certificate is good for all of its last second
    return certificate.not_valid_before_utc.timestamp() <= second <= certificate.not_valid_after_utc.timestamp()


def sha256_thumbprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate, lower-case hex."""
    return hashlib.sha256(der).hexdigest()


def was_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer` has the name that `certificate` gives, and made its signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def check_key(certificate: x509.Certificate, policy: CertificatePolicy) -> None:
    """Raise CertificateRejected unless its public key is of a kind and size that is strong enough."""
    try:
        key = certificate.public_key()
    except UNREADABLE as error:
        raise CertificateRejected(f"a key of an unknown kind: {error}") from error
    match key:
        case RSAPublicKey():
            good = policy.min_rsa <= key.key_size <= policy.max_rsa and key.key_size % 8 == 0
        case EllipticCurvePublicKey():
            good = key.curve.name in policy.curves
        case _:
            good = isinstance(key, Ed25519PublicKey)
    if not good:
        raise CertificateRejected(f"a key that is not strong enough: {_describe(key)}")


def check_device(certificate: x509.Certificate, policy: CertificatePolicy) -> None:
    """Raise CertificateRejected unless this may be the certificate of a device below an authority."""
    if certificate.version is x509.Version.v1 and not policy.version_1:
        raise CertificateRejected("an X.509 v1 certificate")
    found = _Extensions(certificate)
    _check_common(certificate, found, policy)
    constraints = found.get(x509.BasicConstraints)
    if constraints is not None and constraints.ca and not policy.authority_as_device:
        raise CertificateRejected("the device's certificate is an authority's")
    usage = found.get(x509.KeyUsage)
    if usage is not None and (not usage.digital_signature or (usage.key_cert_sign and not _is_authority(constraints))):
        raise CertificateRejected("the device's key usage is not digitalSignature")
    if found.get(x509.NameConstraints) is not None:
        raise CertificateRejected("name constraints in a device's certificate")  # RFC 5280, 4.2.1.10


def check_authority(certificate: x509.Certificate, policy: CertificatePolicy) -> None:
    """Raise CertificateRejected unless this may be the certificate of an authority that issues to devices."""
    found = _Extensions(certificate)
    _check_common(certificate, found, policy)
    if not _is_authority(found.get(x509.BasicConstraints)):
        raise CertificateRejected("an issuer is no authority: basic constraints do not say CA:TRUE")
    usage = found.get(x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise CertificateRejected("an issuer's key usage lacks keyCertSign")
    if policy.strict_profile:
        _check_profile(certificate, found)


def constrains_names(certificate: x509.Certificate) -> bool:
    """Tell whether an authority may issue for some names only."""
    return _Extensions(certificate).get(x509.NameConstraints) is not None


def check_plain_names(certificate: x509.Certificate) -> None:
    """Raise CertificateRejected unless its alternative names are plain, so that constraints on names can be checked.

    A wildcard stands for names that may be excluded (CVE-2025-61727), and a malformed name for who knows what.
    """
    for name in _Extensions(certificate).get(x509.SubjectAlternativeName) or ():
        plain = _PLAIN.get(type(name))
        if plain is not None and not plain.fullmatch(str(name.value)):
            raise CertificateRejected("an alternative name that is not plain, below an authority that constrains names")


def _check_common(certificate: x509.Certificate, found: "_Extensions", policy: CertificatePolicy) -> None:
    check_key(certificate, policy)
    _check_hash(certificate, policy)
    usages = found.get(x509.ExtendedKeyUsage)
    if usages is not None and policy.usages.isdisjoint(usage.dotted_string for usage in usages):
        raise CertificateRejected("made for another use: extended key usage")
    if policy.strict_profile and certificate.serial_number.bit_length() >= _MAX_SERIAL_BITS:
        raise CertificateRejected("a serial number of more than 20 bytes")  # RFC 5280, 4.1.2.2


def _check_profile(certificate: x509.Certificate, found: "_Extensions") -> None:
    for extension in certificate.extensions:
        if isinstance(extension.value, _MUST_BE_CRITICAL) and not extension.critical:
            raise CertificateRejected(f"{type(extension.value).__name__} of an issuer is not critical")
    above = found.get(x509.AuthorityKeyIdentifier)
    if above is None and certificate.issuer != certificate.subject:
        raise CertificateRejected("an issuer does not identify its own issuer's key")  # 4.2.1.1
    constraints = found.get(x509.NameConstraints)
    subtrees = [*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())] if constraints else []
    if any(isinstance(name, x509.DNSName) and name.value.startswith(".") for name in subtrees):
        raise CertificateRejected("a name constraint that begins with a period")  # 4.2.1.10


def _check_hash(certificate: x509.Certificate, policy: CertificatePolicy) -> None:
    if certificate.signature_algorithm_oid == SignatureAlgorithmOID.ED25519:
        return
    try:
        algorithm = certificate.signature_hash_algorithm
    except UNREADABLE as error:
        raise CertificateRejected(f"a signature of an unknown kind: {error}") from error
    if algorithm is None or algorithm.name not in policy.hashes:
        raise CertificateRejected("signed with a hash that is not strong enough")


def _is_authority(constraints: x509.BasicConstraints | None) -> bool:
    return constraints is not None and constraints.ca


class _Extensions:
    """What a certificate's extensions say, by kind: asked for once, since each time takes longer than to make this."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self._values = {type(one.value): one.value for one in certificate.extensions}

    def get(self, kind: type[T]) -> T | None:
        return cast("T | None", self._values.get(kind))


def _describe(key: object) -> str:
    size = getattr(key, "key_size", "")
    curve = getattr(getattr(key, "curve", None), "name", "")
    return f"{type(key).__name__} {curve or size}".strip()
