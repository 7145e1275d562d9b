"""The hub's own certificates: their names, their ends, and whether keys and issuer fit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ironhub.app.doctor.model import Finding, Level, Patient

LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")
SERVER_SOON: Final = 14 * 86_400.0
"""Seconds before its end; the hub renews its server certificate earlier than that, while it runs."""
CA_SOON: Final = 365 * 86_400.0
"""Seconds before its end; a new CA must reach every device."""
_DAY: Final = 86_400.0


def check_certificates(patient: Patient) -> Iterator[Finding]:
    """Look at the hub's CA and server certificate. Raises OSError when they may not be read."""
    directory = patient.directory
    if not directory.ca_certificate.is_file() and not directory.server_certificate.is_file():
        if directory.exists():
            yield Finding(Level.BAD, "certificates", "they are missing", "Put pki/ back from a backup.")
        return
    try:
        ca = x509.load_pem_x509_certificate(directory.ca_certificate.read_bytes())
        server = x509.load_pem_x509_certificate(directory.server_certificate.read_bytes())
        key_fits = _fits(directory.server_key, server)
    except (ValueError, FileNotFoundError) as error:
        yield Finding(Level.BAD, "certificates", f"they cannot be read: {error}", "Put pki/ back from a backup.")
        return
    now = patient.clock.now()
    yield end_finding("the CA", ca, now, CA_SOON, "Plan a new CA: every device must learn to trust it first.")
    yield end_finding("the server certificate", server, now, SERVER_SOON, "Restart the hub: it makes a new one.")
    yield names_finding(server, (*LOCAL_NAMES, *patient.settings.hostname))
    if not key_fits or not _issued_by(server, ca):
        step = "Remove pki/server.pem and pki/server.key and restart the hub: it makes new ones."
        yield Finding(Level.BAD, "certificates", "the server certificate fits not its key, or not its CA", step)


def end_finding(name: str, certificate: x509.Certificate, now: float, soon: float, step: str) -> Finding:
    """Judge when a certificate begins and ends; `now` in seconds since the epoch."""
    left = certificate.not_valid_after_utc.timestamp() - now
    if left <= 0:
        return Finding(Level.BAD, "certificates", f"{name} ended {-left / _DAY:.0f} days ago", step)
    if certificate.not_valid_before_utc.timestamp() > now:
        return Finding(Level.BAD, "certificates", f"{name} is not valid yet", "Set the clock of this machine.")
    if left < soon:
        return Finding(Level.WARN, "certificates", f"{name} ends in {left / _DAY:.0f} days", step)
    return Finding(Level.OK, "certificates", f"{name} is good for {left / _DAY:.0f} days")


def names_finding(certificate: x509.Certificate, wanted: tuple[str, ...]) -> Finding:
    """Judge whether clients find every name they may dial in the certificate."""
    names = _names(certificate)
    missing = [name for name in wanted if name.lower() not in names]
    if missing:
        what = f"the server certificate lacks {', '.join(missing)}"
        return Finding(Level.BAD, "certificates", what, "Restart the hub: it makes one with all its names.")
    others = sorted(names.difference(name.lower() for name in wanted))  # given on the command line of a hub, mostly
    return Finding(Level.OK, "certificates", f"the server certificate is for {', '.join((*wanted, *others))}")


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    found = names.get_values_for_type(x509.DNSName), names.get_values_for_type(x509.IPAddress)
    return {str(name).lower() for names_of_kind in found for name in names_of_kind}


def _fits(key_file: Path, certificate: x509.Certificate) -> bool:
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    return key.public_key() == certificate.public_key()


def _issued_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
