"""Telemetry in, and whoever reads it out again."""

from collections.abc import Sequence

from ironhub.access.model import Grant, Permission, PermissionDenied
from ironhub.identity.model import DevicePrincipal
from ironhub.messaging.telemetry.ends import TelemetryEnds
from ironhub.messaging.telemetry.model import Batch, Encoding, Entry, Origin, PartitionEnds, Source
from ironhub.messaging.telemetry.ports import EventLog, Stored


class Uplink:
    """One connection's way into the log: authorised and addressed once, then a message costs next to nothing."""

    __slots__ = ("_log", "_partition", "origin")

    def __init__(self, log: EventLog, partition: int, origin: Origin) -> None:
        self._log = log
        self._partition = partition
        self.origin = origin

    def send(self, entries: Sequence[Entry], stored: Stored) -> None:
        """Append `entries` (of this `origin`) in order; `stored` is called once when all of them are on disk."""
        self._log.append(self._partition, entries, stored)


class TelemetryService:
    """Opens the way into the log for devices, and out of it for back ends."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._telemetry_ends = TelemetryEnds(log)

    def uplink(self, grant: Grant, encoding: Encoding, *, model_id: str = "") -> Uplink:
        """Return the way into the log for the device that `grant` is for; it ends with the device's session."""
        grant.require(Permission.TELEMETRY_SEND)
        principal = grant.principal
        if not isinstance(principal, DevicePrincipal):
            raise PermissionDenied("only a device sends telemetry")
        origin = Origin(
            grant.identity,
            Source.TELEMETRY,
            encoding,
            principal.generation_id,
            principal.proof,
            principal.policy or "",
            model_id,
        )
        return Uplink(self._log, self._log.partition_of(grant.identity.device_id), origin)

    @property
    def partitions(self) -> int:
        """How many partitions the log has."""
        return self._log.partitions

    async def ends(self, grant: Grant, partition: int) -> PartitionEnds:
        """Return the bounds of a partition."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return await self._log.ends(partition)

    async def telemetry_ends(self, grant: Grant, partition: int) -> PartitionEnds:
        """Return the bounds of a partition as if telemetry, without facts, were all there is."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return await self._telemetry_ends.ends(partition)

    async def seek(self, grant: Grant, partition: int, enqueued_at: float) -> int:
        """Return the sequence number of the first entry enqueued at or after an instant (seconds since the epoch)."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return await self._log.seek(partition, enqueued_at)

    async def read(
        self, grant: Grant, partition: int, start: int, *, max_entries: int = 1000, max_bytes: int = 1 << 20
    ) -> Batch:
        """Return entries from `start` on, so many or so many bytes, at least one; empty at the end."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return await self._log.read(partition, start, max_entries=max_entries, max_bytes=max_bytes)

    async def wait(self, grant: Grant, partition: int, start: int, timeout: float) -> bool:
        """Return True as soon as there is something to read from `start` on, False after `timeout` seconds."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return await self._log.wait(partition, start, timeout)

    async def position(self, grant: Grant, group: str, partition: int) -> int | None:
        """Return where a consumer group reads on, or None."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return await self._log.position(group, partition)

    async def set_position(self, grant: Grant, group: str, partition: int, next_sequence: int) -> None:
        """Store where a consumer group reads on; durable when it returns."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        await self._log.set_position(group, partition, next_sequence)
