"""Properties as AMQP sections, made anew and remembered."""

import pytest
from tests.fakes.amqp_readers import by_own_codec

from ironhub.dialects.azure import amqp_bags
from ironhub.dialects.azure.amqp_bags import MAX_BAGS, MAX_KEPT_BAG, Bag, Bags
from ironhub.dialects.azure.properties import MAX_PROPERTIES
from ironhub.messaging.telemetry.model import Encoding, Flag
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.sections import data_section

TOPIC, JSON, AMQP = Encoding.AZURE_TOPIC, Encoding.JSON, Encoding.AZURE_AMQP


def told(bag: Bag) -> tuple[dict[str, object], dict[str, object]]:
    """What the sections say, and nothing of annotations."""
    seen = by_own_codec(bag.sections + data_section(b""))
    return seen.properties, seen.application


@pytest.fixture
def bags() -> Bags:
    return Bags()


@pytest.mark.parametrize(
    ("properties", "standard", "application"),
    [
        (b"", {}, {}),
        (b"a=1&b", {}, {"a": "1", "b": None}),
        (b"%24.mid=m&a=1", {"message-id": "m"}, {"a": "1"}),
        (
            b"a=1&$.mid=m%20%C3%A9&%24.cid=c&%24.ct=t",
            {"message-id": "m é", "correlation-id": "c", "content-type": "t"},
            {"a": "1"},
        ),
        (b"%24.mid=1&$.mid=2", {"message-id": "2"}, {}),
        (b"%24.mid=1&%24%2Emid=2", {"message-id": "2"}, {}),
        (b"%24%2Emid=2&%24.mid=1", {"message-id": "1"}, {}),
        (b"%24.mid=1&%24.mid", {"message-id": ""}, {}),
        (b"%24.mid", {"message-id": ""}, {}),
        (b"x.mid=1", {}, {"x.mid": "1"}),
        (b"%24.mid=\xff", {"message-id": "\ufffd"}, {}),
        (b"%24.mid=m" + b"&a=1" * MAX_PROPERTIES, {}, {}),
    ],
)
def test_a_bag_says_the_same_whatever_was_read_before(
    bags: Bags, properties: bytes, standard: dict[str, object], application: dict[str, object]
) -> None:
    for _ in range(2):
        assert told(bags.of(TOPIC, properties, 0)) == (standard, application)
        bags.of(TOPIC, b"%24.mid=other&a=1", 0)


def test_encodings_and_flags_are_told_apart(bags: Bags) -> None:
    section = e.described(0x74, e.map_([(e.string("a"), e.int_(1))]))
    for _ in range(2):
        assert told(bags.of(JSON, b'{"$.mid":"m","a":"1"}', 0)) == ({"message-id": "m"}, {"a": "1"})
        assert told(bags.of(TOPIC, b"a=1", 0)) == ({}, {"a": "1"})
        assert told(bags.of(TOPIC, b"a=1", Flag.WILL)) == ({}, {"a": "1", "iothub-MessageType": "Will"})
        assert told(bags.of(AMQP, section, 0)) == ({}, {"a": 1})
        assert told(bags.of(AMQP, section, Flag.RETAIN)) == ({}, {"a": 1, "mqtt-retain": "true"})
        assert told(bags.of(AMQP, b"", Flag.RETAIN)) == ({}, {"mqtt-retain": "true"})
        assert told(bags.of(JSON, section, 0)) == ({}, {})


def test_annotations_are_kept_apart(bags: Bags) -> None:
    bag = bags.of(TOPIC, b"%24.sub=s&%24.mid=m", 0)
    assert (bag.annotations, bag.pairs) == (e.symbol("dt-subject") + e.string("s"), 1)


def test_ids_of_amqp_senders_stand_beside_what_repeats(bags: Bags) -> None:
    application = e.described(0x74, e.map_([(e.string("a"), e.int_(1))]))
    for n in range(50):
        standard = e.described(0x73, e.list_([e.ulong(n), e.null(), e.string("/to")]))
        assert bags.of(AMQP, standard + application, 0).sections == standard + application
    assert len(bags._kept) == 1
    standard = e.described(0x73, e.list_([e.null(), e.null(), e.string("/to")]))
    assert bags.of(AMQP, standard + application, 0) is bags.of(AMQP, standard + application, 0)


def test_ids_of_others_stand_beside_what_repeats(bags: Bags) -> None:
    for n in range(50):
        assert told(bags.of(TOPIC, b"%%24.mid=%d&a=1" % n, 0)) == ({"message-id": str(n)}, {"a": "1"})
    assert len(bags._kept) == 1


def test_what_is_kept_is_bounded(bags: Bags, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amqp_bags, "MAX_BAGS", 10)
    for n in range(25):
        assert told(bags.of(TOPIC, b"n=%d" % n, 0)) == ({}, {"n": str(n)})
        assert len(bags._kept) <= 10
    large = b"%24.mid=m&a=" + b"x" * MAX_KEPT_BAG
    assert told(bags.of(TOPIC, large, 0)) == ({"message-id": "m"}, {"a": "x" * MAX_KEPT_BAG})
    assert all(len(properties) <= MAX_KEPT_BAG for _, properties, _ in bags._kept)
    assert MAX_BAGS * MAX_KEPT_BAG <= 1 << 20
