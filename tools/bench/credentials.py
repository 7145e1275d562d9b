"""Devices as the load generator knows them, one line each, and the certificates and tokens they show."""

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

API_VERSION: Final = "2021-04-12"
SAS_KEY: Final = b"a key for a measurement, no more"
_LIFE: Final = timedelta(days=30)


class Kind(StrEnum):
    """How a device proves itself."""

    THUMBPRINT = "thumbprint"
    AUTHORITY = "CA-signed"
    SAS = "SAS"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the certificate, lower-case hex."""
        return hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).hexdigest()

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key, PKCS#8."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class BenchDevice:
    """One device of the fleet. `pair`: None for SAS."""

    device_id: str
    kind: Kind
    pair: Pair | None


def make_ca(name: str) -> Pair:
    """Return a root authority, P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _builder(name, name, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    return Pair(builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)


def self_signed(name: str) -> Pair:
    """Return a device's own certificate, P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Pair(_builder(name, name, key.public_key()).sign(key, hashes.SHA256()), key)


def signed_by(authority: Pair, name: str, address: str | None = None) -> Pair:
    """Return a device's certificate below `authority`; with an `address`, that of a server."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    builder = _builder(name, str(issuer), key.public_key())
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if address is None else ExtendedKeyUsageOID.SERVER_AUTH
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if address is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def make_devices(kind: Kind, ids: Sequence[str], authority: Pair) -> list[BenchDevice]:
    """Return a device of `kind` for each id, each with a key of its own."""
    match kind:
        case Kind.THUMBPRINT:
            return [BenchDevice(name, kind, self_signed(name)) for name in ids]
        case Kind.AUTHORITY:
            return [BenchDevice(name, kind, signed_by(authority, name)) for name in ids]
        case Kind.SAS:
            return [BenchDevice(name, kind, None) for name in ids]


@dataclass(frozen=True, slots=True)
class Login:
    """Who opens one link over AMQP. `username` "": the password is a token, put to the node $cbs."""

    name: str
    username: str
    password: str
    address: str


def sas_token(resource: str, key: bytes, expires_at: int) -> str:
    """Return a token for `resource`, good until `expires_at` (seconds since the epoch)."""
    subject = quote(resource, safe="")
    signature = hmac.new(key, f"{subject}\n{expires_at}".encode(), hashlib.sha256).digest()
    return f"SharedAccessSignature sr={subject}&sig={quote(base64.b64encode(signature), safe='')}&se={expires_at}"


def hub_line(device: BenchDevice, host: str, expires_at: int) -> str:
    """Return how `device` connects to the hub named `host`, for the load generator."""
    username = f"{host}/{device.device_id}/?api-version={API_VERSION}"
    resource = f"{host}/devices/{device.device_id}"
    password = sas_token(resource, SAS_KEY, expires_at) if device.kind is Kind.SAS else ""
    return _line(device, username, password)


def plain_line(device: BenchDevice) -> str:
    """Return how `device` connects to a broker that takes its name from its certificate."""
    return _line(device, "", "")


def amqp_hub_line(device: BenchDevice, host: str, expires_at: int) -> str:
    """Return how `device` connects to the hub named `host` over AMQP and sends telemetry."""
    token = sas_token(f"{host}/devices/{device.device_id}", SAS_KEY, expires_at)
    return login_line(Login(device.device_id, "", token, f"/devices/{device.device_id}/messages/events"))


def login_line(login: Login) -> str:
    """Return how somebody without a certificate opens a link."""
    return "\t".join((login.name, login.username, login.password, login.address, "", ""))


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write a devices file, readable by its owner only: it holds keys."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _line(device: BenchDevice, username: str, password: str) -> str:
    certificate = key = ""
    if device.pair is not None:
        certificate = base64.b64encode(device.pair.certificate.public_bytes(Encoding.DER)).decode()
        der = device.pair.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        key = base64.b64encode(der).decode()
    topic = f"devices/{device.device_id}/messages/events/"
    return "\t".join((device.device_id, username, password, topic, certificate, key))


def _builder(name: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        subject_name=_name(name),
        issuer_name=_name(issuer),
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + _LIFE,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
