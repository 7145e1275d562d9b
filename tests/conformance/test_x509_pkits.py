"""NIST PKITS against the judgement of chains.

The trust anchor is registered with its list, as an operator would. Where a case is about lists, so are the authorities
below it, for a hub takes lists with registered authorities only. Whatever must fail is refused, but for authorities
that have no list of their own.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import cryptography_vectors
import pytest
from cryptography import x509

from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.model import TrustedAuthority
from ironhub.identity.policy import DEFAULT_POLICY
from ironhub.identity.x509 import ChainJudge

DATA: Final = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
NOW: Final = datetime(2015, 6, 1, tzinfo=UTC).timestamp()
CASES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors" / "pkits_cases.json").read_text(encoding="utf-8")
)["cases"]

ABOUT_LISTS: Final = {
    "PkitsTest04BasicCertificateRevocationTests",
    "PkitsTest05VerifyingPathswithSelfIssuedCertificates",
    "PkitsTest07KeyUsage",
    "PkitsTest14DistributionPoints",
    "PkitsTest15DeltaCRLs",
}
TOLERATED: Final = {
    "Section4MissingCRLTest1",
    "Section4InvalidWrongCRLTest6",
    "Section4InvalidSeparateCertificateandCRLKeysTest20",
    "Section4InvalidSeparateCertificateandCRLKeysTest21",
    "Section5InvalidBasicSelfIssuedOldWithNewTest2",
    "Section14InvalidIDPwithindirectCRLTest26",
    "Section14InvalidcRLIssuerTest27",
    "Section14InvalidcRLIssuerTest31",
    "Section14InvalidcRLIssuerTest32",
}
"""The device's issuer has no list of its own, or one signed with another key, which cannot be registered with it. Lists
are optional: an operator who registers one hears at once whether it counts."""

REFUSED_GROUPS: Final = {
    "PkitsTest14DistributionPoints": "partial and indirect lists prove nothing about what is not in them",
    "PkitsTest15DeltaCRLs": "lists of changes prove nothing about what is not in them",
}
_EXPLICIT: Final = "no explicit policy"
REFUSED: Final = {
    "Section1ValidDSASignaturesTest4": "strong",
    "Section1ValidDSAParameterInheritanceTest5": "well-formed",
    "Section5ValidBasicSelfIssuedNewWithOldTest3": "cannot be read",
    "Section5ValidBasicSelfIssuedNewWithOldTest4": "cannot be read",
    "Section5ValidBasicSelfIssuedCRLSigningKeyTest6": "cannot be read",
    "Section6ValidpathLenConstraintTest8": "an authority's",
    "Section6ValidpathLenConstraintTest14": "an authority's",
    "Section8OverlappingPoliciesTest6Subpart1": "an authority's",
    "Section13ValidDNnameConstraintsTest14": "no common name",
}
"""Refused although the case may be accepted, and how the reason begins: DSA is gone, a list must be signed with its
authority's own key, a device is no authority, and it has a common name."""


def judged(case: dict[str, Any]) -> str:
    """Return "" when the path is admitted, else why not."""
    certificates = [(DATA / "certs" / f"{name}.crt").read_bytes() for name in case["certs"]]
    lists = [(DATA / "crls" / f"{name}.crl").read_bytes() for name in case["crls"]]
    judge = ChainJudge(registered(case, certificates, lists), DEFAULT_POLICY)
    device, *above = reversed(certificates[1:])
    try:
        judge.judge([device, *above], NOW)
    except CertificateRejected as error:
        return error.detail
    return ""


def registered(case: dict[str, Any], certificates: list[bytes], lists: list[bytes]) -> list[TrustedAuthority]:
    """Each authority with the lists it signed; what bears an authority's name and nobody signed goes to the last."""
    authorities = certificates[:-1] if case["group"] in ABOUT_LISTS else certificates[:1]
    found = [(one, crl) for one in authorities for crl in lists if has_signed(one, crl)]
    for crl in lists if case["group"] in ABOUT_LISTS else []:
        if not any(used == crl for _, used in found) and not any(one == authorities[-1] for one, _ in found):
            found.append((authorities[-1], crl))
    names = enumerate(authorities)
    return [TrustedAuthority(f"{place}", one) for place, one in names] + [
        TrustedAuthority(f"list {number}", one, crl) for number, (one, crl) in enumerate(found)
    ]


def has_signed(authority: bytes, crl: bytes) -> bool:
    try:
        loaded, issuer = x509.load_der_x509_crl(crl), x509.load_der_x509_certificate(authority)
        return loaded.issuer == issuer.subject and loaded.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except ValueError:
        return False


@pytest.mark.parametrize("case", [case for case in CASES if not case["ok"]], ids=lambda case: case["name"])
def test_what_must_fail_is_refused(case: dict[str, Any]) -> None:
    assert (judged(case) == "") == (case["name"] in TOLERATED)


@pytest.mark.parametrize("case", [case for case in CASES if case["ok"]], ids=lambda case: case["name"])
def test_what_may_pass_is_admitted_or_refused_for_a_reason(case: dict[str, Any]) -> None:
    reason = judged(case)
    if case["name"] in REFUSED:
        assert REFUSED[case["name"]] in reason
    elif case["group"] in REFUSED_GROUPS:
        assert reason == "" or "list" in reason or "revoked" in reason or "an authority's" in reason
    else:
        # The hub asks for no policies, so nothing is explicit, and an authority that insists on it admits nobody.
        assert reason == "" or _EXPLICIT in reason


def test_every_exception_is_a_case_and_most_pass() -> None:
    names = {case["name"] for case in CASES}
    assert {*TOLERATED, *REFUSED} <= names
    assert len(CASES) == 212
    valid = [case for case in CASES if case["ok"]]
    assert sum(judged(case) == "" for case in valid) >= 54
