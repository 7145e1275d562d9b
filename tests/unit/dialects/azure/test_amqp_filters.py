"""Where readers begin, as each client says it."""

import pytest

from ironhub.dialects.azure.amqp_filters import (
    SELECTOR,
    Earliest,
    FilterInvalid,
    FromOffset,
    FromSequence,
    FromTime,
    Latest,
    Start,
    decode_start,
)
from ironhub.wire.amqp.values import Described, Value

A = "amqp.annotation."


def test_without_a_selector_a_reader_begins_at_the_oldest() -> None:
    assert decode_start({}) == Earliest()
    assert decode_start({"other": "filter", SELECTOR: None}) == Earliest()


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("x-opt-offset > '-1'", Earliest()),
        ("x-opt-offset >= '-1'", Earliest()),
        ("x-opt-offset > '@latest'", Latest()),
        ("x-opt-offset >= '@latest'", Latest()),
        ("x-opt-offset > '12345'", FromOffset(12345, inclusive=False)),
        ("x-opt-offset >= '0'", FromOffset(0, inclusive=True)),
        ("x-opt-sequence-number > '42'", FromSequence(42, inclusive=False)),
        ("x-opt-sequence-number >= '42'", FromSequence(42, inclusive=True)),
        ("x-opt-sequence-number > '-1'", Earliest()),
        ("x-opt-enqueued-time > '1700000000123'", FromTime(1_700_000_000.123, inclusive=False)),
        ("x-opt-enqueued-time >= '-1'", FromTime(-0.001, inclusive=True)),
        ("x-opt-enqueuedtimeutc > 1700000000000", FromTime(1_700_000_000.0, inclusive=False)),
        ("x-opt-offset>7 ", FromOffset(7, inclusive=False)),
    ],
)
def test_each_form_is_understood(text: str, start: Start) -> None:
    descriptors: list[Value] = [SELECTOR, 0x0000_468C_0000_0004, None]
    for descriptor in descriptors:
        assert decode_start({SELECTOR: Described(descriptor, A + text)}) == start
    assert decode_start({SELECTOR: A + text}) == start


@pytest.mark.parametrize(
    "value",
    [
        "",
        A + "x-opt-offset",
        A + "x-opt-offset < '5'",
        A + "x-opt-offset = '5'",
        A + "x-opt-offset > 5'",
        A + "x-opt-offset > ''",
        A + "x-opt-offset > '1e3'",
        A + "x-opt-offset > @latest",
        A + "x-opt-sequence-number > '@latest'",
        A + "x-opt-offset > '" + "9" * 20 + "'",
        A + "x-opt-offset > '٣'",
        A + "x-opt-partition-key > '5'",
        "x-opt-offset > '5'",
        A + "x-opt-offset > '5' OR 1=1",
        A + "x-opt-offset > '5'" + " " * 300,
        5,
        [A + "x-opt-offset > '5'"],
        b"amqp.annotation.x-opt-offset > '5'",
    ],
)
def test_anything_else_is_refused(value: Value) -> None:
    for sent in (value, Described(SELECTOR, value)):
        with pytest.raises(FilterInvalid):
            decode_start({SELECTOR: sent})
