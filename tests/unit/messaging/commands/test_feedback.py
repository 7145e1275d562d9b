import asyncio
from collections.abc import Sequence

import pytest
from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.grants import by_operator
from tests.fakes.trouble import Trouble, settle, troubled, until

from ironhub.access.model import Grant, Permission, PermissionDenied
from ironhub.core.bus import CommandQueued, CommandsEnded
from ironhub.core.errors import Unavailable
from ironhub.core.ids import identity
from ironhub.messaging.commands import feedback
from ironhub.messaging.commands.feedback import FeedbackBatch, FeedbackReader, TooManyBatches
from ironhub.messaging.commands.model import Ack, CommandDraft, Feedback, LockLost
from ironhub.registry.model import DeviceDraft
from ironhub.registry.service import RegistryService
from ironhub.storage.memory.stores import memory_stores
from ironhub.streams.inproc import InprocBus

PRESS = identity("press-7")


class Desk:
    """A reader, and a device whose commands end at once."""

    def __init__(self) -> None:
        self.clock, entropy = FakeClock(), FakeEntropy()
        self.stores = memory_stores(entropy)
        self.bus, self.trouble = InprocBus(), Trouble()
        self.registry = RegistryService(self.stores.devices, self.bus, self.clock, entropy)
        self.reader = FeedbackReader(troubled(self.stores.commands, self.trouble), self.bus, self.clock, entropy)
        self.told: list[int] = []
        self.reader.arrivals.subscribe(lambda: self.told.append(1))
        self.grant: Grant = by_operator(Permission.FEEDBACK_READ)

    async def end(self, *message_ids: str) -> None:
        now = self.clock.now()
        for message_id in message_ids:
            draft = CommandDraft(body=b"", ack=Ack.FULL)
            await self.stores.commands.add_command(
                PRESS, draft, message_id=message_id, now=now, expires_at=now + 60, max_pending=99
            )
        await self.stores.commands.purge_commands(PRESS, now=now)

    async def receive(self) -> list[str]:
        batch = await self.reader.receive(self.grant)
        return [record.message_id for record in batch.records] if batch else []

    async def take(self) -> FeedbackBatch:
        batch = await self.reader.receive(self.grant)
        assert batch is not None
        return batch


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.registry.put_device(by_operator(Permission.REGISTRY_WRITE, PRESS), DeviceDraft(), if_match=None)
    return desk


async def test_what_one_reader_holds_no_other_gets(desk: Desk) -> None:
    await desk.end("a", "b")
    assert await desk.receive() == ["a", "b"]
    assert await desk.receive() == []
    await desk.end("c")
    assert await desk.receive() == ["c"]


async def test_what_is_completed_is_gone_and_what_is_abandoned_comes_again(desk: Desk) -> None:
    await desk.end("a")
    first = await desk.take()
    await desk.end("b")
    second = await desk.take()
    await desk.reader.complete(desk.grant, second.lock_token)
    await desk.reader.abandon(desk.grant, first.lock_token)
    assert await desk.receive() == ["a"]


async def test_what_is_completed_does_not_come_again_while_the_store_still_has_it(desk: Desk) -> None:
    await desk.end("a")
    batch = await desk.take()
    desk.trouble.only = frozenset({"drop_feedback_records"})
    desk.trouble.stick()
    completing = asyncio.create_task(desk.reader.complete(desk.grant, batch.lock_token))
    await until(lambda: "drop_feedback_records" in desk.trouble.calls)
    assert await desk.receive() == []
    desk.trouble.unstick()
    await completing
    assert await desk.receive() == []


async def test_what_is_completed_while_somebody_looks_is_not_handed_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.end("a")
    batch = await desk.take()
    store = desk.stores.commands
    look = store.list_feedback

    async def slow_look(*, after: int, limit: int, now: float) -> Sequence[Feedback]:
        found = await look(after=after, limit=limit, now=now)
        await desk.reader.complete(desk.grant, batch.lock_token)
        return found

    monkeypatch.setattr(store, "list_feedback", slow_look)
    assert await desk.receive() == []


async def test_what_could_not_be_forgotten_comes_again_and_who_waits_is_told(desk: Desk) -> None:
    await desk.end("a")
    batch = await desk.take()
    desk.trouble.only, desk.trouble.refusals = frozenset({"drop_feedback_records"}), 1
    desk.told.clear()
    with pytest.raises(Unavailable):
        await desk.reader.complete(desk.grant, batch.lock_token)
    assert desk.told
    assert await desk.receive() == ["a"]


async def test_a_lock_ends_and_settles_nothing_any_more(desk: Desk) -> None:
    await desk.end("a")
    late = await desk.take()
    desk.clock.advance(feedback.LOCK_DURATION)
    for settle_it in (desk.reader.complete, desk.reader.abandon):
        with pytest.raises(LockLost):
            await settle_it(desk.grant, late.lock_token)
    assert await desk.receive() == ["a"]
    with pytest.raises(LockLost):
        await desk.reader.complete(desk.grant, "no such lock")


async def test_what_nobody_wants_is_dropped_after_some_deliveries(desk: Desk) -> None:
    await desk.end("a")
    for _ in range(feedback.MAX_DELIVERIES):
        await desk.reader.abandon(desk.grant, (await desk.take()).lock_token)
    assert await desk.receive() == []
    assert desk.reader._deliveries == {}


async def test_batches_are_bounded_and_so_are_readers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MAX_BATCH", 2)
    monkeypatch.setattr(feedback, "MAX_LOCKED", 2)
    await desk.end("a", "b", "c", "d", "e")
    assert [await desk.receive(), await desk.receive()] == [["a", "b"], ["c", "d"]]
    with pytest.raises(TooManyBatches):
        await desk.receive()
    desk.clock.advance(feedback.LOCK_DURATION)
    assert await desk.receive() == ["a", "b"]


async def test_the_right_to_read_it_is_needed(desk: Desk) -> None:
    other = by_operator(Permission.COMMAND_SEND)
    for call in (desk.reader.receive(other), desk.reader.complete(other, "t"), desk.reader.abandon(other, "t")):
        with pytest.raises(PermissionDenied):
            await call


async def test_who_waits_is_told_when_commands_end_and_when_batches_come_back(desk: Desk) -> None:
    desk.bus.publish(CommandsEnded(PRESS))
    assert len(desk.told) == 1
    desk.bus.publish(CommandQueued(PRESS))
    assert len(desk.told) == 1
    await desk.end("a")
    await desk.reader.abandon(desk.grant, (await desk.take()).lock_token)
    assert len(desk.told) == 2
    await desk.reader.complete(desk.grant, (await desk.take()).lock_token)
    assert len(desk.told) == 3


async def test_who_waits_is_told_when_a_lock_ends_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "LOCK_DURATION", 0.01)
    running = asyncio.create_task(desk.reader.run())
    await settle()
    assert desk.told == []
    await desk.end("a")
    await desk.take()
    desk.clock.advance(0.01)
    await until(lambda: desk.told)
    assert await desk.receive() == ["a"]
    running.cancel()
    await asyncio.wait([running])


async def test_a_store_that_fails_stops_nobody_from_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feedback, "LOCK_DURATION", 0.01)
    monkeypatch.setattr(feedback, "MAX_DELIVERIES", 1)
    await desk.end("a")
    await desk.take()
    desk.clock.advance(0.01)
    desk.trouble.refusals = 1
    running = asyncio.create_task(desk.reader.run())
    await until(lambda: "feedback_not_dropped" in caplog.text)
    assert desk.told
    assert await desk.receive() == ["a"]
    running.cancel()
    await asyncio.wait([running])
