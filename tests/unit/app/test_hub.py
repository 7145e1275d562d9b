"""app/hub.py"""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.fakes.clock import FakeEntropy
from tests.fakes.grants import by_operator

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.app.archive import restore_archive
from ironhub.app.datadir import DataDirectory, DirectoryIncomplete, DirectoryInUse
from ironhub.app.hub import Hub, open_hub
from ironhub.app.settings import Settings
from ironhub.app.system import SystemClock
from ironhub.core.bus import AuthoritiesChanged
from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.core.facts import FactKind
from ironhub.core.ids import identity
from ironhub.messaging.telemetry.facts import fact_of
from ironhub.registry.model import DeviceDraft

PRESS = identity("press-7")
PATIENCE = 10.0


def settings(path: Path) -> Settings:
    return Settings(data=path, partitions=1)


async def create(hub: Hub) -> None:
    await hub.registry.put_device(by_operator(Permission.REGISTRY_WRITE, PRESS), DeviceDraft(), if_match=None)


async def test_a_hub_keeps_what_it_was_told_when_it_is_opened_again(tmp_path: Path) -> None:
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await create(hub)
        policies = await hub.stores.policies.list_policies()
        token = hub.admin_token
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy("b")) as hub:
        device = await hub.registry.get_device(by_operator(Permission.REGISTRY_READ, PRESS))
        assert device.device_id == "press-7"
        assert await hub.stores.policies.list_policies() == policies
        assert hub.admin_token == token


async def test_facts_reach_the_log_by_themselves(tmp_path: Path) -> None:
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await create(hub)
        assert await hub.log.wait(0, 0, PATIENCE)
        (logged,) = (await hub.log.read(0, 0)).entries
        assert fact_of(logged.entry).kind is FactKind.DEVICE_CREATED


async def test_what_happened_last_is_in_the_log_when_the_hub_has_ended(tmp_path: Path) -> None:
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await create(hub)
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy("b")) as hub:
        (logged,) = (await hub.log.read(0, 0)).entries
        assert fact_of(logged.entry).kind is FactKind.DEVICE_CREATED


async def test_two_processes_never_hold_one_directory(tmp_path: Path) -> None:
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()):
        with pytest.raises(DirectoryInUse):
            async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()):
                pass


async def test_only_who_holds_a_new_directory_makes_its_keys(tmp_path: Path) -> None:
    """Two that begin at once would otherwise each make a master key, and one of them would be written over."""
    directory = DataDirectory(tmp_path / "data")
    directory.make()
    with directory.locked(SystemClock()), pytest.raises(DirectoryInUse):
        async with open_hub(settings(directory.path), clock=SystemClock(), entropy=FakeEntropy()):
            pass
    assert not directory.exists()
    assert not (directory.path / "admin.token").exists()


async def test_another_master_key_opens_nothing(tmp_path: Path) -> None:
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()):
        pass
    (tmp_path / "data" / "master.key").write_text("00" * 32)
    with pytest.raises(CorruptStore, match=r"master\.key"):
        async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()):
            pass


async def test_a_backup_taken_while_it_runs_opens_as_the_same_hub(tmp_path: Path) -> None:
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await create(hub)
        await hub.log.wait(0, 0, PATIENCE)
        await hub.backup(tmp_path / "backup")
        device = await hub.registry.get_device(by_operator(Permission.REGISTRY_READ, PRESS))
    restore_archive(tmp_path / "backup", tmp_path / "new")
    async with open_hub(settings(tmp_path / "new"), clock=SystemClock(), entropy=FakeEntropy("b")) as hub:
        assert await hub.registry.get_device(by_operator(Permission.REGISTRY_READ, PRESS)) == device
        assert len((await hub.log.read(0, 0)).entries) == 1


async def test_facts_of_a_registry_that_is_older_than_the_log_reach_it(tmp_path: Path) -> None:
    """As in a backup that was taken under load: the log was copied after the registry."""
    data, older = tmp_path / "data", tmp_path / "older.db"
    async with open_hub(settings(data), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await hub.database.backup_to(older)
        await create(hub)
        assert await hub.log.wait(0, 0, PATIENCE)
    older.replace(data / "hub.db")
    async with open_hub(settings(data), clock=SystemClock(), entropy=FakeEntropy("b")) as hub:
        await create(hub)
        assert await hub.log.wait(0, 1, PATIENCE)


async def test_an_empty_log_beside_a_registry_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with open_hub(settings(data), clock=SystemClock(), entropy=FakeEntropy()):
        pass
    (data / "stream.db").write_bytes(b"")
    with pytest.raises(DirectoryIncomplete):
        async with open_hub(settings(data), clock=SystemClock(), entropy=FakeEntropy()):
            pass
    (data / "stream.db").unlink()
    async with open_hub(settings(data), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        assert (await hub.log.ends(0)).next == 0


async def test_a_disk_that_takes_writes_again_is_noticed_though_nobody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ironhub.app.hub.PROBE_INTERVAL", 0.0)
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:

        def refuse(_: object) -> None:
            error = sqlite3.OperationalError("the disk is full")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
            raise error

        with pytest.raises(Unavailable):
            await hub.database.write(refuse)
        assert hub.troubles() == ["hub.db cannot be used: SQLITE_FULL: the disk is full"]
        async with asyncio.timeout(PATIENCE):
            while hub.troubles():
                await asyncio.sleep(0)


async def test_a_well_hub_has_no_troubles_and_says_what_it_is(tmp_path: Path) -> None:
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        assert hub.troubles() == []
        status = hub.status()
        assert status["connected"] == 0
        assert status["partitions"] == 1
        grant = by_operator(Permission.REGISTRY_READ, WHOLE_HUB)
        assert await hub.registry.count(grant) == (0, 0)
        hub.bus.publish(AuthoritiesChanged())


async def test_a_background_task_with_a_bug_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    again = asyncio.Event()
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError("a bug")
        again.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("ironhub.app.hub.RESTART_AFTER", 0.0)
    monkeypatch.setattr(Hub, "tasks", lambda _self: [work])
    async with open_hub(settings(tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()):
        async with asyncio.timeout(PATIENCE):
            await again.wait()
    assert "hub_task_failed" in caplog.text
