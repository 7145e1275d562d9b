"""Tests of access/policies.py, with the gate, the sessions and the REST API that a rolled key must reach."""

import asyncio

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.grants import by_operator
from tests.fakes.identities import HUB, claim, token_for
from tests.fakes.sessions import FakeSession

from ironhub.access.model import Grant, Permission, PermissionDenied
from ironhub.access.policies import (
    MAX_POLICIES,
    PolicyNeeded,
    PolicyNotFound,
    PolicyService,
    TooManyPolicies,
    WhichKey,
)
from ironhub.access.ports import PolicyStore
from ironhub.app.policies import BUILT_IN, ensure_policies
from ironhub.core.bus import Notice, PolicyChanged
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.ids import identity
from ironhub.heads.http.azure.application import AzureHttp
from ironhub.heads.http.azure.commands import CommandCalls
from ironhub.heads.http.azure.identities import IdentityCalls
from ironhub.heads.http.azure.twins import TwinCalls
from ironhub.heads.http.messages import Head, Request
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate
from ironhub.identity.model import KnownPolicy, Right
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.presence import PresenceRecorder
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.registry.family import DeviceFamily
from ironhub.registry.model import DeviceDraft
from ironhub.registry.service import RegistryService
from ironhub.storage.memory.stores import memory_stores
from ironhub.streams.inproc import InprocBus
from ironhub.twins.service import TwinService

PRESS = identity("press-7")
PATIENCE = 5.0


class Plant:
    """A hub's parts that policies reach."""

    def __init__(self) -> None:
        self.clock, self.entropy, self.bus = FakeClock(), FakeEntropy(), InprocBus()
        self.stores = memory_stores(self.entropy)
        self.notices: list[Notice] = []
        self.bus.subscribe(self.notices.append)
        self.gate = Gate(
            self.stores.devices, self.stores.policies, self.stores.authority_source, HubNames([HUB]), self.clock
        )
        self.sessions = LiveSessions(self.bus, PresenceRecorder(self.stores.devices, self.clock), self.judge)
        self.registry = RegistryService(self.stores.devices, self.bus, self.clock, self.entropy)
        self.policies = PolicyService(self.stores.policies, self.bus, self.entropy, needed=BUILT_IN)
        twins = TwinService(self.stores.twins, self.bus, self.clock)
        commands = CommandService(self.stores.commands, self.bus, self.clock, self.entropy)
        methods = MethodService(self.sessions, self.stores.devices)
        self.rest = AzureHttp(
            [
                IdentityCalls(self.registry, self.sessions),
                TwinCalls(twins, self.registry),
                CommandCalls(commands, methods, DeviceFamily(self.stores.devices)),
            ],
            gate=self.gate,
            clock=self.clock,
            entropy=self.entropy,
        )

    async def judge(self, session: LiveSession) -> bool:
        return await self.gate.still_good(session.principal, session.chain)

    async def token(self, name: str, which: WhichKey = WhichKey.PRIMARY) -> str:
        keys = (await self.policies.get(by_operator(Permission.POLICY_READ), name)).keys
        return token_for(HUB, clock=self.clock, key=getattr(keys, which.value), policy=name)

    async def roll(self, name: str, which: WhichKey = WhichKey.PRIMARY) -> KnownPolicy:
        return await self.policies.roll_key(by_operator(Permission.POLICY_WRITE), name, which)

    async def known(self, name: str) -> KnownPolicy:
        return await self.policies.get(by_operator(Permission.POLICY_READ), name)

    async def status_of_rest(self, token: str) -> int:
        head = Head("GET", "/statistics/devices", "api-version=2021-04-12", {"authorization": token})
        return (await self.rest.answer(Request(head, b"", FakeChannel()))).status


@pytest.fixture
async def plant() -> Plant:
    plant = Plant()
    await ensure_policies(plant.stores.policies, plant.entropy)
    return plant


