"""The contract of messaging.commands.ports.CommandStore, against every implementation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.stores import ARM, CREATED_AT, IMPLEMENTATIONS, NOBODY, PRESS, open_stores, register

from ironhub.core.ids import Identity, identity
from ironhub.messaging.commands.model import Ack, Command, CommandDraft, Delivery, LockLost, Outcome, QueueFull
from ironhub.registry.model import DeviceNotFound, ModuleNotFound
from ironhub.storage.feedback import FEEDBACK_TTL
from ironhub.storage.stores import Stores

NOW = CREATED_AT
EXPIRY = NOW + 60.0


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        await register(opened, PRESS, ARM)
        yield opened


async def send(stores: Stores, to: Identity = PRESS, message_id: str = "m", **given: Any) -> Command:
    """Queue a small command."""
    ack, expires_at, max_pending = given.get("ack", Ack.NONE), given.get("expires_at", EXPIRY), given.get("max", 50)
    draft = CommandDraft(body=b"go", ack=ack)
    return await stores.commands.add_command(
        to, draft, message_id=message_id, now=NOW, expires_at=expires_at, max_pending=max_pending
    )


async def hold(stores: Stores, to: Identity = PRESS, *, now: float = NOW, limit: int = 50) -> list[Delivery]:
    """Hand out without a time limit, to the session "s"."""
    return await stores.commands.lock_commands(to, now=now, locked_until=None, owner="s", limit=limit)


async def receive(stores: Stores, *, now: float = NOW, until: float = NOW + 10, limit: int = 50) -> list[Delivery]:
    """Hand out under a lock that ends by itself."""
    return await stores.commands.lock_commands(PRESS, now=now, locked_until=until, owner="", limit=limit)


async def expire(stores: Stores, now: float, *, limit: int = 100, max_delivery_count: int = 10) -> list[Identity]:
    """Look at what is due."""
    return await stores.commands.expire_commands(now=now, max_delivery_count=max_delivery_count, limit=limit)


async def abandon(
    stores: Stores, delivery: Delivery, *, counted: bool = True, most: int = 10, now: float = NOW
) -> None:
    """Put it back."""
    await stores.commands.abandon_command(PRESS, delivery.lock_token, now=now, max_delivery_count=most, counted=counted)


async def outcomes(stores: Stores, now: float = NOW) -> list[tuple[str, Outcome]]:
    """The message ids and outcomes of all feedback."""
    records = await stores.commands.list_feedback(after=0, limit=1000, now=now)
    return [(record.message_id, record.outcome) for record in records]


async def test_a_command_is_handed_out_as_it_was_queued(stores: Stores) -> None:
    draft = CommandDraft(
        body=b"\x00\xff",
        ack=Ack.FULL,
        correlation_id="c",
        user_id="u\u2028",
        content_type="application/json",
        content_encoding="utf-8",
        properties={"k": "v", "": "\U0001f600"},
    )
    queued = await stores.commands.add_command(ARM, draft, message_id="m1", now=NOW, expires_at=EXPIRY, max_pending=1)
    assert queued == Command(
        identity=ARM,
        sequence_number=queued.sequence_number,
        message_id="m1",
        body=draft.body,
        enqueued_at=NOW,
        expires_at=EXPIRY,
        ack=Ack.FULL,
        correlation_id="c",
        user_id="u\u2028",
        content_type="application/json",
        content_encoding="utf-8",
        properties=draft.properties,
    )
    (delivery,) = await hold(stores, ARM)
    assert delivery.command == queued
    assert await hold(stores, PRESS) == []


async def test_commands_need_somebody_to_go_to(stores: Stores) -> None:
    leg = identity("press-7", "leg")
    for nobody, error in ((NOBODY, DeviceNotFound), (leg, ModuleNotFound), (identity("nobody", "arm"), DeviceNotFound)):
        with pytest.raises(error):
            await send(stores, nobody)
        with pytest.raises(error):
            await stores.commands.purge_commands(nobody, now=NOW)
        assert await hold(stores, nobody) == []
        assert await stores.commands.count_commands(nobody) == 0


async def test_a_queue_takes_so_many_and_no_more(stores: Stores) -> None:
    for _ in range(3):
        await send(stores, max=3)
    await hold(stores)
    with pytest.raises(QueueFull):
        await send(stores, max=3)
    await send(stores, ARM, max=3)
    assert await stores.commands.count_commands(PRESS) == 3


async def test_of_many_senders_at_once_only_as_many_get_in_as_fit(stores: Stores) -> None:
    sent = await asyncio.gather(*(send(stores, max=20) for _ in range(60)), return_exceptions=True)
    numbers = [command.sequence_number for command in sent if isinstance(command, Command)]
    assert len(set(numbers)) == 20
    assert sum(isinstance(refused, QueueFull) for refused in sent) == 40


async def test_commands_go_out_in_order_each_to_one_receiver(stores: Stores) -> None:
    numbers = [(await send(stores)).sequence_number for _ in range(5)]
    assert numbers == sorted(numbers)
    first, second = await hold(stores, limit=2), await receive(stores, limit=2)
    rest = await hold(stores, limit=2)
    taken = [*first, *second, *rest]
    assert [delivery.command.sequence_number for delivery in taken] == numbers
    assert len({delivery.lock_token for delivery in taken}) == 5
    assert await hold(stores) == []


async def test_many_receivers_at_once_never_share_a_command(stores: Stores) -> None:
    await asyncio.gather(*(send(stores) for _ in range(20)))
    taken = await asyncio.gather(*(receive(stores, limit=3) for _ in range(20)))
    numbers = [delivery.command.sequence_number for deliveries in taken for delivery in deliveries]
    assert len(numbers) == len(set(numbers)) == 20


async def test_what_is_complete_is_gone(stores: Stores) -> None:
    await send(stores, message_id="a", ack=Ack.FULL)
    await send(stores, message_id="b", ack=Ack.FULL)
    first, second = await hold(stores)
    await stores.commands.complete_command(PRESS, first.lock_token, now=NOW, outcome=Outcome.SUCCESS)
    await stores.commands.complete_command(PRESS, second.lock_token, now=NOW, outcome=Outcome.REJECTED)
    assert await stores.commands.count_commands(PRESS) == 0
    assert await outcomes(stores) == [("a", Outcome.SUCCESS), ("b", Outcome.REJECTED)]


async def test_only_the_holder_can_settle_and_only_once(stores: Stores) -> None:
    await send(stores, ack=Ack.FULL)
    (delivery,) = await hold(stores)
    for who, token in ((PRESS, "nonsense"), (PRESS, ""), (ARM, delivery.lock_token), (NOBODY, delivery.lock_token)):
        with pytest.raises(LockLost):
            await stores.commands.complete_command(who, token, now=NOW, outcome=Outcome.SUCCESS)
        with pytest.raises(LockLost):
            await stores.commands.abandon_command(who, token, now=NOW, max_delivery_count=10, counted=True)
    await stores.commands.complete_command(PRESS, delivery.lock_token, now=NOW, outcome=Outcome.SUCCESS)
    with pytest.raises(LockLost):
        await stores.commands.complete_command(PRESS, delivery.lock_token, now=NOW, outcome=Outcome.SUCCESS)
    assert len(await outcomes(stores)) == 1


async def test_an_abandoned_command_comes_back_in_its_place(stores: Stores) -> None:
    for message_id in ("a", "b", "c"):
        await send(stores, message_id=message_id)
    first, _ = await hold(stores, limit=2)
    await abandon(stores, first)
    again = await hold(stores)
    assert [delivery.command.message_id for delivery in again] == ["a", "c"]
    assert [delivery.command.delivery_count for delivery in again] == [1, 0]
    with pytest.raises(LockLost):
        await abandon(stores, first)
    await abandon(stores, again[0], counted=False)
    (once_more,) = await hold(stores)
    assert once_more.command.delivery_count == 1


async def test_a_command_that_is_abandoned_too_often_is_dead(stores: Stores) -> None:
    await send(stores, ack=Ack.NEGATIVE)
    for _ in range(2):
        (delivery,) = await hold(stores)
        await abandon(stores, delivery, most=3)
    (delivery,) = await hold(stores)
    await abandon(stores, delivery, counted=False, most=3)
    (delivery,) = await hold(stores)
    await abandon(stores, delivery, most=3)
    assert await hold(stores) == []
    assert await outcomes(stores) == [("m", Outcome.DELIVERY_COUNT_EXCEEDED)]


async def test_a_session_that_ends_lets_go_of_all_it_held(stores: Stores) -> None:
    for _ in range(2):
        await send(stores)
        await send(stores, ARM)
    own = await hold(stores)
    await stores.commands.lock_commands(ARM, now=NOW, locked_until=None, owner="other", limit=1)
    await stores.commands.lock_commands(ARM, now=NOW, locked_until=NOW + 5, owner="s", limit=1)
    assert await stores.commands.release_commands("s", now=NOW) == 3
    assert await stores.commands.release_commands("s", now=NOW) == 0
    again = await hold(stores)
    assert [delivery.command for delivery in again] == [delivery.command for delivery in own]
    with pytest.raises(LockLost):
        await abandon(stores, own[0])


async def test_a_hub_that_starts_ends_the_locks_of_all_sessions(stores: Stores) -> None:
    for _ in range(4):
        await send(stores)
    await stores.commands.lock_commands(PRESS, now=NOW, locked_until=None, owner="", limit=1)
    await stores.commands.lock_commands(PRESS, now=NOW, locked_until=NOW + 10, owner="s", limit=1)
    await hold(stores, limit=1)
    (timed,) = await receive(stores)
    assert await stores.commands.release_commands(None, now=NOW) == 3
    assert len(await hold(stores)) == 3
    await stores.commands.complete_command(PRESS, timed.lock_token, now=NOW, outcome=Outcome.SUCCESS)


async def test_a_release_comes_after_the_lock_that_was_asked_for_before_it(stores: Stores) -> None:
    """A session that is cancelled while it asks releases at once; what it got must not stay held for ever."""
    await send(stores)
    asking = asyncio.ensure_future(hold(stores))
    for _ in range(50):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await stores.commands.release_commands("s", now=NOW)
    assert len(await hold(stores)) == 1


async def test_what_has_expired_is_handed_out_no_more(stores: Stores) -> None:
    await send(stores, message_id="a", ack=Ack.FULL, expires_at=NOW + 1)
    await send(stores, message_id="b")
    assert await stores.commands.next_due() == NOW + 1
    at = NOW + 1
    (delivery,) = await hold(stores, now=at)
    assert delivery.command.message_id == "b"
    assert await expire(stores, at - 0.5) == []
    assert await stores.commands.count_commands(PRESS) == 2
    assert await expire(stores, at) == []
    assert await stores.commands.count_commands(PRESS) == 1
    assert await outcomes(stores) == [("a", Outcome.EXPIRED)]


async def test_what_is_held_expires_when_it_is_let_go(stores: Stores) -> None:
    await send(stores, ack=Ack.FULL, expires_at=NOW + 1)
    (delivery,) = await hold(stores)
    assert await stores.commands.next_due() is None
    assert await expire(stores, NOW + 5) == []
    await abandon(stores, delivery, now=NOW + 5)
    assert await stores.commands.next_due() == NOW + 1
    assert await hold(stores, now=NOW + 5) == []
    await expire(stores, NOW + 5)
    assert await outcomes(stores) == [("m", Outcome.EXPIRED)]


async def test_a_late_completion_of_what_is_still_held_counts(stores: Stores) -> None:
    await send(stores, ack=Ack.FULL, expires_at=NOW + 1)
    (delivery,) = await hold(stores)
    await stores.commands.complete_command(PRESS, delivery.lock_token, now=NOW + 5, outcome=Outcome.SUCCESS)
    assert await outcomes(stores) == [("m", Outcome.SUCCESS)]


async def test_a_timed_lock_ends_by_itself(stores: Stores) -> None:
    await send(stores)
    await send(stores, ARM)
    (delivery,) = await receive(stores, until=NOW + 10)
    assert await stores.commands.next_due() == NOW + 10
    assert await expire(stores, NOW + 9) == []
    with pytest.raises(LockLost):
        await stores.commands.complete_command(PRESS, delivery.lock_token, now=NOW + 10, outcome=Outcome.SUCCESS)
    assert await receive(stores, now=NOW + 10) == []
    assert await expire(stores, NOW + 10) == [PRESS]
    (again,) = await receive(stores, now=NOW + 10, until=NOW + 20)
    assert again.command.delivery_count == 1
    assert again.lock_token != delivery.lock_token


async def test_a_timed_lock_of_a_session_ends_with_its_time_or_with_the_session(stores: Stores) -> None:
    for message_id in ("a", "b"):
        await send(stores, message_id=message_id)
    held = await stores.commands.lock_commands(PRESS, now=NOW, locked_until=NOW + 10, owner="s", limit=2)
    await stores.commands.complete_command(PRESS, held[1].lock_token, now=NOW + 9, outcome=Outcome.SUCCESS)
    assert await expire(stores, NOW + 10) == [PRESS]
    assert await stores.commands.release_commands("s", now=NOW + 10) == 0
    (again,) = await stores.commands.lock_commands(PRESS, now=NOW + 10, locked_until=NOW + 20, owner="s", limit=2)
    assert again.command.delivery_count == 1
    assert await stores.commands.release_commands("s", now=NOW + 11) == 1
    assert await stores.commands.next_due() == EXPIRY
    (last,) = await hold(stores)
    assert last.command.delivery_count == 1


async def test_a_lock_that_ran_out_too_often_kills_the_command(stores: Stores) -> None:
    await send(stores, ack=Ack.NEGATIVE)
    await receive(stores, until=NOW + 1)
    assert await expire(stores, NOW + 1, max_delivery_count=2) == [PRESS]
    await receive(stores, until=NOW + 2)
    assert await expire(stores, NOW + 2, max_delivery_count=2) == []
    assert await outcomes(stores) == [("m", Outcome.DELIVERY_COUNT_EXCEEDED)]
    assert await stores.commands.next_due() is None


async def test_a_lock_that_ends_after_the_expiry_gives_nothing_back(stores: Stores) -> None:
    await send(stores, ack=Ack.FULL, expires_at=NOW + 1)
    await receive(stores, until=NOW + 2)
    assert await expire(stores, NOW + 2) == []
    assert await expire(stores, NOW + 2) == []
    assert await outcomes(stores) == [("m", Outcome.EXPIRED)]


async def test_a_sweep_does_no_more_than_it_is_asked_to(stores: Stores) -> None:
    for second in (3, 1, 2):
        await send(stores, message_id=str(second), ack=Ack.FULL, expires_at=NOW + second)
    await expire(stores, NOW + 9, limit=2)
    assert await outcomes(stores) == [("1", Outcome.EXPIRED), ("2", Outcome.EXPIRED)]
    assert await stores.commands.next_due() == NOW + 3
    await expire(stores, NOW + 9, limit=2)
    assert await stores.commands.next_due() is None


async def test_purging_takes_what_waits_and_what_is_held(stores: Stores) -> None:
    for number in range(3):
        await send(stores, message_id=str(number), ack=Ack.NEGATIVE)
    await send(stores, ARM)
    (held,) = await hold(stores, limit=1)
    assert await stores.commands.purge_commands(PRESS, now=NOW) == 3
    assert await stores.commands.purge_commands(PRESS, now=NOW) == 0
    with pytest.raises(LockLost):
        await abandon(stores, held)
    assert await outcomes(stores) == [(str(number), Outcome.PURGED) for number in range(3)]
    assert await stores.commands.count_commands(ARM) == 1


@pytest.mark.parametrize("ack", Ack)
async def test_senders_hear_of_the_outcomes_they_asked_for(stores: Stores, ack: Ack) -> None:
    for outcome in (Outcome.SUCCESS, Outcome.REJECTED):
        await send(stores, ack=ack)
        (delivery,) = await hold(stores)
        await stores.commands.complete_command(PRESS, delivery.lock_token, now=NOW, outcome=outcome)
    heard = [outcome for _, outcome in await outcomes(stores)]
    assert (Outcome.SUCCESS in heard) == (ack in (Ack.POSITIVE, Ack.FULL))
    assert (Outcome.REJECTED in heard) == (ack in (Ack.NEGATIVE, Ack.FULL))


async def test_feedback_is_read_in_order_and_dropped_when_read(stores: Stores) -> None:
    for number in range(4):
        await send(stores, ARM, message_id=str(number), ack=Ack.FULL)
    await stores.commands.purge_commands(ARM, now=NOW + 1)
    first = await stores.commands.list_feedback(after=0, limit=3, now=NOW + 1)
    assert [record.message_id for record in first] == ["0", "1", "2"]
    record = first[0]
    assert (record.identity, record.generation_id, record.at) == (ARM, "g2", NOW + 1)
    assert record.expires_at == NOW + 1 + FEEDBACK_TTL
    (last,) = await stores.commands.list_feedback(after=first[-1].record_id, limit=3, now=NOW + 1)
    await stores.commands.drop_feedback(first[-1].record_id)
    assert await stores.commands.list_feedback(after=0, limit=9, now=NOW + 1) == [last]


async def test_single_feedback_records_are_dropped(stores: Stores) -> None:
    for number in range(3):
        await send(stores, message_id=str(number), ack=Ack.FULL)
    await stores.commands.purge_commands(PRESS, now=NOW)
    first, second, third = await stores.commands.list_feedback(after=0, limit=9, now=NOW)
    await stores.commands.drop_feedback_records([first.record_id, third.record_id])
    await stores.commands.drop_feedback_records([first.record_id])
    assert await stores.commands.list_feedback(after=0, limit=9, now=NOW) == [second]


async def test_no_feedback_id_is_given_twice(stores: Stores) -> None:
    await send(stores, ack=Ack.FULL)
    await stores.commands.purge_commands(PRESS, now=NOW)
    (first,) = await stores.commands.list_feedback(after=0, limit=9, now=NOW)
    await stores.commands.drop_feedback(first.record_id)
    await send(stores, ack=Ack.FULL)
    await stores.commands.purge_commands(PRESS, now=NOW)
    (second,) = await stores.commands.list_feedback(after=0, limit=9, now=NOW)
    assert second.record_id > first.record_id


async def test_no_sequence_number_is_given_twice(stores: Stores) -> None:
    first = await send(stores)
    await stores.commands.purge_commands(PRESS, now=NOW)
    assert (await send(stores)).sequence_number > first.sequence_number


async def test_old_feedback_is_forgotten(stores: Stores) -> None:
    await send(stores, ack=Ack.FULL)
    await stores.commands.purge_commands(PRESS, now=NOW)
    late = NOW + FEEDBACK_TTL
    assert await outcomes(stores, late - 1) == [("m", Outcome.PURGED)]
    assert await outcomes(stores, late) == []
    await expire(stores, late)
    assert await outcomes(stores, NOW) == []


async def test_nothing_is_due_in_empty_queues(stores: Stores) -> None:
    assert await stores.commands.next_due() is None
    assert await expire(stores, NOW) == []
