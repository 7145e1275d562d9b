"""The commonest path, judged in one step: a plain certificate right below a plain authority.

Protects against what OpenSSL's search for a path protects against, where nothing is left to search: of RFC 5280, 6.1,
there remain the issuer's name, the signature and the extensions that must be understood. Plain is what can say nothing
else: the kinds of extensions are a closed list without constraints and policies, keys are on named curves, and the
bytes are held against the one way to write such a certificate. To everything else the answer is None, which admits
nobody: OpenSSL judges it then.
"""

from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.x509.oid import NameOID

_ALGORITHMS: Final = {
    bytes.fromhex("300a06082a8648ce3d040302"): ECDSA(hashes.SHA256()),
    bytes.fromhex("300a06082a8648ce3d040303"): ECDSA(hashes.SHA384()),
    bytes.fromhex("300a06082a8648ce3d040304"): ECDSA(hashes.SHA512()),
}
"""By the algorithm identifier, DER: no parameters (RFC 5758, 3.2)."""
_NAMED_CURVES: Final = (
    bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
    bytes.fromhex("3076301006072a8648ce3d020106052b8104002203620004"),
    bytes.fromhex("30819b301006072a8648ce3d020106052b810400230381860004"),
)
"""How a key on P-256, P-384 or P-521 begins (RFC 5480, 2): named, and its point not compressed. Parameters that are
written out would be read as well, which OpenSSL refuses in a path."""
_VERSION_3: Final = bytes.fromhex("a003020102")
_SHORT: Final = 0x80
"""Lengths from here on take several octets (X.690, 8.1.3)."""
_PARTS: Final = 7
"""Of a certificate's body, at least: version, serial number, algorithm, issuer, validity, subject, key."""
_EXTENSIONS: Final = 0xA3
"""The tag of what may follow; issuers and subjects with numbers of their own (RFC 5280, 4.1.2.8) have others."""
_TEXTS: Final = frozenset({0x0C, 0x13})
"""The tags of UTF8String and PrintableString: of the others some are text to one parser only."""

_IDENTIFIERS: Final = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
_PLAIN_KINDS: Final[frozenset[type[x509.ExtensionType]]] = frozenset(
    {x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName, *_IDENTIFIERS}
)
_PLAIN_NAMES: Final = frozenset({x509.DNSName, x509.IPAddress, x509.RFC822Name, x509.UniformResourceIdentifier})


class PlainAuthority(NamedTuple):
    """An authority that may issue to any name, and whose own certificate says nothing unusual."""

    subject: bytes
    """Its name, DER."""
    key: EllipticCurvePublicKey
    identifier: bytes | None
    """Of its key, by its own word."""
    common_names: frozenset[str]
    """Without case and spaces: see `may_have_issued`."""


class PlainDevice(NamedTuple):
    """What a plain certificate says of its issuer, not verified."""

    issuer: bytes
    """Its issuer's name, DER."""
    issuer_identifier: bytes | None
    """Of its issuer's key."""
    signed: bytes
    """The certificate's body, as it was sent."""
    signature: bytes
    scheme: ECDSA


def read_plain_authority(der: bytes, certificate: x509.Certificate) -> PlainAuthority | None:
    """Return what a path of one step needs to know of a registered authority, or None unless it is plain.

    Args:
        der: what `certificate` was read from; the policy was found to hold for it.
    """
    body, key = _body_of(_split(der)[0]), certificate.public_key()
    if body is None or not isinstance(key, EllipticCurvePublicKey):
        return None
    found = _plain_extensions(certificate)
    if found is None:
        return None
    own = found.get(x509.SubjectKeyIdentifier)
    identifier = own.digest if isinstance(own, x509.SubjectKeyIdentifier) else None
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return PlainAuthority(body.subject, key, identifier, frozenset(_fold(str(name.value)) for name in names))


