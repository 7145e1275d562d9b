"""JSON as strangers send it: whatever could mean two things, or cost more than it weighs, is refused.

Protects against deep nesting (a crash in compiled code), numbers of a million digits, duplicate keys that two parsers
read differently, NaN and infinities that are no JSON, and text that cannot be stored again (lone surrogates).
Source: RFC 8259, RFC 7493 (I-JSON).
"""

import json
import math
import re
from typing import Any, ClassVar, Final, NoReturn

from ironhub.core.errors import HubError

MAX_DEPTH: Final = 64
MAX_NUMBER_LENGTH: Final = 400
"""Characters; the largest double takes 309 digits when written out."""

# The closing quote may be missing: a match that cannot fail needs no second try, so the scan stays linear.
_STRING_OR_BRACKET: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]}]', re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonInvalid(HubError):
    """What should be JSON is not, or not of the kind that is taken here."""

    code: ClassVar[str] = "json.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Send one JSON text in UTF-8 without duplicate keys, NaN or infinite numbers."


def decode_json(data: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value that `data` (one JSON text, UTF-8) stands for. The caller bounds its size.

    Args:
        max_depth: how many arrays and objects may stand inside each other.

    Raises:
        JsonInvalid: no JSON, nested too deeply, a duplicate key, a number that is too long or too large, bad UTF-8.
    """
    _check_depth(data, max_depth)
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        if _SURROGATE_ESCAPE.search(data):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise JsonInvalid("the text is not UTF-8, or holds half of a surrogate pair") from error
    except json.JSONDecodeError as error:
        raise JsonInvalid(f"the text is not JSON: {error.msg} at character {error.pos}") from error
    return value


def decode_json_object(data: bytes, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return the object that `data` stands for. Raises JsonInvalid, also when it is something else than an object."""
    value = decode_json(data, max_depth=max_depth)
    if not isinstance(value, dict):
        raise JsonInvalid("the text must be a JSON object")
    return value


def encode_json(value: Any) -> bytes:
    """Return `value` as compact JSON text in UTF-8. Raises ValueError for NaN and infinities: the caller's mistake."""
    return _ENCODER.encode(value).encode("utf-8")


def _check_depth(data: bytes, max_depth: int) -> None:
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return  # most texts: too few brackets to be deep, whatever stands in strings
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(data):
        first = match[0][:1]
        if first in b"[{":
            depth += 1
            if depth > max_depth:
                raise JsonInvalid(f"the text is nested more than {max_depth} deep")
        elif first in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise JsonInvalid("an object has the same key twice")
    return value


def _int(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise JsonInvalid("a number has too many digits")
    return int(text)


def _float(text: str) -> float:
    if len(text) > MAX_NUMBER_LENGTH:
        raise JsonInvalid("a number has too many digits")
    value = float(text)
    if math.isinf(value):
        raise JsonInvalid("a number is too large")
    return value


def _constant(text: str) -> NoReturn:
    raise JsonInvalid(f"{text} is no JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_int, parse_float=_float, parse_constant=_constant
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
