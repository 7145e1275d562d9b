from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.fakes.old_certificates import ECDSA_SHA256, tlv
from tests.fakes.pki import FakeAuthority, make_authority

from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.policy import DEFAULT_POLICY, CertificatePolicy
from ironhub.identity.revocation import load_revocation_list

START = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = make_authority("Root")
Builder = x509.CertificateRevocationListBuilder


def der_of(pem: bytes) -> bytes:
    return x509.load_pem_x509_crl(pem).public_bytes(Encoding.DER)


def make(change: Callable[[Builder], Builder] = lambda builder: builder, authority: FakeAuthority = ROOT) -> bytes:
    builder = Builder().issuer_name(authority.certificate.subject).last_update(START)
    builder = builder.next_update(START + timedelta(days=1))
    digest = None if authority.certificate.signature_hash_algorithm is None else hashes.SHA256()
    return change(builder).sign(authority.key, digest).public_bytes(Encoding.DER)


def numbered(builder: Builder) -> Builder:
    return builder.add_extension(x509.CRLNumber(5), critical=False)


def refusal(der: bytes, authority: FakeAuthority = ROOT, policy: CertificatePolicy = DEFAULT_POLICY) -> str:
    with pytest.raises(CertificateRejected) as caught:
        load_revocation_list(der, authority.certificate, policy)
    return caught.value.detail


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_a_list_says_who_is_revoked_and_until_when_it_holds(kind: str) -> None:
    authority = make_authority("A", key=kind)
    revoked = [authority.issue("a").certificate, authority.issue("b").certificate]
    pem = authority.revocation_list(revoked, this_update=START, next_update=START + timedelta(days=1), number=9)
    found = load_revocation_list(der_of(pem), authority.certificate, DEFAULT_POLICY)
    assert found.serials == {certificate.serial_number for certificate in revoked}
    assert found.number == 9
    assert not found.is_fresh(START.timestamp() - 1)
    assert found.is_fresh(START.timestamp())
    assert found.is_fresh(START.timestamp() + 86_399)
    assert not found.is_fresh(START.timestamp() + 86_400)


def test_an_authority_without_key_usage_may_sign_lists() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Plain")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = (
        builder.not_valid_before(START).not_valid_after(START + timedelta(days=9)).public_key(ROOT.key.public_key())
    )
    plain = FakeAuthority(builder.sign(ROOT.key, hashes.SHA256()), ROOT.key)
    assert load_revocation_list(make(numbered, plain), plain.certificate, DEFAULT_POLICY).serials == frozenset()


@pytest.mark.parametrize("der", [b"", b"\x30\x00", ROOT.der, make(numbered) + b"\x00"])
def test_what_is_no_list_is_refused(der: bytes) -> None:
    assert "not a well-formed revocation list" in refusal(der)


def test_a_list_that_is_too_long_is_not_even_read() -> None:
    assert refusal(b"\x00" * 9, policy=CertificatePolicy(max_revocation_list=8)) == "a revocation list of 9 bytes"


def test_another_authoritys_list_is_refused() -> None:
    assert refusal(make(numbered, make_authority("Other"))) == "the revocation list of another authority"


def test_a_forged_list_is_refused() -> None:
    assert refusal(make(numbered, make_authority("Root"))) == "the revocation list was not signed by this authority"


def test_a_list_that_was_altered_is_refused() -> None:
    good = make(numbered)
    assert "not signed" in refusal(good.replace(b"260101000000Z", b"250101000000Z"))


def test_a_list_without_a_number_is_refused() -> None:
    assert refusal(make()) == "a revocation list without a number"


def test_a_list_of_a_kind_that_may_be_incomplete_is_refused() -> None:
    delta = x509.DeltaCRLIndicator(1)
    part = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    for extension in (delta, part):
        assert "with extension" in refusal(make(lambda builder, e=extension: numbered(builder).add_extension(e, True)))  # type: ignore[misc]
    assert "with extension" in refusal(make(lambda builder: builder.add_extension(x509.CRLNumber(1), critical=True)))
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert "1.2.3.4" in refusal(make(lambda builder: numbered(builder).add_extension(unknown, critical=True)))
    load_revocation_list(
        make(lambda builder: numbered(builder).add_extension(unknown, critical=False)), ROOT.certificate, DEFAULT_POLICY
    )


def test_a_list_that_speaks_of_other_authorities_certificates_is_refused() -> None:
    issuer = x509.CertificateIssuer([x509.DirectoryName(ROOT.certificate.subject)])
    entry = x509.RevokedCertificateBuilder().serial_number(1).revocation_date(START)
    indirect = entry.add_extension(issuer, critical=True).build()
    assert "extension of an entry" in refusal(make(lambda builder: numbered(builder).add_revoked_certificate(indirect)))
    reason = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False).build()
    der = make(lambda builder: numbered(builder).add_revoked_certificate(reason))
    assert load_revocation_list(der, ROOT.certificate, DEFAULT_POLICY).serials == {1}


def test_a_list_signed_with_a_weak_hash_is_refused() -> None:
    policy = CertificatePolicy(hashes=frozenset({"sha384"}))
    assert "hash" in refusal(make(numbered), policy=policy)


def test_an_authority_whose_key_is_not_for_lists_signs_none() -> None:
    leaf = ROOT.issue("leaf", key=ROOT.key)
    fake = FakeAuthority(leaf.certificate, leaf.key)
    assert "cRLSign" in refusal(make(numbered, fake), fake)


def test_a_list_without_a_next_update_is_refused() -> None:
    """Made by hand: the builder always writes one."""
    assert isinstance(ROOT.key, ec.EllipticCurvePrivateKey)
    whole = x509.load_der_x509_crl(make(numbered)).tbs_certlist_bytes
    assert whole[1] < 0x80  # the length is in this one byte
    body = tlv(0x30, whole[2:].replace(tlv(0x17, b"260102000000Z"), b"", 1))
    signature = ROOT.key.sign(body, ec.ECDSA(hashes.SHA256()))
    der = tlv(0x30, body, ECDSA_SHA256, tlv(0x03, b"\x00", signature))
    assert refusal(der) == "a revocation list without a next update"
