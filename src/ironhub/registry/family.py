"""Which devices belong to which edge device, as the stored scopes tell."""

from ironhub.core.ids import DeviceId
from ironhub.registry.ports import DeviceStore


class DeviceFamily:
    """An access.ports.FamilySource over the registry."""

    def __init__(self, store: DeviceStore) -> None:
        self._store = store

    async def is_parent(self, parent: DeviceId, child: DeviceId) -> bool:
        """Tell whether `parent` is the edge device directly above `child`."""
        edge = await self._store.get_device(parent)
        if edge is None or not edge.edge_capable or not edge.scope:
            return False
        below = await self._store.get_device(child)
        if below is None:
            return False
        # A device that is no edge device has no scope but its parent's; some tools leave its parent scopes out.
        takes_over = not below.edge_capable and below.scope == edge.scope
        return takes_over or edge.scope in below.parent_scopes
