"""Chance that repeats itself: the same seed makes the same fleet, fault for fault.

Never for keys or anything else that must not be guessed: those come from `core.clock.Entropy`.
Source: SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
"""

import math
from typing import Final

_MASK: Final = 2**64 - 1
_STEP: Final = 0x9E37_79B9_7F4A_7C15
_UNIT: Final = 2.0**-53
_IRWIN_HALL: Final = math.sqrt(3.0)
"""Four shares have a variance of a third."""


def mixed(*parts: int) -> int:
    """Return 64 bits that follow from `parts` and from nothing else; close parts make far results."""
    state = 0
    for part in parts:
        state = _finish(state + _STEP * (part + 1) & _MASK)
    return state


class Chance:
    """A sequence of draws; `state` is all there is to it, so whoever keeps that number can go on later."""

    __slots__ = ("state",)

    def __init__(self, state: int) -> None:
        self.state = state & _MASK

    def share(self) -> float:
        """Return a number from 0 up to, and never, 1."""
        self.state = self.state + _STEP & _MASK
        return (_finish(self.state) >> 11) * _UNIT

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`."""
        return low + (high - low) * self.share()

    def normal(self) -> float:
        """Return a number of a normal distribution around 0 with a deviation of 1, never beyond 3.5 (Irwin-Hall)."""
        return sum(self.share() for _ in range(4)) * _IRWIN_HALL - 2.0 * _IRWIN_HALL

    def after(self, mean: float) -> float:
        """Return how long something takes that comes by chance, every `mean` on average."""
        return -mean * math.log1p(-self.share())

    def happens(self, rate: float, during: float) -> bool:
        """Whether something that comes `rate` times per unit of time comes within `during`."""
        return self.share() < -math.expm1(-rate * during)


def _finish(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58_476D_1CE4_E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D0_49BB_1331_11EB & _MASK
    return value ^ value >> 31
