"""Certificates as `openssl x509 -req` made them for years: X.509 version 1, without any extension."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from tests.fakes.pki import FakeAuthority

ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
"""The AlgorithmIdentifier of ecdsa-with-SHA256, DER."""


def version_1_certificate(common_name: str, issuer: FakeAuthority, *, serial_number: int = 7) -> bytes:
    """Return the DER of one that `issuer` (with an EC key) signed, valid from 2020 to 2049; nobody keeps its key."""
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    body = tlv(
        0x30,
        tlv(0x02, serial_number.to_bytes(2, "big").lstrip(b"\x00")),
        ECDSA_SHA256,
        issuer.certificate.subject.public_bytes(),
        tlv(0x30, tlv(0x17, b"200101000000Z"), tlv(0x17, b"490101000000Z")),
        subject.public_bytes(),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
    signature = issuer.key.sign(body, ec.ECDSA(hashes.SHA256()))
    return tlv(0x30, body, ECDSA_SHA256, tlv(0x03, b"\x00", signature))


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one DER value: tag, length, and what it holds."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:  # X.690, 8.1.3
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
