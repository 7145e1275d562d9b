"""`ironhub files …`"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import YesOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("files", "Files that devices uploaded, and what tells back ends of them.")

ContainerOption = Annotated[
    str, typer.Option("--container", metavar="NAME", help="A container of the hub's own blob store.")
]
DEFAULT_CONTAINER = "uploads"


@hub_command(app, "notifications", examples=("files notifications", "files notifications --drop -o json"))
async def notifications(
    hub: "AdminClient",
    place: Place,
    drop: Annotated[bool, typer.Option("--drop", help="Forget what is shown.")] = False,
) -> "Answer":
    """Show which files came and were not taken by a back end yet."""
    from ironhub.app.cli.output import listed

    found: list[dict[str, Any]] = []
    after = 0
    while page := (await hub.get("files", "notifications", after=after, limit=1000))["notifications"]:
        found += page
        after = page[-1]["record_id"]
    if drop and found:
        await hub.send("DELETE", "files", "notifications", up_to=after)
    rows = [(each["enqueued_at"], each["device_id"], each["blob"], each["size"]) for each in found]
    return listed(("AT", "DEVICE", "BLOB", "BYTES"), rows, found)


@hub_command(app, "list", examples=("files list", "files list --prefix press-7/", "files list --container imports"))
async def list_blobs(
    hub: "AdminClient",
    place: Place,
    container: ContainerOption = DEFAULT_CONTAINER,
    prefix: Annotated[str, typer.Option("--prefix", metavar="TEXT", help="Only names that begin so.")] = "",
) -> "Answer":
    """List the blobs of a container."""
    from ironhub.app.cli.output import listed

    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = await hub.get("files", "containers", container, "blobs", prefix=prefix, after=after, limit=1000)
        found += page["blobs"]
        after = page["after"]
        if after is None:
            break
    rows = [(each["name"], each["size"], each["content_type"], each["modified_at"]) for each in found]
    return listed(("NAME", "BYTES", "TYPE", "MODIFIED"), rows, found)


@hub_command(app, "delete", examples=("files delete press-7/log.txt --yes",))
async def delete(
    hub: "AdminClient",
    place: Place,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The blob's name (case-sensitive).")],
    container: ContainerOption = DEFAULT_CONTAINER,
    yes: YesOption = False,
) -> "Answer":
    """Delete a blob."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Delete {container}/{name}?", yes=yes)
    await hub.send("DELETE", "files", "containers", container, "blobs", name=name)
    return Answer({"container": container, "name": name, "deleted": True}, f"{container}/{name} is deleted.")


@hub_command(
    app,
    "container-url",
    examples=("files container-url imports --permissions rwdl --hours 1", "files container-url uploads"),
)
async def container_url(
    hub: "AdminClient",
    place: Place,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The container; it needs not to be there yet.")],
    permissions: Annotated[
        str, typer.Option("--permissions", metavar="LETTERS", help="r read, w write, d delete, l list.")
    ] = "rl",
    hours: Annotated[float, typer.Option("--hours", metavar="N", help="How long it is good for.")] = 1.0,
    hostname: Annotated[
        str | None,
        typer.Option("--hostname", metavar="NAME", help="Which of the hub's names, with its port."),
    ] = None,
) -> "Answer":
    """Print a link to a container, for storage clients and import or export jobs. Whoever has it can use it."""
    from ironhub.app.cli.output import Answer

    request = {"permissions": permissions, "hours": hours, "host": hostname}
    link = await hub.send("POST", "files", "containers", name, "link", body=request)
    return Answer(link, link["url"])
