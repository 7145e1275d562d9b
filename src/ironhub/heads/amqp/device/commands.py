"""Commands on their way to one device: each under a lock while it is out, settled by the device's disposition."""

from collections import deque
from functools import partial
from typing import Final

from ironhub.access.model import Permission
from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_device_messages import encode_command
from ironhub.heads.amqp.device.session import DeviceSession
from ironhub.heads.amqp.node import SilentNode
from ironhub.heads.amqp.outstanding import Outstanding
from ironhub.heads.work import SerialWork
from ironhub.messaging.commands.holder import Holder
from ironhub.messaging.commands.model import Delivery, LockLost
from ironhub.wire.amqp import Outcome, OutgoingLink, Settled

WINDOW: Final = 50
"""Commands that one link holds at a time: as many as a queue has by default. A device that wants fewer grants less."""
MAX_UNSETTLED: Final = 1000
"""See `Outstanding`."""


class CommandsNode(SilentNode):
    """Hands out commands in order, one for each credit; what is out when the link ends goes back in its place."""

    __slots__ = ("_fetching", "_gone", "_holder", "_link", "_out", "_ready", "_session", "_work")

    def __init__(self, session: DeviceSession, link: OutgoingLink) -> None:
        session.grant(Permission.COMMAND_RECEIVE)
        self._session = session
        self._link = link
        self._out = Outstanding(link, session.hub.clock, window=WINDOW, max_unsettled=MAX_UNSETTLED)
        self._holder = Holder(session.hub.commands, session.hub.entropy)
        self._work = SerialWork(session.hub.background, done=session.peer.soon_flush, failed=self._failed)
        self._ready: deque[tuple[Delivery, float]] = deque()
        """Held and not sent, since the credit they were fetched for was taken back; and when their lock ends."""
        self._fetching = False
        self._gone = False

    def wake(self) -> None:
        """Something may wait in the queue, or there is room for it."""
        if not self._fetching and self._room() > 0:
            self._fetching = True
            self._work.add(self._fetch)

    def credited(self) -> None:
        """There may be credit, or the device wants to know that there is nothing."""
        self._send_ready()
        self.wake()
        if not self._fetching:
            self._answer_drain()

    def settled(self, event: Settled) -> None:
        """The device has decided about a command."""
        token = self._out.take(event.tag)
        if token is not None:
            self._work.add(partial(self._settle, token, event.outcome))

    def detached(self) -> None:
        """What the device did not settle goes back, for its next link."""
        self._gone = True
        session = self._session
        session.commands.discard(self)
        if session.revoked:
            self._work.forget()
        if self._holder.may_hold:
            self._work.add(self._release)
        session.drop(self)

    def _room(self) -> int:
        """How many more may be out; none while some are ready, which there is no credit for."""
        return 0 if self._gone or self._session.peer.channel.congested else self._out.room()

    async def _fetch(self) -> None:
        self._fetching = False
        while (room := self._room()) > 0:
            hub = self._session.hub
            until = hub.clock.now() + hub.commands.lock_duration
            grant = self._session.grant(Permission.COMMAND_RECEIVE)
            deliveries = await self._holder.receive(grant, limit=room)
            self._ready.extend((delivery, until) for delivery in deliveries)
            self._send_ready()
            if len(deliveries) < room:
                break
        self._answer_drain()

    def _send_ready(self) -> None:
        """Also called when the link is gone: what is ready is held, and `_release` gives it back."""
        now = self._session.hub.clock.now()
        while self._ready and not self._gone and self._link.sendable > 0:
            delivery, until = self._ready.popleft()
            if until > now:
                self._send(delivery, until)
        self._session.peer.soon_flush()

    def _send(self, delivery: Delivery, until: float) -> None:
        if self._out.send(encode_command(delivery, until), delivery.lock_token, until):
            self._work.add(partial(self._settle, delivery.lock_token, Outcome.ACCEPTED))

    def _answer_drain(self) -> None:
        """Nothing more comes for now: say so to a device that asked for all there is."""
        if self._link.drain and not self._gone:
            self._link.drained()
            self._session.peer.soon_flush()

    async def _settle(self, token: str, outcome: int) -> None:
        commands, grant = self._session.hub.commands, self._session.grant(Permission.COMMAND_RECEIVE)
        try:
            match outcome:
                case Outcome.ACCEPTED:
                    await commands.complete(grant, token)
                case Outcome.REJECTED:
                    await commands.reject(grant, token)
                case _:
                    await commands.abandon(grant, token)
        except LockLost:
            return  # its time was over, or it was purged
        self.wake()

    def _failed(self, error: HubError) -> None:
        """The device attaches again, and what it holds is given back meanwhile."""
        self._session.peer.detach(self._link, error)

    async def _release(self) -> None:
        await self._holder.release(self._session.grant(Permission.COMMAND_RECEIVE))
