"""Commands on their way to one connected device: held for its session, published, completed by its PUBACK."""

from collections.abc import Callable
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.errors import HubError
from ironhub.dialects.azure.topics import command_topic
from ironhub.heads.mqtt.link import Link
from ironhub.heads.mqtt.services import MqttServices
from ironhub.heads.work import Step
from ironhub.messaging.commands.holder import Holder
from ironhub.messaging.commands.model import Delivery, LockLost

MAX_TOPIC: Final = 65_535
"""Bytes that MQTT can say in a topic; properties of a command may not fit when percent-encoded."""


class CommandFeed:
    """Delivers in order, as many at a time as the wire session's window admits; what is left behind goes back."""

    __slots__ = (
        "_enqueue",
        "_fetching",
        "_grant",
        "_holder",
        "_hub",
        "_link",
        "_qos_for",
        "_sent",
        "_sent_before",
    )

    def __init__(
        self,
        link: Link,
        hub: MqttServices,
        grant: Grant,
        enqueue: Callable[[Step], None],
        qos_for: Callable[[str], int | None],
    ) -> None:
        grant.require(Permission.COMMAND_RECEIVE)
        self._link = link
        self._hub = hub
        self._grant = grant
        self._enqueue = enqueue
        self._qos_for = qos_for
        self._holder = Holder(hub.commands, hub.entropy)
        self._sent: dict[int, tuple[str, int]] = {}
        """By packet id: lock token and sequence number of what waits for its PUBACK."""
        self._sent_before = hub.parked.take_sent(grant.identity)
        self._fetching = False

    def wake(self) -> None:
        """Something may wait in the queue, or the window has opened."""
        if not self._fetching and not self._link.closed and self._link.wire.can_publish:
            self._fetching = True
            self._enqueue(self._fetch)

    def acknowledged(self, packet_id: int) -> bool:
        """The device has it (PUBACK is completion); False when `packet_id` was no command."""
        sent = self._sent.pop(packet_id, None)
        if sent is None:
            return False
        self._enqueue(lambda: self._complete(sent[0]))
        return True

    async def release(self) -> None:
        """The session is over: what it holds goes back in its place for the next one."""
        self._hub.parked.remember_sent(self._grant.identity, {number for _, number in self._sent.values()})
        self._sent.clear()
        await self._holder.release(self._grant)

    async def _fetch(self) -> None:
        self._fetching = False
        wire = self._link.wire
        while not self._link.closed and wire.can_publish:
            window = self._hub.settings.limits.send_window - wire.in_flight
            deliveries = await self._holder.hold(self._grant, limit=window)
            for delivery in deliveries:
                await self._publish(delivery)
            self._link.flush()
            if len(deliveries) < window:
                return

    async def _publish(self, delivery: Delivery) -> None:
        command = delivery.command
        topic = command_topic(self._grant.identity, command)
        qos = self._qos_for(topic)
        if self._link.closed or qos is None:
            return  # still held; `release` gives it back
        if len(topic) > MAX_TOPIC:
            await self._hub.commands.reject(self._grant, delivery.lock_token)
            return
        again = qos > 0 and command.sequence_number in self._sent_before  # [MQTT-3.3.1-1]
        packet_id = self._link.wire.publish(topic, command.body, qos, dup=again)
        if qos:
            self._sent[packet_id] = (delivery.lock_token, command.sequence_number)
        else:
            await self._complete(delivery.lock_token)

    async def _complete(self, token: str) -> None:
        try:
            await self._hub.commands.complete(self._grant, token)
        except LockLost:
            return  # it expired, or was purged, while the device took it
        except HubError as error:
            self._link.fail(error.code, str(error))
            return
        self.wake()
