"""Tests of app/doctor/disk.py."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.fakes.clock import FakeClock

from ironhub.app.doctor.disk import check_disk, file_system, fsync_finding, kind_finding, measured_fsync, room_finding
from ironhub.app.doctor.model import Level, Patient

MOUNTS = "/dev/sda1 / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\ntmpfs /data/with\\040space tmpfs rw 0 0\n"
GIB = 1 << 30


def test_the_disk_is_looked_at_and_nothing_is_left_on_it(patient: Patient) -> None:
    before = sorted(patient.directory.path.iterdir())
    assert [finding.check for finding in check_disk(patient)] == ["disk"] * 3
    assert sorted(patient.directory.path.iterdir()) == before


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "ext4"), ("/data", "nfs4"), ("/data/hub", "nfs4"), ("/data/with space/x", "tmpfs"), ("/database", "ext4")],
)
def test_the_innermost_mount_decides(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_kinds_of_file_systems() -> None:
    assert [kind_finding(kind).level for kind in ("ext4", "nfs", "tmpfs")] == [Level.OK, Level.BAD, Level.WARN]


@pytest.mark.parametrize(
    ("free", "kept", "level"),
    [
        (50 << 20, 0, Level.BAD),
        (500 << 20, 0, Level.WARN),
        (5 * GIB, 0, Level.WARN),
        (5 * GIB, 6 * GIB, Level.OK),
        (50 << 40, 0, Level.OK),
    ],
)
def test_room_is_judged_by_what_telemetry_may_take(free: int, kept: int, level: Level) -> None:
    assert room_finding(free, kept, retention=10 * GIB).level is level


@pytest.mark.parametrize(("seconds", "level"), [(0.001, Level.OK), (0.05, Level.WARN), (0.5, Level.BAD)])
def test_a_slow_disk_is_told(seconds: float, level: Level) -> None:
    assert fsync_finding(seconds).level is level


def test_the_median_of_all_rounds_is_taken(tmp_path: Path) -> None:
    class SlowClock(FakeClock):
        def monotonic(self) -> float:
            self.advance(0.25)
            return super().monotonic()

    assert measured_fsync(tmp_path, SlowClock()) == 0.25


def test_a_disk_that_cannot_be_written_is_told(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    readonly = SimpleNamespace(f_bavail=GIB, f_frsize=64, f_flag=os.ST_RDONLY)
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", lambda path: readonly)
        assert "mounted read-only" in list(check_disk(patient))[-1].what
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "may not write" in list(check_disk(patient))[-1].what
