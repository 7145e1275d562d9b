"""Consumer groups in memory."""

from collections.abc import Sequence

from ironhub.messaging.telemetry.model import ConsumerGroup
from ironhub.storage.memory.state import State


class MemoryConsumerGroupStore:
    """A ConsumerGroupStore in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def list_groups(self) -> Sequence[ConsumerGroup]:
        """Return all, in the order they were created."""
        return list(self._state.consumer_groups.values())

    async def get_group(self, name: str) -> ConsumerGroup | None:
        """Return one, or None."""
        return self._state.consumer_groups.get(name.lower())

    async def add_group(self, group: ConsumerGroup) -> None:
        """Store it; when there is one of its name, that one stays."""
        self._state.consumer_groups.setdefault(group.name.lower(), group)

    async def delete_group(self, name: str) -> bool:
        """Forget it; returns False when there is none."""
        return self._state.consumer_groups.pop(name.lower(), None) is not None
