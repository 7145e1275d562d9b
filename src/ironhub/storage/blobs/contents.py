"""The content of blobs in files, sealed in chunks, so that any part of one can be read without the rest.

Protects what is stored: a chunk opens only in its own file and at its own place, a file that was cut short does not
read, and nothing is said to be stored before the file and its name are on the disk.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from ironhub.core.errors import CorruptStore, Unavailable
from ironhub.core.sealing import Sealer

CHUNK: Final = 65_536
"""Bytes of content that are sealed together."""
SEALED_CHUNK: Final = CHUNK + 5 + 12 + 16
"""Bytes of a full chunk on the disk: header, nonce and tag besides."""
BUFFER: Final = 4 * CHUNK
"""Bytes that are gathered before a thread seals and writes them."""
THREADS: Final = 4
"""That seal, write, read and sync the files."""
PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700

T = TypeVar("T")
Run = Callable[..., "asyncio.Future[Any]"]


class FileContents:
    """Contents in a directory of their own, two levels deep.

    Blocking work is done in a few threads of their own: a slow disk under many uploads holds up nothing else.
    """

    def __init__(self, directory: Path, sealer: Sealer) -> None:
        self._directory = directory
        self._sealer = sealer
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")

    async def create(self, content_id: str) -> "FileWriter":
        """Begin a new file. Raises Unavailable."""
        path = self._path(content_id)
        return FileWriter(await self._run(_create, path), path, content_id, self._sealer, self._run)

    async def read(self, content_id: str, *, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to, not including, `end`. Raises CorruptStore, Unavailable."""
        return await self._run(self._read, content_id, start, end)

    async def delete(self, content_ids: Sequence[str]) -> None:
        """Delete the files; those that are not there are no error. Raises Unavailable."""
        await self._run(_delete, [self._path(content_id) for content_id in content_ids])

    async def close(self) -> None:
        """Finish what is being done, and end the threads."""
        await asyncio.to_thread(self._threads.shutdown)

    def _run(self, work: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _path(self, content_id: str) -> Path:
        """Content ids are made by the hub; one that is not is never looked for."""
        if not content_id.isalnum() or not content_id.isascii():
            raise CorruptStore("a content id in hub.db is none")
        return self._directory / content_id[:2] / content_id

    def _read(self, content_id: str, start: int, end: int) -> bytes:
        first, last = start // CHUNK, max(start, end - 1) // CHUNK
        try:
            with self._path(content_id).open("rb") as file:
                file.seek(first * SEALED_CHUNK)
                sealed = file.read((last - first + 1) * SEALED_CHUNK)
        except FileNotFoundError as error:
            raise CorruptStore("a part of a blob is not on the disk") from error
        except OSError as error:
            raise _unavailable(error) from error
        plain = b"".join(
            self._sealer.open(sealed[at : at + SEALED_CHUNK], _context(content_id, first + number))
            for number, at in enumerate(range(0, len(sealed), SEALED_CHUNK))
        )[start - first * CHUNK : end - first * CHUNK]
        if len(plain) != end - start:
            raise CorruptStore("a part of a blob was cut short on the disk")
        return plain


class FileWriter:
    """Writes one file; its memory is bounded by BUFFER and what it is given at once.

    Who is cancelled leaves a thread behind that still writes: one after the other they use the file, and none after it
    was closed.
    """

    def __init__(self, descriptor: int, path: Path, content_id: str, sealer: Sealer, run: Run) -> None:
        self._descriptor = descriptor
        self._path = path
        self._content_id = content_id
        self._sealer = sealer
        self._buffer = bytearray()
        self._chunks = 0
        self._open = True
        self._run = run
        self._turn = threading.Lock()

    async def write(self, data: bytes) -> None:
        """Append; waits while the disk is slower than the writer. Raises Unavailable."""
        self._buffer += data
        if len(self._buffer) >= BUFFER:
            whole = len(self._buffer) // CHUNK * CHUNK
            taken = bytes(self._buffer[:whole])
            del self._buffer[:whole]
            await self._run(self._write, taken)

    async def finish(self) -> None:
        """Return when all of it, and its name, are on the disk. Raises Unavailable."""
        await self._run(self._finish, bytes(self._buffer))
        self._buffer.clear()

    async def discard(self) -> None:
        """Close it and delete what was written. Never raises."""
        self._buffer.clear()
        await self._run(self._discard)

    def _write(self, data: bytes) -> None:
        with self._turn:
            self._append(data)

    def _append(self, data: bytes) -> None:
        if not self._open:
            raise Unavailable("the blob was given up meanwhile")
        try:
            for at in range(0, len(data), CHUNK):
                sealed = memoryview(self._sealer.seal(data[at : at + CHUNK], _context(self._content_id, self._chunks)))
                self._chunks += 1
                while sealed:
                    sealed = sealed[os.write(self._descriptor, sealed) :]
        except OSError as error:
            raise _unavailable(error) from error

    def _finish(self, rest: bytes) -> None:
        with self._turn:
            self._append(rest)
            try:
                os.fsync(self._descriptor)
                self._close()
                _sync_directory(self._path.parent)
            except OSError as error:
                raise _unavailable(error) from error

    def _discard(self) -> None:
        with self._turn:
            with suppress(OSError):
                self._close()
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)


def _context(content_id: str, number: int) -> bytes:
    return f"blobs/{content_id}/{number}".encode()


def _create(path: Path) -> int:
    try:
        for directory in (path.parent.parent, path.parent):
            if not directory.is_dir():
                directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
                _sync_directory(directory.parent)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise _unavailable(error) from error


def _delete(paths: Sequence[Path]) -> None:
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unavailable(error) from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable("blobs cannot be read or written right now", detail=str(error))
