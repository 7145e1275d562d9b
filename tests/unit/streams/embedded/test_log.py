"""The durable log behind its port: what is particular to it beyond contracts/test_event_log.py."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.fakes.clock import START, FakeClock
from tests.fakes.log_files import change
from tests.fakes.streams import PRESS, bodies, entries, entry, sealer, stored

from ironhub.core.errors import CorruptStore, HubError, InvalidArgument, Unavailable
from ironhub.messaging.telemetry.model import Damage, PartitionEnds
from ironhub.streams.embedded.log import EmbeddedLog, _answer, open_log
from ironhub.streams.settings import LogSettings


async def opened(path: Path, settings: LogSettings | None = None, **more: object) -> EmbeddedLog:
    return await open_log(path, sealer(), FakeClock(), settings or LogSettings(), **more)  # type: ignore[arg-type]


async def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db")
    await stored(log, 1, entries(1, 2))
    await log.set_position("$default", 1, 1)
    await log.relay([(4, 1, entry(3))])
    await log.close()
    log = await opened(tmp_path / "stream.db", LogSettings(partitions=32))
    assert log.partitions == 4
    assert await bodies(log, 1) == [(number, entry(number + 1).body) for number in range(3)]
    assert await log.ends(1) == PartitionEnds(0, 3, START)
    assert await log.position("$default", 1) == 1
    assert await log.relayed() == 4
    assert await log.seek(1, START) == 0
    await log.close()


async def test_damage_is_told_once_and_the_rest_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "stream.db"
    log = await opened(path)
    for number in range(3):
        await stored(log, 0, entries(number))
    await log.close()
    change(path, "UPDATE chunk_0 SET checksum = 0 WHERE first = 1")
    told: list[Damage] = []
    log = await opened(path, on_damage=told.append)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert [number for number, _ in await bodies(log, 0)] == [0, 2]
    assert told == [Damage(0, 1, 1, "a chunk's checksum does not match")]
    assert log.stats.damaged == 1
    (record,) = caplog.records
    assert record.message == "event_log_damaged"
    assert (record.__dict__["partition"], record.__dict__["first"], record.__dict__["entries"]) == (0, 1, 1)
    await log.close()


async def test_what_lies_before_damage_at_the_end_is_found_by_time(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    log = await opened(path)
    for number in range(3):
        await stored(log, 0, entries(number))
    await log.close()
    change(path, "UPDATE chunk_0 SET checksum = 0 WHERE first = 2")
    log = await opened(path)
    assert await log.seek(0, START) == 0
    assert [number for number, _ in await bodies(log, 0)] == [0, 1]
    await log.close()


async def test_what_it_remembers_of_damage_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ironhub.streams.embedded.log._MAX_REPORTED", 2)
    path = tmp_path / "stream.db"
    log = await opened(path)
    for number in range(8):
        await stored(log, 0, entries(number))
    await log.close()
    change(path, "UPDATE chunk_0 SET checksum = 0 WHERE first < 7")
    log = await opened(path)
    await bodies(log, 0)
    assert len(log._reported) == 2
    assert log.stats.damaged == 7
    await log.close()


async def test_old_keys_read_what_they_sealed_while_new_ones_seal(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    for keys in ((1,), (1, 2)):
        log = await open_log(path, sealer(*keys), FakeClock(), LogSettings())
        await stored(log, 0, entries(1))
        await log.close()
    log = await open_log(path, sealer(2), FakeClock(), LogSettings())
    batch = await log.read(0, 0)
    assert [each.sequence_number for each in batch.entries] == [1]
    assert [each[:3] for each in batch.damage] == [(0, 0, 1)]
    assert "key 1" in batch.damage[0].reason
    await log.close()


async def test_the_tail_is_read_without_the_disk(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db")
    await stored(log, 0, entries(1, 2))
    log._reader.close()
    assert len((await log.read(0, 0)).entries) == 2
    await log.close()


async def test_a_disk_that_cannot_be_read_is_told_to_the_reader(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db", LogSettings(max_cached=0))
    await stored(log, 0, entries(1, 2))
    log._reader.close()
    with pytest.raises(Unavailable):
        await log.read(0, 0)
    with pytest.raises(Unavailable):
        await log.seek(0, START)
    await log.close()
    with pytest.raises(Unavailable, match="closed"):
        await log.read(0, 0)


async def test_readers_race_appends_and_retention_without_meeting_damage(tmp_path: Path) -> None:
    clock = FakeClock()
    settings = LogSettings(max_age=5, max_cached=20_000, commit_interval=0.001)
    log = await open_log(tmp_path / "stream.db", sealer(), clock, settings)
    total = 400
    last: list[int] = []

    async def read_all(start: int) -> None:
        seen = -1
        while seen < total - 1:
            assert await log.wait(0, start, 30)
            batch = await log.read(0, start, max_entries=7)
            assert batch.damage == ()
            for each in batch.entries:
                assert each.sequence_number > seen
                assert each.entry == entry(each.sequence_number)
                seen = each.sequence_number
            start = batch.next
        last.append(seen)

    readers = [asyncio.ensure_future(read_all(0)) for _ in range(3)]
    for number in range(0, total, 4):
        await stored(log, 0, entries(number, number + 1, number + 2, number + 3))
        clock.advance(1)
        if number % 12 == 0:
            await log.trim()
            late = asyncio.ensure_future(log.read(0, 0, max_entries=50))
            await log.trim()
            assert (await late).damage == ()
    await asyncio.wait_for(asyncio.gather(*readers), 30)
    assert last == [total - 1] * 3
    assert (await log.ends(0)).first > total - 40
    await log.close()


async def test_who_waits_for_the_commit_comes_after_all_who_appended_before(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db")
    order: list[str] = []
    await stored(log, 0, entries(0))  # from here on a commit waits for more
    for partition in (0, 3):
        log.append(partition, entries(1), lambda error: order.append(f"stored {error}"))
    await log.committed()
    assert order == ["stored None"] * 2
    assert (await log.ends(0)).next == 2
    await log.committed()
    assert (await log.ends(0)).next == 2
    await log.close()
    with pytest.raises(Unavailable):
        await log.committed()


async def test_it_trims_by_itself(tmp_path: Path) -> None:
    clock = FakeClock()
    log = await open_log(tmp_path / "stream.db", sealer(), clock, LogSettings(max_age=5, trim_interval=0.01))
    await stored(log, 0, entries(1))
    clock.advance(10)
    async with asyncio.timeout(30):
        while (await log.ends(0)).first == 0:
            await asyncio.sleep(0.001)
    await log.close()


async def test_a_backup_made_in_use_is_a_log_of_its_own(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db")
    await stored(log, 0, entries(1, 2))
    await log.backup_to(tmp_path / "copy.db")
    await stored(log, 0, entries(3))
    with pytest.raises(InvalidArgument, match=r"copy\.db"):
        await log.backup_to(tmp_path / "copy.db")
    with pytest.raises(Unavailable):
        await log.backup_to(tmp_path / "missing" / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    copy = await opened(tmp_path / "copy.db")
    assert len(await bodies(copy, 0)) == 2
    assert len(await bodies(log, 0)) == 3
    await copy.close()
    await log.close()


async def test_a_file_that_cannot_be_read_leaves_nothing_open(tmp_path: Path) -> None:
    opens: list[sqlite3.Connection] = []

    def connect_once(path: Path) -> sqlite3.Connection:
        if opens:
            raise sqlite3.OperationalError("unable to open database file")
        opens.append(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        return opens[0]

    with pytest.raises(Unavailable, match="for reading"):
        await opened(tmp_path / "stream.db", connect=connect_once)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opens[0].execute("SELECT 1")


async def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "stream.db")) as connection:
        connection.execute("CREATE TABLE customers (name)")
    with pytest.raises(CorruptStore):
        await opened(tmp_path / "stream.db")


async def test_whoever_stops_waiting_for_an_answer_disturbs_nobody(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db", LogSettings(max_cached=0))
    await stored(log, 0, entries(1))
    for impatient in (log.set_position("a", 0, 1), log.read(0, 0), log.seek(0, START), log.relay([(1, 0, entry(1))])):
        task: asyncio.Future[object] = asyncio.ensure_future(impatient)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await log.set_position("b", 0, 1)
    assert await log.position("a", 0) == 1
    log._reader.close()
    failing = asyncio.ensure_future(log.read(0, 0))
    await asyncio.sleep(0)
    failing.cancel()
    await asyncio.wait([failing])
    await log.close()


def test_an_answer_for_a_loop_that_ended_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    done: asyncio.Future[int] = loop.create_future()
    loop.close()
    _answer(loop, done, lambda: 1)
    assert [record.message for record in caplog.records] == ["event_log_loop_is_gone"]


async def test_a_waiting_reader_is_woken_by_the_commit(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db")
    at = log.partition_of(PRESS.identity.device_id)
    waiting = asyncio.ensure_future(log.wait(at, 0, 30))
    await asyncio.sleep(0)
    await stored(log, at, entries(1))
    assert await waiting
    assert await log.wait(at, 0, 0)
    assert await log.position("nobody", at) is None
    assert await log.seek(at, START + 1) == 1
    await log.close()
    await log.close()


async def test_errors_of_a_commit_reach_positions_and_relays(tmp_path: Path) -> None:
    log = await opened(tmp_path / "stream.db", LogSettings(max_pending=1000))
    with pytest.raises(HubError):
        await log.relay([(number, 0, entry(number)) for number in range(1, 50)])
    assert await log.relayed() == 0
    await log.close()