def read_plain_device(der: bytes, certificate: x509.Certificate) -> PlainDevice | None:
    """Return what a device's certificate says of its issuer, or None unless it is plain. Arguments as above."""
    signed, algorithm, sealed = _split(der)
    body, scheme = _body_of(signed), _ALGORITHMS.get(algorithm)
    unused, signature = _bits_of(sealed)
    if body is None or scheme is None or body.algorithm != algorithm or unused or not _has_plain_texts(body.subject):
        return None
    found = _plain_extensions(certificate)
    if found is None or not _is_no_authority(found):
        return None
    above = found.get(x509.AuthorityKeyIdentifier)
    identifier = above.key_identifier if isinstance(above, x509.AuthorityKeyIdentifier) else None
    return PlainDevice(body.issuer, identifier, signed, signature, scheme)


def may_have_issued(authority: PlainAuthority, device: PlainDevice, common_name: str) -> bool:
    """Tell whether the two name each other, before any signature is checked; `common_name` is the device's.

    A device that bears its authority's name may be taken for a root. OpenSSL knows, which compares names without case
    and spaces: a common name that reads the same is enough to leave it to that.
    """
    if authority.subject != device.issuer or _fold(common_name) in authority.common_names:
        return False
    return None in (wanted := (authority.identifier, device.issuer_identifier)) or wanted[0] == wanted[1]


def has_signed(authority: PlainAuthority, device: PlainDevice) -> bool:
    """Tell whether the authority's key made the signature: the one costly step, about 50 µs."""
    try:
        authority.key.verify(device.signature, device.signed, device.scheme)
    except InvalidSignature:
        return False
    return True


class _Body(NamedTuple):
    algorithm: bytes
    issuer: bytes
    subject: bytes


def _body_of(signed: bytes) -> _Body | None:
    parts = _split(signed)
    if len(parts) < _PARTS or parts[0] != _VERSION_3 or any(more[0] != _EXTENSIONS for more in parts[_PARTS:]):
        return None
    _, _, algorithm, issuer, _, subject, key = parts[:_PARTS]
    return _Body(algorithm, issuer, subject) if key.startswith(_NAMED_CURVES) else None


_Found = dict[type[x509.ExtensionType], x509.ExtensionType]


def _plain_extensions(certificate: x509.Certificate) -> _Found | None:
    found: _Found = {}
    for extension in certificate.extensions:
        kind = type(extension.value)
        # Key identifiers are never critical (4.2.1.1, 4.2.1.2).
        if kind not in _PLAIN_KINDS or (extension.critical and kind in _IDENTIFIERS):
            return None
        found[kind] = extension.value
    above = found.get(x509.AuthorityKeyIdentifier)
    if isinstance(above, x509.AuthorityKeyIdentifier) and above.authority_cert_issuer is not None:
        return None  # it names one certificate of its issuer's, by number
    return found if _has_plain_names(found) else None


def _is_no_authority(found: _Found) -> bool:
    constraints = found.get(x509.BasicConstraints)
    return not isinstance(constraints, x509.BasicConstraints) or not constraints.ca


def _has_plain_names(found: _Found) -> bool:
    names = found.get(x509.SubjectAlternativeName)
    return not isinstance(names, x509.SubjectAlternativeName) or all(type(name) in _PLAIN_NAMES for name in names)


def _has_plain_texts(name: bytes) -> bool:
    return all(_split(attribute)[1][0] in _TEXTS for names in _split(name) for attribute in _split(names))


def _fold(name: str) -> str:
    return "".join(name.split()).lower()


def _split(der: bytes) -> list[bytes]:
    """Return the values inside of this value. Only for what a strict parser has read: nothing is checked here."""
    at, end = _content_of(der, 0)
    parts = []
    while at < end:
        beyond = _content_of(der, at)[1]
        parts.append(der[at:beyond])
        at = beyond
    return parts


def _bits_of(der: bytes) -> tuple[int, bytes]:
    """Return how many bits of the last byte do not count, and the bytes."""
    begin, _ = _content_of(der, 0)
    return der[begin], der[begin + 1 :]


def _content_of(der: bytes, at: int) -> tuple[int, int]:
    size = der[at + 1]
    if size < _SHORT:
        return at + 2, at + 2 + size
    begin = at + 2 + (size & (_SHORT - 1))
    return begin, begin + int.from_bytes(der[at + 2 : begin], "big")
