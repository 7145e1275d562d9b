"""heads/amqp/device/twin.py"""

from functools import partial

import pytest
from tests.fakes.amqp_client import correlation_of
from tests.fakes.amqp_devices import (
    ARM,
    PRESS,
    Device,
    get_twin,
    json_of,
    observe_twin,
    patch_twin,
    status_of,
    twin_request,
)
from tests.fakes.amqp_head import AmqpHub
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission
from ironhub.heads.amqp.device import twin
from ironhub.identity.model import Right
from ironhub.messaging.sessions.ports import TAKEN_OVER
from ironhub.wire.amqp import Outcome

TWIN = "twin"


@pytest.fixture
async def device(hub: AmqpHub) -> Device:
    return await Device.connected(hub, PRESS, ARM)


async def desire(hub: AmqpHub, **desired: object) -> None:
    await hub.amqp.twins.update(
        by_operator(Permission.TWIN_WRITE, PRESS), tags=None, desired=dict(desired), if_match=None
    )


async def reported(hub: AmqpHub) -> dict[str, object]:
    return (await hub.amqp.twins.read(by_operator(Permission.TWIN_READ, PRESS))).reported.properties


async def test_a_twin_is_read_and_changed(hub: AmqpHub, device: Device) -> None:
    await desire(hub, speed=3)
    requests = await device.sends(TWIN, pair="twin:1", settle=1)
    replies = await device.receives(TWIN, pair="twin:1", settle=(1, 0))
    await device.transfer(requests, patch_twin(b'{"a": 1}', "p"), settled=True)
    await device.transfer(requests, get_twin("g"), settled=True)
    patched, read = replies.take()
    assert (status_of(patched), patched.annotations["version"], patched.body) == ((200, "p"), 2, b"")
    assert status_of(read) == (200, "g")
    assert json_of(read) == {"desired": {"speed": 3, "$version": 2}, "reported": {"a": 1, "$version": 2}}
    assert (patched.settled, read.settled) == (True, True)
    assert await reported(hub) == {"a": 1}


async def test_a_module_has_a_twin_of_its_own(hub: AmqpHub, device: Device) -> None:
    requests, replies = await device.sends(TWIN, ARM), await device.receives(TWIN, ARM)
    sent = await device.transfer(requests, patch_twin(b'{"arm": 1}'))
    state = requests.states[sent]
    assert state is not None
    assert (state.kind, len(replies.take()), await reported(hub)) == (Outcome.ACCEPTED, 1, {})


async def test_requests_are_answered_in_their_order_each_with_its_own_correlation(hub: AmqpHub, device: Device) -> None:
    requests, replies = await device.sends(TWIN), await device.receives(TWIN)
    wanted = [f"c{number}" for number in range(10)]
    await device.together(*[partial(device.client.transfer, requests, get_twin(each), settled=True) for each in wanted])
    assert [status_of(reply)[1] for reply in replies.take()] == wanted


async def test_requests_wait_for_the_link_that_takes_their_answers(hub: AmqpHub, device: Device) -> None:
    requests = await device.sends(TWIN)
    await device.transfer(requests, patch_twin(b'{"a": 1}'), settled=True)
    assert await reported(hub) == {}
    replies = await device.receives(TWIN)
    assert len(replies.take()) == 1
    assert await reported(hub) == {"a": 1}


async def test_requests_wait_for_the_link_of_their_own_pair(hub: AmqpHub, device: Device) -> None:
    requests, other = await device.sends(TWIN, pair="a"), await device.receives(TWIN, pair="b")
    await device.transfer(requests, get_twin(), settled=True)
    assert other.take() == []
    assert len((await device.receives(TWIN, pair="a")).take()) == 1


