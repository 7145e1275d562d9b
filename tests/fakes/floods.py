"""Peers who send all they can and read nothing, and what that may cost the hub."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.fakes.bystander import Watch
from tests.fakes.raw_device import RESET, Stream, TlsStream, WebSocketStream
from tests.fakes.running_hub import Registered, RunningHub

MIB: Final = 1 << 20
PEAK: Final = 48 * MIB
"""What one attacker may make the hub hold at most: buffers of a few MiB, and what a batch of its packets becomes."""
LEFT: Final = 12 * MIB
"""What may seem to be left of it: an allocator gives memory back in its own time."""
FLOOD_TIME: Final = 0.6
"""Seconds an attacker goes on sending where the hub does not stop it."""
Attack = Callable[[RunningHub, Registered], None]


def narrowed(stream: Stream) -> ssl.SSLSocket:
    """Return the socket of a peer that reads nothing, which takes next to nothing off the hub's hands."""
    tls = stream.tls if isinstance(stream, WebSocketStream) else stream
    assert isinstance(tls, TlsStream)
    tls.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return tls.socket


def flood(stream: Stream, data: bytes, *, times: int = 1_000_000) -> None:
    """Send `data` again and again and read nothing, until the hub stops reading, cuts, or time is up."""
    tls = narrowed(stream)
    ends = time.monotonic() + FLOOD_TIME
    tls.settimeout(0.3)
    with suppress(TimeoutError, *RESET):
        for _ in range(times):
            if time.monotonic() > ends:
                return
            tls.sendall(data)


@contextmanager
def bounded(watch: Watch) -> Iterator[None]:
    """An attack that costs bounded memory and leaves none, once what is made once only was made before."""
    watch.settled()
    before = watch.memory()
    watch.forget_peak()
    yield
    watch.settled()
    assert watch.peak_memory() - before < PEAK
    assert watch.memory() - before < LEFT


def leaves_nothing(watch: Watch, attack: Callable[[], object]) -> None:
    """Attack twice: the second time leaves no memory behind."""
    attack()
    watch.settled()
    before = watch.memory()
    attack()
    watch.settled()
    assert watch.memory() - before < LEFT
