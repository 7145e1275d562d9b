import json
from typing import Any

import pytest

from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.json_patch import (
    MAX_OPERATIONS,
    MAX_STEPS,
    JsonPatchInvalid,
    Operation,
    PatchOp,
    decode_json_patch,
    decode_pointer,
)


def decoded(value: Any) -> list[Operation]:
    return decode_json_patch(json.dumps(value).encode())


def test_operations_come_in_their_order() -> None:
    given = [
        {"op": "add", "path": "/a", "value": None},
        {"op": "replace", "path": "/a~1b/c~0d", "value": {"x": [1]}},
        {"op": "remove", "path": "/a/", "value": "not looked at"},
    ]
    assert decoded(given) == [
        Operation(PatchOp.ADD, ("a",), None),
        Operation(PatchOp.REPLACE, ("a/b", "c~d"), {"x": [1]}),
        Operation(PatchOp.REMOVE, ("a", ""), None),
    ]
    assert decoded([]) == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "no array"),
        ([1], "operation 0 is no object"),
        ([{"op": "add", "path": "/a", "value": 1}, {"path": "/a"}], "operation 1 is none of"),
        ([{"op": "move", "from": "/a", "path": "/b"}], "operation 0 is none of"),
        ([{"op": "test", "path": "/b", "value": 1}], "operation 0 is none of"),
        ([{"op": "remove"}], "operation 0 has no path"),
        ([{"op": "remove", "path": 1}], "operation 0 has no path"),
        ([{"op": "remove", "path": ""}], "for the whole document"),
        ([{"op": "remove", "path": "a"}], "no path"),
        ([{"op": "remove", "path": "/a~2"}], "no path"),
        ([{"op": "remove", "path": "/a~"}], "no path"),
        ([{"op": "add", "path": "/a"}], "has no value"),
        ([{"op": "remove", "path": "/a"}] * (MAX_OPERATIONS + 1), "more than"),
        ([{"op": "remove", "path": "/a" * (MAX_STEPS + 1)}], "no path"),
    ],
)
def test_what_is_no_patch_is_refused_by_name(given: Any, named: str) -> None:
    with pytest.raises(JsonPatchInvalid, match=named):
        decoded(given)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(JsonInvalid):
        decode_json_patch(b"[")


def test_the_empty_pointer_is_the_whole_document() -> None:
    assert decode_pointer("") == ()
