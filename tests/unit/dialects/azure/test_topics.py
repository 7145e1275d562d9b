"""Which topic means what, for whom; and what the hub's own topics look like to the SDKs."""

import pytest

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.properties import MAX_PROPERTIES, PropertiesInvalid
from ironhub.dialects.azure.topics import (
    AnswerMethod,
    Feed,
    ForeignTopic,
    GetTwin,
    Operation,
    PatchReported,
    SendTelemetry,
    UnknownTopic,
    command_topic,
    desired_topic,
    feeds_of,
    input_topic,
    method_topic,
    operation_of,
    twin_response_topic,
    will_of,
)
from ironhub.messaging.commands.model import Ack, Command

DEVICE = identity("press-7")
MODULE = identity("press-7", "arm")


@pytest.mark.parametrize(
    ("who", "topic", "operation"),
    [
        (DEVICE, "devices/press-7/messages/events/", SendTelemetry(b"")),
        (DEVICE, "devices/press-7/messages/events", SendTelemetry(b"")),
        (DEVICE, "devices/press-7/messages/events/%24.mid=1&a=b", SendTelemetry(b"%24.mid=1&a=b")),
        (DEVICE, "devices/press-7/messages/events/ä=1/", SendTelemetry("ä=1".encode())),
        (MODULE, "devices/press-7/modules/arm/messages/events/%24.on=out/", SendTelemetry(b"%24.on=out")),
        (DEVICE, "$iothub/twin/GET/?$rid=7b2d7db9-0689", GetTwin("7b2d7db9-0689")),
        (MODULE, "$iothub/twin/GET/?x=y&%24rid=1", GetTwin("1")),
        (DEVICE, "$iothub/twin/PATCH/properties/reported/?$rid=2&$version=3", PatchReported("2")),
        (DEVICE, "$iothub/methods/res/200/?$rid=1a", AnswerMethod("1a", 200)),
        (DEVICE, "$iothub/methods/res/-1/?$rid=%20", AnswerMethod("%20", -1)),
        (identity("a+b?%c"), "devices/a+b?%c/messages/events/x", SendTelemetry(b"x")),
    ],
)
def test_a_publish_means_an_operation(who: Identity, topic: str, operation: Operation) -> None:
    assert operation_of(topic, who) == operation


@pytest.mark.parametrize(
    ("who", "topic"),
    [
        (DEVICE, "devices/press-8/messages/events/"),
        (DEVICE, "devices/press-70/messages/events/"),
        (DEVICE, "devices/PRESS-7/messages/events/"),
        (DEVICE, "devices/press%2D7/messages/events/"),
        (DEVICE, "devices//messages/events/"),
        (DEVICE, "devices/press-7/modules/arm/messages/events/"),
        (MODULE, "devices/press-7/messages/events/"),
        (MODULE, "devices/press-7/modules/leg/messages/events/"),
        (MODULE, "devices/press-7/modules/arm2/messages/events/"),
        (MODULE, "devices/press-8/modules/arm/messages/events/"),
        (DEVICE, "devices/"),
    ],
)
def test_the_topics_of_others_are_foreign(who: Identity, topic: str) -> None:
    with pytest.raises(ForeignTopic):
        operation_of(topic, who)
    with pytest.raises(ForeignTopic):
        feeds_of(topic, who)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "x",
        "devices",
        "telemetry",
        "devices/press-7",
        "devices/press-7/messages/eventsx",
        "devices/press-7/messages/devicebound/",
        "devices/press-7/messages/Events/",
        "$iothub/twin/GET/",
        "$iothub/twin/GET/?",
        "$iothub/twin/GET/?rid=1",
        "$iothub/twin/GET/?$rid=",
        "$iothub/twin/GET/?$rid=" + "1" * 257,
        "$iothub/twin/get/?$rid=1",
        "$iothub/twin/res/200/?$rid=1",
        "$iothub/twin/PATCH/properties/desired/?$version=1",
        "$iothub/methods/POST/reboot/?$rid=1",
        "$iothub/methods/res/ok/?$rid=1",
        "$iothub/methods/res/99999999999/?$rid=1",
        "$iothub/methods/res/2147483648/?$rid=1",
        "$iothub/methods/res/200/?",
        "$dps/registrations/PUT/iotdps-register/?$rid=1",
        "$iothub/",
    ],
)
def test_other_topics_mean_nothing(topic: str) -> None:
    with pytest.raises(UnknownTopic):
        operation_of(topic, DEVICE)


def test_a_topic_in_an_error_is_cut_short_and_made_printable() -> None:
    with pytest.raises(UnknownTopic) as refusal:
        operation_of("\x00\u202e" + "x" * 60_000, DEVICE)
    assert len(str(refusal.value)) < 300
    assert str(refusal.value).isprintable()


def test_a_bag_with_too_many_properties_is_refused_on_the_way_in() -> None:
    with pytest.raises(PropertiesInvalid):
        operation_of("devices/press-7/messages/events/" + "a&" * MAX_PROPERTIES, DEVICE)


def test_a_last_will_is_own_telemetry() -> None:
    assert will_of("devices/press-7/messages/events/a=b", DEVICE) == SendTelemetry(b"a=b")
    with pytest.raises(ForeignTopic):
        will_of("devices/press-8/messages/events/", DEVICE)
    with pytest.raises(UnknownTopic, match="only be telemetry"):
        will_of("$iothub/twin/GET/?$rid=1", DEVICE)


ALL_HUB = Feed.METHODS | Feed.TWIN_RESPONSES | Feed.DESIRED


