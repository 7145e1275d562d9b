"""heads/mqtt/subscriptions.py"""

import pytest

from ironhub.core.ids import identity
from ironhub.dialects.azure.topics import Feed, ForeignTopic, UnknownTopic
from ironhub.heads.mqtt.subscriptions import MAX_FILTER, Subscriptions, TooManySubscriptions

PRESS = identity("press-7")
COMMANDS = "devices/press-7/messages/devicebound/#"


def test_a_filter_covers_its_feed_and_grants_its_qos() -> None:
    subscriptions = Subscriptions(PRESS, {}, limit=5)
    assert subscriptions.add(PRESS, {COMMANDS: 1}) == (Feed.COMMANDS, True)
    assert subscriptions.qos_for("devices/press-7/messages/devicebound/a=b") == 1
    assert subscriptions.qos_for("$iothub/twin/res/200/?$rid=1") is None


def test_the_same_filter_again_changes_nothing_that_must_be_stored() -> None:
    subscriptions = Subscriptions(PRESS, {COMMANDS: 1}, limit=5)
    assert subscriptions.feeds == Feed.COMMANDS
    assert subscriptions.add(PRESS, {COMMANDS: 1}) == (Feed.COMMANDS, False)
    assert subscriptions.add(PRESS, {COMMANDS: 0}) == (Feed.COMMANDS, True)


def test_stored_filters_that_mean_nothing_to_this_version_keep_no_device_out() -> None:
    stored = {COMMANDS: 1, "$iothub/from/another/version/#": 1, "devices/oven-1/messages/devicebound/#": 1}
    subscriptions = Subscriptions(PRESS, stored, limit=5)
    assert subscriptions.snapshot() == {COMMANDS: 1}
    assert subscriptions.feeds == Feed.COMMANDS


def test_a_removed_filter_covers_nothing_any_more() -> None:
    subscriptions = Subscriptions(PRESS, {COMMANDS: 1, "$iothub/methods/POST/#": 0}, limit=5)
    subscriptions.remove(PRESS, [COMMANDS, "never/there"])
    assert subscriptions.feeds == Feed.METHODS
    assert subscriptions.snapshot() == {"$iothub/methods/POST/#": 0}


@pytest.mark.parametrize("topic_filter", ["devices/oven-1/messages/devicebound/#", "devices/+/messages/devicebound/#"])
def test_a_filter_beyond_the_own_identity_is_refused_and_nothing_kept(topic_filter: str) -> None:
    subscriptions = Subscriptions(PRESS, {}, limit=5)
    with pytest.raises((ForeignTopic, UnknownTopic)):
        subscriptions.add(PRESS, {COMMANDS: 1, topic_filter: 0})
    assert subscriptions.snapshot() == {}


def test_more_filters_than_allowed_are_refused_and_nothing_kept() -> None:
    subscriptions = Subscriptions(PRESS, {COMMANDS: 1}, limit=2)
    two = {f"$iothub/twin/res/{status}/#": 0 for status in (200, 204)}
    with pytest.raises(TooManySubscriptions):
        subscriptions.add(PRESS, two)
    assert subscriptions.snapshot() == {COMMANDS: 1}


def test_a_filter_longer_than_any_that_means_something_is_not_kept() -> None:
    subscriptions = Subscriptions(PRESS, {}, limit=50)
    with pytest.raises(TooManySubscriptions):
        subscriptions.add(PRESS, {"$iothub/twin/res/" + "x" * MAX_FILTER: 1})
    assert subscriptions.snapshot() == {}
