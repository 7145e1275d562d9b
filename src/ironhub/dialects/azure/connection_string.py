"""Connection strings: what users paste into the vendor's SDKs and tools.

Source: azure "Control access to IoT Hub using shared access signatures"; the Python SDK takes exactly these keys, each
once and spelt exactly.
"""

from base64 import b64encode
from typing import ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity

EVENT_STREAM: Final = "events"
"""What the stream of telemetry is called at the Event Hubs-compatible endpoint; tools cut such a name at a "/"."""
MAX_LENGTH: Final = 4096
"""Characters."""


class ConnectionStringInvalid(HubError):
    """The text is no connection string."""

    code: ClassVar[str] = "connection_string.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Copy it again as `ironhub connection-string` prints it, in quotes: it holds ; and =."


def device_connection_string(host: str, who: Identity, key: bytes | None) -> str:
    """Return what a device or module connects with; `key` None: by its certificate."""
    parts = [f"HostName={host}", f"DeviceId={who.device_id}"]
    if who.module_id is not None:
        parts.append(f"ModuleId={who.module_id}")
    parts.append("x509=true" if key is None else f"SharedAccessKey={b64encode(key).decode()}")
    return ";".join(parts)


def policy_connection_string(host: str, policy: str, key: bytes) -> str:
    """Return what a back end connects with."""
    return f"HostName={host};SharedAccessKeyName={policy};SharedAccessKey={b64encode(key).decode()}"


def events_connection_string(host: str, policy: str, key: bytes) -> str:
    """Return what a reader of the built-in, Event Hubs-compatible endpoint connects with."""
    access = f"SharedAccessKeyName={policy};SharedAccessKey={b64encode(key).decode()}"
    return f"Endpoint=sb://{host}/;{access};EntityPath={EVENT_STREAM}"


def decode_connection_string(text: str) -> dict[str, str]:
    """Return the parts by name; values may hold "=". Raises ConnectionStringInvalid, which never repeats a value."""
    if not text or len(text) > MAX_LENGTH:
        raise ConnectionStringInvalid("a connection string is missing or too long")
    parts: dict[str, str] = {}
    for piece in text.strip().rstrip(";").split(";"):
        name, equals, value = piece.partition("=")
        if not name or not equals or name in parts:
            raise ConnectionStringInvalid("a connection string is Name=value;Name=value, each name once")
        parts[name] = value
    return parts
