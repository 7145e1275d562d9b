"""How many connections there may be, so that strangers can neither use up the process nor keep devices out.

Strangers who connect and stay silent are answered by making room: the one that has been unidentified longest goes. File
descriptors are kept back, so that the operator still gets in when the device ports are full.
"""

import ipaddress
from typing import Final, Protocol

RESERVED_SHARE: Final = 8
"""One in so many file descriptors is kept for files, the store and the admin port."""
MIN_RESERVED: Final = 64
MAX_RESERVED: Final = 1024
_IPV6_SITE: Final = 64
"""Bits. Whoever has an IPv6 address usually has 2^64 of them."""


class Peer(Protocol):
    """A connection as the limits see it."""

    @property
    def peer_address(self) -> str:
        """The peer's IP address."""

    def drop(self) -> None:
        """Cut the connection, to make room."""


class ConnectionLimits:
    """Shared by all device listeners of a process. Each call costs the same however many connections there are."""

    def __init__(
        self, *, max_connections: int = 10_000, max_unidentified: int = 2_000, max_per_address: int = 10_000
    ) -> None:
        """Take the bounds.

        Args:
            max_connections: in all; see `connections_within`.
            max_unidentified: that have not authenticated yet.
            max_per_address: from one IPv4 address or IPv6 /64, identified or not. A plant behind a NAT gateway, and a
                whole fleet behind a TCP load balancer, is one address.
        """
        self._max_connections = max_connections
        self._max_unidentified = max_unidentified
        self._max_per_address = max_per_address
        self._identified: set[Peer] = set()
        self._unidentified: dict[Peer, None] = {}  # in the order of arrival
        self._per_address: dict[str, int] = {}

    @property
    def connections(self) -> int:
        """How many there are in all."""
        return len(self._identified) + len(self._unidentified)

    @property
    def unidentified(self) -> int:
        """How many have not authenticated yet."""
        return len(self._unidentified)

    def admit(self, peer: Peer) -> bool:
        """Give `peer` a place, if need be that of the oldest stranger; False: there is none to give."""
        source = address_group(peer.peer_address)
        if self._per_address.get(source, 0) >= self._max_per_address:
            return False
        if self.connections >= self._max_connections or self.unidentified >= self._max_unidentified:
            oldest = next(iter(self._unidentified), None)
            if oldest is None:
                return False
            self.release(oldest)
            oldest.drop()
        self._unidentified[peer] = None
        self._per_address[source] = self._per_address.get(source, 0) + 1
        return True

    def identified(self, peer: Peer) -> None:
        """`peer` has authenticated: it keeps its place until it goes."""
        if peer in self._unidentified:
            del self._unidentified[peer]
            self._identified.add(peer)

    def release(self, peer: Peer) -> None:
        """Take the place of `peer` back; harmless if it has none."""
        if peer in self._unidentified:
            del self._unidentified[peer]
        elif peer in self._identified:
            self._identified.remove(peer)
        else:
            return
        source = address_group(peer.peer_address)
        left = self._per_address[source] - 1
        if left:
            self._per_address[source] = left
        else:
            del self._per_address[source]


def address_group(address: str) -> str:
    """Return what counts as one source: an IPv4 address, or the /64 an IPv6 address is in."""
    if ":" not in address:
        return address
    site = int(ipaddress.IPv6Address(address.partition("%")[0])) >> (128 - _IPV6_SITE)
    return f"{site:016x}/{_IPV6_SITE}"


def connections_within(descriptor_limit: int, wanted: int) -> int:
    """Return how many device connections to allow, at most `wanted` and at least 1.

    Args:
        descriptor_limit: the soft RLIMIT_NOFILE of this process; negative: unlimited.
    """
    if descriptor_limit < 0:
        return wanted
    reserved = min(max(descriptor_limit // RESERVED_SHARE, MIN_RESERVED), MAX_RESERVED)
    return max(1, min(wanted, descriptor_limit - reserved))
