"""The performatives of the hot path: transfer and disposition (part 2, 2.7.5 and 2.7.6).

They are read field by field from the bytes, without values in between, and not frozen, since that costs a third more.
"""

from struct import Struct
from typing import Final, final

from ironhub.wire.amqp.bodies import check_end, encode_performative, optional_uint
from ironhub.wire.amqp.encode import FALSE, NULL, TRUE, binary, uint
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import ABSENT, Fields
from ironhub.wire.amqp.outcomes import DeliveryState, decode_state

TRANSFER: Final = 0x14
DISPOSITION: Final = 0x15
MAX_TAG: Final = 32
"""Bytes of a delivery tag (2.8.7)."""

_HEAD: Final = Struct(">IHHIBBBIBIBB").pack
"""Frame size, doff 2 and type 0, channel; descriptor and list8, its size, 11 fields; handle, id, tag's size."""
_UNSETTLED: Final = b"\x42\x42\x40\x40\x42\x42\x42"
"""settled, more, rcv-settle-mode, state, resume, aborted, batchable."""
_SETTLED: Final = b"\x41\x42\x40\x40\x42\x42\x42"
_UNSETTLED_MESSAGE: Final = b"\x43" + _UNSETTLED
_SETTLED_MESSAGE: Final = b"\x43" + _SETTLED


@final
class Transfer:
    """A message, or a part of one. Its repr tells the payload's size only."""

    __slots__ = (
        "aborted",
        "delivery_id",
        "delivery_tag",
        "handle",
        "message_format",
        "more",
        "payload",
        "rcv_settle_mode",
        "settled",
        "state",
    )

    def __init__(
        self,
        handle: int,
        delivery_id: int = ABSENT,
        delivery_tag: bytes | None = None,
        message_format: int = ABSENT,
        settled: bool = False,
        more: bool = False,
        payload: bytes = b"",
        *,
        rcv_settle_mode: int = ABSENT,
        state: DeliveryState | None = None,
        aborted: bool = False,
    ) -> None:
        self.handle = handle
        self.delivery_id = delivery_id
        self.delivery_tag = delivery_tag
        self.message_format = message_format
        self.settled = settled
        self.more = more
        self.payload = payload
        self.rcv_settle_mode = rcv_settle_mode
        self.state = state
        self.aborted = aborted

    def __repr__(self) -> str:
        return (
            f"Transfer(handle={self.handle}, delivery_id={self.delivery_id}, delivery_tag={self.delivery_tag!r}, "
            f"settled={self.settled}, more={self.more}, aborted={self.aborted}, payload=<{len(self.payload)} bytes>)"
        )

    def encode(self) -> bytes:
        """The frame body, payload included."""
        fields = (
            uint(self.handle)
            + optional_uint(self.delivery_id)
            + (NULL if self.delivery_tag is None else binary(self.delivery_tag))
            + optional_uint(self.message_format)
            + (TRUE if self.settled else FALSE)
            + (TRUE if self.more else FALSE)
            + (NULL if self.rcv_settle_mode < 0 else bytes((0x50, self.rcv_settle_mode)))
            + (NULL if self.state is None else self.state.encode())
            + FALSE
            + (TRUE if self.aborted else FALSE)
            + FALSE
        )
        return encode_performative(TRANSFER, 11, fields) + self.payload


def encode_transfer(
    channel: int, handle: int, delivery_id: int, tag: bytes, message_format: int, settled: bool, payload: bytes
) -> bytes:
    """The whole frame, its header included, of a message that one frame holds; `tag` has at most 32 bytes."""
    # The hot path: one formatted head, and a tail that is one of few.
    size = len(payload)
    tag_size = len(tag)
    if message_format:
        tail = uint(message_format) + (_SETTLED if settled else _UNSETTLED)
    else:
        tail = _SETTLED_MESSAGE if settled else _UNSETTLED_MESSAGE
    rest = tag_size + len(tail)
    if tag_size > MAX_TAG:
        raise ValueError("a delivery tag has more than 32 bytes")
    head = _HEAD(
        rest + size + 26, 0x0200, channel, 0x005314C0, rest + 13, 11, 0x70, handle, 0x70, delivery_id, 0xA0, tag_size
    )
    return b"".join((head, tag, tail, payload))


def decode_transfer(body: bytes, at: int) -> Transfer:
    """The transfer whose list begins at `at`; what follows it in `body` is the payload."""
    fields = Fields(body, at, len(body))
    handle = fields.certain_uint()
    delivery_id = fields.uint()
    tag = fields.binary()
    message_format = fields.uint()
    settled = fields.boolean()
    more = fields.boolean()
    rcv_settle_mode = ABSENT
    state: DeliveryState | None = None
    aborted = False
    if fields.left:
        rcv_settle_mode = fields.ubyte()
        state = field_state(fields)
        fields.boolean()  # resume: links are never resumed here
        aborted = fields.boolean()
        fields.boolean()  # batchable: a hint (2.7.5)
    payload = body[fields.finish() :]
    if tag is not None and len(tag) > MAX_TAG:
        raise MalformedValue("a delivery tag has more than 32 bytes")
    return Transfer(
        handle,
        delivery_id,
        tag,
        message_format,
        settled,
        more,
        payload,
        rcv_settle_mode=rcv_settle_mode,
        state=state,
        aborted=aborted,
    )


def field_state(fields: Fields) -> DeliveryState | None:
    """The next field, a delivery state."""
    if fields.left == 0:
        return None
    fields.left -= 1
    state, fields.at = decode_state(fields.data, fields.at, fields.end)
    return state


@final
class Disposition:
    """What one side says of the deliveries `first` to `last`, which may be many more than there are."""

    __slots__ = ("first", "last", "role", "settled", "state")

    def __init__(
        self, role: bool, first: int, last: int = ABSENT, settled: bool = False, state: DeliveryState | None = None
    ) -> None:
        """`role` is true for the receiver of the deliveries; `last` is `first` if absent."""
        self.role = role
        self.first = first
        self.last = first if last < 0 else last
        self.settled = settled
        self.state = state

    def __repr__(self) -> str:
        return (
            f"Disposition(role={self.role}, first={self.first}, last={self.last}, settled={self.settled}, "
            f"state={self.state!r})"
        )

    def encode(self) -> bytes:
        """The frame body."""
        state = NULL if self.state is None else self.state.encode()
        return encode_disposition(self.role, self.first, self.last, self.settled, state)


def encode_disposition(role: bool, first: int, last: int, settled: bool, state: bytes) -> bytes:
    """As `Disposition.encode`; `state` is already encoded."""
    fields = (
        (TRUE if role else FALSE) + uint(first) + uint(last) + (TRUE if settled else FALSE) + state + FALSE  # batchable
    )
    return encode_performative(DISPOSITION, 6, fields)


def decode_disposition(body: bytes, at: int) -> Disposition:
    """The disposition whose list begins at `at`."""
    fields = Fields(body, at, len(body))
    role = fields.certain_boolean()
    first = fields.certain_uint()
    last = fields.uint()
    settled = fields.boolean()
    state = field_state(fields)
    fields.boolean()  # batchable
    check_end(body, fields)
    return Disposition(role, first, last, settled, state)
