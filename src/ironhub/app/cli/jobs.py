"""`ironhub job …`"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ironhub.app.cli.command import Place, Quiet, group, hub_command
from ironhub.app.cli.options import YesOption

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer

app = group("job", "Jobs: a twin update or a method call for many devices, now or later.")

LOOK: Final = 0.3
"""Seconds between two looks at a job that is waited for."""
PAGE: Final = 1000
OVER: Final = frozenset({"completed", "failed", "cancelled"})


class Kind(StrEnum):
    """What a job does."""

    TWIN_UPDATE = "twin_update"
    METHOD = "method"


class Status(StrEnum):
    """How far a job is."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeviceStatus(StrEnum):
    """How far a job is with one device."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


JobArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id (case-sensitive).")]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Show how far it is until it has ended; exit code 1 unless it is completed.")
]


@hub_command(
    app,
    "create",
    examples=(
        """job create fan-3 --where "tags.hall = 'b'" --desired '{"fan": 3}' --wait""",
        "job create reboot-all --where '*' --method reboot --start 2030-01-31T02:00:00Z",
        """job create ping --where "deviceId IN ['a', 'b']" --method ping --payload '{"n": 1}' --max-time 60""",
    ),
)
async def create(
    hub: "AdminClient",
    place: Place,
    job_id: JobArgument,
    where: Annotated[
        str, typer.Option("--where", metavar="CONDITION", help="Which devices, as after WHERE in a query; *: all.")
    ],
    desired: Annotated[
        str | None, typer.Option("--desired", metavar="JSON|@FILE", help="Desired properties; null removes one.")
    ] = None,
    tags: Annotated[str | None, typer.Option("--tags", metavar="JSON|@FILE", help="Tags; null removes one.")] = None,
    if_match: Annotated[
        str | None, typer.Option("--if-match", metavar="ETAG", help="Change only twins that have this etag.")
    ] = None,
    method: Annotated[str | None, typer.Option("--method", metavar="NAME", help="A method to call instead.")] = None,
    payload: Annotated[str, typer.Option("--payload", metavar="JSON|@FILE", help="What the method gets.")] = "null",
    response_timeout: Annotated[
        float, typer.Option("--response-timeout", metavar="S", help="Seconds a device may take (5 to 300).")
    ] = 30.0,
    connect_timeout: Annotated[
        float, typer.Option("--connect-timeout", metavar="S", help="Seconds to wait for each to connect (0 to 300).")
    ] = 0.0,
    start: Annotated[
        str | None, typer.Option("--start", metavar="INSTANT", help="When, in ISO 8601.", show_default="now")
    ] = None,
    max_time: Annotated[
        float, typer.Option("--max-time", metavar="S", help="Seconds after which it ends, whoever is left.")
    ] = 3600.0,
    wait: WaitOption = False,
) -> "Answer":
    """Create a job; it begins at its time by itself, when the hub runs."""
    from ironhub.app.cli.asking import json_of

    body: dict[str, Any] = {
        "job_id": job_id,
        "condition": where,
        "starts_at": start,
        "max_execution_time": max_time,
    }
    if _is_method(method, desired, tags, if_match):
        body["method"] = {
            "name": method,
            "payload": json_of(payload, "--payload"),
            "response_timeout": response_timeout,
            "connect_timeout": connect_timeout,
        }
    else:
        sections = {"desired": json_of(desired, "--desired"), "tags": json_of(tags, "--tags")}
        body["twin_update"] = {**sections, "if_match": if_match}
    return await _shown(hub, place, await hub.send("POST", "jobs", body=body), wait=wait)


@hub_command(app, "show", examples=("job show fan-3", "job show fan-3 --wait -o json"))
async def show(hub: "AdminClient", place: Place, job_id: JobArgument, wait: WaitOption = False) -> "Answer":
    """Show a job and how far it is."""
    return await _shown(hub, place, await hub.get("jobs", job_id), wait=wait)


@hub_command(app, "list", examples=("job list", "job list --status running", "job list --kind method -o json"))
async def list_(
    hub: "AdminClient",
    place: Place,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    status: Annotated[Status | None, typer.Option("--status", help="Only of this status.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=PAGE, help="At most so many, the newest.")] = 100,
) -> "Answer":
    """List jobs, the newest first."""
    from ironhub.app.cli.output import listed

    jobs = (await hub.get("jobs", kind=kind, status=status, limit=limit))["jobs"]
    columns = "JOB", "KIND", "STATUS", "STARTS AT", "DEVICES", "SUCCEEDED", "FAILED", "CONDITION"
    rows = [
        (
            *(job[name] for name in ("job_id", "kind", "status", "starts_at")),
            *(job["devices"][name] for name in ("total", "succeeded", "failed")),
            job["condition"],
        )
        for job in jobs
    ]
    return listed(columns, rows, jobs)


@hub_command(app, "cancel", examples=("job cancel fan-3 --yes",))
async def cancel(hub: "AdminClient", place: Place, job_id: JobArgument, yes: YesOption = False) -> "Answer":
    """End a job at once; devices that had their turn are not changed back."""
    from ironhub.app.cli.asking import confirm

    confirm(f"Cancel job {job_id}?", yes=yes)
    return _one(await hub.send("POST", "jobs", job_id, "cancel"))


@hub_command(
    app, "results", examples=("job results fan-3", "job results fan-3 --status failed", "job results fan-3 -o json")
)
async def results(
    hub: "AdminClient",
    place: Place,
    job_id: JobArgument,
    status: Annotated[DeviceStatus | None, typer.Option("--status", help="Only devices of this status.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 1000,
) -> "Answer":
    """Show what became of each device of a job."""
    from ironhub.app.cli.output import listed

    found: list[dict[str, Any]] = []
    after: str | None = None
    while len(found) < limit:
        asked = min(limit - len(found), PAGE)
        page = await hub.get("jobs", job_id, "devices", status=status, after=after, limit=asked)
        found += page["devices"]
        if (after := page["after"]) is None:
            break
    rows = [
        (each["device_id"], each["status"], each["ended_at"], each["answer_status"], each["answer_payload"], _why(each))
        for each in found
    ]
    return listed(("DEVICE", "STATUS", "ENDED AT", "ANSWER", "PAYLOAD", "ERROR"), rows, found)


def _is_method(method: str | None, *of_twins: str | None) -> bool:
    from ironhub.app.cli.problems import UsageProblem

    changes = [given for given in of_twins[:2] if given is not None]
    if (method is None) == (not changes) or (method is not None and of_twins[2] is not None):
        raise UsageProblem("say what to do: --desired, --tags or both, or else --method")
    return method is not None


def _why(device: Mapping[str, Any]) -> str | None:
    return None if device["error_code"] is None else f"{device['error_code']}: {device['error']}"


async def _shown(hub: "AdminClient", place: Place, job: dict[str, Any], *, wait: bool) -> "Answer":
    from ironhub.app.cli.output import note

    if not hub.running and job["status"] not in OVER:
        note("No hub runs: the job goes on when one does.")
        return _one(job)
    if wait:
        job = await _ended(hub, job)
        if job["status"] != "completed":
            _one(job).print(place.output)
            raise Quiet(1)
    return _one(job)


async def _ended(hub: "AdminClient", job: dict[str, Any]) -> dict[str, Any]:
    """A bar on stderr for people who watch; nothing for programs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(job["status"], total=None)
        while True:
            devices = job["devices"]
            done = devices["total"] - devices["pending"] - devices["running"]
            total = devices["total"] if job["collected"] else None
            bar.update(task, description=job["status"], completed=done, total=total)
            if job["status"] in OVER:
                return job
            await asyncio.sleep(LOOK)
            job = await hub.get("jobs", job["job_id"])


def _one(job: dict[str, Any]) -> "Answer":
    from ironhub.app.cli.output import detailed

    devices = {f"devices {name}": number for name, number in job["devices"].items() if number or name == "total"}
    why = None if job["error_code"] is None else f"{job['error_code']}: {job['reason']}"
    rest = {name.replace("_", " "): job[name] for name in job if name not in {"devices", "error_code", "reason"}}
    return detailed({**rest, **devices, "failed because": why}, job)
