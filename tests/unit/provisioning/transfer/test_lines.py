import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.provisioning.transfer import lines
from ironhub.provisioning.transfer.lines import Line, lines_of


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def read(*given: bytes, start: int = 0, number: int = 0) -> list[Line]:
    return [line async for line in lines_of(pieces(*given), start, number)]


async def test_lines_have_their_number_and_where_they_end_and_empty_ones_are_none() -> None:
    found = await read(b"\xef\xbb\xbfone\r\n\n  \ntwo")
    assert found == [Line(1, 8, b"one"), Line(4, 15, b"two")]


async def test_reading_goes_on_behind_a_line() -> None:
    assert await read(b"two\nthree\n", start=8, number=1) == [Line(2, 12, b"two"), Line(3, 18, b"three")]


async def test_a_line_that_is_too_long_is_told_and_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 10)
    found = await read(b"a\n", *[b"x" * 7] * 9, b"x\nb\n", b"y" * 12)
    assert found == [Line(1, 2, b"a"), Line(2, 67, None), Line(3, 69, b"b"), Line(4, 81, None)]


@given(content=st.lists(st.sampled_from([b"{}", b"", b"abc", b"x\r"]), max_size=8), data=st.data())
def test_how_a_file_is_cut_never_changes_its_lines(content: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(content)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    cut = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert asyncio.run(read(*cut)) == asyncio.run(read(whole))
    for line in asyncio.run(read(whole)):
        rest = asyncio.run(read(whole[line.end :], start=line.end, number=line.number))
        assert rest == [each for each in asyncio.run(read(whole)) if each.number > line.number]
