"""Tests of app/plain.py."""

from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.plain import one_line, plain


def test_control_characters_are_written_out() -> None:
    assert plain("a\x1b[2Jb\x9bc\u202ed\u2028é") == "a\\x1b[2Jb\\x9bc\\u202ed\\u2028é"


def test_a_line_is_one_line() -> None:
    assert one_line("  two\n\tlines\x00 ") == "two lines\\x00"


@given(text=st.text())
def test_nothing_that_moves_a_cursor_is_left(text: str) -> None:
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) <= 0x9F for letter in plain(text))
    assert "\n" not in one_line(text)
