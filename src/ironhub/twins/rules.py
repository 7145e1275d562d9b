"""What a caller may write into a twin: sizes, depth, keys and values.

Protects the store and every reader of it from property bombs. Source: Azure IoT Hub, "Understand and use device twins",
sections on format and size.
"""

import json
import math
import re
from typing import Any, Final, NamedTuple

from ironhub.twins.model import Properties, TwinInvalid

MAX_DEPTH: Final = 10
MAX_KEY: Final = 1024
"""Bytes of UTF-8."""
MAX_STRING: Final = 4096
"""Bytes of UTF-8."""
MIN_INTEGER: Final = -(2**52)
MAX_INTEGER: Final = 2**52 - 1
MAX_SECTION: Final = {"tags": 8192, "desired": 32_768, "reported": 32_768}
"""Bytes of compact JSON, system keys not counted."""
MAX_PATCH_NODES: Final = 20_000
"""Keys and values in one patch; far above what fits a section."""

_FORBIDDEN_IN_KEY: Final = re.compile(r"[\x00-\x1f\x7f-\x9f.$ ]")


def check_patch(section: str, patch: Properties) -> None:
    """Refuse what may never be written, whatever is stored. Raises TwinInvalid naming the place.

    `None` is allowed as a value: it removes the key.
    """
    if not isinstance(patch, dict):
        raise TwinInvalid(f"{section} must be a JSON object")
    left = MAX_PATCH_NODES
    stack: list[tuple[_Place, Any]] = [(_Place(None, section, 0), patch)]
    while stack:
        place, value = stack.pop()
        if not isinstance(value, dict | list):
            _check_value(place, value)
            continue
        left -= len(value)
        if left < 0:
            raise TwinInvalid(f"{section} has more than {MAX_PATCH_NODES} keys and values")
        if place.depth > MAX_DEPTH:
            raise TwinInvalid(f"{place} is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            for key, below in value.items():
                _check_key(place, key)
                stack.append((_Place(place, key, place.depth + 1), below))
        else:
            stack.extend((_Place(place, index, place.depth + 1), below) for index, below in enumerate(value))


def check_size(section: str, properties: Properties) -> None:
    """Refuse a section that would grow over its bound. Raises TwinInvalid."""
    size = len(json.dumps(properties, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size > MAX_SECTION[section]:
        raise TwinInvalid(f"{section} would have {size} bytes; at most {MAX_SECTION[section]} are kept")


class _Place(NamedTuple):
    """Where in a patch; written out only for an error: many values under long keys would make a flood of text."""

    above: "_Place | None"
    step: str | int
    depth: int

    def __str__(self) -> str:
        if self.above is None:
            return str(self.step)
        step = f"[{self.step}]" if isinstance(self.step, int) else f".{_shown(self.step)}"
        return _shown(f"{self.above}{step}")


def _check_key(place: _Place, key: str) -> None:
    if len(key) > MAX_KEY or _utf8_size(place, key) > MAX_KEY:
        raise TwinInvalid(f"{place} has a key of more than {MAX_KEY} bytes")
    if not key or _FORBIDDEN_IN_KEY.search(key):
        raise TwinInvalid(f'{place} has the key {_shown(key)!r}: no control character, ".", "$" or space is allowed')


def _check_value(place: _Place, value: Any) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        if not MIN_INTEGER <= value <= MAX_INTEGER:
            raise TwinInvalid(f"{place} is an integer outside {MIN_INTEGER}..{MAX_INTEGER}")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise TwinInvalid(f"{place} is no finite number")
    elif isinstance(value, str):
        if len(value) > MAX_STRING or _utf8_size(place, value) > MAX_STRING:
            raise TwinInvalid(f"{place} is a text of more than {MAX_STRING} bytes")
    else:
        raise TwinInvalid(f"{place} is of a type that JSON does not have")


def _utf8_size(place: _Place, text: str) -> int:
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise TwinInvalid(f"{place} holds half of a surrogate pair, which cannot be stored") from error


def _shown(text: str) -> str:
    """A place in a patch as an error may repeat it: short, and with nothing that could hide in a log."""
    short = text if len(text) <= 80 else f"{text[:38]}...{text[-39:]}"
    return short.encode("ascii", "backslashreplace").decode()
