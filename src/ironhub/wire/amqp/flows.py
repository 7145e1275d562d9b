"""Flow: the windows of a session and the credit of a link (part 2, 2.7.4)."""

from typing import Final, final

from ironhub.wire.amqp.bodies import check_end, encode_performative, optional_uint
from ironhub.wire.amqp.encode import FALSE, NULL, TRUE, uint
from ironhub.wire.amqp.fields import ABSENT, Fields, text_map

FLOW: Final = 0x13


@final
class Flow:
    """Windows of a session and, if `handle` is there, the credit of a link."""

    __slots__ = (
        "available",
        "delivery_count",
        "drain",
        "echo",
        "handle",
        "incoming_window",
        "link_credit",
        "next_incoming_id",
        "next_outgoing_id",
        "outgoing_window",
        "properties",
    )

    def __init__(
        self,
        next_incoming_id: int,
        incoming_window: int,
        next_outgoing_id: int,
        outgoing_window: int,
        handle: int = ABSENT,
        delivery_count: int = ABSENT,
        link_credit: int = ABSENT,
        available: int = ABSENT,
        drain: bool = False,
        echo: bool = False,
        properties: bytes = NULL,
    ) -> None:
        """`properties` is an encoded map."""
        self.next_incoming_id = next_incoming_id
        self.incoming_window = incoming_window
        self.next_outgoing_id = next_outgoing_id
        self.outgoing_window = outgoing_window
        self.handle = handle
        self.delivery_count = delivery_count
        self.link_credit = link_credit
        self.available = available
        self.drain = drain
        self.echo = echo
        self.properties = properties

    def __repr__(self) -> str:
        return (
            f"Flow({self.next_incoming_id}, {self.incoming_window}, {self.next_outgoing_id}, {self.outgoing_window}, "
            f"handle={self.handle}, delivery_count={self.delivery_count}, link_credit={self.link_credit}, "
            f"drain={self.drain}, echo={self.echo})"
        )

    def encode(self) -> bytes:
        """The frame body."""
        fields = (
            optional_uint(self.next_incoming_id)
            + uint(self.incoming_window)
            + uint(self.next_outgoing_id)
            + uint(self.outgoing_window)
            + optional_uint(self.handle)
            + optional_uint(self.delivery_count)
            + optional_uint(self.link_credit)
            + optional_uint(self.available)
            + (TRUE if self.drain else FALSE)
            + (TRUE if self.echo else FALSE)
            + self.properties
        )
        return encode_performative(FLOW, 11, fields)


def decode_flow(body: bytes, at: int) -> Flow:
    """The flow whose list begins at `at`."""
    fields = Fields(body, at, len(body))
    flow = Flow(
        fields.uint(),
        fields.certain_uint(),
        fields.certain_uint(),
        fields.certain_uint(),
        fields.uint(),
        fields.uint(),
        fields.uint(),
        fields.uint(),
        fields.boolean(),
        fields.boolean(),
        fields.raw(),
    )
    check_end(body, fields)
    text_map(flow.properties)
    return flow
