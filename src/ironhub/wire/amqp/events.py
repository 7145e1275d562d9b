"""What a connection tells its owner."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias, final

from ironhub.wire.amqp import outcomes
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.incoming import Delivery, IncomingLink
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.values import Value


class Outcome(IntEnum):
    """How a delivery ended (part 3, 3.4)."""

    ACCEPTED = outcomes.ACCEPTED
    REJECTED = outcomes.REJECTED
    RELEASED = outcomes.RELEASED
    MODIFIED = outcomes.MODIFIED


@final
@dataclass(frozen=True, repr=False)
class SaslInit:
    """The client shows who it is; answer with `sasl_outcome`. Its repr tells the response's size only."""

    mechanism: str
    response: bytes
    hostname: str
    """Empty where the client names none."""

    def __repr__(self) -> str:
        return f"SaslInit({self.mechanism!r}, response=<{len(self.response)} bytes>, {self.hostname!r})"


@final
@dataclass(frozen=True)
class Opened:
    """The connection is open; our OPEN is on its way."""

    container_id: str
    hostname: str
    """Empty where the client names none."""
    properties: dict[str, Value]


@final
@dataclass(frozen=True)
class Attached:
    """The peer attached a link; accept or refuse it, at once or later."""

    link: IncomingLink | OutgoingLink


@final
@dataclass(init=False)
class Delivered:
    """A whole message came. Not frozen, since it is made once per message."""

    link: IncomingLink
    delivery: Delivery

    def __init__(self, link: IncomingLink, delivery: Delivery) -> None:
        self.link = link
        self.delivery = delivery


@final
@dataclass(frozen=True)
class Credited:
    """Something may be sendable on the link, or `drain` was asked; only of links that are accepted."""

    link: OutgoingLink


@final
@dataclass(frozen=True)
class Settled:
    """The verdict on a delivery we sent unsettled; once for each."""

    link: OutgoingLink
    tag: bytes
    outcome: int
    """One of `Outcome`; RELEASED also for a peer that forgets a delivery without a word."""
    error: Error | None = None
    """Why it was rejected, if the peer says so."""
    delivery_failed: bool = False
    """MODIFIED: it counts as an attempt to deliver."""
    undeliverable_here: bool = False
    """MODIFIED: it should not come to this link again."""


@final
@dataclass(frozen=True)
class Detached:
    """A link is over that was announced, and that its owner did not detach itself; the peer has its answer."""

    link: IncomingLink | OutgoingLink
    error: Error | None


@final
@dataclass(frozen=True)
class Closed:
    """The connection is over; always the last event. Send `to_send()`, then close."""

    reason: str
    """For our log: the rule that was broken, or what the peer said."""
    error: Error | None
    """The peer's, or the one it was told; None: it closed in order."""


Event: TypeAlias = SaslInit | Opened | Attached | Delivered | Credited | Settled | Detached | Closed
