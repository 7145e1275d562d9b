"""Any JSON Patch is decoded, or refused with a documented error; pointers survive their encoding."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.json_patch import (
    MAX_STEPS,
    JsonPatchInvalid,
    Operation,
    PatchOp,
    decode_json_patch,
    decode_pointer,
    encode_pointer,
)

STEPS = st.lists(st.text(max_size=8), min_size=1, max_size=MAX_STEPS).map(tuple)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=3), below, max_size=2),
    max_leaves=6,
)
NEARLY = st.fixed_dictionaries(
    {}, optional={"op": st.sampled_from(["add", "remove", "copy", 1]) | VALUES, "path": VALUES, "value": VALUES}
)


@given(STEPS)
def test_a_pointer_leads_where_its_steps_lead(steps: tuple[str, ...]) -> None:
    assert decode_pointer(encode_pointer(steps)) == steps


@given(st.binary(max_size=60) | st.lists(NEARLY | VALUES, max_size=4).map(lambda value: json.dumps(value).encode()))
def test_anything_is_decoded_or_refused(data: bytes) -> None:
    try:
        operations = decode_json_patch(data)
    except (JsonInvalid, JsonPatchInvalid):
        return
    assert all(each.path for each in operations)


@given(st.lists(st.tuples(st.sampled_from(PatchOp), STEPS, VALUES), max_size=5))
def test_what_is_a_patch_comes_back(wanted: list[tuple[PatchOp, tuple[str, ...], Any]]) -> None:
    sent = [{"op": op.value, "path": encode_pointer(steps), "value": value} for op, steps, value in wanted]
    expected = [Operation(op, steps, None if op is PatchOp.REMOVE else value) for op, steps, value in wanted]
    try:
        assert decode_json_patch(json.dumps(sent).encode()) == expected
    except JsonPatchInvalid as error:
        raise AssertionError(f"refused: {error}") from error
