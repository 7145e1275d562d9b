import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.fakes.clock import START
from tests.fakes.grants import by_device, by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import settle, until

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.bus import CommandQueued, CommandsEnded
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.ids import Identity, identity
from ironhub.messaging.commands import service
from ironhub.messaging.commands.model import (
    MAX_TEXT,
    Ack,
    CommandDraft,
    CommandSettings,
    CommandTooLarge,
    ExpiryInvalid,
    LockLost,
    Outcome,
    QueueFull,
)
from ironhub.messaging.commands.service import CommandService
from ironhub.registry.model import DeviceNotFound, ModuleNotFound

PRESS, ARM, LATHE = identity("press-7"), identity("press-7", "arm"), identity("lathe-1")
RECEIVE = by_device(Permission.COMMAND_RECEIVE, PRESS)
PURGE = by_operator(Permission.COMMAND_PURGE, PRESS)
FEEDBACK = by_operator(Permission.FEEDBACK_READ)


def send(who: Identity = PRESS) -> Any:
    return by_operator(Permission.COMMAND_SEND, who)


def draft(text: str = "go", **more: Any) -> CommandDraft:
    return CommandDraft(body=text.encode(), **more)


def bodies(deliveries: Any) -> list[bytes]:
    return [delivery.command.body for delivery in deliveries]


@pytest.fixture
async def hub() -> SmallHub:
    hub = SmallHub()
    await hub.register(PRESS, ARM, LATHE)
    return hub


@pytest.fixture
def commands(hub: SmallHub) -> CommandService:
    return CommandService(hub.commands, hub.bus, hub.clock, hub.entropy)


async def outcomes(commands: CommandService) -> list[tuple[str, Outcome]]:
    records = await commands.feedback(FEEDBACK, after=0, limit=100)
    return [(record.message_id, record.outcome) for record in records]


@asynccontextmanager
async def running(commands: CommandService) -> AsyncIterator[None]:
    """`run` in the background until the end of the block; what it raises is raised."""
    task = asyncio.create_task(commands.run())
    await settle()
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# Sending


async def test_a_command_is_queued_with_defaults_and_the_device_is_told(
    hub: SmallHub, commands: CommandService
) -> None:
    command = await commands.send(send(), draft())
    assert (command.identity, command.enqueued_at, command.expires_at) == (PRESS, START, START + 3600)
    assert (command.ack, command.delivery_count, len(command.message_id)) == (Ack.NONE, 0, 36)
    assert hub.heard == [CommandQueued(PRESS)]
    assert await commands.pending(PURGE) == 1


async def test_what_the_sender_gives_is_kept(commands: CommandService) -> None:
    given: dict[str, Any] = {
        "message_id": "m1",
        "expires_at": START + 60,
        "ack": Ack.FULL,
        "correlation_id": "c1",
        "user_id": "u1",
        "content_type": "text/plain",
        "content_encoding": "utf-8",
        "properties": {"a": "b"},
    }
    await commands.send(send(), draft(**given))
    [delivery] = await commands.receive(RECEIVE)
    assert {name: getattr(delivery.command, name) for name in given} == given


async def test_the_fifty_first_pending_command_is_refused_and_held_ones_count(commands: CommandService) -> None:
    for number in range(50):
        await commands.send(send(), draft(str(number)))
    held = await commands.receive(RECEIVE, limit=50)
    with pytest.raises(QueueFull):
        await commands.send(send(), draft())
    await commands.send(send(ARM), draft())
    await commands.complete(RECEIVE, held[0].lock_token)
    await commands.send(send(), draft())


@pytest.mark.parametrize("ahead", [0.001, 1.0, 172_800.0])
async def test_an_expiry_within_two_days_is_taken(commands: CommandService, ahead: float) -> None:
    assert (await commands.send(send(), draft(expires_at=START + ahead))).expires_at == START + ahead


@pytest.mark.parametrize("expires_at", [0.0, START - 1, START, START + 172_801.0, math.inf, math.nan])
async def test_an_expiry_in_the_past_or_too_far_ahead_is_refused(commands: CommandService, expires_at: float) -> None:
    with pytest.raises(ExpiryInvalid, match="within the next 172800 seconds"):
        await commands.send(send(), draft(expires_at=expires_at))
    assert await commands.pending(PURGE) == 0


