import pytest

from ironhub.wire.amqp import encode, outcomes
from ironhub.wire.amqp.conditions import NOT_FOUND, NOT_IMPLEMENTED
from ironhub.wire.amqp.errors import Error, MalformedValue, ProtocolViolation
from ironhub.wire.amqp.outcomes import DeliveryState, decode_error, decode_state, encode_error

INFO = encode.map_([(encode.symbol("port"), encode.uint(5671))])
STATES = {
    "005324" + "45": DeliveryState(outcomes.ACCEPTED),
    "005326" + "45": DeliveryState(outcomes.RELEASED),
    "005325" + "c0020140": DeliveryState(outcomes.REJECTED),
    "005327" + "c00403414240": DeliveryState(outcomes.MODIFIED, delivery_failed=True),
    "005327" + "c00403424140": DeliveryState(outcomes.MODIFIED, undeliverable_here=True),
}


def same(one: DeliveryState | None, other: DeliveryState) -> bool:
    return one is not None and repr(one) == repr(other)


@pytest.mark.parametrize(("data", "state"), STATES.items())
def test_a_state_is_written_and_read(data: str, state: DeliveryState) -> None:
    raw = bytes.fromhex(data)
    assert state.encode() == raw
    found, end = decode_state(b"\xff" + raw + b"\xff", 1, len(raw) + 1)
    assert same(found, state)
    assert end == len(raw) + 1


@pytest.mark.parametrize(
    ("data", "state"),
    [
        ("00532445", DeliveryState(outcomes.ACCEPTED)),
        ("005324c00100", DeliveryState(outcomes.ACCEPTED)),
        ("005324d00000000400000000", DeliveryState(outcomes.ACCEPTED)),
        ("0080000000000000002445", DeliveryState(outcomes.ACCEPTED)),
        ("00a312616d71703a61636365707465643a6c69737445", DeliveryState(outcomes.ACCEPTED)),
        ("00532545", DeliveryState(outcomes.REJECTED)),
        ("00532745", DeliveryState(outcomes.MODIFIED)),
        ("005323c003024344", DeliveryState(outcomes.RECEIVED)),
    ],
)
def test_a_state_is_read_however_it_is_written(data: str, state: DeliveryState) -> None:
    raw = bytes.fromhex(data)
    found, end = decode_state(raw, 0, len(raw))
    assert same(found, state)
    assert end == len(raw)


def test_no_state_is_a_null() -> None:
    assert decode_state(b"\x40", 0, 1) == (None, 1)


@pytest.mark.parametrize("data", ["", "00", "45", "005324", "00532440", "005324c0020140", "005325c0020141", "00532445"])
def test_what_is_no_state_is_refused(data: str) -> None:
    raw = bytes.fromhex(data)
    with pytest.raises(MalformedValue):
        decode_state(raw, 0, len(raw) - (1 if data == "00532445" else 0))


@pytest.mark.parametrize("data", ["00533345", "00533445", "00531d45", "00a3017845"])
def test_states_of_transactions_are_not_implemented(data: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        decode_state(bytes.fromhex(data), 0, len(data) // 2)
    assert caught.value.condition == NOT_IMPLEMENTED


@pytest.mark.parametrize("error", [Error(NOT_FOUND), Error(NOT_FOUND, "no such é"), Error("a:b", "", INFO), None])
def test_an_error_is_written_with_its_three_fields_and_read(error: Error | None) -> None:
    raw = encode_error(error)
    assert decode_error(raw) == error
    assert raw == encode.NULL or raw[5] == 3
    rejected = DeliveryState(outcomes.REJECTED, error).encode()
    state, _ = decode_state(rejected, 0, len(rejected))
    assert state is not None
    assert state.error == error


def test_an_error_may_leave_out_what_it_does_not_say() -> None:
    assert decode_error(encode.described(0x1D, encode.list_([encode.symbol("a:b")]))) == Error("a:b")
    assert decode_error(encode.described_symbol("amqp:error:list", encode.list_([encode.symbol("a")]))) == Error("a")


@pytest.mark.parametrize("raw", [b"\x45", encode.described(0x1D, b"\x45"), encode.described(0x1E, b"\x45"), b"\x00"])
def test_what_is_no_error_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_error(raw)
