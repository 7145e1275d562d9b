import io

from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.fleet.lines import MAX_LINE, Record, read_lines


def test_lines_have_their_number_and_empty_ones_are_none() -> None:
    found = list(read_lines(io.BytesIO(b'\xef\xbb\xbf{"a":1}\r\n\n \n{"b":2}')))
    assert found == [Record(1, b'{"a":1}'), Record(4, b'{"b":2}')]


def test_a_line_that_is_too_long_is_told_and_the_next_ones_are_read() -> None:
    found = list(read_lines(io.BytesIO(b"a\n" + b"x" * (MAX_LINE * 3) + b"\nb\n" + b"y" * MAX_LINE + b"\n")))
    assert [(each.line, bool(each.problem)) for each in found] == [(1, False), (2, True), (3, False), (4, False)]


@given(st.binary(max_size=400))
def test_any_bytes_are_lines(data: bytes) -> None:
    for record in read_lines(io.BytesIO(data)):
        assert record.content
        assert b"\n" not in record.content