async def test_body_and_properties_together_are_bounded_in_bytes(commands: CommandService) -> None:
    room = CommandSettings().max_body - len("é".encode()) * 2
    await commands.send(send(), CommandDraft(body=bytes(room), properties={"é": "é"}))
    with pytest.raises(CommandTooLarge, match="65537 bytes"):
        await commands.send(send(), CommandDraft(body=bytes(room + 1), properties={"é": "é"}))


@pytest.mark.parametrize("name", ["message_id", "correlation_id", "user_id", "content_type", "content_encoding"])
async def test_ids_and_content_types_are_bounded(commands: CommandService, name: str) -> None:
    await commands.send(send(), draft(**{name: "x" * MAX_TEXT}))
    with pytest.raises(InvalidArgument):
        await commands.send(send(), draft(**{name: "x" * (MAX_TEXT + 1)}))


async def test_nobody_sends_to_strangers(hub: SmallHub, commands: CommandService) -> None:
    with pytest.raises(DeviceNotFound):
        await commands.send(send(identity("nobody")), draft())
    with pytest.raises(ModuleNotFound):
        await commands.send(send(identity("press-7", "leg")), draft())
    assert hub.heard == []


async def test_a_sender_who_hangs_up_has_queued_the_command_and_the_device_is_told(
    hub: SmallHub, commands: CommandService
) -> None:
    hub.trouble.stick()
    call = asyncio.create_task(commands.send(send(), draft()))
    await settle()
    call.cancel()
    await asyncio.wait([call])
    hub.trouble.unstick()
    await until(lambda: hub.heard)
    assert bodies(await commands.receive(RECEIVE)) == [b"go"]


# Receiving and settling


async def test_commands_come_in_order_and_each_is_held_by_one(commands: CommandService) -> None:
    for text in "abc":
        await commands.send(send(), draft(text))
    assert bodies(await commands.receive(RECEIVE)) == [b"a"]
    assert bodies(await commands.hold(RECEIVE, owner="s1", limit=10)) == [b"b", b"c"]
    assert bodies(await commands.receive(RECEIVE)) == []
    assert await commands.pending(PURGE) == 3


async def test_devices_and_modules_receive_their_own(commands: CommandService) -> None:
    await commands.send(send(ARM), draft("arm"))
    assert bodies(await commands.receive(RECEIVE, limit=10)) == []
    assert bodies(await commands.receive(by_device(Permission.COMMAND_RECEIVE, ARM))) == [b"arm"]


async def test_a_completed_command_is_gone_and_its_sender_learns_it(commands: CommandService) -> None:
    await commands.send(send(), draft(message_id="m1", ack=Ack.POSITIVE))
    [delivery] = await commands.receive(RECEIVE)
    await commands.complete(RECEIVE, delivery.lock_token)
    assert await commands.pending(PURGE) == 0
    assert await outcomes(commands) == [("m1", Outcome.SUCCESS)]
    for settle_again in (commands.complete, commands.reject, commands.abandon):
        with pytest.raises(LockLost):
            await settle_again(RECEIVE, delivery.lock_token)


async def test_a_rejected_command_is_gone_and_its_sender_learns_it(commands: CommandService) -> None:
    await commands.send(send(), draft(message_id="m1", ack=Ack.NEGATIVE))
    [delivery] = await commands.receive(RECEIVE)
    await commands.reject(RECEIVE, delivery.lock_token)
    assert await outcomes(commands) == [("m1", Outcome.REJECTED)]


async def test_an_abandoned_command_comes_back_first_and_is_given_up_after_ten_deliveries(
    hub: SmallHub, commands: CommandService
) -> None:
    await commands.send(send(), draft("first", message_id="m1", ack=Ack.FULL))
    await commands.send(send(), draft("second"))
    for count in range(10):
        hub.heard.clear()
        [delivery] = await commands.receive(RECEIVE)
        assert (delivery.command.body, delivery.command.delivery_count) == (b"first", count)
        await commands.abandon(RECEIVE, delivery.lock_token)
        assert hub.heard == [CommandQueued(PRESS), CommandsEnded(PRESS)]
    assert bodies(await commands.receive(RECEIVE)) == [b"second"]
    assert await outcomes(commands) == [("m1", Outcome.DELIVERY_COUNT_EXCEEDED)]


