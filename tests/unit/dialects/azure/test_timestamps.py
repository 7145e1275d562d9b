"""Instants in Azure's forms."""

import pytest

from ironhub.dialects.azure.timestamps import (
    TimestampInvalid,
    decode_instant,
    error_instant,
    instant,
    instant_ms,
    instant_or_never,
)

NOON = 1_769_860_800.0  # 2026-01-31T12:00:00Z


def test_an_instant_has_seven_digits_of_a_second() -> None:
    assert instant(NOON) == "2026-01-31T12:00:00.0000000Z"
    assert instant(NOON + 0.1234565) == "2026-01-31T12:00:00.1234560Z"
    assert instant(0) == "1970-01-01T00:00:00.0000000Z"


def test_telemetry_shows_milliseconds() -> None:
    assert instant_ms(NOON + 0.9999) == "2026-01-31T12:00:00.999Z"


def test_never_is_the_year_one() -> None:
    assert instant_or_never(None) == "0001-01-01T00:00:00"
    assert instant_or_never(None, zone="Z") == "0001-01-01T00:00:00Z"
    assert instant_or_never(NOON) == instant_or_never(NOON, zone="Z") == instant(NOON)


def test_tracking_ids_carry_the_american_form() -> None:
    assert error_instant(NOON + 61.9) == "01/31/2026 12:01:01"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-31T12:00:00", NOON),
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00.25z", NOON + 0.25),
        ("2026-01-31T13:00:00.5+01:00", NOON + 0.5),
        ("2026-01-31T12:00:00.1234567Z", NOON + 0.1234567),
    ],
)
def test_iso_8601_is_read(text: str, seconds: float) -> None:
    assert decode_instant(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "now", "2026-02-30T00:00:00Z", "2026-01-31", "2026-01-31T12:00:00+99:00", "٢٠٢٦"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(TimestampInvalid):
        decode_instant(text)
