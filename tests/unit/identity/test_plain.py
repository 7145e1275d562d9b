from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes.odd_certificates import (
    compressed_key,
    explicit_key,
    extension,
    name,
    odd_certificate,
    public_key,
)
from tests.fakes.old_certificates import tlv, version_1_certificate
from tests.fakes.pki import FakeAuthority, make_authority, make_key

from ironhub.identity.plain import (
    PlainAuthority,
    PlainDevice,
    has_signed,
    may_have_issued,
    read_plain_authority,
    read_plain_device,
)

ROOT = make_authority("Root")
BASIC_CONSTRAINTS, KEY_USAGE, ALTERNATIVE_NAMES = "551d13", "551d0f", "551d11"
OWN_KEY, ISSUERS_KEY, NAME_CONSTRAINTS, POLICIES = "551d0e", "551d23", "551d1e", "551d20"
SHA384 = bytes.fromhex("300a06082a8648ce3d040303")
VISIBLE_STRING, PRINTABLE_STRING = 0x1A, 0x13


def authority_of(authority: FakeAuthority) -> PlainAuthority | None:
    return read_plain_authority(authority.der, authority.certificate)


def device_of(der: bytes) -> PlainDevice | None:
    return read_plain_device(der, x509.load_der_x509_certificate(der))


def agree(authority: FakeAuthority, der: bytes, common_name: str = "d1") -> bool:
    above, below = authority_of(authority), device_of(der)
    assert above is not None
    assert below is not None
    return may_have_issued(above, below, common_name)


@pytest.mark.parametrize("kind", ["ec", "ec384"])
@pytest.mark.parametrize("names", [(), ("d1.example", "192.0.2.1")])
def test_an_ordinary_certificate_is_plain_and_its_authority_is_known_by_its_signature(
    kind: str, names: tuple[str, ...]
) -> None:
    root = make_authority("Root", key=kind)
    der = root.issue("d1", key=kind, names=names).der
    assert agree(root, der)
    above, below = authority_of(root), device_of(der)
    assert above is not None
    assert below is not None
    assert above.subject == below.issuer == root.certificate.subject.public_bytes()
    assert below.signed == x509.load_der_x509_certificate(der).tbs_certificate_bytes
    assert has_signed(above, below)
    assert not has_signed(above, below._replace(signed=below.signed[:-1] + bytes((below.signed[-1] ^ 1,))))


def test_so_is_one_that_says_next_to_nothing() -> None:
    assert agree(ROOT, odd_certificate(ROOT))
    assert agree(ROOT, odd_certificate(ROOT, subject=name("d1", PRINTABLE_STRING)))
    assert agree(ROOT, odd_certificate(ROOT, extensions=(extension(ISSUERS_KEY, tlv(0x30)),)))


@pytest.mark.parametrize(
    "odd",
    [
        extension(BASIC_CONSTRAINTS, bytes.fromhex("30030101ff"), critical=True),
        extension(OWN_KEY, tlv(0x04, b"x" * 20), critical=True),
        extension(ISSUERS_KEY, tlv(0x30, tlv(0x80, b"x" * 20)), critical=True),
        extension(ISSUERS_KEY, tlv(0x30, tlv(0xA1, tlv(0xA4, name("Root"))), tlv(0x82, b"\x01"))),
        extension(ALTERNATIVE_NAMES, tlv(0x30, tlv(0xA4, name("d1")))),
        extension(NAME_CONSTRAINTS, tlv(0x30, tlv(0xA0, tlv(0x30, tlv(0x82, b"d1.example"))))),
        extension(POLICIES, tlv(0x30, tlv(0x30, bytes.fromhex("06022a03")))),
        extension("2a03", b"unknown"),
        extension("2a03", b"unknown", critical=True),
    ],
)
def test_what_an_extension_could_forbid_is_left_to_others(odd: bytes) -> None:
    usage = extension(KEY_USAGE, bytes.fromhex("03020780"), critical=True)
    assert device_of(odd_certificate(ROOT, extensions=(usage,))) is not None
    assert device_of(odd_certificate(ROOT, extensions=(usage, odd))) is None


@pytest.mark.parametrize(
    "odd",
    [
        odd_certificate(ROOT, key=explicit_key()),
        odd_certificate(ROOT, key=compressed_key()),
        odd_certificate(ROOT, key=public_key(ec.generate_private_key(ec.SECP256K1()))),
        odd_certificate(ROOT, key=public_key(make_key("ed25519"))),
        odd_certificate(ROOT, key=public_key(make_key("rsa"))),
        odd_certificate(ROOT, outer_algorithm=SHA384),
        odd_certificate(ROOT, more=(tlv(0x81, b"\x00\x01"),)),
        odd_certificate(ROOT, subject=name("d1", VISIBLE_STRING)),
        odd_certificate(ROOT, unused_bits=1),
        version_1_certificate("d1", ROOT),
        make_authority("RSA", key="rsa").issue("d1").der,
    ],
)
def test_what_is_written_in_another_way_is_left_to_others(odd: bytes) -> None:
    assert device_of(odd) is None


def test_an_authority_that_constrains_or_is_odd_is_not_plain() -> None:
    constraints = x509.NameConstraints([x509.DNSName("d1.example")], None)
    assert authority_of(with_extension(constraints)) is None
    assert authority_of(with_extension(x509.PolicyConstraints(0, None))) is None
    assert authority_of(with_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""))) is None
    assert authority_of(with_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]))) is not None
    for kind in ("rsa", "ed25519"):
        assert authority_of(make_authority("Root", key=kind)) is None
    assert authority_of(make_authority("K", key=ec.generate_private_key(ec.SECP256K1()))) is None


def with_extension(extra: x509.ExtensionType) -> FakeAuthority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name.from_rfc4514_string("CN=Root")
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1)
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).public_key(key.public_key())
    builder = builder.not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return FakeAuthority(builder.add_extension(extra, critical=False).sign(key, hashes.SHA256()), key)


def test_authority_and_device_name_each_other() -> None:
    other = make_authority("Other")
    assert not agree(other, ROOT.issue("d1").der)
    namesake = make_authority("Root")  # its key has another identifier
    assert not agree(namesake, ROOT.issue("d1").der)
    nameless = odd_certificate(ROOT)  # does not say by which key
    assert agree(namesake, nameless)
    above, below = authority_of(namesake), device_of(nameless)
    assert above is not None
    assert below is not None
    assert not has_signed(above, below)


@pytest.mark.parametrize("common_name", ["Root", "ROOT", " r o o t "])
def test_a_device_that_may_bear_its_authoritys_name_is_left_to_others(common_name: str) -> None:
    assert not agree(ROOT, ROOT.issue(common_name).der, common_name)


def test_an_authority_without_an_identifier_is_known_by_its_name() -> None:
    bare = with_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]))
    found = authority_of(bare)
    assert found is not None
    assert found.identifier is None
    assert agree(bare, bare.issue("d1").der)


def test_an_authority_with_an_identifier_of_its_issuers_key_is_plain() -> None:
    below = make_authority("Below", parent=ROOT)
    assert agree(below, below.issue("d1").der)
