from ironhub.pki.model import (
    Authority,
    AuthorityEtagMismatch,
    AuthorityExists,
    AuthorityNotFound,
    CertificateRefused,
)


def test_a_new_authority_admits_nobody_and_revokes_nothing() -> None:
    authority = Authority("plant", b"", "CODE", 0.0, "e")
    assert not authority.verified
    assert authority.revocation_list is None


def test_errors_keep_their_codes() -> None:
    errors = (AuthorityNotFound, AuthorityExists, AuthorityEtagMismatch, CertificateRefused)
    assert [(error.code, error.status) for error in errors] == [
        ("authority.not_found", 404),
        ("authority.exists", 409),
        ("authority.etag_mismatch", 412),
        ("authority.certificate_refused", 400),
    ]