async def test_whoever_waits_for_feedback_hears_of_each_way_in_which_a_command_ends(
    hub: SmallHub, commands: CommandService
) -> None:
    for settle_it in (commands.complete, commands.reject, commands.abandon):
        await commands.send(send(), draft())
        [delivery] = await commands.receive(RECEIVE)
        hub.heard.clear()
        await settle_it(RECEIVE, delivery.lock_token)
        assert hub.heard[-1] == CommandsEnded(PRESS)
    hub.heard.clear()
    await commands.purge(PURGE)
    assert hub.heard == [CommandsEnded(PRESS)]
    hub.heard.clear()
    await commands.send(send(), draft(expires_at=START + 5.0))
    hub.clock.advance(6.0)
    async with running(commands):
        assert hub.heard == [CommandQueued(PRESS), CommandsEnded(None)]


async def test_nobody_settles_with_a_token_of_another(commands: CommandService) -> None:
    await commands.send(send(), draft())
    [delivery] = await commands.receive(RECEIVE)
    for settle_it in (commands.complete, commands.reject, commands.abandon):
        for who in (LATHE, ARM):
            with pytest.raises(LockLost):
                await settle_it(by_device(Permission.COMMAND_RECEIVE, who), delivery.lock_token)
    await commands.complete(RECEIVE, delivery.lock_token)


async def test_what_a_session_holds_goes_back_when_it_is_over_and_is_told(
    hub: SmallHub, commands: CommandService
) -> None:
    for text in "ab":
        await commands.send(send(), draft(text))
    [one, _] = await commands.hold(RECEIVE, owner="s1", limit=2)
    hub.heard.clear()
    await commands.release(RECEIVE, owner="other")
    assert hub.heard == []
    await commands.release(RECEIVE, owner="s1")
    assert hub.heard == [CommandQueued(PRESS)]
    with pytest.raises(LockLost):
        await commands.complete(RECEIVE, one.lock_token)
    again = await commands.hold(RECEIVE, owner="s2", limit=2)
    assert [(each.command.body, each.command.delivery_count) for each in again] == [(b"a", 0), (b"b", 0)]


async def test_what_is_received_by_a_session_comes_back_with_its_end_or_its_time(
    hub: SmallHub, commands: CommandService
) -> None:
    await commands.send(send(), draft("a"))
    await commands.send(send(), draft("b"))
    await commands.receive(RECEIVE, owner="s1", limit=1)
    await commands.receive(RECEIVE, owner="s2", limit=1)
    await commands.release(RECEIVE, owner="s1")
    assert bodies(await commands.receive(RECEIVE, owner="s3", limit=5)) == [b"a"]
    async with running(commands):
        hub.clock.advance(commands.lock_duration)
        await commands.send(send(ARM), draft())  # somebody looks at the clock
        await until(lambda: hub.heard.count(CommandQueued(PRESS)) == 4)
    assert bodies(await commands.receive(RECEIVE, owner="s3", limit=5)) == [b"a", b"b"]


async def test_a_purge_takes_everything_and_senders_learn_it(commands: CommandService) -> None:
    for number in range(3):
        await commands.send(send(), draft(message_id=f"m{number}", ack=Ack.NEGATIVE))
    await commands.send(send(ARM), draft())
    [held] = await commands.receive(RECEIVE)
    assert await commands.purge(PURGE) == 3
    with pytest.raises(LockLost):
        await commands.complete(RECEIVE, held.lock_token)
    assert await outcomes(commands) == [(f"m{number}", Outcome.PURGED) for number in range(3)]
    assert await commands.pending(by_operator(Permission.COMMAND_PURGE, ARM)) == 1
    with pytest.raises(DeviceNotFound):
        await commands.purge(by_operator(Permission.COMMAND_PURGE, identity("nobody")))


async def test_feedback_is_read_on_from_a_record_and_dropped_up_to_one(commands: CommandService) -> None:
    for number in range(3):
        await commands.send(send(), draft(message_id=f"m{number}", ack=Ack.FULL))
    await commands.purge(PURGE)
    records = await commands.feedback(FEEDBACK, after=0, limit=2)
    assert [record.message_id for record in records] == ["m0", "m1"]
    rest = await commands.feedback(FEEDBACK, after=records[-1].record_id, limit=2)
    assert [record.message_id for record in rest] == ["m2"]
    await commands.drop_feedback(FEEDBACK, up_to=records[-1].record_id)
    assert await outcomes(commands) == [("m2", Outcome.PURGED)]


