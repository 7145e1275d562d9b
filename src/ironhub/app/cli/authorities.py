"""`ironhub ca …`"""

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import YesOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("ca", "Certificates: the hub's own, and the authorities that vouch for devices.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What you call this authority.")]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="PEM or DER; - for stdin.")]


@hub_command(app, "show", creates=True, examples=("ca show > ca.pem", "ca show -o json"))
async def show(hub: "AdminClient", place: Place) -> "Answer":
    """Print the certificate (PEM) that clients of this hub must trust."""
    from ironhub.app.cli.output import Answer

    given = await hub.get("ca")
    return Answer(given, given["pem"].rstrip("\n"))


@hub_command(app, "add", creates=True, examples=("ca add plant-2 plant-2-ca.pem",))
async def add(hub: "AdminClient", place: Place, name: NameArgument, file: FileArgument) -> "Answer":
    """Register an authority. It admits no device until you prove that you hold its key (`ironhub ca verify`)."""
    body = {"name": name, "content_base64": _content(file)}
    return _one(await hub.send("POST", "authorities", body=body))


@hub_command(app, "code", examples=("ca code plant-2",))
async def code(hub: "AdminClient", place: Place, name: NameArgument) -> "Answer":
    """Print the verification code: issue a certificate to this common name with the authority's key."""
    from ironhub.app.cli.output import Answer

    given = await hub.get("authorities", name)
    return Answer({"verification_code": given["verification_code"]}, given["verification_code"])


@hub_command(app, "verify", examples=("ca verify plant-2 proof.pem",))
async def verify(hub: "AdminClient", place: Place, name: NameArgument, file: FileArgument) -> "Answer":
    """Prove possession of an authority's key with a certificate it issued to the verification code."""
    body = {"content_base64": _content(file)}
    return _one(await hub.send("POST", "authorities", name, "proof", body=body))


@hub_command(app, "list", examples=("ca list",))
async def list_all(hub: "AdminClient", place: Place) -> "Answer":
    """List the registered authorities."""
    from ironhub.app.cli.output import listed

    found = (await hub.get("authorities"))["authorities"]
    rows = [(a["name"], a["verified"], a["has_revocation_list"], a["created_at"]) for a in found]
    return listed(("NAME", "VERIFIED", "CRL", "CREATED"), rows, found)


@hub_command(app, "crl", examples=("ca crl plant-2 plant-2.crl",))
async def crl(hub: "AdminClient", place: Place, name: NameArgument, file: FileArgument) -> "Answer":
    """Take an authority's revocation list; devices it revokes lose their sessions at once."""
    body = {"content_base64": _content(file)}
    return _one(await hub.send("PUT", "authorities", name, "revocation-list", body=body))


@hub_command(app, "delete", examples=("ca delete plant-2 --yes",))
async def delete(hub: "AdminClient", place: Place, name: NameArgument, yes: YesOption = False) -> "Answer":
    """Forget an authority; devices that it vouches for lose their sessions at once."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Forget {name}? Devices below it cannot connect any more.", yes=yes)
    await hub.send("DELETE", "authorities", name)
    return Answer({"name": name, "deleted": True}, f"{name} is forgotten.")


def _content(file: Path) -> str:
    from ironhub.app.cli.asking import read_file

    return b64encode(read_file(file)).decode()


def _one(authority: dict[str, Any]) -> "Answer":
    from ironhub.app.cli.output import detailed

    pairs = {
        "name": authority["name"],
        "verified": authority["verified"],
        "verification code": None if authority["verified"] else authority["verification_code"],
        "revocation list": authority["has_revocation_list"],
        "created": authority["created_at"],
    }
    return detailed(pairs, authority)
