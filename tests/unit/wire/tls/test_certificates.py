"""The server's own certificates: refused clearly, found by name."""

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from tests.fakes.pki import make_authority, self_signed

from ironhub.wire.tls.certificates import check_identity, find_identity
from ironhub.wire.tls.model import BadCertificate, ServerIdentity

ROOT = make_authority("root")
INTERMEDIATE = make_authority("intermediate", parent=ROOT)
HUB = INTERMEDIATE.issue("hub", names=["Hub.example", "*.field.example", "127.0.0.1"])
DPS = INTERMEDIATE.issue("dps", names=["dps.example", "hub.example"])
BARE = self_signed("bare")


def test_a_good_identity_is_read() -> None:
    checked = check_identity(ServerIdentity(HUB.chain_pem, HUB.key_pem))
    assert checked.chain == (HUB.certificate, INTERMEDIATE.certificate)
    assert checked.names == {"hub.example", "*.field.example"}


def test_a_certificate_without_names_serves_who_asks_for_none() -> None:
    assert check_identity(ServerIdentity(BARE.pem, BARE.key_pem)).names == frozenset()


def test_the_certificate_that_carries_the_name_is_found() -> None:
    identities = [check_identity(ServerIdentity(each.chain_pem, each.key_pem)) for each in (BARE, HUB, DPS)]
    asked = {"dps.example": 2, "DPS.EXAMPLE.": 2, "hub.example": 1, "a.field.example": 1}
    asked |= {"a.b.field.example": 0, "field.example": 0, "unknown.example": 0, "": 0, "127.0.0.1": 0, "*": 0}
    assert {name: find_identity(identities, name) for name in asked} == asked
    assert find_identity(identities, None) == 0
    assert find_identity(identities[1:2], "dps.example") == 0


def encrypted_key() -> bytes:
    return HUB.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


def key_that_cannot_sign() -> bytes:
    return x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("chain", "key", "reason"),
    [
        (b"", HUB.key_pem, "no readable PEM certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", HUB.key_pem, "no readable PEM certificate"),
        (HUB.chain_pem, b"", "no readable PEM private key"),
        (HUB.chain_pem, HUB.pem, "no readable PEM private key"),
        (HUB.chain_pem, encrypted_key(), "encrypted"),
        (HUB.chain_pem, key_that_cannot_sign(), "kind"),
        (HUB.chain_pem, DPS.key_pem, "does not belong"),
        (INTERMEDIATE.pem + HUB.pem, HUB.key_pem, "does not belong"),
        (HUB.pem + ROOT.pem, HUB.key_pem, "out of order"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(chain: bytes, key: bytes, reason: str) -> None:
    with pytest.raises(BadCertificate, match=reason) as caught:
        check_identity(ServerIdentity(chain, key))
    assert key.decode()[30:80] not in str(caught.value) or not key
