"""Tests of console/shapes/instants.py."""

from ironhub.console.shapes.instants import shown_if_known, shown_instant


def test_instants_are_iso_8601_in_utc_with_milliseconds() -> None:
    assert shown_instant(1_780_000_000.1239) == "2026-05-28T20:26:40.123Z"


def test_never_is_none() -> None:
    assert shown_if_known(None) is None
    assert shown_if_known(0.0) == "1970-01-01T00:00:00.000Z"
