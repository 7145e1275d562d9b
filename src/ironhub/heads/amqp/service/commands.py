"""Back ends send commands: each transfer is a command, or a batch of them, accepted when it is durable.

What it protects: only a back end that may send to all devices gets such a link, and every command is authorised for the
identity that it is addressed to. What is not stored yet is bounded by the credit, and in bytes.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from ironhub.access.model import Permission
from ironhub.access.service import authorise
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.dialects.azure.amqp_addresses import ServiceCommands
from ironhub.dialects.azure.amqp_errors import link_error
from ironhub.dialects.azure.amqp_reading import read_messages
from ironhub.dialects.azure.amqp_service_messages import decode_command
from ironhub.heads.amqp.credential import ServiceCredential
from ironhub.heads.amqp.node import SilentNode
from ironhub.heads.amqp.peer import Peer
from ironhub.identity.model import AuthenticationFailed
from ironhub.messaging.commands.model import CommandDraft
from ironhub.messaging.telemetry.model import MAX_MESSAGE
from ironhub.registry.model import DeviceNotFound, ModuleNotFound
from ironhub.wire.amqp import Delivery, Error, IncomingLink, Outcome

log: Final = logging.getLogger(__name__)

CREDIT: Final = 100
"""Transfers a back end may have on the way."""
MAX_UNSTORED: Final = 1 << 20
"""Bytes of one link that wait for their commit before reading from the peer pauses."""
MAX_AT_ONCE: Final = 128
"""Commands of one link that are being stored at the same time: a batch may hold thousands."""
MAX_TRANSFER: Final = MAX_MESSAGE
"""Bytes of one transfer; larger ones end the link. A command over its own bound is rejected, and the link stays."""


async def open_sender(peer: Peer, link: IncomingLink, address: ServiceCommands) -> "CommandSender":
    """Open a link on which a back end sends commands. Raises AuthenticationFailed, PermissionDenied."""
    del address
    credential = peer.credentials.service(Permission.COMMAND_SEND)
    credential.hold(link)
    link.accept(CREDIT, MAX_TRANSFER)
    return CommandSender(peer, link, credential)


class CommandSender(SilentNode):
    """Takes commands from a back end and stores them in the order they came."""

    __slots__ = ("_credential", "_link", "_peer", "_room", "_turn", "_unstored", "_waiting")

    def __init__(self, peer: Peer, link: IncomingLink, credential: ServiceCredential) -> None:
        self._peer = peer
        self._link = link
        self._credential = credential
        self._waiting = 0
        self._unstored = 0
        self._turn = asyncio.Lock()
        self._room = asyncio.Semaphore(MAX_AT_ONCE)

    @property
    def overloaded(self) -> bool:
        """See `Node.overloaded`."""
        return self._unstored > MAX_UNSTORED

    def delivered(self, delivery: Delivery) -> None:
        """Store it. Tasks begin in the order they are made, and a store keeps the order of its writes."""
        self._waiting += 1
        self._unstored += len(delivery.payload)
        self._peer.spawn(self._take(delivery))

    async def _take(self, delivery: Delivery) -> None:
        refusal: Error | None = None
        try:
            await self._store(delivery)
        except HubError as error:
            refusal = link_error(error)
            self._tell(error)
        finally:
            was_overloaded = self.overloaded
            self._waiting -= 1
            self._unstored -= len(delivery.payload)
            if was_overloaded and not self.overloaded:
                self._peer.adjust_reading()
        if not self._link.detached:
            self._settle(delivery, refusal)

    async def _store(self, delivery: Delivery) -> None:
        """Raises what the first of a batch is refused with that is; the others are stored all the same.

        A single command takes the same steps as one of a batch, so neither overtakes the other.
        """
        async with self._turn:
            drafts = [decode_command(each) for each in read_messages(delivery.payload, delivery.message_format)]
            sending = [await self._begin(candidates, draft) for candidates, draft in drafts]
        for result in await asyncio.gather(*sending, return_exceptions=True):
            if result is not None:
                raise result

    async def _begin(self, candidates: Sequence[Identity], draft: CommandDraft) -> asyncio.Task[HubError | None]:
        """Begin to store it once there is room; nothing else of this link begins before."""
        await self._room.acquire()
        task = asyncio.get_running_loop().create_task(self._refusal(candidates, draft))
        task.add_done_callback(lambda _: self._room.release())
        return task

    async def _refusal(self, candidates: Sequence[Identity], draft: CommandDraft) -> HubError | None:
        """Return why it is not stored; without a traceback, which would keep all that was at hand."""
        try:
            await self._send(candidates, draft)
        except HubError as error:
            return error.with_traceback(None)
        return None

    async def _send(self, candidates: Sequence[Identity], draft: CommandDraft) -> None:
        """Some clients percent-encode the id and some do not: the first candidate that exists is meant."""
        *others, last = candidates
        for identity in others:
            try:
                return await self._send_to(identity, draft)
            except (DeviceNotFound, ModuleNotFound):
                continue
        return await self._send_to(last, draft)

    async def _send_to(self, identity: Identity, draft: CommandDraft) -> None:
        if self._credential.revoked:  # since it came, perhaps with thousands of others
            raise AuthenticationFailed("the credential was not accepted", detail="its right has ended")
        grant = authorise(self._credential.principal, Permission.COMMAND_SEND, identity)
        await self._peer.hub.commands.send(grant, draft)

    def _tell(self, error: HubError) -> None:
        """Into the log too: the Python service SDK keeps the reason from whoever calls it."""
        self._peer.hub.activity.add(f"rejected:{error.code}")
        told = {"code": error.code, "reason": error.detail or str(error), "policy": self._credential.principal.policy}
        log.info("amqp_command_rejected", extra=told)

    def _settle(self, delivery: Delivery, error: Error | None) -> None:
        if not delivery.settled:
            outcome = Outcome.ACCEPTED if error is None else Outcome.REJECTED
            self._link.settle(delivery.id, delivery.id, outcome, error)
        if self._link.credit + self._waiting <= CREDIT // 2:
            self._link.grant(CREDIT - self._waiting)
        self._peer.soon_flush()
