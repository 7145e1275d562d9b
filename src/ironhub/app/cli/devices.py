"""`ironhub device …`"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import (
    AuthOption,
    DeviceArgument,
    IfMatchOption,
    KeyFileOption,
    KeysOption,
    Output,
    ThumbprintOption,
    YesOption,
)
from ironhub.app.cli.shown import STATE_COLUMNS, details_of, state_of

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("device", "Devices: create, look at, change, disable, delete.")

COLUMNS: Final = ("ID", "STATUS", *STATE_COLUMNS)


class WhichKey(StrEnum):
    """One of the two keys."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@hub_command(
    app,
    "create",
    creates=True,
    examples=(
        "device create press-7",
        "device create press-7 --auth x509-thumbprint --thumbprint 3f1c…",
        "device create press-7 --auth x509-ca",
        "device create press-7 -o json          # the answer holds the new keys",
    ),
)
async def create(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    auth: AuthOption = None,
    thumbprint: ThumbprintOption = None,
    key_file: KeyFileOption = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="It may not connect yet.")] = False,
    keys: KeysOption = False,
) -> "Answer":
    """Create a device, with two new keys unless you say otherwise.

    The table shows no keys: see `ironhub connection-string --device ID`. JSON shows them, this once.
    """
    from ironhub.app.cli.credentials import auth_of

    said = auth_of(auth, thumbprint, key_file)
    status = "disabled" if disabled else "enabled"
    body = {"device_id": device_id, "auth": said, "status": status}
    return _one(await hub.send("POST", "devices", body=body, keys=keys or place.output is Output.JSON))


@hub_command(app, "show", examples=("device show press-7", "device show press-7 --keys -o json"))
async def show(hub: "AdminClient", place: Place, device_id: DeviceArgument, keys: KeysOption = False) -> "Answer":
    """Show one device."""
    return _one(await hub.get("devices", device_id, keys=keys))


@hub_command(app, "list", examples=("device list", "device list --limit 10 -o json"))
async def list_all(
    hub: "AdminClient",
    place: Place,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many.", show_default="all")] = None,
) -> "Answer":
    """List the devices, ordered by id."""
    from ironhub.app.cli.output import listed

    devices: list[dict[str, Any]] = []
    after: str | None = None
    while limit is None or len(devices) < limit:
        wanted = 1000 if limit is None else min(limit - len(devices), 1000)
        page = await hub.get("devices", after=after, limit=wanted)
        devices += page["devices"]
        after = page["after"]
        if after is None:
            break
    return listed(COLUMNS, [_row(device) for device in devices], devices)


@hub_command(
    app,
    "update",
    examples=(
        "device update press-7 --auth x509-thumbprint --thumbprint 3f1c… --thumbprint 88ab…",
        "device update press-7 --new-key secondary",
        "device update press-7 --key-file keys.txt",
    ),
)
async def update(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    auth: AuthOption = None,
    thumbprint: ThumbprintOption = None,
    key_file: KeyFileOption = None,
    new_key: Annotated[WhichKey | None, typer.Option("--new-key", help="Replace this key by a new one.")] = None,
    if_match: IfMatchOption = None,
) -> "Answer":
    """Change how a device proves itself; sessions that rest on what is taken away end at once."""
    from ironhub.app.cli.credentials import auth_of, rolled
    from ironhub.app.cli.problems import UsageProblem
    from ironhub.app.system import SystemEntropy

    said = auth_of(auth, thumbprint, key_file)
    if (said is None) == (new_key is None):
        raise UsageProblem("say what to change: --auth, --thumbprint, --key-file, or else --new-key")
    if new_key is not None:
        device = await hub.get("devices", device_id, keys=True)
        said, if_match = rolled(device, new_key, SystemEntropy()), if_match or device["etag"]
    return _one(await hub.send("PATCH", "devices", device_id, body={"auth": said}, if_match=if_match))


@hub_command(app, "disable", examples=('device disable press-7 --reason "stolen"',))
async def disable(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown with the device.")] = "",
) -> "Answer":
    """Forbid a device to connect; if it is connected, its session ends at once."""
    body = {"status": "disabled", "status_reason": reason or None}
    return _one(await hub.send("PATCH", "devices", device_id, body=body))


@hub_command(app, "enable", examples=("device enable press-7",))
async def enable(hub: "AdminClient", place: Place, device_id: DeviceArgument) -> "Answer":
    """Let a device connect again."""
    return _one(await hub.send("PATCH", "devices", device_id, body={"status": "enabled"}))


@hub_command(app, "delete", examples=("device delete press-7", "device delete press-7 --yes"))
async def delete(
    hub: "AdminClient", place: Place, device_id: DeviceArgument, yes: YesOption = False, if_match: IfMatchOption = None
) -> "Answer":
    """Delete a device with its modules, twins and commands. Its telemetry stays in the log."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Delete {device_id} with everything that is its own?", yes=yes)
    await hub.send("DELETE", "devices", device_id, if_match=if_match)
    return Answer({"device_id": device_id, "deleted": True}, f"{device_id} is deleted.")


def _row(device: dict[str, Any]) -> tuple[Any, ...]:
    return (device["device_id"], device["status"], *state_of(device))


def _one(device: dict[str, Any]) -> "Answer":
    from ironhub.app.cli.output import detailed

    own = {"id": device["device_id"], "status": device["status"], "reason": device["status_reason"]}
    return detailed(own | details_of(device), device)
