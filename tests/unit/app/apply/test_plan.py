"""Tests of app/apply/plan.py."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.apply.plan import Change, Kind, auth_change, count_line, field_lines, not_wanted, twin_change
from ironhub.app.apply.shapes import WantedAuth, WantedTwin
from ironhub.app.cli.options import Auth

KEYS = {"primary": "c2VjcmV0", "secondary": "aGlkZGVu"}
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.booleans() | st.integers(0, 2) | st.sampled_from(["x", "y"]),
    lambda below: st.dictionaries(NAMES, below | st.none(), max_size=3),
    max_leaves=8,
)


def merged(stored: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396, as twins merge."""
    result = dict(stored)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            here = result.get(key)
            result[key] = merged(here if isinstance(here, dict) else {}, value)
        else:
            result[key] = value
    return result


@given(st.dictionaries(NAMES, VALUES | st.none(), max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))
def test_a_twin_that_was_changed_needs_no_change(wanted: dict[str, Any], before: dict[str, Any]) -> None:
    stored = {"tags": merged({}, before), "desired": {}}
    patch, lines = twin_change(WantedTwin(tags=wanted), stored)
    assert bool(patch) == bool(lines)
    after = {"tags": merged(stored["tags"], patch.get("tags", {})), "desired": {}}
    assert twin_change(WantedTwin(tags=wanted), after) == ({}, [])


def test_a_patch_holds_only_what_differs() -> None:
    stored = {"tags": {"hall": "B2", "keep": {"x": 1, "y": 2}, "old": 1}, "desired": {"n": 1}}
    wanted = WantedTwin(tags={"hall": "B3", "keep": {"x": 1, "y": 3}, "old": None, "none": None}, desired={"m": True})
    patch, lines = twin_change(wanted, stored)
    assert patch == {"tags": {"hall": "B3", "keep": {"y": 3}, "old": None}, "desired": {"m": True}}
    assert lines == [
        '~ tags.hall: "B2" → "B3"',
        "~ tags.keep.y: 2 → 3",
        "- tags.old: 1",
        "+ desired.m: true",
    ]


def test_true_is_not_one() -> None:
    assert field_lines({"a": True}, {"a": 1}) == ["~ a: 1 → true"]
    assert field_lines({"a": 1}, {"a": 1, "b": 2}) == []


def test_keys_are_compared_and_never_shown() -> None:
    wanted = WantedAuth(kind=Auth.SAS)
    stored = {"kind": "sas", "keys": {**KEYS, "primary": "b3RoZXI="}, "thumbprints": None}
    taken, lines = auth_change(wanted, KEYS, stored)
    assert taken == {"kind": "sas", "keys": KEYS}
    assert lines == ["~ keys (not shown)"]
    assert auth_change(wanted, KEYS, {**stored, "keys": KEYS}) == (None, [])
    assert auth_change(wanted, None, stored) == (None, [])
    assert auth_change(None, None, stored) == (None, [])


@pytest.mark.parametrize("written", ["AA" * 20, "aa" * 20, ":".join(["aA"] * 20)])
def test_a_thumbprint_is_the_same_however_it_is_written(written: str) -> None:
    wanted = WantedAuth(kind=Auth.X509_THUMBPRINT, thumbprints=(written,))
    assert auth_change(wanted, None, {"kind": "x509-thumbprint", "thumbprints": ["aa" * 20]}) == (None, [])
    taken, lines = auth_change(wanted, None, {"kind": "x509-thumbprint", "thumbprints": ["bb" * 20]})
    assert taken == {"kind": "x509-thumbprint", "thumbprints": [written]}
    assert len(lines) == 1


def test_a_plan_is_shown_as_a_diff_and_counted() -> None:
    changes = [Change(Kind.CREATE, "device a", ("+ auth: sas",)), Change(Kind.DELETE, "device b")]
    assert changes[0].shown() == ["+ device a", "    + auth: sas"]
    assert changes[1].as_dict() == {"kind": "delete", "what": "device b", "lines": []}
    assert count_line(changes) == "1 to create, 0 to change, 1 to delete"
    assert list(not_wanted(["a", "b", "c"], ["b"])) == ["a", "c"]
