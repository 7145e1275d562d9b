"""Commands about the hub as a whole: `serve`, `quickstart`, `connection-string`, `doctor`, `backup`, `restore`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, Quiet, hub_command, local_command
from ironhub.app.cli.options import ModuleOption, Output

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    local_command(
        app,
        "serve",
        examples=(
            "serve",
            "serve --data /var/lib/ironhub --bind 0.0.0.0 --hostname hub.example",
            "serve --mqtt-port 18883 --https-port 18443 --log-format console",
        ),
    )(serve)
    local_command(app, "quickstart", examples=("quickstart", "quickstart --messages 10"))(quickstart)
    hub_command(
        app,
        "connection-string",
        creates=True,
        examples=(
            "connection-string --policy iothubowner",
            "connection-string --device press-7",
            "connection-string --device press-7 --module arm",
            "connection-string --events",
            "connection-string --events --policy billing",
        ),
    )(connection_string)
    local_command(app, "doctor", examples=("doctor", "doctor -o json"))(doctor)
    hub_command(app, "backup", examples=("backup ironhub-monday.backup",))(backup)
    local_command(app, "restore", examples=("restore ironhub-monday.backup --data /var/lib/ironhub",))(restore)


def serve(
    place: Place,
    bind: Annotated[
        list[str] | None,
        typer.Option("--bind", metavar="ADDR", help="Where devices connect; repeat it.", show_default="loopback"),
    ] = None,
    mqtt_port: Annotated[
        int | None, typer.Option("--mqtt-port", min=0, max=65535, help="MQTT over TLS.", show_default="8883")
    ] = None,
    https_port: Annotated[
        int | None,
        typer.Option("--https-port", min=0, max=65535, help="HTTPS and WebSockets.", show_default="443, else 8443"),
    ] = None,
    amqp_port: Annotated[
        int | None, typer.Option("--amqp-port", min=0, max=65535, help="AMQP over TLS.", show_default="5671")
    ] = None,
    amqp_plain_port: Annotated[
        int | None,
        typer.Option(
            "--amqp-plain-port", min=0, max=65535, help="AMQP without TLS, on loopback only.", show_default="off"
        ),
    ] = None,
    admin_port: Annotated[
        int | None, typer.Option("--admin-port", min=0, max=65535, help="Admin API.", show_default="9443")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", min=0, max=65535, help="Metrics, health.", show_default="9464")
    ] = None,
    hostname: Annotated[
        list[str] | None,
        typer.Option("--hostname", metavar="NAME", help="A name the hub answers to; repeat it."),
    ] = None,
    log_format: Annotated[
        str | None, typer.Option("--log-format", metavar="json|console", help="On stderr.", show_default="json")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", metavar="LEVEL", help="The least to log.", show_default="info")
    ] = None,
) -> None:
    """Run a hub until SIGTERM or Ctrl-C. A port 0 means any free one.

    Creates what is missing, then prints one JSON line as soon as every listener accepts. If the hub cannot start, the
    exit code is 2.
    """
    from ironhub.app.cli.problems import USAGE, report
    from ironhub.app.logs import configure_logs
    from ironhub.app.settings import load_settings
    from ironhub.core.errors import HubError

    given: dict[str, Any] = {
        "bind": bind,
        "mqtt_port": mqtt_port,
        "https_port": https_port,
        "amqp_port": amqp_port,
        "amqp_plain_port": amqp_plain_port,
        "admin_port": admin_port,
        "metrics_port": metrics_port,
        "hostname": hostname,
        "log_format": log_format,
        "log_level": log_level,
    }
    try:
        settings = load_settings(place.given_data, **given)
        configure_logs(settings.log_format, settings.log_level)
        from ironhub.app.serve import serve as run_hub

        exit_code = run_hub(settings)
    except HubError as error:
        report(error)
        exit_code = USAGE
    raise Quiet(exit_code)


def quickstart(
    place: Place,
    messages: Annotated[
        int | None, typer.Option("--messages", min=1, help="End after so many from each device.")
    ] = None,
) -> None:
    """Start a hub, connect two devices to it with the vendor's SDK, and show their telemetry as it arrives.

    One device proves itself by key, one by a self-signed certificate. A hub that runs already is used and left running.
    """
    from ironhub.app.quickstart import run_quickstart

    raise Quiet(run_quickstart(place.data, messages=messages, as_json=place.output is Output.JSON))


async def connection_string(
    hub: "AdminClient",
    place: Place,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="NAME", help="For back ends: iothubowner, service, device, …")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="ID", help="For a device.")] = None,
    module: ModuleOption = None,
    events: Annotated[bool, typer.Option("--events", help="For readers of telemetry (Event Hubs SDKs).")] = False,
    hostname: Annotated[
        str | None, typer.Option("--hostname", metavar="NAME", help="Which of the hub's names to put in.")
    ] = None,
) -> "Answer":
    """Print what to paste into the vendor's SDK. It holds a key: whoever has it can act with it."""
    from ironhub.app.cli.output import Answer
    from ironhub.app.cli.problems import UsageProblem

    if [policy is not None or events, device is not None].count(True) != 1:
        raise UsageProblem("say for whom: --policy, --device, or --events with or without --policy")
    if module is not None and device is None:
        raise UsageProblem("--module needs --device")
    query = {"policy": policy, "device": device, "module": module, "events": events or None, "host": hostname}
    given = await hub.get("connection-string", **query)
    return Answer(given, given["connection_string"])


def doctor(place: Place) -> None:
    """Find what is wrong with this set-up, and say what to do about each.

    Works with the hub running and with it stopped, and changes nothing. The exit code is 1 when something is broken.
    """
    from ironhub.app.cli.output import Answer
    from ironhub.app.doctor import Level, examine

    findings = examine(place.given_data)
    text = "\n".join(line for finding in findings for line in finding.lines())
    Answer([finding.as_dict() for finding in findings], text).print(place.output)
    raise Quiet(int(any(finding.level is Level.BAD for finding in findings)))


async def backup(
    hub: "AdminClient",
    place: Place,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; it is written whole or not at all.")],
) -> "Answer":
    """Write everything the hub keeps into one file, while it runs or not.

    Whoever has the file has every key of the hub: it is readable by its owner only, and should stay so.
    """
    from ironhub.app.cli.output import Answer
    from ironhub.app.cli.problems import UsageProblem

    if file.exists():
        raise UsageProblem(f"{file} exists already", "Name a new file.")
    draft = file.with_name(f".{file.name}.part")
    try:
        async with hub.download("backup") as pieces:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as target:
                async for piece in pieces:
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    size = file.stat().st_size
    return Answer({"file": str(file), "bytes": size}, f"{file} holds the hub ({size} bytes). Keep it secret.")


def restore(
    place: Place, file: Annotated[Path, typer.Argument(metavar="FILE", help="What `ironhub backup` wrote.")]
) -> "Answer":
    """Make a data directory from a backup. The directory must be empty or not there."""
    from ironhub.app.archive import restore_archive
    from ironhub.app.cli.output import Answer

    restore_archive(file, place.data)
    return Answer({"data": str(place.data), "restored": True}, f"{place.data} is restored. Start it: ironhub serve")
