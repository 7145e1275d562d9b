from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from tests.fakes.authorities import DictAuthorityStore, RememberingBus
from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.pki import FakeAuthority, make_authority, self_signed

from ironhub.access.model import WHOLE_HUB, Grant, Permission, PermissionDenied
from ironhub.access.service import authorise
from ironhub.core.bus import AuthoritiesChanged
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import identity
from ironhub.identity.model import OperatorPrincipal
from ironhub.pki.model import (
    Authority,
    AuthorityEtagMismatch,
    AuthorityExists,
    AuthorityNotFound,
    CertificateRefused,
)
from ironhub.pki.service import AuthorityService

ROOT = make_authority("Plant root")
DAY = 86_400.0
READ = authorise(OperatorPrincipal("admin"), Permission.AUTHORITY_READ, WHOLE_HUB)
WRITE = authorise(OperatorPrincipal("admin"), Permission.AUTHORITY_WRITE, WHOLE_HUB)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 6, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def store() -> DictAuthorityStore:
    return DictAuthorityStore()


@pytest.fixture
def bus() -> RememberingBus:
    return RememberingBus()


@pytest.fixture
def service(store: DictAuthorityStore, bus: RememberingBus, clock: FakeClock) -> AuthorityService:
    return AuthorityService(store, bus, clock, FakeEntropy())


async def refusal(service: AuthorityService, content: bytes) -> str:
    with pytest.raises(CertificateRefused) as caught:
        await service.verify(WRITE, "plant", content)
    return str(caught.value)


def newest(clock: FakeClock, number: int, *revoked: x509.Certificate, authority: FakeAuthority = ROOT) -> bytes:
    now = clock.now()
    return authority.revocation_list(revoked, this_update=now, next_update=now + DAY, number=number)


# Registering.


@pytest.mark.parametrize("kind", ["ec", "ec384", "rsa", "ed25519"])
@pytest.mark.parametrize("form", ["pem", "der"])
async def test_a_registered_authority_waits_for_its_proof(
    service: AuthorityService, bus: RememberingBus, clock: FakeClock, kind: str, form: str
) -> None:
    root = make_authority("R", key=kind)
    authority = await service.register(WRITE, "plant", root.pem if form == "pem" else root.der)
    assert authority.certificate == root.der
    assert not authority.verified
    assert len(authority.verification_code) == 48
    assert set(authority.verification_code) <= set("0123456789ABCDEF")
    assert authority.created_at == clock.now()
    assert await service.get(READ, "plant") == authority
    assert bus.published == []


async def test_an_intermediate_can_be_registered_alone(service: AuthorityService) -> None:
    await service.register(WRITE, "middle", make_authority("Middle", parent=ROOT).pem)


async def test_each_registration_has_a_code_of_its_own(service: AuthorityService) -> None:
    codes = {(await service.register(WRITE, f"a{n}", make_authority("R").pem)).verification_code for n in range(3)}
    assert len(codes) == 3


@pytest.mark.parametrize("name", ["", "-plant", "a b", "a/b", "é", "a" * 129, "plant\n"])
async def test_a_name_that_is_none_is_refused(service: AuthorityService, name: str) -> None:
    with pytest.raises(InvalidArgument):
        await service.register(WRITE, name, ROOT.pem)


async def test_what_is_no_good_authority_is_refused(service: AuthorityService, clock: FakeClock) -> None:
    now = clock.now()
    for content, says in (
        (b"junk", "well-formed"),
        (self_signed("d1").pem, "CA:TRUE"),
        (make_authority("weak", key="rsa1024").pem, "strong"),
        (make_authority("old", not_before=now - 9 * DAY, days=1).pem, "expired, or not valid yet"),
        (make_authority("early", not_before=now + DAY).pem, "expired, or not valid yet"),
    ):
        with pytest.raises(CertificateRefused, match=says):
            await service.register(WRITE, "plant", content)
    assert await service.list(READ) == ()


async def test_a_name_or_certificate_that_is_there_is_refused(service: AuthorityService) -> None:
    await service.register(WRITE, "plant", ROOT.pem)
    with pytest.raises(AuthorityExists):
        await service.register(WRITE, "plant", make_authority("Other").pem)
    with pytest.raises(AuthorityExists):
        await service.register(WRITE, "twin", ROOT.pem)


# Proving.


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
async def test_who_holds_the_key_proves_it(service: AuthorityService, bus: RememberingBus, kind: str) -> None:
    root = make_authority("R", key=kind)
    registered = await service.register(WRITE, "plant", root.pem)
    verified = await service.verify(WRITE, "plant", root.issue(registered.verification_code).pem)
    assert verified.verified
    assert verified.etag != registered.etag
    assert verified == replace(registered, verified=True, etag=verified.etag)
    assert await service.list(READ) == (verified,)
    assert bus.published == [AuthoritiesChanged()]


async def test_a_proof_that_proves_nothing_is_refused(
    service: AuthorityService, bus: RememberingBus, clock: FakeClock
) -> None:
    code = (await service.register(WRITE, "plant", ROOT.pem)).verification_code
    other = await service.register(WRITE, "other", make_authority("Other").pem)
    now = clock.now()
    for content, says in (
        (ROOT.issue("wrong").pem, "not the verification code"),
        (ROOT.issue(code.lower()).pem, "not the verification code"),
        (ROOT.issue(other.verification_code).pem, "not the verification code"),
        (ROOT.issue(code[:-1]).pem, "not the verification code"),
        (ROOT.pem, "not the verification code"),
        (self_signed(code).pem, "not issued by this CA"),
        (make_authority("Plant root").issue(code).pem, "not issued by this CA"),
        (make_authority("Middle", parent=ROOT).issue(code).pem, "not issued by this CA"),
        (ROOT.issue(code, not_before=now - 2 * DAY, not_after=now - DAY).pem, "the proof is expired"),
        (ROOT.issue(code, not_before=now + DAY).pem, "the proof is expired, or not valid yet"),
        (b"", "well-formed"),
    ):
        assert says in await refusal(service, content)
    assert not (await service.get(READ, "plant")).verified
    assert bus.published == []


