"""Property bags: what SDKs send is read, and what is written every SDK reads."""

import pytest

from ironhub.dialects.azure.properties import (
    MAX_BAG,
    MAX_PROPERTIES,
    Bag,
    PropertiesInvalid,
    check_bag,
    decode_bag,
    encode_bag,
    split_bag,
)


def test_a_bag_of_the_python_sdk_is_read() -> None:
    bag = b"%24.mid=id%201&%24.cid=c&%24.ct=application%2Fjson&a%20b=c%2Fd"
    assert decode_bag(bag) == [("$.mid", "id 1"), ("$.cid", "c"), ("$.ct", "application/json"), ("a b", "c/d")]


@pytest.mark.parametrize(
    ("bag", "pairs"),
    [
        ("", []),
        ("$.mid=1", [("$.mid", "1")]),
        ("a", [("a", None)]),
        ("a=", [("a", "")]),
        ("=b", [("", "b")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=1+1", [("a", "1+1")]),
        ("&&a=1&", [("a", "1")]),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
        ("a=%zz%4", [("a", "%zz%4")]),
        ("a=%FF%C3%A4", [("a", "\ufffdä")]),
        ("ä=ö", [("ä", "ö")]),
    ],
)
def test_pairs_are_read_in_order(bag: str, pairs: list[tuple[str, str | None]]) -> None:
    assert decode_bag(bag) == pairs
    assert decode_bag(bag.encode()) == pairs


def test_bytes_that_are_no_text_stay_readable() -> None:
    assert decode_bag(b"a=\xff") == [("a", "\ufffd")]


def test_everything_reserved_is_encoded() -> None:
    assert (
        encode_bag([("$.to", "/d/x"), ("a=b&c", "#+%?"), ("ä", "")]) == "%24.to=%2Fd%2Fx&a%3Db%26c=%23%2B%25%3F&%C3%A4="
    )


def test_a_null_is_a_bare_name_and_nothing_is_an_empty_bag() -> None:
    assert encode_bag([("a", None), ("b", "")]) == "a&b="
    assert encode_bag([]) == ""


def test_system_properties_are_told_apart_and_the_last_counts() -> None:
    pairs = decode_bag("$.mid=1&%24.mid=2&x=3&iothub-ack=full&y")
    assert split_bag(pairs) == Bag({"$.mid": "2"}, {"x": "3", "iothub-ack": "full", "y": None})


@pytest.mark.parametrize("bag", ["a" * (MAX_BAG + 1), "&" * MAX_PROPERTIES, "a=1&" * MAX_PROPERTIES])
def test_a_bag_is_bounded_in_size_and_number(bag: str) -> None:
    with pytest.raises(PropertiesInvalid):
        check_bag(bag)
    with pytest.raises(PropertiesInvalid):
        decode_bag(bag)


def test_the_largest_bags_are_taken() -> None:
    check_bag("a" * MAX_BAG)
    assert len(decode_bag("&".join(["a=1"] * MAX_PROPERTIES))) == MAX_PROPERTIES
