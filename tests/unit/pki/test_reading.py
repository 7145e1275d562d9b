import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.fakes.pki import make_authority

from ironhub.identity.policy import DEFAULT_POLICY
from ironhub.pki.model import CertificateRefused
from ironhub.pki.reading import read_certificate, read_revocation_list

ROOT = make_authority("Root")


@pytest.mark.parametrize("content", [ROOT.der, ROOT.pem, b"a line of text\n" + ROOT.pem + b"\n"])
def test_a_certificate_is_read_from_pem_and_der(content: bytes) -> None:
    der, certificate = read_certificate(content, DEFAULT_POLICY)
    assert der == ROOT.der
    assert certificate == ROOT.certificate


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a well-formed certificate"),
        (b"junk", "not a well-formed certificate"),
        (ROOT.pem + ROOT.pem, "holds 2 certificates"),
        (ROOT.key_pem, "holds no certificate"),
        (ROOT.pem[:-40], "holds no certificate"),
        (ROOT.revocation_list(), "holds no certificate"),
    ],
)
def test_anything_but_one_certificate_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(CertificateRefused, match=says):
        read_certificate(content, DEFAULT_POLICY)


def test_a_revocation_list_is_read_from_pem_and_der() -> None:
    pem = ROOT.revocation_list()
    der = x509.load_pem_x509_crl(pem).public_bytes(Encoding.DER)
    assert read_revocation_list(pem) == read_revocation_list(der) == der


def test_a_pem_file_of_something_else_is_no_revocation_list() -> None:
    for content in (ROOT.pem, ROOT.revocation_list()[:-60]):
        with pytest.raises(CertificateRefused, match="no revocation list"):
            read_revocation_list(content)
