"""The server's own certificates: read, checked for what would only show at the first handshake, found by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ironhub.wire.tls.model import BadCertificate, ServerIdentity

ServerKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


@dataclass(frozen=True, slots=True)
class CheckedIdentity:
    """A chain and key that belong together, and the names they serve."""

    identity: ServerIdentity
    chain: tuple[x509.Certificate, ...]
    key: ServerKey
    names: frozenset[str]
    """DNS names, lower case; `*.example.com` stands for one label."""


def check_identity(identity: ServerIdentity) -> CheckedIdentity:
    """Return the parsed identity. Raises BadCertificate with the reason; nothing of the key is in the message."""
    try:
        chain = tuple(x509.load_pem_x509_certificates(identity.chain_pem))
    except ValueError as error:
        raise BadCertificate("the certificate file holds no readable PEM certificate") from error
    key = _load_key(identity.key_pem)
    if _public(chain[0].public_key()) != _public(key.public_key()):
        raise BadCertificate("the private key does not belong to the first certificate of the chain")
    for lower, upper in pairwise(chain):
        if lower.issuer != upper.subject:
            raise BadCertificate("the certificate chain is out of order: each certificate is followed by its issuer")
    return CheckedIdentity(identity, chain, key, _names(chain[0]))


def find_identity(identities: Sequence[CheckedIdentity], server_name: str | None) -> int:
    """Return the index of the identity that serves `server_name`; 0 for none and for unknown names."""
    if server_name and len(identities) > 1:
        wanted = server_name.lower().rstrip(".")
        _, _, parent = wanted.partition(".")
        for candidate in (wanted, f"*.{parent}"):
            for index, identity in enumerate(identities):
                if candidate in identity.names:
                    return index
    return 0


def _load_key(pem: bytes) -> ServerKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise BadCertificate(
            "the private key is encrypted; give it without a password, in a file of mode 0600"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificate("the key file holds no readable PEM private key") from error
    if not isinstance(key, ServerKey):
        raise BadCertificate("the private key is of a kind TLS servers cannot use; take EC P-256 or RSA 2048")
    return key


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return frozenset()
    return frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName))


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]  # every kind of public key has it
