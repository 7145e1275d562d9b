"""`ironhub module …`"""

from typing import TYPE_CHECKING, Any, Final

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import (
    AuthOption,
    IfMatchOption,
    KeyFileOption,
    KeysOption,
    ModuleArgument,
    Output,
    OwnerArgument,
    ThumbprintOption,
    YesOption,
)
from ironhub.app.cli.shown import STATE_COLUMNS, details_of, state_of

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("module", "Modules: parts of a device with a credential and a twin of their own.")

COLUMNS: Final = ("ID", *STATE_COLUMNS)


@hub_command(app, "create", examples=("module create press-7 arm", "module create press-7 arm --auth x509-ca -o json"))
async def create(
    hub: "AdminClient",
    place: Place,
    device_id: OwnerArgument,
    module_id: ModuleArgument,
    auth: AuthOption = None,
    thumbprint: ThumbprintOption = None,
    key_file: KeyFileOption = None,
    keys: KeysOption = False,
) -> "Answer":
    """Create a module, with two new keys unless you say otherwise. JSON shows them, this once."""
    from ironhub.app.cli.credentials import auth_of

    body = {"module_id": module_id, "auth": auth_of(auth, thumbprint, key_file)}
    with_keys = keys or place.output is Output.JSON
    return _one(await hub.send("POST", "devices", device_id, "modules", body=body, keys=with_keys))


@hub_command(app, "show", examples=("module show press-7 arm",))
async def show(
    hub: "AdminClient", place: Place, device_id: OwnerArgument, module_id: ModuleArgument, keys: KeysOption = False
) -> "Answer":
    """Show one module."""
    return _one(await hub.get("devices", device_id, "modules", module_id, keys=keys))


@hub_command(app, "list", examples=("module list press-7",))
async def list_all(hub: "AdminClient", place: Place, device_id: OwnerArgument) -> "Answer":
    """List the modules of a device, ordered by id."""
    from ironhub.app.cli.output import listed

    modules = (await hub.get("devices", device_id, "modules"))["modules"]
    return listed(COLUMNS, [_row(module) for module in modules], modules)


@hub_command(app, "update", examples=("module update press-7 arm --auth x509-thumbprint --thumbprint 3f1c…",))
async def update(
    hub: "AdminClient",
    place: Place,
    device_id: OwnerArgument,
    module_id: ModuleArgument,
    auth: AuthOption = None,
    thumbprint: ThumbprintOption = None,
    key_file: KeyFileOption = None,
    if_match: IfMatchOption = None,
) -> "Answer":
    """Change how a module proves itself; a session that rests on what is taken away ends at once."""
    from ironhub.app.cli.credentials import auth_of
    from ironhub.app.cli.problems import UsageProblem

    said = auth_of(auth, thumbprint, key_file)
    if said is None:
        raise UsageProblem("say what to change: --auth, --thumbprint or --key-file")
    path = ("devices", device_id, "modules", module_id)
    return _one(await hub.send("PATCH", *path, body={"auth": said}, if_match=if_match))


@hub_command(app, "delete", examples=("module delete press-7 arm --yes",))
async def delete(
    hub: "AdminClient",
    place: Place,
    device_id: OwnerArgument,
    module_id: ModuleArgument,
    yes: YesOption = False,
    if_match: IfMatchOption = None,
) -> "Answer":
    """Delete a module with its twin and commands."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Delete the module {module_id} of {device_id}?", yes=yes)
    await hub.send("DELETE", "devices", device_id, "modules", module_id, if_match=if_match)
    value = {"device_id": device_id, "module_id": module_id, "deleted": True}
    return Answer(value, f"{device_id}/{module_id} is deleted.")


def _row(module: dict[str, Any]) -> tuple[Any, ...]:
    return (module["module_id"], *state_of(module))


def _one(module: dict[str, Any]) -> "Answer":
    from ironhub.app.cli.output import detailed

    own = {"device": module["device_id"], "id": module["module_id"], "managed by": module["managed_by"]}
    return detailed(own | details_of(module), module)
