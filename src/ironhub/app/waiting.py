"""Waiting for something outside this process, with a deadline."""

import threading
from collections.abc import Callable
from typing import Final

from ironhub.core.clock import Clock

PAUSE: Final = 0.05
"""Seconds between two looks."""


def wait_until(ready: Callable[[], bool], patience: float, clock: Clock) -> bool:
    """Return True as soon as `ready()` is, False when it was not for `patience` seconds. Blocks."""
    deadline = clock.monotonic() + patience
    pause = threading.Event()
    while not ready():
        if clock.monotonic() >= deadline:
            return False
        pause.wait(PAUSE)
    return True