@pytest.mark.parametrize(
    ("who", "topic_filter", "wanted"),
    [
        (DEVICE, "devices/press-7/messages/devicebound/#", Feed.COMMANDS),
        (DEVICE, "devices/press-7/messages/#", Feed.COMMANDS),
        (DEVICE, "devices/press-7/#", Feed.COMMANDS),
        (DEVICE, "devices/press-7/+/devicebound/#", Feed.COMMANDS),
        (DEVICE, "devices/press-7/messages/devicebound/", Feed.COMMANDS),
        (DEVICE, "devices/press-7/messages/devicebound/+", Feed.COMMANDS),
        (MODULE, "devices/press-7/modules/arm/#", Feed.COMMANDS | Feed.INPUTS),
        (MODULE, "devices/press-7/modules/arm/inputs/#", Feed.INPUTS),
        (MODULE, "devices/press-7/modules/arm/inputs/in1/#", Feed.INPUTS),
        (MODULE, "devices/press-7/modules/arm/messages/devicebound/#", Feed.COMMANDS),
        (DEVICE, "$iothub/methods/POST/#", Feed.METHODS),
        (DEVICE, "$iothub/methods/POST/reboot/+", Feed.METHODS),
        (DEVICE, "$iothub/twin/res/#", Feed.TWIN_RESPONSES),
        (DEVICE, "$iothub/twin/PATCH/properties/desired/#", Feed.DESIRED),
        (DEVICE, "$iothub/twin/#", Feed.TWIN_RESPONSES | Feed.DESIRED),
        (MODULE, "$iothub/#", ALL_HUB),
    ],
)
def test_a_filter_covers_feeds(who: Identity, topic_filter: str, wanted: Feed) -> None:
    assert feeds_of(topic_filter, who) == wanted


@pytest.mark.parametrize(
    ("who", "topic_filter"),
    [
        (DEVICE, "#"),
        (DEVICE, "+/press-7/messages/devicebound/#"),
        (DEVICE, "devices/press-7/messages/events/#"),
        (DEVICE, "devices/press-7/messages/devicebound"),
        (DEVICE, "$iothub/methods/POST"),
        (DEVICE, "$iothub"),
        (DEVICE, "$dps/registrations/res/#"),
        (DEVICE, "+/methods/POST/#"),
        (MODULE, "devices/press-7/modules/arm/outputs/#"),
    ],
)
def test_a_filter_that_covers_nothing_is_refused(who: Identity, topic_filter: str) -> None:
    with pytest.raises(UnknownTopic):
        feeds_of(topic_filter, who)


@pytest.mark.parametrize(
    ("who", "topic_filter"),
    [
        (DEVICE, "devices/#"),
        (DEVICE, "devices/+/messages/devicebound/#"),
        (DEVICE, "devices/press-8/messages/devicebound/#"),
        (DEVICE, "devices/press-7/modules/#"),
        (DEVICE, "devices/press-7/modules/+/inputs/#"),
        (MODULE, "devices/press-7/#"),
        (MODULE, "devices/press-7/modules/+/inputs/#"),
        (MODULE, "devices/press-7/modules/#"),
        (MODULE, "devices/press-7/messages/devicebound/#"),
    ],
)
def test_no_filter_reaches_across_identities(who: Identity, topic_filter: str) -> None:
    with pytest.raises(ForeignTopic):
        feeds_of(topic_filter, who)


def command(**changes: object) -> Command:
    given = {"identity": DEVICE, "sequence_number": 1, "message_id": "m 1", "body": b"", "enqueued_at": 0.0}
    return Command(**{**given, "expires_at": 1_769_860_800.0, **changes})  # type: ignore[arg-type]  # test data


def test_a_command_carries_its_properties_in_the_topic() -> None:
    sent = command(
        ack=Ack.FULL,
        correlation_id="c",
        user_id="u",
        content_type="application/json",
        content_encoding="utf-8",
        properties={"a b": "c/d=e", "empty": ""},
    )
    assert command_topic(DEVICE, sent) == (
        "devices/press-7/messages/devicebound/%24.mid=m%201&%24.cid=c&%24.uid=u"
        "&%24.to=%2Fdevices%2Fpress-7%2Fmessages%2FdeviceBound&%24.ct=application%2Fjson&%24.ce=utf-8"
        "&%24.exp=2026-01-31T12%3A00%3A00.0000000Z&iothub-ack=full&a%20b=c%2Fd%3De&empty="
    )


def test_a_plain_command_of_a_module_has_a_slash_and_what_the_hub_knows() -> None:
    assert command_topic(MODULE, command(identity=MODULE)) == (
        "devices/press-7/modules/arm/messages/devicebound/%24.mid=m%201"
        "&%24.to=%2Fdevices%2Fpress-7%2Fmodules%2Farm%2Fmessages%2FdeviceBound&%24.exp=2026-01-31T12%3A00%3A00.0000000Z"
    )


def test_the_topics_of_the_hub_look_as_the_sdks_read_them() -> None:
    assert input_topic(MODULE, "in put", []) == "devices/press-7/modules/arm/inputs/in%20put/"
    assert input_topic(MODULE, "in", [("a", "/")]) == "devices/press-7/modules/arm/inputs/in/a=%2F"
    assert method_topic("get status", "1a") == "$iothub/methods/POST/get%20status/?$rid=1a"
    assert twin_response_topic(200, "7b-2d") == "$iothub/twin/res/200/?$rid=7b-2d"
    assert twin_response_topic(204, "1", 5) == "$iothub/twin/res/204/?$rid=1&$version=5"
    assert desired_topic(9) == "$iothub/twin/PATCH/properties/desired/?$version=9"


def test_each_refusal_has_a_code_and_a_next_step() -> None:
    kinds: tuple[type[HubError], ...] = (UnknownTopic, ForeignTopic, PropertiesInvalid)
    assert {kind.code for kind in kinds} == {"topic.unknown", "topic.foreign", "properties.invalid"}
