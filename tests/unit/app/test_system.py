"""app/system.py"""

import time
import uuid

from ironhub.app.system import SystemClock, SystemEntropy


def test_the_clock_is_this_machines() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5.0
    assert clock.monotonic() <= clock.monotonic()


def test_randomness_never_repeats() -> None:
    entropy = SystemEntropy()
    assert len(entropy.token_bytes(16)) == 16
    assert entropy.token_bytes(16) != entropy.token_bytes(16)
    assert uuid.UUID(entropy.uuid()).version == 4
