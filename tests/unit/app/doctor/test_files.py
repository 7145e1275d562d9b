"""Tests of app/doctor/files.py."""

import os
import shutil
from dataclasses import replace

import pytest

from ironhub.app.datadir import DataDirectory
from ironhub.app.doctor.files import check_files
from ironhub.app.doctor.model import Finding, Level, Patient


def problems(patient: Patient) -> list[Finding]:
    return [finding for finding in check_files(patient) if finding.level is not Level.OK]


def test_what_a_first_start_creates_is_private(patient: Patient) -> None:
    (finding,) = check_files(patient)
    assert finding.level is Level.OK


def test_a_directory_that_is_not_there_is_told(patient: Patient) -> None:
    absent = replace(patient, directory=DataDirectory(patient.directory.path / "none"))
    (finding,) = check_files(absent)
    assert finding.level is Level.WARN


def test_a_file_in_place_of_the_directory_is_told(patient: Patient) -> None:
    (finding,) = check_files(replace(patient, directory=DataDirectory(patient.directory.path / "master.key")))
    assert finding.level is Level.BAD
    assert "is a file, not a directory" in finding.what


@pytest.mark.parametrize("name", ["master.key", "admin.token", "pki/ca.key", "hub.db-wal", "pki", ""])
def test_a_secret_that_others_can_read_is_told_with_the_command_that_mends_it(patient: Patient, name: str) -> None:
    path = patient.directory.path / name
    if not path.exists():
        path.touch()
    path.chmod(0o755 if path.is_dir() else 0o640)
    (finding,) = problems(patient)
    assert finding.level is Level.BAD
    assert f"chmod {'700' if path.is_dir() else '600'} {path}" in finding.next_step


def test_a_link_in_place_of_a_secret_is_told(patient: Patient) -> None:
    key = patient.directory.path / "master.key"
    key.rename(patient.directory.path / "elsewhere")
    key.symlink_to(patient.directory.path / "elsewhere")
    (finding,) = problems(patient)
    assert "symbolic link" in finding.what


def test_a_database_without_its_key_is_told(patient: Patient) -> None:
    path = patient.directory.path
    (path / "hub.db").touch(mode=0o600)
    (path / "master.key").unlink()
    assert [finding.what for finding in problems(patient)] == [f"{path / 'master.key'} is missing"]


def test_files_of_another_user_are_told_to_everybody_but_root(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: patient.directory.path.stat().st_uid + 1)
    assert all("belongs to another user" in finding.what for finding in problems(patient))
    assert problems(patient)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert problems(patient) == []


def test_a_directory_before_its_first_start_has_nothing_to_hide(patient: Patient) -> None:
    shutil.rmtree(patient.directory.path / "pki")
    assert problems(patient) == []
