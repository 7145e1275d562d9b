"""What the links of one session share: the windows of both directions, and the way out (part 2, 2.5.6)."""

from collections import deque
from typing import Final, final

from ironhub.wire.amqp.conditions import WINDOW_VIOLATION
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import AMQP_FRAME, encode_frame
from ironhub.wire.amqp.outbox import Outbox
from ironhub.wire.amqp.performatives import Begin, End, Flow
from ironhub.wire.amqp.serial import MASK, remaining
from ironhub.wire.amqp.violations import SessionViolation

FIRST_OUTGOING_ID: Final = 0
"""Of our transfers in each session; any number would do (2.5.6), but there are clients that count from 0 always."""
OUTGOING_WINDOW: Final = 0x7FFF_FFFF
"""Our sending is bound by the peer's window and by credit only."""


@final
class Channel:
    """One session's numbers. Frames go out on the channel the peer chose for its own, which is as free as that."""

    __slots__ = (
        "_half",
        "_incoming_window",
        "_max_window",
        "_next_incoming_id",
        "blocked",
        "delivery_id",
        "ended",
        "next_outgoing_id",
        "number",
        "out",
        "remote_window",
        "senders",
        "waiting",
    )

    def __init__(self, number: int, begin: Begin, out: Outbox, max_window: int) -> None:
        """`max_window` is how many transfers the peer may send ahead of our next FLOW."""
        self.number = number
        self.out = out
        self.ended = False
        self.remote_window = begin.incoming_window
        """Transfers that may go out now."""
        self.next_outgoing_id = FIRST_OUTGOING_ID
        self.delivery_id = 0
        """The id of our next delivery."""
        self.senders: dict[int, int] = {}
        """Our handles, by the ids of deliveries that wait for the peer's verdict, oldest first."""
        self.waiting: deque[tuple[int, bool, bytes]] = deque()
        """Whole frames beyond the peer's window, the rest of a message and what may not overtake it: our handle of the
        link, whether it is a transfer, and the frame."""
        self.blocked: dict[int, None] = {}
        """Our handles of links that had something to send while they might not."""
        self._next_incoming_id = begin.next_outgoing_id
        self._max_window = max_window
        self._half = max_window >> 1
        self._incoming_window = max_window

    def begin(self, max_handle: int) -> None:
        """Answer the peer's BEGIN."""
        answer = Begin(self.number, FIRST_OUTGOING_ID, self._max_window, OUTGOING_WINDOW, max_handle)
        self.out.frame(self.number, answer.encode())

    def arrived(self) -> None:
        """Count one transfer of the peer's; opens the window anew when half of it is used.

        Raises:
            SessionViolation: the window was used up.
        """
        self._next_incoming_id = (self._next_incoming_id + 1) & MASK
        self._incoming_window -= 1
        if self._incoming_window <= self._half:
            if self._incoming_window < 0:
                raise SessionViolation(WINDOW_VIOLATION, "more transfers than the window admits")
            self.flow()

    def flow(
        self, handle: int = ABSENT, delivery_count: int = ABSENT, credit: int = ABSENT, drain: bool = False
    ) -> None:
        """Tell the windows, and of one link its credit; the incoming window is whole again by that."""
        self._incoming_window = self._max_window
        answer = Flow(
            self._next_incoming_id,
            self._max_window,
            self.next_outgoing_id,
            OUTGOING_WINDOW,
            handle,
            delivery_count,
            credit,
            ABSENT if handle < 0 else 0,
            drain,
        )
        self.out.frame(self.number, answer.encode())

    def on_flow(self, flow: Flow) -> bool:
        """Take the peer's window and send what waited for it; whether sending is possible and was not before."""
        shut = self.remote_window == 0 or bool(self.waiting)
        seen = FIRST_OUTGOING_ID if flow.next_incoming_id < 0 else flow.next_incoming_id
        self.remote_window = remaining(flow.incoming_window, seen, self.next_outgoing_id)
        if not shut:
            return False
        while self.waiting and (self.remote_window or not self.waiting[0][1]):
            _, counts, frame = self.waiting.popleft()
            if counts:
                self.remote_window -= 1
                self.next_outgoing_id = (self.next_outgoing_id + 1) & MASK
            self.out.data += frame
        return self.is_open

    @property
    def is_open(self) -> bool:
        """Whether the peer's window admits a transfer now."""
        return self.remote_window > 0 and not self.waiting

    def claim(self) -> bool:
        """Whether a transfer may be sent at once; it is counted as sent then. Otherwise it has to `wait`."""
        if self.remote_window == 0 or self.waiting:
            return False
        self.remote_window -= 1
        self.next_outgoing_id = (self.next_outgoing_id + 1) & MASK
        return True

    def wait(self, handle: int, frame: bytes) -> None:
        """Keep a whole transfer frame until the peer's window admits it."""
        self.waiting.append((handle, True, frame))

    def last(self, handle: int, body: bytes) -> None:
        """Send a link's DETACH, after its transfers that wait."""
        if self.holds(handle):
            self.waiting.append((handle, False, encode_frame(AMQP_FRAME, self.number, body)))
        else:
            self.out.frame(self.number, body)

    def holds(self, handle: int) -> bool:
        """Whether frames of the link wait, so that its handle cannot be another's."""
        return any(waits == handle for waits, _, _ in self.waiting)

    def end(self, error: Error | None = None) -> None:
        """Send END; nothing may follow on this channel, and what waits is forgotten."""
        self.ended = True
        self.waiting.clear()
        self.out.frame(self.number, End(error).encode())