async def test_what_waits_for_a_link_for_answers_is_bounded_in_bytes(hub: AmqpHub, device: Device) -> None:
    large = patch_twin(b'{"a": "' + b"x" * 200_000 + b'"}')
    send = partial(device.transfer, payload=large, settled=True, pieces=4)
    requests = await device.sends(TWIN)
    for _ in range(2):
        await send(requests)
    assert requests.refusal == ""
    await send(requests)
    assert requests.refusal == "amqp:resource-limit-exceeded"
    again = await device.sends(TWIN)
    await send(again)
    replies = await device.receives(TWIN)
    for _ in range(3):
        await send(again)
    assert (again.refusal, len(replies.take())) == ("", 4)  # what was taken up does not count any more


async def test_notices_come_from_the_request_for_them_until_the_request_for_none(hub: AmqpHub, device: Device) -> None:
    requests, replies = await device.sends(TWIN), await device.receives(TWIN)
    await desire(hub, speed=1)
    await device.transfer(requests, observe_twin(), settled=True)
    await desire(hub, speed=2, old=None)
    await device.settle()
    confirmed, notice = replies.take()
    assert status_of(confirmed)[0] == 200
    assert (json_of(notice), correlation_of(notice)) == ({"speed": 2, "old": None, "$version": 3}, b"\x40")
    await device.transfer(requests, observe_twin("DELETE"), settled=True)
    await desire(hub, speed=3)
    await device.settle()
    assert len(replies.take()) == 1


async def test_notices_go_to_the_pair_that_asked_for_them(hub: AmqpHub, device: Device) -> None:
    one, _ = await device.sends(TWIN, pair="a"), await device.sends(TWIN, pair="b")
    first, second = await device.receives(TWIN, pair="a"), await device.receives(TWIN, pair="b")
    await device.transfer(one, observe_twin(), settled=True)
    await desire(hub, speed=2)
    await device.settle()
    assert (len(first.take()), len(second.take())) == (2, 0)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (patch_twin(b"{"), 400),
        (patch_twin(b'{"a": "' + b"x" * 5000 + b'"}'), 400),
        (twin_request("BREW"), 400),
        (twin_request("PATCH", "/properties/desired", b"{}"), 400),
    ],
    ids=["no-json", "too-long", "no-operation", "not-its-own"],
)
async def test_a_refusal_is_an_answer_too(hub: AmqpHub, device: Device, request_: bytes, status: int) -> None:
    requests, replies = await device.sends(TWIN), await device.receives(TWIN)
    await device.transfer(requests, request_, settled=True)
    (refused,) = replies.take()
    assert status_of(refused)[0] == status
    assert json_of(refused)["errorCode"] // 1000 == status
    assert requests.is_open


async def test_a_store_out_of_order_is_an_answer_too(hub: AmqpHub, device: Device) -> None:
    requests, replies = await device.sends(TWIN), await device.receives(TWIN)
    hub.trouble.refusals = 1
    await device.transfer(requests, get_twin(), settled=True)
    assert status_of(replies.take()[0])[0] == 503


async def test_what_cannot_be_read_is_rejected_or_ends_the_link(hub: AmqpHub, device: Device) -> None:
    requests, _ = await device.sends(TWIN), await device.receives(TWIN)
    state = requests.states[await device.transfer(requests, b"\x00\x53\x75\xa0\x05a")]
    assert state is not None
    assert (state.kind, state.error is not None) == (Outcome.REJECTED, True)
    await device.transfer(requests, b"\x00\x53\x75\xa0\x05a", settled=True)
    assert requests.refusal == "amqp:decode-error"


async def test_answers_wait_for_credit_and_then_requests_and_nothing_is_lost(hub: AmqpHub, device: Device) -> None:
    requests = await device.sends(TWIN)
    replies = await device.receives(TWIN, credit=None)
    await device.transfer(requests, patch_twin(b'{"a": "' + b"x" * 3000 + b'"}'), settled=True)
    reads = 0
    while requests.credit > 0:
        await device.transfer(requests, get_twin(), settled=True)
        reads += 1
    assert twin.CREDIT <= reads < 200
    assert hub.trouble.calls.count("get_twin") < 40  # most of them are not even made
    device.client.grant(replies, 1000)
    await device.settle()
    assert len(replies.take()) == reads + 1
    assert requests.credit >= twin.CREDIT // 2


