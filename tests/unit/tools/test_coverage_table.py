"""tools/coverage_table.py, and the markers it reads (tests/covers.py)"""

from pathlib import Path

import pytest
from tests.covers import covers
from tools.coverage_features import LOCAL, NOT_YET, SECTIONS
from tools.coverage_table import MarkersWrong, markers, page, python_methods

METHODS = {f"{section.language}:{section.name}": frozenset({"get"}) for section in SECTIONS}
for name in (*NOT_YET, *LOCAL):
    owner, _, method = name.partition(".")
    if not owner.endswith(":feature"):
        METHODS[owner] |= {method}


def test_a_method_that_no_test_names_is_not_shown_and_one_that_is_named_works() -> None:
    text = page(METHODS, {"py:IoTHubRegistryManager.get": ["e2e/test_a.py::test_x", "e2e/test_b.py::test_y"]})
    assert "| `get` | works: `e2e/test_a.py::test_x` and 1 more |" in text
    assert text.count("| `get` | not shown |") == len(SECTIONS) - 1
    assert "1 of " in text


def test_what_is_known_not_to_work_says_why_and_what_asks_nothing_is_left_out() -> None:
    text = page(METHODS, {})
    assert "| `query_scheduled_jobs` | no: broken in the SDK itself: it reads a list as an object |" in text
    assert "setRetryPolicy" not in text


def test_a_marker_for_what_no_sdk_has_is_an_error() -> None:
    with pytest.raises(MarkersWrong, match=r"no SDK has py:IoTHubRegistryManager\.fly"):
        page(METHODS, {"py:IoTHubRegistryManager.fly": ["x"]})


def test_what_is_said_not_to_work_must_not_be_shown_at_work() -> None:
    with pytest.raises(MarkersWrong, match=r"py:IoTHubJobManager\.query_scheduled_jobs"):
        page(METHODS, {"py:IoTHubJobManager.query_scheduled_jobs": ["x"]})


def test_markers_are_read_without_running_the_tests(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        'raise RuntimeError\n@covers("py:A.b", "node:C.d")\n@other\ndef test_x(): ...\n'
        '@covers("py:A.b")\nasync def test_y(): ...\n'
    )
    assert markers(tmp_path) == {
        "py:A.b": ["test_a.py::test_x", "test_a.py::test_y"],
        "node:C.d": ["test_a.py::test_x"],
    }


def test_the_methods_of_the_installed_sdk_are_found() -> None:
    found = python_methods()
    assert {"get_device", "from_connection_string"} <= found["py:IoTHubRegistryManager"]
    assert "connect" in found["py:IoTHubDeviceClient"]
    assert not [name for names in found.values() for name in names if name.startswith("_")]


def test_a_marker_leaves_the_test_as_it_is() -> None:
    def test() -> None: ...

    assert covers("py:A.b_c", "node:feature.x509-ca")(test) is test


@pytest.mark.parametrize("names", [(), ("A.b",), ("py:A",), ("java:A.b",), ("py:A.b", "py:A. c")])
def test_a_marker_that_names_nothing_is_an_error(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"Class\.method"):
        covers(*names)
