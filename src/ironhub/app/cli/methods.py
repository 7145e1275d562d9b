"""`ironhub method …`"""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import DeviceArgument, ModuleOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("method", "Direct methods: call a connected device and get its answer.")


@hub_command(
    app,
    "invoke",
    examples=(
        """method invoke press-7 reboot --payload '{"delay": 3}'""",
        "method invoke press-7 status --module arm --connect-timeout 30 -o json",
    ),
)
async def invoke(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The method's name.")],
    payload: Annotated[str, typer.Option("--payload", metavar="JSON|@FILE", help="What the device gets.")] = "null",
    module: ModuleOption = None,
    response_timeout: Annotated[
        float, typer.Option("--response-timeout", metavar="S", help="Seconds the device may take (5 to 300).")
    ] = 30.0,
    connect_timeout: Annotated[
        float, typer.Option("--connect-timeout", metavar="S", help="Seconds to wait for it to connect (0 to 300).")
    ] = 0.0,
) -> "Answer":
    """Call a direct method. The status is the device's own; the exit code says only whether it answered."""
    from ironhub.app.cli.asking import json_of
    from ironhub.app.cli.output import Answer
    from ironhub.app.plain import plain

    body = {
        "name": name,
        "payload": json_of(payload, "--payload"),
        "response_timeout": response_timeout,
        "connect_timeout": connect_timeout,
    }
    given = await hub.send("POST", "devices", device_id, "methods", body=body, module=module)
    shown = json.dumps(given["payload"], ensure_ascii=False)
    return Answer(given, f"status {given['status']}\n{plain(shown)}")
