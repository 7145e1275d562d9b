"""Topic names and topic filters (section 4.7): what is well-formed, and which filter takes which name."""

from typing import final

from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.fields import decode_utf8
from ironhub.wire.mqtt.reasons import ReasonCode

_SHARE = "$share"


def check_topic_name(topic: str) -> None:
    """Raise ProtocolViolation unless a message can be published to `topic`.

    It has at least one character [MQTT-4.7.3-1] and no wildcard [MQTT-3.3.2-2]; U+0000 never gets here.
    """
    if not topic:
        raise ProtocolViolation("a topic name is empty", ReasonCode.TOPIC_NAME_INVALID)
    if "#" in topic or "+" in topic:
        raise ProtocolViolation("a topic name has a wildcard in it", ReasonCode.TOPIC_NAME_INVALID)


def check_topic_filter(topic_filter: str) -> None:
    """Raise ProtocolViolation unless `topic_filter` is well-formed.

    "#" stands alone in its level and last [MQTT-4.7.1-2]; "+" stands alone in its level [MQTT-4.7.1-3].
    """
    if not topic_filter:
        raise ProtocolViolation("a topic filter is empty", ReasonCode.TOPIC_FILTER_INVALID)  # [MQTT-4.7.3-1]
    hash_at = topic_filter.find("#")
    if hash_at >= 0 and (hash_at != len(topic_filter) - 1 or (hash_at > 0 and topic_filter[hash_at - 1] != "/")):
        raise ProtocolViolation("# is not alone in the last level of a filter", ReasonCode.TOPIC_FILTER_INVALID)
    if "+" in topic_filter:
        for level in topic_filter.split("/"):
            if "+" in level and level != "+":
                raise ProtocolViolation("+ is not alone in its level of a filter", ReasonCode.TOPIC_FILTER_INVALID)


def is_shared(topic_filter: str) -> bool:
    """Whether this is a shared subscription of MQTT 5 ("$share/{name}/{filter}", section 4.8.2)."""
    return topic_filter == _SHARE or topic_filter.startswith(_SHARE + "/")


def check_shared_filter(topic_filter: str) -> None:
    """Raise ProtocolViolation unless the shared subscription names a group and a well-formed filter."""
    parts = topic_filter.split("/", 2)
    if len(parts) != 3 or not parts[1]:
        raise ProtocolViolation("a shared subscription has no name or no filter", ReasonCode.TOPIC_FILTER_INVALID)
    if "#" in parts[1] or "+" in parts[1]:  # [MQTT-4.8.2-2]
        raise ProtocolViolation("a share name has a wildcard in it", ReasonCode.TOPIC_FILTER_INVALID)
    check_topic_filter(parts[2])  # [MQTT-4.8.2-2]


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a message to `topic` goes to a subscriber of `topic_filter`; both well-formed, neither normalised.

    Levels are compared character by character [MQTT-4.7.3-4]. A filter that begins with a wildcard takes no topic that
    begins with "$" [MQTT-4.7.2-1]. "sport/#" also takes "sport" (4.7.1.2).
    """
    if topic_filter == topic:
        return True
    if topic.startswith("$") and topic_filter[:1] in ("#", "+"):
        return False
    if "#" not in topic_filter and "+" not in topic_filter:
        return False
    return _levels_match(topic_filter.split("/"), topic.split("/"))


def _levels_match(wanted: list[str], levels: list[str]) -> bool:
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or (level != "+" and level != levels[index]):
            return False
    return len(wanted) == len(levels)


@final
class TopicCache:
    """Decodes and checks a topic's bytes once, not once per message; remembers the last two of a connection."""

    __slots__ = ("_older_raw", "_older_topic", "raw", "topic")

    def __init__(self) -> None:
        self.raw = b""
        """The bytes seen last; whoever compares with them first saves a call."""
        self.topic = ""
        self._older_raw = b""
        self._older_topic = ""

    def decode(self, raw: bytes) -> str:
        """The topic name `raw` is the UTF-8 of; "" for no bytes: what that means is the caller's to say.

        Raises:
            ProtocolViolation: not UTF-8 as the standard wants it, or not a topic name.
        """
        if not raw:
            return ""
        if raw == self._older_raw:
            topic = self._older_topic
        else:
            topic = decode_utf8(raw)
            check_topic_name(topic)
        self._older_raw, self._older_topic = self.raw, self.topic
        self.raw, self.topic = raw, topic
        return topic
