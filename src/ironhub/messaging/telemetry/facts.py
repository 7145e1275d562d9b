"""Facts as entries of the event log: in neutral words, so that each dialect can give them its vendor's shape."""

from typing import Any, Final

import msgspec

from ironhub.core.errors import CorruptStore
from ironhub.core.facts import Fact, FactKind
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source

_NO_PROPERTIES: Final = b"{}"


class _Body(msgspec.Struct, frozen=True):
    kind: FactKind
    at: float
    data: dict[str, Any]


_decoder: Final = msgspec.json.Decoder(_Body)


def entry_of(fact: Fact) -> Entry:
    """Return the entry that tells of `fact`."""
    body = msgspec.json.encode(_Body(fact.kind, fact.at, fact.data))
    return Entry(Origin(fact.identity, Source.FACT, Encoding.JSON), _NO_PROPERTIES, body)


def fact_of(entry: Entry) -> Fact:
    """Return the fact that `entry` (its source is FACT) tells of. Raises CorruptStore."""
    try:
        body = _decoder.decode(entry.body)
    except msgspec.DecodeError as error:
        raise CorruptStore("an entry of the log is no fact") from error
    return Fact(body.kind, entry.origin.identity, body.at, body.data)
