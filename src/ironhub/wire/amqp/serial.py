"""Numbers that begin anew at 2**32 (RFC 1982): ids of deliveries and transfers, and counts of deliveries."""

from typing import Final

MASK: Final = 0xFFFF_FFFF
_HALF: Final = 0x8000_0000


def distance(first: int, second: int) -> int:
    """How far `second` is after `first`; -1: it is before it."""
    steps = (second - first) & MASK
    return steps if steps < _HALF else -1


def remaining(granted: int, seen: int, done: int) -> int:
    """What is left of a credit or window.

    Args:
        granted: how much the peer gave.
        seen: our count when it gave that, as the peer knew it.
        done: our count.

    A peer that has counted what we never sent is believed in what it gives, not in what it counts.
    """
    since = distance(seen, done)
    if since < 0:
        return granted
    return granted - since if granted > since else 0
