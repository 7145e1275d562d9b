"""Telemetry of one device: transfers become entries of the log, and are accepted once they are on disk.

A transfer that cannot be stored is rejected with an error: the Node SDK takes a rejection without one, and a release,
for success. It is not the end of the link, since the device knows which message failed and may send it again.
"""

from functools import partial
from typing import Final

from ironhub.access.model import Permission
from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_errors import link_error
from ironhub.dialects.azure.amqp_reading import MessageMalformed, read_messages
from ironhub.dialects.azure.amqp_stored import stored_properties
from ironhub.heads.amqp.device.session import DeviceSession
from ironhub.heads.amqp.node import SilentNode
from ironhub.messaging.telemetry.model import WAITING_OVERHEAD, Entry, MessageTooLarge
from ironhub.wire.amqp import Delivery, IncomingLink, Outcome

CREDIT: Final = 1000
"""Transfers that a device may have under way."""
TOLERATED: Final = 1 << 20
"""Bytes of a message that is rejected as too large; a larger one ends the link, and vendor clients then tear their
connection down and may stay away."""

Ranges = list[tuple[int, int]]
"""First and last delivery id of transfers that follow each other."""


class TelemetryNode(SilentNode):
    """Stores what comes; everything that came together in one commit, and with one answer where that is possible."""

    __slots__ = ("_entries", "_link", "_ranges", "_session", "_size", "_unstored")

    def __init__(self, session: DeviceSession, link: IncomingLink) -> None:
        session.grant(Permission.TELEMETRY_SEND)
        self._session = session
        self._link = link
        self._entries: list[Entry] = []
        self._ranges: Ranges = []
        self._size = 0
        self._unstored = 0

    @property
    def overloaded(self) -> bool:
        """So much waits for its commit that nothing more should be read."""
        return self._unstored + self._size > self._session.hub.settings.max_unstored

    def delivered(self, delivery: Delivery) -> None:
        """Take one transfer, or the messages of a batch."""
        try:
            entries = self._decoded(delivery)
        except HubError as error:
            self._reject(delivery, error)
            return
        if not self._entries and not self._ranges:
            self._session.peer.when_read(self._store)
        self._entries += entries
        self._size += len(delivery.payload) + WAITING_OVERHEAD * len(entries)
        if not delivery.settled:
            _extend(self._ranges, delivery.id)

    def detached(self) -> None:
        """What came whole before is stored all the same."""
        self._session.drop(self)

    def _decoded(self, delivery: Delivery) -> list[Entry]:
        max_body = self._session.hub.settings.max_body
        if len(delivery.payload) > max_body:
            raise MessageTooLarge(f"the message has more than {max_body} bytes")
        origin = self._session.uplink.origin
        messages = read_messages(delivery.payload, delivery.message_format)
        if not messages:
            raise MessageMalformed("a batch without a message")
        return [Entry(origin, stored_properties(message), message.body) for message in messages]

    def _reject(self, delivery: Delivery, error: HubError) -> None:
        self._session.hub.activity.add(f"rejected:{error.code}")
        if not delivery.settled:
            self._link.settle(delivery.id, delivery.id, Outcome.REJECTED, link_error(error))
        self._replenish()

    def _store(self) -> None:
        entries, ranges, size = self._entries, self._ranges, self._size
        self._entries, self._ranges, self._size = [], [], 0
        if self._session.revoked:
            return  # who lost the right gets nothing more done
        self._unstored += size
        self._session.uplink.send(entries, partial(self._stored, ranges, size))

    def _stored(self, ranges: Ranges, size: int, error: HubError | None) -> None:
        """The entries are on disk, and only now the device may know; or none of them is."""
        was_overloaded = self.overloaded
        self._unstored -= size
        outcome = Outcome.ACCEPTED if error is None else Outcome.REJECTED
        told = None if error is None else link_error(error)
        if error is not None:
            self._session.hub.activity.add(f"rejected:{error.code}", sum(last - first + 1 for first, last in ranges))
        for first, last in ranges:
            self._link.settle(first, last, outcome, told)
        self._replenish()
        self._session.peer.flush()  # now: a device that waits for each answer sends nothing else meanwhile
        if was_overloaded:
            self._session.peer.adjust_reading()

    def _replenish(self) -> None:
        """Grant in large steps: a flow frame for each transfer would double the traffic."""
        if self._link.credit <= CREDIT // 2 and not self.overloaded:
            self._link.grant(CREDIT)


def _extend(ranges: Ranges, delivery_id: int) -> None:
    if ranges and ranges[-1][1] + 1 == delivery_id:
        ranges[-1] = ranges[-1][0], delivery_id
    else:
        ranges.append((delivery_id, delivery_id))
