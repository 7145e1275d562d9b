"""The interpreter's TLS, the database library, and how many connections this process may hold."""

import resource
import sqlite3
from collections.abc import Iterator
from typing import Final

from ironhub.app.doctor.model import Finding, Level, Patient
from ironhub.wire.tls import EngineReport, tls_report

SPARE_FILES: Final = 200
"""File descriptors besides those of connections."""
MIN_SQLITE: Final = (3, 35, 0)
"""The first with RETURNING."""


def check_machine(patient: Patient) -> Iterator[Finding]:
    """Look at TLS, SQLite and the limit of open files."""
    yield tls_finding(tls_report(), patient.settings.tls_engine)
    yield sqlite_finding(sqlite3.sqlite_version_info)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield limit_finding(hard, patient.settings.max_connections)


def tls_finding(reports: tuple[EngineReport, ...], wanted: str) -> Finding:
    """Judge the TLS engines' self-tests. Devices with self-signed certificates need one that admits any certificate."""
    told = "; ".join(
        f"{report.engine} works ({report.library})" if report.works else f"{report.engine} does not: {report.reason}"
        for report in reports
    )
    usable = [report for report in reports if report.works and wanted in ("auto", report.engine)]
    if usable:
        return Finding(Level.OK, "tls", told)
    if any(report.works for report in reports):
        step = 'Set tls_engine = "auto" in ironhub.toml.'
    else:
        step = "Install cryptography and pyOpenSSL anew for this Python, or use a Python whose ssl module is whole."
    return Finding(Level.BAD, "tls", told, step)


def sqlite_finding(version: tuple[int, ...]) -> Finding:
    """Judge the SQLite that this Python is linked with."""
    shown = ".".join(map(str, version))
    if version >= MIN_SQLITE:
        return Finding(Level.OK, "sqlite", f"version {shown}")
    step = f"Use a Python with SQLite {'.'.join(map(str, MIN_SQLITE))} or newer."
    return Finding(Level.BAD, "sqlite", f"version {shown} is too old", step)


def limit_finding(files: int, max_connections: int) -> Finding:
    """Judge how many files this process may open (RLIM_INFINITY is negative)."""
    if files < 0 or files >= max_connections + SPARE_FILES:
        return Finding(Level.OK, "limits", f"{max_connections} connections fit into the limit of open files")
    what = f"the limit of {files} open files leaves room for {max(files - SPARE_FILES, 0)} connections"
    step = (
        f"Raise it to {max_connections + SPARE_FILES} (LimitNOFILE= in the unit, ulimit -Hn in a shell), "
        "or set max_connections lower."
    )
    return Finding(Level.WARN, "limits", what, step)
