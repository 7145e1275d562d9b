from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from OpenSSL._util import lib
from tests.fakes.odd_certificates import compressed_key, odd_certificate
from tests.fakes.old_certificates import version_1_certificate
from tests.fakes.pki import SERVER_AUTH, FakeAuthority, FakeCertificate, make_authority, make_key, self_signed

from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.model import Thumbprints, TrustedAuthority
from ironhub.identity.policy import DEFAULT_POLICY, CertificatePolicy
from ironhub.identity.x509 import AdmittedChain, ChainJudge, match_thumbprints

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
DAY = 86_400.0
ROOT = make_authority("Root")
MIDDLE = make_authority("Middle", parent=ROOT)
LOW = make_authority("Low", parent=MIDDLE)
LEAF = ROOT.issue("d1")


def judge_of(*authorities: FakeAuthority | TrustedAuthority, policy: CertificatePolicy = DEFAULT_POLICY) -> ChainJudge:
    return ChainJudge(
        [
            one if isinstance(one, TrustedAuthority) else TrustedAuthority(f"a{place}", one.der)
            for place, one in enumerate(authorities)
        ],
        policy,
    )


def with_list(
    authority: FakeAuthority, *revoked: x509.Certificate, name: str = "a", this_update: float = NOW - DAY
) -> TrustedAuthority:
    pem = authority.revocation_list(revoked, this_update=this_update, next_update=NOW + DAY)
    return TrustedAuthority(name, authority.der, x509.load_pem_x509_crl(pem).public_bytes(Encoding.DER))


def refusal(judge: ChainJudge, chain: Sequence[bytes], now: float = NOW) -> str:
    with pytest.raises(CertificateRejected) as caught:
        judge.judge(chain, now)
    return caught.value.detail


# Thumbprints.


def match(shown: FakeCertificate, primary: str | None, secondary: str | None = None, now: float = NOW) -> str:
    return match_thumbprints(shown.der, Thumbprints(primary, secondary), DEFAULT_POLICY, now)


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_either_slot_and_either_hash_will_do(kind: str) -> None:
    shown = self_signed("d1", key=kind)
    sha1, sha256 = shown.sha1_thumbprint, shown.sha256_thumbprint
    for slots in ((sha1, None), (None, sha1), (sha256, None), ("0" * 64, sha256), (sha256.upper(), "")):
        assert match(shown, *slots) == sha256


def test_the_operator_pinned_this_very_certificate_so_little_else_matters() -> None:
    for shown in (self_signed("someone else", usages=(SERVER_AUTH,)), LEAF):
        assert match(shown, shown.sha256_thumbprint) == shown.sha256_thumbprint
    assert match_thumbprints(ROOT.der, Thumbprints(sha256(ROOT), None), DEFAULT_POLICY, NOW) == sha256(ROOT)
    old = version_1_certificate("d1", ROOT)
    digest = x509.load_der_x509_certificate(old).fingerprint(hashes.SHA256()).hex()
    assert match_thumbprints(old, Thumbprints(digest, None), DEFAULT_POLICY, NOW) == digest


def test_another_certificate_matches_no_thumbprint() -> None:
    shown, other = self_signed("d1"), self_signed("d1")
    for slots in (
        (other.sha256_thumbprint, other.sha1_thumbprint),
        (shown.sha256_thumbprint[:-1], None),
        (shown.sha256_thumbprint[:40], None),
        (None, None),
        ("", ""),
    ):
        with pytest.raises(CertificateRejected) as caught:
            match(shown, *slots)
        assert "thumbprint is not registered" in caught.value.detail


def test_a_pinned_certificate_with_a_weak_key_is_refused() -> None:
    shown = self_signed("d1", key="rsa1024")
    with pytest.raises(CertificateRejected) as caught:
        match(shown, shown.sha256_thumbprint)
    assert "strong" in caught.value.detail


def test_the_dates_of_a_pinned_certificate_hold() -> None:
    shown = self_signed("d1", not_before=NOW, not_after=NOW + DAY)
    match(shown, shown.sha1_thumbprint, now=NOW)
    match(shown, shown.sha1_thumbprint, now=NOW + DAY)
    for now in (NOW - 1, NOW + DAY + 1):
        with pytest.raises(CertificateRejected) as caught:
            match(shown, shown.sha1_thumbprint, now=now)
        assert "expired, or not valid yet" in caught.value.detail


