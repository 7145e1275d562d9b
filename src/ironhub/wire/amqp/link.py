"""What both kinds of links have in common (part 2, 2.6)."""

from typing import Final

from ironhub.wire.amqp.channel import Channel
from ironhub.wire.amqp.encode import NULL
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.performatives import Attach, Detach
from ironhub.wire.amqp.termini import Terminus, source, target
from ironhub.wire.amqp.values import Value

SND_UNSETTLED: Final = 0
"""The sender wants a verdict on each message (2.8.2)."""
SND_SETTLED: Final = 1
"""It wants none."""
SND_MIXED: Final = 2
"""It says so with each message."""
RCV_FIRST: Final = 0
"""The receiver settles with its verdict (2.8.3)."""
RCV_SECOND: Final = 1
"""It settles when the sender has settled upon its verdict."""


class Link:
    """A link the peer attached. The owner accepts or refuses it, at once or later; that much it must do.

    Every method does nothing once the link is detached: the peer may end it at any time.
    """

    __slots__ = (
        "_attach",
        "_channel",
        "accepted",
        "app",
        "credit",
        "delivery_count",
        "desired_capabilities",
        "detached",
        "handle",
        "name",
        "peer_max_message",
        "properties",
        "rcv_settle_mode",
        "session_channel",
        "size",
        "snd_settle_mode",
        "source_address",
        "source_filter",
        "target_address",
    )

    def __init__(self, channel: Channel, attach: Attach, handle: int, size: int) -> None:
        """`handle` is ours; `size` is how many bytes the ATTACH had."""
        self._channel: Final = channel
        self.handle: Final = handle
        self.size: Final = size
        self.name: Final = attach.name
        self.source_address: Final = None if attach.source is None else attach.source.address
        self.target_address: Final = None if attach.target is None else attach.target.address
        self.source_filter: Final = {} if attach.source is None else attach.source.filters
        """What the peer wants of the source, by the filters' names; the values are often Described."""
        self.properties: Final[dict[str, Value]] = attach.properties_map()
        self.desired_capabilities: Final = attach.desired_capabilities
        self.snd_settle_mode: Final = attach.snd_settle_mode
        """SND_UNSETTLED, SND_SETTLED or SND_MIXED."""
        self.rcv_settle_mode: Final = attach.rcv_settle_mode
        """RCV_FIRST or RCV_SECOND."""
        self.peer_max_message: Final = attach.max_message_size
        """Bytes of the largest message the peer takes; 0: any."""
        self.session_channel: Final = channel.number
        self.app: object | None = None
        """The owner's own."""
        self.credit = 0
        """Messages the sender may send still."""
        self.delivery_count = 0
        self.accepted = False
        self.detached = False
        self._attach: Attach | None = attach

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.source_address!r} -> {self.target_address!r})"

    def refuse(self, error: Error) -> None:
        """Turn the link down: an ATTACH that leads nowhere, and a DETACH that says why (2.6.3)."""
        self.detach(error)

    def detach(self, error: Error | None = None, closed: bool = True) -> None:
        """End the link from our side; there is no event for it."""
        if self.detached:
            return
        if self._attach is not None:
            self._answer(self._attach, None, None, 0, NULL)
        self.forget()
        self._channel.last(self.handle, Detach(self.handle, closed, error).encode())

    def forget(self) -> None:
        """Let go of what the link holds; it is detached from now on, whoever knows of it."""
        self.detached = True
        self.credit = 0
        self._attach = None

    def _accept(self, max_message: int, properties: bytes) -> bool:
        """Send the ATTACH that answers, if that is due; whether it was.

        A terminus the peer left out gets a dummy, since none would mean a refusal.
        """
        attach = self._attach
        if attach is None:
            return False
        self._answer(attach, attach.source or source(None), attach.target or target(None), max_message, properties)
        self._attach = None
        self.accepted = True
        return True

    def _answer(
        self, attach: Attach, from_: Terminus | None, to: Terminus | None, max_message: int, properties: bytes
    ) -> None:
        ours = Attach(
            attach.name,
            self.handle,
            not attach.role,
            attach.snd_settle_mode,
            attach.rcv_settle_mode,
            from_,
            to,
            initial_delivery_count=0 if attach.role else ABSENT,
            max_message_size=max_message,
            properties=properties,
        )
        self._channel.out.frame(self._channel.number, ours.encode())
