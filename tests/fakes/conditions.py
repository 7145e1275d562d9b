"""Conditions in a language of one word: "*" for all devices, or ids with "|" between them."""

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import Identity
from ironhub.core.pages import Page
from ironhub.registry.ports import DeviceStore


class WordyConditions:
    """Implements messaging.jobs.ports.Conditions."""

    def __init__(self, devices: DeviceStore) -> None:
        self._devices = devices
        self.pages = 0
        """How many were asked for."""

    def check(self, condition: str) -> None:
        """Refuse what begins with SELECT."""
        if condition.startswith("SELECT"):
            raise InvalidArgument("line 1, column 1: a condition, not a query")

    async def matching(self, condition: str, *, after: str | None, limit: int) -> Page[Identity]:
        """Return a page of those that exist and are meant."""
        self.check(condition)
        self.pages += 1
        page = await self._devices.list_devices(after=after, limit=limit)
        wanted = None if condition == "*" else condition.split("|")
        found = [device.device_id for device in page.items if wanted is None or device.device_id in wanted]
        return Page(tuple(map(Identity, found)), page.after)
