"""Whatever comes as a chain is admitted unchanged or refused, never anything else."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.pki import make_authority

from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.model import Thumbprints, TrustedAuthority
from ironhub.identity.policy import DEFAULT_POLICY
from ironhub.identity.x509 import AdmittedChain, ChainJudge, match_thumbprints

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
ROOT = make_authority("Root")
MIDDLE = make_authority("Middle", parent=ROOT)
CHAIN = MIDDLE.issue("d1", names=["d1.example", "192.0.2.1"]).chain_der
JUDGE = ChainJudge([TrustedAuthority("root", ROOT.der)], DEFAULT_POLICY)
GOOD = JUDGE.judge(CHAIN, NOW)

few = settings(max_examples=200)


def admitted(*chain: bytes) -> AdmittedChain | None:
    try:
        return JUDGE.judge(chain, NOW)
    except CertificateRejected:
        return None


@few
@given(chain=st.lists(st.binary(max_size=200) | st.sampled_from([*CHAIN, ROOT.der]), max_size=5))
def test_any_bytes_are_refused_unless_the_chain_is_among_them(chain: list[bytes]) -> None:
    expected = (None, GOOD) if chain[:1] == [CHAIN[0]] and CHAIN[1] in chain else (None,)
    assert admitted(*chain) in expected


@few
@given(which=st.integers(0, 1), place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_no_changed_byte_is_admitted(which: int, place: float, byte: int) -> None:
    original = CHAIN[which]
    at = int(place * len(original))
    changed = original[:at] + bytes([byte]) + original[at + 1 :]
    chain = [*CHAIN]
    chain[which] = changed
    assert admitted(*chain) == (GOOD if changed == original else None)


@few
@given(which=st.integers(0, 1), cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)), extra=st.binary(max_size=8))
def test_nothing_cut_out_or_put_in_is_admitted(which: int, cuts: tuple[float, float], extra: bytes) -> None:
    original = CHAIN[which]
    begin, end = sorted(int(cut * len(original)) for cut in cuts)
    changed = original[:begin] + extra + original[end:]
    chain = [*CHAIN]
    chain[which] = changed
    assert admitted(*chain) == (GOOD if changed == original else None)


@few
@given(junk=st.binary(max_size=300), primary=st.text(max_size=64) | st.none())
def test_no_text_is_the_thumbprint_of_junk(junk: bytes, primary: str | None) -> None:
    try:
        match_thumbprints(junk, Thumbprints(primary, None), DEFAULT_POLICY, NOW)
    except CertificateRejected:
        return
    raise AssertionError("admitted")
