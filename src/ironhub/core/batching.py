"""One thread that does slow work in batches: what arrives while it works is done together the next time."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BatchThread(Generic[T]):
    """Runs `work(items)` in a thread of its own, each time with everything that was put since the last run.

    `work` must not raise: it answers each item itself (for example with `loop.call_soon_threadsafe`).
    """

    def __init__(self, name: str, work: Callable[[list[T]], None], *, max_batch: int = 1000) -> None:
        self._work = work
        self._max_batch = max_batch
        self._queue: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand in one item; from any thread, never blocks."""
        self._queue.put(item)

    def close(self) -> None:
        """Do what was put before, then end the thread; blocks until it has."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            batch: list[T] = []
            item = self._queue.get()
            while item is not None:
                batch.append(item)
                if len(batch) >= self._max_batch or self._queue.empty():
                    break
                item = self._queue.get()
            if batch:
                self._work(batch)
            if item is None:
                return
