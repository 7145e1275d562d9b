import pytest

from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.topics import (
    TopicCache,
    check_shared_filter,
    check_topic_filter,
    check_topic_name,
    is_shared,
    matches,
)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("a/b", "a/b"),
        ("sport/tennis/player1/#", "sport/tennis/player1"),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking"),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
        ("sport/#", "sport"),
        ("#", "sport/tennis"),
        ("#", "/"),
        ("+", "finance"),
        ("+/+", "/finance"),
        ("/+", "/finance"),
        ("sport/+", "sport/"),
        ("sport/+/player1", "sport/tennis/player1"),
        ("+/tennis/#", "sport/tennis"),
        ("a//b", "a//b"),
        ("a/+/b", "a//b"),
        ("$SYS/#", "$SYS/monitor/clients"),
        ("$SYS/monitor/+", "$SYS/monitor/clients"),
        ("a/$b/#", "a/$b/c"),
        ("+/$b", "a/$b"),
    ],
)
def test_a_filter_takes_a_topic(topic_filter: str, topic: str) -> None:
    """[MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-4], with the examples of 4.7.1"""
    assert matches(topic_filter, topic)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("a", "b"),
        ("a", "A"),
        ("a", "a/"),
        ("a/", "a"),
        ("/a", "a"),
        ("a b", "a%20b"),
        ("sport/tennis/+", "sport/tennis/player1/ranking"),
        ("sport/+", "sport"),
        ("+", "/finance"),
        ("sport/#", "sports"),
        ("sport/#", "sport2/x"),
        ("a/+/c", "a/b"),
        ("a/b/c", "a/b"),
        ("+/a", "b/c"),
        ("é", "e\u0301"),
    ],
)
def test_a_filter_leaves_a_topic(topic_filter: str, topic: str) -> None:
    assert not matches(topic_filter, topic)


@pytest.mark.parametrize("topic_filter", ["#", "+/monitor/clients", "+/#", "+"])
@pytest.mark.parametrize("topic", ["$SYS/monitor/clients", "$iothub/twin/res/200", "$"])
def test_a_leading_wildcard_takes_no_topic_that_begins_with_a_dollar(topic_filter: str, topic: str) -> None:
    """[MQTT-4.7.2-1]"""
    assert not matches(topic_filter, topic)


@pytest.mark.parametrize("topic", ["a", "/", "a//b", "$iothub/twin/GET/?$rid=1", " ", "a b", "\ufeffa"])
def test_a_topic_name_is_any_text_without_wildcards(topic: str) -> None:
    check_topic_name(topic)


@pytest.mark.parametrize("topic", ["", "#", "a/#", "+", "a+b", "a#b"])
def test_a_topic_name_is_not_empty_and_has_no_wildcard(topic: str) -> None:
    """[MQTT-3.3.2-2] [MQTT-4.7.3-1]"""
    with pytest.raises(ProtocolViolation) as caught:
        check_topic_name(topic)
    assert caught.value.code == ReasonCode.TOPIC_NAME_INVALID


@pytest.mark.parametrize("topic_filter", ["#", "+", "a/#", "+/a", "a/+/b", "+/+/#", "/", "/#", "$iothub/+/#", "a b"])
def test_a_wildcard_fills_its_level(topic_filter: str) -> None:
    check_topic_filter(topic_filter)


@pytest.mark.parametrize("topic_filter", ["", "##", "a#", "#/a", "a/#/b", "a/b#", "a+", "+a/b", "a/++", "a/#b", "+#"])
def test_a_wildcard_stands_alone_and_the_hash_last(topic_filter: str) -> None:
    """[MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1]"""
    with pytest.raises(ProtocolViolation) as caught:
        check_topic_filter(topic_filter)
    assert caught.value.code == ReasonCode.TOPIC_FILTER_INVALID


def test_a_shared_subscription_is_known_by_its_first_level() -> None:
    assert is_shared("$share/group/a")
    assert is_shared("$share")
    assert not is_shared("$shared/group/a")
    assert not is_shared("a/$share/b")


@pytest.mark.parametrize("topic_filter", ["$share/group/a/#", "$share/group//a", "$share/g/+"])
def test_a_shared_subscription_names_group_and_filter(topic_filter: str) -> None:
    check_shared_filter(topic_filter)


@pytest.mark.parametrize(
    "topic_filter", ["$share", "$share/g", "$share//a", "$share/g/", "$share/+/a", "$share/#", "$share/g/a#"]
)
def test_a_shared_subscription_without_group_or_filter_is_refused(topic_filter: str) -> None:
    """MQTT 5 [MQTT-4.8.2-1] [MQTT-4.8.2-2]"""
    with pytest.raises(ProtocolViolation):
        check_shared_filter(topic_filter)


def test_the_cache_remembers_the_last_two_topics() -> None:
    cache = TopicCache()
    first, second = cache.decode(b"first"), cache.decode(b"second")
    assert (cache.raw, cache.topic) == (b"second", "second")
    assert cache.decode(b"first") is first
    assert cache.decode(b"second") is second
    assert cache.decode(b"third") == "third"
    assert cache.decode(b"second") is second


def test_the_cache_keeps_nothing_that_is_refused() -> None:
    cache = TopicCache()
    for raw in (b"a/#", b"\xff", b"a/#"):
        with pytest.raises(ProtocolViolation):
            cache.decode(raw)
    assert cache.decode(b"") == ""
    assert (cache.raw, cache.topic) == (b"", "")