async def test_each_operation_needs_its_own_grant(commands: CommandService) -> None:
    one = by_operator(Permission.FEEDBACK_READ, PRESS)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: commands.send(PURGE, draft()),
        lambda: commands.purge(send()),
        lambda: commands.hold(send(), owner="s", limit=1),
        lambda: commands.receive(send()),
        lambda: commands.complete(send(), "t"),
        lambda: commands.reject(send(), "t"),
        lambda: commands.abandon(send(), "t"),
        lambda: commands.release(send(), owner="s"),
        lambda: commands.pending(send()),
        lambda: commands.feedback(one, after=0, limit=1),
        lambda: commands.drop_feedback(one, up_to=1),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call()


# What happens by itself


async def test_a_command_expires_by_itself_and_its_sender_learns_it(hub: SmallHub, commands: CommandService) -> None:
    async with running(commands):
        await commands.send(send(), draft(message_id="m1", ack=Ack.FULL, expires_at=START + 10))
        hub.clock.advance(10)
        await commands.send(send(LATHE), draft(expires_at=START + 11))  # due sooner than it meant to look: it looks
        while await commands.pending(PURGE):
            await asyncio.sleep(0)
    assert await outcomes(commands) == [("m1", Outcome.EXPIRED)]


async def test_an_expired_command_is_never_handed_out(hub: SmallHub, commands: CommandService) -> None:
    await commands.send(send(), draft(expires_at=START + 10))
    hub.clock.advance(10)
    assert await commands.receive(RECEIVE) == []


async def test_a_lock_ends_by_itself_and_the_device_is_told(hub: SmallHub, commands: CommandService) -> None:
    async with running(commands):
        await commands.send(send(), draft())
        [delivery] = await commands.receive(RECEIVE)
        hub.clock.advance(60)
        with pytest.raises(LockLost):
            await commands.complete(RECEIVE, delivery.lock_token)
        hub.heard.clear()
        await commands.send(send(LATHE), draft(expires_at=START + 61))
        await until(lambda: CommandQueued(PRESS) in hub.heard)
    [again] = await commands.receive(RECEIVE)
    assert again.command.delivery_count == 1


async def looks(hub: SmallHub) -> int:
    await settle()
    return hub.trouble.calls.count("expire_commands")


async def test_it_looks_when_something_is_due_and_not_with_every_command(
    hub: SmallHub, commands: CommandService
) -> None:
    async with running(commands):
        before = await looks(hub)
        for _ in range(10):
            await commands.send(send(), draft())
        assert await commands.receive(by_device(Permission.COMMAND_RECEIVE, ARM)) == []
        assert await looks(hub) == before
        await commands.send(send(), draft(expires_at=START + 5))
        assert await looks(hub) == before + 1


async def test_a_lock_that_ends_earlier_than_the_next_look_is_seen(hub: SmallHub) -> None:
    commands = CommandService(hub.commands, hub.bus, hub.clock, hub.entropy, CommandSettings(lock_duration=5.0))
    async with running(commands):
        await commands.send(send(), draft())
        before = await looks(hub)
        [delivery] = await commands.receive(RECEIVE)
        assert await looks(hub) == before + 1
        await commands.abandon(RECEIVE, delivery.lock_token)
        assert await looks(hub) == before + 2


async def test_what_is_queued_while_it_looks_is_not_overlooked(hub: SmallHub, commands: CommandService) -> None:
    """Its due time may have been asked for just before the command was stored."""
    hub.trouble.only = frozenset({"next_due"})
    hub.trouble.stick()
    async with running(commands):
        assert hub.trouble.calls[-1] == "next_due"
        await commands.send(send(), draft(expires_at=START + 5))
        before = await looks(hub)
        hub.trouble.unstick()
        assert await looks(hub) == before + 1


async def test_sessions_of_the_process_before_hold_nothing(hub: SmallHub, commands: CommandService) -> None:
    before = CommandService(hub.stores.commands, hub.bus, hub.clock, hub.entropy)
    await before.send(send(), draft())
    await before.hold(RECEIVE, owner="s1", limit=1)
    async with running(commands):
        assert bodies(await commands.hold(RECEIVE, owner="s2", limit=1)) == [b"go"]


