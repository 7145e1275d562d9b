"""A direct method call and how it can fail.

Source: Azure IoT Hub, "Understand and invoke direct methods" (time-outs, sizes, errors).
"""

from dataclasses import dataclass
from typing import ClassVar

from ironhub.core.errors import HubError

MAX_PAYLOAD = 131_072
"""Bytes, each way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCall:
    """What a caller gives. `payload` is JSON text; time-outs in seconds."""

    name: str
    payload: bytes = b"null"
    response_timeout: float = 30.0
    connect_timeout: float = 0.0


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """What the device said: its own status, and JSON text."""

    status: int
    payload: bytes


class DeviceNotOnline(HubError):
    """The device is not connected, or does not listen for methods, and did not within the connect time-out."""

    code: ClassVar[str] = "method.device_not_online"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Call again when the device is connected, or give a longer connect time-out."

    def __init__(self, message: str, *, waited: float = 0.0) -> None:
        super().__init__(message)
        self.waited = waited


class DeviceConnectionLost(HubError):
    """The connection ended before the device answered; whether it acted is unknown."""

    code: ClassVar[str] = "method.connection_lost"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Ask the device for its state before you call again."


class MethodTimeout(HubError):
    """The device got the call and did not answer in time; whether it acted is unknown."""

    code: ClassVar[str] = "method.timeout"
    status: ClassVar[int] = 504
    next_step: ClassVar[str] = "Ask the device for its state, or call again with a longer response time-out."


class MethodAnswerInvalid(HubError):
    """The device answered with something that is no JSON, or too much."""

    code: ClassVar[str] = "method.answer_invalid"
    status: ClassVar[int] = 502
    next_step: ClassVar[str] = "Correct the device's method handler: it must answer with JSON of at most 128 KiB."


class TooManyCalls(HubError):
    """So many calls wait for this device that no more are taken."""

    code: ClassVar[str] = "method.too_many"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Wait for the calls in flight to end."
