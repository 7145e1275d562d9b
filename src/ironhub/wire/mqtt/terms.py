"""What client and server agree on in CONNECT, CONNACK and DISCONNECT: pure rules the session asks."""

from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import LEVEL_5, Connect, Disconnect
from ironhub.wire.mqtt.properties import Properties, Property, PropertyValue, has, number
from ironhub.wire.mqtt.reasons import CLIENT_DISCONNECT_CODES, ReasonCode


def check_connect(connect: Connect, limits: SessionLimits) -> None:
    """Raise ProtocolViolation for a CONNECT that is well-formed and still cannot be taken; its code goes to CONNACK."""
    if not connect.client_id and not connect.clean_start and connect.level != LEVEL_5:  # [MQTT-3.1.3-8]
        raise ProtocolViolation("no client id and no clean session", ReasonCode.CLIENT_IDENTIFIER_NOT_VALID)
    if connect.level == LEVEL_5 and connect.will is not None and connect.will.qos > limits.max_qos:
        # MQTT 5 [MQTT-3.2.2-12]; a client of 3.1.1 cannot know the bound, and its owner may publish with less
        raise ProtocolViolation("the will has a QoS this server does not take", ReasonCode.QOS_NOT_SUPPORTED)
    if has(connect.properties, Property.AUTHENTICATION_METHOD):  # MQTT 5 [MQTT-4.12.0-1]
        raise ProtocolViolation("enhanced authentication is not offered", ReasonCode.BAD_AUTHENTICATION_METHOD)


def silence(keep_alive: int, limits: SessionLimits) -> float:
    """Seconds a client with this keep-alive may be silent [MQTT-3.1.2-24]; our bound where it sets none."""
    return min(1.5 * keep_alive, limits.max_silence) if keep_alive else limits.max_silence


def announcement(connect: Connect, limits: SessionLimits, max_silence: float) -> Properties:
    """What a client of MQTT 5 must be told of our limits, so that it can keep them (3.2.2.3)."""
    told: list[tuple[int, PropertyValue]] = [
        (Property.RECEIVE_MAXIMUM, min(limits.receive_window, 65_535)),
        (Property.MAXIMUM_PACKET_SIZE, limits.max_packet),
    ]
    if limits.max_qos < 2:
        told.append((Property.MAXIMUM_QOS, limits.max_qos))
    if limits.topic_alias_maximum:
        told.append((Property.TOPIC_ALIAS_MAXIMUM, limits.topic_alias_maximum))
    if max_silence != 1.5 * connect.keep_alive:
        told.append((Property.SERVER_KEEP_ALIVE, int(max_silence / 1.5)))  # MQTT 5 [MQTT-3.1.2-21]
    return tuple(told)


def expires_at_once(connect: Connect) -> bool:
    """Whether the session of a client of MQTT 5 ends with its connection."""
    return connect.level == LEVEL_5 and number(connect.properties, Property.SESSION_EXPIRY_INTERVAL, 0) == 0


def check_disconnect(packet: Disconnect, ends_at_once: bool) -> None:
    """Raise ProtocolViolation for a DISCONNECT that a client must not send (MQTT 5, 3.14.2)."""
    if packet.code not in CLIENT_DISCONNECT_CODES or has(packet.properties, Property.SERVER_REFERENCE):
        raise ProtocolViolation("DISCONNECT says what only a server may", ReasonCode.PROTOCOL_ERROR)
    if ends_at_once and number(packet.properties, Property.SESSION_EXPIRY_INTERVAL, 0):
        raise ProtocolViolation("DISCONNECT prolongs a session that ends at once", ReasonCode.PROTOCOL_ERROR)
