"""Tests of app/doctor/certificates.py."""

from dataclasses import replace

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.pki import make_authority, self_signed
from tests.unit.app.doctor.conftest import with_settings

from ironhub.app.datadir import DataDirectory
from ironhub.app.doctor.certificates import check_certificates, names_finding
from ironhub.app.doctor.model import Finding, Level, Patient

DAY = 86_400.0


def problems(patient: Patient) -> list[Finding]:
    return [finding for finding in check_certificates(patient) if finding.level is not Level.OK]


def test_what_a_first_start_makes_is_good(patient: Patient) -> None:
    assert problems(patient) == []
    assert len(list(check_certificates(patient))) == 3


@pytest.mark.parametrize(("days", "levels"), [(390.0, {Level.WARN}), (400.0, {Level.BAD}), (-9999.0, {Level.BAD})])
def test_an_end_that_is_near_is_told(patient: Patient, days: float, levels: set[Level]) -> None:
    later = replace(patient, clock=FakeClock(patient.clock.now() + days * DAY))
    assert {finding.level for finding in problems(later)} == levels


def test_a_name_that_clients_dial_must_be_in_the_certificate(patient: Patient) -> None:
    (finding,) = problems(with_settings(patient, hostname=["hub.example"]))
    assert "lacks hub.example" in finding.what


def test_a_certificate_without_names_lacks_all() -> None:
    bare = self_signed("hub").certificate
    assert names_finding(bare, ("localhost",)).level is Level.BAD


def test_every_name_in_the_certificate_is_told() -> None:
    issued = make_authority("ca").issue("hub", names=("localhost", "hub.plant.example"))
    finding = names_finding(issued.certificate, ("LOCALHOST",))
    assert finding.what == "the server certificate is for LOCALHOST, hub.plant.example"


def test_a_certificate_that_fits_not_its_key_or_not_its_ca_is_told(patient: Patient) -> None:
    other = make_authority("other").issue("hub", names=("localhost", "127.0.0.1", "::1"))
    patient.directory.server_key.write_bytes(other.key_pem)
    assert "fits not its key" in problems(patient)[0].what
    patient.directory.server_certificate.write_bytes(other.pem)
    assert any("fits not its key" in finding.what for finding in problems(patient))


def test_files_that_are_nonsense_or_gone_are_told(patient: Patient) -> None:
    patient.directory.server_certificate.write_bytes(b"nonsense")
    assert "cannot be read" in problems(patient)[0].what
    patient.directory.server_certificate.unlink()
    assert "cannot be read" in problems(patient)[0].what
    patient.directory.ca_certificate.unlink()
    assert "missing" in problems(patient)[0].what


def test_where_no_hub_ever_was_there_is_nothing_to_judge(patient: Patient) -> None:
    nowhere = replace(patient, directory=DataDirectory(patient.directory.path / "none"))
    assert list(check_certificates(nowhere)) == []
