"""`ironhub apply`"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ironhub.app.cli.command import Place, hub_command
from ironhub.app.cli.options import Output, YesOption

if TYPE_CHECKING:
    from ironhub.app.apply.plan import Change
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

MAX_SHOWN: Final = 200
"""Changes that a plan shows one by one."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    hub_command(
        app,
        "apply",
        creates=True,
        examples=(
            "apply -f hub.yaml --plan",
            "apply -f hub.yaml",
            "apply -f hub.yaml --prune --yes",
            "apply --export hub.yaml",
        ),
    )(apply)


async def apply(
    hub: "AdminClient",
    place: Place,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="What the hub shall hold; - for stdin.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would change.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what the file does not name, in the sections that it has.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write what the hub holds to a new file.")
    ] = None,
    yes: YesOption = False,
) -> "Answer":
    """Make the hub hold what a file says: policies, authorities, devices, modules, twins, configurations.

    Shows what differs and asks before it changes anything; applied twice, it changes nothing the second time. Keys are
    named by a file or environment variables, and never shown.
    """
    from ironhub.app.cli.output import Answer, note
    from ironhub.app.cli.problems import UsageProblem

    if (file is None) == (export is None):
        raise UsageProblem("say what: -f FILE or --export FILE")
    if file is None:
        return await _export(hub, export or Path())
    changes = await _changes(hub, file, prune=prune)
    if changes and place.output is not Output.JSON:
        for line in _plan_lines(changes):
            note(line)
    made = not plan and await _carry_out(hub, changes, yes=yes)
    value = {"changes": [change.as_dict() for change in changes], "applied": made}
    return Answer(value, _summary(changes, made=made))


async def _changes(hub: "AdminClient", file: Path, *, prune: bool) -> "list[Change]":
    from ironhub.app.apply.look import Look
    from ironhub.app.apply.shapes import wanted_hub
    from ironhub.app.apply.text import read_text
    from ironhub.app.cli.asking import STDIN, read_file

    wanted = wanted_hub(read_text(read_file(file)))
    beside = Path() if str(file) == STDIN else file.parent
    return await Look(hub, beside, prune=prune).changes(wanted)


async def _carry_out(hub: "AdminClient", changes: "list[Change]", *, yes: bool) -> bool:
    from ironhub.app.apply.carry import carry_out
    from ironhub.app.apply.plan import count_line
    from ironhub.app.cli.asking import confirm

    if not changes:
        return False
    confirm(f"Apply: {count_line(changes)}?", yes=yes)
    await carry_out(hub, changes)
    return True


def _plan_lines(changes: "list[Change]") -> list[str]:
    more = [f"… and {len(changes) - MAX_SHOWN} more"] if len(changes) > MAX_SHOWN else []
    return [*(line for change in changes[:MAX_SHOWN] for line in change.shown()), *more]


def _summary(changes: "list[Change]", *, made: bool) -> str:
    from ironhub.app.apply.plan import count_line

    if not changes:
        return "No changes: the hub holds what the file says."
    return f"{'Applied' if made else 'Plan'}: {count_line(changes)}."


async def _export(hub: "AdminClient", file: Path) -> "Answer":
    from ironhub.app.apply.export import certificates, exported
    from ironhub.app.apply.text import write_text
    from ironhub.app.cli.asking import STDIN
    from ironhub.app.cli.output import Answer

    value: dict[str, Any] = await exported(hub)
    text = write_text(value)
    if str(file) == STDIN:
        return Answer(value, text.rstrip("\n"))
    for name, content in {file.name: text, **await certificates(hub)}.items():
        _write_new(file.parent / name, content)
    counts = {section: len(value[section]) for section in ("policies", "authorities", "devices")}
    return Answer({"file": str(file), **counts}, f"{file} holds {counts['devices']} devices. It holds no keys.")


def _write_new(path: Path, content: str) -> None:
    """Nothing is overwritten. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(content)
