"""heads/amqp/credentials.py, over the product's own gate, stores and policy service."""

from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.amqp_head import AmqpHub
from tests.fakes.channel import FakeChannel
from tests.fakes.grants import by_operator
from tests.fakes.head_hub import HOST
from tests.fakes.pki import self_signed

from ironhub.access.model import Permission, PermissionDenied
from ironhub.access.policies import WhichKey
from ironhub.core.ids import identity
from ironhub.heads.amqp.credential import AnyCredential, DeviceCredential, ServiceCredential
from ironhub.heads.amqp.credentials import AGAIN, EXPIRED, RIGHT_ENDED, Credentials, TooManyAudiences
from ironhub.heads.amqp.services import AmqpSettings
from ironhub.identity.model import (
    AuthenticationFailed,
    CredentialKind,
    Proof,
    Right,
    Thumbprints,
)
from ironhub.identity.model import (
    Credentials as Stored,
)
from ironhub.identity.sas import make_sas_token
from ironhub.messaging.sessions.ports import HUB_STOPS, TAKEN_OVER
from ironhub.registry.model import DeviceDraft
from ironhub.wire.amqp import Error, IncomingLink, OutgoingLink
from ironhub.wire.amqp.conditions import DETACH_FORCED, UNAUTHORIZED_ACCESS

PRESS, LATHE, SAW = identity("press-7"), identity("lathe-1"), identity("saw-2")
ARM = identity("press-7", "arm")
SKEW = 300.0
POLICIES = by_operator(Permission.POLICY_WRITE)
OWN = self_signed("saw-2")


class Connection:
    """The Holder of credentials: it notes what it is told, and dismisses as a connection does."""

    def __init__(self, hub: AmqpHub, *, chain: tuple[bytes, ...] = (), hostname: str = HOST) -> None:
        self.channel = FakeChannel(peer_chain=chain)
        self.hostname = hostname
        self.admissions = 0
        self.dismissed: list[tuple[Any, str]] = []
        self.closed: list[Error | None] = []
        self.hung_up = 0
        self.credentials = Credentials(hub.amqp, self)

    def admitted(self) -> None:
        self.admissions += 1

    def dismiss(self, links: Collection[IncomingLink | OutgoingLink], error: Error) -> None:
        self.dismissed += [(link, error.condition) for link in links]

    def close(self, error: Error | None = None) -> None:
        self.closed.append(error)

    def hang_up(self) -> None:
        """Count it."""
        self.hung_up += 1


def a_link() -> Any:
    """Something with an identity of its own: what rests on a credential is not looked into."""
    return object()


@pytest.fixture
async def hub() -> AsyncIterator[AmqpHub]:
    made = AmqpHub(AmqpSettings(max_audiences=5))
    await made.register(PRESS, LATHE, ARM)
    thumbprints = Thumbprints(OWN.sha256_thumbprint, None)
    draft = DeviceDraft(credentials=Stored(CredentialKind.SELF_SIGNED, thumbprints=thumbprints))
    await made.registry.put_device(by_operator(Permission.REGISTRY_WRITE, SAW), draft, if_match=None)
    yield made
    await made.amqp.background.drain(0)


@pytest.fixture
def connection(hub: AmqpHub) -> Connection:
    return Connection(hub)


def kinds(*credentials: AnyCredential) -> list[type]:
    return [type(each) for each in credentials]


# What is put.


async def test_a_devices_own_token_shows_that_device_and_no_other(hub: AmqpHub, connection: Connection) -> None:
    credential = await connection.credentials.put(await hub.token(PRESS))
    assert isinstance(credential, DeviceCredential)
    assert credential.principal.identity == PRESS
    assert credential.expires_at == hub.clock.now() + 3600 + SKEW
    assert connection.admissions == 1
    assert await connection.credentials.device(PRESS) is credential
    for other in (LATHE, ARM):
        with pytest.raises(AuthenticationFailed):
            await connection.credentials.device(other)


async def test_several_identities_share_a_connection_each_with_its_own_rights(
    hub: AmqpHub, connection: Connection
) -> None:
    for who in (PRESS, LATHE, ARM):
        await connection.credentials.put(await hub.token(who))
    found = [await connection.credentials.device(who) for who in (PRESS, LATHE, ARM)]
    assert [each.principal.identity for each in found] == [PRESS, LATHE, ARM]
    with pytest.raises(AuthenticationFailed):
        connection.credentials.service(Permission.COMMAND_SEND)


