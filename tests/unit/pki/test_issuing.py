import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store
from tests.fakes.clock import FakeEntropy
from tests.fakes.pki import make_key

from ironhub.core.errors import CorruptStore, InvalidArgument
from ironhub.pki.issuing import (
    AUTHORITY_LIFE,
    BACKDATED,
    DAY,
    SERVER_LIFE,
    KeyPair,
    begins_at,
    belong_together,
    covers_names,
    ends_at,
    issue_server_certificate,
    make_authority,
    needs_renewal,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
NAMES = ["localhost", "hub.Example", "127.0.0.1", "::1"]
AUTHORITY = make_authority(now=NOW, entropy=FakeEntropy())
SERVER = issue_server_certificate(AUTHORITY, NAMES, now=NOW, entropy=FakeEntropy("server"))


def load(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate)


def test_the_hubs_authority_issues_right_below_it_for_ten_years() -> None:
    certificate = load(AUTHORITY)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    assert certificate.not_valid_before_utc.timestamp() == NOW - BACKDATED
    assert certificate.not_valid_after_utc.timestamp() == NOW + AUTHORITY_LIFE
    certificate.verify_directly_issued_by(certificate)


def test_every_hub_has_an_authority_of_its_own_name() -> None:
    names = {load(make_authority(now=NOW, entropy=FakeEntropy(seed))).subject for seed in ("a", "b")}
    assert len(names) == 2


def test_a_server_certificate_answers_under_every_name() -> None:
    verifier = PolicyBuilder().store(Store([load(AUTHORITY)])).time(datetime.fromtimestamp(NOW, UTC))
    for name in ("localhost", "hub.example"):
        verifier.build_server_verifier(x509.DNSName(name)).verify(load(SERVER), [])
    for address in ("127.0.0.1", "::1"):
        verifier.build_server_verifier(x509.IPAddress(ipaddress.ip_address(address))).verify(load(SERVER), [])


def test_a_server_certificate_is_for_servers_only() -> None:
    certificate = load(SERVER)
    extensions = certificate.extensions
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert key == load_pem_private_key(SERVER.key, None).public_key()


def test_serial_numbers_are_positive_and_differ() -> None:
    entropy = FakeEntropy()
    serials = {
        load(issue_server_certificate(AUTHORITY, NAMES, now=NOW, entropy=entropy)).serial_number for _ in range(3)
    }
    assert len(serials) == 3
    assert all(0 < serial < 1 << 159 for serial in serials)


def test_a_server_certificate_does_not_outlive_its_authority() -> None:
    assert ends_at(SERVER.certificate) == NOW + SERVER_LIFE
    assert NOW - 86_400 <= begins_at(SERVER.certificate) <= NOW
    late = NOW + AUTHORITY_LIFE - 10 * DAY
    pair = issue_server_certificate(AUTHORITY, NAMES, now=late, entropy=FakeEntropy())
    assert ends_at(pair.certificate) == NOW + AUTHORITY_LIFE


def test_the_subject_is_the_first_name_that_fits() -> None:
    for names, subject in ((["a" * 65 + ".example", "b.example"], "b.example"), (["a" * 65 + ".example"], "Ironhub")):
        pair = issue_server_certificate(AUTHORITY, names, now=NOW, entropy=FakeEntropy())
        assert load(pair).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == subject


@pytest.mark.parametrize("names", [[], [""], ["a b"], ["hüb.example"], ["hub.example:443"], ["[::1]"], ["*.example"]])
def test_what_is_no_name_is_refused(names: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        issue_server_certificate(AUTHORITY, names, now=NOW, entropy=FakeEntropy())


def test_a_certificate_is_renewed_when_a_third_of_its_life_is_left() -> None:
    life = SERVER_LIFE + BACKDATED
    due = NOW + SERVER_LIFE - life / 3
    assert not needs_renewal(SERVER.certificate, NOW)
    assert not needs_renewal(SERVER.certificate, due - 1)
    assert needs_renewal(SERVER.certificate, due)
    assert needs_renewal(SERVER.certificate, NOW + SERVER_LIFE + DAY)


def test_a_clock_that_was_put_back_renews_nothing() -> None:
    assert not needs_renewal(SERVER.certificate, 0.0)


def test_a_name_that_was_added_is_not_covered() -> None:
    assert covers_names(SERVER.certificate, NAMES)
    assert covers_names(SERVER.certificate, ["HUB.example", "0:0:0:0:0:0:0:1"])
    assert not covers_names(SERVER.certificate, [*NAMES, "plant.example"])
    assert not covers_names(AUTHORITY.certificate, NAMES)


def test_a_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(AUTHORITY)


def test_what_is_not_a_pair_is_told_apart() -> None:
    other = make_authority(now=NOW, entropy=FakeEntropy())
    rsa = make_key("rsa").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pair in (
        KeyPair(b"junk", AUTHORITY.key),
        KeyPair(AUTHORITY.certificate, b"junk"),
        KeyPair(AUTHORITY.certificate, other.key),
        KeyPair(AUTHORITY.certificate, rsa),
    ):
        with pytest.raises(CorruptStore):
            issue_server_certificate(pair, NAMES, now=NOW, entropy=FakeEntropy())


def test_a_certificate_and_its_key_belong_together() -> None:
    assert belong_together(SERVER)
    assert not belong_together(KeyPair(SERVER.certificate, AUTHORITY.key))
    assert not belong_together(KeyPair(b"", SERVER.key))
    assert not belong_together(KeyPair(SERVER.certificate, b"no key"))
