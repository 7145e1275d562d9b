"""How a function becomes a command: the options every command takes, its examples, and its answer printed."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from ironhub.app.cli.options import DEFAULT_DATA, DataOption, Output, OutputOption

if TYPE_CHECKING:  # it costs more time to import than `--help` takes to print
    from ironhub.app.cli.output import Answer

F = TypeVar("F", bound=Callable[..., Any])
Asked = Callable[..., Awaitable["Answer | None"]]
Local = Callable[..., "Answer | None"]


class Quiet(Exception):
    """End with this exit code; what there was to say is said."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Place:
    """Which hub a command is for, and how it answers."""

    given_data: Path | None
    """As on the command line or in IRONHUB_DATA; None: neither says."""
    output: Output

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.given_data or DEFAULT_DATA


def group(name: str, text: str) -> typer.Typer:
    """Return a group of commands."""
    return typer.Typer(name=name, help=text, rich_markup_mode=None)


def hub_command(app: typer.Typer, name: str, *, examples: Sequence[str], creates: bool = False) -> Callable[[F], F]:
    """Register a coroutine function `body(hub, place, …)` that asks the hub, running or not, and returns its answer.

    Args:
        examples: command lines for the help, without the leading "ironhub".
        creates: whether the data directory is created when there is none; else that is an error.
    """

    async def ask(body: Asked, place: Place, given: dict[str, Any]) -> "Answer | None":
        from ironhub.app.cli.client import open_client

        async with open_client(place.data, creates=creates) as hub:
            return await body(hub, place, **given)

    def register(body: F) -> F:
        _register(app, name, body, examples, skip=2, call=lambda place, given: asyncio.run(ask(body, place, given)))
        return body

    return register


def local_command(app: typer.Typer, name: str, *, examples: Sequence[str]) -> Callable[[F], F]:
    """Register a function `body(place, …)` that asks no hub, and returns its answer."""

    def register(body: F) -> F:
        _register(app, name, body, examples, skip=1, call=lambda place, given: body(place, **given))
        return body

    return register


def _register(
    app: typer.Typer,
    name: str,
    body: Callable[..., Any],
    examples: Sequence[str],
    *,
    skip: int,
    call: Callable[[Place, dict[str, Any]], "Answer | None"],
) -> None:
    def command(**given: Any) -> None:
        root: Place = given.pop("context").find_root().obj
        data, output = given.pop("data"), given.pop("output")
        place = Place(data or root.given_data, output or root.output)
        answer = call(place, given)
        if answer is not None:
            answer.print(place.output)

    command.__name__ = body.__name__
    command.__doc__ = body.__doc__
    command.__signature__ = _signature(body, skip)  # type: ignore[attr-defined]  # what inspect.signature looks for
    command.__annotations__ = {}
    app.command(name, epilog=_epilog(examples))(command)


def _signature(body: Callable[..., Any], skip: int) -> inspect.Signature:
    """The body's own parameters, then those of every command."""
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(inspect.signature(body, eval_str=False).parameters.values())[skip:]
    ]
    common = {"context": typer.Context, "data": DataOption, "output": OutputOption}
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            **({} if name == "context" else {"default": None}),
        )
        for name, annotation in common.items()
    ]
    return inspect.Signature([*own, *added])


def _epilog(examples: Sequence[str]) -> str:
    return "\n".join(("\b", "Examples:", *(f"  ironhub {example}" for example in examples)))
