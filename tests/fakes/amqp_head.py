"""The AMQP head over stores and log in memory: all is the product's own but the socket, the clock and the dice."""

import asyncio
from collections.abc import Callable

from tests.fakes.amqp_client import AmqpClient, ClientLink, statuses
from tests.fakes.channel import FakeChannel
from tests.fakes.files import ACCOUNT
from tests.fakes.grants import by_operator
from tests.fakes.head_hub import HOST, HeadHub
from tests.fakes.trouble import until

from ironhub.access.model import Permission
from ironhub.access.policies import PolicyService
from ironhub.core.ids import Identity
from ironhub.dialects.azure.amqp_events import EventWriter
from ironhub.heads.amqp.conversation import AmqpConversation
from ironhub.heads.amqp.services import AmqpServices, AmqpSettings
from ironhub.identity.audience import HubNames
from ironhub.identity.model import Right
from ironhub.identity.sas import make_sas_token
from ironhub.messaging.commands.feedback import FeedbackReader
from ironhub.messaging.files.service import UploadService
from ironhub.messaging.sessions.backends import LiveBackends
from ironhub.messaging.telemetry.consumers import Consumers
from ironhub.storage.blobs.own import OwnDepot

STREAM = "events"


class AmqpHub(HeadHub):
    """A hub with an AMQP head; must be made in a running loop."""

    def __init__(self, settings: AmqpSettings | None = None, *, partitions: int = 1) -> None:
        names = HubNames((HOST,), event_stream=STREAM)
        super().__init__(names, partitions=partitions)
        stores = self.stores
        self.backends = LiveBackends(self.bus, self.gate.still_admits)
        self.policies = PolicyService(stores.policies, self.bus, self.entropy)
        depot = OwnDepot(stores.blobs, ACCOUNT, self.clock, "uploads")
        self.amqp = AmqpServices(
            gate=self.gate,
            names=names,
            telemetry=self.telemetry,
            consumers=Consumers(stores.consumer_groups, self.clock),
            events=EventWriter(HOST),
            twins=self.twin_service,
            commands=self.command_service,
            feedback=FeedbackReader(self.commands, self.bus, self.clock, self.entropy),
            methods=self.method_service,
            uploads=UploadService(stores.uploads, depot, self.clock, self.entropy),
            sessions=self.sessions,
            backends=self.backends,
            clock=self.clock,
            entropy=self.entropy,
            background=self.background,
            created_at=self.clock.now(),
            settings=settings or AmqpSettings(dismissal=0.0),
        )

    async def settle(self) -> None:
        """Let everything that was begun come to its end, and what waits for ever come to its waiting."""
        for _ in range(100):
            await asyncio.sleep(0)

    def dial(self, channel: FakeChannel | None = None) -> "Peer":
        """Return a new connection that has said nothing yet."""
        return Peer(self, channel or FakeChannel())

    async def connected(self, *tokens: str, channel: FakeChannel | None = None) -> "Peer":
        """Return a connection that is open, with `$cbs` attached, and has put these tokens."""
        peer = self.dial(channel)
        peer.client.open()
        await self.settle()
        for token in tokens:
            assert await peer.put_token(token) == 200
        return peer

    async def device(self, who: Identity, *, channel: FakeChannel | None = None) -> "Peer":
        """Return the connection of a registered device or module, with its token."""
        return await self.connected(await self.token(who), channel=channel)

    async def backend(self, *rights: Right, channel: FakeChannel | None = None) -> "Peer":
        """Return the connection of a back end, by default with ServiceConnect."""
        return await self.connected(await self.policy_token("service", *rights), channel=channel)

    async def policy_token(self, name: str, *rights: Right, resource: str = HOST, life: float = 3600.0) -> str:
        """Return a good token of a policy, which is made with `rights` (by default ServiceConnect) or gets them."""
        grant = by_operator(Permission.POLICY_WRITE)
        policy = await self.policies.put(grant, name, frozenset(rights or {Right.SERVICE_CONNECT}))
        return make_sas_token(resource, policy.keys.primary, int(self.clock.now() + life), name)


class Peer:
    """One client and the head's end of its connection; what the head sends is heard with `hear`, or by any wait."""

    def __init__(self, hub: AmqpHub, channel: FakeChannel) -> None:
        self.hub = hub
        self.channel = channel
        self.conversation = AmqpConversation(channel, hub.amqp)
        self.client = AmqpClient(self._say)
        self._cbs: tuple[ClientLink, ClientLink] | None = None

    def hear(self) -> "Peer":
        """Let the client take what was sent to it."""
        self.client.hear(self.channel.take())
        return self

    async def settle(self) -> "Peer":
        """Let all that was begun come to its end, and hear what it led to."""
        await self.hub.settle()
        return self.hear()

    async def until(self, condition: Callable[[], object]) -> None:
        """Hear until `condition()` holds. Raises TimeoutError."""
        await until(lambda: self.hear() is self and condition())

    async def put_token(self, token: str) -> object:
        """Put a token at `$cbs` and return the status of the answer; None: there was none."""
        if self._cbs is None:
            self._cbs = self.client.cbs()
            await self.settle()
        requests, replies = self._cbs
        self.client.put_token(requests, token)
        await self.settle()
        answers = statuses(replies)
        return answers[0] if answers else None

    def _say(self, data: bytes) -> None:
        if not self.channel.closed:
            self.conversation.receive(data)
