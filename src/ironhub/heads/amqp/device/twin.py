"""The twin of one device: requests come on one link, answers and notices go out on the other.

Every request gets an answer, in the order in which they came: the SDKs wait for ever for one that does not come. While
there is no link for the answers, or the device takes none, requests wait, and it gets no credit for more of them.
"""

from collections import deque
from functools import partial
from typing import Final, NamedTuple

from ironhub.access.model import Permission
from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_device_messages import (
    TwinGet,
    TwinObserve,
    TwinPatch,
    TwinUnobserve,
    decode_twin_request,
    encode_desired_notice,
    encode_twin_reply,
)
from ironhub.dialects.azure.amqp_errors import link_error
from ironhub.dialects.azure.amqp_reading import read_message, read_properties
from ironhub.dialects.azure.errors import device_error_body, tracking_id
from ironhub.dialects.azure.payloads import decode_reported, encode_own_twin
from ironhub.heads.amqp.device.session import DeviceSession, TakesReplies
from ironhub.heads.amqp.node import SETTLED_TAG, SilentNode
from ironhub.heads.work import SerialWork
from ironhub.wire.amqp import Delivery, Error, IncomingLink, Outcome, OutgoingLink
from ironhub.wire.amqp.conditions import RESOURCE_LIMIT_EXCEEDED
from ironhub.wire.amqp.message import RawMessage

CREDIT: Final = 32
"""Requests that a device may have under way on one link."""
MAX_WAITING: Final = 65_536
"""Bytes of answers that wait for credit before requests wait in their turn."""
MAX_BACKLOG: Final = 524_288
"""Bytes of requests that wait for a link that takes their answers; whoever sends more has none to come."""
MAX_NOTICES: Final = 256
"""Messages that wait for credit before a device that follows its twin must begin anew: it would miss some."""


class _Reply(NamedTuple):
    status: int
    version: int | None = None
    body: bytes = b""


class _Request(NamedTuple):
    message: RawMessage
    correlation: bytes
    """Its correlation id, as encoded."""
    size: int


class RepliesNode(SilentNode):
    """Sends answers and notices, as the device's credit allows."""

    __slots__ = ("_bytes", "_key", "_link", "_observed", "_session", "_waiting")

    def __init__(self, session: DeviceSession, link: OutgoingLink, key: str) -> None:
        session.grant(Permission.TWIN_READ_OWN)
        self._observed = False
        self._session = session
        self._link = link
        self._key = key
        self._waiting: deque[bytes] = deque()
        self._bytes = 0

    @property
    def link(self) -> OutgoingLink:
        """Its link."""
        return self._link

    @property
    def has_room(self) -> bool:
        """Whether one more answer may be made."""
        return self._bytes < MAX_WAITING

    def send(self, message: bytes) -> None:
        """Send a whole message, now or once there is credit."""
        self._waiting.append(message)
        self._bytes += len(message)
        self._pour()

    def observe(self, wanted: bool) -> None:
        """The device asks for notices, or for none any more."""
        self._observed = wanted

    def tell(self, version: int, patch: dict[str, object]) -> None:
        """Send a notice if the device asked for them."""
        if not self._observed:
            return
        if len(self._waiting) >= MAX_NOTICES:
            told = "the link takes no notices, and there are too many to keep"
            self._session.peer.detach(self._link, Error(RESOURCE_LIMIT_EXCEEDED, told))
            return
        self.send(encode_desired_notice(version, patch))

    def credited(self) -> None:
        """There may be credit, or the device wants to know that there is nothing."""
        self._pour()
        if self._link.drain:
            self._link.drained()
            self._session.peer.soon_flush()
        for node in tuple(self._session.requests):
            node.go_on()

    def detached(self) -> None:
        """The device takes nothing more here."""
        self._session.replies.drop(self._key, self)
        self._session.drop(self)

    def _pour(self) -> None:
        while self._waiting and self._link.sendable > 0:
            message = self._waiting.popleft()
            self._bytes -= len(message)
            self._link.send(message, SETTLED_TAG, settled=True)
        self._session.peer.soon_flush()