def test_a_pinned_thumbprint_of_no_certificate_is_refused() -> None:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"junk")
    with pytest.raises(CertificateRejected):
        match_thumbprints(b"junk", Thumbprints(digest.finalize().hex(), None), DEFAULT_POLICY, NOW)


def sha256(authority: FakeAuthority) -> str:
    return authority.certificate.fingerprint(hashes.SHA256()).hex()


# Paths.


@pytest.mark.parametrize("kind", ["ec", "ec384", "rsa", "ed25519"])
def test_a_certificate_below_a_registered_root_is_admitted(kind: str) -> None:
    root = make_authority("R", key=kind)
    leaf = root.issue("d1", key=kind)
    assert judge_of(root).judge(leaf.chain_der, NOW) == AdmittedChain(
        "d1",
        leaf.sha256_thumbprint,
        "a0",
        (sha256(root),),
        (leaf.certificate.serial_number, root.certificate.serial_number),
    )


def test_intermediates_that_the_device_sends_are_followed_in_any_order() -> None:
    leaf = LOW.issue("d1")
    found = judge_of(ROOT).judge(leaf.chain_der, NOW)
    assert found.issuers == (sha256(LOW), sha256(MIDDLE), sha256(ROOT))
    own, *rest = leaf.chain_der
    assert judge_of(ROOT).judge((own, *reversed(rest), ROOT.der, *rest), NOW) == found


def test_a_registered_intermediate_is_the_end_of_the_path() -> None:
    leaf = LOW.issue("d1")
    judge = judge_of(MIDDLE, ROOT)
    found = judge.judge(leaf.chain_der, NOW)
    assert (found.authority, found.issuers) == ("a0", (sha256(LOW), sha256(MIDDLE)))
    assert refusal(judge_of(LOW), ROOT.issue("d1").chain_der) != ""


def test_a_missing_intermediate_leaves_no_path() -> None:
    assert "unable to get local issuer" in refusal(judge_of(ROOT), (LOW.issue("d1").der,))


def test_a_stranger_leaves_no_path() -> None:
    forger = make_authority("Root")
    assert "no path" in refusal(judge_of(ROOT), forger.issue("d1").chain_der)
    assert "no path" in refusal(judge_of(ROOT), (forger.issue("d1").der, forger.der, ROOT.der))
    assert "no path" in refusal(judge_of(ROOT), self_signed("d1").chain_der)
    assert "no authority" in refusal(judge_of(), LEAF.chain_der)


def test_a_failed_judgement_leaves_nothing_in_the_threads_error_queue() -> None:
    """What lies there is taken for its own by the next TLS session of this thread."""
    bare = bare_authority("Bare")
    forger = FakeAuthority(bare.certificate, make_key())
    assert "signature" in refusal(judge_of(bare), forger.issue("d1").chain_der)
    assert lib.ERR_peek_error() == 0


def test_namesakes_do_not_hide_each_other() -> None:
    """A root that was made anew keeps its name, and neither may have key identifiers."""
    twins = [bare_authority("Plant") for _ in range(5)]
    judge = judge_of(*twins)
    for place, twin in enumerate(twins[:4]):
        assert judge.judge(twin.issue("d1").chain_der, NOW).authority == f"a{place}"
    assert judge.refused == {"a4": "4 others have the same subject"}
    assert refusal(judge, twins[4].issue("d1").chain_der) != ""


def bare_authority(name: str, *extensions: x509.ExtensionType) -> FakeAuthority:
    key = make_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1)
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2049, 1, 1, tzinfo=UTC)
    )
    builder = builder.public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return FakeAuthority(builder.sign(key, hashes.SHA256()), key)


def test_every_certificate_of_the_path_must_be_valid_now() -> None:
    short_root = make_authority("Short", not_before=NOW, days=2)
    short_middle = make_authority("Short middle", parent=ROOT, not_before=NOW, days=2)
    short_leaf = ROOT.issue("d1", not_before=NOW, not_after=NOW + 2 * DAY)
    for root, leaf in ((short_root, short_root.issue("d1")), (ROOT, short_middle.issue("d1")), (ROOT, short_leaf)):
        judge = judge_of(root)
        judge.judge(leaf.chain_der, NOW + DAY)
        for now in (NOW + 3 * DAY, NOW - DAY):
            assert refusal(judge, leaf.chain_der, now) != ""
        judge.judge(leaf.chain_der, NOW + DAY)  # nothing of an earlier time sticks


