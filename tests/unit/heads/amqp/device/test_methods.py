"""heads/amqp/device/methods.py"""

import asyncio

import pytest
from tests.fakes.amqp_client import correlation_of as correlation_sent
from tests.fakes.amqp_client import message
from tests.fakes.amqp_devices import PRESS, Device, method_answer
from tests.fakes.amqp_head import AmqpHub
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission
from ironhub.heads.amqp.device.methods import ANSWER_CREDIT, correlation_of, request_id_of
from ironhub.messaging.methods.model import (
    DeviceConnectionLost,
    DeviceNotOnline,
    MethodAnswer,
    MethodAnswerInvalid,
    MethodCall,
)
from ironhub.wire.amqp import Outcome

METHODS = "methods/devicebound"


def invoke(hub: AmqpHub, name: str = "stop", payload: bytes = b'{"now":1}') -> "asyncio.Task[MethodAnswer]":
    grant = by_operator(Permission.METHOD_INVOKE, PRESS)
    return asyncio.ensure_future(hub.amqp.methods.invoke(grant, MethodCall(name=name, payload=payload)))


async def test_a_call_goes_out_on_one_link_and_its_answer_comes_in_on_the_other(hub: AmqpHub, device: Device) -> None:
    answers = await device.sends(METHODS, pair="methods:1")
    calls = await device.receives(METHODS, pair="methods:1")
    waiting = invoke(hub)
    await device.settle()
    (call,) = calls.take()
    assert (call.application, call.body, call.settled) == ({"IoThub-methodname": "stop"}, b'{"now":1}', True)
    assert correlation_sent(call)[0] == 0x98
    sent = await device.transfer(answers, method_answer(call, 207, b"[true]"))
    assert await waiting == MethodAnswer(207, b"[true]")
    state = answers.states[sent]
    assert state is not None
    assert state.kind == Outcome.ACCEPTED


async def test_an_answer_that_is_sent_settled_gets_no_word(hub: AmqpHub, device: Device) -> None:
    answers, calls = await device.sends(METHODS), await device.receives(METHODS)
    waiting = invoke(hub)
    await device.settle()
    await device.transfer(answers, method_answer(calls.take()[0], 200, b""), settled=True)
    assert (await waiting, answers.states) == (MethodAnswer(200, b"null"), {})


async def test_a_device_answers_methods_as_soon_as_it_takes_calls(hub: AmqpHub, device: Device) -> None:
    await device.sends(METHODS)
    grant = by_operator(Permission.METHOD_INVOKE, PRESS)
    with pytest.raises(DeviceNotOnline):
        await hub.amqp.methods.invoke(grant, MethodCall(name="stop"))
    waiting = asyncio.ensure_future(hub.amqp.methods.invoke(grant, MethodCall(name="stop", connect_timeout=30)))
    await device.settle()
    calls = await device.receives(METHODS)
    await device.settle()
    assert len(calls.take()) == 1
    waiting.cancel()


async def test_calls_wait_for_credit(hub: AmqpHub, device: Device) -> None:
    calls = await device.receives(METHODS, credit=None)
    waiting = [invoke(hub, name) for name in ("one", "two")]
    await device.settle()
    assert calls.take() == []
    for name in ("one", "two"):
        device.client.grant(calls, 1)
        await device.settle()
        assert [call.application["IoThub-methodname"] for call in calls.take()] == [name]
    device.client.grant(calls, 5, drain=True)
    await device.settle()
    assert (calls.drained, calls.credit) == (1, 0)
    for task in waiting:
        task.cancel()


async def test_what_is_no_answer_is_rejected_with_a_reason(hub: AmqpHub, device: Device) -> None:
    answers = await device.sends(METHODS)
    for payload in (b"\x00\x53\x75\xa0\x05a", message(b"no status")):
        state = answers.states[await device.transfer(answers, payload)]
        assert state is not None
        assert (state.kind, state.error is not None) == (Outcome.REJECTED, True)


async def test_an_answer_that_is_no_json_is_the_devices_fault(hub: AmqpHub, device: Device) -> None:
    answers, calls = await device.sends(METHODS), await device.receives(METHODS)
    waiting = invoke(hub)
    await device.settle()
    await device.transfer(answers, method_answer(calls.take()[0], 200, b"{"))
    with pytest.raises(MethodAnswerInvalid):
        await waiting


async def test_an_answer_of_another_session_answers_nothing(hub: AmqpHub, device: Device) -> None:
    calls = await device.receives(METHODS)
    waiting = invoke(hub)
    await device.settle()
    (late,) = calls.take()
    device.client.close()
    await device.settle()
    with pytest.raises(DeviceConnectionLost):
        await waiting
    again = await Device.connected(hub, PRESS)
    answers, _ = await again.sends(METHODS), await again.receives(METHODS)
    waiting = invoke(hub)
    await again.settle()
    state = answers.states[await again.transfer(answers, method_answer(late, 200, b'"late"'))]
    assert state is not None
    assert (state.kind, waiting.done()) == (Outcome.ACCEPTED, False)
    waiting.cancel()


async def test_a_call_is_lost_with_the_last_link_of_the_device(hub: AmqpHub, device: Device) -> None:
    calls = await device.receives(METHODS, credit=None)
    waiting = invoke(hub)
    await device.settle()
    device.client.detach(calls)
    await device.settle()
    with pytest.raises(DeviceConnectionLost):
        await waiting


async def test_the_newest_link_of_a_pair_takes_the_calls_and_the_older_one_is_ended(
    hub: AmqpHub, device: Device
) -> None:
    old = await device.receives(METHODS, pair="methods:1")
    new = await device.receives(METHODS, pair="methods:1")
    assert (old.refusal, new.is_open) == ("amqp:link:stolen", True)
    other = await device.receives(METHODS, pair="methods:2")
    waiting = invoke(hub)
    await device.settle()
    assert (len(new.take()), len(other.take())) == (0, 1)
    device.client.detach(other)
    await device.settle()
    waiting.cancel()
    waiting = invoke(hub)
    await device.settle()
    assert len(new.take()) == 1
    waiting.cancel()


async def test_credit_for_answers_does_not_run_out(hub: AmqpHub, device: Device) -> None:
    answers = await device.sends(METHODS)
    for _ in range(ANSWER_CREDIT + 5):
        await device.transfer(answers, message(b""), settled=True)
    assert answers.is_open
    assert answers.credit > ANSWER_CREDIT // 2


def test_a_request_id_survives_its_uuid_in_its_own_session_only() -> None:
    mark = bytes(range(8))
    for request_id in ("1", "ff", "123456789abcdef"):
        assert request_id_of(mark, correlation_of(mark, request_id)) == request_id
        assert request_id_of(bytes(8), correlation_of(mark, request_id)) is None
    assert request_id_of(mark, b"") is request_id_of(mark, mark) is None
