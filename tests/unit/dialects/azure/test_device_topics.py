"""Tests of dialects/azure/device_topics.py: what a device says the hub understands, and the other way round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.core.ids import identity
from ironhub.dialects.azure.device_topics import (
    CommandArrived,
    DesiredChanged,
    MethodCalled,
    TwinAnswered,
    feeds_wanted,
    get_twin_topic,
    heard,
    method_answer_topic,
    patch_reported_topic,
    telemetry_topic,
    username_of,
)
from ironhub.dialects.azure.topics import (
    AnswerMethod,
    Feed,
    GetTwin,
    PatchReported,
    SendTelemetry,
    desired_topic,
    feeds_of,
    method_topic,
    operation_of,
    twin_response_topic,
)
from ironhub.dialects.azure.username import decode_connect

PRESS = identity("press-7")
ARM = identity("press-7", "arm")


@pytest.mark.parametrize("who", [PRESS, ARM])
def test_the_hub_reads_who_connects_and_with_what(who: object) -> None:
    claim = decode_connect(str(who), username_of(who, "hub.example", "a client/1"))  # type: ignore[arg-type]
    assert (claim.identity, claim.host, claim.client_type) == (who, "hub.example", "a client/1")


@pytest.mark.parametrize("who", [PRESS, ARM])
def test_the_filters_cover_all_that_the_hub_publishes(who: object) -> None:
    feeds = Feed(0)
    for topic_filter in feeds_wanted(who):  # type: ignore[arg-type]
        feeds |= feeds_of(topic_filter, who)  # type: ignore[arg-type]
    assert feeds == Feed.COMMANDS | Feed.METHODS | Feed.TWIN_RESPONSES | Feed.DESIRED


def test_what_a_device_publishes_the_hub_understands() -> None:
    assert operation_of(telemetry_topic(PRESS, [("$.ct", "a/b")]), PRESS) == SendTelemetry(b"%24.ct=a%2Fb")
    assert operation_of(get_twin_topic("7"), PRESS) == GetTwin("7")
    assert operation_of(patch_reported_topic("8"), PRESS) == PatchReported("8")
    assert operation_of(method_answer_topic(200, "9"), PRESS) == AnswerMethod("9", 200)


@given(name=st.text(min_size=1, max_size=20), number=st.integers(0, 2**62))
def test_what_the_hub_publishes_a_device_understands(name: str, number: int) -> None:
    encodable = name.encode("utf-8", "replace").decode()
    assert heard(method_topic(encodable, "a1"), PRESS) == MethodCalled(encodable, "a1")
    assert heard(twin_response_topic(204, str(number), number), PRESS) == TwinAnswered(204, str(number))
    assert heard(desired_topic(number), PRESS) == DesiredChanged(number)


@given(topic=st.text(max_size=60))
def test_any_other_topic_means_nothing(topic: str) -> None:
    if not topic.startswith("devices/"):
        assert heard(topic, PRESS) is None


def test_commands_are_those_of_this_very_device() -> None:
    assert heard("devices/press-7/messages/devicebound/%24.mid=1", PRESS) == CommandArrived("%24.mid=1")
    assert heard("devices/press-70/messages/devicebound/a", PRESS) is None
