import asyncio
import gc
import logging
import tracemalloc
from collections.abc import Callable

import pytest
from tests.fakes.grants import device_principal
from tests.fakes.sessions import FakeSession
from tests.fakes.trouble import settle, until

from ironhub.core.bus import AuthoritiesChanged, CommandQueued, CredentialsChanged, DesiredChanged, PolicyChanged
from ironhub.core.ids import Identity, identity
from ironhub.identity.model import DevicePrincipal, Proof
from ironhub.messaging.sessions import judging, service
from ironhub.messaging.sessions.ports import HUB_STOPS, LiveSession
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.streams.inproc import InprocBus

PRESS, LATHE = identity("press-7"), identity("lathe-1")
ARM, LEG = identity("press-7", "arm"), identity("press-7", "leg")
OVER = "taken over by a newer connection"
RIGHT = "its right has ended"


class Plant:
    """Live sessions, and what the test decides about them."""

    def __init__(self) -> None:
        self.bus = InprocBus()
        self.news: list[tuple[str, Identity]] = []
        self.revoked: set[Identity] = set()
        self.judged: list[LiveSession] = []
        self.sessions = LiveSessions(self.bus, self, self._judge)

    def came(self, who: Identity, model_id: str = "") -> None:
        self.news.append((f"came {model_id}".strip(), who))

    def went(self, who: Identity) -> None:
        self.news.append(("went", who))

    def connect(
        self, who: Identity = PRESS, *, proof: Proof = Proof.OWN_KEY, policy: str | None = None, model_id: str = ""
    ) -> FakeSession:
        session = FakeSession(who, proof=proof, policy=policy)
        self.sessions.enter(session, judged_at=self.sessions.notices, model_id=model_id)
        return session

    async def _judge(self, session: LiveSession) -> bool:
        self.judged.append(session)
        await asyncio.sleep(0)
        return session.principal.identity not in self.revoked


@pytest.fixture
def plant() -> Plant:
    return Plant()


async def test_another_model_on_a_newer_connection_is_told_as_a_departure_and_an_arrival(plant: Plant) -> None:
    plant.connect(model_id="dtmi:a;1")
    plant.connect(model_id="dtmi:a;1")
    newest = plant.connect(model_id="dtmi:a;2")
    plant.sessions.enter(newest, judged_at=plant.sessions.notices)
    assert plant.news == [("came dtmi:a;1", PRESS), ("went", PRESS), ("came dtmi:a;2", PRESS)]
    plant.sessions.leave(newest)
    plant.connect()
    assert plant.news[3:] == [("went", PRESS), ("came", PRESS)]


async def test_a_session_is_found_until_it_leaves(plant: Plant) -> None:
    session = plant.connect()
    assert plant.sessions.of(PRESS) is session
    assert len(plant.sessions) == 1
    plant.sessions.leave(session)
    assert plant.sessions.of(PRESS) is None
    assert len(plant.sessions) == 0
    assert plant.news == [("came", PRESS), ("went", PRESS)]


async def test_the_newest_connection_wins_and_nobody_went(plant: Plant) -> None:
    first, second = plant.connect(), plant.connect()
    assert (first.ends, second.ends) == ([OVER], [])
    assert plant.sessions.of(PRESS) is second
    plant.sessions.leave(first)
    plant.sessions.leave(first)
    assert plant.sessions.of(PRESS) is second
    assert plant.news == [("came", PRESS)]
    plant.sessions.leave(second)
    plant.sessions.leave(second)
    assert plant.news == [("came", PRESS), ("went", PRESS)]


async def test_a_session_that_leaves_while_it_is_ended_takes_nobody_with_it(plant: Plant) -> None:
    first = plant.connect()
    first.on_end = lambda: plant.sessions.leave(first)
    second = plant.connect()
    assert plant.sessions.of(PRESS) is second
    assert plant.news == [("came", PRESS)]


async def test_an_end_that_fails_does_not_keep_the_newcomer_out(plant: Plant) -> None:
    def fail() -> None:
        raise RuntimeError("the transport is closed")

    plant.connect().on_end = fail
    second = FakeSession(PRESS)
    with pytest.raises(RuntimeError):
        plant.sessions.enter(second, judged_at=0)
    assert plant.sessions.of(PRESS) is second


