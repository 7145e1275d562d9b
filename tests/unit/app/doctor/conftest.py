"""A set-up to be looked at."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import FakeClock, FakeEntropy

from ironhub.app.certificates import ServerCertificate
from ironhub.app.datadir import DataDirectory, RunInfo
from ironhub.app.doctor.model import Patient
from ironhub.app.settings import Settings

MakePatient = Callable[..., Patient]


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """A data directory with its secrets and certificates, and a hub that does not run."""
    return new_patient(tmp_path / "data")


def new_patient(path: Path, *, running: RunInfo | None = None, **settings: Any) -> Patient:
    """Create a data directory as a first start does."""
    clock, entropy = FakeClock(), FakeEntropy()
    directory = DataDirectory(path)
    directory.create(entropy)
    wanted = Settings.model_validate({"data": path, **settings})
    ServerCertificate(directory, wanted.hostname, clock, entropy)
    return Patient(directory, wanted, running, clock)


def with_settings(patient: Patient, **settings: Any) -> Patient:
    """The same set-up, set otherwise."""
    return replace(patient, settings=Settings.model_validate({"data": patient.directory.path, **settings}))
