"""`ironhub config …`"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ironhub.app.cli.command import Place, group, hub_command
from ironhub.app.cli.options import DeviceArgument, IfMatchOption, YesOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("config", "Automatic configurations: desired properties for whichever twins meet a condition.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The configuration's id, in lower case.")]
FileOption = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="JSON or YAML with target, content and so on; -: stdin.")
]
ContentOption = Annotated[
    str | None, typer.Option("--content", metavar="JSON", help="What is written, or @file with it.")
]
TargetOption = Annotated[
    str | None, typer.Option("--target", metavar="CONDITION", help="Who it is for; * for all devices.")
]
PriorityOption = Annotated[int | None, typer.Option("--priority", min=0, help="The highest wins.")]
LabelOption = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="As often as you like.")]
MetricOption = Annotated[
    list[str] | None, typer.Option("--metric", metavar="NAME=QUERY", help="A query whose finds are counted; up to 5.")
]


@hub_command(
    app,
    "create",
    examples=(
        """config create speed --target "tags.hall = 'b'" --content '{"device": {"settings.speed": 3}}'""",
        "config create vision --target '*' --content @deployment.json --priority 10",
        "config create speed --file speed.yaml",
    ),
)
async def create(
    hub: "AdminClient",
    place: Place,
    configuration_id: IdArgument,
    file: FileOption = None,
    content: ContentOption = None,
    target: TargetOption = None,
    priority: PriorityOption = None,
    labels: LabelOption = None,
    metrics: MetricOption = None,
) -> "Answer":
    """Create a configuration; the twins it is for follow in the background."""
    body = {**_wishes(file, content, target, priority, labels, metrics), "id": configuration_id}
    return _one(await hub.send("POST", "configurations", body=body))


@hub_command(app, "show", examples=("config show speed", "config show speed -o json"))
async def show(hub: "AdminClient", place: Place, configuration_id: IdArgument) -> "Answer":
    """Show a configuration."""
    return _one(await hub.get("configurations", configuration_id))


@hub_command(app, "list", examples=("config list",))
async def list_all(hub: "AdminClient", place: Place) -> "Answer":
    """List all configurations, the winners of conflicts first."""
    from ironhub.app.cli.output import listed

    found = (await hub.get("configurations"))["configurations"]
    found.sort(key=lambda each: (each["priority"], each["created_at"]), reverse=True)
    rows = [(c["id"], c["kind"], c["priority"], c["target"], *_counts(c)) for c in found]
    return listed(("ID", "KIND", "PRIORITY", "TARGET", "TARGETED", "APPLIED"), rows, found)


@hub_command(app, "update", examples=("config update speed --priority 20", "config update speed --target '*'"))
async def update(
    hub: "AdminClient",
    place: Place,
    configuration_id: IdArgument,
    file: FileOption = None,
    target: TargetOption = None,
    priority: PriorityOption = None,
    labels: LabelOption = None,
    metrics: MetricOption = None,
    if_match: IfMatchOption = None,
) -> "Answer":
    """Change everything but the content, which never changes."""
    body = _wishes(file, None, target, priority, labels, metrics)
    return _one(await hub.send("PATCH", "configurations", configuration_id, body=body, if_match=if_match))


@hub_command(app, "delete", examples=("config delete speed --yes",))
async def delete(
    hub: "AdminClient",
    place: Place,
    configuration_id: IdArgument,
    yes: YesOption = False,
    if_match: IfMatchOption = None,
) -> "Answer":
    """Delete a configuration; what it wrote stays until another one applies."""
    from ironhub.app.cli.asking import confirm
    from ironhub.app.cli.output import Answer

    confirm(f"Delete {configuration_id}?", yes=yes)
    await hub.send("DELETE", "configurations", configuration_id, if_match=if_match)
    return Answer({"id": configuration_id, "deleted": True}, f"{configuration_id} is deleted.")


@hub_command(app, "metrics", examples=("config metrics speed",))
async def show_metrics(hub: "AdminClient", place: Place, configuration_id: IdArgument) -> "Answer":
    """Show how many twins it targets, where it applies, and what its own metrics count."""
    from ironhub.app.cli.output import Answer, listed

    results = (await hub.get("configurations", configuration_id))["results"]
    if results is None:
        return Answer(None, "The twins have not been looked at yet; ask again soon.")
    rows = [(name, "system", results[name]) for name in ("targeted", "applied")]
    rows += [(name, "system", results[name]) for name in ("reported_successful", "reported_failed") if results[name]]
    rows += [(name, "own", count) for name, count in results["metrics"].items()]
    return listed(("METRIC", "KIND", "COUNT"), rows, results)


@hub_command(app, "test", examples=("""config test --target "tags.hall = 'b'" """.rstrip(),))
async def try_words(
    hub: "AdminClient", place: Place, target: TargetOption = None, metrics: MetricOption = None
) -> "Answer":
    """Say what is wrong with a condition and with metrics, without storing anything."""
    from ironhub.app.cli.output import Answer, listed

    body = {"target": target, "metrics": _pairs("--metric", metrics or ())}
    told = await hub.send("POST", "configuration-test", body=body)
    problems = [("target", told["target"])] if told["target"] else []
    problems += list(told["metrics"].items())
    if not problems:
        return Answer(told, "Nothing is wrong.")
    return listed(("WHAT", "PROBLEM"), problems, told)


@hub_command(app, "apply", examples=("config apply edge-1 --content @deployment.json",))
async def apply(
    hub: "AdminClient",
    place: Place,
    device_id: DeviceArgument,
    content: Annotated[str, typer.Option("--content", metavar="JSON", help="What is written, or @file with it.")],
) -> "Answer":
    """Write content to one device and its modules, once and now."""
    from ironhub.app.cli.output import Answer

    await hub.send("POST", "devices", device_id, "content", body=_content(content))
    return Answer({"device_id": device_id, "applied": True}, f"Written to {device_id}.")


def _wishes(
    file: Path | None,
    content: str | None,
    target: str | None,
    priority: int | None,
    labels: Sequence[str] | None,
    metrics: Sequence[str] | None,
) -> dict[str, Any]:
    """What the file says, and what the options say in its place."""
    wishes = {} if file is None else _from_file(file)
    if content is not None:
        wishes["content"] = _content(content)
    if labels is not None:
        wishes["labels"] = _pairs("--label", labels)
    if metrics is not None:
        wishes["metrics"] = _pairs("--metric", metrics)
    for name, value in (("target", target), ("priority", priority)):
        if value is not None:
            wishes[name] = value
    return wishes


def _from_file(file: Path) -> dict[str, Any]:
    from ironhub.app.cli.asking import read_file

    return _neutral(_object(read_file(file), str(file)))


def _content(text: str) -> dict[str, Any]:
    from ironhub.app.cli.asking import read_file

    data = read_file(Path(text[1:])) if text.startswith("@") else text.encode()
    content: dict[str, Any] = _neutral({"content": _object(data, "--content")})["content"]
    return content


def _object(data: bytes, name: str) -> dict[str, Any]:
    from ironhub.app.apply.text import read_text
    from ironhub.app.cli.problems import UsageProblem
    from ironhub.core.strict_json import decode_json

    value = decode_json(data) if data.lstrip().startswith(b"{") else read_text(data).value
    if not isinstance(value, dict):
        raise UsageProblem(f"{name} is no JSON object", "Quote it for the shell, or give @file.")
    return value


def _neutral(given: dict[str, Any]) -> dict[str, Any]:
    """Files may be written in the vendor's words: those in which its own tools take them."""
    from ironhub.console.shapes.configurations import content_given
    from ironhub.dialects.azure.configuration_json import draft_of, is_vendors

    content = given.get("content")
    if isinstance(content, dict) and isinstance(content.get("content"), dict):
        given = {**given, "content": content["content"]}  # the vendor's command line nests it once more
    if not is_vendors(given):
        return {name: value for name, value in given.items() if name != "id"}
    draft = draft_of(given)
    wishes = {
        "content": None if draft.content is None else content_given(draft.content),
        "target": draft.target,
        "priority": draft.priority,
        "labels": draft.labels,
        "metrics": draft.metrics,
    }
    return {name: value for name, value in wishes.items() if value is not None}


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    from ironhub.app.cli.problems import UsageProblem

    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageProblem(f"{option} {text!r} is no NAME=VALUE")
        pairs[name] = value
    return pairs


def _counts(configuration: dict[str, Any]) -> tuple[Any, Any]:
    results = configuration["results"]
    return (None, None) if results is None else (results["targeted"], results["applied"])


def _one(configuration: dict[str, Any]) -> "Answer":
    from ironhub.app.cli.output import detailed

    targeted, applied = _counts(configuration)
    pairs = {
        "id": configuration["id"],
        "kind": configuration["kind"],
        "target": configuration["target"] or None,
        "priority": configuration["priority"],
        "content": configuration["content"],
        "labels": configuration["labels"] or None,
        "metrics": configuration["metrics"] or None,
        "targeted": targeted,
        "applied": applied,
        "created": configuration["created_at"],
        "updated": configuration["updated_at"],
        "etag": configuration["etag"],
    }
    return detailed(pairs, configuration)
