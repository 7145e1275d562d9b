"""x509-limbo against the judgement of chains: what must fail is refused, or tolerated for a reason that stands here.

Server cases are run too, with the extended key usage of servers in the policy: a path is a path.
"""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509

from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.model import TrustedAuthority
from ironhub.identity.policy import ANY_USAGE, DEFAULT_POLICY, CertificatePolicy
from ironhub.identity.x509 import ChainJudge

CASES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors" / "limbo_subset.json").read_text(encoding="utf-8")
)["cases"]
SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
STRICT: Final = replace(DEFAULT_POLICY, strict_profile=True)

_IDENTIFIERS = "key identifiers help to find a path and decide nothing; the tools of device makers often leave them out"
_CRITICAL = "we check the extension whether it is critical or not, so its flag decides nothing"
TOLERATED: Final = {
    "rfc5280::aki::leaf-missing-aki": _IDENTIFIERS,
    "rfc5280::aki::intermediate-missing-aki": _IDENTIFIERS,
    "rfc5280::aki::cross-signed-root-missing-aki": _IDENTIFIERS,
    "rfc5280::ski::root-missing-ski": _IDENTIFIERS,
    "rfc5280::ski::intermediate-missing-ski": _IDENTIFIERS,
    "rfc5280::nc::permitted-dns-match-noncritical": _CRITICAL,
    "rfc5280::pc::ica-noncritical-pc": _CRITICAL,
    "rfc5280::root-non-critical-basic-constraints": _CRITICAL,
    "rfc5280::nc::invalid-dnsname-leading-period": "common in the field, and read as the narrower of its two meanings",
    "rfc5280::san::underscore-dns": "alternative names decide nothing here unless an authority constrains them",
    "rfc5280::serial::too-long": "20 random bytes with the first bit set make 21: a common slip of small authorities",
    "rfc5280::ca-empty-subject": "an operator registered this very authority; its name decides nothing",
}
"""Accepted by default; refused by the strict profile."""

_OWN_AUTHORITY = "a device may not use a certificate that is an authority's"
_ONE_PATH = "one path is followed per authority, so that a chain costs no more signatures than it is long"
REFUSED: Final = {
    "cve::cve-2024-0567": "the device's certificate has no common name, so it names no device",
    "pathlen::validation-ignores-pathlen-in-leaf": _OWN_AUTHORITY,
    "rfc5280::ca-as-leaf": _OWN_AUTHORITY,
    "rfc5280::nc::nc-forbids-alternate-chain-ica": _ONE_PATH,
    "rfc5280::nc::nc-forbids-same-chain-ica": _ONE_PATH,
    "pathlen::max-chain-depth-1-self-issued": "an authority that issued to itself counts like any other",
    "webpki::nc::nc-permits-dns-san-pattern": "below constraints on names, a wildcard may stand for an excluded one",
}
"""Refused although the case says it may be accepted."""


COSTLY: Final = [case for case in CASES if case["id"].startswith("pathological::")]


def expecting(verdict: str) -> list[dict[str, Any]]:
    return [case for case in CASES if case["expected"] == verdict]


def name_of(case: dict[str, Any]) -> str:
    return str(case["id"])


def is_admitted(case: dict[str, Any], policy: CertificatePolicy) -> bool:
    if case["kind"] == "SERVER":
        policy = replace(policy, usages=frozenset({SERVER_AUTH, ANY_USAGE}))
    if case["max_intermediates"] is not None:
        policy = replace(policy, max_intermediates=case["max_intermediates"])
    judge = ChainJudge(authorities(case), policy)
    try:
        judge.judge([der(pem) for pem in case["chain"]], moment(case))
    except CertificateRejected:
        return False
    return True


def authorities(case: dict[str, Any]) -> list[TrustedAuthority]:
    """The trusted certificates, each with the list that bears its name, as operators register them."""
    lists = {x509.load_der_x509_crl(der(pem)).issuer: der(pem) for pem in case["crls"]}
    trusted = [der(pem) for pem in case["trusted"]]
    return [
        TrustedAuthority(str(place), one, lists.get(x509.load_der_x509_certificate(one).subject) if lists else None)
        for place, one in enumerate(trusted)
    ]


def der(pem: str) -> bytes:
    return base64.b64decode(re.sub(r"-----[^-]+-----|\s", "", pem))


def moment(case: dict[str, Any]) -> float:
    default = datetime(2024, 6, 1, tzinfo=UTC)
    return (datetime.fromisoformat(case["time"]) if case["time"] else default).timestamp()


@pytest.mark.parametrize("case", expecting("FAILURE"), ids=name_of)
def test_what_must_fail_is_refused_or_tolerated_for_a_reason(case: dict[str, Any]) -> None:
    assert is_admitted(case, DEFAULT_POLICY) == (case["id"] in TOLERATED)
    assert not is_admitted(case, STRICT)


@pytest.mark.parametrize("case", expecting("SUCCESS"), ids=name_of)
def test_what_may_pass_is_admitted_or_refused_for_a_reason(case: dict[str, Any]) -> None:
    assert is_admitted(case, DEFAULT_POLICY) == (case["id"] not in REFUSED)


def test_every_exception_is_a_case() -> None:
    assert {*TOLERATED, *REFUSED} <= {case["id"] for case in CASES}
    assert len(CASES) == 154


@pytest.mark.parametrize("case", COSTLY, ids=name_of)
def test_what_is_built_to_cost_much_is_refused_also_without_our_bounds(case: dict[str, Any]) -> None:
    wide = replace(DEFAULT_POLICY, max_sent=1000, max_certificate=1_000_000, max_intermediates=1000)
    assert is_admitted(case, wide) == (case["expected"] == "SUCCESS")
