"""What one session may hold of the commands of its device."""

from collections.abc import Awaitable, Sequence

from ironhub.access.model import Grant
from ironhub.core.clock import Entropy
from ironhub.messaging.commands.model import Delivery
from ironhub.messaging.commands.service import CommandService


class Holder:
    """The owner of what is handed out to one session; one call is made after the other.

    Most sessions never see a command, and have nothing to give back when they end.
    """

    __slots__ = ("_commands", "_owner", "may_hold")

    def __init__(self, commands: CommandService, entropy: Entropy) -> None:
        self._commands = commands
        self._owner = entropy.uuid()
        self.may_hold = False
        """Whether there may be something to give back."""

    async def hold(self, grant: Grant, *, limit: int) -> Sequence[Delivery]:
        """See `CommandService.hold`."""
        return await self._noted(self._commands.hold(grant, owner=self._owner, limit=limit))

    async def receive(self, grant: Grant, *, limit: int) -> Sequence[Delivery]:
        """See `CommandService.receive`."""
        return await self._noted(self._commands.receive(grant, owner=self._owner, limit=limit))

    async def release(self, grant: Grant) -> None:
        """See `CommandService.release`; the store is not asked when nothing can be held."""
        if self.may_hold:
            await self._commands.release(grant, owner=self._owner)

    async def _noted(self, handing_out: Awaitable[Sequence[Delivery]]) -> Sequence[Delivery]:
        before, self.may_hold = self.may_hold, True  # also when it fails: it may have been stored
        deliveries = await handing_out
        self.may_hold = before or bool(deliveries)
        return deliveries
