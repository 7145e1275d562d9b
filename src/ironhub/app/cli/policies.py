"""`ironhub policy …`"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import WhichKey, YesOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("policy", "Shared access policies: what back ends (and devices without a key of their own) sign with.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The policy: iothubowner, service, device, …")]


class Right(StrEnum):
    """What a policy may do."""

    REGISTRY_READ = "RegistryRead"
    REGISTRY_WRITE = "RegistryWrite"
    SERVICE_CONNECT = "ServiceConnect"
    DEVICE_CONNECT = "DeviceConnect"


@hub_command(app, "list", creates=True, examples=("policy list", "policy list -o json"))
async def list_all(hub: "AdminClient", place: Place) -> "Answer":
    """List the policies and their rights, without their keys (`ironhub connection-string` shows those)."""
    from ironhub.app.cli.output import listed

    found = (await hub.get("policies"))["policies"]
    rows = [(policy["name"], ", ".join(policy["rights"])) for policy in found]
    return listed(("NAME", "RIGHTS"), rows, found)


@hub_command(
    app,
    "set",
    creates=True,
    examples=("policy set dashboards --right ServiceConnect", "policy set robot --right RegistryRead"),
)
async def set_rights(
    hub: "AdminClient",
    place: Place,
    name: NameArgument,
    right: Annotated[list[Right], typer.Option("--right", help="What it may do; repeat it.")],
) -> "Answer":
    """Create a policy with two new keys, or change what it may do; its keys stay.

    A session that rests on a right that is taken away ends at once.
    """
    from ironhub.app.cli.output import detailed

    given = await hub.send("PUT", "policies", name, body={"rights": sorted({each.value for each in right})})
    return detailed({"name": given["name"], "rights": ", ".join(given["rights"])}, given)


@hub_command(app, "delete", examples=("policy delete dashboards --yes",))
async def delete(hub: "AdminClient", place: Place, name: NameArgument, yes: YesOption = False) -> "Answer":
    """Forget a policy; whoever uses it is shut out at once. The five that every hub has stay."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Delete {name}? Whoever uses it is shut out at once.", yes=yes)
    await hub.send("DELETE", "policies", name)
    return Answer({"name": name, "deleted": True}, f"{name} is deleted.")


@hub_command(app, "roll", examples=("policy roll service --key secondary", "policy roll device --yes"))
async def roll(
    hub: "AdminClient",
    place: Place,
    name: NameArgument,
    key: Annotated[WhichKey, typer.Option("--key", help="Which of its two keys.")] = WhichKey.PRIMARY,
    yes: YesOption = False,
) -> "Answer":
    """Give a policy a new key and print what to paste into the vendor's SDK. It holds the key.

    What rested on the old key ends at once; the policy's other key stays good. To roll without an outage: roll the
    secondary key, move everybody to it, then roll the primary one.
    """
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Roll the {key} key of {name}? Whoever uses the old one is shut out at once.", yes=yes)
    rolled = await hub.send("POST", "policies", name, "roll", key=key.value)
    return Answer(rolled, rolled["connection_string"])
