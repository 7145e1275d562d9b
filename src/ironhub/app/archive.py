"""Backup and restore: one private file with everything a hub needs to go on elsewhere.

What it protects: the archive holds the master key and so opens everything in it; it is written with mode 0600, and
restoring takes only the names that a backup has, as plain files, never outside the new directory.
"""

import asyncio
import os
import re
import tarfile
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, ClassVar, Final

from ironhub.app.datadir import PRIVATE_DIRECTORY, PRIVATE_FILE, DataDirectory, sync_directory
from ironhub.core.errors import HubError

ALWAYS: Final = ("hub.db", "stream.db", "master.key", "pki/ca.pem", "pki/ca.key", "pki/server.pem", "pki/server.key")
PERHAPS: Final = ("ironhub.toml",)

BLOB: Final = re.compile(r"blobs/[0-9a-f]{2}/[0-9a-f]{32}")
"""How files with the content of blobs are called."""

Copy = Callable[[Path], Awaitable[None]]


def _no_blobs(_: Path) -> Iterable[str]:
    return ()


class ArchiveInvalid(HubError):
    """The file is no backup of a hub, or not a whole one."""

    code: ClassVar[str] = "backup.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Give a file that `ironhub backup` wrote, whole and unchanged."


class RestoreRefused(HubError):
    """The target of a restore holds something already."""

    code: ClassVar[str] = "backup.target_not_empty"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Restore into a directory that does not exist yet, or is empty."


async def write_archive(
    directory: DataDirectory,
    path: Path,
    *,
    registry: Copy,
    stream: Copy,
    blobs: Callable[[Path], Iterable[str]] = _no_blobs,
) -> None:
    """Write the archive; `registry` and `stream` copy their database consistently while it is in use.

    `blobs` says which files of blobs the copy of the registry knows; the caller sees to it that none is deleted
    meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=directory.path) as place:
        copies = {"hub.db": Path(place) / "hub.db", "stream.db": Path(place) / "stream.db"}
        await registry(copies["hub.db"])
        await stream(copies["stream.db"])
        # Packing gigabytes takes minutes, and the hub goes on meanwhile.
        files = await asyncio.to_thread(lambda: list(blobs(copies["hub.db"])))
        copies |= {f"blobs/{name[:2]}/{name}": directory.blobs / name[:2] / name for name in files}
        await asyncio.to_thread(_pack, directory, path, copies)


def restore_archive(archive_path: Path, target: Path) -> None:
    """Unpack a backup into `target`, which must not exist or be empty. Raises ArchiveInvalid, RestoreRefused."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RestoreRefused(f"{target} is not empty")
    try:
        with tarfile.open(archive_path, "r:*") as archive:
            files = dict(_files(archive))
            missing = [name for name in ALWAYS if name not in files]
            if missing:
                raise ArchiveInvalid(f"{archive_path.name} has no {', '.join(missing)}")
            for name, content in files.items():
                _place(target / name, content)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ArchiveInvalid(f"{archive_path.name} cannot be read: {error}") from error


def _pack(directory: DataDirectory, path: Path, copies: Mapping[str, Path]) -> None:
    draft = path.with_name(f".{path.name}.draft")
    try:
        _write(directory, draft, copies)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # half an archive may hold the master key already
    sync_directory(path.parent)


def _write(directory: DataDirectory, draft: Path, copies: Mapping[str, Path]) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
            for name in dict.fromkeys((*ALWAYS, *PERHAPS, *copies)):
                source = copies.get(name, directory.path / name)
                if source.is_file():
                    archive.add(source, name, filter=_private)
        file.flush()
        os.fsync(file.fileno())


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive.getmembers():
        known = member.name in (*ALWAYS, *PERHAPS) or BLOB.fullmatch(member.name)
        if not known or not member.isfile():
            raise ArchiveInvalid(f"the archive holds {member.name!r}, which no backup does")
        content = archive.extractfile(member)
        if content is not None:
            yield member.name, content


def _place(path: Path, content: IO[bytes]) -> None:
    for directory in (path.parent.parent, path.parent):
        directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        while block := content.read(1 << 20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def _private(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid, member.uname, member.gname = PRIVATE_FILE, 0, 0, "", ""
    return member
