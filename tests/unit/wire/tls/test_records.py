"""Where records end: RFC 5246 6.2.1, RFC 8446 5.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.wire.tls.model import MAX_RECORD_BODY
from ironhub.wire.tls.records import whole_records


def record(body: bytes, content_type: int = 23) -> bytes:
    return bytes([content_type, 3, 3]) + len(body).to_bytes(2, "big") + body


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(0, 60))
def test_whole_records_are_counted_and_the_beginning_of_another_is_not(bodies: list[bytes], cut: int) -> None:
    whole = b"".join(record(body) for body in bodies)
    started = record(bytes(60))[:cut]
    assert whole_records(whole + started) == len(whole)
    assert whole_records(memoryview(bytearray(whole + started))) == len(whole)


@pytest.mark.parametrize(
    "stranger",
    [
        b"GET / HTTP/1.1\r\n",
        b"G",  # wrong already
        bytes([19, 3, 3, 0, 9]),  # no such content type
        bytes([23, 2, 0, 0, 9]),  # SSL 2
        bytes([23, 3, 3]) + (MAX_RECORD_BODY + 1).to_bytes(2, "big"),
    ],
)
def test_what_is_no_record_is_handed_on_for_its_alert(stranger: bytes) -> None:
    assert whole_records(stranger) == len(stranger)
    assert whole_records(record(b"good") + stranger) == len(record(b"good") + stranger)


@given(st.binary(max_size=60))
def test_any_bytes_have_an_edge_within_them(data: bytes) -> None:
    assert 0 <= whole_records(data) <= len(data)


def test_the_longest_record_is_waited_for() -> None:
    longest = record(bytes(MAX_RECORD_BODY))
    assert whole_records(longest[:-1]) == 0
    assert whole_records(longest) == len(longest)