async def test_a_session_with_a_renewed_token_enters_again_and_is_not_ended(plant: Plant) -> None:
    session = plant.connect(proof=Proof.POLICY_KEY, policy="device")
    session.principal = device_principal(PRESS, proof=Proof.POLICY_KEY, policy="Gateway")
    plant.sessions.enter(session, judged_at=plant.sessions.notices)
    assert session.ends == []
    assert plant.news == [("came", PRESS)]
    plant.bus.publish(PolicyChanged("device"))
    await settle()
    assert plant.judged == []
    plant.bus.publish(PolicyChanged("GATEWAY"))
    await settle()
    assert plant.judged == [session]


async def test_a_principal_that_changed_unseen_leaves_no_trace_behind(plant: Plant) -> None:
    session = plant.connect(proof=Proof.POLICY_KEY, policy="device")
    session.principal = device_principal(PRESS)
    plant.sessions.leave(session)
    plant.connect()
    plant.bus.publish(PolicyChanged("device"))
    await settle()
    assert plant.judged == []


@pytest.mark.parametrize(
    ("notice", "ended"),
    [
        (CredentialsChanged(PRESS, whole_device=False), {PRESS}),
        (CredentialsChanged(PRESS, whole_device=True), {PRESS, ARM, LEG}),
        (CredentialsChanged(ARM, whole_device=False), {ARM}),
        (CredentialsChanged(identity("unknown"), whole_device=True), set()),
        (PolicyChanged("Device"), {LEG}),
        (PolicyChanged("other"), set()),
        (AuthoritiesChanged(), {LATHE}),
    ],
)
async def test_those_whose_right_has_ended_are_ended_and_nobody_else_is_judged(
    plant: Plant, notice: CredentialsChanged | PolicyChanged | AuthoritiesChanged, ended: set[Identity]
) -> None:
    connected = [
        plant.connect(PRESS),
        plant.connect(ARM),
        plant.connect(LEG, proof=Proof.POLICY_KEY, policy="device"),
        plant.connect(LATHE, proof=Proof.CHAIN),
    ]
    plant.revoked = {PRESS, ARM, LEG, LATHE}
    plant.bus.publish(notice)
    await settle()
    assert {session.principal.identity for session in connected if session.ends == [RIGHT]} == ended
    assert {session.principal.identity for session in plant.judged} == ended
    assert plant.sessions.notices == 1


async def test_a_session_that_is_still_good_stays(plant: Plant) -> None:
    session = plant.connect()
    plant.bus.publish(CredentialsChanged(PRESS, whole_device=True))
    await settle()
    assert (plant.judged, session.ends) == ([session], [])


async def test_a_right_that_changed_between_the_gate_and_the_entry_is_judged_again(plant: Plant) -> None:
    judged_at = plant.sessions.notices
    plant.bus.publish(CredentialsChanged(PRESS, whole_device=True))
    plant.revoked = {PRESS}
    session = FakeSession(PRESS)
    plant.sessions.enter(session, judged_at=judged_at)
    await settle()
    assert session.ends == [RIGHT]


async def test_a_judgement_that_fails_ends_the_session_and_the_others_are_judged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def judge(session: LiveSession) -> bool:
        if session.principal.identity == PRESS:
            raise RuntimeError("no disk")
        return session.principal.identity == LEG

    def fail() -> None:
        raise RuntimeError("the transport is closed")

    bus = InprocBus()
    sessions = LiveSessions(bus, Plant(), judge)
    press, arm, leg = FakeSession(PRESS), FakeSession(ARM), FakeSession(LEG)
    press.on_end = fail
    for session in (press, arm, leg):
        sessions.enter(session, judged_at=0)
    with caplog.at_level(logging.ERROR):
        bus.publish(CredentialsChanged(PRESS, whole_device=True))
        await settle()
    assert (press.ends, arm.ends, leg.ends) == ([RIGHT], [RIGHT], [])
    assert sorted(record.message for record in caplog.records) == ["session_judgement_failed", "session_not_ended"]


