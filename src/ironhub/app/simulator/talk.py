"""What a machine says to the hub and how it takes what the hub says: words only, no connection."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ironhub.app.simulator.model import Condition, Level, Machine, Reading, status
from ironhub.core.ids import Identity
from ironhub.core.strict_json import JsonInvalid, decode_json
from ironhub.dialects.azure.device_topics import telemetry_topic

MIN_INTERVAL: Final = 0.1
MAX_INTERVAL: Final = 86_400.0
"""Seconds between two messages that an operator may ask for."""
_FIRMWARE: Final = "3.4.1"


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """What a direct method comes to."""

    status: int
    payload: bytes
    interval: float | None = None
    """The machine sends in this interval from now on."""
    restart: bool = False
    """The machine's controller starts anew."""


def telemetry_topics(who: Identity) -> dict[Level, str]:
    """Return where telemetry of each level goes, so that routes can tell faults from the rest without the body."""
    return {
        level: telemetry_topic(
            who, [("$.ct", "application/json"), ("$.ce", "utf-8"), ("level", level.value), ("simulated", "true")]
        )
        for level in Level
    }


def telemetry(reading: Reading) -> bytes:
    """Return the body of a message."""
    return msgspec.json.encode(
        {
            "at": datetime.fromtimestamp(reading.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": reading.level.value,
            "code": reading.code,
            "load": reading.load,
            **reading.values,
            "pieces": reading.pieces,
        }
    )


def reported(machine: Machine, condition: Condition, interval: float) -> dict[str, Any]:
    """Return what the machine reports of itself in its twin: what changes seldom."""
    level, code = status(machine, condition)
    return {
        "model": machine.profile.model,
        "serial": f"{machine.profile.name.upper()}-{machine.number:05}",
        "firmware": _FIRMWARE,
        "hall": f"H{machine.hall + 1}",
        "interval": interval,
        "level": level.value,
        "code": code,
        "repairs": condition.repairs,
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the patch that makes `before` into `after`: what is the same is left out."""
    return {name: value for name, value in after.items() if before.get(name, ...) != value}


def wanted_interval(payload: bytes) -> float | None:
    """Return the interval that a document of desired properties, or a patch of them, asks for; None: none, or nonsense.

    A document has them below "desired", a patch at its top.
    """
    try:
        value = decode_json(payload)
    except JsonInvalid:
        return None
    if not isinstance(value, dict):
        return None
    desired = value.get("desired", value)
    return _interval(desired.get("interval")) if isinstance(desired, dict) else None


def answer_method(machine: Machine, condition: Condition, name: str, payload: bytes) -> MethodAnswer:
    """Return the machine's answer to a direct method: `status`, `restart`, `setInterval` with the seconds."""
    match name:
        case "status":
            level, code = status(machine, condition)
            told = {
                "level": level.value,
                "code": code,
                "hours": round(condition.hours, 2),
                "repairs": condition.repairs,
            }
            return MethodAnswer(200, msgspec.json.encode(told))
        case "restart":
            return MethodAnswer(200, b'{"restarting":true}', restart=True)
        case "setInterval":
            return _set_interval(payload)
    return MethodAnswer(404, msgspec.json.encode({"error": f"there is no method {name[:64]}"}))


def _set_interval(payload: bytes) -> MethodAnswer:
    try:
        value = decode_json(payload)
    except JsonInvalid:
        value = None
    interval = _interval(value.get("seconds") if isinstance(value, dict) else value)
    if interval is None:
        told = {"error": f"give the seconds, {MIN_INTERVAL} to {MAX_INTERVAL:.0f}"}
        return MethodAnswer(400, msgspec.json.encode(told))
    return MethodAnswer(200, msgspec.json.encode({"interval": interval}), interval=interval)


def _interval(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if MIN_INTERVAL <= value <= MAX_INTERVAL else None
