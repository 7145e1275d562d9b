"""Group commit: what waits for what, and what a refusing disk costs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.log_files import Disk, connect_to_disk, open_file
from tests.fakes.streams import PRESS, entries

from ironhub.core.errors import HubError, Unavailable
from ironhub.messaging.telemetry.model import Entry
from ironhub.streams.embedded.committer import FLUSH_BYTES, GroupCommit
from ironhub.streams.embedded.schema import connect
from ironhub.streams.settings import LogSettings
from ironhub.streams.tail import Block

NEVER = 3600.0
Make = Callable[..., GroupCommit]


class SlowDiskClock(FakeClock):
    """A second passes between two looks: that long a commit takes."""

    def monotonic(self) -> float:
        self.advance(1.0)
        return super().monotonic()


class Recorder:
    """What was handed on after each commit."""

    def __init__(self) -> None:
        self.commits: list[Sequence[Block]] = []

    def __call__(self, blocks: Sequence[Block]) -> None:
        self.commits.append(blocks)

    @property
    def sizes(self) -> list[int]:
        return [sum(len(block.entries) for block in blocks) for blocks in self.commits]


@pytest.fixture(autouse=True)
def refusals() -> Iterator[list[tuple[str, bool]]]:
    Disk.refusals.clear()
    yield Disk.refusals
    Disk.refusals.clear()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def make(tmp_path: Path, recorder: Recorder) -> AsyncIterator[Make]:
    made: list[GroupCommit] = []

    def make(settings: LogSettings, clock: FakeClock | None = None) -> GroupCommit:
        clock = clock or FakeClock()
        file = open_file(tmp_path / "stream.db", clock, settings, connect_to_disk)
        made.append(GroupCommit(file, clock, settings, recorder))
        return made[-1]

    yield make
    for commits in made:
        await commits.close()


async def answer(append: Callable[[Callable[[HubError | None], None]], None]) -> HubError | None:
    done: asyncio.Future[HubError | None] = asyncio.get_running_loop().create_future()
    append(done.set_result)
    return await asyncio.wait_for(done, 30)


async def append(commits: GroupCommit, *batch: Entry, partition: int = 0) -> HubError | None:
    return await answer(lambda stored: commits.append(partition, batch, stored))


async def test_what_is_appended_at_once_is_committed_at_once(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings(commit_interval=NEVER))
    answers = [append(commits, *entries(number), partition=number % 4) for number in range(10)]
    assert await asyncio.gather(*answers) == [None] * 10
    assert recorder.sizes == [10]
    assert [block.partition for block in recorder.commits[0]] == [0, 1, 2, 3]
    assert (commits.stats.appended, commits.stats.commits) == (10, 1)


async def test_whoever_is_alone_waits_for_no_company(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings(commit_interval=NEVER))
    for number in range(5):
        assert await append(commits, *entries(number)) is None
    assert recorder.sizes == [1] * 5


async def test_after_a_group_the_next_gathers_for_the_interval(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings(commit_interval=0.05))
    await asyncio.gather(append(commits, *entries(1)), append(commits, *entries(2)))
    first = asyncio.ensure_future(append(commits, *entries(3)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.ensure_future(append(commits, *entries(4)))
    assert list(await asyncio.gather(first, second)) == [None, None]
    assert recorder.sizes == [2, 2]


async def test_behind_a_slow_commit_the_next_waits_for_those_who_were_acknowledged(
    make: Make, recorder: Recorder
) -> None:
    """They send again at once; without them, half of what is in flight would wait for one more sync of the disk."""
    commits = make(LogSettings(commit_interval=1e-9), SlowDiskClock())
    await asyncio.gather(append(commits, *entries(1)), append(commits, *entries(2)))
    first = asyncio.ensure_future(append(commits, *entries(3)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.ensure_future(append(commits, *entries(4)))
    assert list(await asyncio.gather(first, second)) == [None, None]
    assert recorder.sizes == [2, 2]


async def test_much_is_not_made_to_wait(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings(commit_interval=NEVER))
    await asyncio.gather(append(commits, *entries(1)), append(commits, *entries(2)))
    waiting = asyncio.ensure_future(append(commits, *entries(3)))
    await asyncio.sleep(0)
    assert await append(commits, Entry(PRESS, b"", b"x" * FLUSH_BYTES)) is None
    assert await waiting is None
    assert recorder.sizes == [2, 2]


async def test_what_comes_while_the_disk_is_busy_is_committed_together(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings(commit_interval=0))
    answers: list[HubError | None] = []
    done = asyncio.get_running_loop().create_future()

    def more(error: HubError | None) -> None:
        answers.append(error)
        if len(answers) == 1:  # in the middle of an answer: the disk is idle now, and nothing is armed yet
            for number in range(3):
                commits.append(0, entries(number), more)
        if len(answers) == 4:
            done.set_result(None)

    commits.append(0, entries(1), more)
    await asyncio.wait_for(done, 30)
    assert answers == [None] * 4
    assert recorder.sizes == [1, 3]


async def test_the_bound_in_bytes_refuses_the_newest_only(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings(max_pending=10_000))
    large = Entry(PRESS, b"", b"x" * 4000)
    answers = await asyncio.gather(*(append(commits, large) for _ in range(4)))
    assert [type(each) for each in answers] == [type(None), type(None), Unavailable, Unavailable]
    refused = await answer(lambda stored: commits.relay([(1, 0, Entry(PRESS, b"", b"x" * 20_000))], stored))
    assert isinstance(refused, Unavailable)
    assert await append(commits, large) is None
    assert commits.stats.refused == 3
    assert recorder.sizes == [2, 1]


async def test_a_refusing_disk_refuses_all_of_one_commit_and_nothing_else(
    make: Make, recorder: Recorder, refusals: list[tuple[str, bool]], caplog: pytest.LogCaptureFixture
) -> None:
    commits = make(LogSettings())
    assert await append(commits, *entries(1)) is None
    refusals += [("COMMIT", False), ("PRAGMA wal_checkpoint(TRUNCATE)", False)]
    with caplog.at_level(logging.INFO):
        answers = await asyncio.gather(append(commits, *entries(2)), append(commits, *entries(3), partition=1))
        assert [type(each) for each in answers] == [Unavailable, Unavailable]
        assert (commits.stats.healthy, "disk I/O error" in commits.stats.last_error) == (False, True)
        assert isinstance(await append(commits, *entries(4)), Unavailable)
        assert await append(commits, *entries(5)) is None
    assert commits.stats.healthy
    assert [record.message for record in caplog.records] == ["event_log_unavailable", "event_log_recovered"]
    assert [block.first for blocks in recorder.commits for block in blocks] == [0, 1]
    assert (commits.stats.appended, commits.stats.refused, commits.stats.commits) == (2, 3, 2)


async def test_it_finds_out_by_itself_that_the_disk_is_well_again(make: Make, refusals: list[tuple[str, bool]]) -> None:
    commits = make(LogSettings(trim_interval=0.01))
    refusals.append(("BEGIN", False))
    assert await append(commits, *entries(1)) is not None
    async with asyncio.timeout(30):
        while not commits.stats.healthy:
            await asyncio.sleep(0.001)


async def test_a_disk_that_only_can_be_read_is_not_well(make: Make, refusals: list[tuple[str, bool]]) -> None:
    commits = make(LogSettings(trim_interval=NEVER))
    refusals += [("BEGIN", False), ("UPDATE mark", False)]
    assert await append(commits, *entries(1)) is not None
    await commits.trim()
    assert not commits.stats.healthy
    await commits.trim()
    assert commits.stats.healthy


async def test_positions_and_facts_are_in_the_same_commit(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings())
    answers = await asyncio.gather(
        append(commits, *entries(1)),
        answer(partial(commits.relay, [(4, 0, entries(4)[0])])),
        answer(partial(commits.set_position, "$default", 0, 1)),
    )
    assert list(answers) == [None] * 3
    assert recorder.sizes == [2]
    await commits.close()
    assert isinstance(await answer(partial(commits.set_position, "$default", 0, 2)), Unavailable)


async def test_a_callback_that_raises_stops_nobody_else(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    commits = make(LogSettings())

    def cancelled(error: HubError | None) -> None:
        raise asyncio.CancelledError

    commits.append(0, entries(1), cancelled)
    assert await append(commits, *entries(2)) is None
    assert [record.message for record in caplog.records] == ["event_log_callback_failed"]


async def test_an_entry_that_cannot_be_packed_costs_its_commit_only(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    commits = make(LogSettings())
    broken = Entry(PRESS, b"", b"", flags=object())  # type: ignore[arg-type]
    assert isinstance(await append(commits, broken), Unavailable)
    assert await append(commits, *entries(1)) is None
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "event_log_commit_failed",
        "event_log_unavailable",
    ]


async def test_upkeep_that_fails_is_told_and_tried_again(
    make: Make, refusals: list[tuple[str, bool]], caplog: pytest.LogCaptureFixture
) -> None:
    commits = make(LogSettings(max_age=-1))
    assert await append(commits, *entries(1)) is None
    refusals.append(("DELETE", False))
    await commits.trim()
    assert not commits.stats.healthy
    await commits.trim()
    assert commits.stats.healthy


async def test_a_bug_in_upkeep_does_not_end_the_thread(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    commits = make(LogSettings(max_age="a day"))  # type: ignore[arg-type]
    await commits.trim()
    assert await append(commits, *entries(1)) is None
    assert "event_log_upkeep_failed" in [record.message for record in caplog.records]


async def test_a_waiting_trim_may_be_cancelled(make: Make) -> None:
    commits = make(LogSettings())
    waiting = asyncio.ensure_future(commits.trim())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await commits.trim()


async def test_closing_commits_what_waits_and_what_that_brings(make: Make, recorder: Recorder) -> None:
    commits = make(LogSettings(commit_interval=NEVER))
    answers: list[HubError | None] = []
    for number in range(20):
        commits.append(0, entries(number), answers.append)
    await asyncio.sleep(0)
    for number in range(20):
        commits.append(0, entries(number), answers.append)
    await commits.close()
    assert answers == [None] * 40


async def test_closing_does_not_wait_for_company(make: Make) -> None:
    commits = make(LogSettings(commit_interval=NEVER))
    await asyncio.gather(append(commits, *entries(1)), append(commits, *entries(2)))
    waiting = asyncio.ensure_future(append(commits, *entries(3)))
    await asyncio.sleep(0)
    await commits.close()
    assert await waiting is None
    assert isinstance(await append(commits, *entries(1)), Unavailable)
    await commits.close()


def test_a_loop_that_ended_without_closing_does_not_hurt_the_thread(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = open_file(tmp_path / "stream.db")
    connection = connect(tmp_path / "stream.db")
    connection.execute("BEGIN IMMEDIATE")  # holds the commit until the loop is gone

    async def leave_in_the_middle() -> GroupCommit:
        commits = GroupCommit(file, FakeClock(), LogSettings(), Recorder())
        commits.append(0, entries(1), lambda error: None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return commits

    commits = asyncio.run(leave_in_the_middle())
    connection.execute("ROLLBACK")
    connection.close()
    commits._thread.close()
    file.close()
    assert "event_log_loop_is_gone" in [record.message for record in caplog.records]
