"""Imports against the admin API of a small hub, interrupted wherever it hurts."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ironhub.app.cli.client import AdminClient, open_client
from ironhub.app.cli.problems import Problem
from ironhub.app.fleet import importing
from ironhub.app.fleet.checkpoint import Checkpoint, ImportLost, Progress, fingerprint
from ironhub.app.fleet.exporting import LineSink, copy_lines, private_file
from ironhub.app.fleet.importing import ErrorFile, Importer
from ironhub.app.fleet.lines import read_lines


class Told:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.failures: list[dict[str, Any]] = []
        self.moves: list[Progress] = []

    def failed(self, failure: dict[str, Any]) -> None:
        self.failures.append(failure)

    def moved(self, progress: Progress, read: int) -> None:
        self.moves.append(progress)


class Flaky:
    """An admin client whose answers get lost: the hub did what it was asked, and nobody heard."""

    def __init__(self, hub: AdminClient, lost: int) -> None:
        self._hub = hub
        self._lost = lost

    async def get(self, *path: str, **query: Any) -> Any:
        return await self._hub.get(*path, **query)

    async def send(self, method: str, *path: str, **query: Any) -> Any:
        answer = await self._hub.send(method, *path, **query)
        if method == "POST":
            self._lost -= 1
            if self._lost == 0:
                raise Problem("hub.unreachable", "the answer got lost", "Retry.")
        return answer


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[AdminClient]:
    async with open_client(tmp_path / "data", creates=True) as client:
        yield client


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_BATCH", 4)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Ten devices; the third line is none, the eighth comes twice."""
    ids = ["d1", "d2", "", "d4", "d5", "d6", "d7", "d1", "d9", "d10"]
    path = tmp_path / "devices.jsonl"
    path.write_text("".join(json.dumps({"device_id": each}) + "\n" for each in ids))
    return path


@asynccontextmanager
async def importer(
    hub: Any, source: Path, *, resume: bool = False, **fields: Any
) -> AsyncIterator[tuple[Importer, Told]]:
    """An import of the file, with everything beside it."""
    checkpoint, told = Checkpoint(source), Told()
    begun = Progress("import-1", fingerprint(source), "jsonl", fields.pop("mode", None))
    progress = checkpoint.resume(begun) if resume else checkpoint.begin(begun)
    errors = ErrorFile(source.with_name("errors.jsonl"), progress.errors_size)
    with source.open("rb") as file:
        yield Importer(hub, file, read_lines(file), progress, told, checkpoint, errors, **fields), told
    errors.close()


async def ids_of(hub: AdminClient) -> set[str]:
    return {device["device_id"] for device in (await hub.get("devices", limit=1000))["devices"]}


async def test_every_line_is_done_or_told(hub: AdminClient, source: Path) -> None:
    async with importer(hub, source) as (work, told):
        over = await work.run()
    assert (over.position, over.done, over.failed) == (10, 8, 2)
    assert [(each["line"], each["code"]) for each in told.failures] == [(3, "id.invalid"), (8, "device.exists")]
    written = [json.loads(line) for line in source.with_name("errors.jsonl").read_text().splitlines()]
    assert written == told.failures
    assert not Checkpoint(source).path.exists()
    with pytest.raises(Problem, match="no such import"):
        await hub.get("imports", "import-1")


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_an_import_whose_answer_got_lost_goes_on_and_does_and_tells_each_line_once(
    hub: AdminClient, source: Path, lost: int
) -> None:
    failures = []
    async with importer(Flaky(hub, lost), source) as (work, told):
        with pytest.raises(Problem, match="lost"):
            await work.run()
        failures += told.failures
    with source.with_name("errors.jsonl").open("a") as file:
        file.write("what was written before the crash and not written down\n")
    async with importer(hub, source, resume=True) as (work, told):
        over = await work.run()
        failures += told.failures
    assert (over.position, over.done, over.failed) == (10, 8, 2)
    assert [each["line"] for each in failures] == [3, 8]
    written = [json.loads(line) for line in source.with_name("errors.jsonl").read_text().splitlines()]
    assert written == failures
    assert len(await ids_of(hub)) == 8


async def test_a_dry_run_changes_nothing(hub: AdminClient, source: Path) -> None:
    with source.open("rb") as file:
        progress = Progress("dry", "", "jsonl", "create")
        over = await Importer(hub, file, read_lines(file), progress, Told(), dry_run=True).run()
    assert (over.done, over.failed) == (9, 1)
    assert await ids_of(hub) == set()


async def test_lines_that_cannot_be_read_are_counted_and_never_sent(
    hub: AdminClient, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ironhub.app.fleet.lines.MAX_LINE", 60)
    source.write_text('{"device_id": "d1"}\n' + "x" * 500 + '\n{"device_id": "d2", "colour": 1}\n{"device_id": "d3"}')
    async with importer(hub, source) as (work, told):
        over = await work.run()
    assert (over.done, over.failed) == (2, 2)
    assert [(each["line"], each["code"]) for each in told.failures] == [
        (2, "import.unreadable"),
        (3, "argument.invalid"),
    ]


async def test_a_hub_that_forgot_what_it_had_answered_is_not_trusted(hub: AdminClient, source: Path) -> None:
    async with importer(Flaky(hub, 2), source) as (work, _):
        with pytest.raises(Problem):
            await work.run()
    await hub.send("DELETE", "imports", "import-1")
    async with importer(hub, source, resume=True) as (work, _):
        with pytest.raises(ImportLost):
            await work.run()


async def test_an_export_is_imported_again_as_it_was(hub: AdminClient, tmp_path: Path) -> None:
    row = {"device_id": "press-7", "tags": {"hall": "b"}, "desired": {"n": 1}, "status": "disabled"}
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(row))
    async with importer(hub, source) as (work, _):
        await work.run()
    for form in ("jsonl", "azure"):
        target = tmp_path / f"out.{form}"
        with private_file(target) as file:
            async with hub.pieces("export", format=form, keys=True, twins=True) as pieces:
                assert await copy_lines(pieces, LineSink(file)) == 1
        assert target.stat().st_mode & 0o777 == 0o600
        before = await hub.get("devices", "press-7", keys=True)
        await hub.send("DELETE", "devices", "press-7")
        with target.open("rb") as opened:
            progress = Progress(f"again-{form}", "", form, None)
            over = await Importer(hub, opened, read_lines(opened), progress, Told()).run()
        assert (over.done, over.failed) == (1, 0)
        after = await hub.get("devices", "press-7", keys=True)
        assert (after["auth"], after["status"]) == (before["auth"], "disabled")
        assert (await hub.get("twins", "press-7"))["desired"]["properties"] == {"n": 1}
