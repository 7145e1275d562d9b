"""Whether the disk has room, keeps what it is given, and how long that takes."""

import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ironhub.app.doctor.model import Finding, Level, Patient
from ironhub.core.clock import Clock

ROUNDS: Final = 20
BLOCK: Final = 4096
"""Bytes written before each fsync; a page of the database."""
SLOW: Final = 0.02
TOO_SLOW: Final = 0.1
"""Seconds of one fsync; every acknowledgement of a device waits for one."""
LITTLE: Final = 100 << 20
SOME: Final = 1 << 30
"""Bytes that are free."""
NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ncpfs"})
"""File systems on which SQLite's write-ahead log is not safe (sqlite.org, "Write-Ahead Logging")."""
VOLATILE: Final = frozenset({"tmpfs", "ramfs"})


def check_disk(patient: Patient) -> Iterator[Finding]:
    """Look at the file system below the data directory; writes and removes one file of a few KiB."""
    place = _existing(patient.directory.path)
    yield kind_finding(file_system(place, Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")))
    room = os.statvfs(place)
    kept = _size(patient.directory.stream_database)
    yield room_finding(room.f_bavail * room.f_frsize, kept, patient.settings.retention_bytes)
    if room.f_flag & os.ST_RDONLY:
        yield Finding(Level.BAD, "disk", f"{place} is mounted read-only", "Look into dmesg, repair, mount it anew.")
    elif not os.access(place, os.W_OK):
        yield Finding(Level.BAD, "disk", f"this user may not write to {place}", "Run this as the hub's user.")
    else:
        yield fsync_finding(measured_fsync(place, patient.clock))


def kind_finding(kind: str) -> Finding:
    """Judge the kind of file system."""
    if kind in NETWORK:
        step = "Put the data directory on a local disk; over a network the database can be damaged."
        return Finding(Level.BAD, "disk", f"the data directory is on a network file system ({kind})", step)
    if kind in VOLATILE:
        step = "Put the data directory on a disk, unless nothing needs to outlive a restart."
        return Finding(Level.WARN, "disk", f"the data directory is in memory ({kind}): a reboot loses all", step)
    return Finding(Level.OK, "disk", f"a local file system ({kind})")


def room_finding(free: int, kept: int, retention: int) -> Finding:
    """Judge the room, in bytes: what is free, what telemetry takes, and what it may grow to."""
    if free < LITTLE:
        return Finding(Level.BAD, "disk", f"{_shown(free)} are free", "Free some space now: a full disk stops the hub.")
    if free < SOME:
        return Finding(Level.WARN, "disk", f"{_shown(free)} are free", "Free some space, or set retention_bytes lower.")
    if free + kept < retention:
        step = "Set retention_bytes to what the disk has room for, or give it a larger disk."
        what = f"telemetry may grow to {_shown(retention)}; there is room for {_shown(free + kept)}"
        return Finding(Level.WARN, "disk", what, step)
    return Finding(Level.OK, "disk", f"{_shown(free)} are free")


def fsync_finding(seconds: float) -> Finding:
    """Judge how long one fsync takes."""
    what = f"one fsync takes {seconds * 1000:.2f} ms (median of {ROUNDS})"
    step = "Use a disk with power-loss protection (most data-centre SSDs), or raise commit_interval."
    if seconds > TOO_SLOW:
        return Finding(Level.BAD, "disk", what, step)
    return Finding(Level.WARN, "disk", what, step) if seconds > SLOW else Finding(Level.OK, "disk", what)


def measured_fsync(place: Path, clock: Clock) -> float:
    """Return the median seconds of a write of one block with fsync in `place`. Raises OSError."""
    taken: list[float] = []
    with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as file:
        for _ in range(ROUNDS):
            begun = clock.monotonic()
            file.write(bytes(BLOCK))
            file.flush()
            os.fsync(file.fileno())
            taken.append(clock.monotonic() - begun)
    return statistics.median(taken)


def file_system(place: Path, mounts: str) -> str:
    """Return the kind of file system that `place` is on; `mounts` as in /proc/mounts."""
    at = place.resolve()
    best, kind = Path("/"), "unknown"
    for line in mounts.splitlines():
        _, target, found = line.split(" ")[:3]
        mounted = Path(target.replace("\\040", " "))
        if at.is_relative_to(mounted) and len(mounted.parts) >= len(best.parts):
            best, kind = mounted, found
    return kind


def _existing(path: Path) -> Path:
    """The directory, or where it would be created."""
    path = path.absolute()
    while not path.is_dir():
        path = path.parent
    return path


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _shown(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} TiB"
