"""Tests of app/doctor/machine.py."""

import pytest

from ironhub.app.doctor.machine import check_machine, limit_finding, sqlite_finding, tls_finding
from ironhub.app.doctor.model import Level, Patient
from ironhub.wire.tls import EngineName, EngineReport

GOOD = EngineReport(EngineName.OPENSSL, works=True, library="OpenSSL 4", reason="")
BROKEN = EngineReport(EngineName.SSL, works=False, library="OpenSSL 3", reason="statically linked")


def test_this_machine_can_run_a_hub(patient: Patient) -> None:
    assert [finding.check for finding in check_machine(patient)] == ["tls", "sqlite", "limits"]


@pytest.mark.parametrize(
    ("reports", "wanted", "level"),
    [
        ((GOOD, BROKEN), "auto", Level.OK),
        ((GOOD, BROKEN), "openssl", Level.OK),
        ((GOOD, BROKEN), "ssl", Level.BAD),
        ((BROKEN,), "auto", Level.BAD),
    ],
)
def test_one_engine_that_is_wanted_must_work(reports: tuple[EngineReport, ...], wanted: str, level: Level) -> None:
    finding = tls_finding(reports, wanted)
    assert finding.level is level
    assert bool(finding.next_step) == (level is not Level.OK)
    assert "statically linked" in finding.what


def test_an_old_sqlite_is_named() -> None:
    assert sqlite_finding((3, 34, 1)).level is Level.BAD
    assert sqlite_finding((3, 45, 0)).level is Level.OK


@pytest.mark.parametrize(("files", "level"), [(-1, Level.OK), (1200, Level.OK), (1199, Level.WARN), (50, Level.WARN)])
def test_connections_need_files(files: int, level: Level) -> None:
    assert limit_finding(files, max_connections=1000).level is level
