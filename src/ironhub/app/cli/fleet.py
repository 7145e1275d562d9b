"""`ironhub device import` and `ironhub device export`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from ironhub.app.cli.command import Place, Quiet, hub_command

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient
    from ironhub.app.cli.output import Answer
    from ironhub.app.fleet.checkpoint import Progress
    from ironhub.app.fleet.lines import Record


class Form(StrEnum):
    """What a file of devices is."""

    CSV = "csv"
    JSONL = "jsonl"
    AZURE = "azure"


class Mode(StrEnum):
    """What is done with each device."""

    CREATE = "create"
    CREATE_OR_UPDATE = "create-or-update"
    UPDATE = "update"
    DELETE = "delete"
    UPDATE_TWIN = "update-twin"


FormOption = Annotated[
    Form | None,
    typer.Option("--format", help="csv, jsonl, or azure: an export of a hub there.", show_default="by the file's name"),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    hub_command(
        app,
        "import",
        creates=True,
        examples=(
            "device import plant.csv",
            "device import devices.txt --format azure --errors failed.jsonl",
            "device import plant.csv --mode update-twin --dry-run",
            "device import plant.csv --resume          # after Ctrl-C, a crash, a lost connection",
        ),
    )(import_file)
    hub_command(
        app,
        "export",
        examples=("device export plant.csv", "device export all.jsonl --with-keys --twins", "device export - | head"),
    )(export_file)


async def import_file(
    hub: "AdminClient",
    place: Place,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="- for stdin.")],
    form: FormOption = None,
    mode: Annotated[
        Mode | None, typer.Option("--mode", help="What to do with each.", show_default="as the row says, or create")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an import of this file was interrupted.")
    ] = False,
    errors: Annotated[Path | None, typer.Option("--errors", metavar="FILE", help="Write all errors there too.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would fail, and change nothing.")] = False,
) -> "Answer":
    """Create, change or delete devices and modules by the million, from a table (CSV) or lines of JSON.

    Each row has its own outcome: one that fails is told with its line and stops none of the others; then the exit code
    is 1. An import that is interrupted goes on with --resume and does no row twice.
    """
    from ironhub.app.fleet.checkpoint import Checkpoint, Progress, fingerprint
    from ironhub.app.fleet.following import watching
    from ironhub.app.fleet.importing import ErrorFile, Importer
    from ironhub.app.system import SystemClock, SystemEntropy

    form = form or _form_of(file)
    begun = Progress(SystemEntropy().uuid(), _fingerprint(file, fingerprint), form, mode)
    checkpoint = None if str(file) == "-" or dry_run else Checkpoint(file)
    progress = _progress(checkpoint, begun, resume=resume)
    clock = SystemClock()
    started = clock.monotonic()
    error_file = None if errors is None else ErrorFile(errors, progress.errors_size)
    try:
        with _opened(file) as source, watching(clock, _size(file)) as watcher:
            importer = Importer(hub, source, _records(form, source), progress, watcher, checkpoint, error_file, dry_run)
            progress = await importer.run()
    finally:
        if error_file is not None:
            error_file.close()
    answer = _summary(progress, clock.monotonic() - started, dry_run=dry_run)
    if progress.failed:
        answer.print(place.output)
        raise Quiet(1)
    return answer


async def export_file(
    hub: "AdminClient",
    place: Place,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="- for stdout.")],
    form: FormOption = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="With the keys: whoever has the file can act as every device.")
    ] = False,
    twins: Annotated[bool, typer.Option("--twins", help="With tags and properties.")] = False,
) -> "Answer | None":
    """Write all devices and modules to a file that `ironhub device import` takes; readable by you only."""
    from ironhub.app.cli.output import Answer
    from ironhub.app.fleet.exporting import LineSink, TableSink, copy_lines, private_file

    form = form or _form_of(file)
    with private_file(file) as target:
        sink = TableSink(target) if form is Form.CSV else LineSink(target)
        asked = Form.AZURE if form is Form.AZURE else Form.JSONL
        async with hub.pieces("export", format=asked.value, keys=with_keys, twins=twins) as pieces:
            count = await copy_lines(pieces, sink)
        if isinstance(sink, TableSink):
            sink.detach()
    if str(file) == "-":
        return None
    return Answer({"file": str(file), "rows": count}, f"{count} devices and modules are in {file}.")


def _progress(checkpoint: Any, begun: "Progress", *, resume: bool) -> "Progress":
    from ironhub.app.cli.problems import UsageProblem

    if checkpoint is None:
        if resume:
            raise UsageProblem("--resume needs a file, and no --dry-run")
        return begun
    progress: Progress = checkpoint.resume(begun) if resume else checkpoint.begin(begun)
    return progress


def _form_of(file: Path) -> Form:
    from ironhub.app.cli.problems import UsageProblem

    known = {".csv": Form.CSV, ".tsv": Form.CSV, ".jsonl": Form.JSONL, ".ndjson": Form.JSONL, ".txt": Form.AZURE}
    form = known.get(file.suffix.lower()) or (Form.JSONL if str(file) == "-" else None)
    if form is None:
        raise UsageProblem(f"nobody knows what {file.name} is", "Say --format csv, jsonl or azure.")
    return form


def _fingerprint(file: Path, of: Any) -> str:
    return "" if str(file) == "-" else str(of(file))


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


def _opened(file: Path) -> BinaryIO:
    import sys
    from io import BufferedReader, FileIO

    source = sys.stdin.fileno() if str(file) == "-" else file
    return BufferedReader(FileIO(source, closefd=str(file) != "-"), 1 << 18)


def _records(form: Form, source: BinaryIO) -> "Iterator[Record]":
    from ironhub.app.fleet.lines import read_lines
    from ironhub.app.fleet.tables import read_table

    return read_table(source) if form is Form.CSV else read_lines(source)


def _summary(progress: "Progress", seconds: float, *, dry_run: bool) -> "Answer":
    from ironhub.app.cli.output import Answer

    value = {"rows": progress.position, "done": progress.done, "failed": progress.failed, "dry_run": dry_run}
    would = "would be done" if dry_run else "done"
    text = f"{progress.position} rows in {seconds:.1f} s: {progress.done} {would}, {progress.failed} failed."
    return Answer({**value, "seconds": round(seconds, 3)}, text)
