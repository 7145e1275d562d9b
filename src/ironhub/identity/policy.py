"""Which certificates are strong and plain enough, as data: change a value here and every check follows.

OpenSSL checks what RFC 5280 demands of a path. These rules come on top, and are ours.
"""

from dataclasses import dataclass
from typing import Final

CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
ANY_USAGE: Final = "2.5.29.37.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePolicy:
    """What a certificate must be so that the gate looks at it. Sizes are bits of a key, or bytes of DER."""

    max_sent: int = 10
    """Certificates a device may send: its own and those of the authorities above it."""
    max_intermediates: int = 6
    """Authorities between a device's certificate and a registered one."""
    max_certificate: int = 16_384
    """Bytes of one certificate."""
    max_revocation_list: int = 8_388_608
    """Bytes of one revocation list."""
    max_same_name: int = 4
    """Registered authorities that may share one subject; each costs a failing device one more signature check."""
    min_rsa: int = 2048
    max_rsa: int = 8192
    """Bits; checking a signature of a longer key would cost us more than its sender."""
    curves: frozenset[str] = frozenset({"secp256r1", "secp384r1", "secp521r1"})
    """Names as OpenSSL gives them. Ed25519 is always good, every other kind of key is not."""
    hashes: frozenset[str] = frozenset({"sha256", "sha384", "sha512"})
    """Hash functions a signature may rest on; "sha1" can be added for old fleets."""
    usages: frozenset[str] = frozenset({CLIENT_AUTH, ANY_USAGE})
    """A certificate that lists extended key usages must list one of these (OIDs), and so must its issuers."""
    version_1: bool = False
    """Whether a device's certificate may be X.509 v1, without extensions; an authority's never may."""
    authority_as_device: bool = False
    """Whether a device below an authority may use a certificate that is itself an authority's."""
    stale_revocation_lists: bool = False
    """Whether a revocation list counts although its next update is overdue; False stops the devices below it."""
    strict_profile: bool = False
    """Whether to insist on the parts of RFC 5280 that certificates in the field often lack and no check rests on:
    key identifiers, the criticality of an authority's extensions, names of issuers, the length of serial numbers."""


DEFAULT_POLICY: Final = CertificatePolicy()