async def test_who_drains_the_link_of_answers_gets_its_credit_back(hub: AmqpHub, device: Device) -> None:
    replies = await device.receives(TWIN, credit=None)
    device.client.grant(replies, 5, drain=True)
    await device.settle()
    assert (replies.drained, replies.credit) == (1, 0)


async def test_who_follows_its_twin_and_takes_no_notices_must_begin_anew(
    hub: AmqpHub, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin, "MAX_NOTICES", 3)
    requests, replies = await device.sends(TWIN), await device.receives(TWIN, credit=1)
    await device.transfer(requests, observe_twin(), settled=True)
    for number in range(3):
        await desire(hub, n=number)
    await device.settle()
    assert replies.is_open
    await desire(hub, n=4)
    await device.settle()
    assert replies.refusal == "amqp:resource-limit-exceeded"
    await desire(hub, n=5)
    assert hub.sessions.of(PRESS) is not None


@pytest.mark.parametrize(("reason", "stored"), [(TAKEN_OVER, {"a": 1}), ("its right has ended", {})])
async def test_what_was_asked_before_the_end_is_done_unless_the_right_has_ended(
    hub: AmqpHub, device: Device, reason: str, stored: dict[str, object]
) -> None:
    requests, _ = await device.sends(TWIN), await device.receives(TWIN)
    session = hub.sessions.of(PRESS)
    assert session is not None
    device.peer.conversation.when_read(lambda: session.end(reason))
    await device.transfer(requests, patch_twin(b'{"a": 1}'), settled=True)
    assert await reported(hub) == stored


@pytest.mark.parametrize("end", ["the policy is deleted", "the token expires"])
async def test_what_was_asked_by_a_policys_token_is_dropped_when_its_right_ends(hub: AmqpHub, end: str) -> None:
    token = await hub.policy_token("device", Right.DEVICE_CONNECT, life=10.0)
    device = Device(hub, await hub.connected(token))
    await device.transfer(await device.sends(TWIN), patch_twin(b'{"a": 1}'), settled=True)
    if end == "the token expires":
        hub.clock.advance(400.0)
        device.peer.conversation.on_timer()
    else:
        await hub.policies.delete(by_operator(Permission.POLICY_WRITE), "device")
    await device.settle()
    assert hub.sessions.of(PRESS) is None
    assert await reported(hub) == {}


async def test_what_waited_for_a_link_for_answers_is_done_when_the_connection_ends(
    hub: AmqpHub, device: Device
) -> None:
    requests = await device.sends(TWIN)
    await device.transfer(requests, patch_twin(b'{"a": 1}'), settled=True)
    device.client.close()
    await device.settle()
    assert await reported(hub) == {"a": 1}


async def test_a_bug_ends_the_link_so_that_nobody_waits_for_ever(
    hub: AmqpHub, device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    requests, _ = await device.sends(TWIN), await device.receives(TWIN)
    hub.twins.get_twin = None  # type: ignore[assignment,method-assign]
    await device.transfer(requests, get_twin(), settled=True)
    assert requests.refusal == "amqp:internal-error"
    assert "device_request_failed" in caplog.text


async def test_a_newer_link_of_the_same_pair_takes_the_answers(hub: AmqpHub, device: Device) -> None:
    requests, old = await device.sends(TWIN, pair="t"), await device.receives(TWIN, pair="t")
    new = await device.receives(TWIN, pair="t")
    await device.transfer(requests, get_twin(), settled=True)
    assert (old.refusal, len(new.take())) == ("amqp:link:stolen", 1)


async def test_a_request_for_notices_without_a_link_for_them_does_nothing(hub: AmqpHub, device: Device) -> None:
    requests = await device.sends(TWIN)
    await device.transfer(requests, observe_twin(), settled=True)
    device.client.close()
    await device.settle()
    assert hub.sessions.of(PRESS) is None
