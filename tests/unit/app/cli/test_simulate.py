"""Tests of app/cli/simulate.py; what it starts is tested in tests/unit/app/simulator."""

from pathlib import Path

import pytest
from tests.unit.app.cli.conftest import Cli

from ironhub.app import simulator
from ironhub.app.cli.output import Answer
from ironhub.app.simulator.profiles import PUMPS


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[simulator.Wanted]:
    """What would have been simulated."""
    found: list[simulator.Wanted] = []

    def run(data: Path, wanted: simulator.Wanted, *, as_json: bool) -> Answer:
        found.append(wanted)
        return Answer({"json": as_json}, "done")

    monkeypatch.setattr(simulator, "run_simulation", run)
    return found


def test_without_options_it_is_the_press_shop_for_ever(cli: Cli, started: list[simulator.Wanted]) -> None:
    assert cli("simulate").out == "done\n"
    (wanted,) = started
    assert (wanted.profile.name, wanted.devices, wanted.interval, wanted.duration) == ("press-shop", 20, 10.0, None)
    assert (wanted.speed, wanted.seed, wanted.register, wanted.host) == (1.0, 1, True, None)


def test_the_rate_is_that_of_the_whole_fleet(cli: Cli, started: list[simulator.Wanted]) -> None:
    options = (
        "--devices",
        "5000",
        "--rate",
        "500",
        "--profile",
        "pumps",
        "--no-register",
        "--speed",
        "60",
        "-o",
        "json",
    )
    assert cli("simulate", *options).json == {"json": True}
    assert (started[0].interval, started[0].profile, started[0].register) == (10.0, PUMPS, False)
    assert cli("simulate", "--devices", "1", "--rate", "1000").code == 2


def test_a_profile_is_a_name_or_a_file(cli: Cli, started: list[simulator.Wanted], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("{name: mine, model: M, measurements: [{name: heat, idle: 1, running: 2}]}")
    assert cli("simulate", "--profile", str(file)).code == 0
    assert started[0].profile.name == "mine"
    unknown = cli("simulate", "--profile", "moon-base")
    assert unknown.code == 2
    assert "press-shop, cold-store, pumps" in unknown.err
    assert cli("simulate", "--profile", str(tmp_path / "none.yaml")).err.startswith("error: file.unusable:")


def test_cleaning_works_without_a_running_hub(cli: Cli) -> None:
    cli("ca", "show")
    cli("device", "create", "sim-a-00001")
    cli("twin", "update", "sim-a-00001", "--tags", '{"simulated": true}')
    assert cli("simulate", "--clean", "-o", "json").json == {"removed": 1}
    assert cli("simulate", "--clean").out == "0 simulated devices are removed.\n"


def test_without_a_hub_it_says_how_to_start_one(cli: Cli) -> None:
    cli("ca", "show")
    assert "simulate.no_hub" in cli("simulate", "--duration", "1").err