async def test_a_late_start_takes_nothing_from_sessions_that_hold_already(
    hub: SmallHub, commands: CommandService
) -> None:
    await commands.send(send(), draft())
    [delivery] = await commands.hold(RECEIVE, owner="s1", limit=1)
    async with running(commands):
        await commands.complete(RECEIVE, delivery.lock_token)
    assert hub.trouble.calls.count("release_commands") == 1


async def test_many_first_holders_let_go_of_the_old_ones_once(hub: SmallHub, commands: CommandService) -> None:
    hub.trouble.only = frozenset({"release_commands"})
    for _ in range(5):
        await commands.send(send(), draft())
    hub.trouble.stick()
    holders = [asyncio.create_task(commands.hold(RECEIVE, owner=f"s{number}", limit=1)) for number in range(5)]
    await settle()
    hub.trouble.unstick()
    held: list[Any] = await asyncio.gather(*holders)
    assert [len(each) for each in held] == [1] * 5
    assert hub.trouble.calls.count("release_commands") == 1


async def test_trouble_with_the_store_is_waited_out(
    hub: SmallHub, commands: CommandService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "RETRY_AFTER", 0.0)
    await commands.send(send(), draft(message_id="m1", ack=Ack.FULL, expires_at=START + 10))
    hub.clock.advance(20)
    hub.trouble.refusals = 4
    async with running(commands):
        await until(lambda: not hub.trouble.refusals)
        while not await outcomes(commands):
            await asyncio.sleep(0)
    assert await outcomes(commands) == [("m1", Outcome.EXPIRED)]
    assert "commands_not_swept" in {record.message for record in caplog.records}


async def test_when_it_cannot_learn_what_is_due_it_asks_again_soon(
    hub: SmallHub, commands: CommandService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_AFTER", 0.0)
    hub.trouble.only, hub.trouble.refusals = frozenset({"next_due"}), 2
    async with running(commands):
        await until(lambda: hub.trouble.calls.count("next_due") >= 3)


async def test_what_could_not_be_released_is_released_as_soon_as_it_can_be(
    hub: SmallHub, commands: CommandService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_AFTER", 0.0)
    async with running(commands):
        await commands.send(send(), draft())
        await commands.hold(RECEIVE, owner="s1", limit=1)
        hub.heard.clear()
        hub.trouble.only, hub.trouble.refusals = frozenset({"release_commands"}), 3
        await commands.release(RECEIVE, owner="s1")
        assert hub.heard == []
        await until(lambda: CommandQueued(PRESS) in hub.heard)
        assert bodies(await commands.hold(RECEIVE, owner="s2", limit=1)) == [b"go"]
    assert commands.__dict__["_unreleased"] == {}


async def test_a_broken_store_makes_only_so_many_releases_be_remembered(
    hub: SmallHub, commands: CommandService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_UNRELEASED", 2)
    hub.trouble.only, hub.trouble.refusals = frozenset({"release_commands"}), 3
    for owner in ("s1", "s2", "s3"):
        await commands.release(RECEIVE, owner=owner)
    assert list(commands.__dict__["_unreleased"]) == ["s1", "s2"]


async def test_a_session_that_is_cancelled_while_it_lets_go_lets_go(hub: SmallHub, commands: CommandService) -> None:
    await commands.send(send(), draft())
    await commands.hold(RECEIVE, owner="s1", limit=1)
    hub.trouble.stick()
    letting_go = asyncio.create_task(commands.release(RECEIVE, owner="s1"))
    await settle()
    letting_go.cancel()
    await asyncio.wait([letting_go])
    hub.trouble.unstick()
    await until(lambda: not commands.__dict__["_unreleased"])
    assert bodies(await commands.hold(RECEIVE, owner="s2", limit=1)) == [b"go"]


async def test_a_refusal_of_the_store_reaches_the_sender_and_nobody_is_told(
    hub: SmallHub, commands: CommandService
) -> None:
    hub.trouble.refusals = 1
    with pytest.raises(Unavailable):
        await commands.send(send(), draft())
    assert hub.heard == []
