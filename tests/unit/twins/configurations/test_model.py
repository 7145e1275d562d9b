from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.core.ids import InvalidId
from ironhub.twins.configurations.errors import ConfigurationContentInvalid, ConfigurationInvalid
from ironhub.twins.configurations.model import (
    MAX_LABEL,
    MAX_LABELS,
    MAX_METRICS,
    MAX_MODULES,
    MAX_PRIORITY,
    Configuration,
    ConfigurationDraft,
    Content,
    ContentKind,
    Write,
    check_content,
    check_draft,
    check_id,
    is_applied,
    statuses,
    winners_of,
    written,
)
from ironhub.twins.model import Properties

DEVICE, MODULE, EDGE = ContentKind
ONE = Configuration(id="one", etag="e", created_at=1.0, updated_at=1.0, content=Content(DEVICE, (Write(("a",), 1),)))


@pytest.mark.parametrize("text", ["a", "a-1:+%_#*?!(),=@;$'", "a" * 128])
def test_ids_have_lower_case_letters_digits_and_some_signs(text: str) -> None:
    assert check_id(text) == text


@pytest.mark.parametrize("text", ["", "A", "a.b", "a b", "a/b", "ä", "a\n", "a" * 129])
def test_other_ids_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        check_id(text)


@pytest.mark.parametrize(
    ("writes", "wanted"),
    [
        ([], {"a": {"b": 1}, "c": 2}),
        ([Write(("a", "b"), 2)], {"a": {"b": 2}, "c": 2}),
        ([Write(("a",), {"d": None, "e": [None]})], {"a": {"e": [None]}, "c": 2}),
        ([Write(("c", "d", "e"), 3)], {"a": {"b": 1}, "c": {"d": {"e": 3}}}),
        ([Write(("c",), None), Write(("x", "y"), None)], {"a": {"b": 1}}),
        ([Write((), {"z": {"n": None}})], {"z": {}}),
        ([Write((), {"z": 1}), Write(("y",), 2)], {"z": 1, "y": 2}),
    ],
)
def test_each_value_is_written_to_its_place(writes: list[Write], wanted: Properties) -> None:
    stored: Properties = {"a": {"b": 1}, "c": 2}
    assert written(stored, writes) == wanted
    assert stored == {"a": {"b": 1}, "c": 2}


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.dictionaries(st.sampled_from("abc"), st.integers())),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
    st.integers() | st.dictionaries(st.sampled_from("abc"), st.integers()),
)
def test_what_was_written_stands_at_its_path(stored: Properties, path: list[str], value: Any) -> None:
    found: Any = written(stored, [Write(tuple(path), value)])
    for step in path:
        found = found[step]
    assert found == value


@pytest.mark.parametrize(
    "content",
    [
        Content(DEVICE, ()),
        Content(EDGE, ()),
        Content(DEVICE, (Write(("a",), 1, "m"),)),
        Content(EDGE, (Write(("a",), 1),)),
        Content(DEVICE, (Write((), 1),)),
        Content(DEVICE, (Write(("",), 1),)),
        Content(DEVICE, (Write(("$a",), 1),)),
        Content(DEVICE, (Write(("a b",), 1),)),
        Content(DEVICE, (Write(tuple("abcdefghijkl"), 1),)),
        Content(DEVICE, (Write(("a",), 2**60),)),
        Content(DEVICE, tuple(Write((f"k{number}",), "x" * 4000) for number in range(9))),
        Content(EDGE, tuple(Write(("a",), 1, f"m{number}") for number in range(MAX_MODULES + 1))),
    ],
)
def test_content_that_no_twin_could_hold_is_refused(content: Content) -> None:
    with pytest.raises(ConfigurationContentInvalid):
        check_content(content)


def test_content_for_modules_names_them_by_good_ids() -> None:
    content = Content(EDGE, (Write(("a",), 1, "$agent"), Write((), {}, "m"), Write(("b",), 2, "$agent")))
    check_content(content)
    assert content.modules() == ("$agent", "m")
    assert content.writes_to("$agent") == (content.writes[0], content.writes[2])
    with pytest.raises(InvalidId):
        check_content(Content(EDGE, (Write(("a",), 1, "a/b"),)))


@pytest.mark.parametrize(
    "draft",
    [
        ConfigurationDraft(priority=-1),
        ConfigurationDraft(priority=MAX_PRIORITY + 1),
        ConfigurationDraft(labels={str(number): "" for number in range(MAX_LABELS + 1)}),
        ConfigurationDraft(labels={"a": "x" * (MAX_LABEL + 1)}),
        ConfigurationDraft(metrics={str(number): "" for number in range(MAX_METRICS + 1)}),
        ConfigurationDraft(metrics={"": "x"}),
    ],
)
def test_a_draft_has_bounds(draft: ConfigurationDraft) -> None:
    with pytest.raises(ConfigurationInvalid):
        check_draft(draft)


def test_a_draft_within_its_bounds_is_good() -> None:
    check_draft(ConfigurationDraft())
    check_draft(ConfigurationDraft(priority=0, labels={"a": ""}, metrics={"m": ""}, content=ONE.content))


def test_of_each_kind_the_highest_priority_and_then_the_newest_wins() -> None:
    newer = replace(ONE, id="newer", created_at=2.0)
    higher = replace(ONE, id="higher", created_at=0.0, priority=1)
    other = replace(ONE, id="other", content=replace(ONE.content, kind=EDGE))
    assert winners_of([newer, ONE]) == [newer]
    assert winners_of([newer, higher, other, ONE]) == [higher, other] or winners_of([newer, higher, other, ONE]) == [
        other,
        higher,
    ]
    standing = statuses([newer, higher, other])
    assert standing == {
        "higher": {"status": "Applied"},
        "newer": {"status": "Targeted"},
        "other": {"status": "Applied"},
    }
    assert [is_applied(standing, name) for name in ("higher", "newer", "nobody")] == [True, False, False]
