"""JSON Patch (RFC 6902) as far as digital twins take it: add, replace and remove, at pointers of RFC 6901.

Protects against patches of unbounded length and paths of unbounded depth; nothing is changed by decoding one.
"""

import re
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple

from ironhub.core.errors import HubError
from ironhub.core.strict_json import decode_json

MAX_OPERATIONS: Final = 1000
MAX_STEPS: Final = 16

_BROKEN_ESCAPE: Final = re.compile(r"~(?![01])")


class JsonPatchInvalid(HubError):
    """What should be a JSON Patch is none, or one with operations that are not taken here."""

    code: ClassVar[str] = "json_patch.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = 'Send an array of {"op": "add" | "replace" | "remove", "path": "/…", "value": …}.'


class PatchOp(StrEnum):
    """What an operation does."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"


class Operation(NamedTuple):
    """One change."""

    op: PatchOp
    path: tuple[str, ...]
    """The steps of the pointer, unescaped; never empty."""
    value: Any = None
    """None for a removal."""


def decode_json_patch(data: bytes) -> list[Operation]:
    """Return the operations in order. Raises JsonInvalid, JsonPatchInvalid."""
    given = decode_json(data)
    if not isinstance(given, list):
        raise JsonPatchInvalid("the patch is no array of operations")
    if len(given) > MAX_OPERATIONS:
        raise JsonPatchInvalid(f"the patch has more than {MAX_OPERATIONS} operations")
    return [_operation(each, number) for number, each in enumerate(given)]


def decode_pointer(text: str) -> tuple[str, ...]:
    """Return the steps of a JSON pointer; the empty one, the whole document, has none. Raises JsonPatchInvalid."""
    if not text:
        return ()
    steps = text.split("/")
    if steps[0] or len(steps) - 1 > MAX_STEPS or _BROKEN_ESCAPE.search(text):
        raise JsonPatchInvalid(f"{text[:100]!a} is no path that is taken here")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps[1:])


def encode_pointer(steps: tuple[str, ...]) -> str:
    """Return the JSON pointer of `steps`."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)


def _operation(given: Any, number: int) -> Operation:
    if not isinstance(given, dict):
        raise JsonPatchInvalid(f"operation {number} is no object")
    try:
        op = PatchOp(str(given.get("op")))
    except ValueError:
        raise JsonPatchInvalid(f"operation {number} is none of {', '.join(PatchOp)}") from None
    path = given.get("path")
    if not isinstance(path, str):
        raise JsonPatchInvalid(f"operation {number} has no path")
    steps = decode_pointer(path)
    if not steps:
        raise JsonPatchInvalid(f"operation {number} is for the whole document")
    if op is PatchOp.REMOVE:
        return Operation(op, steps)
    if "value" not in given:
        raise JsonPatchInvalid(f"operation {number} has no value")
    return Operation(op, steps, given["value"])