async def test_an_authority_that_expired_meanwhile_cannot_be_proven(
    service: AuthorityService, clock: FakeClock
) -> None:
    short = make_authority("Short", not_before=clock.now(), days=1)
    code = (await service.register(WRITE, "plant", short.pem)).verification_code
    clock.advance(2 * DAY)
    assert "CA certificate is expired" in await refusal(service, short.issue(code).pem)


# Revoking.


async def test_a_newer_list_takes_the_place_of_the_older_one(
    service: AuthorityService, bus: RememberingBus, clock: FakeClock
) -> None:
    registered = await service.register(WRITE, "plant", ROOT.pem)
    first = await service.set_revocation_list(WRITE, "plant", newest(clock, 1))
    assert first.etag != registered.etag
    clock.advance(60)
    second = await service.set_revocation_list(WRITE, "plant", newest(clock, 2, ROOT.issue("d1").certificate))
    assert second.revocation_list != first.revocation_list
    assert await service.get(READ, "plant") == second
    assert bus.published == [AuthoritiesChanged()] * 2


async def test_the_same_list_again_changes_nothing(
    service: AuthorityService, bus: RememberingBus, clock: FakeClock
) -> None:
    await service.register(WRITE, "plant", ROOT.pem)
    pem = newest(clock, 1)
    first = await service.set_revocation_list(WRITE, "plant", pem)
    assert await service.set_revocation_list(WRITE, "plant", pem) == first
    assert len(bus.published) == 1


async def test_a_list_never_goes_back(service: AuthorityService, clock: FakeClock) -> None:
    await service.register(WRITE, "plant", ROOT.pem)
    old = newest(clock, 7)
    clock.advance(60)
    stored = await service.set_revocation_list(WRITE, "plant", newest(clock, 8))
    clock.advance(60)
    earlier = ROOT.revocation_list(this_update=clock.now() - 90, next_update=clock.now() + DAY, number=9)
    for content in (old, newest(clock, 8), newest(clock, 7), earlier):
        with pytest.raises(CertificateRefused, match="not newer than the stored one, number 8"):
            await service.set_revocation_list(WRITE, "plant", content)
    assert await service.get(READ, "plant") == stored


async def test_a_list_that_is_not_good_is_refused(service: AuthorityService, clock: FakeClock) -> None:
    await service.register(WRITE, "plant", ROOT.pem)
    now = clock.now()
    for content, says in (
        (b"junk", "well-formed"),
        (ROOT.pem, "no revocation list"),
        (newest(clock, 1, authority=make_authority("Other")), "another authority"),
        (newest(clock, 1, authority=make_authority("Plant root")), "not signed by this authority"),
        (ROOT.revocation_list(this_update=now - 2 * DAY, next_update=now - DAY), "not of this time"),
        (ROOT.revocation_list(this_update=now + DAY, next_update=now + 2 * DAY), "not of this time"),
    ):
        with pytest.raises(CertificateRefused, match=says):
            await service.set_revocation_list(WRITE, "plant", content)


# Forgetting, and who may.


async def test_a_deleted_authority_is_gone(service: AuthorityService, bus: RememberingBus) -> None:
    await service.register(WRITE, "plant", ROOT.pem)
    await service.delete(WRITE, "plant")
    assert bus.published == [AuthoritiesChanged()]
    for call in (
        service.get(READ, "plant"),
        service.verify(WRITE, "plant", ROOT.pem),
        service.set_revocation_list(WRITE, "plant", b""),
        service.delete(WRITE, "plant"),
    ):
        with pytest.raises(AuthorityNotFound):
            await call
    assert len(bus.published) == 1


async def test_a_change_that_somebody_else_overtook_is_refused(bus: RememberingBus, clock: FakeClock) -> None:
    class Overtaken(DictAuthorityStore):
        async def get_authority(self, name: str) -> Authority | None:
            found = await super().get_authority(name)
            if found is not None:
                self.stored[name] = replace(found, etag="changed meanwhile")
            return found

    service = AuthorityService(Overtaken(), bus, clock, FakeEntropy())
    registered = await service.register(WRITE, "plant", ROOT.pem)
    with pytest.raises(AuthorityEtagMismatch):
        await service.verify(WRITE, "plant", ROOT.issue(registered.verification_code).pem)
    assert bus.published == []


async def test_every_call_needs_its_own_grant_over_the_whole_hub(service: AuthorityService) -> None:
    narrow = [
        authorise(OperatorPrincipal("admin"), permission, identity("d1"))
        for permission in (Permission.AUTHORITY_READ, Permission.AUTHORITY_WRITE)
    ]

    async def denied(grant: Grant, *, reading: bool) -> None:
        calls = (
            (service.list(grant), service.get(grant, "plant"))
            if reading
            else (
                service.register(grant, "plant", ROOT.pem),
                service.verify(grant, "plant", b""),
                service.set_revocation_list(grant, "plant", b""),
                service.delete(grant, "plant"),
            )
        )
        for call in calls:
            with pytest.raises(PermissionDenied):
                await call

    for grant in (WRITE, narrow[0]):
        await denied(grant, reading=True)
    for grant in (READ, narrow[1]):
        await denied(grant, reading=False)
