"""Which publishes of a client are handed out, and what is owed for them."""

from typing import final

from ironhub.wire.mqtt.acks import InboundAcks
from ironhub.wire.mqtt.encode import encode_packet
from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import LEVEL_4, LEVEL_5, Ack, PacketType, Publish
from ironhub.wire.mqtt.properties import Property, has, number
from ironhub.wire.mqtt.reasons import ReasonCode


@final
class InboundPublishes:
    """Admits publishes within the limits; resolves topic aliases (MQTT 5), and delivers QoS 2 once.

    QoS 2 holds within one connection: ids that wait for PUBREL are not kept beyond it.
    """

    __slots__ = ("_aliases", "_limits", "_unreleased", "acks")

    def __init__(self, limits: SessionLimits) -> None:
        self.acks = InboundAcks()
        self._limits = limits
        self._aliases: dict[int, str] | None = None
        self._unreleased: set[int] | None = None

    def admit(self, packet: Publish, level: int) -> bool:
        """Note what we owe for a publish; False where it was handed out before and `repeated` says what to send.

        Raises:
            ProtocolViolation: QoS, window or alias are beyond what the client was told.
        """
        if packet.qos > self._limits.max_qos:
            raise ProtocolViolation("a publish has a QoS this server does not take", ReasonCode.QOS_NOT_SUPPORTED)
        if level == LEVEL_5:
            self._check_5(packet)
        if packet.qos == 2 and not self._hold(packet.packet_id):
            return False
        if packet.qos:
            self.acks.add(packet.packet_id, packet.qos)
        return True

    def repeated(self, packet_id: int) -> bytes:
        """PUBREC once more for a publish of QoS 2 that came again; none while its first is not acknowledged."""
        if self.acks.holds(packet_id):
            return b""
        return encode_packet(Ack(PacketType.PUBREC, packet_id), LEVEL_4)

    def release(self, packet_id: int) -> bool:
        """The client is done with a publish of QoS 2; False where none is known [MQTT-4.3.3-2]."""
        if self._unreleased is None or packet_id not in self._unreleased:
            return False
        self._unreleased.remove(packet_id)
        return True

    def _hold(self, packet_id: int) -> bool:
        if self._unreleased is None:
            self._unreleased = set()
        if packet_id in self._unreleased:
            return False
        if len(self._unreleased) >= self._limits.receive_window:
            raise ProtocolViolation("too many publishes wait for PUBREL", ReasonCode.RECEIVE_MAXIMUM_EXCEEDED)
        self._unreleased.add(packet_id)
        return True

    def _check_5(self, packet: Publish) -> None:
        if packet.qos and len(self.acks) >= self._limits.receive_window:  # [MQTT-3.3.4-7]
            raise ProtocolViolation("more publishes than the window admits", ReasonCode.RECEIVE_MAXIMUM_EXCEEDED)
        if not packet.properties:
            return
        if has(packet.properties, Property.SUBSCRIPTION_IDENTIFIER):  # [MQTT-3.3.4-6]
            raise ProtocolViolation("a client's publish has a subscription identifier", ReasonCode.PROTOCOL_ERROR)
        alias = number(packet.properties, Property.TOPIC_ALIAS, 0)
        if alias:
            packet.topic = self._resolve(alias, packet.topic)

    def _resolve(self, alias: int, topic: str) -> str:
        if alias > self._limits.topic_alias_maximum:  # [MQTT-3.3.2-9]
            raise ProtocolViolation("a topic alias is larger than admitted", ReasonCode.TOPIC_ALIAS_INVALID)
        if self._aliases is None:
            self._aliases = {}
        if topic:
            self._aliases[alias] = topic
            return topic
        known = self._aliases.get(alias)
        if known is None:
            raise ProtocolViolation("a topic alias stands for no topic", ReasonCode.PROTOCOL_ERROR)
        return known
