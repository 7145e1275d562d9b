"""Tests of app/cli/command.py."""

from pathlib import Path
from typing import Annotated

import pytest
import typer

from ironhub.app.cli.client import AdminClient
from ironhub.app.cli.command import Place, Quiet, group, hub_command, local_command
from ironhub.app.cli.options import Output
from ironhub.app.cli.output import Answer


def call(app: typer.Typer, *arguments: str) -> Place:
    seen: list[Place] = []

    @app.callback()
    def root(context: typer.Context) -> None:
        context.obj = Place(None, Output.JSON)

    @local_command(app, "show", examples=("x show",))
    def show(place: Place, name: Annotated[str, typer.Argument()] = "n") -> Answer:
        """Show it."""
        seen.append(place)
        return Answer(name, f"text {name}")

    typer.main.get_command(app)(args=["show", *arguments], standalone_mode=False)
    return seen[0]


def test_the_answer_is_printed_as_the_root_or_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(group("x", "X."), "a") == Place(None, Output.JSON)
    assert call(group("x", "X."), "b", "-o", "table").output is Output.TABLE
    assert capsys.readouterr().out == '"a"\ntext b\n'


def test_a_command_without_an_answer_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    app = group("x", "X.")

    @app.callback()
    def root(context: typer.Context) -> None:
        context.obj = Place(None, Output.JSON)

    @local_command(app, "run", examples=("x run",))
    def run(place: Place) -> None:
        """Run it."""

    typer.main.get_command(app)(args=["run"], standalone_mode=False)
    assert capsys.readouterr().out == ""


def test_the_data_directory_has_a_default() -> None:
    assert Place(None, Output.JSON).data == Path("ironhub-data")
    assert call(group("x", "X."), "--data", "elsewhere").data == Path("elsewhere")


def test_a_command_that_asks_the_hub_gets_one_and_is_told_when_there_is_no_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = group("x", "X.")

    @app.callback()
    def root(context: typer.Context) -> None:
        context.obj = Place(tmp_path / "data", Output.JSON)

    @hub_command(app, "status", examples=("x status",), creates=True)
    async def status(hub: AdminClient, place: Place) -> Answer:
        """Ask."""
        return Answer((await hub.get("status"))["connected"], "text")

    typer.main.get_command(app)(args=["status"], standalone_mode=False)
    assert capsys.readouterr().out == "0\n"


def test_a_quiet_end_carries_its_exit_code() -> None:
    assert Quiet(3).exit_code == 3
