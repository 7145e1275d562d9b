import tracemalloc
from typing import Any

import pytest

from ironhub.twins.model import TwinInvalid
from ironhub.twins.rules import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_KEY,
    MAX_PATCH_NODES,
    MAX_STRING,
    MIN_INTEGER,
    check_patch,
    check_size,
)


def nested(levels: int, leaf: Any = 1) -> dict[str, Any]:
    """`levels` objects inside each other below the section itself, a value in the innermost."""
    value: dict[str, Any] = {"leaf": leaf}
    for level in range(levels):
        value = {f"level{level}": value}
    return value


@pytest.mark.parametrize(
    "value",
    [True, None, 0, MIN_INTEGER, MAX_INTEGER, 1.5, -1e300, "", "x" * MAX_STRING, [], {}, [None, {"a": None}], "\u0000"],
)
def test_what_json_has_may_be_written(value: Any) -> None:
    check_patch("desired", {"key": value})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (MIN_INTEGER - 1, "integer outside"),
        (MAX_INTEGER + 1, "integer outside"),
        (10**400, "integer outside"),
        (float("nan"), "no finite number"),
        (float("inf"), "no finite number"),
        ("x" * (MAX_STRING + 1), "text of more than 4096 bytes"),
        ("é" * (MAX_STRING // 2 + 1), "text of more than 4096 bytes"),
        ("\ud800", "surrogate"),
        (b"bytes", "type that JSON does not have"),
        ({1, 2}, "type that JSON does not have"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_place(value: Any, reason: str) -> None:
    with pytest.raises(TwinInvalid, match=reason) as refused:
        check_patch("reported", {"fan": [0, {"speed": value}]})
    assert str(refused.value).startswith("reported.fan[1].speed ")


@pytest.mark.parametrize("key", ["", "a.b", "a b", "$version", "a$", "\x00", "\x1f", "\x7f", "\x85", "\x9f"])
def test_a_key_with_a_forbidden_character_is_refused(key: str) -> None:
    with pytest.raises(TwinInvalid, match="has the key"):
        check_patch("tags", {"fan": {key: 1}})


@pytest.mark.parametrize("key", ["a", "a-b_c:d/e", "é", "\u00a0", "x" * MAX_KEY, "é" * (MAX_KEY // 2)])
def test_other_keys_are_taken(key: str) -> None:
    check_patch("tags", {key: None})


@pytest.mark.parametrize("key", ["x" * (MAX_KEY + 1), "é" * (MAX_KEY // 2 + 1), "$" * 10_000_000])
def test_a_key_of_more_than_a_kilobyte_is_refused(key: str) -> None:
    with pytest.raises(TwinInvalid, match="more than 1024 bytes") as refused:
        check_patch("tags", {"fan": {key: 1}})
    assert len(str(refused.value)) < 200


def test_half_a_surrogate_pair_in_a_key_is_refused() -> None:
    with pytest.raises(TwinInvalid, match="surrogate"):
        check_patch("tags", {"\udc00": 1})


def test_ten_levels_of_objects_are_taken_and_eleven_are_not() -> None:
    check_patch("desired", nested(MAX_DEPTH))
    check_patch("desired", nested(MAX_DEPTH - 1, leaf=[1]))
    for bomb in (nested(MAX_DEPTH + 1), nested(MAX_DEPTH, leaf=[]), nested(MAX_DEPTH, leaf={})):
        with pytest.raises(TwinInvalid, match="deeper than 10 levels"):
            check_patch("desired", bomb)


@pytest.mark.parametrize("patch", [[1], "text", None, 7])
def test_a_section_is_an_object(patch: Any) -> None:
    with pytest.raises(TwinInvalid, match="tags must be a JSON object"):
        check_patch("tags", patch)


def test_depth_bombs_are_refused_without_recursion() -> None:
    bomb: Any = 1
    for _ in range(100_000):
        bomb = {"a": bomb}
    with pytest.raises(TwinInvalid, match="nested deeper"):
        check_patch("desired", bomb)
    while isinstance(bomb, dict):  # freed from outside in: its destructor would recurse too
        bomb = bomb.popitem()[1]


@pytest.mark.parametrize(
    "bomb",
    [dict.fromkeys(map(str, range(1_000_000)), 1), {"a": [0] * 1_000_000}, {"a": {"b": [[0] * 30] * 30_000}}],
    ids=["keys", "list", "lists"],
)
def test_many_keys_and_values_are_refused_before_they_cost_anything(bomb: Any) -> None:
    tracemalloc.start()
    with pytest.raises(TwinInvalid, match=f"more than {MAX_PATCH_NODES} keys"):
        check_patch("desired", bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_many_values_under_long_keys_cost_no_flood_of_text() -> None:
    value: Any = [0] * (MAX_PATCH_NODES - 100)
    for _ in range(MAX_DEPTH):
        value = {"k" * MAX_KEY: value}
    tracemalloc.start()
    check_patch("desired", value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_an_error_shows_a_short_place_without_what_could_hide() -> None:
    value: Any = 10**30
    for _ in range(MAX_DEPTH):
        value = {"\u202e" + "k" * 900: value}
    with pytest.raises(TwinInvalid) as refused:
        check_patch("desired", value)
    assert len(str(refused.value)) < 300
    assert str(refused.value).isascii()


@pytest.mark.parametrize(("section", "bound"), [("tags", 8192), ("desired", 32_768), ("reported", 32_768)])
def test_a_section_has_a_bound_in_bytes_of_compact_json(section: str, bound: int) -> None:
    fits = {"é": "x" * (bound - len('{"é":""}'.encode()))}
    check_size(section, fits)
    fits["é"] += "x"
    with pytest.raises(TwinInvalid, match=f"{section} would have {bound + 1} bytes; at most {bound} are kept"):
        check_size(section, fits)
