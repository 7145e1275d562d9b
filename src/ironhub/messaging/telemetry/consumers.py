"""Consumer groups, and who may read a partition for one at a time.

How far a group has read is not kept here: its clients keep checkpoints of their own, so deleting a group forgets all
there is of it. (Positions in the event log belong to readers inside the hub, which are no consumer groups.)

Source: Azure Event Hubs, "Consumer groups" and "Event receivers" (epochs); azure-service-api 6.9.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import ClassVar, Final, Protocol

from ironhub.access.model import Grant, Permission
from ironhub.core.clock import Clock
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.messaging.telemetry.model import ConsumerGroup
from ironhub.messaging.telemetry.ports import ConsumerGroupStore

DEFAULT_GROUP: Final = "$Default"
"""Every hub has it, and nobody can delete it."""
MAX_GROUPS: Final = 20
"""Of a hub, the default one among them."""
MAX_READERS: Final = 5
"""Readers without an epoch, of one partition in one group."""
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,48}[A-Za-z0-9])?\Z")
_DEFAULT: Final = ConsumerGroup(DEFAULT_GROUP, None)


class ConsumerGroupNotFound(HubError):
    """The hub has no consumer group of this name."""

    code: ClassVar[str] = "consumer_group.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "List the groups (`ironhub consumer-group list`), or create this one."


class ConsumerGroupNeeded(HubError):
    """The consumer group is the one that every hub has."""

    code: ClassVar[str] = "consumer_group.needed"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Leave it; it costs nothing while nobody reads."


class TooManyConsumerGroups(HubError):
    """The hub has all the consumer groups it may have."""

    code: ClassVar[str] = "consumer_group.too_many"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Delete a group that nobody reads with (`ironhub consumer-group delete NAME`)."


class ConsumerGroupDeleted(HubError):
    """The consumer group that a reader read with is gone."""

    code: ClassVar[str] = "consumer_group.deleted"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "Read with another group, or create this one again."


class ReaderEpochTooLow(HubError):
    """A reader with a higher epoch has the partition."""

    code: ClassVar[str] = "reader.epoch_too_low"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Read with an epoch at least as high, or end the reader that has the partition."


class ReaderEpochNeeded(HubError):
    """A reader with an epoch has the partition for itself."""

    code: ClassVar[str] = "reader.epoch_needed"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Read with an epoch, with another consumer group, or end the reader that has one."


class TooManyReaders(HubError):
    """As many readers as may share a partition read it already."""

    code: ClassVar[str] = "reader.too_many"
    status: ClassVar[int] = 403
    next_step: ClassVar[str] = "Read with another consumer group, or end one of the readers."


class GroupReader(Protocol):
    """Who reads a partition for a consumer group."""

    @property
    def name(self) -> str:
        """How it calls itself, for messages to others of its group."""

    def stolen(self, *, newer: int, own: int | None) -> None:
        """A reader with the epoch `newer` has the partition now; `own` is None for a reader without one.

        It is out of the group already. Neither blocks nor raises.
        """

    def ended(self, error: HubError) -> None:
        """The group is gone, and so is its place in it. Neither blocks nor raises."""


class Consumers:
    """The consumer groups of a hub and their readers."""

    def __init__(self, store: ConsumerGroupStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changing = asyncio.Lock()
        self._seats: dict[tuple[str, int], dict[GroupReader, int | None]] = {}
        """By group in lower case and partition: who reads, with which epoch; never empty."""

    async def list(self, grant: Grant) -> Sequence[ConsumerGroup]:
        """Return all: the default one, then the others in the order they were created."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return [_DEFAULT, *await self._store.list_groups()]

    async def get(self, grant: Grant, name: str) -> ConsumerGroup:
        """Return one; names compare case-insensitively. Raises ConsumerGroupNotFound."""
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        return await self._found(name)

    async def create(self, grant: Grant, name: str) -> ConsumerGroup:
        """Create a group, or return the one of this name that is there.

        Raises:
            InvalidArgument: `name` is not 1 to 50 letters, digits and . _ - that begin and end with a letter or digit.
            TooManyConsumerGroups.
        """
        grant.require_whole_hub(Permission.CONSUMER_GROUP_WRITE)
        if name.lower() == DEFAULT_GROUP.lower():
            return _DEFAULT
        if not _NAME.match(name):
            raise InvalidArgument(
                "a consumer group's name has 1 to 50 letters, digits and . _ -, a letter or digit first and last"
            )
        async with self._changing:
            groups = await self._store.list_groups()
            there = next((group for group in groups if group.name.lower() == name.lower()), None)
            if there is not None:
                return there
            if len(groups) + 1 >= MAX_GROUPS:
                raise TooManyConsumerGroups(f"there are {MAX_GROUPS} consumer groups already")
            group = ConsumerGroup(name, self._clock.now())
            await self._store.add_group(group)
            return group

    async def delete(self, grant: Grant, name: str) -> None:
        """Forget a group and end its readers. Raises ConsumerGroupNotFound, ConsumerGroupNeeded."""
        grant.require_whole_hub(Permission.CONSUMER_GROUP_WRITE)
        if name.lower() == DEFAULT_GROUP.lower():
            raise ConsumerGroupNeeded("every hub has this consumer group")
        async with self._changing:
            group = await self._found(name)
            await self._store.delete_group(name)
            self._end_readers(group.name)

    def count_readers(self, group: str) -> int:
        """Return how many readers a group has, of all partitions."""
        return sum(len(seated) for (key, _), seated in self._seats.items() if key == group.lower())

    def readers(self) -> dict[str, int]:
        """Return how many read with each group that is read with; names in lower case."""
        found: dict[str, int] = {}
        for (group, _), seated in self._seats.items():
            found[group] = found.get(group, 0) + len(seated)
        return found

    async def enter(
        self, grant: Grant, group: str, partition: int, reader: GroupReader, *, epoch: int | None = None
    ) -> None:
        """Seat `reader` until it calls `leave`, is `stolen` or `ended`; with an epoch it gets the partition for itself.

        Raises:
            ConsumerGroupNotFound, ReaderEpochTooLow, ReaderEpochNeeded, TooManyReaders.
        """
        grant.require_whole_hub(Permission.TELEMETRY_READ)
        # Not beside a deletion, which would look for readers to end before this one is seated.
        async with self._changing:
            await self._found(group)
            seat = (group.lower(), partition)
            seated = self._seats.get(seat, {})
            _check(seated, reader, epoch)
            if epoch is not None:
                seated = self._clear(seat, epoch)
            seated[reader] = epoch
            self._seats[seat] = seated

    def leave(self, group: str, partition: int, reader: GroupReader) -> None:
        """Give up the seat; no error when it is lost already."""
        seat = (group.lower(), partition)
        seated = self._seats.get(seat)
        if seated is not None:
            seated.pop(reader, None)
            if not seated:
                del self._seats[seat]

    def _clear(self, seat: tuple[str, int], newer: int) -> dict[GroupReader, int | None]:
        for reader, own in self._seats.pop(seat, {}).items():
            reader.stolen(newer=newer, own=own)
        return {}

    def _end_readers(self, name: str) -> None:
        for seat in [seat for seat in self._seats if seat[0] == name.lower()]:
            for reader in self._seats.pop(seat):
                reader.ended(ConsumerGroupDeleted(f"the consumer group {name} was deleted"))

    async def _found(self, name: str) -> ConsumerGroup:
        if name.lower() == DEFAULT_GROUP.lower():
            return _DEFAULT
        group = await self._store.get_group(name)
        if group is None:
            raise ConsumerGroupNotFound("there is no consumer group of this name")
        return group


def _check(seated: dict[GroupReader, int | None], reader: GroupReader, epoch: int | None) -> None:
    """The wording is the vendor's where clients show it to people who search for it."""
    for other, taken in seated.items():
        if taken is None:
            break  # nobody of this partition has an epoch
        if epoch is None:
            raise ReaderEpochNeeded(
                f"At least one receiver for the endpoint is created with epoch of '{taken}', "
                "and so non-epoch receiver is not allowed."
            )
        if epoch < taken:
            raise ReaderEpochTooLow(
                f"Receiver '{other.name}' with a higher epoch '{taken}' already exists. "
                f"Receiver '{reader.name}' with epoch {epoch} cannot be created."
            )
    if epoch is None and len(seated) >= MAX_READERS:
        raise TooManyReaders(
            "Exceeded the maximum number of allowed receivers per partition "
            f"in a consumer group which is {MAX_READERS}."
        )
