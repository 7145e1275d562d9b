"""Listening sockets, and why one could not be had."""

import errno
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar, Final

from ironhub.core.errors import HubError

MAX_SEGMENT: Final = 32_000
"""Bytes. Some vendor clients write the TCP_MAXSEG they read back to their socket; Linux takes at most 32767, less than
it reports on loopback. A connection inherits the listener's lower value (Azure service API, section 12.5)."""
_ATTEMPTS: Final = 8
"""To find a port that is free on every address."""


class PortTaken(HubError):
    """Another program listens on the port."""

    code: ClassVar[str] = "listener.port_taken"
    status: ClassVar[int] = 500
    next_step: ClassVar[str] = "Stop the program that listens there (`ss -ltnp` names it) or choose another port."


class PortRefused(HubError):
    """This user may not listen on the port."""

    code: ClassVar[str] = "listener.port_refused"
    status: ClassVar[int] = 500
    next_step: ClassVar[str] = (
        "Choose a port from 1024 up, or allow this one: AmbientCapabilities=CAP_NET_BIND_SERVICE in the service file, "
        "or `sysctl net.ipv4.ip_unprivileged_port_start=443`."
    )


class AddressUnusable(HubError):
    """The address to listen on is not one of this machine's, or is none at all."""

    code: ClassVar[str] = "listener.address_unusable"
    status: ClassVar[int] = 500
    next_step: ClassVar[str] = "Choose one of this machine's addresses (`ip address` shows them), or 0.0.0.0 and ::."


def bind_all(addresses: Sequence[str], port: int) -> list[socket.socket]:
    """Return one bound socket per address, all on the same port (0: one that is free on all of them).

    Raises:
        PortTaken, PortRefused, AddressUnusable: nothing stays bound.
    """
    if not addresses:
        raise AddressUnusable("there is no address to listen on")
    for _ in range(_ATTEMPTS if port == 0 else 0):
        with suppress(PortTaken):  # the port that was free on the first address need not be on the others
            return _bind_each(addresses, port)
    return _bind_each(addresses, port)


def bind(address: str, port: int) -> socket.socket:
    """Return a socket bound to an IP address or host name, ready to listen. Raises as `bind_all`."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise AddressUnusable(f"{address!r} is not an address: {error.strerror}") from error
    try:
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise translate(error, address, port) from error
    try:
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        with suppress(OSError):  # systems other than Linux may not let it be set here, and need it not
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MAX_SEGMENT)
        listening.bind(where)
    except OSError as error:
        listening.close()
        raise translate(error, address, port) from error
    return listening


def port_of(listening: socket.socket) -> int:
    """Return the port a socket is bound to."""
    port: int = listening.getsockname()[1]
    return port


def translate(error: OSError, address: str, port: int) -> HubError:
    """Return our word for what the system said."""
    match error.errno:
        case errno.EADDRINUSE:
            return PortTaken(f"port {port} on {address} is in use")
        case errno.EACCES | errno.EPERM:
            return PortRefused(f"port {port} on {address} is refused to this user")
        case _:
            return AddressUnusable(f"cannot listen on {address}, port {port}: {error.strerror}")


def _bind_each(addresses: Sequence[str], port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for address in addresses:
            bound.append(bind(address, port or (port_of(bound[0]) if bound else 0)))
    except HubError:
        for each in bound:
            each.close()
        raise
    return bound