async def test_policies_are_shown_to_who_may_read_them(plant: Plant) -> None:
    listed = await plant.policies.list(by_operator(Permission.POLICY_READ))
    assert [policy.name for policy in listed][:3] == ["iothubowner", "service", "device"]
    assert await plant.policies.get(by_operator(Permission.POLICY_READ), "IoTHubOwner") == listed[0]


@pytest.mark.parametrize(
    "grant",
    [
        by_operator(Permission.REGISTRY_READ),
        by_operator(Permission.POLICY_READ, PRESS),
        by_operator(Permission.POLICY_WRITE, PRESS),
    ],
)
async def test_nothing_is_shown_or_changed_without_the_grant_for_it(plant: Plant, grant: Grant) -> None:
    before = await plant.stores.policies.list_policies()
    with pytest.raises(PermissionDenied):
        await plant.policies.list(grant)
    with pytest.raises(PermissionDenied):
        await plant.policies.get(grant, "service")
    with pytest.raises(PermissionDenied):
        await plant.policies.roll_key(grant, "service")
    with pytest.raises(PermissionDenied):
        await plant.policies.put(grant, "service", frozenset(Right))
    with pytest.raises(PermissionDenied):
        await plant.policies.delete(grant, "service")
    assert await plant.stores.policies.list_policies() == before


async def test_who_may_only_read_policies_rolls_no_key(plant: Plant) -> None:
    with pytest.raises(PermissionDenied):
        await plant.policies.roll_key(by_operator(Permission.POLICY_READ), "service")


@pytest.mark.parametrize(("which", "other"), [("primary", "secondary"), ("secondary", "primary")])
async def test_one_key_is_rolled_and_the_other_kept(plant: Plant, which: str, other: str) -> None:
    before = await plant.policies.get(by_operator(Permission.POLICY_READ), "service")
    rolled = await plant.roll("SERVICE", WhichKey(which))
    assert getattr(rolled.keys, which) not in before.keys
    assert len(getattr(rolled.keys, which)) == 32
    assert getattr(rolled.keys, other) == getattr(before.keys, other)
    assert (rolled.name, rolled.rights) == (before.name, before.rights)
    assert await plant.policies.get(by_operator(Permission.POLICY_READ), "service") == rolled


async def test_two_rolls_at_once_both_hold(plant: Plant) -> None:
    before = await plant.policies.get(by_operator(Permission.POLICY_READ), "service")
    await asyncio.gather(plant.roll("service"), plant.roll("service", WhichKey.SECONDARY))
    after = await plant.policies.get(by_operator(Permission.POLICY_READ), "service")
    assert set(after.keys).isdisjoint(before.keys)


async def test_an_unknown_policy_is_answered_with_the_known_ones(plant: Plant) -> None:
    with pytest.raises(PolicyNotFound, match="iothubowner, service, device"):
        await plant.policies.get(by_operator(Permission.POLICY_READ), "nobody")
    with pytest.raises(PolicyNotFound):
        await plant.roll("nobody")


async def test_a_device_that_came_with_a_rolled_key_loses_its_session_and_others_stay(plant: Plant) -> None:
    await plant.registry.put_device(by_operator(Permission.REGISTRY_WRITE, PRESS), DeviceDraft(), if_match=None)
    other = identity("press-8")
    await plant.registry.put_device(by_operator(Permission.REGISTRY_WRITE, other), DeviceDraft(), if_match=None)
    sessions = {}
    for who, which in ((PRESS, WhichKey.PRIMARY), (other, WhichKey.SECONDARY)):
        session = sessions[who] = FakeSession(who)
        session.principal = await plant.gate.admit_device(claim(who, await plant.token("device", which)), ())
        plant.sessions.enter(session, judged_at=plant.sessions.notices)
    ended = asyncio.Event()
    sessions[PRESS].on_end = ended.set
    await plant.roll("device")
    async with asyncio.timeout(PATIENCE):
        await ended.wait()
    assert sessions[PRESS].ends == ["its right has ended"]
    assert sessions[other].ends == []


