import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from tests.fakes.clock import START, FakeClock
from tests.fakes.trouble import Trouble, settle, troubled, until

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity
from ironhub.messaging.sessions import presence
from ironhub.messaging.sessions.presence import PresenceRecorder
from ironhub.registry.ports import DeviceStore

PRESS, LATHE = identity("press-7"), identity("lathe-1")
CAME, WENT = FactKind.CONNECTED, FactKind.DISCONNECTED


class PresenceBook:
    """The part of a device store that presence needs: what was recorded, and in how many writes."""

    def __init__(self) -> None:
        self.recorded: list[Fact] = []
        self.writes = 0

    async def record_presence(self, changes: Sequence[Fact]) -> None:
        self.writes += 1
        self.recorded.extend(changes)

    @property
    def kinds(self) -> list[FactKind]:
        return [fact.kind for fact in self.recorded]


class Recorder:
    """A recorder over a book, with trouble in between."""

    def __init__(self) -> None:
        self.book = PresenceBook()
        self.trouble = Trouble()
        self.clock = FakeClock()
        store = cast("DeviceStore", troubled(self.book, self.trouble))
        self.recorder = PresenceRecorder(store, self.clock)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(presence, "RETRY_AFTER", 0.0)
    return Recorder()


async def test_comings_and_goings_are_written_in_order_with_their_time(desk: Recorder) -> None:
    desk.recorder.came(PRESS)
    desk.clock.advance(5)
    desk.recorder.came(LATHE, "dtmi:acme:Lathe;1")
    desk.recorder.went(PRESS)
    await desk.recorder.flush()
    assert desk.book.recorded == [
        Fact(CAME, PRESS, START, {}),
        Fact(CAME, LATHE, START + 5, {"model_id": "dtmi:acme:Lathe;1"}),
        Fact(WENT, PRESS, START + 5, {}),
    ]
    assert desk.book.writes == 1
    await desk.recorder.flush()
    assert desk.book.writes == 1


async def test_a_storm_becomes_few_writes(desk: Recorder) -> None:
    for number in range(2500):
        desk.recorder.came(identity(f"d{number}"))
    await desk.recorder.flush()
    assert desk.book.writes == 3
    assert [fact.identity for fact in desk.book.recorded] == [identity(f"d{number}") for number in range(2500)]


async def test_it_writes_as_they_come_until_cancelled(desk: Recorder) -> None:
    running = asyncio.create_task(desk.recorder.run())
    desk.recorder.came(PRESS)
    await until(lambda: len(desk.book.recorded) == 1)
    desk.recorder.went(PRESS)
    await until(lambda: len(desk.book.recorded) == 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_while_the_store_is_out_of_order_news_wait_in_order(
    desk: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    desk.trouble.refusals = 3
    running = asyncio.create_task(desk.recorder.run())
    desk.recorder.came(PRESS)
    await until(lambda: desk.trouble.refusals < 3)
    desk.recorder.went(PRESS)
    desk.recorder.came(PRESS)
    await until(lambda: len(desk.book.recorded) == 3)
    assert desk.book.kinds == [CAME, WENT, CAME]
    assert {record.message for record in caplog.records} == {"presence_not_stored"}
    running.cancel()
    await asyncio.wait([running])


async def test_a_write_that_is_under_way_at_the_end_is_neither_lost_nor_repeated(desk: Recorder) -> None:
    desk.trouble.stick()
    running = asyncio.create_task(desk.recorder.run())
    desk.recorder.came(PRESS)
    await until(lambda: desk.trouble.calls)
    desk.recorder.went(PRESS)
    running.cancel()
    await asyncio.wait([running])
    last = asyncio.create_task(desk.recorder.flush())
    await settle()
    desk.trouble.unstick()
    await last
    assert desk.book.kinds == [CAME, WENT]


async def test_two_flushes_at_once_write_everything_once_and_in_order(desk: Recorder) -> None:
    desk.trouble.stick()
    for number in range(1500):
        desk.recorder.came(identity(f"d{number}"))
    flushes = [asyncio.create_task(desk.recorder.flush()) for _ in range(2)]
    await settle()
    desk.trouble.unstick()
    await asyncio.gather(*flushes)
    assert [fact.identity for fact in desk.book.recorded] == [identity(f"d{number}") for number in range(1500)]


async def test_beyond_the_bound_the_oldest_news_are_dropped_and_counted(
    desk: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "MAX_WAITING", 3)
    desk.trouble.stick()
    desk.recorder.came(PRESS)
    writing = asyncio.create_task(desk.recorder.flush())
    await until(lambda: desk.trouble.calls)
    for number in range(5):
        desk.recorder.came(identity(f"d{number}"))
    desk.trouble.unstick()
    await writing
    assert [fact.identity for fact in desk.book.recorded] == [PRESS, *(identity(f"d{number}") for number in (2, 3, 4))]
    assert desk.recorder.dropped == 2


async def test_an_error_at_the_end_is_no_endless_wait(desk: Recorder) -> None:
    desk.trouble.refusals = 1
    desk.recorder.came(PRESS)
    await desk.recorder.flush()
    assert desk.book.recorded == []
    await desk.recorder.flush()
    assert desk.book.kinds == [CAME]


async def test_a_bug_costs_the_news_it_struck_and_none_that_come_later(
    desk: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Sequence[Fact]) -> None:
        raise ValueError("a bug")

    desk.recorder.came(PRESS)
    with monkeypatch.context() as patch:
        patch.setattr(desk.book, "record_presence", broken)
        with pytest.raises(ValueError, match="a bug"):
            await desk.recorder.flush()
    desk.recorder.came(LATHE)
    await desk.recorder.flush()
    assert [fact.identity for fact in desk.book.recorded] == [LATHE]
