"""The errors of imports, in a file each, until they are written to their blob."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

_PIECE: Final = 1 << 18


class FileSpool:
    """A provisioning.transfer.ports.Spool in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def cut(self, size: int) -> None:
        """Forget what was appended behind `size` bytes."""
        if self._path.exists() and self._path.stat().st_size > size:
            os.truncate(self._path, size)

    def append(self, data: bytes) -> int:
        """Append durably and return how many bytes there are."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield everything."""
        with await asyncio.to_thread(self._path.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece

    def delete(self) -> None:
        """It is not needed any more."""
        self._path.unlink(missing_ok=True)


class FileSpools:
    """A provisioning.transfer.ports.Spools in a private directory, made when there is an error."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self, job_id: str) -> FileSpool:
        """Return the spool of a job, as it was left."""
        return FileSpool(self._directory / f"{job_id}.errors")
