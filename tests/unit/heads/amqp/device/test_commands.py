"""heads/amqp/device/commands.py"""

from uuid import UUID

import pytest
from tests.fakes.amqp_client import ClientLink
from tests.fakes.amqp_devices import PRESS, Device, send_command, waiting_commands
from tests.fakes.amqp_head import AmqpHub
from tests.fakes.grants import by_device, by_operator

from ironhub.access.model import Permission
from ironhub.core.ids import Identity
from ironhub.heads.amqp.device import commands
from ironhub.messaging.commands.model import Ack, Outcome
from ironhub.wire.amqp.outcomes import ACCEPTED, MODIFIED, RECEIVED, REJECTED, RELEASED
from ironhub.wire.amqp.values import Uuid

DEVICEBOUND = "messages/devicebound"


async def outcomes(hub: AmqpHub) -> list[Outcome]:
    records = await hub.amqp.commands.feedback(by_operator(Permission.FEEDBACK_READ), after=0, limit=100)
    return [record.outcome for record in records]


def bodies(link: ClientLink) -> list[bytes]:
    return [message.body for message in link.take()]


async def sweep(hub: AmqpHub) -> None:
    """End the locks that ran out, as the hub's own task does."""
    for who in await hub.stores.commands.expire_commands(now=hub.clock.now(), max_delivery_count=10, limit=100):
        told: Identity = who
        session = hub.sessions.of(told)
        assert session is not None
        session.offer_commands()


async def test_what_waits_and_what_comes_later_is_handed_out_in_order(hub: AmqpHub, device: Device) -> None:
    await send_command(hub, b"waited")
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"later", properties={"k": "v"}, ack=Ack.FULL)
    await device.settle()
    first, second = link.take()
    assert (first.body, second.body) == (b"waited", b"later")
    assert second.application == {"k": "v", "iothub-ack": "full"}
    token = second.annotations["x-opt-lock-token"]
    assert isinstance(token, Uuid)
    assert (second.tag, second.settled) == (token.sixteen, False)
    assert UUID(bytes=second.tag).version == 4


@pytest.mark.parametrize(
    ("kind", "outcome", "left"),
    [
        (ACCEPTED, [Outcome.SUCCESS], 0),
        (REJECTED, [Outcome.REJECTED], 0),
        (RELEASED, [], 1),
        (MODIFIED, [], 1),
    ],
)
async def test_the_devices_word_decides_what_becomes_of_it(
    hub: AmqpHub, device: Device, kind: int, outcome: list[Outcome], left: int
) -> None:
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go", ack=Ack.FULL)
    await device.settle()
    (message,) = link.take()
    device.client.dispose(link, message.delivery_id, kind=kind)
    await device.settle()
    assert await outcomes(hub) == outcome
    assert await waiting_commands(hub) == left
    again = [(each.body, each.annotations["iothub-deliverycount"]) for each in link.take()]
    assert again == [(b"go", 1)] * left


async def test_a_device_that_settles_second_gets_its_answer(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND, settle=(0, 1))
    await send_command(hub, b"go")
    await device.settle()
    (message,) = link.take()
    device.client.dispose(link, message.delivery_id, kind=RECEIVED, settled=False)
    await device.settle()
    assert await waiting_commands(hub) == 1
    device.client.dispose(link, message.delivery_id, settled=False)
    await device.settle()
    assert await waiting_commands(hub) == 0


async def test_a_device_that_wants_them_settled_completes_them_by_their_being_sent(
    hub: AmqpHub, device: Device
) -> None:
    link = await device.receives(DEVICEBOUND, settle=(1, 0))
    await send_command(hub, b"go", ack=Ack.FULL)
    await device.settle()
    assert [(message.body, message.settled) for message in link.take()] == [(b"go", True)]
    assert await outcomes(hub) == [Outcome.SUCCESS]


