"""Direct methods over REST: request and answer as JSON.

Source: azure "Understand and invoke direct methods from IoT Hub"; SDKs send null for what was not given.
"""

from typing import Any, Final

from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import decode_json_object, encode_json
from ironhub.messaging.methods.model import MethodAnswer, MethodCall

DEFAULT_RESPONSE_TIMEOUT: Final = 30.0
DEFAULT_CONNECT_TIMEOUT: Final = 0.0


def decode_method_call(data: bytes) -> MethodCall:
    """Return the call; its rules are the service's to check. Raises JsonInvalid, InvalidArgument."""
    request = decode_json_object(data)
    name = request.get("methodName")
    if not isinstance(name, str):
        raise InvalidArgument("methodName is missing or no text")
    return MethodCall(
        name=name,
        payload=encode_json(request.get("payload")),
        response_timeout=_seconds(request, "responseTimeoutInSeconds", DEFAULT_RESPONSE_TIMEOUT),
        connect_timeout=_seconds(request, "connectTimeoutInSeconds", DEFAULT_CONNECT_TIMEOUT),
    )


def encode_method_answer(answer: MethodAnswer) -> bytes:
    """Return the answer; its payload is JSON text already and goes out as the device wrote it."""
    return b'{"status":%d,"payload":%s}' % (answer.status, answer.payload)


def _seconds(request: dict[str, Any], name: str, default: float) -> float:
    value = request.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
        raise InvalidArgument(f"{name} must be a number of seconds")
    return float(value)
