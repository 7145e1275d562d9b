"""Who can read the secrets in the data directory."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ironhub.app.datadir import PRIVATE_DIRECTORY, PRIVATE_FILE
from ironhub.app.doctor.model import Finding, Level, Patient

PRIVATE: Final = ("master.key", "admin.token", "hub.db*", "stream.db*", "run.json", "pki/*.key")
NEEDED: Final = ("master.key", "pki/ca.key")


def check_files(patient: Patient) -> Iterator[Finding]:
    """Look at the data directory, its owner and its modes."""
    path = patient.directory.path
    if path.is_file():
        yield Finding(Level.BAD, "files", f"{path} is a file, not a directory", "Name a directory with --data.")
        return
    if not path.is_dir():
        step = "Start a hub (`ironhub serve`), which creates it, or name another one with --data."
        yield Finding(Level.WARN, "files", f"there is no data directory {path}", step)
        return
    problems = list(_problems(path))
    yield from problems
    if not problems:
        yield Finding(Level.OK, "files", f"the secrets in {path} are readable by their owner only")


def _problems(path: Path) -> Iterator[Finding]:
    yield from _lost(path)
    for directory in (path, path / "pki"):
        if directory.is_dir():
            yield from _too_open(directory, PRIVATE_DIRECTORY)
    for pattern in PRIVATE:
        for file in sorted(path.glob(pattern)):
            yield from _too_open(file, PRIVATE_FILE)


def _lost(path: Path) -> Iterator[Finding]:
    """A directory with a database and no key to it is a hub that cannot start again."""
    if not (path / "hub.db").is_file():
        return
    for name in NEEDED:
        if not (path / name).is_file():
            step = f"Put {name} back from a backup; do not start the hub before."
            yield Finding(Level.BAD, "files", f"{path / name} is missing", step)


def _too_open(path: Path, wanted: int) -> Iterator[Finding]:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        yield Finding(Level.BAD, "files", f"{path} is a symbolic link", "Put the file itself there.")
    elif mode & ~wanted & 0o777:
        step = f"Run: chmod {wanted:o} {path}  (and think of who may have read it)."
        yield Finding(Level.BAD, "files", f"others may use {path} (mode {mode:o})", step)
    elif os.geteuid() not in (0, found.st_uid):
        step = "Run the hub, and this, as the user that owns the data directory."
        yield Finding(Level.BAD, "files", f"{path} belongs to another user (uid {found.st_uid})", step)
