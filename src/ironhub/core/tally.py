"""Counting what happens, for the metrics: plain numbers that only grow, read when somebody asks."""


class Tally:
    """How often each thing happened since the hub started. Belongs to one thread."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, name: str, times: int = 1) -> None:
        """Count `times` more of `name`."""
        self.counts[name] = self.counts.get(name, 0) + times
