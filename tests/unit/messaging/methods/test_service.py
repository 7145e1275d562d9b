import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.grants import by_device, by_operator
from tests.fakes.services import SmallHub
from tests.fakes.sessions import FakeSession
from tests.fakes.trouble import settle, until

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.ids import Identity, identity
from ironhub.messaging.methods.model import (
    MAX_PAYLOAD,
    DeviceConnectionLost,
    DeviceNotOnline,
    MethodAnswer,
    MethodAnswerInvalid,
    MethodCall,
    MethodTimeout,
    TooManyCalls,
)
from ironhub.messaging.methods.service import MAX_CALLS_PER_DEVICE, MAX_NAME, MethodService
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.registry.model import DeviceNotFound, ModuleNotFound

PRESS, ARM, LATHE = identity("press-7"), identity("press-7", "arm"), identity("lathe-1")
CALL = MethodCall(name="reboot", payload=b'{"in":5}')
DONE = MethodAnswer(200, b'{"done":true}')


class Plant(SmallHub):
    """Devices that may be connected, and whoever calls them."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions = LiveSessions(self.bus, self, self._judge)
        self.methods = MethodService(self.sessions, self.devices)

    def came(self, who: Identity, model_id: str = "") -> None:
        pass

    def went(self, who: Identity) -> None:
        pass

    async def _judge(self, session: LiveSession) -> bool:
        return True

    def connect(self, who: Identity = PRESS) -> FakeSession:
        session = FakeSession(who)
        session.on_end = lambda: self.disconnect(session)
        self.sessions.enter(session, judged_at=0)
        return session

    def disconnect(self, session: FakeSession) -> None:
        """What a head does when the connection is over."""
        self.sessions.leave(session)
        self.methods.lost(session.principal.identity)

    def call(self, call: MethodCall = CALL, who: Identity = PRESS) -> asyncio.Task[MethodAnswer]:
        grant = by_operator(Permission.METHOD_INVOKE, who)
        return asyncio.create_task(self.methods.invoke(grant, call))

    def answer(self, request_id: str, answer: MethodAnswer = DONE, who: Identity = PRESS) -> None:
        self.methods.answer(by_device(Permission.METHOD_ANSWER, who), request_id, answer)

    @property
    def waiting(self) -> int:
        return sum(len(calls) for calls in self.methods.__dict__["_calls"].values())


@pytest.fixture
async def plant() -> Any:
    """A plant that must have nobody waiting at the end, and no error that nobody read."""
    plant, unread = Plant(), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unread.append(context["message"]))
    await plant.register(PRESS, ARM, LATHE)
    yield plant
    await settle()
    gc.collect()
    assert plant.methods.__dict__["_calls"] == {}
    assert plant.sessions.__dict__["_waiting"] == {}
    assert unread == []


async def test_the_devices_own_status_and_payload_come_back(plant: Plant) -> None:
    session = plant.connect()
    calling = plant.call()
    await until(lambda: session.calls)
    [called] = session.calls
    assert (called.name, called.payload) == ("reboot", b'{"in":5}')
    plant.answer(called.request_id, MethodAnswer(-7, b' [1, "x"] '))
    assert await calling == MethodAnswer(-7, b'[1, "x"]')


@pytest.mark.parametrize("given", [b"", b"  ", b"null"])
async def test_no_payload_is_null_both_ways(plant: Plant, given: bytes) -> None:
    session = plant.connect()
    calling = plant.call(MethodCall(name="reboot", payload=given.strip()))
    await until(lambda: session.calls)
    assert session.calls[0].payload == b"null"
    plant.answer(session.calls[0].request_id, MethodAnswer(200, given))
    assert (await calling).payload == b"null"


async def test_calls_at_once_are_kept_apart(plant: Plant) -> None:
    press, arm = plant.connect(PRESS), plant.connect(ARM)
    calls = [plant.call(MethodCall(name=f"m{number}")) for number in range(20)]
    other = plant.call(who=ARM)
    await until(lambda: len(press.calls) == 20 and arm.calls)
    for called in reversed(press.calls):
        plant.answer(called.request_id, MethodAnswer(200, b'"%s"' % called.name.encode()))
    assert [(await call).payload for call in calls] == [b'"m%d"' % number for number in range(20)]
    plant.answer(arm.calls[0].request_id, who=ARM)
    assert await other == DONE


async def test_an_answer_of_another_identity_matches_nothing(plant: Plant) -> None:
    session = plant.connect(ARM)
    calling = plant.call(who=ARM)
    await until(lambda: session.calls)
    for who in (PRESS, LATHE):
        plant.answer(session.calls[0].request_id, MethodAnswer(200, b'"forged"'), who)
    plant.answer(session.calls[0].request_id, who=ARM)
    assert await calling == DONE


async def test_only_the_first_answer_counts_and_unknown_ones_are_dropped(plant: Plant) -> None:
    session = plant.connect()
    plant.answer("1")
    calling = plant.call()
    await until(lambda: session.calls)
    plant.answer("no such call")
    plant.answer(session.calls[0].request_id)
    plant.answer(session.calls[0].request_id, MethodAnswer(500, b"2"))
    assert await calling == DONE
    plant.answer(session.calls[0].request_id)


async def test_nobody_can_answer_before_the_call_was_sent(plant: Plant) -> None:
    calling = plant.call(MethodCall(name="reboot", connect_timeout=60))
    await until(lambda: plant.waiting)
    for number in range(100):
        plant.answer(f"{number:x}", MethodAnswer(200, b'"guessed"'))
    session = plant.connect()
    await until(lambda: session.calls)
    plant.answer(session.calls[0].request_id)
    assert await calling == DONE


@pytest.mark.parametrize("connected", [False, True])
async def test_a_device_that_is_not_there_or_deaf_is_not_online(plant: Plant, connected: bool) -> None:
    if connected:
        plant.connect().answers_methods = False
    with pytest.raises(DeviceNotOnline) as refused:
        await plant.call()
    assert refused.value.waited == 0.0
    with pytest.raises(DeviceNotOnline) as refused:
        await plant.call(MethodCall(name="reboot", connect_timeout=0.001))
    assert refused.value.waited == 0.001


async def test_a_device_that_connects_in_time_is_called(plant: Plant) -> None:
    calling = plant.call(MethodCall(name="reboot", connect_timeout=60))
    await until(lambda: plant.waiting)
    plant.methods.lost(PRESS)  # an old connection of it: no concern of who waits for the next
    session = plant.connect()
    await until(lambda: session.calls)
    plant.answer(session.calls[0].request_id)
    assert await calling == DONE


async def test_a_silent_device_is_waited_for_so_long_and_its_late_answer_dropped(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = plant.connect()
    timeouts: list[float | None] = []
    real = asyncio.timeout

    def soon(delay: float | None) -> asyncio.Timeout:
        timeouts.append(delay)
        return real(0.001)

    monkeypatch.setattr(asyncio, "timeout", soon)
    with pytest.raises(MethodTimeout):
        await plant.call(MethodCall(name="reboot", response_timeout=7.0, connect_timeout=3.0))
    assert timeouts == [3.0, 7.0]
    plant.answer(session.calls[0].request_id)


async def test_the_end_of_the_connection_ends_the_call(plant: Plant) -> None:
    session = plant.connect()
    calls = [plant.call(), plant.call()]
    await until(lambda: len(session.calls) == 2)
    plant.disconnect(session)
    plant.disconnect(session)
    for call in calls:
        with pytest.raises(DeviceConnectionLost):
            await call


async def test_a_takeover_ends_the_calls_of_the_old_connection_only(plant: Plant) -> None:
    old = plant.connect()
    lost = plant.call()
    await until(lambda: old.calls)
    old.on_end = lambda: None  # its head notices later
    new = plant.connect()
    kept = plant.call()
    await until(lambda: new.calls)
    plant.disconnect(old)
    with pytest.raises(DeviceConnectionLost):
        await lost
    plant.answer(new.calls[0].request_id)
    assert await kept == DONE


@pytest.mark.parametrize(
    "payload", [b"{", b"not json", b'{"a":1,"a":2}', b"\xff", b"NaN", b"[" * 5000, b'"%s"' % (b"x" * MAX_PAYLOAD)]
)
async def test_an_answer_that_is_no_json_or_too_much_is_the_devices_mistake(plant: Plant, payload: bytes) -> None:
    session = plant.connect()
    calling = plant.call()
    await until(lambda: session.calls)
    plant.answer(session.calls[0].request_id, MethodAnswer(200, payload))
    with pytest.raises(MethodAnswerInvalid):
        await calling


async def test_so_many_calls_wait_for_a_device_and_no_more(plant: Plant) -> None:
    session = plant.connect()
    calls = [plant.call() for _ in range(MAX_CALLS_PER_DEVICE)]
    await until(lambda: len(session.calls) == MAX_CALLS_PER_DEVICE)
    with pytest.raises(TooManyCalls):
        await plant.call()
    with pytest.raises(DeviceNotOnline):
        await plant.call(who=LATHE)
    for called in session.calls:
        plant.answer(called.request_id)
    await asyncio.gather(*calls)
    plant.disconnect(session)
    patient = [plant.call(MethodCall(name="reboot", connect_timeout=60)) for _ in range(MAX_CALLS_PER_DEVICE)]
    await until(lambda: plant.waiting == MAX_CALLS_PER_DEVICE)
    with pytest.raises(TooManyCalls):
        await plant.call()
    for call in patient:
        call.cancel()
    await asyncio.wait(patient)


async def test_a_caller_who_hangs_up_leaves_nothing_behind(plant: Plant) -> None:
    session = plant.connect()
    calling = plant.call()
    await until(lambda: session.calls)
    calling.cancel()
    await asyncio.wait([calling])
    plant.answer(session.calls[0].request_id)
    plant.disconnect(session)


def answers(plant: Plant, session: FakeSession) -> None:
    plant.answer(session.calls[0].request_id, MethodAnswer(200, b"no json"))


def disconnects(plant: Plant, session: FakeSession) -> None:
    plant.disconnect(session)


@pytest.mark.parametrize("act", [answers, disconnects])
async def test_an_error_for_a_caller_who_hangs_up_in_the_same_moment_is_no_alarm(
    plant: Plant, act: Callable[[Plant, FakeSession], None]
) -> None:
    session = plant.connect()
    calling = plant.call()
    await until(lambda: session.calls)
    act(plant, session)
    calling.cancel()
    await asyncio.wait([calling])


async def test_a_connection_that_breaks_while_the_call_is_sent_leaves_nothing_behind(plant: Plant) -> None:
    session = plant.connect()

    def broken(request_id: str, name: str, payload: bytes) -> None:
        plant.disconnect(session)
        raise RuntimeError("the transport is closed")

    session.call_method = broken  # type: ignore[method-assign]  # a head with a bug
    with pytest.raises(RuntimeError):
        await plant.call()


async def test_strangers_are_not_found(plant: Plant) -> None:
    with pytest.raises(DeviceNotFound):
        await plant.call(who=identity("nobody"))
    with pytest.raises(DeviceNotFound):
        await plant.call(who=identity("nobody", "arm"))
    with pytest.raises(ModuleNotFound):
        await plant.call(who=identity("press-7", "leg"))
    plant.trouble.refusals = 1
    with pytest.raises(Unavailable):
        await plant.call()


@pytest.mark.parametrize(
    "call",
    [
        MethodCall(name=""),
        MethodCall(name="x" * (MAX_NAME + 1)),
        *(MethodCall(name=f"a{forbidden}b") for forbidden in '$()<>@,;:\\"/[]?={} \t\n\x00é'),
        MethodCall(name="a", payload=b"x" * (MAX_PAYLOAD + 1)),
        MethodCall(name="a", response_timeout=4.9),
        MethodCall(name="a", response_timeout=300.1),
        MethodCall(name="a", response_timeout=float("nan")),
        MethodCall(name="a", connect_timeout=-0.1),
        MethodCall(name="a", connect_timeout=300.1),
        MethodCall(name="a", connect_timeout=float("nan")),
    ],
)
async def test_a_call_out_of_bounds_reaches_nobody(plant: Plant, call: MethodCall) -> None:
    session = plant.connect()
    with pytest.raises(InvalidArgument):
        await plant.call(call)
    assert session.calls == []


@pytest.mark.parametrize(
    "call",
    [
        MethodCall(name="x" * MAX_NAME),
        MethodCall(name="a-b_c.d!e~f*g'h%i+j&k#l^m|n`o"),
        MethodCall(name="a", payload=b'"%s"' % (b"x" * (MAX_PAYLOAD - 2)), response_timeout=5, connect_timeout=300),
    ],
)
async def test_a_call_at_the_bounds_reaches_the_device(plant: Plant, call: MethodCall) -> None:
    session = plant.connect()
    calling = plant.call(call)
    await until(lambda: session.calls)
    plant.answer(session.calls[0].request_id)
    assert await calling == DONE


async def test_each_operation_needs_its_own_grant(plant: Plant) -> None:
    with pytest.raises(PermissionDenied):
        await plant.methods.invoke(by_operator(Permission.COMMAND_SEND, PRESS), CALL)
    with pytest.raises(PermissionDenied):
        plant.methods.answer(by_device(Permission.TWIN_REPORT, PRESS), "1", DONE)
