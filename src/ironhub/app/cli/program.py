"""The whole program. What is needed to print `--help` is imported here; the rest when a command runs."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ironhub import __version__
from ironhub.app.cli import (
    apply,
    authorities,
    commands,
    configurations,
    consumer_groups,
    devices,
    events,
    files,
    fleet,
    hub,
    jobs,
    methods,
    modules,
    monitor,
    policies,
    queries,
    simulate,
    twins,
)
from ironhub.app.cli.command import Place, Quiet
from ironhub.app.cli.options import Output, OutputOption, RootDataOption
from ironhub.app.cli.problems import EXPECTED, INTERRUPTED, report

app = typer.Typer(
    name="ironhub",
    help="A self-hosted IoT hub: devices and back ends written for Azure IoT Hub connect unchanged.",
    epilog="Begin with: ironhub quickstart",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
hub.add_to(app)
fleet.add_to(devices.app)
for group in (
    devices,
    modules,
    twins,
    configurations,
    methods,
    commands,
    jobs,
    files,
    policies,
    consumer_groups,
    authorities,
):
    app.add_typer(group.app)
monitor.add_to(app)
simulate.add_to(app)
events.add_to(app)
queries.add_to(app)
apply.add_to(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ironhub {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    data: RootDataOption = None,
    output: OutputOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version
    context.obj = Place(data, output or Output.TABLE)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (None: this process's) and return its exit code: 0, 1 failed, 2 usage, 3 refused."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        result = typer.main.get_command(app)(args=list(given) or ["--help"], prog_name="ironhub", standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; what Python would flush at exit has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Quiet as error:
        return error.exit_code
    except EXPECTED as error:
        return report(error)
    return result if isinstance(result, int) else 0


def main() -> None:
    """What `ironhub` and `python -m ironhub` call."""
    sys.exit(run())
