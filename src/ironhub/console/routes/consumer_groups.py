"""Consumer groups: the names that readers of telemetry read under."""

from typing import Final

from fastapi import APIRouter, Response

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes import Given
from ironhub.console.shapes.instants import shown_instant
from ironhub.messaging.telemetry.consumers import (
    ConsumerGroupNeeded,
    ConsumerGroupNotFound,
    TooManyConsumerGroups,
)
from ironhub.messaging.telemetry.model import ConsumerGroup

routes: Final[APIRouter] = router(
    "/consumer-groups", "consumer groups", ConsumerGroupNotFound, ConsumerGroupNeeded, TooManyConsumerGroups
)


class ConsumerGroupGiven(Given):
    """A consumer group."""

    name: str
    created_at: str | None
    """None: it came with the hub."""
    readers: int
    """Who reads with it now, of all partitions together."""


class ConsumerGroupList(Given):
    """All consumer groups: the one that every hub has, then the others in the order they were created."""

    consumer_groups: tuple[ConsumerGroupGiven, ...]


@routes.get("")
async def list_consumer_groups(caller: Authenticated) -> ConsumerGroupList:
    """Return all consumer groups, and how many read with each."""
    groups = await caller.services.consumers.list(caller.may(Permission.TELEMETRY_READ))
    return ConsumerGroupList(consumer_groups=tuple(_given(caller, group) for group in groups))


@routes.get("/{name}")
async def get_consumer_group(caller: Authenticated, name: str) -> ConsumerGroupGiven:
    """Return a consumer group; names compare case-insensitively."""
    return _given(caller, await caller.services.consumers.get(caller.may(Permission.TELEMETRY_READ), name))


@routes.put("/{name}")
async def put_consumer_group(caller: Authenticated, name: str) -> ConsumerGroupGiven:
    """Create a consumer group; one that is there stays as it is."""
    return _given(caller, await caller.services.consumers.create(caller.may(Permission.CONSUMER_GROUP_WRITE), name))


@routes.delete("/{name}", status_code=204)
async def delete_consumer_group(caller: Authenticated, name: str) -> Response:
    """Forget a consumer group; whoever reads with it is cut off at once. The one that every hub has stays."""
    await caller.services.consumers.delete(caller.may(Permission.CONSUMER_GROUP_WRITE), name)
    return Response(status_code=204)


def _given(caller: Authenticated, group: ConsumerGroup) -> ConsumerGroupGiven:
    created_at = None if group.created_at is None else shown_instant(group.created_at)
    readers = caller.services.consumers.count_readers(group.name)
    return ConsumerGroupGiven(name=group.name, created_at=created_at, readers=readers)
