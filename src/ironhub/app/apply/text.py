"""YAML as operators write it, with the line of everything, at a bounded cost.

Protects against files that mean more than they show: anchors, aliases and tags are refused (no bombs, no types from
outside), a key may stand once only, depth and size are bounded, and a plain word is what JSON would make of it: `no` is
the text "no", and so is a date.
Source: YAML 1.2.2, 10.3 (core schema), without hexadecimal and octal numbers.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import yaml

from ironhub.core.errors import HubError

MAX_SIZE: Final = 16 << 20
"""Bytes of a file."""
MAX_DEPTH: Final = 40
MAX_NUMBER_LENGTH: Final = 100

Place = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""

_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]*(?:[eE][-+]?[0-9]+)?\Z")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FileInvalid(HubError):
    """The file does not say what a hub shall hold; the message names each place with its line."""

    code: ClassVar[str] = "apply.file_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Correct the lines that the message names; nothing was changed."


@dataclass(frozen=True, slots=True)
class Text:
    """The value that a text stands for, and where its parts stand."""

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Return the line (from 1) of a value, or of the nearest one around it that stands in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_text(data: bytes) -> Text:
    """Return what `data` (one YAML document, UTF-8) stands for: JSON values only. Raises FileInvalid."""
    if len(data) > MAX_SIZE:
        raise FileInvalid(f"the file has more than {MAX_SIZE} bytes")
    try:
        return _Builder().build(yaml.parse(data.decode("utf-8"), Loader=_LOADER))
    except UnicodeDecodeError:
        raise FileInvalid("the file is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileInvalid(f"line {line}: {error.problem}") from None
    except yaml.YAMLError:
        raise FileInvalid("the file holds characters that YAML does not allow") from None


def write_text(value: Any) -> str:
    """Return `value` (JSON values only) as YAML that `read_text` reads back."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    return text


@dataclass(slots=True)
class _Open:
    """A sequence or mapping whose end is still to come."""

    value: Any
    place: Place
    key: str | None = None


class _Builder:
    """Makes values from the parser's events, without recursion."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._root: Any = None
        self._lines: dict[Place, int] = {}
        self._documents = 0

    def build(self, events: Iterator[Any]) -> Text:
        for event in events:
            self._take(event, event.start_mark.line + 1)
        return Text(self._root, self._lines)

    def _take(self, event: Any, line: int) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise FileInvalid(f"line {line}: a second document begins here")
            case yaml.AliasEvent():
                raise FileInvalid(f"line {line}: aliases are not taken: write it out")
            case yaml.ScalarEvent():
                self._check(event, line)
                self._scalar(event, line)
            case yaml.MappingStartEvent():
                self._check(event, line)
                self._begin({}, line)
            case yaml.SequenceStartEvent():
                self._check(event, line)
                self._begin([], line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()

    def _check(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            raise FileInvalid(f"line {line}: anchors are not taken: write it out")
        if event.tag not in (None, "!"):
            raise FileInvalid(f"line {line}: tags are not taken")

    def _begin(self, value: Any, line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise FileInvalid(f"line {line}: nested more than {MAX_DEPTH} deep")
        if self._awaits_key():
            raise FileInvalid(f"line {line}: a key must be a word or text")
        self._open.append(_Open(value, self._put(value, line)))

    def _scalar(self, event: Any, line: int) -> None:
        if self._awaits_key():
            self._key(event.value, line)
        else:
            self._put(_plain(event.value, line) if event.implicit[0] else event.value, line)

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _key(self, key: str, line: int) -> None:
        around = self._open[-1]
        if key in around.value:
            raise FileInvalid(f"line {line}: {key[:50]!r} stands there twice")
        around.key = key
        self._lines[(*around.place, key)] = line

    def _put(self, value: Any, line: int) -> Place:
        if not self._open:
            self._root = value
            self._lines[()] = line
            return ()
        around = self._open[-1]
        if isinstance(around.value, list):
            place: Place = (*around.place, len(around.value))
            around.value.append(value)
            self._lines[place] = line
            return place
        key, around.key = around.key or "", None
        around.value[key] = value
        return (*around.place, key)


def _plain(word: str, line: int) -> Any:
    """What a word without quotes means."""
    if word in _WORDS:
        return _WORDS[word]
    number = _INTEGER.match(word) or _DECIMAL.match(word)
    if number is None:
        return word
    if len(word) > MAX_NUMBER_LENGTH:
        raise FileInvalid(f"line {line}: a number has too many digits")
    value = int(word) if _INTEGER.match(word) else float(word)
    if isinstance(value, float) and math.isinf(value):
        raise FileInvalid(f"line {line}: a number is too large")
    return value
