"""The system's clock and randomness: the only place that asks the machine for either."""

import os
import time
import uuid


class SystemClock:
    """core.clock.Clock of this machine."""

    now = staticmethod(time.time)  # asked for every message: no call of ours around it
    """Seconds since the Unix epoch, UTC."""

    monotonic = staticmethod(time.monotonic)
    """Seconds since the machine started; never goes back."""


class SystemEntropy:
    """core.clock.Entropy of this machine's kernel."""

    def token_bytes(self, size: int) -> bytes:
        """`size` unpredictable bytes."""
        return os.urandom(size)

    def uuid(self) -> str:
        """A random UUID (version 4)."""
        return str(uuid.uuid4())
