"""TLS clients for tests: the standard library's, in memory or on a socket, with any certificate, also a stolen one."""

import base64
import ssl
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.fakes.pki import SERVER_AUTH, FakeCertificate, make_authority

from ironhub.wire.tls import Engine, ServerIdentity

TLS1_2, TLS1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@cache
def server_identity(name: str = "localhost") -> ServerIdentity:
    """Return a server certificate for `name`, with its intermediate authority; the same at each call."""
    authority = make_authority("server intermediate", parent=make_authority("server root"))
    certificate = authority.issue(name, names=[name], usages=[SERVER_AUTH])
    return ServerIdentity(certificate.chain_pem, certificate.key_pem)


def client_context(
    certificate: FakeCertificate | None = None,
    version: ssl.TLSVersion = TLS1_3,
    *,
    key_pem: bytes = b"",
) -> ssl.SSLContext:
    """Return a client that trusts any server and shows `certificate` with its chain.

    Args:
        key_pem: another private key than the certificate's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if certificate is not None:
        with tempfile.TemporaryDirectory() as folder:
            chain, key = Path(folder) / "chain.pem", Path(folder) / "key.pem"
            chain.write_bytes(certificate.chain_pem)
            key.write_bytes(key_pem or certificate.key_pem)
            context.load_cert_chain(chain, key)
    return context


def key_of_a_thief(certificate: FakeCertificate) -> bytes:
    """Return a P-256 key file that claims to belong to `certificate`, but signs with something else (PEM).

    A key file holds the private number and the public point; only a signature shows that they do not match.
    """
    own = ec.generate_private_key(ec.SECP256R1())
    der = own.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    forged = der.replace(_point(own.public_key()), _point(certificate.key.public_key()))
    assert forged != der
    return b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(forged) + b"-----END PRIVATE KEY-----\n"


def _point(key: object) -> bytes:
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class MemoryClient:
    """A client without a socket."""

    def __init__(self, context: ssl.SSLContext, server_name: str | None = "localhost") -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self.done = False
        """The handshake is complete on this side."""

    def step(self, data: bytes = b"") -> bytes:
        """Go on with the handshake; returns what goes to the server. Raises ssl.SSLError: the server's alert."""
        self._incoming.write(data)
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
            self.done = True
        return self._outgoing.read()

    def shake_hands(self, engine: Engine) -> None:
        """Complete the handshake with `engine`. Raises TlsFailed, ssl.SSLError."""
        flight = self.step()
        while flight:
            engine.receive(flight)
            flight = self.step(engine.to_send())

    def encrypt(self, data: bytes) -> bytes:
        """Return `data` as records."""
        for start in range(0, len(data), 16_384):
            self.tls.write(data[start : start + 16_384])
        return self._outgoing.read()

    def decrypt(self, records: bytes) -> bytes:
        """Return the plaintext of `records`. Raises ssl.SSLError: an alert."""
        self._incoming.write(records)
        plaintext = b""
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while piece := self.tls.read(65_536):
                plaintext += piece
        return plaintext

    def goodbye(self) -> bytes:
        """Return close_notify."""
        with suppress(ssl.SSLError):
            self.tls.unwrap()
        return self._outgoing.read()
