"""Readers at the end of a partition, woken by the commit that brings what they wait for."""

import asyncio


class Waiters:
    """Who waits for which sequence number. Lives in the event loop's thread."""

    def __init__(self, partitions: int) -> None:
        self._waiting: list[dict[asyncio.Future[bool], int]] = [{} for _ in range(partitions)]

    async def wait(self, partition: int, start: int, timeout: float) -> bool:
        """Return True when `wake` reaches beyond `start`, False after `timeout` seconds or when dismissed."""
        woken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = self._waiting[partition]
        waiting[woken] = start
        try:
            async with asyncio.timeout(timeout):
                return await woken
        except TimeoutError:
            return False
        finally:
            waiting.pop(woken, None)

    def wake(self, partition: int, next_sequence: int) -> None:
        """Wake who waits for an entry before `next_sequence`."""
        for woken, start in self._waiting[partition].items():
            if start < next_sequence and not woken.done():
                woken.set_result(True)

    def dismiss(self) -> None:
        """Send everybody away: nothing more will come."""
        for waiting in self._waiting:
            for woken in waiting:
                if not woken.done():
                    woken.set_result(False)
