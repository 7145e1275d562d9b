"""Certificates put together from DER values, so that each of these can be odd; signed by an authority all the same."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.fakes.old_certificates import ECDSA_SHA256, tlv
from tests.fakes.pki import FakeAuthority, PrivateKey

UTF8: int = 0x0C
_VERSION_3 = bytes.fromhex("a003020102")
_COMMON_NAME = bytes.fromhex("0603550403")


def odd_certificate(
    issuer: FakeAuthority,
    *,
    subject: bytes | None = None,
    key: bytes | None = None,
    extensions: tuple[bytes, ...] = (),
    outer_algorithm: bytes = ECDSA_SHA256,
    more: tuple[bytes, ...] = (),
    unused_bits: int = 0,
) -> bytes:
    """Return the DER of a certificate of "d1" that `issuer` (with an EC key) signed; every part may be replaced."""
    body = tlv(
        0x30,
        _VERSION_3,
        tlv(0x02, b"\x07"),
        ECDSA_SHA256,
        issuer.certificate.subject.public_bytes(),
        tlv(0x30, tlv(0x17, b"200101000000Z"), tlv(0x17, b"490101000000Z")),
        name("d1") if subject is None else subject,
        public_key(ec.generate_private_key(ec.SECP256R1())) if key is None else key,
        *more,
        *([tlv(0xA3, tlv(0x30, *extensions))] if extensions else []),
    )
    return signed(body, issuer, outer_algorithm, unused_bits)


def signed(body: bytes, issuer: FakeAuthority, algorithm: bytes = ECDSA_SHA256, unused_bits: int = 0) -> bytes:
    """Return the certificate with this body (DER). Bits that do not count are zero, as they must be."""
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    while True:
        signature = issuer.key.sign(body, ec.ECDSA(hashes.SHA256()))
        if signature[-1] & ((1 << unused_bits) - 1) == 0:
            return tlv(0x30, body, algorithm, tlv(0x03, bytes((unused_bits,)), signature))


def name(common_name: str, tag: int = UTF8) -> bytes:
    """Return a name of one part: a common name of this kind of text."""
    return tlv(0x30, tlv(0x31, tlv(0x30, _COMMON_NAME, tlv(tag, common_name.encode()))))


def public_key(private: PrivateKey) -> bytes:
    """Return a SubjectPublicKeyInfo, as it is usually written."""
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def explicit_key() -> bytes:
    """Return a key on P-256 whose parameters are written out instead of named (X9.62)."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    coefficient = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"
    order = "00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
    parameters = tlv(
        0x30,
        tlv(0x02, b"\x01"),
        tlv(0x30, bytes.fromhex("06072a8648ce3d0101"), tlv(0x02, b"\x00" + prime.to_bytes(32, "big"))),
        tlv(0x30, tlv(0x04, (prime - 3).to_bytes(32, "big")), tlv(0x04, bytes.fromhex(coefficient))),
        tlv(0x04, b"\x04" + bytes.fromhex(x + y)),
        tlv(0x02, bytes.fromhex(order)),
        tlv(0x02, b"\x01"),
    )
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    uncompressed = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return tlv(0x30, tlv(0x30, bytes.fromhex("06072a8648ce3d0201"), parameters), tlv(0x03, b"\x00", uncompressed))


def compressed_key() -> bytes:
    """Return a key on P-256 whose point is compressed."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    curve = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return tlv(0x30, curve, tlv(0x03, b"\x00", point))


def extension(identifier: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return one extension.

    Args:
        identifier: the OID's content in hex, such as "551d13" for basic constraints.
        value: DER.
    """
    flag = [tlv(0x01, b"\xff")] if critical else []
    return tlv(0x30, tlv(0x06, bytes.fromhex(identifier)), *flag, tlv(0x04, value))
