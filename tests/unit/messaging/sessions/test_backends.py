import asyncio
import logging
import math

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import settle, until

from ironhub.access.model import Permission
from ironhub.access.policies import PolicyService, WhichKey
from ironhub.core.bus import PolicyChanged
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate
from ironhub.identity.model import KnownPolicy, Right, ServicePrincipal
from ironhub.identity.sas import make_sas_token
from ironhub.messaging.sessions import judging
from ironhub.messaging.sessions.backends import LiveBackends
from ironhub.messaging.sessions.ports import HUB_STOPS
from ironhub.streams.inproc import InprocBus

RIGHT = "its right has ended"
WRITE = by_operator(Permission.POLICY_WRITE)


class Backend:
    """Implements BackendSession; notes its ends."""

    def __init__(self, principal: ServicePrincipal) -> None:
        self.principal = principal
        self.ends: list[str] = []

    def end_backend(self, principal: ServicePrincipal, reason: str) -> None:
        if principal is self.principal:
            self.ends.append(reason)


class Plant(SmallHub):
    """Live back ends over the product's own gate, stores and policy service."""

    def __init__(self) -> None:
        super().__init__()
        stores = self.stores
        self.gate = Gate(
            stores.devices, stores.policies, stores.authority_source, HubNames(["hub.example"]), self.clock
        )
        self.backends = LiveBackends(self.bus, self.gate.still_admits)
        self.policies = PolicyService(stores.policies, self.bus, self.entropy)

    async def policy(self, name: str, *rights: Right) -> KnownPolicy:
        return await self.policies.put(WRITE, name, frozenset(rights or {Right.SERVICE_CONNECT}))

    async def admitted(self, policy: KnownPolicy, key: bytes | None = None) -> ServicePrincipal:
        key = key or policy.keys.primary
        return await self.gate.admit_service(
            make_sas_token("hub.example", key, int(self.clock.now()) + 60, policy.name)
        )

    async def connect(self, policy: KnownPolicy, key: bytes | None = None) -> Backend:
        backend = Backend(await self.admitted(policy, key))
        self.backends.enter(backend, judged_at=self.backends.notices)
        return backend


@pytest.fixture
def plant() -> Plant:
    return Plant()


async def test_a_deleted_policy_ends_what_rests_on_it_and_nothing_else(plant: Plant) -> None:
    service, reader = await plant.policy("service"), await plant.policy("reader")
    one, two, other = await plant.connect(service), await plant.connect(service), await plant.connect(reader)
    await plant.policies.delete(WRITE, "SERVICE")
    await settle()
    assert (one.ends, two.ends, other.ends) == ([RIGHT], [RIGHT], [])


async def test_a_rolled_key_ends_those_who_signed_with_it(plant: Plant) -> None:
    policy = await plant.policy("service")
    first, second = await plant.connect(policy), await plant.connect(policy, policy.keys.secondary)
    await plant.policies.roll_key(WRITE, "service", WhichKey.PRIMARY)
    await settle()
    assert (first.ends, second.ends) == ([RIGHT], [])


async def test_a_right_that_was_taken_away_ends_those_who_had_it(plant: Plant) -> None:
    policy = await plant.policy("service", Right.SERVICE_CONNECT, Right.REGISTRY_READ)
    backend = await plant.connect(policy)
    await plant.policy("service", *Right)
    await settle()
    assert backend.ends == []
    await plant.policy("service", Right.SERVICE_CONNECT)
    await settle()
    assert backend.ends == [RIGHT]


async def test_who_left_is_not_ended(plant: Plant) -> None:
    policy = await plant.policy("service")
    backend, other = await plant.connect(policy), await plant.connect(policy)
    assert len(plant.backends) == 2
    plant.backends.leave(backend)
    plant.backends.leave(backend)
    assert len(plant.backends) == 1
    plant.backends.leave(other)
    await plant.policies.delete(WRITE, "service")
    await settle()
    assert backend.ends == other.ends == []


async def test_a_change_while_the_token_was_judged_is_not_missed(plant: Plant) -> None:
    policy = await plant.policy("service")
    judged_at = plant.backends.notices
    backend = Backend(await plant.admitted(policy))
    await plant.policies.delete(WRITE, "service")
    plant.backends.enter(backend, judged_at=judged_at)
    await settle()
    assert backend.ends == [RIGHT]


async def test_a_renewed_token_counts_from_then_on(plant: Plant) -> None:
    policy = await plant.policy("service")
    backend = await plant.connect(policy)
    backend.principal = await plant.admitted(policy, policy.keys.secondary)
    plant.backends.enter(backend, judged_at=plant.backends.notices)
    assert len(plant.backends) == 1
    await plant.policies.roll_key(WRITE, "service", WhichKey.PRIMARY)
    await settle()
    assert backend.ends == []


async def test_all_end_when_the_hub_stops_and_nobody_enters_any_more(plant: Plant) -> None:
    policy = await plant.policy("service")
    backend = await plant.connect(policy)
    plant.backends.end_all()
    late = await plant.connect(policy)
    assert backend.ends == late.ends == [HUB_STOPS]


def backend_of(policy: str) -> Backend:
    return Backend(ServicePrincipal(policy, frozenset(Right), "", math.inf))


async def test_who_cannot_be_judged_in_time_is_ended(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "JUDGEMENT_TIMEOUT", 0.01)
    bus = InprocBus()

    async def never(_: ServicePrincipal) -> bool:
        await asyncio.Event().wait()
        return True

    live, backend = LiveBackends(bus, never), backend_of("service")
    live.enter(backend, judged_at=0)
    with caplog.at_level(logging.ERROR):
        bus.publish(PolicyChanged("service"))
        await until(lambda: backend.ends == [RIGHT])
    assert "session_judgement_failed" in caplog.text


async def test_one_that_cannot_be_ended_keeps_no_other_alive(caplog: pytest.LogCaptureFixture) -> None:
    bus = InprocBus()

    async def bad(_: ServicePrincipal) -> bool:
        return False

    class Stubborn(Backend):
        def end_backend(self, principal: ServicePrincipal, reason: str) -> None:
            raise RuntimeError("no")

    live = LiveBackends(bus, bad)
    many = [Stubborn(backend_of("service").principal), *(backend_of("service") for _ in range(100))]
    for each in many:
        live.enter(each, judged_at=0)
    with caplog.at_level(logging.ERROR):
        bus.publish(PolicyChanged("Service"))
        await until(lambda: all(each.ends == [RIGHT] for each in many[1:]))
    assert "session_not_ended" in caplog.text
