"""Our errors as AMQP tells them: why a link was refused or ended, and why a delivery was rejected.

Source: azure-device-api 3.9, azure-service-api 5.6, 6.5, 6.6, 6.9. Clients choose their error class, and whether they
try again, by the condition alone; some look for a sentence in the description too.
"""

from typing import ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.dialects.azure.errors import error_text
from ironhub.wire.amqp import conditions
from ironhub.wire.amqp.encode import map_, string, symbol, uint
from ironhub.wire.amqp.errors import Error

ARGUMENT_ERROR: Final = "com.microsoft:argument-error"
ARGUMENT_OUT_OF_RANGE: Final = "com.microsoft:argument-out-of-range"
DEVICE_ALREADY_EXISTS: Final = "com.microsoft:device-already-exists"
DEVICE_CONTAINER_THROTTLED: Final = "com.microsoft:device-container-throttled"
MESSAGE_LOCK_LOST: Final = "com.microsoft:message-lock-lost"
PRECONDITION_FAILED: Final = "com.microsoft:precondition-failed"
TIMEOUT: Final = "com.microsoft:timeout"
TRACKING_ID: Final = "com.microsoft:tracking-id"

_BY_CODE: Final[dict[str, str]] = {
    "command.expiry_invalid": ARGUMENT_OUT_OF_RANGE,
    "command.lock_lost": MESSAGE_LOCK_LOST,
    "command.queue_full": conditions.RESOURCE_LIMIT_EXCEEDED,
    "device.exists": DEVICE_ALREADY_EXISTS,
    "feedback.too_many_batches": conditions.RESOURCE_LIMIT_EXCEEDED,
    "file.lock_lost": MESSAGE_LOCK_LOST,
    "reader.epoch_needed": conditions.LINK_STOLEN,
    "reader.epoch_too_low": conditions.LINK_STOLEN,
    "reader.stolen": conditions.LINK_STOLEN,
    "reader.too_many": conditions.RESOURCE_LIMIT_EXCEEDED,
    "link.redirected": conditions.LINK_REDIRECT,
    "message.malformed": conditions.DECODE_ERROR,
}
_BY_STATUS: Final[dict[int, str]] = {
    400: ARGUMENT_ERROR,
    401: conditions.UNAUTHORIZED_ACCESS,
    403: conditions.UNAUTHORIZED_ACCESS,
    404: conditions.NOT_FOUND,
    405: conditions.NOT_ALLOWED,
    408: TIMEOUT,
    409: conditions.NOT_ALLOWED,
    412: PRECONDITION_FAILED,
    413: conditions.MESSAGE_SIZE_EXCEEDED,
    415: conditions.NOT_IMPLEMENTED,
    429: DEVICE_CONTAINER_THROTTLED,
    501: conditions.NOT_IMPLEMENTED,
    504: TIMEOUT,
}


class EntityNotFound(HubError):
    """The Event Hubs-compatible endpoint has no such entity, partition or consumer group."""

    code: ClassVar[str] = "link.entity_not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Copy the connection string again (`ironhub connection-string --events`)."

    def __init__(self, entity: str) -> None:
        """`entity`: its URL, e.g. "sb://hub.example/events/ConsumerGroups/other"."""
        super().__init__(f"The messaging entity '{entity}' could not be found.")


class PartitionNotFound(EntityNotFound):
    """The stream has fewer partitions than the reader thinks."""

    code: ClassVar[str] = "link.partition_not_found"
    next_step: ClassVar[str] = "Ask the stream for its partition ids, or read them all: they begin at 0."


class GroupNotFound(EntityNotFound):
    """The stream has no consumer group of this name."""

    code: ClassVar[str] = "link.group_not_found"
    next_step: ClassVar[str] = (
        "Read with a group that is there (`ironhub consumer-group list`), or create it "
        "(`ironhub consumer-group create NAME`)."
    )


class StreamReadOnly(HubError):
    """A client wants to send into the stream of telemetry."""

    code: ClassVar[str] = "link.read_only"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Send as a device, over MQTT, AMQP or HTTPS, with its own connection string."


class ReaderStolen(HubError):
    """Another reader of the consumer group has the partition now."""

    code: ClassVar[str] = "reader.stolen"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Leave the partition to it, or read with a higher epoch or another consumer group."

    def __init__(self, *, newer: int, own: int | None) -> None:
        """`own`: None for a reader without an epoch."""
        held = "without an epoch" if own is None else f"with epoch '{own}'"
        super().__init__(
            f"New receiver with higher epoch of '{newer}' is created hence current receiver {held} is getting "
            "disconnected. If you are recreating the receiver, make sure a higher epoch is used."
        )


class LinkRedirected(HubError):
    """What the link asks for is served at another address."""

    code: ClassVar[str] = "link.redirected"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Attach to the address that the error names."

    def __init__(self, hostname: str, port: int, address: str) -> None:
        """`address`: the whole URL, e.g. "amqps://hub.example:5671/events/$management"."""
        super().__init__(f"the stream of telemetry is at {address!a}")
        self.hostname = hostname
        self.port = port
        self.address = address


def link_error(error: HubError, *, tracking: str = "") -> Error:
    """Return how `error` is told to a client; `tracking` is an id that finds it in our log again."""
    return Error(_condition(error), error_text(error), _info(error, tracking))


def redirect_address(host: str, port: int, event_stream: str, rest: str) -> str:
    """Return where `/messages/events/{rest}` of the hub is served: the stream's own address."""
    return f"amqps://{host}:{port}/{event_stream}/{rest}".rstrip("/")


def _condition(error: HubError) -> str:
    return _BY_CODE.get(error.code) or _BY_STATUS.get(error.status, conditions.INTERNAL_ERROR)


def _info(error: HubError, tracking: str) -> bytes | None:
    told: list[tuple[str, bytes]] = []
    if isinstance(error, LinkRedirected):
        host = string(error.hostname)
        told += [("hostname", host), ("network-host", host), ("port", uint(error.port))]
        told.append(("address", string(error.address)))
    if tracking:
        told.append((TRACKING_ID, string(tracking)))
    return map_([(symbol(name), value) for name, value in told]) if told else None
