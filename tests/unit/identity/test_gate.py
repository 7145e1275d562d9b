"""Every way in that should be closed, tried at the gate itself; x509 paths in detail are in test_x509.py."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.fakes.clock import FakeClock
from tests.fakes.identities import (
    ARM,
    HUB,
    KEYS,
    OTHER_KEYS,
    OWNER_KEYS,
    PRESS,
    KnownToTheHub,
    claim,
    issued,
    make_gate,
    pinned,
    sas,
    token_for,
)
from tests.fakes.pki import FakeAuthority, make_authority, self_signed

from ironhub.core.ids import Identity, identity
from ironhub.identity.gate import Gate, admit_operator, trust_local_operator
from ironhub.identity.model import (
    AuthenticationFailed,
    CredentialKind,
    Credentials,
    DevicePrincipal,
    OperatorPrincipal,
    Proof,
    Remembered,
    Right,
    ServicePrincipal,
    SymmetricKeys,
    Thumbprints,
    TrustedAuthority,
)
from ironhub.identity.sas import key_digest

ROOT = make_authority("Plant root")
OTHER_ROOT = make_authority("Other plant's root")
STRANGER = make_authority("Nobody's root")
CERTIFICATE = ROOT.issue("press-7")
OWN = self_signed("press-7")
DEVICE = "hub.example/devices/press-7"
MODULE = f"{DEVICE}/modules/arm"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def known() -> KnownToTheHub:
    known = KnownToTheHub()
    known.put(PRESS, sas())
    known.put(ARM, sas(OTHER_KEYS))
    known.put_policy("iothubowner", *Right)
    known.put_policy("service", Right.SERVICE_CONNECT, keys=SymmetricKeys(b"a" * 32, b"b" * 32))
    return known


@pytest.fixture
def gate(known: KnownToTheHub, clock: FakeClock) -> Gate:
    return make_gate(known, clock)


async def refusal(gate: Gate, who: Identity = PRESS, token: str | None = None, chain: Sequence[bytes] = ()) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        await gate.admit_device(claim(who, token), chain)
    return caught.value.detail


async def service_refusal(gate: Gate, token: str | None) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        await gate.admit_service(token)
    return caught.value.detail


# Devices with a token.


async def test_a_device_is_admitted_by_its_own_key(gate: Gate, clock: FakeClock) -> None:
    principal = await gate.admit_device(claim(token=token_for(DEVICE, clock=clock)), ())
    assert principal.identity == PRESS
    assert principal.generation_id == "g1"
    assert principal.proof is Proof.OWN_KEY
    assert principal.expires_at == clock.now() + 3600 + 300
    assert principal.policy is None


async def test_a_device_is_admitted_by_its_secondary_key(gate: Gate, clock: FakeClock) -> None:
    principal = await gate.admit_device(claim(token=token_for(DEVICE, clock=clock, key=KEYS.secondary)), ())
    assert principal.proof is Proof.OWN_KEY


async def test_a_module_is_admitted_by_its_own_key(gate: Gate, clock: FakeClock) -> None:
    principal = await gate.admit_device(claim(ARM, token_for(MODULE, clock=clock, key=OTHER_KEYS.primary)), ())
    assert principal.identity == ARM


@pytest.mark.parametrize("host", ["HUB.example", "hub.example:8883", "localhost", "127.0.0.1:18883"])
async def test_any_name_of_the_hub_will_do(gate: Gate, clock: FakeClock, host: str) -> None:
    token = token_for(f"{host}/devices/press-7", clock=clock)
    assert (await gate.admit_device(claim(token=token, host=host), ())).identity == PRESS


@pytest.mark.parametrize("resource", ["hub.example", "hub.example/devices", DEVICE, "sb://hub.example:5671"])
async def test_a_policy_that_lets_devices_connect_admits_what_its_token_covers(
    gate: Gate, clock: FakeClock, resource: str
) -> None:
    token = token_for(resource, clock=clock, key=OWNER_KEYS.secondary, policy="IoTHubOwner")
    principal = await gate.admit_device(claim(token=token), ())
    assert (principal.proof, principal.policy) == (Proof.POLICY_KEY, "iothubowner")


async def test_another_hubs_name_is_refused(gate: Gate, clock: FakeClock) -> None:
    token = token_for(DEVICE, clock=clock)
    with pytest.raises(AuthenticationFailed) as caught:
        await gate.admit_device(claim(token=token, host="other.example"), ())
    assert "which is not ours" in caught.value.detail


async def test_nothing_shown_is_refused(gate: Gate) -> None:
    assert await refusal(gate) == "neither a token nor a certificate"


async def test_an_empty_token_is_refused(gate: Gate) -> None:
    assert await refusal(gate, token="") == "does not begin with SharedAccessSignature"


async def test_a_wrong_key_is_refused(gate: Gate, clock: FakeClock) -> None:
    assert await refusal(gate, token=token_for(DEVICE, clock=clock, key=b"z" * 32)) == "signed with another key"


async def test_our_log_says_why_a_device_without_a_key_is_refused(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    known.put(identity("off"), sas(), enabled=False)
    for device_id in ("off", "nobody"):
        token = token_for(f"hub.example/devices/{device_id}", clock=clock)
        told = await refusal(gate, identity(device_id), token)
        assert told == "unknown, disabled, or not to be admitted by a key"


async def test_an_expired_token_is_refused(gate: Gate, clock: FakeClock) -> None:
    token = token_for(DEVICE, clock=clock, ttl=10)
    clock.advance(310)
    assert await refusal(gate, token=token) == "expired 300 s ago"


async def test_another_devices_token_is_refused(gate: Gate, known: KnownToTheHub, clock: FakeClock) -> None:
    known.put(identity("press-8"), sas(OTHER_KEYS))
    token = token_for("hub.example/devices/press-8", clock=clock, key=OTHER_KEYS.primary)
    assert await refusal(gate, token=token) == "signed with another key"


async def test_a_token_for_another_device_is_refused_though_both_share_a_key(gate: Gate, clock: FakeClock) -> None:
    token = token_for("hub.example/devices/press-8", clock=clock)
    assert await refusal(gate, token=token) == "signed for '/devices/press-8'"


async def test_the_token_of_d1_is_none_for_d10_nor_the_reverse(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    for name in ("d1", "d10"):
        known.put(identity(name), sas())
    for shown, wanted in (("d1", "d10"), ("d10", "d1")):
        for policy in (None, "iothubowner"):
            key = KEYS.primary if policy is None else OWNER_KEYS.primary
            token = token_for(f"hub.example/devices/{shown}", clock=clock, key=key, policy=policy)
            assert await refusal(gate, identity(wanted), token) == f"signed for '/devices/{shown}'"


async def test_ids_in_a_token_compare_exactly(gate: Gate, clock: FakeClock) -> None:
    assert await refusal(gate, token=token_for("hub.example/devices/PRESS-7", clock=clock)) != ""


async def test_an_id_with_an_encoded_slash_is_no_other_device(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    odd = identity("press-7%2Fmodules%2Farm")
    known.put(odd, sas())
    known.put(ARM, sas())
    odd_token = token_for(f"hub.example/devices/{odd.device_id}", clock=clock)
    assert (await gate.admit_device(claim(odd, odd_token), ())).identity == odd
    assert "signed for" in await refusal(gate, ARM, odd_token)
    assert "signed for" in await refusal(gate, odd, token_for(MODULE, clock=clock))


async def test_a_token_for_another_hub_is_refused(gate: Gate, clock: FakeClock) -> None:
    assert "which is not ours" in await refusal(gate, token=token_for("other.example/devices/press-7", clock=clock))
    assert "which is not ours" in await refusal(gate, token=token_for("/devices/press-7", clock=clock))


async def test_a_truncated_token_is_refused(gate: Gate, clock: FakeClock) -> None:
    token = token_for(DEVICE, clock=clock)
    for length in range(len(token)):
        await refusal(gate, token=token[:length])


async def test_a_token_that_was_encoded_anew_is_refused(gate: Gate, clock: FakeClock) -> None:
    token = token_for(DEVICE, clock=clock)
    assert await refusal(gate, token=token.replace("%2F", "%2f")) == "signed with another key"
    assert await refusal(gate, token=token.replace("%2F", "%252F")) == "signed with another key"


async def test_a_module_is_not_admitted_by_its_devices_token_nor_the_reverse(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    assert await refusal(gate, ARM, token_for(DEVICE, clock=clock)) == "signed with another key"
    assert await refusal(gate, PRESS, token_for(MODULE, clock=clock, key=OTHER_KEYS.primary)) != ""
    known.put(ARM, sas())  # even with the same keys
    assert await refusal(gate, ARM, token_for(DEVICE, clock=clock)) == "signed for '/devices/press-7'"
    assert await refusal(gate, PRESS, token_for(MODULE, clock=clock)) == "signed for '/devices/press-7/modules/arm'"


@pytest.mark.parametrize("resource", ["hub.example", "hub.example/devices"])
async def test_a_devices_own_key_signs_for_nothing_but_itself(gate: Gate, clock: FakeClock, resource: str) -> None:
    assert "signed for" in await refusal(gate, token=token_for(resource, clock=clock))


async def test_a_devices_key_is_no_policys_key_nor_the_reverse(gate: Gate, clock: FakeClock) -> None:
    assert await refusal(gate, token=token_for(DEVICE, clock=clock, policy="iothubowner")) == "signed with another key"
    token = token_for(DEVICE, clock=clock, key=OWNER_KEYS.primary)
    assert await refusal(gate, token=token) == "signed with another key"


async def test_a_policy_without_the_right_lets_no_device_connect(gate: Gate, clock: FakeClock) -> None:
    token = token_for(HUB, clock=clock, key=b"a" * 32, policy="service")
    assert await refusal(gate, token=token) == "policy 'service' lets no device connect"


async def test_a_policy_that_is_not_there_admits_nobody(gate: Gate, clock: FakeClock) -> None:
    for key in (bytes(32), OWNER_KEYS.primary):
        await refusal(gate, token=token_for(HUB, clock=clock, key=key, policy="nobody"))


async def test_unknown_wrongly_keyed_and_disabled_devices_get_one_answer(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    known.put(identity("off"), sas(), enabled=False)
    cases = {
        "unknown": (identity("nobody"), token_for("hub.example/devices/nobody", clock=clock)),
        "unknown, key guessed": (
            identity("nobody"),
            token_for("hub.example/devices/nobody", clock=clock, key=bytes(32)),
        ),
        "unknown, by policy": (
            identity("nobody"),
            token_for(HUB, clock=clock, key=OWNER_KEYS.primary, policy="iothubowner"),
        ),
        "wrong key": (PRESS, token_for(DEVICE, clock=clock, key=b"z" * 32)),
        "disabled": (identity("off"), token_for("hub.example/devices/off", clock=clock)),
        "disabled, by policy": (
            identity("off"),
            token_for(HUB, clock=clock, key=OWNER_KEYS.primary, policy="iothubowner"),
        ),
    }
    answers = set()
    for who, token in cases.values():
        with pytest.raises(AuthenticationFailed) as caught:
            await gate.admit_device(claim(who, token), ())
        answers.add((str(caught.value), caught.value.code, caught.value.status, caught.value.next_step))
    assert len(answers) == 1


@pytest.mark.parametrize("credentials", [pinned(OWN.sha256_thumbprint), issued(), Credentials(CredentialKind.NONE)])
async def test_a_device_that_was_not_registered_with_keys_is_admitted_by_none(
    gate: Gate, known: KnownToTheHub, clock: FakeClock, credentials: Credentials
) -> None:
    known.put(PRESS, credentials)
    for key in (KEYS.primary, bytes(32)):
        await refusal(gate, token=token_for(DEVICE, clock=clock, key=key))
    owner = token_for(HUB, clock=clock, key=OWNER_KEYS.primary, policy="iothubowner")
    assert "not to be admitted by a key" in await refusal(gate, token=owner)


async def test_a_good_certificate_does_not_mend_a_bad_token(gate: Gate, known: KnownToTheHub) -> None:
    known.put(PRESS, pinned(OWN.sha256_thumbprint))
    await refusal(gate, token="SharedAccessSignature x", chain=OWN.chain_der)


# Devices with a certificate.


@pytest.mark.parametrize(
    "thumbprints",
    [
        Thumbprints(OWN.sha256_thumbprint, None),
        Thumbprints(None, OWN.sha256_thumbprint),
        Thumbprints(OWN.sha1_thumbprint, None),
        Thumbprints("0" * 40, OWN.sha1_thumbprint.upper()),
    ],
)
async def test_a_device_is_admitted_by_either_thumbprint(
    gate: Gate, known: KnownToTheHub, thumbprints: Thumbprints
) -> None:
    known.put(PRESS, Credentials(CredentialKind.SELF_SIGNED, thumbprints=thumbprints))
    principal = await gate.admit_device(claim(), OWN.chain_der)
    assert (principal.proof, principal.expires_at) == (Proof.THUMBPRINT, None)
    assert principal.chain_digest == OWN.sha256_thumbprint


async def test_a_device_is_admitted_below_a_registered_authority(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    principal = await gate.admit_device(claim(), CERTIFICATE.chain_der)
    assert (principal.proof, principal.authority) == (Proof.CHAIN, "plant")
    assert principal.chain_digest == CERTIFICATE.sha256_thumbprint


async def test_any_registered_authority_may_issue_any_name(gate: Gate, known: KnownToTheHub) -> None:
    """As on Azure: whoever registers an authority trusts it for the whole fleet. A thumbprint pins a single device."""
    known.trust(ROOT)
    known.trust(OTHER_ROOT, "other")
    known.put(PRESS, issued())
    principal = await gate.admit_device(claim(), OTHER_ROOT.issue("press-7").chain_der)
    assert principal.authority == "other"


@pytest.mark.parametrize("credentials", [sas(), pinned(OWN.sha256_thumbprint), Credentials(CredentialKind.NONE)])
async def test_no_authority_speaks_for_a_device_of_another_kind(
    gate: Gate, known: KnownToTheHub, credentials: Credentials
) -> None:
    known.trust(ROOT)
    known.put(PRESS, credentials)
    await refusal(gate, chain=CERTIFICATE.chain_der)


async def test_a_thumbprint_slot_that_is_empty_matches_nothing(gate: Gate, known: KnownToTheHub) -> None:
    for thumbprints in (Thumbprints(None, None), Thumbprints("", ""), None):
        known.put(PRESS, Credentials(CredentialKind.SELF_SIGNED, thumbprints=thumbprints))
        await refusal(gate, chain=OWN.chain_der)


async def test_another_devices_certificate_is_refused(gate: Gate, known: KnownToTheHub) -> None:
    other = self_signed("press-8")
    known.put(identity("press-8"), pinned(other.sha256_thumbprint))
    known.put(PRESS, pinned(OWN.sha256_thumbprint))
    known.trust(ROOT)
    assert "another certificate" in await refusal(gate, chain=other.chain_der)


async def test_the_pinned_certificate_must_be_the_devices_own_in_the_handshake(
    gate: Gate, known: KnownToTheHub
) -> None:
    """The first is the one whose key the peer holds; the others anybody can send along."""
    known.put(PRESS, pinned(OWN.sha256_thumbprint))
    await refusal(gate, chain=(self_signed("press-7").der, OWN.der))


async def test_a_pinned_certificate_is_good_for_its_time_only(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    short = self_signed("press-7", not_before=clock.now() + 10, not_after=clock.now() + 20)
    known.put(PRESS, pinned(short.sha256_thumbprint))
    await refusal(gate, chain=short.chain_der)
    clock.advance(15)
    await gate.admit_device(claim(), short.chain_der)
    clock.advance(15)
    await refusal(gate, chain=short.chain_der)


async def test_a_disabled_device_is_refused_with_the_right_certificate(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, pinned(OWN.sha256_thumbprint), enabled=False)
    await refusal(gate, chain=OWN.chain_der)
    known.put(PRESS, issued(), enabled=False)
    assert "disabled" in await refusal(gate, chain=CERTIFICATE.chain_der)


async def test_an_unknown_device_is_refused_with_a_registered_authoritys_certificate(
    gate: Gate, known: KnownToTheHub
) -> None:
    known.trust(ROOT)
    assert "unknown" in await refusal(gate, identity("nobody"), chain=ROOT.issue("nobody").chain_der)


async def test_to_be_refused_costs_the_same_for_every_kind_of_device(gate: Gate, known: KnownToTheHub) -> None:
    """The chain is judged in each case, so time tells nobody whether a device exists, nor how it is registered."""
    judged = 0

    class Counting(KnownToTheHub):
        async def trusted_authorities(self) -> Sequence[TrustedAuthority]:
            nonlocal judged
            judged += 1
            return ()

    for credentials in (None, sas(), issued(), pinned("0" * 64), Credentials(CredentialKind.NONE)):
        known = Counting()
        if credentials is not None:
            known.put(PRESS, credentials)
        await refusal(make_gate(known, FakeClock()), chain=CERTIFICATE.chain_der)
    assert judged == 5


async def test_a_chain_to_an_authority_nobody_registered_is_refused(gate: Gate, known: KnownToTheHub) -> None:
    known.put(PRESS, issued())
    assert "no authority is registered" in await refusal(gate, chain=CERTIFICATE.chain_der)
    known.trust(ROOT)
    await gate.authorities_changed()
    assert "no path" in await refusal(gate, chain=STRANGER.issue("press-7").chain_der)
    assert "no path" in await refusal(gate, chain=(STRANGER.issue("press-7").der, STRANGER.der))
    assert "no path" in await refusal(gate, chain=OWN.chain_der)


async def test_a_forged_authority_of_the_same_name_is_refused(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    forger = make_authority("Plant root")
    assert "no path" in await refusal(gate, chain=forger.issue("press-7").chain_der)
    assert "no path" in await refusal(gate, chain=(forger.issue("press-7").der, forger.der))


async def test_an_expired_authority_admits_nobody(gate: Gate, known: KnownToTheHub, clock: FakeClock) -> None:
    old = make_authority("Old root", days=1)
    known.trust(old)
    known.put(PRESS, issued())
    assert "expired" in await refusal(gate, chain=old.issue("press-7").chain_der)


async def test_a_revoked_certificate_is_refused_and_its_sibling_is_not(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT, revocation_list=revoking(ROOT, CERTIFICATE.certificate.serial_number))
    known.put(PRESS, issued())
    assert "revoked" in await refusal(gate, chain=CERTIFICATE.chain_der)
    assert (await gate.admit_device(claim(), ROOT.issue("press-7").chain_der)).proof is Proof.CHAIN


async def test_an_authority_that_was_removed_admits_nobody_from_then_on(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    await gate.admit_device(claim(), CERTIFICATE.chain_der)
    known.authorities.clear()
    assert await gate.authorities_changed() == {}
    await refusal(gate, chain=CERTIFICATE.chain_der)


async def test_an_authority_that_cannot_be_used_is_told_of(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(make_authority("Weak", key="rsa1024"), "weak")
    assert list(await gate.authorities_changed()) == ["weak"]


async def test_a_certificate_for_another_name_is_refused(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    for who in (PRESS, ARM, identity("d1"), identity("d10"), identity("*")):
        known.put(who, issued())
    for name, victim in [
        ("press-8", PRESS),
        ("PRESS-7", PRESS),
        ("press-7 ", PRESS),
        ("press-7\x00.example", PRESS),
        ("*", PRESS),
        ("press-*", PRESS),
        ("press-7/arm", PRESS),
        ("press-7", ARM),
        ("arm", ARM),
        ("press-7/modules/arm", ARM),
        ("press-7/arm/x", ARM),
        ("d1", identity("d10")),
        ("d10", identity("d1")),
        ("press-7", identity("*")),
    ]:
        assert "issued to" in await refusal(gate, victim, chain=ROOT.issue(name).chain_der), name


async def test_a_modules_certificate_names_the_device_and_the_module(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(ARM, issued())
    principal = await gate.admit_device(claim(ARM), ROOT.issue("press-7/arm").chain_der)
    assert principal.identity == ARM


async def test_two_first_devices_at_once_share_one_reading_of_the_authorities(clock: FakeClock) -> None:
    readings = 0

    class Counting(KnownToTheHub):
        async def trusted_authorities(self) -> Sequence[TrustedAuthority]:
            nonlocal readings
            readings += 1
            return await super().trusted_authorities()

    known = Counting()
    known.trust(ROOT)
    known.put(PRESS, issued())
    gate = make_gate(known, clock)
    await asyncio.gather(*(gate.admit_device(claim(), CERTIFICATE.chain_der) for _ in range(3)))
    assert readings == 1


async def test_authorities_that_change_while_they_are_read_are_read_again(clock: FakeClock) -> None:
    class Changing(KnownToTheHub):
        async def trusted_authorities(self) -> Sequence[TrustedAuthority]:
            before = await super().trusted_authorities()
            if self.authorities:
                self.authorities.clear()
                under_test.forget_authorities()
            return before

    known = Changing()
    known.trust(ROOT)
    known.put(PRESS, issued())
    under_test = make_gate(known, clock)
    assert "no authority is registered" in await refusal(under_test, chain=CERTIFICATE.chain_der)


async def test_from_the_moment_they_changed_nobody_is_judged_by_the_old_authorities(
    gate: Gate, known: KnownToTheHub
) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    principal = await gate.admit_device(claim(), CERTIFICATE.chain_der)
    known.authorities.clear()
    gate.forget_authorities()
    assert not await gate.still_good(principal, CERTIFICATE.chain_der)


# Back ends.


@pytest.mark.parametrize(
    ("resource", "scope"),
    [
        ("hub.example", ""),
        ("HUB.example:443", ""),
        ("https://hub.example/", ""),
        ("hub.example/devices/press-7", "/devices/press-7"),
        ("sb://hub.example/telemetry", "/messages/events"),
        ("sb://localhost:5671/Telemetry/consumergroups/$Default", "/messages/events/consumergroups/$Default"),
        ("hub.example/messages/events", "/messages/events"),
        ("hub.example/telemetry2", "/telemetry2"),
    ],
)
async def test_a_back_end_has_the_rights_of_its_policy_where_its_token_reaches(
    gate: Gate, clock: FakeClock, resource: str, scope: str
) -> None:
    token = token_for(resource, clock=clock, key=b"b" * 32, policy="SERVICE")
    principal = await gate.admit_service(token)
    assert (principal.policy, principal.scope) == ("service", scope)
    assert principal.rights == {Right.SERVICE_CONNECT}
    assert principal.expires_at == clock.now() + 3900


@pytest.mark.parametrize("key", [b"b" * 32, b64encode(b"b" * 32)], ids=["key", "its text"])
async def test_readers_of_the_stream_may_sign_with_the_text_of_a_key(gate: Gate, clock: FakeClock, key: bytes) -> None:
    token = token_for("sb://hub.example/telemetry", clock=clock, key=key, policy="service")
    principal = await gate.admit_service(token)
    assert principal.scope == "/messages/events"
    assert principal.key_digest == key_digest(b"b" * 32)  # rolling that key ends it all the same


async def test_nothing_else_is_signed_with_the_text_of_a_key(gate: Gate, clock: FakeClock) -> None:
    text = b64encode(b"b" * 32)
    for resource in (HUB, f"{HUB}/devices/press-7", f"{HUB}/messages/events", f"{HUB}/telemetry2", "no host"):
        token = token_for(resource, clock=clock, key=text, policy="service")
        assert await service_refusal(gate, token) == "signed with another key"
    device = token_for(DEVICE, clock=clock, key=b64encode(KEYS.primary))
    assert await refusal(gate, token=device) == "signed with another key"


async def test_without_an_event_stream_no_path_means_it(known: KnownToTheHub, clock: FakeClock) -> None:
    gate = make_gate(known, clock)
    gate._names.event_stream = ""
    token = token_for(HUB, clock=clock, key=OWNER_KEYS.primary, policy="iothubowner")
    assert (await gate.admit_service(token)).scope == ""


async def test_a_back_end_without_a_good_policy_token_is_refused(gate: Gate, clock: FakeClock) -> None:
    good = token_for(HUB, clock=clock, key=OWNER_KEYS.primary, policy="iothubowner")
    assert await service_refusal(gate, None) == "no token"
    assert "does not begin" in await service_refusal(gate, "")
    assert "does not begin" in await service_refusal(gate, "Bearer x")
    assert await service_refusal(gate, good.replace("iothubowner", "service")) == "signed with another key"
    assert await service_refusal(gate, token_for(DEVICE, clock=clock)) == "a token of no policy"
    wrong = token_for(HUB, clock=clock, key=KEYS.primary, policy="iothubowner")
    assert await service_refusal(gate, wrong) == "signed with another key"
    elsewhere = token_for("other.example", clock=clock, key=OWNER_KEYS.primary, policy="iothubowner")
    assert "not ours" in await service_refusal(gate, elsewhere)
    for key in (OWNER_KEYS.primary, bytes(32)):
        await service_refusal(gate, token_for(HUB, clock=clock, key=key, policy="nobody"))
    clock.advance(4000)
    assert "expired" in await service_refusal(gate, good)


# What a live session rests on.


async def admitted(gate: Gate, clock: FakeClock) -> DevicePrincipal:
    return await gate.admit_device(claim(token=token_for(DEVICE, clock=clock)), ())


async def test_a_session_by_key_is_good_until_that_key_goes(gate: Gate, known: KnownToTheHub, clock: FakeClock) -> None:
    principal = await admitted(gate, clock)
    assert await gate.still_good(principal)
    known.put(PRESS, sas(SymmetricKeys(b"n" * 32, KEYS.primary)))
    assert await gate.still_good(principal)
    known.put(PRESS, sas(SymmetricKeys(b"n" * 32, KEYS.secondary)))
    assert not await gate.still_good(principal)


@pytest.mark.parametrize("change", ["deleted", "disabled", "created anew", "by thumbprint", "without keys"])
async def test_a_session_ends_with_what_it_rests_on(
    gate: Gate, known: KnownToTheHub, clock: FakeClock, change: str
) -> None:
    principal = await admitted(gate, clock)
    match change:
        case "deleted":
            del known.identities[PRESS]
        case "disabled":
            known.put(PRESS, sas(), enabled=False)
        case "created anew":
            known.put(PRESS, sas(), generation="g2")
        case "by thumbprint":
            known.put(PRESS, pinned(OWN.sha256_thumbprint))
        case _:
            known.put(PRESS, Credentials(CredentialKind.SAS))
    assert not await gate.still_good(principal)


async def test_a_session_ends_with_its_token(gate: Gate, clock: FakeClock) -> None:
    principal = await admitted(gate, clock)
    clock.advance(3899)
    assert await gate.still_good(principal)
    clock.advance(1)
    assert not await gate.still_good(principal)


async def test_a_session_by_policy_ends_with_the_policys_key_or_right(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    token = token_for(HUB, clock=clock, key=OWNER_KEYS.primary, policy="iothubowner")
    principal = await gate.admit_device(claim(token=token), ())
    assert await gate.still_good(principal)
    known.put_policy("iothubowner", Right.SERVICE_CONNECT)
    assert not await gate.still_good(principal)
    known.put_policy("iothubowner", Right.DEVICE_CONNECT, keys=OTHER_KEYS)
    assert not await gate.still_good(principal)
    del known.policies["iothubowner"]
    assert not await gate.still_good(principal)
    known.put_policy("iothubowner", *Right)
    known.put(PRESS, issued())
    assert not await gate.still_good(principal)


async def test_a_session_by_thumbprint_ends_when_it_is_removed(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    known.put(PRESS, pinned(OWN.sha256_thumbprint))
    principal = await gate.admit_device(claim(), OWN.chain_der)
    assert await gate.still_good(principal, OWN.chain_der)
    assert not await gate.still_good(principal, ())
    assert not await gate.still_good(principal, self_signed("press-7").chain_der)
    known.put(PRESS, pinned(self_signed("press-7").sha256_thumbprint))
    assert not await gate.still_good(principal, OWN.chain_der)


async def test_a_session_by_authority_ends_with_its_revocation(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    principal = await gate.admit_device(claim(), CERTIFICATE.chain_der)
    assert await gate.still_good(principal, CERTIFICATE.chain_der)
    known.authorities.clear()
    known.trust(ROOT, revocation_list=revoking(ROOT, CERTIFICATE.certificate.serial_number))
    await gate.authorities_changed()
    assert not await gate.still_good(principal, CERTIFICATE.chain_der)


async def admitted_service(gate: Gate, clock: FakeClock) -> ServicePrincipal:
    return await gate.admit_service(token_for(HUB, clock=clock, key=b"a" * 32, policy="service"))


@pytest.mark.parametrize(
    ("rights", "keys", "good"),
    [
        ((Right.SERVICE_CONNECT,), SymmetricKeys(b"a" * 32, b"z" * 32), True),
        ((Right.SERVICE_CONNECT, Right.REGISTRY_READ), SymmetricKeys(b"z" * 32, b"a" * 32), True),
        ((Right.SERVICE_CONNECT,), SymmetricKeys(b"z" * 32, b"b" * 32), False),
        ((Right.REGISTRY_READ,), SymmetricKeys(b"a" * 32, b"b" * 32), False),
        ((), None, False),
    ],
    ids=["other-key-rolled", "right-added", "key-rolled", "right-gone", "policy-gone"],
)
async def test_a_back_ends_connection_is_good_as_long_as_its_key_and_rights_are(
    gate: Gate,
    known: KnownToTheHub,
    clock: FakeClock,
    rights: tuple[Right, ...],
    keys: SymmetricKeys | None,
    good: bool,
) -> None:
    principal = await admitted_service(gate, clock)
    assert await gate.still_admits(principal)
    del known.policies["service"]
    if keys is not None:
        known.put_policy("Service", *rights, keys=keys)
    assert await gate.still_admits(principal) is good


async def test_a_back_ends_connection_is_good_as_long_as_its_token(gate: Gate, clock: FakeClock) -> None:
    principal = await admitted_service(gate, clock)
    clock.advance(3600 + 299)
    assert await gate.still_admits(principal)
    clock.advance(1)
    assert not await gate.still_admits(principal)


async def test_whom_a_change_of_authorities_may_strike_is_known_at_once(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    principal = await gate.admit_device(claim(), CERTIFICATE.chain_der)
    assert not gate.doubts(principal)
    gate.forget_authorities()
    assert gate.doubts(principal)
    await gate.prepare()
    assert not gate.doubts(principal)
    known.authorities.clear()
    known.trust(ROOT, revocation_list=revoking(ROOT, CERTIFICATE.certificate.serial_number))
    await gate.authorities_changed()
    assert gate.doubts(principal)


async def test_changed_authorities_are_read_once_before_sessions_are_judged(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    principal = await gate.admit_device(claim(), CERTIFICATE.chain_der)
    known.authorities.clear()
    gate.forget_authorities()
    await gate.prepare()
    known.trust(ROOT)  # too late: what was read is believed until the next change
    await gate.prepare()
    assert not await gate.still_good(principal, CERTIFICATE.chain_der)


async def test_a_session_does_not_outlive_a_change_of_kind(gate: Gate, known: KnownToTheHub) -> None:
    known.trust(ROOT)
    known.put(PRESS, issued())
    principal = await gate.admit_device(claim(), CERTIFICATE.chain_der)
    known.put(PRESS, pinned(CERTIFICATE.sha256_thumbprint))
    assert not await gate.still_good(principal, CERTIFICATE.chain_der)


# Operators.


def test_an_operator_shows_the_admin_token() -> None:
    assert admit_operator("secret", b"secret").name == "admin"


@pytest.mark.parametrize(
    ("presented", "expected"), [("", b"secret"), ("Secret", b"secret"), ("\udcff", b"s"), ("", b"")]
)
def test_anything_but_the_admin_token_is_refused(presented: str, expected: bytes) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        admit_operator(presented, expected)
    assert "secret" not in str(caught.value)


def test_who_has_opened_the_data_directory_needs_no_token() -> None:
    assert trust_local_operator().name == "local"


def revoking(authority: FakeAuthority, serial_number: int) -> bytes:
    revoked = authority.issue("revoked", serial_number=serial_number).certificate
    return x509.load_pem_x509_crl(authority.revocation_list([revoked])).public_bytes(Encoding.DER)


# Those who are gone and whose work goes on


async def test_a_back_end_is_recalled_with_the_rights_its_policy_has_now(
    gate: Gate, known: KnownToTheHub, clock: FakeClock
) -> None:
    token = token_for(HUB, clock=clock, key=OWNER_KEYS.secondary, policy="iothubowner")
    admitted = await gate.admit_service(token)
    who = Remembered(admitted.policy, True, admitted.scope, admitted.key_digest)
    clock.advance(1e6)  # the token is long over
    recalled = await gate.recall(who)
    assert isinstance(recalled, ServicePrincipal)
    assert replace(recalled, expires_at=admitted.expires_at) == admitted
    known.put_policy("iothubowner", Right.REGISTRY_READ)
    recalled = await gate.recall(who)
    assert isinstance(recalled, ServicePrincipal)
    assert recalled.rights == {Right.REGISTRY_READ}


async def test_a_back_end_whose_key_or_policy_is_gone_is_not_recalled(gate: Gate, known: KnownToTheHub) -> None:
    who = Remembered("iothubowner", True, "", key_digest(OWNER_KEYS.primary))
    await gate.recall(who)
    known.put_policy("iothubowner", *Right, keys=SymmetricKeys(OTHER_KEYS.primary, OWNER_KEYS.secondary))
    with pytest.raises(AuthenticationFailed):
        await gate.recall(who)
    del known.policies["iothubowner"]
    with pytest.raises(AuthenticationFailed):
        await gate.recall(who)
    with pytest.raises(AuthenticationFailed):
        await gate.recall(Remembered("service", True, "", ""))


async def test_an_operator_is_recalled(gate: Gate) -> None:
    assert await gate.recall(Remembered("local", by_policy=False)) == OperatorPrincipal("local")
