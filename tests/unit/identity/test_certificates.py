from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.fakes.old_certificates import ECDSA_SHA256, tlv, version_1_certificate
from tests.fakes.pki import SERVER_AUTH, make_authority, make_key, self_signed

from ironhub.identity.certificates import (
    CertificateRejected,
    check_authority,
    check_device,
    check_key,
    check_plain_names,
    common_name,
    constrains_names,
    is_valid_at,
    parse_certificate,
    sha256_thumbprint,
    was_issued_by,
)
from ironhub.identity.policy import DEFAULT_POLICY, CertificatePolicy

ROOT = make_authority("Root")


def build(
    *extensions: x509.ExtensionType,
    key: ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | ed448.Ed448PrivateKey | None = None,
    names: tuple[str, ...] = ("d1",),
    digest: hashes.SHA256 | hashes.SHA384 | None = None,
    issuer: str | None = None,
    serial_number: int = 7,
    critical: bool = True,
) -> x509.Certificate:
    """A certificate with just these extensions and common names, signed by itself."""
    private = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    above = subject if issuer is None else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(above).serial_number(serial_number)
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2119, 1, 1, tzinfo=UTC)
    )
    builder = builder.public_key(private.public_key())
    for extension in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(private, None if isinstance(private, ed448.Ed448PrivateKey) else digest or hashes.SHA256())


def usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    )
    flags = dict.fromkeys([*names.split(), "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(**(flags | wanted))


CA = x509.BasicConstraints(ca=True, path_length=None)


def refusal(check: object, certificate: x509.Certificate, policy: CertificatePolicy = DEFAULT_POLICY) -> str:
    assert callable(check)
    with pytest.raises(CertificateRejected) as caught:
        check(certificate, policy)
    assert str(caught.value) == "the certificate was not accepted"
    return caught.value.detail


def test_a_good_certificate_is_read() -> None:
    device = ROOT.issue("d1")
    assert common_name(parse_certificate(device.der, DEFAULT_POLICY)) == "d1"
    assert sha256_thumbprint(device.der) == device.sha256_thumbprint


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x80", ROOT.der + b"\x00", ROOT.der[:-1], ROOT.pem])
def test_what_is_not_a_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(CertificateRejected) as caught:
        parse_certificate(der, DEFAULT_POLICY)
    assert "not a well-formed certificate" in caught.value.detail


def test_a_name_of_a_kind_the_parser_does_not_know_is_refused() -> None:
    der = ROOT.issue("d1", names=["abc.example"]).der
    with pytest.raises(CertificateRejected) as caught:
        parse_certificate(der.replace(b"\x82\x0babc.example", b"\xa5\x0babc.example"), DEFAULT_POLICY)
    assert "not a well-formed certificate" in caught.value.detail


def test_a_certificate_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(CertificateRejected) as caught:
        parse_certificate(b"\x00" * 16_385, DEFAULT_POLICY)
    assert caught.value.detail == "a certificate of 16385 bytes"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("serial", [b"\x00", b"\x80"])
def test_a_serial_number_that_is_not_positive_is_refused(serial: bytes) -> None:
    der = build().public_bytes(Encoding.DER).replace(b"\x02\x01\x07", b"\x02\x01" + serial, 1)
    with pytest.raises(CertificateRejected) as caught:
        parse_certificate(der, DEFAULT_POLICY)
    assert caught.value.detail == "a serial number that is not positive"


def test_a_certificate_has_exactly_one_common_name() -> None:
    assert common_name(build(names=("d1",))) == "d1"
    assert common_name(build(names=())) is None
    assert common_name(build(names=("d1", "d2"))) is None
    assert common_name(build(names=("d1", "d1"))) is None


def test_a_common_name_is_taken_as_it_stands() -> None:
    for name in ("d1\x00x", "*", "D1", " d1", "d1/m1"):
        assert common_name(build(names=(name,))) == name


def test_a_common_name_that_is_no_text_is_none() -> None:
    bits = x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x01", x509.name._ASN1Type.BitString)
    assert bits.value == b"\x01"
    broken = build(names=("abcd",))
    der = broken.public_bytes(Encoding.DER).replace(b"\x0c\x04abcd", b"\x0c\x04ab\xff\xfe")
    assert common_name(x509.load_der_x509_certificate(der)) is None


@pytest.mark.parametrize("kind", ["ec", "ec384", "rsa", "ed25519"])
def test_strong_keys_are_good(kind: str) -> None:
    check_key(self_signed("d1", key=kind).certificate, DEFAULT_POLICY)


def test_weak_and_unusual_keys_are_refused() -> None:
    assert "RSAPublicKey 1024" in refusal(check_key, self_signed("d1", key="rsa1024").certificate)
    assert "secp256k1" in refusal(check_key, build(key=ec.generate_private_key(ec.SECP256K1())))
    assert "Ed448" in refusal(check_key, build(key=ed448.Ed448PrivateKey.generate()))
    assert "DSA" in refusal(check_key, build(key=dsa.generate_private_key(2048)))
    long = CertificatePolicy(max_rsa=1024, min_rsa=512)
    assert "RSAPublicKey 2048" in refusal(check_key, self_signed("d1", key="rsa").certificate, long)


def test_a_policy_may_take_weaker_keys() -> None:
    check_key(self_signed("d1", key="rsa1024").certificate, CertificatePolicy(min_rsa=1024))


def test_a_key_that_cannot_be_read_is_refused() -> None:
    der = build().public_bytes(Encoding.DER).replace(b"\x2b\x81\x04\x00", b"\x2b\x81\x04\x7f")
    curve = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    der = der.replace(curve, b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x7f")
    assert "unknown kind" in refusal(check_key, x509.load_der_x509_certificate(der))


def test_a_devices_certificate_as_it_should_be() -> None:
    for certificate in (ROOT.issue("d1").certificate, ROOT.issue("d1", usages=()).certificate, build()):
        check_device(certificate, DEFAULT_POLICY)


def test_a_certificate_made_for_servers_only_is_refused() -> None:
    certificate = ROOT.issue("d1", usages=(SERVER_AUTH,)).certificate
    assert "extended key usage" in refusal(check_device, certificate)
    check_device(certificate, CertificatePolicy(usages=frozenset({SERVER_AUTH.dotted_string})))


def test_an_authoritys_certificate_is_no_devices() -> None:
    assert "an authority's" in refusal(check_device, ROOT.certificate)
    check_device(ROOT.certificate, CertificatePolicy(authority_as_device=True))


def test_a_device_signs_and_issues_nothing() -> None:
    assert "digitalSignature" in refusal(check_device, build(usage(key_encipherment=True)))
    assert "digitalSignature" in refusal(check_device, build(usage(digital_signature=True, key_cert_sign=True)))
    check_device(build(usage(digital_signature=True)), DEFAULT_POLICY)


def test_a_device_constrains_no_names() -> None:
    constraints = x509.NameConstraints([x509.DNSName("a.example")], None)
    assert "name constraints" in refusal(check_device, build(constraints))


def test_a_weak_hash_is_refused_unless_the_policy_takes_it() -> None:
    certificate = build(digest=hashes.SHA384())
    check_device(certificate, DEFAULT_POLICY)
    assert "hash" in refusal(check_device, certificate, CertificatePolicy(hashes=frozenset({"sha256"})))


def test_ed25519_needs_no_hash() -> None:
    check_device(self_signed("d1", key="ed25519").certificate, CertificatePolicy(hashes=frozenset()))


def test_a_signature_of_an_unknown_kind_is_refused() -> None:
    ecdsa_sha256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
    der = build().public_bytes(Encoding.DER).replace(ecdsa_sha256, ecdsa_sha256[:-1] + b"\x7f")
    assert "signature of an unknown kind" in refusal(check_device, x509.load_der_x509_certificate(der))


def test_an_authority_as_it_should_be() -> None:
    check_authority(ROOT.certificate, DEFAULT_POLICY)
    check_authority(build(CA), DEFAULT_POLICY)


def test_what_may_not_issue_is_no_authority() -> None:
    assert "CA:TRUE" in refusal(check_authority, build())
    assert "CA:TRUE" in refusal(check_authority, build(x509.BasicConstraints(ca=False, path_length=None)))
    assert "keyCertSign" in refusal(check_authority, build(CA, usage(crl_sign=True)))
    assert "extended key usage" in refusal(check_authority, build(CA, x509.ExtendedKeyUsage([SERVER_AUTH])))
    assert "strong" in refusal(check_authority, make_authority("weak", key=make_key("rsa1024")).certificate)


def test_the_dates_of_a_certificate_are_included_to_the_last_fraction() -> None:
    certificate = build()
    begin, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    assert [is_valid_at(certificate, now) for now in (begin - 0.5, begin, end, end + 0.9, end + 1)] == [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["a", "a.example", "A-1.b2.example", "1.example"])
def test_plain_host_names_can_be_held_against_constraints(name: str) -> None:
    check_plain_names(build(x509.SubjectAlternativeName([x509.DNSName(name)])))


@pytest.mark.parametrize("name", ["", "*", "*.example", "a.*", ".example", "a..b", "a_b.example", "-a.example", "a b"])
def test_other_host_names_cannot(name: str) -> None:
    with pytest.raises(CertificateRejected):
        check_plain_names(build(x509.SubjectAlternativeName([x509.DNSName(name)])))


def test_mail_addresses_are_held_against_constraints_too() -> None:
    check_plain_names(build(x509.SubjectAlternativeName([x509.RFC822Name("*@a.example")])))
    for name in ("a.example", "a@b_c.example", "a@.example"):
        with pytest.raises(CertificateRejected):
            check_plain_names(build(x509.SubjectAlternativeName([x509.RFC822Name(name)])))


def test_names_of_other_kinds_are_left_to_the_path_check() -> None:
    check_plain_names(build())
    check_plain_names(build(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:x")])))


def test_an_authority_may_constrain_names() -> None:
    assert constrains_names(build(x509.NameConstraints([x509.DNSName("a.example")], None)))
    assert not constrains_names(build())


def test_the_strict_profile_holds_authorities_to_rfc_5280() -> None:
    strict = CertificatePolicy(strict_profile=True)
    check_authority(ROOT.certificate, strict)
    assert "BasicConstraints of an issuer is not critical" in refusal(
        check_authority, build(CA, critical=False), strict
    )
    period = x509.NameConstraints(None, [x509.DNSName(".example")])
    assert "begins with a period" in refusal(check_authority, build(CA, period), strict)
    check_authority(build(CA, x509.NameConstraints([x509.DNSName("example")], None)), strict)
    below = make_authority("Below", parent=ROOT).certificate
    check_authority(below, strict)
    assert "its own issuer's key" in refusal(check_authority, build(CA, issuer="Other"), strict)
    long = build(CA, serial_number=1 << 158)
    check_authority(long, strict)


def test_the_strict_profile_refuses_long_serial_numbers() -> None:
    der = build(CA, serial_number=(1 << 159) - 1).public_bytes(Encoding.DER)
    grown = tlv(0x30, grow(der))
    certificate = x509.load_der_x509_certificate(grown)
    assert certificate.serial_number.bit_length() == 160
    check_authority(certificate, DEFAULT_POLICY)
    assert "more than 20 bytes" in refusal(check_authority, certificate, CertificatePolicy(strict_profile=True))


def grow(der: bytes) -> bytes:
    """The content of a certificate whose serial number of 20 bytes 7f ff… becomes one of 21 bytes; the seal breaks."""
    certificate = x509.load_der_x509_certificate(der)
    body = certificate.tbs_certificate_bytes
    header = 2 if body[1] < 0x80 else 2 + (body[1] & 0x7F)
    content = body[header:].replace(b"\x02\x14\x7f", b"\x02\x15\x00\xff", 1)
    return tlv(0x30, content) + ECDSA_SHA256 + tlv(0x03, b"\x00", certificate.signature)


def test_a_version_1_certificate_is_refused_unless_the_policy_takes_it() -> None:
    certificate = x509.load_der_x509_certificate(version_1_certificate("d1", ROOT))
    assert certificate.version is x509.Version.v1
    assert "v1" in refusal(check_device, certificate)
    old = CertificatePolicy(version_1=True)
    check_device(certificate, old)
    assert "CA:TRUE" in refusal(check_authority, certificate, old)


def test_who_issued_a_certificate_is_told_by_name_and_signature() -> None:
    middle = make_authority("Middle", parent=ROOT)
    assert was_issued_by(middle.certificate, ROOT.certificate)
    assert not was_issued_by(middle.certificate, make_authority("Root").certificate)
    assert not was_issued_by(ROOT.certificate, middle.certificate)
