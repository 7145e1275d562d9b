"""Whether the hub can listen where it should; while it runs, whether it answers there."""

import errno
import socket
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ironhub.app.datadir import RunInfo
from ironhub.app.doctor.model import Finding, Level, Patient
from ironhub.app.settings import Settings, exposed_addresses

PRIVILEGED: Final = 443
INSTEAD: Final = 8443
"""Where the hub listens when 443 is refused to its user and no other port is set."""
ANSWER_WITHIN: Final = 3.0
WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where a wildcard listener is reached


class Wanted(NamedTuple):
    """One port the hub is to listen on."""

    setting: str
    address: str
    port: int


def check_ports(patient: Patient) -> Iterator[Finding]:
    """Try every port for an instant, or ask the running hub at each."""
    if patient.running is not None:
        yield from _answers(patient.settings, patient.running)
        return
    all_wanted = wanted_ports(patient.settings)
    findings = [*_twice(all_wanted), *_exposed(patient.settings)]
    findings += [finding for wanted in all_wanted for finding in _free(wanted, patient.settings)]
    yield from findings
    if not findings:
        yield Finding(Level.OK, "ports", "every port is free for the hub")


def wanted_ports(settings: Settings) -> list[Wanted]:
    """Return where a hub of these settings listens; port 0 (any free one) needs no look."""
    https = PRIVILEGED if settings.https_port is None else settings.https_port
    device_ports = [("mqtt_port", settings.mqtt_port), ("https_port", https), ("amqp_port", settings.amqp_port)]
    if settings.amqp_plain_port is not None:
        device_ports.append(("amqp_plain_port", settings.amqp_plain_port))
    own_ports = (("admin_port", settings.admin_port), ("metrics_port", settings.metrics_port))
    wanted = [Wanted(name, address, port) for name, port in device_ports for address in settings.bind]
    wanted += [Wanted(name, settings.admin_bind, port) for name, port in own_ports]
    return [one for one in wanted if one.port != 0]


def bind_error(address: str, port: int) -> int:
    """Return the errno of an attempt to bind, 0 when it can be."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def judged(wanted: Wanted, error: int, *, has_other: bool) -> Finding | None:
    """Return what an attempt to bind means; None: all is well.

    Args:
        error: its errno, 0 for none.
        has_other: the hub will take another port instead when this one is refused.
    """
    where = f"port {wanted.port} on {wanted.address}"
    setting = wanted.setting
    if error == 0:
        return None
    if error == errno.EADDRINUSE:
        step = f"Find who has it (ss -ltnp sport = :{wanted.port}) and stop it, or set another {setting}."
        return Finding(Level.BAD, "ports", f"{where} is taken by another program", step)
    if error in (errno.EACCES, errno.EPERM):
        step = (
            "Give the hub the capability CAP_NET_BIND_SERVICE (deploy/ironhub.service does), or lower the sysctl "
            f"net.ipv4.ip_unprivileged_port_start to {wanted.port}."
        )
        if has_other:
            what = f"{where} is refused to this user; the hub takes {INSTEAD}, which the vendor's SDKs do not dial"
            return Finding(Level.WARN, "ports", what, step)
        return Finding(Level.BAD, "ports", f"{where} is refused to this user", step)
    if error in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        step = "Set bind (or admin_bind) to addresses that this machine has."
        return Finding(
            Level.WARN, "ports", f"this machine has no address {wanted.address} for port {wanted.port}", step
        )
    return Finding(
        Level.BAD,
        "ports",
        f"{where} cannot be used: {errno.errorcode.get(error, error)}",
        "Ask the network's operator.",
    )


def _twice(all_wanted: Sequence[Wanted]) -> Iterator[Finding]:
    first: dict[tuple[str, int], str] = {}
    for wanted in all_wanted:
        other = first.setdefault((wanted.address, wanted.port), wanted.setting)
        if other != wanted.setting:
            what = f"{other} and {wanted.setting} are both {wanted.port} on {wanted.address}"
            yield Finding(Level.BAD, "ports", what, f"Set another {wanted.setting}.")


def _exposed(settings: Settings) -> Iterator[Finding]:
    exposed = [] if settings.amqp_plain_port is None else exposed_addresses(settings.bind)
    if exposed:
        what = f"AMQP without TLS is for this machine only, and {', '.join(exposed)} is not: the hub does not start"
        step = "Leave amqp_plain_port out, or set bind to 127.0.0.1 and ::1 only, by number."
        yield Finding(Level.BAD, "ports", what, step)


def _free(wanted: Wanted, settings: Settings) -> Iterator[Finding]:
    error = bind_error(wanted.address, wanted.port)
    has_other = wanted.setting == "https_port" and settings.https_port is None
    finding = judged(wanted, error, has_other=has_other)
    if finding is not None:
        yield finding
        if has_other and finding.level is Level.WARN:
            other = wanted._replace(port=INSTEAD)
            if second := judged(other, bind_error(other.address, INSTEAD), has_other=False):
                yield second


def _answers(settings: Settings, running: RunInfo) -> Iterator[Finding]:
    device, own = running.bind, settings.admin_bind
    places = {
        "mqtt": (device, running.mqtt),
        "https": (device, running.https),
        "amqp": (device, running.amqp),
        "admin": (own, running.admin),
    }
    if running.amqp_plain is not None:
        places["amqp_plain"] = (device, running.amqp_plain)
    silent = [f"{name} ({port})" for name, (address, port) in places.items() if not _connects(address, port)]
    if silent:
        step = "Look into the hub's log, and restart it."
        yield Finding(Level.BAD, "ports", f"the hub (process {running.pid}) does not answer: {', '.join(silent)}", step)
    else:
        yield Finding(Level.OK, "ports", f"the hub (process {running.pid}) answers on its ports")


def _connects(address: str, port: int) -> bool:
    try:
        with socket.create_connection((WILDCARDS.get(address, address), port), timeout=ANSWER_WITHIN):
            return True
    except OSError:
        return False
