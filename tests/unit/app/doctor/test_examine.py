"""Tests of app/doctor/examine.py."""

from collections.abc import Iterator
from pathlib import Path

from tests.fakes.clock import FakeClock

from ironhub.app.doctor import examine
from ironhub.app.doctor.model import Finding, Level, Patient


def check_all(patient: Patient) -> Iterator[Finding]:
    yield Finding(Level.OK, "all", str(patient.directory.path))


def check_locked(patient: Patient) -> Iterator[Finding]:
    yield from _refuse()


def _refuse() -> Iterator[Finding]:
    raise PermissionError(13, "Permission denied", "/x")


def test_every_check_is_run_whatever_the_ones_before_it_found(tmp_path: Path) -> None:
    settings, locked, everything = examine(tmp_path, clock=FakeClock(), checks=(check_locked, check_all))
    assert (settings.level, settings.check) == (Level.OK, "settings")
    assert (locked.level, locked.check, "/x Permission denied" in locked.what) == (Level.BAD, "locked", True)
    assert everything.what == str(tmp_path)


def test_settings_that_cannot_be_are_a_finding_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "ironhub.toml").write_text("mqtt_port = 99999\nnonsense = 1\n")
    settings, everything = examine(tmp_path, checks=(check_all,))
    assert settings.level is Level.BAD
    assert "mqtt_port" in settings.what
    assert "nonsense" in settings.what
    assert everything.level is Level.OK


def test_a_directory_that_is_not_there_yet_is_no_reason_to_fail(tmp_path: Path) -> None:
    findings = examine(tmp_path / "new")
    assert {"settings", "tls", "files", "disk", "clock", "ports"} <= {finding.check for finding in findings}
    assert not (tmp_path / "new").exists()
    assert all(finding.next_step or finding.level is Level.OK for finding in findings)
