"""Instants as the admin API writes them."""

from datetime import UTC, datetime


def shown_instant(seconds: float) -> str:
    """Return e.g. "2026-01-31T12:00:00.123Z" for seconds since the Unix epoch."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def shown_if_known(seconds: float | None) -> str | None:
    """As shown_instant; None for never."""
    return None if seconds is None else shown_instant(seconds)
