"""Entries, keys and answers for tests of the event log."""

import asyncio
from collections.abc import Sequence

from tests.fakes.clock import FakeEntropy

from ironhub.core.errors import HubError
from ironhub.core.ids import identity
from ironhub.core.sealing import Sealer
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source
from ironhub.messaging.telemetry.ports import EventLog

PRESS = Origin(identity("press-7"), Source.TELEMETRY, Encoding.AZURE_TOPIC, "638", "sas_device", "", "dtmi:press;1")
ARM = Origin(identity("press-7", "arm"), Source.TELEMETRY, Encoding.AZURE_TOPIC)


def sealer(*key_ids: int) -> Sealer:
    """A sealer with these data keys (default: 1)."""
    return Sealer({key_id: bytes([key_id]) * 32 for key_id in key_ids or (1,)}, FakeEntropy())


def entry(number: int, origin: Origin = PRESS) -> Entry:
    """An entry whose body tells its number."""
    return Entry(origin, b"a=%d" % number, b'{"n":%d}' % number)


def entries(*numbers: int) -> list[Entry]:
    """One entry for each number."""
    return [entry(number) for number in numbers]


async def stored(log: EventLog, partition: int, batch: Sequence[Entry]) -> None:
    """Append `batch` and wait for the acknowledgement; raises the error if it is one."""
    done: asyncio.Future[HubError | None] = asyncio.get_running_loop().create_future()
    log.append(partition, batch, done.set_result)
    error = await asyncio.wait_for(done, 30)
    if error is not None:
        raise error


async def bodies(log: EventLog, partition: int, start: int = 0) -> list[tuple[int, bytes]]:
    """All (sequence number, body) from `start` on, read until the end."""
    found: list[tuple[int, bytes]] = []
    while True:
        batch = await log.read(partition, start)
        found += [(each.sequence_number, each.entry.body) for each in batch.entries]
        if batch.next == start:
            return found
        start = batch.next