def test_the_wall_clock_is_not_asked() -> None:
    for year in (1999, 2200):
        then = datetime(year, 6, 1, tzinfo=UTC).timestamp()
        root = make_authority("Then", not_before=then - DAY, days=2)
        leaf = root.issue("d1", not_before=then - DAY, not_after=then + DAY)
        judge_of(root).judge(leaf.chain_der, then)


def test_an_expired_certificate_does_not_hide_the_renewed_one() -> None:
    key = make_key()
    old, new = (make_authority("R", key=key, not_before=start, days=10) for start in (NOW - 30 * DAY, NOW - DAY))
    judge = judge_of(old, new)
    assert judge.judge(new.issue("d1").chain_der, NOW).authority == "a1"
    assert judge.judge(new.issue("d1").chain_der, NOW - 29 * DAY).authority == "a0"
    old_middle = make_authority("M", parent=ROOT, key=key, not_before=NOW - 30 * DAY, days=10)
    new_middle = make_authority("M", parent=ROOT, key=key, not_before=NOW - DAY, days=10)
    chain = (new_middle.issue("d1").der, old_middle.der, new_middle.der)
    assert judge_of(ROOT).judge(chain, NOW).issuers == (sha256(new_middle), sha256(ROOT))


def test_a_path_keeps_to_its_length() -> None:
    root = make_authority("Root of none below", path_length=0)
    judge = judge_of(root)
    judge.judge(root.issue("d1").chain_der, NOW)
    below = make_authority("Below", parent=root)
    assert "path length" in refusal(judge, below.issue("d1").chain_der)


def test_a_device_issues_to_nobody() -> None:
    device = ROOT.issue("d1")
    fake = FakeAuthority(device.certificate, device.key, ROOT)
    assert "invalid CA" in refusal(judge_of(ROOT), fake.issue("d2").chain_der)


def test_the_policy_holds_for_each_certificate_of_the_path() -> None:
    weak = make_authority("Weak", parent=ROOT, key="rsa1024")
    assert "strong" in refusal(judge_of(ROOT), weak.issue("d1").chain_der)
    assert "strong" in refusal(judge_of(ROOT), ROOT.issue("d1", key="rsa1024").chain_der)
    judge = judge_of(make_authority("Weak", key="rsa1024"))
    assert list(judge.refused) == ["a0"]
    assert "strong" in judge.refused["a0"]


def test_a_device_has_one_common_name() -> None:
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("d1", "d2")]
    for names in (subject, []):
        builder = x509.CertificateBuilder().subject_name(x509.Name(names)).issuer_name(ROOT.certificate.subject)
        builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).serial_number(9)
        builder = builder.not_valid_after(datetime(2049, 1, 1, tzinfo=UTC)).public_key(make_key().public_key())
        der = builder.sign(ROOT.key, hashes.SHA256()).public_bytes(Encoding.DER)
        assert "no common name, or several" in refusal(judge_of(ROOT), (der,))


def test_an_old_certificate_is_admitted_where_the_policy_says_so() -> None:
    old = version_1_certificate("d1", ROOT)
    assert "v1" in refusal(judge_of(ROOT), (old,))
    assert judge_of(ROOT, policy=CertificatePolicy(version_1=True)).judge((old,), NOW).common_name == "d1"


def test_an_authority_itself_is_no_device_even_where_the_policy_is_lax() -> None:
    lax = CertificatePolicy(authority_as_device=True)
    assert "an authority's" in refusal(judge_of(ROOT), (ROOT.der,))
    assert refusal(judge_of(ROOT, policy=lax), (ROOT.der,)) != ""
    assert judge_of(ROOT, policy=lax).judge((MIDDLE.der,), NOW).common_name == "Middle"


def test_the_strict_profile_wants_key_identifiers() -> None:
    bare = bare_authority("Bare")
    strict = CertificatePolicy(strict_profile=True)
    judge_of(bare).judge(bare.issue("d1").chain_der, NOW)
    assert "does not include key usage" in refusal(judge_of(bare, policy=strict), bare.issue("d1").chain_der)
    judge_of(ROOT, policy=strict).judge(LEAF.chain_der, NOW)


def test_a_path_has_no_more_intermediates_than_the_policy_says() -> None:
    authorities = [ROOT]
    for place in range(7):
        authorities.append(make_authority(f"Level {place}", parent=authorities[-1]))
    judge_of(ROOT).judge(authorities[6].issue("d1").chain_der, NOW)
    assert refusal(judge_of(ROOT), authorities[7].issue("d1").chain_der).startswith("7 authorities on the way")


