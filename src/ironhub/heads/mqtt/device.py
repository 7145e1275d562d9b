"""A device or module behind its verdict: what it publishes becomes operations, what the hub has for it is published."""

import logging
import math
from collections.abc import Sequence
from functools import partial
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.access.service import authorise
from ironhub.core.errors import HubError
from ironhub.dialects.azure.errors import device_error_body, tracking_id
from ironhub.dialects.azure.payloads import decode_reported, encode_desired, encode_own_twin
from ironhub.dialects.azure.topics import (
    AnswerMethod,
    Feed,
    GetTwin,
    Operation,
    PatchReported,
    SendTelemetry,
    desired_topic,
    method_topic,
    operation_of,
    twin_response_topic,
    will_of,
)
from ironhub.dialects.azure.username import ConnectClaim
from ironhub.heads.mqtt.commands import CommandFeed
from ironhub.heads.mqtt.link import Link
from ironhub.heads.mqtt.parked import Reply
from ironhub.heads.mqtt.services import MqttServices
from ironhub.heads.mqtt.subscriptions import Subscriptions
from ironhub.heads.work import SerialWork, Step
from ironhub.identity.model import DevicePrincipal
from ironhub.messaging.methods.model import MethodAnswer
from ironhub.messaging.sessions.model import StoredSession
from ironhub.messaging.sessions.ports import HUB_STOPS, TAKEN_OVER
from ironhub.messaging.telemetry.model import WAITING_OVERHEAD, Encoding, Entry, Flag, MessageTooLarge
from ironhub.messaging.telemetry.service import Uplink
from ironhub.wire.mqtt import (
    Acknowledged,
    Closed,
    Connect,
    Disconnect,
    Event,
    Publish,
    Subscribe,
    Unsubscribe,
    Will,
)

log: Final = logging.getLogger(__name__)


