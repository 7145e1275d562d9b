"""The forms in which clients send an etag back."""

import pytest

from ironhub.dialects.azure.if_match import ANY, decode_if_match, encode_etag


@pytest.mark.parametrize(
    ("header", "etag"),
    [
        (None, None),
        ('"abc="', "abc="),
        ("abc=", "abc="),
        ('W/"abc="', "abc="),
        ('"*"', ANY),
        ("*", ANY),
        (' "abc" ', "abc"),
        ('""', ""),
        ('"', '"'),
    ],
)
def test_an_etag_is_read_in_every_form(header: str | None, etag: str | None) -> None:
    assert decode_if_match(header) == etag


def test_an_etag_is_shown_in_quotes() -> None:
    assert encode_etag("abc=") == '"abc="'
    assert decode_if_match(encode_etag("a")) == "a"
