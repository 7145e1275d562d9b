"""`ironhub twin …`"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import DeviceArgument, IfMatchOption, ModuleOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("twin", "Twins: what operators want of a device, what it reports, and tags.")

DesiredOption = Annotated[
    str | None, typer.Option("--desired", metavar="JSON|@FILE", help="Desired properties; null removes one.")
]
TagsOption = Annotated[
    str | None, typer.Option("--tags", metavar="JSON|@FILE", help="Tags, which the device never sees.")
]


@hub_command(app, "show", examples=("twin show press-7", "twin show press-7 --module arm -o json"))
async def show(hub: "AdminClient", place: Place, device_id: DeviceArgument, module: ModuleOption = None) -> "Answer":
    """Show the twin of a device, or of its module."""
    return _one(await hub.get("twins", device_id, module=module))


@hub_command(
    app,
    "update",
    examples=(
        """twin update press-7 --desired '{"interval": 5}'""",
        """twin update press-7 --tags '{"hall": "B2"}' --if-match AAAAAAAAAAE=""",
        "twin update press-7 --desired @wanted.json",
    ),
)
async def update(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    desired: DesiredOption = None,
    tags: TagsOption = None,
    module: ModuleOption = None,
    if_match: IfMatchOption = None,
) -> "Answer":
    """Merge properties into a twin; a connected device is told at once."""
    body = _sections(desired, tags)
    return _one(await hub.send("PATCH", "twins", device_id, body=body, if_match=if_match, module=module))


@hub_command(app, "replace", examples=("""twin replace press-7 --desired '{"interval": 5}' --tags '{}'""",))
async def replace(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    desired: DesiredOption = None,
    tags: TagsOption = None,
    module: ModuleOption = None,
    if_match: IfMatchOption = None,
) -> "Answer":
    """Make desired properties and tags exactly what you give; what you leave out becomes empty."""
    body = _sections(desired, tags)
    return _one(await hub.send("PUT", "twins", device_id, body=body, if_match=if_match, module=module))


def _sections(desired: str | None, tags: str | None) -> dict[str, Any]:
    from ironhub.app.cli.asking import json_of
    from ironhub.app.cli.problems import UsageProblem

    if desired is None and tags is None:
        raise UsageProblem("say what to change: --desired, --tags or both")
    return {"desired": json_of(desired, "--desired"), "tags": json_of(tags, "--tags")}


def _one(twin: dict[str, Any]) -> "Answer":
    from ironhub.app.cli.output import Answer
    from ironhub.app.plain import plain

    who = twin["device_id"] if twin["module_id"] is None else f"{twin['device_id']}/{twin['module_id']}"
    lines = [f"{who}  version {twin['version']}  etag {twin['etag']}"]
    for name, properties, version in (
        ("tags", twin["tags"], ""),
        ("desired", twin["desired"]["properties"], f" (version {twin['desired']['version']})"),
        ("reported", twin["reported"]["properties"], f" (version {twin['reported']['version']})"),
    ):
        shown = json.dumps(properties, indent=2, ensure_ascii=False).split("\n")
        lines.append(f"{name}{version}: " + "\n".join(plain(line) for line in shown))
    return Answer(twin, "\n".join(lines))
