"""Small working certificate authorities and certificates for tests: good ones, and ones as odd as those in the field.

Certificates are valid from 2020 for a hundred years unless a test says otherwise, so they suit the real clock and a
`FakeClock` alike. Instants are aware datetimes or seconds since the Unix epoch.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Instant = datetime | float
KeyKind = str
"""`"ec"` (P-256), `"ec384"`, `"rsa"` (2048 bits), `"rsa1024"` or `"ed25519"`."""

NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2119, 12, 31, tzinfo=UTC)
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH


def make_key(kind: KeyKind = "ec") -> PrivateKey:
    """Return a new private key of this kind."""
    match kind:
        case "ec":
            return ec.generate_private_key(ec.SECP256R1())
        case "ec384":
            return ec.generate_private_key(ec.SECP384R1())
        case "rsa":
            return rsa.generate_private_key(65537, 2048)
        case "rsa1024":
            return rsa.generate_private_key(65537, 1024)
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            raise ValueError(f"unknown kind of key {kind!r}")


@dataclass(frozen=True, slots=True)
class FakeCertificate:
    """An end-entity certificate with its key and the authorities above it."""

    certificate: x509.Certificate
    key: PrivateKey
    issuers: tuple[x509.Certificate, ...] = ()
    """From the issuer upwards, without the root."""

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return _pem(self.certificate)

    @property
    def der(self) -> bytes:
        """The certificate alone."""
        return _der(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS#8, not encrypted."""
        return _key_pem(self.key)

    @property
    def chain_pem(self) -> bytes:
        """The certificate and its intermediate authorities, leaf first, without the root."""
        return b"".join([self.pem, *(_pem(issuer) for issuer in self.issuers)])

    @property
    def chain_der(self) -> tuple[bytes, ...]:
        """As `chain_pem`, one DER certificate each."""
        return (self.der, *(_der(issuer) for issuer in self.issuers))

    @property
    def sha1_thumbprint(self) -> str:
        """Lower-case hex."""
        return self.certificate.fingerprint(hashes.SHA1()).hex()

    @property
    def sha256_thumbprint(self) -> str:
        """Lower-case hex."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


@dataclass(frozen=True, slots=True)
class FakeAuthority:
    """A certificate authority: a root, or an intermediate under its `parent`."""

    certificate: x509.Certificate
    key: PrivateKey
    parent: "FakeAuthority | None" = None

    @property
    def pem(self) -> bytes:
        """The authority's own certificate."""
        return _pem(self.certificate)

    @property
    def der(self) -> bytes:
        """The authority's own certificate."""
        return _der(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS#8, not encrypted."""
        return _key_pem(self.key)

    def issue(
        self,
        common_name: str,
        *,
        key: KeyKind | PrivateKey = "ec",
        not_before: Instant = NOT_BEFORE,
        not_after: Instant = NOT_AFTER,
        names: Sequence[str] = (),
        usages: Sequence[x509.ObjectIdentifier] = (CLIENT_AUTH,),
        serial_number: int | None = None,
    ) -> FakeCertificate:
        """Return a certificate for `common_name`.

        Args:
            key: what to make, or a private key that exists (to renew).
            names: subject alternative names; what reads as an IP address becomes one.
            usages: extended key usages; none: the extension is left out.
        """
        private = make_key(key) if isinstance(key, str) else key
        builder = _builder(common_name, self.certificate.subject, private, not_before, not_after, serial_number)
        builder = _as_leaf(builder, names, usages)
        signed = _sign(builder, self.key)
        return FakeCertificate(signed, private, self._issuers())

    def revocation_list(
        self,
        revoked: Sequence[x509.Certificate] = (),
        *,
        this_update: Instant = NOT_BEFORE,
        next_update: Instant = NOT_AFTER,
        number: int = 1,
    ) -> bytes:
        """Return a CRL of this authority (PEM) with these certificates in it."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(_instant(this_update)).next_update(_instant(next_update))
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(_instant(this_update)).build())
        return builder.sign(self.key, _digest_for(self.key)).public_bytes(serialization.Encoding.PEM)

    def _issuers(self) -> tuple[x509.Certificate, ...]:
        return () if self.parent is None else (self.certificate, *self.parent._issuers())


def make_authority(
    name: str,
    *,
    parent: FakeAuthority | None = None,
    key: KeyKind | PrivateKey = "ec",
    not_before: Instant = NOT_BEFORE,
    days: float = 36_000,
    path_length: int | None = None,
) -> FakeAuthority:
    """Return a new authority: a self-signed root, or an intermediate signed by `parent`."""
    private = make_key(key) if isinstance(key, str) else key
    issuer = _name(name) if parent is None else parent.certificate.subject
    start = _instant(not_before)
    builder = _builder(name, issuer, private, start, start + timedelta(days=days), None)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_key_usage(authority=True), critical=True)
    signer = private if parent is None else parent.key
    return FakeAuthority(_sign(builder, signer), private, parent)


def self_signed(
    common_name: str,
    *,
    key: KeyKind | PrivateKey = "ec",
    not_before: Instant = NOT_BEFORE,
    not_after: Instant = NOT_AFTER,
    names: Sequence[str] = (),
    usages: Sequence[x509.ObjectIdentifier] = (CLIENT_AUTH,),
) -> FakeCertificate:
    """Return a certificate that vouches for itself, as devices have that are known by thumbprint."""
    private = make_key(key) if isinstance(key, str) else key
    builder = _builder(common_name, _name(common_name), private, not_before, not_after, None)
    return FakeCertificate(_sign(_as_leaf(builder, names, usages), private), private)


def _builder(
    common_name: str,
    issuer: x509.Name,
    key: PrivateKey,
    not_before: Instant,
    not_after: Instant,
    serial_number: int | None,
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(_name(common_name)).issuer_name(issuer)
    builder = builder.not_valid_before(_instant(not_before)).not_valid_after(_instant(not_after))
    builder = builder.serial_number(serial_number or x509.random_serial_number()).public_key(key.public_key())
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _as_leaf(
    builder: x509.CertificateBuilder, names: Sequence[str], usages: Sequence[x509.ObjectIdentifier]
) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=False), critical=True)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), critical=False)
    return builder


def _sign(builder: x509.CertificateBuilder, issuer: PrivateKey) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    return builder.add_extension(identifier, critical=False).sign(issuer, _digest_for(issuer))


def _digest_for(key: PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _instant(value: Instant) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
