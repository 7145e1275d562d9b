"""Tests of app/quickstart/run.py, with a real hub's admin API and devices that send by themselves."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import FakeClock

from ironhub.app.cli.problems import Problem
from ironhub.app.quickstart import run
from ironhub.app.quickstart.devices import SimulatedDevice


class Sender(SimulatedDevice):
    """Sends without an SDK: what it sends is at once what arrives."""

    def __init__(
        self, device_id: str, arrived: "asyncio.Queue[dict[str, Any]]", failure: Problem | None = None
    ) -> None:
        super().__init__(device_id, None, FakeClock(), "run")
        self._arrived = arrived
        self._failure = failure

    async def drive(self, messages: int | None) -> None:
        if self._failure:
            raise self._failure
        for number in range(messages or 0):
            self.sent[f"run-{number}"] = 0.0
            for key in (f"run-{number}", f"run-{number}", "another"):
                system = {"message-id": key}
                await self._arrived.put({"device_id": self.device_id, "system_properties": system})


async def arriving(queue: "asyncio.Queue[dict[str, Any]]") -> AsyncIterator[dict[str, Any]]:
    while True:
        yield await queue.get()


class Shown:
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.devices: list[str] = []

    def arrived(self, event: dict[str, Any], latency: float) -> None:
        self.devices.append(event["device_id"])


async def test_it_ends_when_every_message_has_arrived_once() -> None:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    shown = Shown()
    devices = [Sender("a", queue), Sender("b", queue)]
    await run._follow([*devices], arriving(queue), 3, shown, FakeClock())
    assert sorted(shown.devices) == ["a", "a", "a", "b", "b", "b"]


async def test_a_device_that_gives_up_ends_everything() -> None:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    failure = Problem("quickstart.device", "gave up", "look")
    with pytest.raises(Problem, match="gave up"):
        await run._follow([Sender("a", queue, failure)], arriving(queue), None, Shown(), FakeClock())


async def test_messages_that_never_arrive_are_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PATIENCE", 0.01)
    monkeypatch.setattr(run, "INTERVAL", 0.0)
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    silent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    with pytest.raises(Problem) as refused:
        await run._follow([Sender("a", queue)], arriving(silent), 1, Shown(), FakeClock())
    assert refused.value.code == "quickstart.incomplete"


@contextmanager
def no_hub(data: Path) -> Iterator[bool]:
    yield True


@pytest.mark.parametrize(("messages", "code"), [(None, 0), (5, 130)])
def test_ctrl_c_is_the_end_of_the_endless_one_and_an_interruption_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, messages: int | None, code: int
) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(run, "hub_on", no_hub)
    monkeypatch.setattr(run, "_show", interrupted)
    assert run.run_quickstart(tmp_path, messages=messages, as_json=False) == code
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_whole_of_it_on_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    class Client:
        def shutdown(self) -> None:
            closed.append("closed")

    async def device(*_: object) -> Client:
        return Client()

    async def followed(devices: list[SimulatedDevice], *_: object) -> None:
        closed.extend(device.device_id for device in devices)

    from ironhub.app.cli.program import run as command

    assert command(["ca", "show", "--data", str(tmp_path / "data")]) == 0
    monkeypatch.setattr(run, "hub_on", no_hub)
    monkeypatch.setattr(run, "device_by_key", device)
    monkeypatch.setattr(run, "device_by_certificate", device)
    monkeypatch.setattr(run, "_follow", followed)
    assert run.run_quickstart(tmp_path / "data", messages=1, as_json=True) == 0
    assert closed == ["quickstart-key", "quickstart-cert", "closed", "closed"]