class DeviceSession:
    """One connected device or module; the LiveSession of its identity."""

    __slots__ = (
        "_claim",
        "_commands",
        "_hub",
        "_last_operation",
        "_last_topic",
        "_link",
        "_lost",
        "_open_requests",
        "_persistent",
        "_replies",
        "_subscriptions",
        "_unstored",
        "_uplink",
        "_will",
        "_work",
        "opened_at",
        "principal",
        "resumed_session",
    )

    def __init__(
        self,
        link: Link,
        hub: MqttServices,
        principal: DevicePrincipal,
        claim: ConnectClaim,
        connect: Connect,
        subscriptions: dict[str, int] | None,
    ) -> None:
        self.principal = principal
        self.opened_at = hub.clock.monotonic()
        self.resumed_session = subscriptions is not None
        self._link = link
        self._hub = hub
        self._claim = claim
        self._will = connect.will
        self._persistent = not connect.clean_start
        self._subscriptions = Subscriptions(
            principal.identity, dict(subscriptions or {}), limit=hub.settings.max_subscriptions
        )
        self._commands: CommandFeed | None = None
        self._uplink: Uplink | None = None
        self._work = SerialWork(
            hub.background, done=link.adjust_reading, failed=lambda error: link.fail(error.code, str(error))
        )
        self._replies: dict[int, Reply] | None = None
        self._open_requests = 0
        self._lost = False
        self._unstored = 0
        self._last_topic = ""
        self._last_operation: Operation | None = None

    # What the hub asks of a connected device (messaging.sessions.ports.LiveSession)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates it showed, DER, leaf first."""
        return self._link.channel.peer_chain

    @property
    def model_id(self) -> str:
        """The plug-and-play model it announced, or empty."""
        return self._claim.model_id

    @property
    def answers_methods(self) -> bool:
        """Whether it has subscribed to direct methods."""
        return Feed.METHODS in self._subscriptions.feeds and not self._link.closed

    def end(self, reason: str) -> None:
        """Close the connection at once, without a packet (MQTT 3.1.1 has none for that)."""
        if not self._link.closed:
            log.info("mqtt_session_ended", extra={"device": str(self.principal.identity), "reason": reason})
            if reason == HUB_STOPS:
                self._will = None
            elif reason != TAKEN_OVER:
                self._work.forget()  # who lost the right gets nothing more done
            self._link.abort()

    def expire(self) -> None:
        """Its token is over: whatever it still wanted to say, it has no right to."""
        self._will = None
        self.end("its token has expired")

    def offer_commands(self) -> None:
        """Something waits in the command queue: fetch it if the device listens."""
        if Feed.COMMANDS in self._subscriptions.feeds and not self._link.closed:
            self._command_feed().wake()

    def offer_desired(self, version: int, patch: dict[str, object]) -> None:
        """Tell the device of a change of its desired properties, if it listens."""
        self._publish(desired_topic(version), encode_desired(version, patch), max_qos=0)

    def call_method(self, request_id: str, name: str, payload: bytes) -> None:
        """Publish the call; the answer comes as a publication of the device."""
        self._publish(method_topic(name, request_id), payload, max_qos=0)

    # What the conversation tells

    def opened(self) -> None:
        """CONNACK is sent: what waited for this device goes out, without a new SUBSCRIBE."""
        for reply in self._hub.parked.take(self.principal.identity) if self._persistent else ():
            self._publish_reply(reply)
        self._begin(self._subscriptions.feeds)

    def seconds_left(self) -> float:
        """Return how long its credential still holds."""
        expires_at = self.principal.expires_at
        if expires_at is None:
            return math.inf
        return expires_at - self._hub.clock.now()

    @property
    def overloaded(self) -> bool:
        """Whether so much of it waits that reading must pause."""
        settings = self._hub.settings
        return self._unstored > settings.max_unstored or len(self._work) >= settings.max_queued

    def handle(self, events: Sequence[Event]) -> None:
        """Act on what the wire session heard; telemetry that came together is stored together.

        Raises:
            HubError: the peer did what it may not; the conversation ends it. What came whole before it is stored.
        """
        entries: list[Entry] = []
        packet_ids: list[int] = []
        try:
            for event in events:
                if isinstance(event, Publish):
                    operation = self._operation(event.topic)
                    if isinstance(operation, SendTelemetry):
                        entries.append(self._entry(event, operation.bag))
                        if event.qos:
                            packet_ids.append(event.packet_id)
                    else:
                        self._request(operation, event)
                else:
                    self._other(event)
        finally:
            if entries:
                self._store(entries, packet_ids)

    def resumed(self) -> None:
        """The peer reads again: whatever held back may go on."""
        self.offer_commands()

    def lost(self) -> None:
        """The connection is over; called once or more."""
        if self._lost:
            return
        self._lost = True
        hub, identity = self._hub, self.principal.identity
        hub.sessions.leave(self)
        hub.methods.lost(identity)
        if self._persistent:
            for reply in (self._replies or {}).values():
                hub.parked.park(identity, reply)
        if self._will is not None:
            hub.background.spawn(self._publish_will(self._will, self.chain))
        commands, self._commands = self._commands, None
        if commands is not None:
            self._add(commands.release)

    # Telemetry

    def _operation(self, topic: str) -> Operation:
        """Devices publish to one topic mostly; the wire session hands the very same text again."""
        if topic is not self._last_topic or self._last_operation is None:
            self._last_operation = operation_of(topic, self.principal.identity)
            self._last_topic = topic
        return self._last_operation

    def _entry(self, event: Publish, bag: bytes) -> Entry:
        if len(event.payload) + len(bag) > self._hub.settings.max_body:
            raise MessageTooLarge(f"the message has more than {self._hub.settings.max_body} bytes")
        flags = 0
        if event.retain or event.dup:
            flags = (Flag.RETAIN if event.retain else 0) | (Flag.DUPLICATE if event.dup else 0)
        return Entry((self._uplink or self._open_uplink()).origin, bag, event.payload, flags)

    def _open_uplink(self) -> Uplink:
        grant = self._grant(Permission.TELEMETRY_SEND)
        self._uplink = self._hub.telemetry.uplink(grant, Encoding.AZURE_TOPIC, model_id=self._claim.model_id)
        return self._uplink

    def _store(self, entries: list[Entry], packet_ids: list[int]) -> None:
        size = WAITING_OVERHEAD * len(entries)
        for entry in entries:
            size += len(entry.body)
        self._unstored += size
        (self._uplink or self._open_uplink()).send(entries, partial(self._stored, packet_ids, size))

    def _stored(self, packet_ids: list[int], size: int, error: HubError | None) -> None:
        """The entries are on disk, and only now the device may know; or they are not, and it must send them again."""
        self._unstored -= size
        if error is not None:
            self._link.fail(error.code, str(error))
        elif not self._link.closed:
            self._acknowledge_stored(packet_ids)
            self._link.made_room()
            self._link.flush()

    def _acknowledge_stored(self, packet_ids: list[int]) -> None:
        """PUBACKs leave in order; with no request among what waits, the oldest that wait are these very ones."""
        wire = self._link.wire
        if self._open_requests == 0:
            wire.acknowledge_first(len(packet_ids))
            return
        for packet_id in packet_ids:
            wire.acknowledge(packet_id)

    async def _publish_will(self, will: Will, chain: Sequence[bytes]) -> None:
        """The last will is telemetry like any other: it needs the right at the moment it is sent."""
        if not await self._hub.gate.still_good(self.principal, chain):
            log.info("mqtt_will_withheld", extra={"device": str(self.principal.identity)})
            return
        operation = will_of(will.topic, self.principal.identity)
        uplink = self._uplink or self._open_uplink()
        uplink.send([Entry(uplink.origin, operation.bag, will.payload, Flag.WILL)], _log_lost_will)

    # Requests

    def _request(self, operation: Operation, event: Publish) -> None:
        self._open_requests += event.qos
        match operation:
            case GetTwin(request_id):
                self._add(lambda: self._get_twin(request_id, event.packet_id))
            case PatchReported(request_id):
                self._add(lambda: self._report(request_id, event))
            case AnswerMethod(request_id, status):
                grant = self._grant(Permission.METHOD_ANSWER)
                self._hub.methods.answer(grant, request_id, MethodAnswer(status, event.payload))
                self._acknowledge(event.packet_id)

    async def _get_twin(self, request_id: str, packet_id: int) -> None:
        try:
            twin = await self._hub.twins.read_own(self._grant(Permission.TWIN_READ_OWN))
            reply = Reply(twin_response_topic(200, request_id), encode_own_twin(twin))
        except HubError as error:
            reply = self._error_reply(request_id, error)
        self._publish_reply(reply)
        self._acknowledge(packet_id)

    async def _report(self, request_id: str, event: Publish) -> None:
        try:
            grant = self._grant(Permission.TWIN_REPORT)
            twin = await self._hub.twins.report(grant, decode_reported(event.payload))
            reply = Reply(twin_response_topic(204, request_id, twin.reported.version), b"")
        except HubError as error:
            reply = self._error_reply(request_id, error)
        self._publish_reply(reply)
        self._acknowledge(event.packet_id)

    def _error_reply(self, request_id: str, error: HubError) -> Reply:
        """Every request gets an answer: the SDKs wait for ever for one that does not come."""
        now = self._hub.clock.now()
        body = device_error_body(error, tracking_id(self._hub.entropy, now), now)
        return Reply(twin_response_topic(error.status, request_id), body)

    def _other(self, event: Event) -> None:
        match event:
            case Subscribe():
                self._subscribe(event)
            case Unsubscribe():
                self._unsubscribe(event)
            case Acknowledged(packet_id=packet_id):
                if self._replies is not None:
                    self._replies.pop(packet_id, None)
                if self._commands is not None and not self._commands.acknowledged(packet_id):
                    self._commands.wake()
            case Disconnect():
                self._will = None
                self._link.close()
            case Closed(reason=reason):
                self._link.fail("mqtt.protocol_violation", reason)

    # Subscriptions

    def _subscribe(self, event: Subscribe) -> None:
        wanted = {each.topic_filter: min(each.qos, 1) for each in event.subscriptions}
        feeds, changed = self._subscriptions.add(self.principal.identity, wanted)
        codes = bytes(min(each.qos, 1) for each in event.subscriptions)

        async def confirm() -> None:
            if changed:
                await self._keep_subscriptions()
            if not self._link.closed:
                self._link.wire.suback(event.packet_id, codes)
                self._link.flush()
                self._begin(feeds)

        self._add(confirm)

    def _unsubscribe(self, event: Unsubscribe) -> None:
        self._subscriptions.remove(self.principal.identity, event.topic_filters)

        async def confirm() -> None:
            await self._keep_subscriptions()
            if not self._link.closed:
                self._link.wire.unsuback(event.packet_id)
                self._link.flush()

        self._add(confirm)

    async def _keep_subscriptions(self) -> None:
        """The Python SDK never subscribes again after a drop: what it subscribed to must survive a restart."""
        if self._persistent:
            session = StoredSession(self.principal.identity, self._subscriptions.snapshot())
            await self._hub.store.put_session(session)

    def _begin(self, feeds: Feed) -> None:
        if Feed.METHODS in feeds:
            self._hub.sessions.listens(self.principal.identity)
        if Feed.COMMANDS in feeds:
            self.offer_commands()

    def _command_feed(self) -> CommandFeed:
        if self._commands is None:
            grant = self._grant(Permission.COMMAND_RECEIVE)
            self._commands = CommandFeed(self._link, self._hub, grant, self._add, self._subscriptions.qos_for)
        return self._commands

    # What all of it needs

    def _grant(self, permission: Permission) -> Grant:
        return authorise(self.principal, permission, self.principal.identity)

    def _publish(self, topic: str, payload: bytes, *, max_qos: int) -> int | None:
        """Publish if the device listens; returns the packet id (0: QoS 0), None when it was not sent."""
        qos = self._subscriptions.qos_for(topic)
        if qos is None or self._link.closed:
            return None
        qos = min(qos, max_qos) if self._link.wire.can_publish else 0
        packet_id = self._link.wire.publish(topic, payload, qos)
        self._link.flush()
        return packet_id

    def _publish_reply(self, reply: Reply) -> None:
        """Answer a twin request, now or on the next connection of a persistent session."""
        packet_id = self._publish(reply.topic, reply.payload, max_qos=1)
        if packet_id:
            self._replies = self._replies if self._replies is not None else {}
            self._replies[packet_id] = reply
        elif packet_id is None and self._link.closed and self._persistent:
            self._hub.parked.park(self.principal.identity, reply)

    def _acknowledge(self, packet_id: int) -> None:
        if packet_id:
            self._open_requests -= 1
            if not self._link.closed:
                self._link.wire.acknowledge(packet_id)
                self._link.flush()

    def _add(self, step: Step) -> None:
        self._work.add(step)


def _log_lost_will(error: HubError | None) -> None:
    if error is not None:
        log.warning("mqtt_will_not_stored", extra={"code": error.code})
