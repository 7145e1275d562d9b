import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.sasl import (
    OUTCOME_AUTH,
    SaslChallenge,
    SaslFrame,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    SaslResponse,
    decode_plain,
    decode_sasl,
)
from ironhub.wire.amqp.values import Described

MECHANISMS = ["MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"]


@pytest.mark.parametrize(
    "frame",
    [
        SaslMechanisms(MECHANISMS),
        SaslInit("PLAIN", b"\0user\0secret", "hub.example"),
        SaslInit("EXTERNAL"),
        SaslChallenge(b"why"),
        SaslResponse(b"so"),
        SaslOutcome(OUTCOME_AUTH),
        SaslOutcome(0, b"more"),
    ],
)
def test_a_frame_is_written_and_read_back(frame: SaslFrame) -> None:
    body = frame.encode()
    found = decode_sasl(body)
    assert type(found) is type(frame)
    assert found.encode() == body


def test_the_mechanisms_are_an_array_of_symbols() -> None:
    body = SaslMechanisms(MECHANISMS).encode()
    assert decode(body)[0] == Described(0x40, [[*MECHANISMS]])
    assert encode.symbols(MECHANISMS) in body


def test_what_is_said_is_read() -> None:
    init = decode_sasl(SaslInit("PLAIN", b"r", "h").encode())
    assert isinstance(init, SaslInit)
    assert (init.mechanism, init.response, init.hostname) == ("PLAIN", b"r", "h")
    short = decode_sasl(encode.described(0x41, encode.list_([encode.symbol("ANONYMOUS")])))
    assert isinstance(short, SaslInit)
    assert (short.response, short.hostname) == (None, None)
    outcome = decode_sasl(encode.described_symbol("amqp:sasl-outcome:list", encode.list_([encode.ubyte(4)])))
    assert isinstance(outcome, SaslOutcome)
    assert (outcome.code, outcome.additional) == (4, None)


def test_a_repr_tells_no_secret() -> None:
    assert "secret" not in repr(SaslInit("PLAIN", b"\0user\0secret"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x45",
        encode.described(0x10, encode.list_([encode.string("c")])),
        encode.described(0x41, encode.list_([])),
        encode.described(0x41, encode.list_([encode.symbol("A"), encode.string("x")])),
        encode.described(0x41, encode.list_([encode.symbol("A")])) + b"more",
        encode.described(0x42, encode.list_([])),
        encode.described(0x43, encode.list_([encode.NULL])),
        encode.described(0x44, encode.list_([])),
    ],
)
def test_what_is_no_frame_of_the_security_layer_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_sasl(body)


def test_a_plain_response_is_three_strings() -> None:
    assert decode_plain("\0usér\0pass".encode()) == ("", "usér", "pass")
    assert decode_plain(b"other\0user\0pass") == ("other", "user", "pass")


@pytest.mark.parametrize("response", [b"", b"user\0pass", b"\0user\0pass\0", b"\0\xff\0pass"])
def test_another_plain_response_is_refused(response: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_plain(response)
