"""Whether the machine's clock can be right. Asks nobody on a network: a hub may have none.

Tokens and certificates are judged by this clock, so a wrong one locks devices out, or lets expired ones in.
"""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509

from ironhub.app.datadir import DataDirectory
from ironhub.app.doctor.model import Finding, Level, Patient

STA_UNSYNC: Final = 0x0040
TOLERANCE: Final = 60.0
"""Seconds that something stored may seem to come from the future: file systems of other machines, rounding."""
_PADDING: Final = 11
_LONG: Final = ctypes.c_long


class _Timex(ctypes.Structure):
    """adjtimex(2): struct timex."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, _LONG) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, _LONG) for name in ("constant", "precision", "tolerance", "seconds", "microseconds", "tick")),
        *((name, _LONG) for name in ("ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, _LONG) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("padding", ctypes.c_int * _PADDING),
    )


def check_clock(patient: Patient) -> Iterator[Finding]:
    """Look at what the kernel says of its clock, and compare it with what is stored."""
    newest = max(_instants(patient.directory), default=0.0)
    now = patient.clock.now()
    yield order_finding(now, newest)
    yield sync_finding(kernel_status())


def order_finding(now: float, newest: float) -> Finding:
    """Judge the clock by the newest thing that is stored; both in seconds since the epoch."""
    if newest > now + TOLERANCE:
        what = f"the clock is {newest - now:.0f} seconds before the newest thing that the hub stored"
        step = "Set the clock; until then tokens and certificates are judged by a wrong time."
        return Finding(Level.BAD, "clock", what, step)
    return Finding(Level.OK, "clock", "nothing that is stored comes from the future")


def sync_finding(status: int | None) -> Finding:
    """Judge the kernel's status bits; None: it did not tell."""
    if status is None:
        step = "Make sure that something (chrony, systemd-timesyncd, the host) keeps it right."
        return Finding(Level.WARN, "clock", "the kernel does not tell whether its clock is kept right", step)
    if status & STA_UNSYNC:
        step = "Run chrony or systemd-timesyncd; without internet against a time server of your own."
        return Finding(Level.WARN, "clock", "nobody keeps this machine's clock right, says the kernel", step)
    return Finding(Level.OK, "clock", "the kernel's clock is kept right")


def kernel_status() -> int | None:
    """Return the kernel's clock status bits, None where it does not tell (another system, a sandbox)."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = _Timex()  # modes = 0: only ask
    return None if adjtimex(ctypes.byref(state)) < 0 else int(state.status)


def _instants(directory: DataDirectory) -> Iterator[float]:
    """When things were stored: the files' times, and the beginning of the server certificate."""
    for pattern in ("*", "pki/*"):
        for path in directory.path.glob(pattern):
            yield path.lstat().st_mtime
    yield from _begins(directory.server_certificate)


def _begins(path: Path) -> Iterator[float]:
    if not os.access(path, os.R_OK):
        return
    try:
        yield x509.load_pem_x509_certificate(path.read_bytes()).not_valid_before_utc.timestamp()
    except ValueError:
        return  # what is wrong with it is for the check of certificates to say
