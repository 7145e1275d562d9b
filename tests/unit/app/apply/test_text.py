"""Tests of app/apply/text.py."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.apply.text import MAX_DEPTH, MAX_SIZE, FileInvalid, read_text, write_text

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=20)
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
WORDS = ["yes", "no", "010", "1e5", "null", "~", "2026-01-01", "1:30", "<<", "0x1", "- a", "a: b", "#"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | NUMBERS
    | TEXT
    | st.sampled_from(["yes", "no", "010", "1e5", "null", "~", "2026-01-01"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXT, below, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert json.dumps(read_text(write_text(value).encode()).value) == json.dumps(value)


@given(st.binary(max_size=200) | TEXT.map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(FileInvalid):
        json.dumps(read_text(data).value)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("1.5", 1.5),
        ("1.", 1.0),
        ("2.5e+3", 2500.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("Yes", "Yes"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        (".inf", ".inf"),
        ('"1"', "1"),
        ("'true'", "true"),
        ("<<", "<<"),
    ],
)
def test_a_plain_word_is_what_json_would_make_of_it(word: str, value: Any) -> None:
    found = read_text(f"a: {word}\n".encode()).value
    assert json.dumps(found) == json.dumps({"a": value})


def test_every_value_has_its_line() -> None:
    text = read_text(b"version: 1\ndevices:\n- id: a\n\n- id: b\n  tags: {x: 1}\n")
    assert text.line(("version",)) == 1
    assert text.line(("devices", 1, "id")) == 5
    assert text.line(("devices", 1, "tags", "x")) == 6
    assert text.line(("devices", 1, "missing", "below")) == 5
    assert text.line(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a: &x 1\n", "line 1: anchors"),
        (b"a: &x [1]\n", "line 1: anchors"),
        (b"a: 1\nb: *x\n", "line 2: aliases"),
        (b"a: !!python/object/apply:os.system [ls]\n", "line 1: tags"),
        (b"a: !!int '1'\n", "line 1: tags"),
        (b"a: 1\na: 2\n", "line 2: 'a' stands there twice"),
        (b"? [a]\n: 1\n", "line 1: a key must be"),
        (b"a: 1\n---\nb: 2\n", "line 2: a second document"),
        (b"a: [1\n", "line"),
        (b"a: 1\n\tb: 2\n", "line 2:"),
        (b"\xff", "not UTF-8"),
        (b"a: \x07\n", "characters that YAML"),
        (b"a: " + b"9" * 101, "too many digits"),
        (b"a: 1.0e999", "too large"),
        (b"[" * (MAX_DEPTH + 1), "nested more than"),
        (b"[" * 100_000, "nested more than"),
        (b"#" * (MAX_SIZE + 1), "more than"),
    ],
)
def test_what_means_more_than_it_shows_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(FileInvalid) as caught:
        read_text(data)
    assert told in str(caught.value)


def test_an_empty_file_is_nothing() -> None:
    assert read_text(b"").value is None
