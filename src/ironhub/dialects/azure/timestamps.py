"""Instants as Azure writes them, from and to seconds since the Unix epoch (UTC)."""

import re
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from ironhub.core.errors import HubError

NEVER: Final = "0001-01-01T00:00:00"
"""How the identity registry says "never"; twins write it with a "Z"."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ISO: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?\Z", re.ASCII | re.IGNORECASE
)


class TimestampInvalid(HubError):
    """Text that should be an instant is none."""

    code: ClassVar[str] = "timestamp.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Write instants as 2030-12-31T23:59:59Z."


def instant(seconds: float) -> str:
    """Return e.g. "2026-01-31T12:00:00.1230000Z": seven digits, of which six are significant."""
    moment = _EPOCH + timedelta(microseconds=round(seconds * 1_000_000))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


def instant_ms(seconds: float) -> str:
    """Return e.g. "2026-01-31T12:00:00.123Z", as on telemetry."""
    return f"{instant(seconds)[:23]}Z"


def instant_or_never(seconds: float | None, *, zone: str = "") -> str:
    """Return the instant, or Azure's way of saying never, with "Z" as its zone on twins and none on identities."""
    return NEVER + zone if seconds is None else instant(seconds)


def error_instant(seconds: float) -> str:
    """Return e.g. "01/31/2026 12:00:00", as in tracking ids."""
    moment = _EPOCH + timedelta(seconds=int(seconds))
    return f"{moment:%m/%d/%Y %H:%M:%S}"


def decode_instant(text: str) -> float:
    """Return the seconds since the epoch that ISO 8601 `text` means; without a zone: UTC. Raises TimestampInvalid."""
    match = _ISO.match(text)
    if not match:
        raise TimestampInvalid("not an ISO 8601 instant")
    whole, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(whole + ("+00:00" if zone in {None, "Z", "z"} else zone))
    except ValueError as error:
        raise TimestampInvalid("not an ISO 8601 instant") from error
    return (moment - _EPOCH).total_seconds() + float(f"0.{fraction or 0}")
