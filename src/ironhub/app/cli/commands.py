"""`ironhub c2d …`"""

from base64 import b64encode
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import DeviceArgument, ModuleOption, YesOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("c2d", "Commands to devices, queued until the device takes them.")


class Ack(StrEnum):
    """Which outcomes are told in the feedback."""

    NONE = "none"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    FULL = "full"


@hub_command(
    app,
    "send",
    examples=(
        "c2d send press-7 'open the valve'",
        """c2d send press-7 --body '{"valve": 3}' --content-type application/json --property urgent=yes""",
        "c2d send press-7 --file firmware.sig --ack full --message-id update-1 --ttl 600",
    ),
)
async def send(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What to send.", show_default=False)] = None,
    body: Annotated[str | None, typer.Option("--body", metavar="TEXT", help="The same as TEXT.")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Send its content (-: stdin).")] = None,
    properties: Annotated[
        list[str] | None, typer.Option("--property", metavar="KEY=VALUE", help="A property; as often as you like.")
    ] = None,
    message_id: Annotated[
        str | None, typer.Option("--message-id", metavar="ID", help="Found again in the feedback.")
    ] = None,
    correlation_id: Annotated[str, typer.Option("--correlation-id", metavar="ID")] = "",
    content_type: Annotated[str, typer.Option("--content-type", metavar="TYPE")] = "",
    content_encoding: Annotated[str, typer.Option("--content-encoding", metavar="NAME")] = "",
    ttl: Annotated[
        float | None, typer.Option("--ttl", metavar="S", help="Seconds it may wait.", show_default="one hour")
    ] = None,
    ack: Annotated[Ack, typer.Option("--ack", help="Which outcomes the feedback tells.")] = Ack.NONE,
    module: ModuleOption = None,
) -> "Answer":
    """Queue a command for a device."""
    from ironhub.app.cli.output import Answer

    request: dict[str, Any] = {
        **_content(text, body, file),
        "properties": _pairs(properties or ()),
        "message_id": message_id,
        "correlation_id": correlation_id,
        "content_type": content_type,
        "content_encoding": content_encoding,
        "ttl": ttl,
        "ack": ack.value,
    }
    command = await hub.send("POST", "devices", device_id, "commands", body=request, module=module)
    return Answer(command, f"{command['message_id']} waits for {device_id} until {command['expires_at']}.")


@hub_command(app, "purge", examples=("c2d purge press-7 --yes",))
async def purge(
    hub: "AdminClient", place: Place, device_id: DeviceArgument, module: ModuleOption = None, yes: YesOption = False
) -> "Answer":
    """Remove everything from the queue of a device."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Remove all commands that wait for {device_id}?", yes=yes)
    removed = await hub.send("DELETE", "devices", device_id, "commands", module=module)
    return Answer(removed, f"{removed['purged']} removed.")


@hub_command(app, "feedback", examples=("c2d feedback", "c2d feedback --drop -o json"))
async def feedback(
    hub: "AdminClient",
    place: Place,
    drop: Annotated[bool, typer.Option("--drop", help="Forget what is shown.")] = False,
) -> "Answer":
    """Show what became of commands that were sent with --ack."""
    from ironhub.app.cli.output import listed

    records: list[dict[str, Any]] = []
    after = 0
    while page := (await hub.get("feedback", after=after, limit=1000))["feedback"]:
        records += page
        after = page[-1]["record_id"]
    if drop and records:
        await hub.send("DELETE", "feedback", up_to=after)
    rows = [(r["at"], r["device_id"], r["module_id"], r["message_id"], r["outcome"]) for r in records]
    return listed(("AT", "DEVICE", "MODULE", "MESSAGE ID", "OUTCOME"), rows, records)


def _content(text: str | None, body: str | None, file: Path | None) -> dict[str, str]:
    from ironhub.app.cli.asking import read_file
    from ironhub.app.cli.problems import UsageProblem

    given = [source for source in (text, body, file) if source is not None]
    if len(given) != 1:
        raise UsageProblem("say what to send: a text, or else --file")
    if file is not None:
        return {"body_base64": b64encode(read_file(file)).decode()}
    return {"body": str(given[0])}


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    from ironhub.app.cli.problems import UsageProblem

    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageProblem(f"--property {text!r} is no KEY=VALUE")
        pairs[name] = value
    return pairs
