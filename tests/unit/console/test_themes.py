"""Tests of console/themes.py."""

import pytest

from ironhub.console.themes import FACTS, TELEMETRY, THEME_OF, Theme, kind_of, theme_of
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source

PRESS = identity("press-7")


def test_every_kind_of_fact_belongs_to_a_theme() -> None:
    assert set(THEME_OF) == set(FactKind)
    assert set(Theme) == FACTS | TELEMETRY


@pytest.mark.parametrize("kind", list(FactKind))
def test_a_fact_is_about_what_its_kind_says(kind: FactKind) -> None:
    entry = entry_of(Fact(kind, PRESS, 1.0, {}))
    assert (kind_of(entry), theme_of(entry)) == (kind, THEME_OF[kind])


def test_telemetry_is_no_fact_whatever_it_says() -> None:
    entry = Entry(Origin(PRESS, Source.TELEMETRY, Encoding.JSON), b'{"kind":"connected","at":1}', b"{}")
    assert (kind_of(entry), theme_of(entry)) == (None, Theme.TELEMETRY)


@pytest.mark.parametrize("head", [b'{"kind":"teleported","at":1}', b"{}", b""])
def test_what_a_newer_hub_wrote_is_something_else(head: bytes) -> None:
    entry = Entry(Origin(PRESS, Source.FACT, Encoding.JSON), head, b"{}")
    assert (kind_of(entry), theme_of(entry)) == (None, Theme.OTHER)
