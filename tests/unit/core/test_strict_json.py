"""What is taken as JSON and what is not."""

from typing import Any

import pytest

from ironhub.core.strict_json import JsonInvalid, decode_json, decode_json_object, encode_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"null", None),
        (b' {"a": [1, -2.5e3, "x", true]} ', {"a": [1, -2500.0, "x", True]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud800"', "\\ud800"),
        ('{"ö":"ß"}'.encode(), {"ö": "ß"}),
        (b"9" * 300, int("9" * 300)),
        (b'"' + b"1" * 5000 + b'"', "1" * 5000),
    ],
)
def test_json_is_read(text: bytes, value: Any) -> None:
    assert decode_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"nul",
        b"1 2",
        b"{'a':1}",
        b'{"a":1,}',
        b"01",
        b"+1",
        b".5",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"-1e999",
        b"9" * 1_000_000,
        b"0." + b"9" * 1_000_000,
        b'{"a":1,"a":2}',
        b'{"x":{"a":1,"\\u0061":2}}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"\xef\xbb\xbf{}",
        b'"a\nb"',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":[' * 33 + b"]}" * 33,
        b'"' + b"\\" * 99_999,
        b"[" * 65 + b'"' + b'\\"' * 500_000,
    ],
)
def test_what_is_not_strict_json_is_refused(text: bytes) -> None:
    with pytest.raises(JsonInvalid):
        decode_json(text)


def test_brackets_count_as_depth_only_outside_of_strings() -> None:
    assert decode_json(b'["[[[[","\\"[[{{"]', max_depth=1) == ["[[[[", '"[[{{']
    assert decode_json(b"[[],[],[]]", max_depth=2) == [[], [], []]
    with pytest.raises(JsonInvalid, match="nested more than 1 deep"):
        decode_json(b"[[]]", max_depth=1)


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"x"'])
def test_an_object_is_asked_for_and_nothing_else_is_taken(text: bytes) -> None:
    with pytest.raises(JsonInvalid, match="must be a JSON object"):
        decode_json_object(text)


def test_an_object_is_returned() -> None:
    assert decode_json_object(b'{"a":null}') == {"a": None}


def test_json_is_written_compactly_in_utf_8() -> None:
    assert encode_json({"ö": [1, None]}) == '{"ö":[1,null]}'.encode()


def test_a_number_that_is_none_is_never_written() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        encode_json(float("nan"))
