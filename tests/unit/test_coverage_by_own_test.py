from tools.coverage_by_own_test import has_run, lines_in_functions, named_by, own_tests, ranges, words

NAMES = ["dialects/azure/events", "dialects/azure/topics", "heads/mqtt/device", "wire/mqtt/session", "wire/tls/stdlib"]


def test_a_shared_test_file_belongs_to_the_modules_that_its_longest_beginning_names() -> None:
    assert named_by("properties/test_azure_events.py", NAMES) == {"dialects/azure/events"}
    assert named_by("properties/test_azure_http.py", NAMES) == {"dialects/azure/events", "dialects/azure/topics"}
    assert named_by("properties/test_mqtt_session.py", NAMES) == {"wire/mqtt/session"}
    assert named_by("properties/test_mqtt_codec.py", NAMES) == {"heads/mqtt/device", "wire/mqtt/session"}
    assert named_by("conformance/test_wycheproof.py", NAMES) == set()


def test_a_run_of_words_stands_together() -> None:
    assert words("core/strict_json") == ["core", "strict", "json"]
    assert has_run(["core", "strict", "json"], ["strict", "json"])
    assert not has_run(["core", "strict", "json"], ["core", "json"])
    assert not has_run(["core"], ["core", "json"])


def test_each_module_has_its_unit_test_and_what_names_it() -> None:
    own = own_tests(["twins/model", "storage/memory/twins", "twins/no_such_module"])
    assert own["twins/model"] == {"unit/twins/test_model.py", "properties/test_twins.py"}
    assert "contracts/test_twin_store.py" in own["storage/memory/twins"]
    assert "unit/twins/test_no_such_module.py" not in own["twins/no_such_module"]


def test_lines_of_functions_are_told_from_those_that_run_at_import() -> None:
    lines = ["import os", "def one():", "    'doc'", "    return 1", "class Two:", "    x = 1", "    def y(self):"]
    source = "\n".join([*lines, "        pass", ""])
    assert lines_in_functions(source) == {3, 4, 8}


def test_missing_lines_are_shown_in_runs() -> None:
    assert list(ranges([1, 2, 3, 7, 9, 10])) == ["1-3", "7", "9-10"]
    assert list(ranges([])) == []
