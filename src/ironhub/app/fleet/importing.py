"""The loop of an import: records in batches to the hub, what became of each written down, then the next."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from ironhub.app.cli.client import AdminClient
from ironhub.app.cli.problems import Problem
from ironhub.app.fleet.checkpoint import Checkpoint, ImportLost, Progress
from ironhub.app.fleet.lines import Record

MAX_BATCH: Final = 500
MAX_BATCH_BYTES: Final = 448 * 1024
"""With the longest line that may come behind it, below what the hub takes in one request."""
MAX_KEPT: Final = 100
"""Errors that the answer shows; all of them are told while they happen."""


class Watcher(Protocol):
    """Who follows an import."""

    def failed(self, failure: dict[str, Any]) -> None:
        """One record changed nothing."""

    def moved(self, progress: Progress, read: int) -> None:
        """So far all is written down; `read` bytes of the file were read."""


class ErrorFile:
    """All errors, a line of JSON each; cut back to what was written down when an import goes on."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = path.open("ab" if size else "wb")
        self._file.truncate(size)

    def write(self, failures: Sequence[dict[str, Any]]) -> int:
        """Append, and return the size."""
        self._file.writelines(json.dumps(failure).encode() + b"\n" for failure in failures)
        self._file.flush()
        return self._file.tell()

    def close(self) -> None:
        """No more."""
        self._file.close()


@dataclass(slots=True)
class Importer:
    """One import of one file."""

    hub: AdminClient
    file: BinaryIO
    records: Iterator[Record]
    progress: Progress
    watcher: Watcher
    checkpoint: Checkpoint | None = None
    """None: it cannot go on after an interruption (standard input, a dry run)."""
    errors: ErrorFile | None = None
    dry_run: bool = False
    read: int = 0
    """Bytes of the file that were read."""

    async def run(self) -> Progress:
        """Import to the end and return the counts. Raises Problem: the hub refused or is gone."""
        if self.progress.position:
            await asyncio.to_thread(self._skip, self.progress.position)
        await self._hear_what_was_not_heard()
        batch = await asyncio.to_thread(self._next_batch)
        while batch:
            answer, following = await asyncio.gather(self._send(batch), asyncio.to_thread(self._next_batch))
            self._account(batch, answer)
            batch = following
        if self.checkpoint is not None:
            await self.hub.send("DELETE", "imports", self.progress.name)
            self.checkpoint.end()
        return self.progress

    async def _hear_what_was_not_heard(self) -> None:
        """The hub may have taken a batch and its answer was lost; it remembers what became of it."""
        if self.checkpoint is None:
            return
        try:
            state = await self.hub.get("imports", self.progress.name)
        except Problem as problem:
            if problem.status != 404:
                raise
            state = {"position": 0, "newest": {"done": 0, "failures": []}}
        ahead = state["position"] - self.progress.position
        if ahead < 0:
            raise ImportLost(self.checkpoint.path)
        if ahead:
            batch = await asyncio.to_thread(lambda: list(islice(self.records, ahead)))
            self._account(batch, state["newest"])

    async def _send(self, batch: Sequence[Record]) -> dict[str, Any]:
        content = b"\n".join(record.content for record in batch if not record.problem)
        answer: dict[str, Any] = await self.hub.send(
            "POST",
            "imports",
            self.progress.name,
            "lines",
            body=content,
            position=self.progress.position + len(batch),
            format=_FORMS.get(self.progress.form, self.progress.form),
            mode=self.progress.mode,
            dry_run=True if self.dry_run else None,
        )
        return answer

    def _account(self, batch: Sequence[Record], answer: dict[str, Any]) -> None:
        """Tell and write down what became of a batch; only then the next one may be acknowledged."""
        sent = [record for record in batch if not record.problem]
        failures = [_local(record) for record in batch if record.problem]
        failures += [{"line": sent[told["row"]].line, **_shown(told)} for told in answer["failures"]]
        failures.sort(key=lambda failure: int(failure["line"]))
        for failure in failures:
            self.watcher.failed(failure)
        size = self.errors.write(failures) if self.errors is not None else 0
        self.progress = replace(
            self.progress,
            position=self.progress.position + len(batch),
            done=self.progress.done + int(answer["done"]),
            failed=self.progress.failed + len(failures),
            errors_size=size,
        )
        if self.checkpoint is not None:
            self.checkpoint.save(self.progress)
        self.watcher.moved(self.progress, self.read)

    def _next_batch(self) -> list[Record]:
        batch: list[Record] = []
        size = 0
        for record in self.records:
            batch.append(record)
            size += len(record.content) + 1
            if len(batch) >= MAX_BATCH or size >= MAX_BATCH_BYTES:
                break
        self._look_where()
        return batch

    def _skip(self, count: int) -> None:
        for _ in islice(self.records, count):
            pass
        self._look_where()

    def _look_where(self) -> None:
        if self.file.seekable():
            self.read = self.file.tell()


_FORMS: Final = {"csv": "jsonl"}
"""What a table becomes on its way."""


def _local(record: Record) -> dict[str, Any]:
    return {
        "line": record.line,
        "device_id": None,
        "module_id": None,
        "code": "import.unreadable",
        "message": record.problem,
        "next_step": "Correct the line.",
    }


def _shown(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("device_id", "module_id", "code", "message", "next_step")}
