"""Tests of app/cli/jobs.py."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.app.cli.conftest import Cli

from ironhub.app.cli import jobs
from ironhub.app.cli.command import Place, Quiet
from ironhub.app.cli.options import Output

TABLE = Place(None, Output.TABLE)
DEVICES = {"total": 2, "pending": 0, "running": 0, "succeeded": 1, "failed": 1, "cancelled": 0}


@pytest.fixture(autouse=True)
def _with_a_hub(data: Path, cli: Cli) -> None:
    """A data directory that has been made."""
    if not data.exists():
        cli("device", "create", "a")


def test_a_job_is_created_shown_listed_and_cancelled_with_no_hub_running(cli: Cli) -> None:
    said = cli("job", "create", "j1", "--where", "tags.hall = 'b'", "--desired", '{"fan": 3}', "-o", "json")
    assert said.json["status"] == "queued"
    assert "No hub runs" in said.err
    assert cli("job", "show", "j1", "-o", "json").json == said.json
    assert cli("job", "list", "--kind", "twin_update", "--status", "queued", "-o", "json").json == [said.json]
    assert "tags.hall = 'b'" in cli("job", "list").out
    assert cli("job", "results", "j1", "-o", "json").json == []
    assert cli("job", "cancel", "j1", "--yes", "-o", "json").json["status"] == "cancelled"
    assert cli("job", "cancel", "j1", "--yes").err.startswith("error: job.over:")


def test_nobody_waits_for_a_hub_that_does_not_run(cli: Cli) -> None:
    said = cli("job", "create", "w1", "--where", "*", "--method", "reboot", "--wait")
    assert said.code == 0
    assert "queued" in said.out


def test_a_job_for_later(cli: Cli) -> None:
    said = cli(
        "job", "create", "later", "--where", "*", "--tags", "{}", "--start", "2090-01-31T02:00:00Z", "-o", "json"
    )
    assert (said.json["status"], said.json["starts_at"]) == ("scheduled", "2090-01-31T02:00:00.000Z")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--where", "*"),
        ("--where", "*", "--method", "x", "--tags", "{}"),
        ("--where", "*", "--method", "x", "--if-match", "e"),
        ("--where", "*", "--tags", "{"),
        ("--tags", "{}"),
    ],
    ids=" ".join,
)
def test_what_to_do_and_to_whom_must_be_said(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("job", "create", "u1", *arguments).code == 2


def test_a_condition_that_cannot_be_understood_is_pointed_at(cli: Cli) -> None:
    said = cli("job", "create", "q1", "--where", "SELECT * FROM devices", "--tags", "{}")
    assert said.code == 1
    assert said.err.startswith("error: query.invalid:")
    assert "column" in said.err


class RunningJobs:
    """Answers like the admin API of a hub whose job gets on with each look."""

    running = True

    def __init__(self, end: str = "completed") -> None:
        self.looks = [job("queued", 0), job("running", 1, collected=True), job(end, 2, collected=True)]
        self.asked: list[Any] = []

    async def send(self, method: str, *path: str, body: dict[str, Any]) -> Any:
        self.asked.append((method, path, body))
        return self.looks.pop(0)

    async def get(self, *path: str, **query: Any) -> Any:
        self.asked.append(("GET", path, query))
        if path[-1] == "devices":
            ids = ["a", "b"] if query["after"] is None else ["c"]
            return {"devices": [device(each) for each in ids], "after": None if query["after"] else "b"}
        return self.looks.pop(0)


def job(status: str, done: int, *, collected: bool = False) -> dict[str, Any]:
    failed = status == "failed"
    return {
        "job_id": "j1",
        "status": status,
        "devices": DEVICES | {"pending": 2 - done},
        "collected": collected,
        "error_code": "job.time_over" if failed else None,
        "reason": "late" if failed else None,
    }


def device(name: str) -> dict[str, Any]:
    return {
        "device_id": name,
        "status": "failed",
        "ended_at": None,
        "answer_status": None,
        "answer_payload": None,
        "error_code": "method.timeout",
        "error": "\x1b[2Jno answer",
    }


async def test_whoever_waits_gets_the_end_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LOOK", 0.0)
    hub = RunningJobs()
    answer = await jobs.create(hub, TABLE, "j1", where="*", method="reboot", payload='{"a": 1}', wait=True)  # type: ignore[arg-type]
    assert answer.value["status"] == "completed"
    assert hub.asked[0] == (
        "POST",
        ("jobs",),
        {
            "job_id": "j1",
            "condition": "*",
            "starts_at": None,
            "max_execution_time": 3600.0,
            "method": {"name": "reboot", "payload": {"a": 1}, "response_timeout": 30.0, "connect_timeout": 0.0},
        },
    )
    assert hub.asked[1:] == [("GET", ("jobs", "j1"), {})] * 2


async def test_a_job_that_failed_is_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jobs, "LOOK", 0.0)
    with pytest.raises(Quiet) as end:
        await jobs.show(RunningJobs("failed"), TABLE, "j1", wait=True)  # type: ignore[arg-type]
    assert end.value.exit_code == 1
    assert "job.time_over: late" in capsys.readouterr().out


async def test_results_are_gathered_over_all_pages() -> None:
    hub = RunningJobs()
    answer = await jobs.results(hub, TABLE, "j1", limit=1000)  # type: ignore[arg-type]
    assert [each["device_id"] for each in answer.value] == ["a", "b", "c"]
    assert [query["limit"] for _, _, query in hub.asked] == [1000, 998]
    few = await jobs.results(RunningJobs(), TABLE, "j1", limit=2)  # type: ignore[arg-type]
    assert len(few.value) == 2


async def test_what_a_device_is_refused_with_is_shown_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    answer = await jobs.results(RunningJobs(), TABLE, "j1")  # type: ignore[arg-type]
    answer.print(Output.TABLE)
    shown = capsys.readouterr().out
    assert "method.timeout:" in shown
    assert "\x1b[2J" not in shown
