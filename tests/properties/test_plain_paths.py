"""The step that is taken without OpenSSL's search admits whom the search admits, whatever an authority signs."""

from datetime import UTC, datetime

from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.odd_certificates import extension, name, odd_certificate, public_key, signed
from tests.fakes.old_certificates import tlv
from tests.fakes.pki import FakeAuthority, make_authority, make_key

from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.model import TrustedAuthority
from ironhub.identity.policy import DEFAULT_POLICY
from ironhub.identity.x509 import AdmittedChain, ChainJudge

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
ROOT = make_authority("Root")
FORGER = FakeAuthority(ROOT.certificate, make_key())
BODY = ROOT.issue("d1", names=["d1.example", "192.0.2.1"]).certificate.tbs_certificate_bytes
KEY = public_key(make_key())
IDENTIFIER = ROOT.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest

few = settings(max_examples=250)


def judge(*, plain: bool) -> ChainJudge:
    made = ChainJudge([TrustedAuthority("root", ROOT.der)], DEFAULT_POLICY)
    assert made._anchors.plain
    if not plain:
        made._anchors.plain = {}
    return made


STEPPING, SEARCHING = judge(plain=True), judge(plain=False)


def verdict(judge: ChainJudge, der: bytes) -> AdmittedChain | None:
    try:
        return judge.judge((der,), NOW)
    except CertificateRejected:
        return None


@few
@given(place=st.integers(0, len(BODY) - 1), cut=st.integers(0, 2), put=st.binary(max_size=2))
def test_whatever_an_authority_signs(place: int, cut: int, put: bytes) -> None:
    der = signed(BODY[:place] + put + BODY[place + cut :], ROOT)
    assert verdict(STEPPING, der) == verdict(SEARCHING, der)


@few
@given(
    text=st.sampled_from(["d1", "Root", " ROOT", "dév"]),
    tag=st.sampled_from([0x0C, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E]),
    extensions=st.lists(
        st.sampled_from(
            [
                ("551d13", "3000"),
                ("551d13", "30030101ff"),
                ("551d0f", "03020780"),
                ("551d0f", "03020204"),
                ("551d25", "300a06082b06010505070302"),
                ("551d0e", "040178"),
                ("551d11", "300482027831"),
                ("551d11", "3003870131"),
                ("551d11", "3004a4023000"),
                ("551d23", "3000"),
                ("551d23", "3003800178"),
                ("551d23", tlv(0x30, tlv(0x80, IDENTIFIER)).hex()),
                ("551d1e", "3000"),
                ("551d20", "3006300406022a03"),
                ("2a03", "0500"),
            ]
        ).flatmap(lambda one: st.booleans().map(lambda critical: (*one, critical))),
        max_size=4,
    ),
    issuer=st.sampled_from([ROOT, ROOT, FORGER]),
)
def test_however_it_is_put_together(
    text: str, tag: int, extensions: list[tuple[str, str, bool]], issuer: FakeAuthority
) -> None:
    made = tuple(extension(kind, bytes.fromhex(value), critical=critical) for kind, value, critical in extensions)
    der = odd_certificate(issuer, subject=name(text, tag), key=KEY, extensions=made)
    assert verdict(STEPPING, der) == verdict(SEARCHING, der)
    if issuer is FORGER:
        assert verdict(STEPPING, der) is None