async def test_a_policys_token_shows_a_back_end(hub: AmqpHub, connection: Connection) -> None:
    credential = await connection.credentials.put(await hub.policy_token("service"))
    assert isinstance(credential, ServiceCredential)
    assert connection.credentials.service(Permission.COMMAND_SEND) is credential
    with pytest.raises(PermissionDenied):
        connection.credentials.service(Permission.REGISTRY_WRITE)
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.device(PRESS)
    assert len(hub.backends) == 1


async def test_a_token_for_a_part_of_the_hub_is_none_for_all_of_it(hub: AmqpHub, connection: Connection) -> None:
    await connection.credentials.put(await hub.policy_token("service", resource=f"{HOST}/devices/press-7"))
    with pytest.raises(PermissionDenied):
        connection.credentials.service(Permission.COMMAND_SEND)
    stream = await connection.credentials.put(await hub.policy_token("service", resource=f"sb://{HOST}/events"))
    assert connection.credentials.service(Permission.TELEMETRY_READ) is stream
    with pytest.raises(PermissionDenied):
        connection.credentials.service(Permission.COMMAND_SEND)


@pytest.mark.parametrize("resource", [HOST, f"{HOST}/devices", f"{HOST}/messages/events", f"{HOST}/devices/a b", "/"])
async def test_a_devices_key_signs_for_nothing_but_a_device(
    hub: AmqpHub, connection: Connection, resource: str
) -> None:
    known = await hub.stores.devices.known_identity(PRESS)
    assert known is not None
    assert known.credentials.keys is not None
    token = make_sas_token(resource, known.credentials.keys.primary, int(hub.clock.now()) + 60)
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.put(token)
    assert len(connection.credentials) == connection.admissions == 0


async def test_an_expired_token_is_refused_and_one_within_the_skew_is_not(hub: AmqpHub, connection: Connection) -> None:
    token = await hub.token(PRESS, life=10.0)
    hub.clock.advance(10 + SKEW - 1)
    await connection.credentials.put(token)
    hub.clock.advance(1)
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.put(token)


async def test_there_is_a_bound_on_what_one_connection_shows(hub: AmqpHub, connection: Connection) -> None:
    names = [identity(f"d{number}") for number in range(6)]
    await hub.register(*names)
    for who in names[:5]:
        await connection.credentials.put(await hub.token(who))
    with pytest.raises(TooManyAudiences):
        await connection.credentials.put(await hub.token(names[5]))
    with pytest.raises(TooManyAudiences):
        await connection.credentials.put(await hub.policy_token("service"))
    await connection.credentials.put(await hub.token(names[0]))  # a renewal needs no room
    assert len(connection.credentials) == 5


# User name and password.


