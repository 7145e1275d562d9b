"""Lines out of pieces of any size, in bounded memory."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

MAX_LINE: Final = 512 * 1024
"""Bytes; a device with a full twin and its history has less."""
_BOM: Final = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line that is not empty."""

    number: int
    """From 1."""
    end: int
    """The byte behind it, and its end of line."""
    content: bytes | None
    """None: it was too long to be kept."""


async def lines_of(pieces: AsyncIterator[bytes], start: int, number: int) -> AsyncIterator[Line]:
    """Yield the lines of a file that is read from its byte `start` on, behind its line `number`."""
    rest, offset, too_long = bytearray(), start, False
    async for piece in pieces:
        rest += piece
        while (cut := rest.find(b"\n")) >= 0:
            number, offset = number + 1, offset + cut + 1
            content = _content(bytes(rest[:cut]), number)
            del rest[: cut + 1]
            if too_long or content:
                yield Line(number, offset, None if too_long or len(content) > MAX_LINE else content)
            too_long = False
        if len(rest) > MAX_LINE:
            offset, too_long = offset + len(rest), True
            rest.clear()
    if rest or too_long:
        content = _content(bytes(rest), number + 1)
        if too_long or content:
            yield Line(number + 1, offset + len(rest), None if too_long else content)


def _content(raw: bytes, number: int) -> bytes:
    return (raw.removeprefix(_BOM) if number == 1 else raw).strip()
