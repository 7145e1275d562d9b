"""Certificates that are stolen, odd, over, or vouched for by nobody who may: none of them lets anybody in."""

import base64
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from tests.fakes.bystander import new_device
from tests.fakes.mqtt_packets import connect
from tests.fakes.pki import (
    CLIENT_AUTH,
    NOT_AFTER,
    NOT_BEFORE,
    SERVER_AUTH,
    FakeAuthority,
    FakeCertificate,
    make_authority,
    make_key,
    self_signed,
)
from tests.fakes.raw_device import API_VERSION, RESET, dial
from tests.fakes.running_hub import RunningHub
from tests.fakes.tls_client import TLS1_2, TLS1_3, client_context, key_of_a_thief

REFUSED: Final = 5
PAST: Final = datetime(2021, 1, 1, tzinfo=UTC)
FUTURE: Final = datetime(2110, 1, 1, tzinfo=UTC)
VICTIM: Final = "victim"


class Trusted:
    """The authorities of one hub: two that count, and some that do not."""

    def __init__(self, hub: RunningHub) -> None:
        self.root = registered(hub, "plant", make_authority("plant root"))
        self.other = registered(hub, "supplier", make_authority("supplier root"))
        self.unproven = registered(hub, "unproven", make_authority("unproven root"), proven=False)
        self.revoking = registered(hub, "revoking", make_authority("revoking root"))
        self.revoked_below = make_authority("revoked intermediate", parent=self.revoking)
        self.revoked = self.revoking.issue(VICTIM)
        revoked = [self.revoked.certificate, self.revoked_below.certificate]
        put_list(hub, "revoking", self.revoking.revocation_list(revoked))
        self.short = registered(hub, "no further", make_authority("short root", path_length=0))


def registered(hub: RunningHub, name: str, authority: FakeAuthority, *, proven: bool = True) -> FakeAuthority:
    """Register an authority, and prove that its key is ours."""
    name = name.replace(" ", "-")
    given = hub.call("POST", "/authorities", json={"name": name, "content_base64": as_text(authority.pem)})
    if proven:
        proof = authority.issue(given["verification_code"]).pem
        hub.call("POST", f"/authorities/{name}/proof", json={"content_base64": as_text(proof)})
    return authority


def put_list(hub: RunningHub, name: str, crl: bytes) -> None:
    """Register a revocation list."""
    hub.call("PUT", f"/authorities/{name}/revocation-list", json={"content_base64": as_text(crl)})


def as_text(content: bytes) -> str:
    """Base64, as the admin API takes files."""
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def trusted(hub: RunningHub) -> Trusted:
    """Register the victim, who is admitted by any proven authority's word, and the authorities."""
    hub.create_device(VICTIM, auth={"kind": "x509-ca"})
    hub.create_module(VICTIM, "arm", auth={"kind": "x509-ca"})
    return Trusted(hub)


def try_connect(
    hub: RunningHub,
    client_id: str,
    certificate: FakeCertificate | None,
    *,
    version: ssl.TLSVersion = TLS1_3,
    over: str = "mqtt",
    key_pem: bytes = b"",
) -> int | None:
    """Return the code of the CONNACK, or None: not even that."""
    context = client_context(certificate, version, key_pem=key_pem)
    packet = connect(client_id, username=f"{hub.address}/{client_id}{API_VERSION}")
    with suppress(*RESET), dial(hub, over, context) as peer:
        return peer.connack(packet)
    return None


def named(authority: FakeAuthority, *names: str, **changes: Any) -> FakeCertificate:
    """A certificate of `authority` with these common names in its subject, or with no subject at all."""
    key = make_key("ec")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(authority.certificate.subject)
    builder = builder.not_valid_before(NOT_BEFORE).not_valid_after(NOT_AFTER).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.BasicConstraints(changes.get("ca", False), None), critical=True)
    for extension in changes.get("extensions", ()):
        builder = builder.add_extension(extension, critical=False)
    return FakeCertificate(builder.sign(authority.key, hashes.SHA256()), key, authority._issuers())


def below_a_device(trusted: Trusted) -> FakeCertificate:
    """A device that plays authority."""
    device = trusted.root.issue("device")
    return FakeAuthority(device.certificate, device.key, trusted.root).issue(VICTIM)


def with_intermediate(trusted: Trusted, **changes: Any) -> FakeCertificate:
    """A certificate below an intermediate of the plant's."""
    return make_authority("line 1", parent=trusted.root, **changes).issue(VICTIM)


