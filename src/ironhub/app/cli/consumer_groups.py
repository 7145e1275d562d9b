"""`ironhub consumer-group …`"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import YesOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("consumer-group", "Consumer groups: the names that readers of telemetry read under, one for each purpose.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The consumer group, in any case.")]


@hub_command(app, "list", creates=True, examples=("consumer-group list", "consumer-group list -o json"))
async def list_all(hub: "AdminClient", place: Place) -> "Answer":
    """List the consumer groups and how many read with each now."""
    from ironhub.app.cli.output import listed

    found = (await hub.get("consumer-groups"))["consumer_groups"]
    rows = [(each["name"], each["created_at"] or "", each["readers"]) for each in found]
    return listed(("NAME", "CREATED", "READERS"), rows, found)


@hub_command(app, "create", creates=True, examples=("consumer-group create billing",))
async def create(hub: "AdminClient", place: Place, name: NameArgument) -> "Answer":
    """Create a consumer group; one that is there stays as it is.

    Readers of one group share the telemetry; readers of two groups each get all of it.
    """
    return _shown(await hub.send("PUT", "consumer-groups", name))


@hub_command(app, "show", examples=("consumer-group show billing", "consumer-group show '$Default' -o json"))
async def show(hub: "AdminClient", place: Place, name: NameArgument) -> "Answer":
    """Show one consumer group."""
    return _shown(await hub.get("consumer-groups", name))


@hub_command(app, "delete", examples=("consumer-group delete billing --yes",))
async def delete(hub: "AdminClient", place: Place, name: NameArgument, yes: YesOption = False) -> "Answer":
    """Forget a consumer group; whoever reads with it is cut off at once. $Default stays."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Delete {name}? Whoever reads with it is cut off at once.", yes=yes)
    await hub.send("DELETE", "consumer-groups", name)
    return Answer({"name": name, "deleted": True}, f"{name} is deleted.")


def _shown(given: dict[str, Any]) -> "Answer":
    from ironhub.app.cli.output import detailed

    return detailed(
        {"name": given["name"], "created": given["created_at"] or "with the hub", "readers": given["readers"]}, given
    )
