"""Facts as entries of the event log: in neutral words, so that each dialect can give them its vendor's shape.

The properties hold `{"kind", "at"}` and the body holds the fact's data, both JSON.
"""

from typing import Any, Final

import msgspec

from ironhub.core.errors import CorruptStore
from ironhub.core.facts import Fact, FactKind
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source


class _Head(msgspec.Struct, frozen=True):
    kind: FactKind
    at: float


_head_decoder: Final = msgspec.json.Decoder(_Head)
_data_decoder: Final = msgspec.json.Decoder(dict[str, Any])


def entry_of(fact: Fact) -> Entry:
    """Return the entry that tells of `fact`."""
    head = msgspec.json.encode(_Head(fact.kind, fact.at))
    return Entry(Origin(fact.identity, Source.FACT, Encoding.JSON), head, msgspec.json.encode(fact.data))


def fact_of(entry: Entry) -> Fact:
    """Return the fact that `entry` (its source is FACT) tells of. Raises CorruptStore."""
    try:
        head, data = _head_decoder.decode(entry.properties), _data_decoder.decode(entry.body)
    except msgspec.DecodeError as error:
        raise CorruptStore("an entry of the log is no fact") from error
    return Fact(head.kind, entry.origin.identity, head.at, data)