ATTACKS: Final[dict[str, Callable[[Trusted], FakeCertificate | None]]] = {
    "no certificate": lambda _: None,
    "one that vouches for itself": lambda _: self_signed(VICTIM),
    "below nobody's authority": lambda _: make_authority("nobody").issue(VICTIM),
    "below a namesake of the authority": lambda _: make_authority("plant root").issue(VICTIM),
    "below an authority that was never proven": lambda t: t.unproven.issue(VICTIM),
    "the authority's own certificate": lambda t: FakeCertificate(t.root.certificate, t.root.key),
    "signed by another key in the authority's name": lambda t: replace(
        FakeAuthority(t.root.certificate, make_key("ec"), None), parent=None
    ).issue(VICTIM),
    "a device that plays authority": below_a_device,
    "an intermediate that is over": lambda t: with_intermediate(t, not_before=PAST, days=1),
    "an intermediate that is not yet": lambda t: with_intermediate(t, not_before=FUTURE, days=1),
    "an intermediate below one that allows none": lambda t: make_authority("line", parent=t.short).issue(VICTIM),
    "revoked": lambda t: t.revoked,
    "below a revoked intermediate": lambda t: t.revoked_below.issue(VICTIM),
    "over": lambda t: t.root.issue(VICTIM, not_after=PAST),
    "not yet": lambda t: t.root.issue(VICTIM, not_before=FUTURE),
    "made for servers": lambda t: t.root.issue(VICTIM, usages=[SERVER_AUTH]),
    "an authority's": lambda t: named(t.root, VICTIM, ca=True),
    "a weak key": lambda t: t.root.issue(VICTIM, key="rsa1024"),
    "no name": lambda t: named(t.root),
    "the name in the alternative names only": lambda t: t.root.issue("somebody", names=[VICTIM]),
    "a wildcard": lambda t: t.root.issue("*"),
    "a wildcard in the name": lambda t: t.root.issue("vict*"),
    "a pattern": lambda t: t.root.issue("victi."),
    "the name and a NUL": lambda t: t.root.issue(f"{VICTIM}\0.example"),
    "a NUL before the name": lambda t: t.root.issue(f"\0{VICTIM}"),
    "the name and a slash": lambda t: t.root.issue(f"{VICTIM}/"),
    "a path": lambda t: t.root.issue(f"x/../{VICTIM}"),
    "its module's name": lambda t: t.root.issue(f"{VICTIM}/arm"),
    "capitals": lambda t: t.root.issue(VICTIM.upper()),
    "a space behind the name": lambda t: t.root.issue(f"{VICTIM} "),
    "a beginning of the name": lambda t: t.root.issue("victi"),
    "more than the name": lambda t: t.root.issue(f"{VICTIM}0"),
    "a letter that looks alike": lambda t: t.root.issue("v\u0456ctim"),
    "an attribute inside the name": lambda t: t.root.issue(f"somebody,CN={VICTIM}"),
    "the name first of two": lambda t: named(t.root, VICTIM, "somebody"),
    "the name last of two": lambda t: named(t.root, "somebody", VICTIM),
    "the name twice": lambda t: named(t.root, VICTIM, VICTIM),
    "name constraints in a device's own": lambda t: named(
        t.root,
        VICTIM,
        extensions=[x509.NameConstraints([x509.DNSName("x.example")], None)],
    ),
}


@pytest.mark.parametrize("over", ["mqtt", "websocket"])
@pytest.mark.parametrize("name", ATTACKS)
def test_a_certificate_that_nobody_vouches_for_is_refused(
    hub: RunningHub, trusted: Trusted, name: str, over: str
) -> None:
    version = TLS1_2 if over == "websocket" else TLS1_3  # each of both once, also to save time
    assert try_connect(hub, VICTIM, ATTACKS[name](trusted), version=version, over=over) == REFUSED


def test_what_the_refused_ones_are_made_from_is_taken(hub: RunningHub, trusted: Trusted) -> None:
    """So that the refusals above are for what they say, and for nothing else."""
    for good in (trusted.root.issue(VICTIM), named(trusted.root, VICTIM), with_intermediate(trusted)):
        assert try_connect(hub, VICTIM, good) == 0
    assert try_connect(hub, VICTIM, trusted.revoking.issue(VICTIM)) == 0
    assert try_connect(hub, VICTIM, trusted.short.issue(VICTIM)) == 0


@pytest.mark.parametrize("version", [TLS1_2, TLS1_3], ids=["1.2", "1.3"])
def test_a_certificate_without_its_key_is_worth_nothing(
    hub: RunningHub, trusted: Trusted, version: ssl.TLSVersion
) -> None:
    pinned = self_signed("stolen")
    device = new_device(hub, auth=pinned_to(pinned))
    for client_id, certificate in ((device.device_id, pinned), (VICTIM, trusted.root.issue(VICTIM))):
        assert try_connect(hub, client_id, certificate, version=version) == 0
        thief = key_of_a_thief(certificate)
        assert try_connect(hub, client_id, certificate, version=version, key_pem=thief) is None


def pinned_to(*certificates: FakeCertificate) -> dict[str, Any]:
    """Credentials of a device that is known by thumbprint."""
    return {"kind": "x509-thumbprint", "thumbprints": [each.sha256_thumbprint for each in certificates]}


