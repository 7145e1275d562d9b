"""Links that belong together: requests come on one, and what answers them goes out on the other."""

from collections.abc import Iterator, Mapping
from typing import Final, Generic, TypeVar

CORRELATION: Final = "com.microsoft:channel-correlation-id"
"""The link property that is equal on both links of a pair (azure-device-api 3.4)."""
MAX_KEY: Final = 256
"""Characters; what is longer pairs nothing."""

N = TypeVar("N")


class Pairs(Generic[N]):
    """The outgoing links of one kind, by what pairs them with an incoming one."""

    __slots__ = ("_nodes",)

    def __init__(self) -> None:
        self._nodes: dict[str, N] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[N]:
        return iter(self._nodes.values())

    def add(self, key: str, node: N) -> N | None:
        """Keep `node` as the newest; returns the one that it replaces."""
        before = self._nodes.pop(key, None)
        self._nodes[key] = node
        return before

    def drop(self, key: str, node: N) -> None:
        """Forget `node`, unless another one took its place."""
        if self._nodes.get(key) is node:
            del self._nodes[key]

    def of(self, key: str) -> N | None:
        """Return the other link of the pair, None while it is not there.

        A link that says nothing of a pair belongs to any: without a key the newest is returned, and with one that
        nobody else has, the link that has none.
        """
        found = self._nodes.get(key) or self._nodes.get("")
        return self.newest if found is None and not key else found

    @property
    def newest(self) -> N | None:
        """The one that was added last."""
        return next(reversed(self._nodes.values()), None)


def key_of(properties: Mapping[str, object]) -> str:
    """Return what pairs a link with another one, from the properties of its attach; perhaps nothing."""
    key = properties.get(CORRELATION)
    return key if isinstance(key, str) and len(key) <= MAX_KEY else ""