async def test_a_judgement_that_hangs_is_no_right(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def judge(session: LiveSession) -> bool:
        await asyncio.get_running_loop().create_future()
        return True

    assert judging.JUDGEMENT_TIMEOUT < 1.0
    monkeypatch.setattr(judging, "JUDGEMENT_TIMEOUT", 0.001)
    bus = InprocBus()
    sessions = LiveSessions(bus, Plant(), judge)
    session = FakeSession(PRESS)
    sessions.enter(session, judged_at=0)
    bus.publish(CredentialsChanged(PRESS, whole_device=False))
    await until(lambda: session.ends)
    assert session.ends == [RIGHT]


async def test_reading_long_revocation_lists_costs_nobody_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time a judgement may take begins when the changed authorities are read, once for all sessions."""
    monkeypatch.setattr(judging, "JUDGEMENT_TIMEOUT", 0.0)  # whoever waits is lost
    read, preparations = asyncio.Event(), 0

    async def prepare() -> None:
        nonlocal preparations
        preparations += 1
        await read.wait()

    async def judge(session: LiveSession) -> bool:
        if session.principal.proof is Proof.CHAIN:
            await read.wait()
        return session.principal.identity == PRESS

    bus = InprocBus()
    sessions = LiveSessions(bus, Plant(), judge, prepare)
    press, leg = FakeSession(PRESS, proof=Proof.CHAIN), FakeSession(LEG, proof=Proof.CHAIN)
    arm = FakeSession(ARM)
    for session in (press, leg, arm):
        sessions.enter(session, judged_at=0)
    bus.publish(AuthoritiesChanged())
    bus.publish(CredentialsChanged(PRESS, whole_device=True))
    await until(lambda: arm.ends)  # it rests on no authority, and waits for none
    await settle()
    assert (press.ends, leg.ends) == ([], [])
    read.set()
    await until(lambda: leg.ends)
    await settle()
    assert press.ends == []
    assert preparations == 1


@pytest.mark.parametrize("hangs", [False, True])
async def test_authorities_that_cannot_be_read_are_no_right(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, hangs: bool
) -> None:
    async def prepare() -> None:
        if not hangs:
            raise RuntimeError("no disk")
        await asyncio.get_running_loop().create_future()

    async def judge(_: LiveSession) -> bool:
        raise RuntimeError("no disk")

    monkeypatch.setattr(service, "PREPARATION_TIMEOUT", 0.001)
    bus = InprocBus()
    sessions = LiveSessions(bus, Plant(), judge, prepare)
    session = FakeSession(PRESS, proof=Proof.CHAIN)
    sessions.enter(session, judged_at=0)
    bus.publish(AuthoritiesChanged())
    await until(lambda: session.ends)
    assert session.ends == [RIGHT]
    assert caplog.records[0].message == "authorities_not_read"


async def test_ten_thousand_sessions_are_judged_side_by_side_and_never_all_at_once() -> None:
    busy = most = 0

    async def judge(session: LiveSession) -> bool:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1
        return False

    bus = InprocBus()
    sessions = LiveSessions(bus, Plant(), judge)
    connected = [FakeSession(identity(f"d{number}"), proof=Proof.CHAIN) for number in range(10_000)]
    for session in connected:
        sessions.enter(session, judged_at=0)
    bus.publish(AuthoritiesChanged())
    await until(lambda: all(session.ends for session in connected), 30)
    assert most == judging.JUDGEMENTS_AT_ONCE


async def test_whom_changed_authorities_seem_to_strike_is_judged_before_all_others() -> None:
    judged: list[Identity] = []
    prepared = False

    async def judge(session: LiveSession) -> bool:
        judged.append(session.principal.identity)
        return session.principal.identity != PRESS

    async def prepare() -> None:
        nonlocal prepared
        prepared = True

    def doubts(principal: DevicePrincipal) -> bool:
        assert prepared
        return principal.identity == PRESS

    bus = InprocBus()
    sessions = LiveSessions(bus, Plant(), judge, prepare, doubts)
    connected = [FakeSession(identity(f"d-{number}"), proof=Proof.CHAIN) for number in range(200)]
    press = FakeSession(PRESS, proof=Proof.CHAIN)
    for session in (*connected, press):
        sessions.enter(session, judged_at=0)
    bus.publish(AuthoritiesChanged())
    await until(lambda: len(judged) == 201)
    assert judged[0] == PRESS
    assert press.ends == [RIGHT]


async def test_others_are_served_while_ten_thousand_are_judged_by_a_judge_that_never_waits() -> None:
    plant, judged = Plant(), 0

    async def judge(_: LiveSession) -> bool:
        nonlocal judged
        judged += 1
        return True

    sessions = LiveSessions(plant.bus, plant, judge)
    for number in range(10_000):
        sessions.enter(FakeSession(identity(f"d-{number}"), proof=Proof.CHAIN), judged_at=0)
    plant.bus.publish(AuthoritiesChanged())
    await asyncio.sleep(0)
    for _ in range(20):
        before = judged
        await asyncio.sleep(0)
        assert judged - before <= judging.JUDGEMENTS_AT_ONCE
    await until(lambda: judged == 10_000)


async def test_news_for_a_device_reach_its_session_only(plant: Plant) -> None:
    press, arm = plant.connect(PRESS), plant.connect(ARM)
    for who in (PRESS, LATHE):
        plant.bus.publish(CommandQueued(who))
        plant.bus.publish(DesiredChanged(who, 3, {"speed": None}))
    assert (press.offers, press.desired) == (1, [(3, {"speed": None})])
    assert (arm.offers, arm.desired) == (0, [])
    assert plant.sessions.notices == 0


async def test_a_stop_of_the_hub_ends_everybody(plant: Plant) -> None:
    connected = [plant.connect(PRESS), plant.connect(ARM)]
    connected[0].on_end = lambda: plant.sessions.leave(connected[0])
    plant.sessions.end_all()
    assert [session.ends for session in connected] == [[HUB_STOPS]] * 2


async def test_nobody_enters_a_hub_that_stops(plant: Plant) -> None:
    plant.sessions.end_all()
    late = plant.connect()
    assert late.ends == [HUB_STOPS]
    assert plant.sessions.of(PRESS) is None
    assert plant.news == []


async def test_who_answers_methods_is_there_at_once(plant: Plant) -> None:
    session = plant.connect()
    assert await plant.sessions.wait_for_methods(PRESS, 0) is session


def connects(plant: Plant) -> None:
    plant.connect()


def subscribes(plant: Plant) -> None:
    session = plant.sessions.of(PRESS)
    assert isinstance(session, FakeSession)
    session.answers_methods = True
    plant.sessions.listens(PRESS)


def takes_over(plant: Plant) -> None:
    plant.connect()


@pytest.mark.parametrize(("deaf", "act"), [(False, connects), (True, subscribes), (True, takes_over)])
async def test_who_waits_for_methods_goes_on_when_the_device_can_answer(
    plant: Plant, deaf: bool, act: Callable[[Plant], None]
) -> None:
    if deaf:
        plant.connect().answers_methods = False
    waiting = [asyncio.create_task(plant.sessions.wait_for_methods(PRESS, 60)) for _ in range(2)]
    await settle()
    plant.sessions.listens(PRESS)  # not yet: a wake-up for nothing
    await settle()
    act(plant)
    assert await asyncio.gather(*waiting) == [plant.sessions.of(PRESS)] * 2


async def test_nobody_waits_for_methods_longer_than_asked(plant: Plant) -> None:
    plant.connect().answers_methods = False
    assert await plant.sessions.wait_for_methods(PRESS, 0) is None
    assert await plant.sessions.wait_for_methods(LATHE, 0.001) is None
    plant.sessions.listens(PRESS)


async def test_a_wait_that_is_cancelled_leaves_nothing_behind(plant: Plant) -> None:
    waiting = asyncio.create_task(plant.sessions.wait_for_methods(PRESS, 60))
    await settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert plant.sessions.__dict__["_waiting"] == {}


async def test_ten_thousand_connections_cost_little_and_leave_nothing(plant: Plant) -> None:
    kinds = [(Proof.OWN_KEY, None), (Proof.CHAIN, None), (Proof.POLICY_KEY, "device")]
    connected = [
        FakeSession(identity(f"d{number // 2}", "m" if number % 2 else None), proof=proof, policy=policy)
        for number in range(10_000)
        for proof, policy in [kinds[number % 3]]
    ]
    gc.collect()
    tracemalloc.start()
    for session in connected:
        plant.sessions.enter(session, judged_at=0)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(connected) < 700
    for session in connected:
        plant.sessions.leave(session)
    indexes = [value for value in plant.sessions.__dict__.values() if isinstance(value, dict | set)]
    assert len(indexes) >= 5
    assert not any(indexes)