def test_anothers_thumbprint_is_not_ones_own(hub: RunningHub, trusted: Trusted) -> None:
    mine, theirs = self_signed("mine"), self_signed("theirs")
    other = new_device(hub, auth=pinned_to(theirs))
    me = new_device(hub, auth=pinned_to(mine))
    assert try_connect(hub, me.device_id, mine) == 0
    assert try_connect(hub, other.device_id, mine) == REFUSED
    chained = replace(mine, issuers=(theirs.certificate,))  # theirs is sent too, behind mine
    assert try_connect(hub, other.device_id, chained) == REFUSED
    same_name = self_signed("theirs")
    assert try_connect(hub, other.device_id, same_name) == REFUSED
    renewed = self_signed("theirs", key=theirs.key)  # the very key, in a certificate that nobody registered
    assert try_connect(hub, other.device_id, renewed) == REFUSED


def test_a_pinned_certificate_counts_while_it_is_valid_and_strong_only(hub: RunningHub, trusted: Trusted) -> None:
    for bad in (
        self_signed("over", not_after=PAST),
        self_signed("not yet", not_before=FUTURE),
        self_signed("weak", key="rsa1024"),
    ):
        assert try_connect(hub, new_device(hub, auth=pinned_to(bad)).device_id, bad) == REFUSED


def test_any_registered_authority_speaks_for_devices_of_authorities_and_for_no_others(
    hub: RunningHub, trusted: Trusted
) -> None:
    """As with the vendor: who wants a device bound to one certificate pins its thumbprint (docs/security-model.md)."""
    by_key, pinned = new_device(hub), new_device(hub, auth=pinned_to(self_signed("pinned")))
    disabled = new_device(hub, auth={"kind": "x509-ca"})
    hub.call("PATCH", f"/devices/{disabled.device_id}", json={"status": "disabled"})
    for device_id in (by_key.device_id, pinned.device_id, disabled.device_id, "nobody", f"{VICTIM}/nothing"):
        assert try_connect(hub, device_id, trusted.other.issue(device_id)) == REFUSED
    assert try_connect(hub, VICTIM, trusted.other.issue(VICTIM)) == 0
    assert try_connect(hub, VICTIM, trusted.root.issue(VICTIM)) == 0


def test_a_module_and_its_device_are_two(hub: RunningHub, trusted: Trusted) -> None:
    own = trusted.root.issue(f"{VICTIM}/arm")
    assert try_connect(hub, f"{VICTIM}/arm", own) == 0
    assert try_connect(hub, f"{VICTIM}/arm", trusted.root.issue(VICTIM)) == REFUSED
    assert try_connect(hub, f"{VICTIM}/arm", trusted.root.issue("arm")) == REFUSED


def test_an_authority_that_ends_takes_its_devices_with_it(hub: RunningHub, trusted: Trusted) -> None:
    started = datetime.now(UTC) - timedelta(hours=1)
    ending = make_authority("ending root", not_before=started, days=(3600 + 4) / 86_400)
    registered(hub, "ending", ending)
    certificate = ending.issue(VICTIM)
    assert try_connect(hub, VICTIM, certificate) == 0
    deadline = time.monotonic() + 15
    while try_connect(hub, VICTIM, certificate) == 0:
        assert time.monotonic() < deadline


def test_what_is_revoked_ends_at_once(hub: RunningHub, trusted: Trusted) -> None:
    authority = registered(hub, "changing", make_authority("changing root"))
    device = new_device(hub, auth={"kind": "x509-ca"})
    certificate = authority.issue(device.device_id)
    packet = connect(device.device_id, username=f"{hub.address}/{device.device_id}{API_VERSION}")
    with dial(hub, context=client_context(certificate)) as peer:
        assert peer.connack(packet) == 0
        put_list(hub, "changing", authority.revocation_list([certificate.certificate]))
        assert peer.is_closed(timeout=3)
    assert try_connect(hub, device.device_id, certificate) == REFUSED
    other = authority.issue(device.device_id)
    with dial(hub, context=client_context(other)) as peer:
        assert peer.connack(packet) == 0
        hub.call("DELETE", "/authorities/changing")
        assert peer.is_closed(timeout=3)
    assert try_connect(hub, device.device_id, other) == REFUSED


def test_a_proof_that_proves_nothing_lets_no_authority_in(hub: RunningHub, trusted: Trusted) -> None:
    authority = make_authority("claimed root")
    given = hub.call("POST", "/authorities", json={"name": "claimed", "content_base64": as_text(authority.pem)})
    code = given["verification_code"]
    proofs = {
        "another key": make_authority("claimed root").issue(code),
        "itself": self_signed(code),
        "another code": authority.issue("0" * len(code)),
        "over": authority.issue(code, not_after=PAST),
        "small letters": authority.issue(code.lower()),
    }
    for name, proof in proofs.items():
        with hub.admin() as admin:
            answer = admin.post("/authorities/claimed/proof", json={"content_base64": as_text(proof.pem)})
        assert answer.status_code == 400, name
    device = new_device(hub, auth={"kind": "x509-ca"})
    assert try_connect(hub, device.device_id, authority.issue(device.device_id, usages=[CLIENT_AUTH])) == REFUSED
