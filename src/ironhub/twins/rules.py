"""What a caller may write into a twin: sizes, depth, keys and values.

Protects the store and every reader of it from property bombs. Source: Azure IoT Hub, "Understand and use device twins",
sections on format and size.
"""

import json
import math
import re
from typing import Any, Final

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
    left = MAX_PATCH_NODES
    stack: list[tuple[str, Any, int]] = [(section, patch, 0)]
    while stack:
        path, value, depth = stack.pop()
        left -= 1
        if left < 0:
            raise TwinInvalid(f"{section} has more than {MAX_PATCH_NODES} keys and values")
        if isinstance(value, dict):
            if depth >= MAX_DEPTH + 1:
                raise TwinInvalid(f"{_shown(path)} is nested deeper than {MAX_DEPTH} levels")
            for key, below in value.items():
                _check_key(path, key)
                stack.append((f"{path}.{key}", below, depth + 1))
        elif isinstance(value, list):
            if depth >= MAX_DEPTH + 1:
                raise TwinInvalid(f"{_shown(path)} is nested deeper than {MAX_DEPTH} levels")
            stack.extend((f"{path}[{index}]", below, depth + 1) for index, below in enumerate(value))
        else:
            _check_value(path, value)


def check_size(section: str, properties: Properties) -> None:
    """Refuse a section that would grow over its bound. Raises TwinInvalid."""
    size = len(json.dumps(properties, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size > MAX_SECTION[section]:
        raise TwinInvalid(f"{section} would have {size} bytes; at most {MAX_SECTION[section]} are kept")


def without_system_keys(properties: Properties) -> Properties:
    """Return `properties` without `$metadata` and `$version`, which callers often send back as they read them."""
    return {key: value for key, value in properties.items() if key not in ("$metadata", "$version")}


def _check_key(path: str, key: str) -> None:
    if not key or _FORBIDDEN_IN_KEY.search(key):
        raise TwinInvalid(
            f'{_shown(path)} has the key {_shown(key)!r}: no control character, ".", "$" or space is allowed'
        )
    if len(key) > MAX_KEY or len(key.encode("utf-8", "surrogatepass")) > MAX_KEY:
        raise TwinInvalid(f"{_shown(path)} has a key of more than {MAX_KEY} bytes")


def _check_value(path: str, value: Any) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        if not MIN_INTEGER <= value <= MAX_INTEGER:
            raise TwinInvalid(f"{_shown(path)} is an integer outside {MIN_INTEGER}..{MAX_INTEGER}")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise TwinInvalid(f"{_shown(path)} is no finite number")
    elif isinstance(value, str):
        if len(value) > MAX_STRING or len(value.encode("utf-8", "surrogatepass")) > MAX_STRING:
            raise TwinInvalid(f"{_shown(path)} is a text of more than {MAX_STRING} bytes")
    else:
        raise TwinInvalid(f"{_shown(path)} is of a type that JSON does not have")


def _shown(text: str) -> str:
    """A place in a patch as an error may repeat it: short, and with nothing that could hide in a log."""
    short = text if len(text) <= 80 else f"{text[:77]}..."
    return short.encode("ascii", "backslashreplace").decode()
