"""One page of a list, and where the next one begins."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a longer list, in a stable order."""

    items: tuple[T, ...]
    after: str | None
    """Pass it as `after` for the next page; None on the last."""
