"""Tests of app/doctor/clock.py."""

import ctypes
import os

import pytest

from ironhub.app.doctor import clock
from ironhub.app.doctor.clock import STA_UNSYNC, check_clock, kernel_status, order_finding, sync_finding
from ironhub.app.doctor.model import Level, Patient


def test_a_clock_before_what_is_stored_is_wrong() -> None:
    assert order_finding(1000.0, 1059.0).level is Level.OK
    assert order_finding(1000.0, 1061.0).level is Level.BAD


@pytest.mark.parametrize(("status", "level"), [(None, Level.WARN), (STA_UNSYNC | 1, Level.WARN), (1, Level.OK)])
def test_the_kernel_knows_whether_somebody_keeps_its_clock(status: int | None, level: Level) -> None:
    assert sync_finding(status).level is level


def test_the_kernel_is_asked_and_nothing_is_set() -> None:
    status = kernel_status()
    assert status is None or status >= 0


def test_a_system_without_the_call_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno: object())
    assert kernel_status() is None


def test_files_and_certificates_are_what_the_clock_is_compared_with(patient: Patient) -> None:
    for path in (*patient.directory.path.iterdir(), *patient.directory.path.glob("pki/*")):
        os.utime(path, (patient.clock.now(),) * 2)
    assert next(iter(check_clock(patient))).level is Level.OK
    os.utime(patient.directory.ca_key, (patient.clock.now() + 3600,) * 2)
    assert next(iter(check_clock(patient))).level is Level.BAD


def test_a_certificate_that_cannot_be_read_is_not_for_the_clock_to_judge(patient: Patient) -> None:
    patient.directory.server_certificate.write_bytes(b"nonsense")
    assert len(list(check_clock(patient))) == 2
    patient.directory.server_certificate.unlink()
    assert list(clock._begins(patient.directory.server_certificate)) == []
