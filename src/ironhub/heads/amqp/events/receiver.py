"""One reader of one partition: what is stored goes to it as fast as it grants credit, in order, once per link.

A reader costs what it reads and no more: without credit there is no task, and what was read ahead for it is forgotten
soon; one that grants credit and does not read is held up by its own connection.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ironhub.access.model import Grant
from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_errors import ReaderStolen
from ironhub.heads.amqp.node import SilentNode
from ironhub.heads.amqp.peer import Peer
from ironhub.messaging.telemetry.ends import is_telemetry
from ironhub.messaging.telemetry.model import Logged
from ironhub.wire.amqp import OutgoingLink

log: Final = logging.getLogger(__name__)

READ_BYTES: Final = 524_288
"""Bytes of bodies and properties that one read of the log returns: few chunks are opened twice."""
READ_ENTRIES: Final = 4096
SLICE_BYTES: Final = 131_072
"""Bytes that are sent before others of the event loop have their turn."""
SLICE_EVENTS: Final = 512
KEEP_AHEAD: Final = 5.0
"""Seconds that what was read ahead is kept for a reader without credit."""
LONG: Final = 3600.0
"""Seconds of one wait at the end of the log."""
PAUSE: Final = 1.0
"""Seconds between two waits: a log that is closed sends everybody away at once."""
RECEIVER_NAME: Final = "com.microsoft:receiver-name"


class Reading(NamedTuple):
    """What one link reads."""

    grant: Grant
    partition: int
    start: int
    """Sequence number of the first event it wants."""
    metrics: bool
    """Each event is to tell how far the partition has come."""


class Receiver(SilentNode):
    """The node of one receiver link; a messaging.telemetry.consumers.GroupReader.

    Events are sent settled: no client of the vendor needs them otherwise, and some never settle (azure-service-api 11,
    row 11). So a reader that loses its link goes on from its own checkpoint.
    """

    def __init__(self, peer: Peer, link: OutgoingLink, reading: Reading) -> None:
        self._peer = peer
        self._link = link
        self._reading = reading
        self._next = reading.start
        self._ahead: Sequence[Logged] = ()
        self._sent = 0
        """How many of `_ahead` are sent."""
        self._task: asyncio.Task[None] | None = None
        self._working = False
        self._at_end = False
        self._forgetting: asyncio.TimerHandle | None = None
        self._open = False
        self._refusal: HubError | None = None
        self._leave: Callable[[], None] = _nothing

    @property
    def name(self) -> str:
        """See `GroupReader.name`."""
        given = self._link.properties.get(RECEIVER_NAME)
        return given if isinstance(given, str) else self._link.name

    def open(self, leave: Callable[[], None]) -> None:
        """Accept the link; `leave` gives up its seat among the readers of the partition when the link ends.

        Raises:
            HubError: it lost the seat again before it could begin.
        """
        if self._refusal is not None:
            raise self._refusal
        self._link.accept()
        self._open, self._leave = True, leave

    def credited(self) -> None:
        """See `Node.credited`."""
        if self._link.drain and self._at_end:
            self._link.drained()
            self._peer.soon_flush()
        elif not self._working and self._may_send():
            self._working = True
            self._peer.spawn(self._work())

    def detached(self) -> None:
        """See `Node.detached`."""
        leave, self._leave = self._leave, _nothing
        leave()
        self._forget()
        if self._task is not None:
            self._task.cancel()

    def stolen(self, *, newer: int, own: int | None) -> None:
        """See `GroupReader.stolen`."""
        self.ended(ReaderStolen(newer=newer, own=own))

    def ended(self, error: HubError) -> None:
        """See `GroupReader.ended`."""
        if self._open:
            self._peer.detach(self._link, error)
        else:
            self._refusal = error

    def _may_send(self) -> bool:
        link = self._link
        return link.sendable > 0 and not link.detached and not self._peer.channel.congested

    async def _work(self) -> None:
        self._task = asyncio.current_task()
        if self._forgetting is not None:
            self._forgetting.cancel()
        try:
            while self._may_send():
                if self._sent < len(self._ahead) or await self._read():
                    await self._send()
                else:
                    await self._wait()
        except HubError as error:
            self._fail(error)
        except Exception:
            log.exception("event_reader_failed")
            self._fail(HubError("something broke in the hub"))
        finally:
            self._working, self._task = False, None
        if self._ahead and not self._link.detached:
            self._forgetting = asyncio.get_running_loop().call_later(KEEP_AHEAD, self._forget)

    async def _read(self) -> bool:
        """Read ahead; False: there is nothing more just now.

        Damage is passed by; the log has told of it. So are facts: readers of the stream expect telemetry only, unless
        somebody has routed more to it (azure-service-api 6.10).
        """
        grant, partition, *_ = self._reading
        while True:
            batch = await self._peer.hub.telemetry.read(
                grant, partition, self._next, max_entries=READ_ENTRIES, max_bytes=READ_BYTES
            )
            before, self._next = self._next, batch.next
            self._ahead, self._sent = [logged for logged in batch.entries if is_telemetry(logged)], 0
            if self._ahead or batch.next == before:
                return bool(self._ahead)
            await asyncio.sleep(0)

    async def _send(self) -> None:
        """Send a slice of what was read ahead, then let others have their turn."""
        write = await self._with_metrics() if self._reading.metrics else self._peer.hub.events.write
        link, begin = self._link, self._sent
        end = min(begin + min(link.sendable, SLICE_EVENTS), len(self._ahead))
        payloads, left = [], SLICE_BYTES
        for logged in self._ahead[begin:end]:
            payload = write(logged)
            payloads.append(payload)
            left -= len(payload)
            if left < 0:
                break
        link.send_settled(payloads)
        self._peer.hub.activity.add("events_sent", len(payloads))
        self._sent += len(payloads)
        if self._sent == len(self._ahead):
            self._ahead, self._sent = (), 0
        self._peer.flush()
        await asyncio.sleep(0)

    async def _with_metrics(self) -> Callable[[Logged], bytes]:
        hub = self._peer.hub
        ends = await hub.telemetry.telemetry_ends(self._reading.grant, self._reading.partition)
        now = hub.clock.now()

        def write(logged: Logged) -> bytes:
            return hub.events.write_with_metrics(logged, ends, now)

        return write

    async def _wait(self) -> None:
        """Wait at the end of the log for what is stored next, or end the drain that was asked for."""
        if self._link.drain:
            self._link.drained()
            self._peer.flush()
            return
        self._at_end = True
        try:
            grant, partition, *_ = self._reading
            if not await self._peer.hub.telemetry.wait(grant, partition, self._next, LONG):
                await asyncio.sleep(PAUSE)
        finally:
            self._at_end = False

    def _fail(self, error: HubError) -> None:
        self._task = None  # it ends by itself
        self._peer.detach(self._link, error)

    def _forget(self) -> None:
        """Forget what was read ahead: it is read again when it is wanted."""
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._forgetting = None
        if self._ahead and not self._working:
            self._next = self._ahead[self._sent].sequence_number
            self._ahead, self._sent = (), 0


def _nothing() -> None:
    """There is no seat to give up."""
