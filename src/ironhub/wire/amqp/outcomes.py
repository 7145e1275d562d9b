"""How deliveries end (part 3, 3.4), and the error that a link, session or connection ends with (part 2, 2.8.14)."""

from typing import Final, final

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import NOT_IMPLEMENTED
from ironhub.wire.amqp.errors import Error, MalformedValue, ProtocolViolation
from ironhub.wire.amqp.fields import Fields, descriptor_at

RECEIVED: Final = 0x23
"""Not an end: how far a delivery got. It carries nothing that is used here."""
ACCEPTED: Final = 0x24
REJECTED: Final = 0x25
RELEASED: Final = 0x26
MODIFIED: Final = 0x27

_ERROR: Final = 0x1D
_NAMES: Final = {
    "amqp:received:list": RECEIVED,
    "amqp:accepted:list": ACCEPTED,
    "amqp:rejected:list": REJECTED,
    "amqp:released:list": RELEASED,
    "amqp:modified:list": MODIFIED,
}
_ACCEPTED_BYTES: Final = b"\x00\x53\x24\x45"


@final
class DeliveryState:
    """What one side says of a delivery."""

    __slots__ = ("delivery_failed", "error", "kind", "undeliverable_here")

    def __init__(
        self, kind: int, error: Error | None = None, delivery_failed: bool = False, undeliverable_here: bool = False
    ) -> None:
        """`kind` is one of this module's constants; `error` belongs to REJECTED, the flags to MODIFIED."""
        self.kind = kind
        self.error = error
        self.delivery_failed = delivery_failed
        self.undeliverable_here = undeliverable_here

    def __repr__(self) -> str:
        return f"DeliveryState({self.kind:#x}, {self.error!r}, {self.delivery_failed}, {self.undeliverable_here})"

    def encode(self) -> bytes:
        """The described list; RECEIVED is never sent."""
        if self.kind == ACCEPTED:
            return _ACCEPTED_BYTES
        if self.kind == REJECTED:
            return encode.described(REJECTED, encode.list_([encode_error(self.error)]))
        if self.kind == MODIFIED:
            flags = [encode.boolean(self.delivery_failed), encode.boolean(self.undeliverable_here), encode.NULL]
            return encode.described(MODIFIED, encode.list_(flags))
        return encode.described(self.kind, encode.EMPTY_LIST)


_ACCEPTED_STATE: Final = DeliveryState(ACCEPTED)


def decode_state(data: bytes, at: int, end: int) -> tuple[DeliveryState | None, int]:
    """The delivery state at `at`, None for null, and where the next value begins.

    Raises:
        MalformedValue: it is no delivery state.
        ProtocolViolation: it is one of transactions (part 4).
    """
    if data.startswith(_ACCEPTED_BYTES, at) and at + 4 <= end:
        return _ACCEPTED_STATE, at + 4
    if at < end and data[at] == 0x40:
        return None, at + 1
    code, name, at = descriptor_at(data, at, end)
    kind = _NAMES.get(name, code)
    if kind < RECEIVED or kind > MODIFIED:
        raise ProtocolViolation(NOT_IMPLEMENTED, "a delivery state is not one of the standard's part 3")
    fields = Fields(data, at, end)
    if kind == REJECTED:
        return DeliveryState(REJECTED, decode_error(fields.raw())), fields.finish()
    if kind == MODIFIED:
        state = DeliveryState(MODIFIED, None, fields.boolean(), fields.boolean())
        fields.raw()  # message-annotations
        return state, fields.finish()
    if kind == RECEIVED:
        fields.uint()
        fields.ulong()
    return DeliveryState(kind), fields.finish()


def encode_error(error: Error | None) -> bytes:
    """The described list, of three fields always; a null for None."""
    if error is None:
        return encode.NULL
    description = encode.string(error.description) if error.description else encode.NULL
    info = encode.NULL if error.info is None else error.info
    return encode.described(_ERROR, encode.list_([encode.symbol(error.condition), description, info]))


def decode_error(raw: bytes) -> Error | None:
    """The error that `raw` is the encoding of; None for null."""
    if raw == encode.NULL:
        return None
    code, name, at = descriptor_at(raw, 0, len(raw))
    if code != _ERROR and name != "amqp:error:list":
        raise MalformedValue("an error is something else")
    fields = Fields(raw, at, len(raw))
    condition = fields.text()
    description = fields.text()
    info = fields.raw()
    fields.finish()
    if condition is None:
        raise MalformedValue("an error has no condition")
    return Error(condition, description or "", None if info == encode.NULL else info)
