"""Tests of app/simulator/run.py, with a hub in a process of its own."""

import json
import os
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.fakes.running_hub import RunningHub

from ironhub.app.cli.client import AdminClient
from ironhub.app.cli.problems import Problem
from ironhub.app.datadir import RunInfo
from ironhub.app.simulator import Wanted, run_clean, run_simulation
from ironhub.app.simulator.plant import Target
from ironhub.app.simulator.profile import Network
from ironhub.app.simulator.profiles import PRESS_SHOP
from ironhub.app.simulator.run import allow_files, target_of

CALM = msgspec.structs.replace(PRESS_SHOP, network=Network(drops_per_day=0, outages_per_day=0))
INFO = RunInfo(pid=1, mqtt=8883, https=443, amqp=5671, admin=9443, metrics=9464, bind="0.0.0.0")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A running hub."""
    running = RunningHub(tmp_path_factory.mktemp("hub") / "data", arguments=("--https-port", "0")).start()
    yield running
    running.stop()


def wanted(**changed: object) -> Wanted:
    """A few calm machines in a hurry."""
    values = {"profile": CALM, "devices": 3, "interval": 0.1, "duration": 1.5} | changed
    return Wanted(**values)  # type: ignore[arg-type]  # passed through


def test_machines_are_registered_send_and_are_removed(hub: RunningHub) -> None:
    answer = run_simulation(hub.data, wanted(), as_json=True)
    summary = answer.value
    assert summary["sent"] == summary["acked"] > 3
    assert (summary["connected"], summary["failures"], summary["refused"]) == (0, 0, 0)
    stored = hub.events(count=3, device="sim-press-shop-00002")
    assert {event["device_id"] for event in stored} == {"sim-press-shop-00002"}
    assert stored[0]["body"]["level"] == "normal"
    assert stored[0]["properties"]["simulated"] == "true"
    twin = hub.call("GET", "/twins/sim-press-shop-00002")
    assert twin["tags"] == {"simulated": True, "plant": "press-shop"}
    assert twin["reported"]["properties"]["serial"] == "PRESS-SHOP-00002"
    assert f"{summary['acked']} stored" in str(answer.text)
    assert run_clean(hub.data).value == {"removed": 3}


def test_a_signal_ends_it_in_order(hub: RunningHub) -> None:
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    summary = run_simulation(hub.data, wanted(duration=None, host=hub.address), as_json=False).value
    timer.join()
    assert summary["acked"] == summary["sent"] > 0
    assert summary["seconds"] < 20
    assert json.dumps(summary)


def test_a_name_the_hub_does_not_answer_to_is_a_problem(hub: RunningHub) -> None:
    with pytest.raises(Problem) as refused:
        run_simulation(hub.data, wanted(host="127.0.0.2", port=hub.ready["mqtt"], duration=1.0), as_json=True)
    assert refused.value.code == "simulate.not_let_in"


def test_without_a_hub_there_is_nobody_to_talk_to(tmp_path: Path) -> None:
    from ironhub.app.cli.program import run as command

    assert command(["ca", "show", "--data", str(tmp_path / "data")]) == 0
    with pytest.raises(Problem) as refused:
        run_simulation(tmp_path / "data", wanted(), as_json=True)
    assert refused.value.code == "simulate.no_hub"


def test_machines_connect_where_the_hub_listens_unless_told_otherwise() -> None:
    hub = AdminClient(None, running=True)  # type: ignore[arg-type]  # not asked
    assert target_of(hub, INFO, wanted()) == Target("127.0.0.1", 8883, "localhost")
    assert target_of(hub, INFO, wanted(host="plant.example", port=1883)) == Target(
        "plant.example", 1883, "plant.example"
    )


def test_more_files_than_the_system_allows_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    allow_files(100)
    allow_files(2000)
    assert asked == [(2128, 4096)]
    with pytest.raises(Problem) as refused:
        allow_files(5000)
    assert refused.value.code == "simulate.files"
