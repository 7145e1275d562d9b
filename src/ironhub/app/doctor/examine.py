"""Runs every check, whatever the ones before it found."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ironhub.app.cli.options import DEFAULT_DATA
from ironhub.app.datadir import DataDirectory
from ironhub.app.doctor.certificates import check_certificates
from ironhub.app.doctor.clock import check_clock
from ironhub.app.doctor.disk import check_disk
from ironhub.app.doctor.files import check_files
from ironhub.app.doctor.machine import check_machine
from ironhub.app.doctor.model import Finding, Level, Patient
from ironhub.app.doctor.ports import check_ports
from ironhub.app.settings import Settings, SettingsInvalid, load_settings
from ironhub.app.system import SystemClock
from ironhub.core.clock import Clock

Check = Callable[[Patient], Iterable[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    check_machine,
    check_files,
    check_disk,
    check_clock,
    check_certificates,
    check_ports,
)


def examine(given_data: Path | None, *, clock: Clock | None = None, checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """Return what every check found, in the order of the checks.

    Args:
        given_data: the data directory as the command line names it; None: as settings have it.
    """
    findings: list[Finding] = []
    try:
        settings = load_settings(given_data)
        findings.append(Finding(Level.OK, "settings", "they can be read and make sense"))
    except SettingsInvalid as error:
        settings = Settings.model_validate({"data": given_data or DEFAULT_DATA})
        findings.append(Finding(Level.BAD, "settings", str(error), error.next_step))
    directory = DataDirectory(settings.data)
    patient = Patient(directory, settings, directory.running(), clock or SystemClock())
    for check in checks:
        findings.extend(_checked(check, patient))
    return findings


def _checked(check: Check, patient: Patient) -> list[Finding]:
    """A check that cannot look is a finding too, and never the end of the examination."""
    name = check.__name__.removeprefix("check_")
    try:
        return list(check(patient))
    except OSError as error:
        what = f"could not be looked at: {error.filename or ''} {error.strerror or error}"
        return [Finding(Level.BAD, name, what, "Run this as the user that the hub runs as.")]
