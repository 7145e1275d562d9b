"""Files of lines, one record each, read in bounded memory whatever they hold."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

MAX_LINE: Final = 512 * 1024
"""Bytes; a device with a full twin and its history has less."""
_BOM: Final = b"\xef\xbb\xbf"
_PIECE: Final = 1 << 16


class Record(NamedTuple):
    """One record of a file."""

    line: int
    """Where it begins, from 1."""
    content: bytes
    """One line of JSON, without its end."""
    problem: str = ""
    """Why it is none; then there is no content."""


def read_lines(file: BinaryIO) -> Iterator[Record]:
    """Yield what stands in the lines of `file`; empty lines are none, and what a spreadsheet puts first is left out."""
    number = 0
    while raw := file.readline(MAX_LINE + 2):
        number += 1
        if len(raw) > MAX_LINE + 1 and not raw.endswith(b"\n"):
            _skip_line(file)
            yield Record(number, b"", f"the line has more than {MAX_LINE} bytes")
            continue
        content = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
        if content:
            yield Record(number, content)


def _skip_line(file: BinaryIO) -> None:
    while (piece := file.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass
