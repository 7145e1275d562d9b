"""AMQP values as Python values (part 1, 1.6)."""

from typing import NamedTuple, TypeAlias


class Uuid(NamedTuple):
    """A uuid (1.6.18)."""

    sixteen: bytes


class Timestamp(NamedTuple):
    """An instant (1.6.17)."""

    milliseconds: int
    """Since the Unix epoch, UTC; may be negative."""


class Described(NamedTuple):
    """A value whose meaning its descriptor tells (1.3)."""

    descriptor: "Value"
    value: "Value"


Value: TypeAlias = (
    "bool | int | float | str | bytes | list[Value] | dict[Value, Value] | Uuid | Timestamp | Described | None"
)
"""All integer types are int; string, symbol and char are str; binary is bytes, and a decimal is its raw bytes;
list and array are list; map is dict."""