async def test_a_password_is_a_token_and_the_user_name_says_whose(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    assert kinds(await shown.plain("service@sas.root.hub", await hub.policy_token("service"))) == [ServiceCredential]
    assert kinds(await shown.plain("press-7@sas.hub", await hub.token(PRESS))) == [DeviceCredential]
    module = await shown.plain("press-7/modules/arm@sas.hub.example", await hub.token(ARM))
    assert isinstance(module, DeviceCredential)
    assert module.principal.identity == ARM


async def test_a_device_may_log_in_with_a_policys_token(hub: AmqpHub, connection: Connection) -> None:
    token = await hub.policy_token("device", Right.DEVICE_CONNECT)
    credential = await connection.credentials.plain("lathe-1@sas.hub", token)
    assert isinstance(credential, DeviceCredential)
    assert credential.principal.proof is Proof.POLICY_KEY
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.device(PRESS)


async def test_a_user_name_that_does_not_go_with_the_password_is_refused(hub: AmqpHub, connection: Connection) -> None:
    service, press = await hub.policy_token("service"), await hub.token(PRESS)
    await hub.policy_token("other")
    for username, password in (
        ("lathe-1@sas.hub", press),
        ("press-7/modules/arm@sas.hub", press),
        ("press-7@sas.hub", service),
        ("service@sas.root.hub", press),
        ("other@sas.root.hub", service),
        ("service", service),
        ("service@sas.root.hub", "secret"),
        ("press-7@sas.hub", press.replace("sr=hub.example%2F", "sr=%2F")),
    ):
        with pytest.raises(AuthenticationFailed):
            await connection.credentials.plain(username, password)
    assert connection.admissions == 0


# What shows a device.


async def test_a_policys_token_shows_the_devices_it_covers(hub: AmqpHub, connection: Connection) -> None:
    token = await hub.policy_token("device", Right.DEVICE_CONNECT, resource=f"{HOST}/devices/press-7")
    policy = await connection.credentials.put(token)
    for who in (PRESS, ARM):
        credential = await connection.credentials.device(who)
        assert credential.principal.proof is Proof.POLICY_KEY
        assert credential.expires_at == policy.expires_at
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.device(LATHE)


async def test_of_several_policies_one_that_is_good_is_enough(hub: AmqpHub, connection: Connection) -> None:
    first = await hub.policy_token("first", Right.DEVICE_CONNECT)
    await connection.credentials.put(first)
    await connection.credentials.put(await hub.policy_token("second", Right.DEVICE_CONNECT))
    await hub.stores.policies.delete_policy("first")
    assert (await connection.credentials.device(PRESS)).principal.policy == "second"


@pytest.mark.parametrize("hostname", [HOST, "", "HUB.example:5671"])
async def test_a_certificate_shows_its_device(hub: AmqpHub, hostname: str) -> None:
    connection = Connection(hub, chain=(OWN.der,), hostname=hostname)
    credential = await connection.credentials.device(SAW)
    assert credential.principal.proof is Proof.THUMBPRINT
    assert credential.expires_at is None
    assert connection.admissions == 1
    for other in (PRESS, identity("nobody")):
        with pytest.raises(AuthenticationFailed):
            await connection.credentials.device(other)


async def test_a_certificate_shown_to_another_hub_shows_nobody(hub: AmqpHub) -> None:
    connection = Connection(hub, chain=(OWN.der,), hostname="other.example")
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.device(SAW)


async def test_the_gate_is_asked_again_once_a_right_has_changed(hub: AmqpHub, connection: Connection) -> None:
    await connection.credentials.put(await hub.token(PRESS))
    await connection.credentials.device(PRESS)
    assert connection.admissions == 1
    await hub.disable(PRESS)
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.device(PRESS)
    assert len(connection.credentials) == 0


async def test_the_gate_is_asked_again_once_the_token_is_over(hub: AmqpHub, connection: Connection) -> None:
    await connection.credentials.put(await hub.token(PRESS, life=10.0))
    hub.clock.advance(10 + SKEW)
    with pytest.raises(AuthenticationFailed):
        await connection.credentials.device(PRESS)


async def test_what_nothing_rests_on_and_can_be_had_again_takes_no_room(hub: AmqpHub, connection: Connection) -> None:
    await connection.credentials.put(await hub.policy_token("device", Right.DEVICE_CONNECT))
    names = [identity(f"d{number}") for number in range(8)]
    await hub.register(*names)
    for who in names:
        await connection.credentials.device(who)
    assert len(connection.credentials) <= 5
    held = [await connection.credentials.device(who) for who in names[:4]]
    for credential in held:
        credential.hold(a_link())
    with pytest.raises(TooManyAudiences):
        await connection.credentials.device(names[7])
    assert held[0].is_passing
    held[0].drop(next(iter(held[0].links)))
    await connection.credentials.device(names[7])


# What shows a back end.


async def test_the_token_signed_for_the_nearest_part_is_taken(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    part = "events/ConsumerGroups/$Default/Partitions"
    tokens = [await hub.policy_token("service", resource=f"{HOST}/{path}") for path in ("events", f"{part}/0")]
    stream, partition = [await shown.put(token) for token in tokens]
    near = "/messages/events/consumergroups/$default/partitions"
    assert shown.service(Permission.TELEMETRY_READ, near=f"{near}/0") is partition
    assert shown.service(Permission.TELEMETRY_READ, near=f"{near}/1") is stream
    longer = await shown.put(await hub.policy_token("other", life=7200.0))
    assert shown.service(Permission.TELEMETRY_READ) is longer
    assert shown.service(Permission.TELEMETRY_READ, near=f"{near}/1") is stream


async def test_a_token_that_is_over_is_none_even_before_the_timer_says_so(hub: AmqpHub, connection: Connection) -> None:
    await connection.credentials.put(await hub.policy_token("service", life=10.0))
    hub.clock.advance(10 + SKEW)
    with pytest.raises(AuthenticationFailed):
        connection.credentials.service(Permission.COMMAND_SEND)


# Renewal.


async def test_a_renewed_token_extends_what_rests_on_the_old_one(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    told: list[float | None] = []
    for token, renewed in (
        (await hub.token(PRESS, life=10.0), await hub.token(PRESS)),
        (await hub.policy_token("service", life=10.0), await hub.policy_token("service")),
    ):
        credential = await shown.put(token)
        link = a_link()
        credential.hold(link)

        def heard(each: AnyCredential = credential) -> None:
            told.append(each.expires_at)

        credential.watch(heard)
        assert await shown.put(token) is credential  # the same again is no news
        assert told == []
        assert await shown.put(renewed) is credential
        assert told == [hub.clock.now() + 3600 + SKEW]
        credential.unwatch(heard)
        credential.unwatch(heard)
        told.clear()
    hub.clock.advance(10 + SKEW)
    shown.expire(hub.clock.now())
    assert connection.dismissed == []
    assert shown.next_expiry() == hub.clock.now() - 10 + 3600


async def test_devices_live_on_with_the_renewed_token_of_their_policy(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    await shown.put(await hub.policy_token("device", Right.DEVICE_CONNECT, life=10.0))
    kept, gone = await shown.device(PRESS), await shown.device(LATHE)
    link = a_link()
    gone.hold(link)
    kept.hold(a_link())
    await hub.stores.devices.delete_device(LATHE.device_id, replacing=None)
    await shown.put(await hub.policy_token("device", Right.DEVICE_CONNECT))
    assert kept.expires_at == hub.clock.now() + 3600 + SKEW
    assert connection.dismissed == [(link, UNAUTHORIZED_ACCESS)]


async def test_a_devices_own_token_takes_the_place_of_its_policys(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    policy = await shown.put(await hub.policy_token("device", Right.DEVICE_CONNECT))
    credential = await shown.device(PRESS)
    credential.hold(a_link())
    assert await shown.put(await hub.token(PRESS)) is credential
    assert credential.principal.proof is Proof.OWN_KEY
    shown.end(policy, EXPIRED)
    assert connection.dismissed == []


# Ends.


async def test_what_is_not_renewed_ends_with_its_links_and_nothing_else(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    short, long = await shown.put(await hub.token(PRESS, life=10.0)), await shown.put(await hub.token(LATHE))
    link = a_link()
    short.hold(link)
    long.hold(a_link())
    assert shown.next_expiry() == hub.clock.now() + 10 + SKEW
    hub.clock.advance(10 + SKEW)
    shown.expire(hub.clock.now())
    assert connection.dismissed == [(link, UNAUTHORIZED_ACCESS)]
    assert len(shown) == 1
    with pytest.raises(AuthenticationFailed):
        short.hold(a_link())


async def test_with_the_last_credential_the_connection_ends(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    first, second = await shown.put(await hub.token(PRESS)), await shown.put(await hub.policy_token("service"))
    shown.end(first, EXPIRED)
    assert connection.closed == []
    shown.end(second, EXPIRED)
    shown.end(second, EXPIRED)
    assert connection.closed == [Error(UNAUTHORIZED_ACCESS, f"{EXPIRED}. {AGAIN}")]
    assert shown.next_expiry() is None


@pytest.mark.parametrize(("reason", "condition"), [(TAKEN_OVER, DETACH_FORCED), ("any other", UNAUTHORIZED_ACCESS)])
async def test_the_reason_tells_the_condition(
    hub: AmqpHub, connection: Connection, reason: str, condition: str
) -> None:
    credential = await connection.credentials.put(await hub.token(PRESS))
    link = a_link()
    credential.hold(link)
    connection.credentials.end(credential, reason)
    assert connection.dismissed == [(link, condition)]


async def test_a_hub_that_stops_hangs_up_without_a_word(hub: AmqpHub, connection: Connection) -> None:
    credential = await connection.credentials.put(await hub.token(PRESS))
    credential.hold(a_link())
    await connection.credentials.put(await hub.policy_token("service"))
    hub.backends.end_all()
    assert connection.hung_up
    assert (connection.closed, connection.dismissed) == ([], [])


async def test_a_policys_end_is_the_end_of_what_rests_on_it(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    both = (Right.SERVICE_CONNECT, Right.DEVICE_CONNECT)
    policy = await shown.put(await hub.policy_token("mixed", *both))
    own = await shown.put(await hub.token(LATHE))
    links = [a_link() for _ in range(3)]
    policy.hold(links[0])
    (await shown.device(PRESS)).hold(links[1])
    own.hold(links[2])
    await hub.policies.roll_key(POLICIES, "mixed", WhichKey.PRIMARY)
    await hub.settle()
    assert connection.dismissed == [(links[0], UNAUTHORIZED_ACCESS), (links[1], UNAUTHORIZED_ACCESS)]
    assert len(hub.backends) == 0
    assert len(shown) == 1


async def test_a_back_end_that_is_cut_is_told_what_to_do_and_the_log_whom_it_was(
    hub: AmqpHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    peer = await hub.backend()
    link = peer.client.receiver("events/ConsumerGroups/$Default/Partitions/0")
    await peer.settle()
    await hub.policies.roll_key(POLICIES, "service", WhichKey.PRIMARY)
    await peer.settle()
    assert link.detached is not None
    assert link.detached.error is not None
    assert link.detached.error.description == f"{RIGHT_ENDED}. {AGAIN}"
    (record,) = [vars(each) for each in caplog.records if each.message == "amqp_back_end_ended"]
    assert (record["policy"], record["reason"]) == ("service", RIGHT_ENDED)


async def test_a_judgement_of_the_old_token_does_not_end_the_new_one(hub: AmqpHub, connection: Connection) -> None:
    credential = await connection.credentials.put(await hub.policy_token("service"))
    assert isinstance(credential, ServiceCredential)
    old = credential.principal
    await connection.credentials.put(await hub.policy_token("service", life=7200.0))
    credential.end_backend(old, "its right has ended")
    assert len(connection.credentials) == 1
    credential.end_backend(credential.principal, "its right has ended")
    assert len(connection.credentials) == 0


@pytest.mark.parametrize("is_used", [True, False])
async def test_a_new_token_of_a_policy_that_lost_a_right_ends_what_rests_on_the_old_one(
    hub: AmqpHub, connection: Connection, is_used: bool
) -> None:
    """It may come before anybody has judged the old one, and nothing would be wrong with itself."""
    shown, link = connection.credentials, a_link()
    token = await hub.policy_token("service", Right.SERVICE_CONNECT, Right.REGISTRY_READ)
    before = await shown.put(token)
    if is_used:
        before.hold(link)
    policy = await hub.stores.policies.known_policy("service")
    assert policy is not None
    await hub.stores.policies.put_policy(replace(policy, rights=frozenset({Right.REGISTRY_READ})))  # nobody is told
    after = await shown.put(token)
    assert connection.dismissed == ([(link, UNAUTHORIZED_ACCESS)] if is_used else [])
    assert (before.revoked, after is before, len(shown)) == (is_used, not is_used, 1)
    assert connection.closed == []


@pytest.mark.parametrize(("reason", "revoked"), [(TAKEN_OVER, False), (HUB_STOPS, False), (EXPIRED, True)])
async def test_only_the_end_of_a_right_takes_back_what_was_asked_for(
    hub: AmqpHub, connection: Connection, reason: str, revoked: bool
) -> None:
    shown = connection.credentials
    policy = await shown.put(await hub.policy_token("device", Right.DEVICE_CONNECT))
    device = await shown.device(PRESS)
    device.hold(a_link())
    shown.end(policy, reason)
    assert (policy.revoked, device.revoked) == (revoked, revoked)


async def test_after_the_end_of_the_connection_nothing_is_watched_over(hub: AmqpHub, connection: Connection) -> None:
    shown = connection.credentials
    credential = await shown.put(await hub.policy_token("service"))
    credential.hold(a_link())
    shown.lost()
    assert (len(hub.backends), len(shown), len(credential.links)) == (0, 0, 0)
    await shown.put(await hub.policy_token("service"))
    await shown.put(await hub.token(PRESS))
    assert (len(hub.backends), len(shown), connection.admissions) == (0, 0, 1)


async def test_what_is_shown_is_in_no_repr(hub: AmqpHub, connection: Connection) -> None:
    token = await hub.token(PRESS)
    credential = await connection.credentials.put(token)
    assert "sig" not in repr(credential.shown) + repr(credential) + repr(connection.credentials)
