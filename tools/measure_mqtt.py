"""Measures the MQTT layer as it runs here, compiled or not: time per message, memory per idle session, dripped bytes.

python tools/measure_mqtt.py            the package that is imported (PYTHONPATH chooses)
"""

import gc
import time
import tracemalloc
from collections.abc import Callable

from ironhub.wire.mqtt import (
    COMPILED,
    LEVEL_4,
    Connect,
    Packet,
    PacketStream,
    Publish,
    ServerSession,
    SessionLimits,
    encode_packet,
)

LIMITS = SessionLimits()
TOPIC = "devices/press-7/messages/events/"
BATCH = [encode_packet(Publish(TOPIC, b"x" * 61, 1, number + 1), LEVEL_4) for number in range(16)]
READ = b"".join(BATCH)
"""Sixteen publishes of 99 bytes."""


def open_session() -> ServerSession:
    """A session that was accepted."""
    session = ServerSession(LIMITS, 0.0)
    session.receive(encode_packet(Connect("press-7", keep_alive=60, username="u", password=b"p"), LEVEL_4), 0.0)
    session.accept(False, None, 0.0)
    session.to_send()
    return session


def nanoseconds(work: Callable[[], object], per: int = 1) -> float:
    """CPU time of one unit of work, the best of five runs."""
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(4000):
            work()
        best = min(best, time.process_time() - started)
    return best / 4000 / per * 1e9


def decode_batch() -> Callable[[], object]:
    """Decode sixteen publishes of one read."""
    stream = PacketStream(1 << 20, level=LEVEL_4)

    def work() -> None:
        packets: list[Packet] = []
        stream.feed(READ, packets)

    return work


def serve_batch() -> Callable[[], object]:
    """Decode sixteen publishes of one read and encode sixteen PUBACKs for one write."""
    session = open_session()

    def work() -> None:
        session.acknowledge_first(len(session.receive(READ, 1.0)))
        session.to_send()

    return work


def serve_one() -> Callable[[], object]:
    """The same for a lone publish."""
    session = open_session()

    def work() -> None:
        session.receive(BATCH[0], 1.0)
        session.acknowledge(1)
        session.to_send()

    return work


def send_one() -> Callable[[], object]:
    """Encode one message to the client."""
    session = open_session()

    def work() -> None:
        session.publish("devices/press-7/messages/devicebound/a=b", b"x" * 60)
        session.to_send()

    return work


def idle_bytes() -> float:
    """What an open, idle session holds, as Python's allocator counts it."""
    gc.collect()
    tracemalloc.start()
    sessions = [open_session() for _ in range(1000)]
    size = tracemalloc.get_traced_memory()[0] / len(sessions)
    tracemalloc.stop()
    return size


def dripped(size: int) -> float:
    """Nanoseconds per byte where a publish of `size` bytes comes byte by byte; flat where nothing is quadratic."""
    data = encode_packet(Publish(TOPIC, b"x" * size), LEVEL_4)
    session = open_session()
    pieces = [data[at : at + 1] for at in range(len(data))]
    started = time.process_time()
    for piece in pieces:
        session.receive(piece, 1.0)
    return (time.process_time() - started) / len(data) * 1e9


def main() -> None:
    """Print one line per figure."""
    print("form                                     ", "compiled" if COMPILED else "pure Python")
    print(f"decode, per publish of a batch of 16      {nanoseconds(decode_batch(), 16):8.0f} ns")
    print(f"decode and acknowledge, per publish of 16 {nanoseconds(serve_batch(), 16):8.0f} ns")
    print(f"decode and acknowledge, a lone publish    {nanoseconds(serve_one()):8.0f} ns")
    print(f"encode, a publish with QoS 0              {nanoseconds(send_one()):8.0f} ns")
    print(f"memory of an idle session                 {idle_bytes():8.0f} bytes")
    for size in (2_000, 20_000, 200_000):
        print(f"a publish of {size:6} bytes, byte by byte   {dripped(size):8.0f} ns/byte")


if __name__ == "__main__":
    main()
