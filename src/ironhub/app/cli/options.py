"""Arguments and options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_DATA: Final = Path("ironhub-data")


class Output(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


class WhichKey(StrEnum):
    """One of the two keys of a policy."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class Auth(StrEnum):
    """How a device or module proves itself."""

    SAS = "sas"
    X509_THUMBPRINT = "x509-thumbprint"
    X509_CA = "x509-ca"


DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The hub's data directory.", show_default="./ironhub-data"),
]
RootDataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        # Only here: read once more by each command, it would win over what stands before the command.
        envvar="IRONHUB_DATA",
        metavar="DIR",
        help="The hub's data directory.",
        show_default="./ironhub-data",
    ),
]
OutputOption = Annotated[
    Output | None, typer.Option("--output", "-o", help="How the answer is printed.", show_default="table")
]
DeviceArgument = Annotated[str, typer.Argument(metavar="ID", help="The device's id (case-sensitive).")]
OwnerArgument = Annotated[str, typer.Argument(metavar="DEVICE", help="The id of the device the module belongs to.")]
ModuleArgument = Annotated[str, typer.Argument(metavar="MODULE", help="The module's id (case-sensitive).")]
ModuleOption = Annotated[str | None, typer.Option("--module", metavar="ID", help="A module of the device.")]
IfMatchOption = Annotated[
    str | None, typer.Option("--if-match", metavar="ETAG", help="Change it only if this is its etag.")
]
KeysOption = Annotated[bool, typer.Option("--keys", help="Show the keys too.")]
AuthOption = Annotated[Auth | None, typer.Option("--auth", help="How it proves itself.", show_default="sas")]
ThumbprintOption = Annotated[
    list[str] | None,
    typer.Option(
        "--thumbprint", metavar="HEX", help="SHA-1 or SHA-256 of its certificate; twice for a certificate to come."
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file", metavar="FILE", help="Two keys of your own, base64, one a line. Keys never go on a command line."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
