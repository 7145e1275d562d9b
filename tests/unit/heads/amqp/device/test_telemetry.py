"""heads/amqp/device/telemetry.py"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.fakes.amqp_client import ClientLink, message
from tests.fakes.amqp_devices import ARM, PRESS, Device
from tests.fakes.amqp_head import AmqpHub

from ironhub.core.errors import HubError, Unavailable
from ironhub.heads.amqp.device import telemetry
from ironhub.heads.amqp.services import AmqpSettings
from ironhub.messaging.sessions.ports import TAKEN_OVER
from ironhub.messaging.telemetry.model import Encoding
from ironhub.wire.amqp import Outcome
from ironhub.wire.amqp.message import BATCH
from ironhub.wire.amqp.performatives import Disposition
from ironhub.wire.amqp.sections import data_section

EVENTS = "messages/events"


@pytest.fixture
async def device(hub: AmqpHub) -> Device:
    return await Device.connected(hub, PRESS, ARM)


def kinds(link: ClientLink) -> dict[int, int | None]:
    return {number: None if state is None else state.kind for number, state in link.states.items()}


def dispositions(device: Device) -> list[tuple[int, int]]:
    return [(each.first, each.last) for _, each in device.client.frames if isinstance(each, Disposition) and each.role]


async def bodies(hub: AmqpHub) -> list[bytes]:
    return [logged.entry.body for logged in await hub.logged()]


async def test_what_is_sent_is_stored_as_it_came_and_then_accepted(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS)
    sent = await device.transfer(link, message(b"hot", application=[("k", "v")], content_type="text/plain"))
    assert kinds(link) == {sent: Outcome.ACCEPTED}
    (logged,) = await hub.logged()
    assert (logged.entry.origin.identity, logged.entry.body) == (PRESS, b"hot")
    assert logged.entry.origin.encoding is Encoding.AZURE_AMQP
    assert b"text/plain" in logged.entry.properties


async def test_a_module_sends_for_itself(hub: AmqpHub, device: Device) -> None:
    await device.transfer(await device.sends(EVENTS, ARM), message(b"arm"))
    assert [logged.entry.origin.identity for logged in await hub.logged()] == [ARM]


async def test_nothing_is_accepted_before_its_commit(hub: AmqpHub, device: Device) -> None:
    held: list[Any] = []
    hub.log.append = lambda *arguments: held.append(arguments)  # type: ignore[method-assign]  # the disk is slow
    link = await device.sends(EVENTS)
    sent = await device.transfer(link, message(b"1"))
    assert link.states == {}
    held[0][2](None)
    await device.settle()
    assert kinds(link) == {sent: Outcome.ACCEPTED}


async def test_what_came_together_is_stored_together_and_accepted_with_one_word(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS)
    before = len(dispositions(device))
    say = device.client.transfer
    await device.together(*[partial(say, link, message(b"%d" % number)) for number in range(5)])
    ((first, last),) = dispositions(device)[before:]
    assert last - first == 4
    assert await bodies(hub) == [b"0", b"1", b"2", b"3", b"4"]


async def test_links_of_one_session_are_answered_each_for_itself(hub: AmqpHub, device: Device) -> None:
    one, other = await device.sends(EVENTS), await device.sends(EVENTS, ARM)
    await device.together(*[partial(device.client.transfer, link, message(b"x")) for link in (one, other, one, one)])
    first = min(first for first, _ in dispositions(device)[-3:])
    assert sorted(dispositions(device)[-3:]) == [(first, first), (first + 1, first + 1), (first + 2, first + 3)]


async def test_what_is_sent_settled_is_stored_without_an_answer(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS, settle=1)
    before = len(dispositions(device))
    await device.transfer(link, message(b"quick"), settled=True)
    assert await bodies(hub) == [b"quick"]
    assert dispositions(device)[before:] == []


async def test_a_batch_is_many_messages_and_one_answer(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS)
    batch = b"".join(data_section(message(body)) for body in (b"a", b"b", b"c"))
    sent = await device.transfer(link, batch, message_format=BATCH)
    assert await bodies(hub) == [b"a", b"b", b"c"]
    assert kinds(link) == {sent: Outcome.ACCEPTED}


async def test_large_messages_come_in_many_frames(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS)
    sent = await device.transfer(link, message(b"x" * 250_000), pieces=8)
    assert kinds(link) == {sent: Outcome.ACCEPTED}
    assert [len(body) for body in await bodies(hub)] == [250_000]


async def test_a_message_that_is_too_large_is_rejected_by_name_and_the_next_one_stored(
    hub: AmqpHub, device: Device
) -> None:
    link = await device.sends(EVENTS)
    state = link.states[await device.transfer(link, message(b"x" * 270_000), pieces=8)]
    assert state is not None
    assert state.error is not None
    assert (state.kind, state.error.condition) == (Outcome.REJECTED, "amqp:link:message-size-exceeded")
    assert link.attached is not None
    assert link.attached.max_message_size == hub.amqp.settings.max_body
    await device.transfer(link, message(b"small"))
    assert await bodies(hub) == [b"small"]


async def test_a_message_that_is_beyond_all_measure_ends_the_link(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS)
    await device.transfer(link, message(b"x" * telemetry.TOLERATED), pieces=32)
    assert link.refusal == "amqp:link:message-size-exceeded"
    assert await bodies(hub) == []


@pytest.mark.parametrize(
    ("payload", "message_format"),
    [
        (b"\x00\x53\x75\xa0\x05a", 0),
        (b"", BATCH),
        (data_section(b"no message"), BATCH),
        (message(b"x", application=[(f"k{number}", "v") for number in range(2000)]), 0),
    ],
    ids=["cut", "no-message", "batch-of-rubbish", "too-many-properties"],
)
async def test_what_cannot_be_taken_is_rejected_with_a_reason(
    hub: AmqpHub, device: Device, payload: bytes, message_format: int
) -> None:
    link = await device.sends(EVENTS)
    sent = await device.transfer(link, payload, message_format=message_format)
    state = link.states[sent]
    assert state is not None
    assert (state.kind, state.error is not None) == (Outcome.REJECTED, True)
    await device.transfer(link, payload, message_format=message_format, settled=True)
    good = await device.transfer(link, message(b"fits"))
    assert kinds(link)[good] == Outcome.ACCEPTED
    assert await bodies(hub) == [b"fits"]
    counts = hub.amqp.activity.counts
    assert [count for name, count in counts.items() if name.startswith("rejected:")] == [2]


async def test_what_the_disk_refuses_is_rejected_with_a_reason_and_may_be_sent_again(
    hub: AmqpHub, device: Device
) -> None:
    link = await device.sends(EVENTS)
    working = hub.log.append
    hub.log.append = lambda _p, _e, stored: stored(Unavailable("disk full"))  # type: ignore[method-assign,assignment]
    sent = await device.transfer(link, message(b"1"))
    state = link.states[sent]
    assert state is not None
    assert state.error is not None
    assert (state.kind, state.error.condition) == (Outcome.REJECTED, "amqp:internal-error")
    assert hub.amqp.activity.counts["rejected:hub.unavailable"] == 1
    hub.log.append = working  # type: ignore[method-assign]
    again = await device.transfer(link, message(b"1"))
    assert kinds(link)[again] == Outcome.ACCEPTED


async def test_credit_is_granted_again_in_large_steps(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS)
    assert link.credit == telemetry.CREDIT
    await device.together(*[partial(device.client.transfer, link, message(b"x"))] * (telemetry.CREDIT // 2))
    assert link.credit == telemetry.CREDIT


async def test_reading_pauses_and_credit_stays_away_while_too_much_waits_for_its_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telemetry, "CREDIT", 6)
    hub = AmqpHub(AmqpSettings(max_unstored=10_400, dismissal=0.0))
    await hub.register(PRESS)
    device = await Device.connected(hub, PRESS)
    held: list[Callable[[HubError | None], None]] = []
    hub.log.append = lambda *arguments: held.append(arguments[2])  # type: ignore[method-assign]
    link = await device.sends(EVENTS)
    seen = []
    for size in (9_000, 100, 100, 1_000):
        await device.transfer(link, message(b"x" * size))
        seen.append((device.peer.channel.reading, link.credit))
    held[1](None)
    await device.settle()
    seen.append((device.peer.channel.reading, link.credit))
    held[0](None)
    await device.settle()
    seen.append((device.peer.channel.reading, link.credit))
    assert seen == [(True, 5), (True, 4), (True, 3), (False, 2), (False, 2), (True, 6)]


async def test_what_came_whole_before_the_link_ended_is_stored(hub: AmqpHub, device: Device) -> None:
    link = await device.sends(EVENTS)
    await device.together(partial(device.client.transfer, link, message(b"last words")), device.client.close)
    assert await bodies(hub) == [b"last words"]


@pytest.mark.parametrize(("reason", "stored"), [("its right has ended", []), (TAKEN_OVER, [b"x"])])
async def test_what_was_not_handed_on_when_the_session_ended_needs_the_right(
    hub: AmqpHub, device: Device, reason: str, stored: list[bytes]
) -> None:
    link = await device.sends(EVENTS)
    session = hub.sessions.of(PRESS)
    assert session is not None
    device.peer.conversation.when_read(lambda: session.end(reason))  # before the node's own
    await device.transfer(link, message(b"x"))
    assert await bodies(hub) == stored
