"""wire/amqp/performatives.py; what each says is in the tests of its own module."""

import pytest
from tests.fakes.amqp_values import listed

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import NOT_FOUND, NOT_IMPLEMENTED
from ironhub.wire.amqp.errors import Error, MalformedValue, ProtocolViolation
from ironhub.wire.amqp.performatives import (
    ABSENT,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Performative,
    Transfer,
    decode_performative,
)

NULL = encode.NULL
ONE_OF_EACH: list[Performative] = [
    Open("c", "h", 512, 7, 240_000),
    Begin(ABSENT, 0, 5000, 5000),
    Attach("n", 0, True),
    Flow(1, 2, 3, 4),
    Transfer(1, 2, b"t", 0, payload=b"payload"),
    Disposition(True, 1),
    Detach(7, True, Error(NOT_FOUND, "why")),
    End(Error(NOT_FOUND)),
    Close(Error(NOT_FOUND, "x" * 300)),
]
NAMES = ["open", "begin", "attach", "flow", "transfer", "disposition", "detach", "end", "close"]


def body_of(code: int, *items: bytes) -> bytes:
    return encode.described(code, listed(*items))


@pytest.mark.parametrize("said", ONE_OF_EACH, ids=NAMES)
def test_each_is_known_by_its_descriptor(said: Performative) -> None:
    body = said.encode()
    found = decode_performative(body)
    assert type(found) is type(said)
    assert found.encode() == body


@pytest.mark.parametrize(("said", "name"), list(zip(ONE_OF_EACH, NAMES, strict=True)), ids=NAMES)
def test_a_descriptor_may_be_long_or_a_symbol(said: Performative, name: str) -> None:
    body = said.encode()
    symbol = b"\x00" + encode.symbol(f"amqp:{name}:list")
    for descriptor in (b"\x00\x80" + body[2].to_bytes(8, "big"), symbol):
        assert decode_performative(descriptor + body[3:]).encode() == body


@pytest.mark.parametrize("code", [0x0F, 0x19, 0x41, 0xFF])
def test_another_performative_is_not_implemented(code: int) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        decode_performative(body_of(code))
    assert caught.value.condition == NOT_IMPLEMENTED


@pytest.mark.parametrize(
    "body",
    [
        b"\x40",
        b"\x45",
        b"\x00\x53\x10",
        b"\x00\x53\x10\x40",
        body_of(0x10),
        body_of(0x10, encode.string("c"), *[NULL] * 10),
        body_of(0x17, NULL, NULL),
        body_of(0x18) + b"payload",
        body_of(0x18, encode.uint(1)),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_performative(body)