def test_below_an_authority_that_constrains_names_they_must_be_plain() -> None:
    constraints = x509.NameConstraints([x509.DNSName("plant.example")], None)
    constrained = bare_authority("Constrained", constraints)
    judge = judge_of(constrained)
    judge.judge(constrained.issue("d1", names=["d1.plant.example"]).chain_der, NOW)
    assert "permitted subtree" in refusal(judge, constrained.issue("d1", names=["d1.example"]).chain_der)
    assert "not plain" in refusal(judge, constrained.issue("d1", names=["*.plant.example"]).chain_der)
    free = bare_authority("Free")
    judge_of(free).judge(free.issue("d1", names=["*.plant.example"]).chain_der, NOW)


# The plain step: what OpenSSL would say is said without it.


def without_plain_steps(judge: ChainJudge) -> ChainJudge:
    judge._anchors.plain = {}
    return judge


def test_a_plain_certificate_needs_no_search() -> None:
    leaf = ROOT.issue("d1")
    judge, searching = judge_of(ROOT), without_plain_steps(judge_of(ROOT))
    judge._anchors.stores.clear()
    assert judge.judge(leaf.chain_der, NOW) == searching.judge(leaf.chain_der, NOW)
    assert judge.judge((leaf.der, ROOT.der), NOW) == searching.judge((leaf.der, ROOT.der), NOW)
    assert "no authority" in refusal(judge, (leaf.der, MIDDLE.der))


def test_a_wrong_signature_costs_no_second_check() -> None:
    forger = FakeAuthority(ROOT.certificate, make_key())
    forged = odd_certificate(forger)
    assert refusal(judge_of(ROOT), (forged,)) == "no path to a registered authority: the signature is not its own"
    assert "signature" in refusal(without_plain_steps(judge_of(ROOT)), (forged,))


def test_what_is_not_plain_is_searched_for() -> None:
    judge = judge_of(ROOT)
    judge._anchors.stores.clear()
    for odd in (odd_certificate(ROOT, key=compressed_key()), make_authority("Root").issue("d1").der):
        assert "no authority" in refusal(judge, (odd,))
    assert "no authority" in refusal(judge, (odd_certificate(make_authority("Other")),))
    strict = judge_of(ROOT, policy=CertificatePolicy(strict_profile=True))
    strict._anchors.stores.clear()
    assert "no authority" in refusal(strict, LEAF.chain_der)


def test_an_authority_that_is_over_is_named_whichever_way_it_is_found() -> None:
    short = make_authority("Short", not_before=NOW, days=2)
    assert "authority a0 is expired" in refusal(judge_of(short), short.issue("d1").chain_der, NOW + 3 * DAY)


# Bounds.


def test_too_few_or_too_many_certificates_are_refused() -> None:
    assert refusal(judge_of(ROOT), ()) == "0 certificates"
    assert refusal(judge_of(ROOT), [LEAF.der] * 11) == "11 certificates"
    judge_of(ROOT).judge([LEAF.der] * 10, NOW)


def test_a_certificate_that_is_too_long_or_malformed_is_refused() -> None:
    assert "bytes" in refusal(judge_of(ROOT), (LEAF.der, b"\x30" * 20_000))
    assert "well-formed" in refusal(judge_of(ROOT), (LEAF.der, b"junk"))
    assert "well-formed" in refusal(judge_of(ROOT), (LEAF.der[:-1],))


def test_what_only_one_of_two_parsers_can_read_is_refused() -> None:
    """The first looks into the issuer's name when it is asked for; the second finds at once that it is no UTF-8."""
    assert refusal(judge_of(ROOT), (LEAF.der.replace(b"Root", b"Ro\xff\xfe"),)) == "not a well-formed certificate"


def test_intermediates_are_remembered_only_after_they_proved_good() -> None:
    judge = judge_of(ROOT)
    forger = make_authority("Middle", parent=FakeAuthority(ROOT.certificate, make_key()))
    refusal(judge, forger.issue("d1").chain_der)
    assert judge._above == {}
    for name in ("d1", "d2"):
        judge.judge(MIDDLE.issue(name).chain_der, NOW)
        assert list(judge._above) == [MIDDLE.der]


def test_a_remembered_intermediate_expires_like_any_other() -> None:
    short = make_authority("Short", parent=ROOT, not_before=NOW, days=2)
    judge = judge_of(ROOT)
    judge.judge(short.issue("d1").chain_der, NOW + DAY)
    assert "no path" in refusal(judge, short.issue("d2").chain_der, NOW + 3 * DAY)


