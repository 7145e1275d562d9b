from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from ironhub.core.ids import identity
from ironhub.twins.model import (
    FIRST_VERSION,
    Section,
    Twin,
    copied,
    difference,
    etag_of,
    initial_twin,
    merge,
    touched,
    with_patch,
    with_properties,
)

PRESS = identity("press-7")


def test_a_new_twin_is_at_version_two_and_its_sections_at_one() -> None:
    twin = initial_twin(PRESS, 100.0)
    assert (twin.version, twin.desired.version, twin.reported.version) == (FIRST_VERSION, 1, 1) == (2, 1, 1)
    assert twin.desired.metadata == twin.reported.metadata == {"$lastUpdated": 100.0}
    assert twin.desired.metadata is not twin.reported.metadata
    assert (twin.tags, twin.desired.properties, twin.reported.properties) == ({}, {}, {})


def test_null_removes_the_property_it_names() -> None:
    assert merge({"fan": {"speed": 3, "mode": "auto"}}, {"fan": {"mode": None}}) == {"fan": {"speed": 3}}


@pytest.mark.parametrize(
    ("stored", "patch", "merged"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": "one"}, {"a": "one"}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": {"b": 2}}, {"a": 1}, {"a": 1}),
        ({"a": {"b": 2}}, {"a": {"c": 3}}, {"a": {"b": 2, "c": 3}}),
        ({"a": {"b": 2}}, {"a": {}}, {"a": {"b": 2}}),
        ({"a": {"b": 2}}, {"a": {"b": None}}, {"a": {}}),
        ({"a": 1}, {"a": None, "never": None}, {}),
        ({}, {"a": {"b": None, "c": {"d": None}}}, {"a": {"c": {}}}),
        ({"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
    ],
)
def test_objects_recurse_and_everything_else_replaces(stored: Any, patch: Any, merged: Any) -> None:
    assert merge(stored, patch) == merged


def test_a_list_is_taken_whole_with_the_nulls_in_it() -> None:
    assert merge({"a": [1]}, {"a": [None, {"b": None}]}) == {"a": [None, {"b": None}]}


def test_a_merge_leaves_what_was_stored_as_it_was() -> None:
    stored = {"fan": {"speed": 3}}
    merge(stored, {"fan": {"speed": 4, "mode": "auto"}})
    assert stored == {"fan": {"speed": 3}}


def test_a_patch_stamps_what_it_touched_and_the_objects_on_the_way() -> None:
    first = with_patch(Section(), {"fan": {"speed": 3, "mode": "auto"}, "n": 1}, at=10.0, count_versions=True)
    then = with_patch(first, {"fan": {"speed": 4}}, at=20.0, count_versions=True)
    old = {"$lastUpdated": 10.0, "$lastUpdatedVersion": 2}
    new = {"$lastUpdated": 20.0, "$lastUpdatedVersion": 3}
    assert then.version == 3
    assert then.metadata == {**new, "fan": {**new, "speed": new, "mode": old}, "n": old}


def test_reported_properties_remember_no_versions() -> None:
    section = with_patch(Section(), {"n": 1}, at=10.0, count_versions=False)
    assert section.metadata == {"$lastUpdated": 10.0, "n": {"$lastUpdated": 10.0}}


def test_a_scalar_becomes_an_object_and_a_scalar_again() -> None:
    scalar = with_patch(Section(), {"a": 1}, at=1.0, count_versions=False)
    grown = with_patch(scalar, {"a": {"b": {"c": 1}}}, at=2.0, count_versions=False)
    two = {"$lastUpdated": 2.0}
    assert grown.metadata == {**two, "a": {**two, "b": {**two, "c": two}}}
    shrunk = with_patch(grown, {"a": 2}, at=3.0, count_versions=False)
    assert (shrunk.properties, shrunk.metadata) == ({"a": 2}, {"$lastUpdated": 3.0, "a": {"$lastUpdated": 3.0}})


def test_a_removed_key_leaves_no_metadata() -> None:
    section = with_patch(Section(), {"a": {"b": 1, "c": 2}}, at=1.0, count_versions=False)
    section = with_patch(section, {"a": {"b": None}}, at=2.0, count_versions=False)
    assert section.metadata["a"] == {"$lastUpdated": 2.0, "c": {"$lastUpdated": 1.0}}


def test_an_empty_patch_is_a_change_of_its_own() -> None:
    section = with_patch(Section(4, {"a": 1}, {"a": {"$lastUpdated": 1.0}}), {}, at=2.0, count_versions=False)
    assert section == Section(5, {"a": 1}, {"$lastUpdated": 2.0, "a": {"$lastUpdated": 1.0}})


def test_a_replacement_forgets_what_was_there() -> None:
    before = with_patch(Section(), {"a": {"b": 1}, "c": 1}, at=1.0, count_versions=True)
    after = with_properties(before, {"a": {"d": 2, "gone": None}}, at=2.0, count_versions=True)
    stamp = {"$lastUpdated": 2.0, "$lastUpdatedVersion": 3}
    assert after == Section(3, {"a": {"d": 2}}, {**stamp, "a": {**stamp, "d": stamp}})


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {}, {"a": None}),
        ({}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"a": 1}, {"a": 1.0}, {"a": 1.0}),
        ({"a": [1]}, {"a": [True]}, {"a": [True]}),
        ({"a": [1]}, {"a": [1.0]}, {"a": [1.0]}),
        ({"a": [{"b": 0}]}, {"a": [{"b": False}]}, {"a": [{"b": False}]}),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, {}),
        ({"a": {}}, {"a": 1}, {"a": 1}),
    ],
)
def test_the_difference_is_the_patch_from_one_to_the_other(old: Any, new: Any, patch: Any) -> None:
    found = difference(old, new)
    assert (found, repr(found)) == (patch, repr(patch))  # 1 == True, but their texts differ


def test_news_of_a_patch_carry_the_metadata_of_what_it_touched_only() -> None:
    section = with_patch(Section(), {"a": {"b": 1, "c": 2}, "d": 3}, at=1.0, count_versions=False)
    patch = {"a": {"b": 5, "gone": None}, "d": None}
    section = with_patch(section, patch, at=2.0, count_versions=False)
    two = {"$lastUpdated": 2.0}
    assert touched(section.metadata, patch) == {**two, "a": {**two, "b": two}}
    assert touched(section.metadata, section.properties) == section.metadata


def test_a_copy_shares_nothing_that_can_be_changed() -> None:
    value: Any = {"a": [{"b": [1]}], "c": {"d": "text"}}
    copy = copied(value)
    value["a"][0]["b"].append(2)
    value["c"]["d"] = "other"
    assert copy == {"a": [{"b": [1]}], "c": {"d": "text"}}


def test_the_etag_is_the_counter_as_eight_bytes() -> None:
    assert etag_of(Twin(PRESS)) == "AAAAAAAAAAE="
    assert b64decode(etag_of(replace(Twin(PRESS), etag_counter=258))) == b"\0\0\0\0\0\0\1\2"
