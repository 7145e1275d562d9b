"""What was read of identities lately, so that a fleet that reconnects does not ask the disk again.

What it protects: a changed credential is never answered from here. A write to a device takes all of its entries away
before the writer learns that it is done, and an answer that was asked for before that moment is not kept.
"""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

from ironhub.core.ids import DeviceId, Identity

V = TypeVar("V")

MAX_DEVICES: Final = 16_384


class IdentityCache(Generic[V]):
    """One value for each identity of the devices that were asked for last; a device's modules share its place."""

    def __init__(self, max_devices: int = MAX_DEVICES) -> None:
        self._max_devices = max_devices
        self._devices: OrderedDict[DeviceId, dict[Identity, V]] = OrderedDict()
        self.generation = 0
        """Grows with each write; note it before you ask the store."""

    def get(self, identity: Identity) -> V | None:
        """Return what was put, or None: ask the store."""
        known = self._devices.get(identity.device_id)
        if known is None:
            return None
        self._devices.move_to_end(identity.device_id)
        return known.get(identity)

    def put(self, identity: Identity, value: V, asked_at: int) -> None:
        """Keep it, unless something was written since generation `asked_at`."""
        if asked_at != self.generation:
            return
        device_id = identity.device_id
        self._devices.setdefault(device_id, {})[identity] = value
        self._devices.move_to_end(device_id)
        if len(self._devices) > self._max_devices:
            self._devices.popitem(last=False)

    def forget(self, device_id: DeviceId) -> None:
        """The device or one of its modules was written."""
        self.generation += 1
        self._devices.pop(device_id, None)
