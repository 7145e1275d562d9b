"""Where a reader of the stream begins: the selector filter of its link.

Source: azure-service-api 6.4. Clients write the same filter under different descriptors, with and without quotes, and
one of them by another name for the time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.wire.amqp.values import Described, Value

SELECTOR: Final = "apache.org:selector-filter:string"
"""The key of the filter in the map of a source's filters."""
MAX_FILTER: Final = 256
"""Characters."""
_LATEST: Final = "@latest"
_FILTER: Final = re.compile(
    r"\s*amqp\.annotation\.(x-opt-offset|x-opt-sequence-number|x-opt-enqueued-time|x-opt-enqueuedtimeutc)"
    r"\s*(>=?)\s*(?:'([^']*)'|(-?[0-9]+))\s*",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)


class FilterInvalid(HubError):
    """The filter of a link selects nothing that can be read from."""

    code: ClassVar[str] = "link.filter_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Begin at an offset, a sequence number or an enqueued time: amqp.annotation.x-opt-offset > '-1'."
    )


@dataclass(frozen=True, slots=True)
class Earliest:
    """From the oldest event that is kept."""


@dataclass(frozen=True, slots=True)
class Latest:
    """Only what comes after the link was attached."""


@dataclass(frozen=True, slots=True)
class FromOffset:
    """Behind an offset, or from it on."""

    offset: int
    inclusive: bool


@dataclass(frozen=True, slots=True)
class FromSequence:
    """Behind a sequence number, or from it on."""

    sequence_number: int
    inclusive: bool


@dataclass(frozen=True, slots=True)
class FromTime:
    """Behind an instant, or from it on."""

    seconds: float
    """Since the Unix epoch."""
    inclusive: bool


Start = Earliest | Latest | FromOffset | FromSequence | FromTime


def decode_start(filters: Mapping[str, Value]) -> Start:
    """Return where a link with the source's `filters` begins; without a selector at the oldest event.

    Raises:
        FilterInvalid
    """
    value = filters.get(SELECTOR)
    if isinstance(value, Described):
        value = value.value
    if value is None:
        return Earliest()
    match = _FILTER.fullmatch(value) if isinstance(value, str) and len(value) <= MAX_FILTER else None
    if match is None:
        raise FilterInvalid("the filter is none of those that begin at a place in the stream")
    name, operator, quoted, bare = match.groups()
    return _start(name, quoted if bare is None else bare, inclusive=operator == ">=")


def _start(name: str, text: str, *, inclusive: bool) -> Start:
    if name == "x-opt-offset" and text == _LATEST:
        return Latest()
    if not _NUMBER.fullmatch(text):
        raise FilterInvalid(f"{name} is compared with a whole number")
    number = int(text)
    match name:
        case "x-opt-offset":
            return FromOffset(number, inclusive) if number >= 0 else Earliest()
        case "x-opt-sequence-number":
            return FromSequence(number, inclusive) if number >= 0 else Earliest()
        case _:
            return FromTime(number / 1000, inclusive)