class RequestsNode(SilentNode):
    """Takes requests, and has them done one after the other."""

    __slots__ = ("_backlog", "_gone", "_held", "_key", "_link", "_session", "_work")

    def __init__(self, session: DeviceSession, link: IncomingLink, key: str) -> None:
        self._session = session
        self._link = link
        self._key = key
        self._backlog: deque[_Request] = deque()
        """What waits for a link that takes its answer."""
        self._held = 0
        """Bytes of these."""
        self._work = SerialWork(session.hub.background, done=self.go_on, failed=self._failed)
        self._gone = False

    def delivered(self, delivery: Delivery) -> None:
        """Take a request."""
        try:
            message = read_message(delivery.payload)
            correlation = read_properties(message).correlation_id_raw
        except HubError as error:
            self._refuse(delivery, error)
            return
        if not delivery.settled:
            self._link.settle(delivery.id, delivery.id, Outcome.ACCEPTED)
        self._backlog.append(_Request(message, correlation, len(delivery.payload)))
        self._held += len(delivery.payload)
        self.go_on()
        if self._held > MAX_BACKLOG:
            told = "the link for the answers takes none, and the requests are too many to keep"
            self._session.peer.detach(self._link, Error(RESOURCE_LIMIT_EXCEEDED, told))

    def go_on(self) -> None:
        """Begin what waits, if there is a link for its answers with room on it."""
        while self._backlog and self._replies is not None and self._replies.has_room and len(self._work) == 0:
            request = self._backlog.popleft()
            self._held -= request.size
            self._work.add(partial(self._do, request))
        free = CREDIT - len(self._backlog) - len(self._work)
        if free - self._link.credit >= CREDIT // 2 and not self._gone:
            self._link.grant(free)
            self._session.peer.soon_flush()

    def detached(self) -> None:
        """What came whole is done all the same, unless the right has ended; without a link it has no answer."""
        self._gone = True
        if self._session.revoked:
            self._work.forget()
        else:
            for request in self._backlog:
                self._work.add(partial(self._do, request))
        self._backlog.clear()
        self._held = 0
        self._session.requests.discard(self)
        self._session.drop(self)

    @property
    def _replies(self) -> TakesReplies | None:
        return self._session.replies.of(self._key)

    def _refuse(self, delivery: Delivery, error: HubError) -> None:
        """What cannot be read cannot be answered either: one who sent it settled learns it from the end of the link."""
        if delivery.settled:
            self._session.peer.detach(self._link, error)
        else:
            self._link.settle(delivery.id, delivery.id, Outcome.REJECTED, link_error(error))
            self.go_on()

    def _failed(self, error: HubError) -> None:
        """A bug: the request has no answer, and the device must not wait for one."""
        self._session.peer.detach(self._link, error)

    async def _do(self, request: _Request) -> None:
        try:
            reply = await self._reply(request.message)
        except HubError as error:
            hub = self._session.hub
            now = hub.clock.now()
            reply = _Reply(error.status, body=device_error_body(error, tracking_id(hub.entropy, now), now))
        replies = self._replies
        if replies is not None:
            replies.send(encode_twin_reply(request.correlation, reply.status, reply.version, reply.body))

    async def _reply(self, message: RawMessage) -> _Reply:
        twins, session = self._session.hub.twins, self._session
        match decode_twin_request(message):
            case TwinGet():
                twin = await twins.read_own(session.grant(Permission.TWIN_READ_OWN))
                return _Reply(200, body=encode_own_twin(twin))
            case TwinPatch(patch=patch):
                twin = await twins.report(session.grant(Permission.TWIN_REPORT), decode_reported(patch))
                return _Reply(200, version=twin.reported.version)
            case TwinObserve():
                return self._observe(True)
            case TwinUnobserve():
                return self._observe(False)

    def _observe(self, wanted: bool) -> _Reply:
        replies = self._replies
        if replies is not None:
            replies.observe(wanted)
        return _Reply(200)
