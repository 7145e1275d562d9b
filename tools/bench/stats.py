"""Numbers that were taken several times, and what is made of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the ends of what the rounds gave."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Return the spread of at least one value."""
        found = sorted(values)
        return cls(median(found), found[0], found[-1])

    def __str__(self) -> str:
        """`4.8 (4.7-5.1)`"""
        return f"{short(self.median)} ({short(self.low)}-{short(self.high)})"


def short(value: float) -> str:
    """Return three digits, and no more than a reader needs: 0.0123, 1.23, 12.3, 123, 12,300."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if size >= 10 else 2 if size >= 1 else 3}f}"
