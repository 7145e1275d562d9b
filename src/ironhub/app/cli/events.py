"""`ironhub events`"""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, hub_command
from ironhub.app.cli.options import Output

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient


class Kind(StrEnum):
    """What can happen to a device or module."""

    LIFECYCLE = "lifecycle"
    TWIN = "twin"
    CONNECTION = "connection"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    hub_command(
        app,
        "events",
        examples=(
            "events",
            "events --kind connection --device press-7",
            "events --kind twin --kind lifecycle --from earliest --count 10 -o json",
        ),
    )(events)


async def events(
    hub: "AdminClient",
    place: Place,
    kind: Annotated[list[Kind] | None, typer.Option("--kind", help="Only of this kind; repeat it.")] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="ID", help="Only of this device.")] = None,
    start: Annotated[
        str, typer.Option("--from", metavar="earliest|latest|SECONDS-AGO", help="Where to begin.")
    ] = "latest",
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many events.")] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="End after so long.")
    ] = None,
) -> None:
    """Show what happens to devices, until Ctrl-C, --count events or --timeout seconds.

    They are created and deleted, come and go, and their twins change. With -o json each event is one line. Without a
    running hub: what is stored, and then the end.
    """
    from ironhub.app.cli.output import note, print_json

    kinds = [each.value for each in kind or Kind]
    query = {"from": start, "kind": kinds, "device": device, "count": count, "timeout": timeout, "follow": hub.running}
    async with hub.lines("events", **query) as happened:
        note("Waiting for events; Ctrl-C ends." if hub.running else "No hub runs: this is what is stored.")
        async for event in happened:
            if place.output is Output.JSON:
                print_json(event, indent=None)
            else:
                print(line_of(event), flush=True)  # noqa: T201


def line_of(event: dict[str, Any]) -> str:
    """Return one event as people read it: when, who, what, and what it changed."""
    from ironhub.app.plain import plain

    who = event["device_id"] if event["module_id"] is None else f"{event['device_id']}/{event['module_id']}"
    what = event["kind"].replace("_", " ")
    changed = json.dumps(_changed(event["body"]), ensure_ascii=False) if event["kind"].startswith("twin_") else ""
    return plain("  ".join(filter(None, (event["enqueued_at"], who, what, changed))))


def _changed(body: Any) -> Any:
    """Without the notes of when each property changed, which hide what changed."""
    if not isinstance(body, dict):
        return body
    return {key: _changed(value) for key, value in body.items() if key != "$metadata"}
