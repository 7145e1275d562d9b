"""Writes an export to a file: private, whole or not at all."""

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Protocol

from ironhub.app.cli.asking import STDIN
from ironhub.app.fleet.tables import TableWriter
from ironhub.core.errors import CorruptStore


class Sink(Protocol):
    """Takes the lines of an export."""

    def write(self, line: bytes) -> None:
        """Take one line, without its end."""


class LineSink:
    """Writes them as they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        """Take one line, without its end."""
        self._file.write(line + b"\n")


class TableSink:
    """Writes them as rows of a table."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._writer = TableWriter(self._text)

    def write(self, line: bytes) -> None:
        """Take one line, without its end."""
        self._writer.write(json.loads(line))

    def detach(self) -> None:
        """Give the file back."""
        self._text.detach()


async def copy_lines(pieces: AsyncIterator[bytes], sink: Sink) -> int:
    """Write the lines that come in pieces, and return how many there were. Raises CorruptStore: it broke off."""
    count, rest = 0, b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            sink.write(line)
        count += len(lines)
    if rest:
        raise CorruptStore("the export broke off in the middle of a line")
    return count


@contextmanager
def private_file(target: Path) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of `target` at the end, with mode 0600: it may hold keys. "-" is stdout."""
    if str(target) == STDIN:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = target.with_name(f".{target.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
