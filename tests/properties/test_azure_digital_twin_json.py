"""Any patch of a digital twin becomes a merge patch that leads to exactly what was asked for, or is refused."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ironhub.core.ids import identity
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.digital_twin_json import (
    DigitalTwinPatchInvalid,
    DigitalTwinPathInvalid,
    DigitalTwinValueInvalid,
    desired_patch,
    encode_digital_twin,
)
from ironhub.dialects.azure.json_patch import Operation, PatchOp
from ironhub.twins.model import Properties, Section, Twin, merge, with_properties

NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.booleans() | st.integers(0, 3) | st.text("xy", max_size=2)
OBJECTS = st.dictionaries(NAMES, LEAVES | st.none(), max_size=2)
COMPONENTS = st.dictionaries(NAMES, LEAVES | OBJECTS, max_size=2).map(lambda value: {**value, "__t": "c"})
PROPERTIES = st.dictionaries(NAMES, LEAVES | OBJECTS | COMPONENTS, max_size=3)
PATHS = st.lists(NAMES | st.sampled_from(["$metadata", "__t", ""]), min_size=1, max_size=3).map(tuple)
VALUES: st.SearchStrategy[Any] = LEAVES | OBJECTS | st.none() | OBJECTS.map(lambda value: {**value, "$metadata": {}})
OPERATIONS = st.builds(Operation, st.sampled_from(PatchOp), PATHS | NAMES.map(lambda name: (name,)), VALUES)


def twin_of(desired: Properties, reported: Properties) -> Twin:
    wanted = with_properties(Section(), desired, at=1.0, count_versions=True)
    said = with_properties(Section(), reported, at=1.0, count_versions=False)
    return Twin(identity("press-7"), desired=wanted, reported=said)


@given(PROPERTIES, PROPERTIES, st.lists(OPERATIONS, max_size=4))
def test_each_patch_leads_to_what_its_operations_say(
    desired: Properties, reported: Properties, operations: list[Operation]
) -> None:
    twin = twin_of(desired, reported)
    try:
        patch = desired_patch(twin, operations)
    except (DigitalTwinPatchInvalid, DigitalTwinPathInvalid, DigitalTwinValueInvalid):
        return
    after = merge(twin.desired.properties, patch)
    step_by_step = twin
    for operation in operations:
        one = merge(step_by_step.desired.properties, desired_patch(step_by_step, [operation]))
        step_by_step = twin_of(one, reported)
    assert after == step_by_step.desired.properties
    for operation in operations[-1:]:
        assert _at(after, operation.path) == _wanted(operation, _at(after, operation.path))


@given(PROPERTIES, PROPERTIES, st.text(max_size=5))
def test_any_twin_is_shown(desired: Properties, reported: Properties, model_id: str) -> None:
    document = encode_digital_twin(twin_of(desired, reported), model_id)
    assert document["$metadata"]["$model"] == model_id
    assert "__t" not in document
    encode_json(document)


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        properties = properties.get(step) if isinstance(properties, dict) else None
    return properties


def _wanted(operation: Operation, stands: Any) -> Any:
    if operation.op is PatchOp.REMOVE:
        return None
    if not isinstance(operation.value, dict):
        return operation.value
    exactly = merge({}, {key: value for key, value in operation.value.items() if key != "$metadata"})
    return {**exactly, "__t": "c"} if isinstance(stands, dict) and "__t" in stands else exactly
