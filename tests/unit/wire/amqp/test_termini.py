import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.termini import Terminus, decode_source, decode_target, source, target
from ironhub.wire.amqp.values import Described

NULL = encode.NULL
FILTER = encode.map_(
    [
        (
            encode.symbol("apache.org:selector-filter:string"),
            encode.described(77_567_109_365_764, encode.string("amqp.annotation.x-opt-offset > '-1'")),
        )
    ]
)
FULL_SOURCE = encode.list_(
    [
        *(encode.string("a"), encode.uint(0), encode.symbol("session-end"), encode.uint(0), encode.TRUE),
        *(NULL, NULL, FILTER, NULL, encode.symbols(["amqp:accepted:list"]), NULL),
    ]
)
FULL_TARGET = encode.list_([encode.string("b"), encode.uint(0), NULL, encode.uint(0), encode.FALSE, NULL, NULL])


def test_a_source_keeps_its_bytes_and_tells_its_address_and_filters() -> None:
    raw = encode.described(0x28, FULL_SOURCE)
    found = decode_source(raw)
    assert found is not None
    assert (found.raw, found.address, found.dynamic) == (raw, "a", True)
    assert found.filters == {
        "apache.org:selector-filter:string": Described(77_567_109_365_764, "amqp.annotation.x-opt-offset > '-1'")
    }
    assert "a" in repr(found)


def test_a_target_keeps_its_bytes_and_tells_its_address() -> None:
    raw = encode.described_symbol("amqp:target:list", FULL_TARGET)
    found = decode_target(raw)
    assert found is not None
    assert (found.raw, found.address, found.dynamic, found.filters) == (raw, "b", False, {})


@pytest.mark.parametrize("address", ["a", "", None])
def test_simple_ends_are_read_back(address: str | None) -> None:
    for made, read in ((source(address), decode_source), (target(address), decode_target)):
        found = read(made.raw)
        assert found is not None
        assert (found.address, made.address) == (address, address)


def test_an_end_may_be_null_or_empty() -> None:
    assert decode_source(NULL) is None
    assert decode_target(NULL) is None
    for found in (decode_source(b"\x00\x53\x28\x45"), decode_target(b"\x00\x53\x29\x45")):
        assert isinstance(found, Terminus)
        assert (found.address, found.dynamic, found.filters) == (None, False, {})


def test_a_coordinator_of_transactions_has_no_address() -> None:
    found = decode_target(encode.described(0x30, encode.list_([encode.symbols(["amqp:local-transactions"])])))
    assert found is not None
    assert found.address is None


@pytest.mark.parametrize(
    "raw",
    [
        b"\x45",
        b"\xa1\x01a",
        b"\x00\x53\x27\x45",
        b"\x00\x53\x28\x40",
        encode.described(0x28, encode.list_([encode.uint(5)])),
        encode.described(0x28, encode.list_([NULL] * 12)),
        encode.described(0x28, encode.list_([NULL] * 7 + [encode.uint(1)])),
        encode.described(0x28, encode.list_([NULL] * 4 + [encode.uint(1)])),
    ],
)
def test_what_is_no_end_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_source(raw)
    with pytest.raises(MalformedValue):
        decode_target(raw.replace(b"\x53\x28", b"\x53\x29"))