async def test_each_costs_one_credit_and_without_it_nothing_is_held(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND, credit=None)
    for number in range(3):
        await send_command(hub, b"%d" % number)
    await device.settle()
    assert bodies(link) == []
    device.client.grant(link, 2)
    await device.settle()
    assert bodies(link) == [b"0", b"1"]
    device.client.grant(link, 5)
    await device.settle()
    assert bodies(link) == [b"2"]


async def test_who_drains_gets_what_there_is_and_its_credit_back(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND, credit=None)
    await send_command(hub, b"go")
    device.client.grant(link, 10, drain=True)
    await device.settle()
    assert (bodies(link), link.drained, link.credit) == ([b"go"], 1, 0)
    device.client.grant(link, 10, drain=True)
    await device.settle()
    assert (bodies(link), link.drained) == ([], 2)


async def test_who_drains_while_all_it_may_hold_is_out_gets_its_credit_back(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND, credit=commands.WINDOW)
    for _ in range(commands.WINDOW):
        await send_command(hub, b"x")
    await device.settle()
    device.client.grant(link, 10, drain=True)
    await device.settle()
    assert (len(bodies(link)), link.drained) == (commands.WINDOW, 1)


async def test_what_a_link_did_not_settle_comes_again_uncounted_on_the_next(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go")
    await device.settle()
    assert bodies(link) == [b"go"]
    device.client.detach(link)
    await device.settle()
    (message,) = (await device.receives(DEVICEBOUND)).take()
    assert (message.body, message.annotations["iothub-deliverycount"]) == (b"go", 0)


async def test_what_was_settled_at_the_very_end_counts(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go", ack=Ack.FULL)
    await device.settle()
    (message,) = link.take()
    await device.together(lambda: device.client.dispose(link, message.delivery_id), lambda: device.client.detach(link))
    assert await outcomes(hub) == [Outcome.SUCCESS]


async def test_what_is_settled_when_the_right_has_ended_is_released(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go", ack=Ack.FULL)
    await device.settle()
    (message,) = link.take()
    session = hub.sessions.of(PRESS)
    assert session is not None
    device.peer.conversation.when_read(lambda: session.end("its right has ended"))
    device.client.dispose(link, message.delivery_id)
    await device.settle()
    assert (await outcomes(hub), await waiting_commands(hub)) == ([], 1)
    held = await hub.amqp.commands.receive(by_device(Permission.COMMAND_RECEIVE, PRESS), owner="other")
    assert len(held) == 1


async def test_a_lock_ends_by_itself_and_a_late_word_changes_nothing(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go", ack=Ack.FULL, expires_at=hub.clock.now() + 3600)
    await device.settle()
    (message,) = link.take()
    hub.clock.advance(hub.amqp.commands.lock_duration)
    await sweep(hub)
    await device.settle()
    (again,) = link.take()
    assert again.annotations["iothub-deliverycount"] == 1
    device.client.dispose(link, message.delivery_id, kind=REJECTED)
    await device.settle()
    assert (await outcomes(hub), link.is_open) == ([], True)
    device.client.dispose(link, again.delivery_id)
    await device.settle()
    assert await outcomes(hub) == [Outcome.SUCCESS]


async def test_a_word_that_comes_after_a_purge_changes_nothing(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go", ack=Ack.FULL)
    await device.settle()
    (message,) = link.take()
    await hub.amqp.commands.purge(by_operator(Permission.COMMAND_PURGE, PRESS))
    device.client.dispose(link, message.delivery_id)
    await device.settle()
    assert (await outcomes(hub), link.is_open) == ([Outcome.PURGED], True)


async def test_no_more_is_out_than_the_window_allows(
    hub: AmqpHub, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WINDOW", 2)
    link = await device.receives(DEVICEBOUND)
    for number in range(4):
        await send_command(hub, b"%d" % number)
    await device.settle()
    first, second = link.take()
    assert (first.body, second.body) == (b"0", b"1")
    device.client.dispose(link, first.delivery_id, second.delivery_id)
    await device.settle()
    assert bodies(link) == [b"2", b"3"]


async def test_a_lock_that_has_ended_makes_room_in_the_window(
    hub: AmqpHub, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WINDOW", 1)
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go", expires_at=hub.clock.now() + 3600)
    await device.settle()
    hub.clock.advance(hub.amqp.commands.lock_duration)
    await sweep(hub)
    await device.settle()
    assert bodies(link) == [b"go"] * 2


async def test_a_device_that_never_settles_is_sent_no_more_in_the_end(
    hub: AmqpHub, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MAX_UNSETTLED", 3)
    link = await device.receives(DEVICEBOUND)
    await send_command(hub, b"go", expires_at=hub.clock.now() + 3600)
    for _ in range(5):
        await device.settle()
        hub.clock.advance(hub.amqp.commands.lock_duration)
        await sweep(hub)
    assert bodies(link) == [b"go"] * 3


async def test_while_the_device_reads_nothing_nothing_is_held(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND)
    device.peer.channel.congested = True
    await send_command(hub, b"go")
    await device.settle()
    assert bodies(link) == []
    device.peer.channel.congested = False
    device.peer.conversation.resumed()
    await device.settle()
    assert bodies(link) == [b"go"]


async def with_credit_taken_back(hub: AmqpHub, device: Device) -> ClientLink:
    """Return a link whose credit was taken back while a command was fetched for it."""
    link = await device.receives(DEVICEBOUND, credit=None)
    await send_command(hub, b"go", expires_at=hub.clock.now() + 3600)
    hub.trouble.only = frozenset({"lock_commands"})
    hub.trouble.stick()
    device.client.grant(link, 1)
    await device.settle()
    device.client.grant(link, 0)
    hub.trouble.unstick()
    await device.settle()
    return link


async def test_credit_that_was_taken_back_meanwhile_makes_it_wait_for_new_credit(hub: AmqpHub, device: Device) -> None:
    link = await with_credit_taken_back(hub, device)
    assert bodies(link) == []
    device.client.grant(link, 1)
    await device.settle()
    assert bodies(link) == [b"go"]


async def test_what_waited_for_credit_until_its_lock_ended_is_not_sent(hub: AmqpHub, device: Device) -> None:
    link = await with_credit_taken_back(hub, device)
    hub.clock.advance(hub.amqp.commands.lock_duration)
    device.client.grant(link, 1)
    await device.settle()
    assert bodies(link) == []
    await sweep(hub)
    await device.settle()
    (message,) = link.take()
    assert message.annotations["iothub-deliverycount"] == 1


async def test_what_was_held_for_a_link_that_is_gone_goes_back(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND, credit=None)
    await device.sends("messages/events")
    await send_command(hub, b"go")
    hub.trouble.only = frozenset({"lock_commands"})
    hub.trouble.stick()
    device.client.grant(link, 1)
    await device.settle()
    device.client.detach(link)
    await device.settle()
    hub.trouble.unstick()
    await device.settle()
    assert bodies(await device.receives(DEVICEBOUND)) == [b"go"]


async def test_a_store_out_of_order_ends_the_link_so_that_the_device_comes_again(hub: AmqpHub, device: Device) -> None:
    await send_command(hub, b"go")
    hub.trouble.only, hub.trouble.refusals = frozenset({"lock_commands"}), 1
    assert (await device.receives(DEVICEBOUND)).refusal == "amqp:internal-error"
    assert bodies(await device.receives(DEVICEBOUND)) == [b"go"]


async def test_a_link_that_never_held_anything_has_nothing_to_release(hub: AmqpHub, device: Device) -> None:
    link = await device.receives(DEVICEBOUND)
    device.client.detach(link)
    await device.settle()
    assert "lock_commands" in hub.trouble.calls
    assert hub.trouble.calls.count("release_commands") == 1  # the first holder's, of the process before
