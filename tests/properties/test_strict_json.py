"""Any bytes are read, or refused with the documented error; what was written reads the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ironhub.core.strict_json import JsonInvalid, decode_json, encode_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(VALUES)
def test_what_was_written_reads_the_same(value: Any) -> None:
    assert decode_json(encode_json(value)) == value
    assert decode_json(json.dumps(value).encode()) == value


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text('{}[]",:\\u0d8019eE+-.ntrfalsNI ', max_size=60).map(str.encode))
def test_any_bytes_are_read_as_python_reads_them_or_refused(data: bytes) -> None:
    try:
        value = decode_json(data, max_depth=8)
    except JsonInvalid:
        return
    assert value == json.loads(data)
    assert decode_json(encode_json(value)) == value


@settings(max_examples=50)
@given(st.integers(0, 30), st.integers(1, 20))
def test_depth_is_bounded_exactly(depth: int, bound: int) -> None:
    text = b'{"[":[' * depth + b"]}" * depth or b"0"
    if 2 * depth <= bound:
        decode_json(text, max_depth=bound)
    else:
        with pytest.raises(JsonInvalid):
            decode_json(text, max_depth=bound)
