from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.fakes.odd_certificates import name
from tests.fakes.pki import FakeAuthority, make_authority

from ironhub.identity.anchors import Anchors, issuer_of, load_for_openssl
from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.model import TrustedAuthority
from ironhub.identity.policy import DEFAULT_POLICY, CertificatePolicy

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
ROOT = make_authority("Root")
MIDDLE = make_authority("Middle", parent=ROOT)


def registered(*authorities: FakeAuthority, policy: CertificatePolicy = DEFAULT_POLICY) -> Anchors:
    return Anchors([TrustedAuthority(f"a{place}", one.der) for place, one in enumerate(authorities)], policy)


def with_list(authority: FakeAuthority, *revoked: x509.Certificate, name: str) -> TrustedAuthority:
    listed = x509.load_pem_x509_crl(authority.revocation_list(revoked))
    return TrustedAuthority(name, authority.der, listed.public_bytes(Encoding.DER))


def test_a_good_authority_is_made_ready() -> None:
    anchors = registered(ROOT, MIDDLE)
    assert (anchors.refused, anchors.admitting, len(anchors.stores)) == ({}, {"a0", "a1"}, 1)
    anchor = anchors.by_der[ROOT.der]
    assert (anchor.name, anchor.issuer, anchor.constrains_names) == ("a0", issuer_of(ROOT.certificate), False)
    assert anchor.is_valid(NOW)
    assert not anchor.is_valid(0.0)
    assert [anchor.name for anchor, _ in anchors.plain.values()] == ["a0", "a1"]


def test_a_weak_one_admits_nobody() -> None:
    anchors = registered(make_authority("Weak", key="rsa1024"), ROOT)
    assert "strong" in anchors.refused["a0"]
    assert anchors.admitting == {"a1"}


def test_one_whose_name_cannot_be_read_admits_nobody_and_hinders_nobody() -> None:
    broken = ROOT.der.replace(name("Root"), name("Root").replace(b"Root", b"Ro\xff\xfe"))
    anchors = Anchors([TrustedAuthority("broken", broken), TrustedAuthority("root", ROOT.der)], DEFAULT_POLICY)
    assert list(anchors.refused) == ["broken"]
    assert anchors.admitting == {"root"}
    with pytest.raises(CertificateRejected):
        load_for_openssl(broken)
    with pytest.raises(CertificateRejected):
        issuer_of(x509.load_der_x509_certificate(broken))


def test_one_that_its_own_issuer_revoked_is_left_out() -> None:
    anchors = Anchors(
        [with_list(ROOT, MIDDLE.certificate, name="root"), TrustedAuthority("middle", MIDDLE.der)], DEFAULT_POLICY
    )
    assert anchors.refused == {"middle": "revoked by its own issuer"}
    assert anchors.revoked == {MIDDLE.certificate.serial_number}
    assert list(anchors.revocations) == [issuer_of(ROOT.certificate)]
    assert list(anchors.by_der) == [ROOT.der]


def test_one_whose_list_cannot_be_read_bars_all_below_it() -> None:
    anchors = Anchors([TrustedAuthority("root", ROOT.der, b"junk")], DEFAULT_POLICY)
    assert anchors.barred == {issuer_of(ROOT.certificate)}
    assert anchors.admitting == set()


def test_namesakes_go_to_stores_of_their_own_and_are_never_plain() -> None:
    twins = [make_authority("Plant") for _ in range(5)]
    anchors = registered(*twins, ROOT)
    assert len(anchors.stores) == 4
    assert list(anchors.refused) == ["a4"]
    assert [anchor.name for anchor, _ in anchors.plain.values()] == ["a5"]


def test_nor_are_those_whose_names_are_alike_to_openssl() -> None:
    assert registered(make_authority("Plant"), make_authority("PLANT")).plain == {}


def test_the_strict_profile_leaves_every_path_to_openssl() -> None:
    assert registered(ROOT, policy=CertificatePolicy(strict_profile=True)).plain == {}
