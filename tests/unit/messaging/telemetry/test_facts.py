"""Facts as entries."""

import pytest

from ironhub.core.errors import CorruptStore
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity
from ironhub.messaging.telemetry.facts import entry_of, fact_of
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source

DATA = {"version": 3, "reported": {"fan": {"speed": 3.5, "modes": ["a", None, True]}}}
FACT = Fact(FactKind.TWIN_UPDATED, identity("press-7", "arm"), 1_780_000_000.25, DATA)


def test_a_fact_comes_back_as_it_was() -> None:
    assert fact_of(entry_of(FACT)) == FACT


def test_its_entry_says_whose_it_is_and_that_no_device_sent_it() -> None:
    entry = entry_of(FACT)
    assert entry.origin == Origin(identity("press-7", "arm"), Source.FACT, Encoding.JSON)
    assert entry.properties == b'{"kind":"twin_updated","at":1780000000.25}'
    assert entry.body == b'{"version":3,"reported":{"fan":{"speed":3.5,"modes":["a",null,true]}}}'


@pytest.mark.parametrize(
    ("properties", "body"),
    [
        (b"", b"{}"),
        (b"[]", b"{}"),
        (b"{}", b"{}"),
        (b'{"kind":"exploded","at":1}', b"{}"),
        (b'{"kind":"connected","at":"x"}', b"{}"),
        (b'{"kind":"connected","at":1}', b""),
        (b'{"kind":"connected","at":1}', b"[]"),
    ],
)
def test_what_is_no_fact_is_refused(properties: bytes, body: bytes) -> None:
    with pytest.raises(CorruptStore):
        fact_of(Entry(entry_of(FACT).origin, properties, body))
