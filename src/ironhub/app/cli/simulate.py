"""`ironhub simulate`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ironhub.app.cli.command import Place, local_command
from ironhub.app.cli.options import Output

if TYPE_CHECKING:
    from ironhub.app.cli.output import Answer
    from ironhub.app.simulator.profile import Profile

_INTERVALS: Final = (0.1, 86_400.0)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    local_command(
        app,
        "simulate",
        examples=(
            "simulate",
            "simulate --devices 5000 --profile pumps --rate 500",
            "simulate --profile plant.yaml --speed 3600 --duration 60 -o json",
            "simulate --clean",
        ),
    )(simulate)


def simulate(
    place: Place,
    devices: Annotated[int, typer.Option("--devices", min=1, max=20_000, help="How many machines.")] = 20,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            min=0.001,
            metavar="N",
            help="Messages a second, all together.",
            show_default="as the profile says",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME|FILE", help="press-shop, cold-store, pumps, or a YAML file.")
    ] = "press-shop",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same fleet.")] = 1,
    duration: Annotated[
        float | None,
        typer.Option("--duration", min=0, metavar="SECONDS", help="End after so long.", show_default="Ctrl-C"),
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", min=0.001, max=100_000, help="How much faster than life machines age.")
    ] = 1.0,
    register: Annotated[
        bool, typer.Option("--register/--no-register", help="Create the devices that are not there.")
    ] = True,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="NAME", help="Where devices reach the hub.", show_default="where it listens"),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Its MQTT port.", show_default="the hub's")
    ] = None,
    clean: Annotated[bool, typer.Option("--clean", help="Remove all simulated devices, and end.")] = False,
) -> "Answer":
    """Run a fleet of machines against the hub: shifts, seasons, wear, faults that announce themselves, lost networks.

    They are devices like any other, tagged `simulated`; they answer methods (status, restart, setInterval) and obey the
    desired property `interval`.
    """
    from ironhub.app.simulator import Wanted, run_clean, run_simulation

    if clean:
        return run_clean(place.data)
    plant = _profile(profile)
    wanted = Wanted(
        profile=plant,
        devices=devices,
        interval=plant.interval if rate is None else _interval(devices / rate),
        speed=speed,
        seed=seed,
        duration=duration,
        register=register,
        host=host,
        port=port,
    )
    return run_simulation(place.data, wanted, as_json=place.output is Output.JSON)


def _profile(name: str) -> "Profile":
    from ironhub.app.cli.problems import UsageProblem
    from ironhub.app.simulator.profile import read_profile
    from ironhub.app.simulator.profiles import BUILT_IN

    if name in BUILT_IN:
        return BUILT_IN[name]
    path = Path(name)
    if not path.suffix and not path.exists():
        raise UsageProblem(f"there is no profile {name}", f"Take one of {', '.join(BUILT_IN)}, or a YAML file.")
    return read_profile(path)


def _interval(seconds: float) -> float:
    from ironhub.app.cli.problems import UsageProblem

    if not _INTERVALS[0] <= seconds <= _INTERVALS[1]:
        raise UsageProblem(
            f"each machine would send every {seconds:g} seconds", "Give a rate of 0.1 to 86,400 seconds a machine."
        )
    return seconds