async def test_a_rolled_key_opens_the_rest_api_no_more(plant: Plant) -> None:
    old, other = await plant.token("iothubowner"), await plant.token("iothubowner", WhichKey.SECONDARY)
    assert await plant.status_of_rest(old) == 200
    await plant.roll("iothubowner")
    assert await plant.status_of_rest(old) == 401
    assert await plant.status_of_rest(other) == 200
    assert await plant.status_of_rest(await plant.token("iothubowner")) == 200


async def test_a_policy_is_made_with_keys_of_its_own_and_changed_without_new_ones(plant: Plant) -> None:
    grant = by_operator(Permission.POLICY_WRITE)
    made = await plant.policies.put(grant, "reader", frozenset({Right.REGISTRY_READ}))
    others = await plant.stores.policies.list_policies()
    assert len({key for policy in others for key in policy.keys}) == 2 * len(others) == 12
    changed = await plant.policies.put(grant, "READER", frozenset({Right.SERVICE_CONNECT}))
    assert changed == KnownPolicy("reader", made.keys, frozenset({Right.SERVICE_CONNECT}))
    assert await plant.known("reader") == changed


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "ü", "a\n"])
async def test_a_policy_must_have_a_name_and_a_right(plant: Plant, name: str) -> None:
    grant = by_operator(Permission.POLICY_WRITE)
    with pytest.raises(InvalidArgument):
        await plant.policies.put(grant, name, frozenset(Right))
    with pytest.raises(InvalidArgument):
        await plant.policies.put(grant, "reader", frozenset())


async def test_there_is_an_end_to_policies(plant: Plant) -> None:
    grant = by_operator(Permission.POLICY_WRITE)
    for number in range(MAX_POLICIES - len(BUILT_IN)):
        await plant.policies.put(grant, f"p{number}", frozenset(Right))
    with pytest.raises(TooManyPolicies):
        await plant.policies.put(grant, "one-more", frozenset(Right))
    await plant.policies.put(grant, "p0", frozenset({Right.REGISTRY_READ}))


async def test_a_policy_that_lost_its_right_or_is_gone_opens_the_rest_api_no_more(plant: Plant) -> None:
    grant = by_operator(Permission.POLICY_WRITE)
    await plant.policies.put(grant, "reader", frozenset({Right.REGISTRY_READ}))
    token = await plant.token("reader")
    assert await plant.status_of_rest(token) == 200
    await plant.policies.put(grant, "reader", frozenset({Right.DEVICE_CONNECT}))
    assert await plant.status_of_rest(token) == 401
    await plant.policies.put(grant, "reader", frozenset({Right.REGISTRY_READ}))
    assert await plant.status_of_rest(token) == 200
    await plant.policies.delete(grant, "Reader")
    assert await plant.status_of_rest(token) == 401
    assert plant.notices == [PolicyChanged("reader")] * 4
    with pytest.raises(PolicyNotFound):
        await plant.policies.delete(grant, "reader")


async def test_what_every_hub_has_stays(plant: Plant) -> None:
    for name in BUILT_IN:
        with pytest.raises(PolicyNeeded):
            await plant.policies.delete(by_operator(Permission.POLICY_WRITE), name.upper())
    assert len(await plant.stores.policies.list_policies()) == len(BUILT_IN)


class StoresThenFails:
    """A store whose answer is lost after the change was made."""

    def __init__(self, store: PolicyStore) -> None:
        self.known_policy, self.list_policies, self._put = store.known_policy, store.list_policies, store.put_policy
        self.delete_policy = store.delete_policy

    async def put_policy(self, policy: KnownPolicy) -> None:
        await self._put(policy)
        raise Unavailable("the disk did not answer")


async def test_sessions_are_judged_anew_although_the_answer_of_the_disk_was_lost(plant: Plant) -> None:
    policies = PolicyService(StoresThenFails(plant.stores.policies), plant.bus, plant.entropy)
    with pytest.raises(Unavailable):
        await policies.roll_key(by_operator(Permission.POLICY_WRITE), "device")
    await asyncio.sleep(0)
    assert plant.notices == [PolicyChanged("device")]
