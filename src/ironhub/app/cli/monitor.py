"""`ironhub monitor`"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, hub_command
from ironhub.app.cli.options import Output

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    hub_command(
        app,
        "monitor",
        examples=(
            "monitor",
            "monitor --device press-7 --from earliest --count 10",
            "monitor --from 3600 --timeout 60 -o json",
        ),
    )(monitor)


async def monitor(
    hub: "AdminClient",
    place: Place,
    device: Annotated[str | None, typer.Option("--device", metavar="ID", help="Only of this device.")] = None,
    start: Annotated[
        str, typer.Option("--from", metavar="earliest|latest|SECONDS-AGO", help="Where to begin.")
    ] = "latest",
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many messages.")] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="End after so long.")
    ] = None,
) -> None:
    """Show telemetry as it is stored, until Ctrl-C, --count messages or --timeout seconds.

    With -o json each message is one line. Without a running hub: what is stored, and then the end.
    """
    from ironhub.app.cli.output import note, print_json

    query = {"from": start, "device": device, "count": count, "timeout": timeout, "follow": hub.running}
    async with hub.lines("events", **query) as events:
        note("Waiting for telemetry; Ctrl-C ends." if hub.running else "No hub runs: this is what is stored.")
        async for event in events:
            if place.output is Output.JSON:
                print_json(event, indent=None)
            else:
                print(line_of(event), flush=True)  # noqa: T201


def line_of(event: dict[str, Any]) -> str:
    """Return one message as people read it: when, who, what, and the sender's own properties."""
    from ironhub.app.plain import plain

    who = event["device_id"] if event["module_id"] is None else f"{event['device_id']}/{event['module_id']}"
    body = event["body"] if isinstance(event["body"], str) else json.dumps(event["body"], ensure_ascii=False)
    properties = " ".join(f"{name}={value or ''}" for name, value in event["properties"].items())
    return plain("  ".join(filter(None, (event["enqueued_at"], who, body, properties))))
