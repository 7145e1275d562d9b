"""Laws of twins that hold whatever a device or a back end writes."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ironhub.twins.model import (
    Properties,
    Section,
    TwinInvalid,
    difference,
    merge,
    touched,
    with_patch,
    with_properties,
)
from ironhub.twins.rules import MAX_DEPTH, MAX_SECTION, check_patch, check_size

KEYS = st.text("abcé", min_size=1, max_size=2)
SCALARS = st.one_of(
    st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 0.5]), st.sampled_from(["", "1", "x"])
)
LISTS = st.lists(st.none() | SCALARS | st.dictionaries(KEYS, st.none() | SCALARS, max_size=2), max_size=3)
TREES = st.dictionaries(
    KEYS,
    st.recursive(SCALARS | LISTS, lambda below: st.dictionaries(KEYS, below, max_size=4), max_leaves=8),
    max_size=4,
)
PATCHES = st.dictionaries(
    KEYS,
    st.recursive(st.none() | SCALARS | LISTS, lambda below: st.dictionaries(KEYS, below, max_size=4), max_leaves=8),
    max_size=4,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=4), below, max_size=4),
    max_leaves=20,
)
few = settings(max_examples=150)


def text_of(value: Any) -> str:
    """JSON text: 1, 1.0 and true are the same to Python and not to a device."""
    return json.dumps(value, sort_keys=True)


def mirrors(metadata: Any, value: Any) -> bool:
    """Whether each object and leaf of `value`, and nothing else, has its stamp in `metadata`."""
    below = value if isinstance(value, dict) else {}
    keys = {key for key in metadata if not key.startswith("$")}
    return (
        isinstance(metadata["$lastUpdated"], float)
        and keys == set(below)
        and all(mirrors(metadata[key], below[key]) for key in keys)
    )


@few
@given(old=TREES, new=TREES)
def test_the_difference_leads_from_one_to_the_other(old: Properties, new: Properties) -> None:
    patch = difference(old, new)
    assert text_of(merge(old, patch)) == text_of(new)
    assert (patch == {}) == (text_of(old) == text_of(new))


@few
@given(stored=TREES, patch=PATCHES)
def test_a_merge_twice_is_a_merge_once(stored: Properties, patch: Properties) -> None:
    once = merge(stored, patch)
    assert text_of(merge(once, patch)) == text_of(once)


@few
@given(stored=TREES, patch=PATCHES)
def test_a_key_that_is_null_in_the_patch_is_gone_and_others_stay(stored: Properties, patch: Properties) -> None:
    merged = merge(stored, patch)
    for key in stored.keys() | patch.keys():
        if key not in patch:
            assert text_of(merged[key]) == text_of(stored[key])
        else:
            assert (key in merged) == (patch[key] is not None)


@few
@given(stored=TREES, patch=PATCHES)
def test_no_null_is_ever_stored_outside_a_list(stored: Properties, patch: Properties) -> None:
    def nulls(value: Any) -> bool:
        return value is None or (isinstance(value, dict) and any(map(nulls, value.values())))

    assert not nulls(merge(stored, patch))


@few
@given(changes=st.lists(st.tuples(st.booleans(), PATCHES), max_size=6), count_versions=st.booleans())
def test_metadata_mirrors_the_tree_and_versions_rise_by_one(
    changes: list[tuple[bool, Properties]], count_versions: bool
) -> None:
    section = Section()
    for number, (whole, patch) in enumerate(changes, 2):
        before, was = section, text_of([section.properties, section.metadata])
        change = with_properties if whole else with_patch
        section = change(section, patch, at=float(number), count_versions=count_versions)
        assert section.version == number
        assert mirrors(section.metadata, section.properties)
        assert section.metadata["$lastUpdated"] == float(number)
        assert section.metadata.get("$lastUpdatedVersion") == (number if count_versions else None)
        assert text_of([before.properties, before.metadata]) == was
        assert mirrors(touched(section.metadata, patch), merge({}, _cut(section.properties, patch)))


def _cut(properties: Properties, patch: Properties) -> Properties:
    """What `patch` names of `properties`."""
    return {
        key: _cut(properties[key], below) if isinstance(below, dict) else properties[key]
        for key, below in patch.items()
        if key in properties
    }


@few
@given(patch=ANYTHING)
def test_any_patch_is_taken_or_refused_with_its_own_error_and_what_is_taken_can_be_stored(patch: Any) -> None:
    try:
        check_patch("tags", patch)
        section = with_patch(Section(), patch, at=1.0, count_versions=False)
        check_size("tags", section.properties)
    except TwinInvalid:
        return
    stored = json.dumps(section.properties, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    assert len(stored) <= MAX_SECTION["tags"]
    assert json.loads(stored) == section.properties


@few
@given(depth=st.integers(0, 2 * MAX_DEPTH), lists=st.lists(st.booleans(), min_size=2 * MAX_DEPTH))
def test_the_depth_that_is_taken_is_the_same_for_lists_and_objects(depth: int, lists: list[bool]) -> None:
    value: Any = 1
    for as_list, _ in zip(lists, range(depth), strict=False):
        value = [value] if as_list else {"a": value}
    try:
        check_patch("desired", {"top": value})
    except TwinInvalid:
        assert depth > MAX_DEPTH
    else:
        assert depth <= MAX_DEPTH