# Revocation.


def test_a_revoked_certificate_is_refused() -> None:
    other = ROOT.issue("d2")
    judge = judge_of(with_list(ROOT, LEAF.certificate))
    assert refusal(judge, LEAF.chain_der).startswith("revoked by its authority")
    judge.judge(other.chain_der, NOW)


def test_a_chain_is_in_doubt_when_its_authority_is_gone_or_one_of_its_numbers_was_revoked() -> None:
    found = judge_of(ROOT).judge(MIDDLE.issue("d1").chain_der, NOW)
    assert not judge_of(ROOT).puts_in_doubt(found.authority, found.serials)
    assert judge_of().puts_in_doubt(found.authority, found.serials)
    assert judge_of(with_list(ROOT, MIDDLE.certificate)).puts_in_doubt("a0", found.serials)
    name = found.authority
    assert not judge_of(with_list(ROOT, LEAF.certificate, name=name)).puts_in_doubt(name, found.serials)
    assert judge_of(with_list(ROOT, MIDDLE.certificate, name=name)).puts_in_doubt(name, found.serials)
    assert judge_of(TrustedAuthority(name, ROOT.der, b"junk")).puts_in_doubt(name, found.serials)


def test_a_revoked_intermediate_takes_all_below_with_it() -> None:
    judge = judge_of(with_list(ROOT, MIDDLE.certificate))
    assert "revoked" in refusal(judge, MIDDLE.issue("d1").chain_der)
    assert "revoked" in refusal(judge, LOW.issue("d1").chain_der)


def test_a_registered_intermediate_that_its_own_issuer_revoked_admits_nobody() -> None:
    judge = judge_of(TrustedAuthority("middle", MIDDLE.der), with_list(ROOT, MIDDLE.certificate, name="root"))
    assert judge.refused == {"middle": "revoked by its own issuer"}
    assert "revoked" in refusal(judge, MIDDLE.issue("d1").chain_der)


def test_a_list_says_nothing_of_another_authoritys_certificate_with_that_serial_number() -> None:
    other = make_authority("Other")
    twin = other.issue("d1", serial_number=LEAF.certificate.serial_number)
    judge = judge_of(with_list(ROOT, LEAF.certificate), other)
    judge.judge(twin.chain_der, NOW)
    namesake = make_authority("Root")  # same name, another key
    twin = namesake.issue("d1", serial_number=LEAF.certificate.serial_number)
    judge_of(with_list(ROOT, LEAF.certificate), namesake).judge(twin.chain_der, NOW)


def test_a_list_holds_for_every_certificate_of_the_same_authority() -> None:
    renewed = make_authority("Root", key=ROOT.key)
    judge = judge_of(TrustedAuthority("new", renewed.der), with_list(ROOT, LEAF.certificate, name="old"))
    assert "revoked" in refusal(judge, LEAF.chain_der)


def test_an_overdue_list_stops_the_devices_below_unless_the_policy_says_otherwise() -> None:
    registered = with_list(ROOT, this_update=NOW)
    judge = judge_of(registered)
    judge.judge(LEAF.chain_der, NOW + 1)
    for now in (NOW - 1, NOW + DAY):
        assert "not of this time" in refusal(judge, LEAF.chain_der, now)
    lax = CertificatePolicy(stale_revocation_lists=True)
    judge_of(registered, policy=lax).judge(LEAF.chain_der, NOW + DAY)
    revoking = with_list(ROOT, LEAF.certificate, this_update=NOW)
    assert "revoked" in refusal(judge_of(revoking, policy=lax), LEAF.chain_der, NOW + DAY)


def test_below_an_authority_whose_list_cannot_be_read_nobody_is_admitted() -> None:
    judge = judge_of(TrustedAuthority("a", ROOT.der, b"junk"))
    assert "not a well-formed revocation list" in judge.refused["a"]
    assert "cannot be read" in refusal(judge, LEAF.chain_der)


def test_nor_by_a_path_around_it() -> None:
    judge = judge_of(ROOT, TrustedAuthority("middle", MIDDLE.der, b"junk"))
    assert "cannot be read" in refusal(judge, MIDDLE.issue("d1").chain_der)
    renewed = make_authority("Middle", parent=ROOT, key=MIDDLE.key)
    assert "cannot be read" in refusal(judge, renewed.issue("d1").chain_der)
    judge.judge(LEAF.chain_der, NOW)
