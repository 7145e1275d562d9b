"""Reads all partitions of the log as one, oldest first, and waits for more at its end."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from ironhub.access.model import Grant
from ironhub.console.themes import TELEMETRY, Theme, theme_of
from ironhub.core.clock import Clock
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import DeviceId
from ironhub.messaging.telemetry.model import Logged
from ironhub.messaging.telemetry.service import TelemetryService

MAX_WAIT: Final = 30.0
"""Seconds between two looks at a log in which nothing happens."""
READ_AT_ONCE: Final = 500

Start = float | None
"""Where to begin: an instant (seconds since the epoch; 0.0: the oldest that is kept), or None: behind the newest."""


def decode_start(text: str, now: float) -> Start:
    """Return where "earliest", "latest" or a number of seconds ago is. Raises InvalidArgument."""
    if text == "latest":
        return None
    if text == "earliest":
        return 0.0
    try:
        ago = float(text)
    except ValueError:
        ago = -1.0
    if not 0 <= ago < float("inf"):
        raise InvalidArgument("begin at earliest, latest, or a number of seconds ago")
    return max(now - ago, 0.0)


@dataclass(slots=True)
class _Cursor:
    """Where one partition is read on, and what of it was read and not yet handed out."""

    partition: int
    next: int = 0
    end: int = 0
    """Sequence number behind the newest entry when reading began."""
    read: deque[Logged] = field(default_factory=deque)

    @property
    def at_end(self) -> bool:
        """Whether everything that was there when reading began was handed out."""
        return not self.read and self.next >= self.end


class LogReader:
    """One reader's way through all partitions. Each `fill` costs one read per partition that has run dry."""

    def __init__(
        self,
        telemetry: TelemetryService,
        grant: Grant,
        clock: Clock,
        *,
        device: DeviceId | None = None,
        themes: frozenset[Theme] = TELEMETRY,
        stopping: asyncio.Event | None = None,
    ) -> None:
        self._telemetry = telemetry
        self._grant = grant
        self._clock = clock
        self._device = device
        self._themes = themes
        self._stopping = stopping or asyncio.Event()
        self._cursors = [_Cursor(partition) for partition in range(telemetry.partitions)]

    async def seek(self, start: Start) -> None:
        """Settle where to begin: what is stored after this returns will be read."""
        for cursor in self._cursors:
            cursor.end = cursor.next = (await self._telemetry.ends(self._grant, cursor.partition)).next
            if start is not None:
                cursor.next = await self._telemetry.seek(self._grant, cursor.partition, start)

    async def read(
        self, *, count: int | None = None, timeout: float | None = None, follow: bool = True
    ) -> AsyncIterator[Logged]:
        """Yield entries, oldest first; ends after `count`, after `timeout` seconds, or when the hub stops.

        Args:
            follow: False: end where the log ended when `seek` returned.
        """
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        yielded = 0
        while True:
            await self._fill()
            for logged in self._in_order():
                yield logged
                yielded += 1
                if yielded == count:
                    return
            if not follow and all(cursor.at_end for cursor in self._cursors):
                return
            if not await self._more(deadline):
                return

    async def _fill(self) -> None:
        for cursor in self._cursors:
            if not cursor.read:
                batch = await self._telemetry.read(self._grant, cursor.partition, cursor.next, max_entries=READ_AT_ONCE)
                cursor.next = batch.next
                cursor.read.extend(batch.entries)

    def _in_order(self) -> "list[Logged]":
        """Take what is older than anything that may still come from a partition that has more to read."""
        taken: list[Logged] = []
        filled = [cursor for cursor in self._cursors if cursor.read]
        while filled:
            oldest = min(filled, key=lambda cursor: cursor.read[0].enqueued_at)
            logged = oldest.read.popleft()
            if self._wanted(logged):
                taken.append(logged)
            if not oldest.read:
                break
        return taken

    def _wanted(self, logged: Logged) -> bool:
        origin = logged.entry.origin
        if self._device is not None and origin.identity.device_id != self._device:
            return False
        return theme_of(logged.entry) in self._themes

    async def _more(self, deadline: float | None) -> bool:
        """Wait until there is something to read; False: the time is over."""
        while True:
            left = MAX_WAIT if deadline is None else min(deadline - self._clock.monotonic(), MAX_WAIT)
            if left <= 0 or self._stopping.is_set():
                return False
            if any(cursor.read for cursor in self._cursors) or await self._any_has_more(left):
                return True

    async def _any_has_more(self, timeout: float) -> bool:
        waits = [
            asyncio.ensure_future(self._telemetry.wait(self._grant, cursor.partition, cursor.next, timeout))
            for cursor in self._cursors
        ]
        waits.append(asyncio.ensure_future(self._stops_within(timeout)))
        try:
            for first in asyncio.as_completed(waits):
                if await first:
                    return True
            return False
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _stops_within(self, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                return await self._stopping.wait()
        except TimeoutError:
            return False
