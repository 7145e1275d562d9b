"""`ironhub query`"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ironhub.app.cli.command import Place, hub_command

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

PAGE: Final = 1000
_TWIN: Final = ("DEVICE", "MODULE", "STATUS", "CONNECTED", "LAST ACTIVITY", "VERSION", "TAGS")
_JOB: Final = ("JOB", "DEVICE", "TYPE", "STATUS", "BEGAN", "ENDED", "ERROR")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    hub_command(
        app,
        "query",
        examples=(
            """query "SELECT * FROM devices WHERE tags.hall = 'B2'\"""",
            'query "SELECT COUNT() AS n, connectionState FROM devices GROUP BY connectionState" -o json',
            'query "SELECT deviceId, properties.reported.firmware FROM devices" --limit 20',
        ),
    )(query)


async def query(
    hub: "AdminClient",
    place: Place,
    text: Annotated[
        str, typer.Argument(metavar="QUERY", help="The query; quote it for the shell.", show_default=False)
    ],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Rows at most.", show_default="all")] = None,
    page_size: Annotated[int, typer.Option("--page-size", min=1, max=PAGE, help="Rows asked for at a time.")] = PAGE,
) -> "Answer":
    """Find devices, modules and results of jobs with the query language of Azure IoT Hub."""
    rows: list[dict[str, Any]] = []
    body: dict[str, Any] = {"query": text, "continuation": None}
    while True:
        left = PAGE if limit is None else limit - len(rows)
        page = await hub.send("POST", "query", body={**body, "limit": min(page_size, left)})
        rows += page["rows"]
        body["continuation"] = page["continuation"]
        if page["continuation"] is None or (limit is not None and len(rows) >= limit):
            return _shown(page["item_type"], rows)


def _shown(item_type: str, rows: list[dict[str, Any]]) -> "Answer":
    from ironhub.app.cli.output import listed

    match item_type:
        case "Twin":
            return listed(_TWIN, [_twin(row) for row in rows], rows)
        case "deviceJob":
            return listed(_JOB, [_job(row) for row in rows], rows)
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return listed(names, [tuple(row.get(name) for name in names) for row in rows], rows)


def _twin(twin: dict[str, Any]) -> tuple[Any, ...]:
    connected = twin["connectionState"] == "Connected"
    tags = twin["tags"] or None
    module_id = twin.get("moduleId")
    return twin["deviceId"], module_id, twin["status"], connected, twin["lastActivityTime"], twin["version"], tags


def _job(row: dict[str, Any]) -> tuple[Any, ...]:
    error = row.get("error", {}).get("code")
    return (
        row["jobId"],
        row["deviceId"],
        row["jobType"],
        row["status"],
        row.get("startTimeUtc"),
        row.get("endTimeUtc"),
        error,
    )
