"""Writes docs/reference/coverage.md: every method of the vendor's SDKs, and the test that shows it at work.

python -m tools.coverage_table            write the page
python -m tools.coverage_table --check    exit with 1 when it is not what the SDKs and the tests say

The methods are read from the installed SDKs (Node's by `tests/e2e/node/methods.js`), the tests from their markers
(tests/covers.py). Nothing is claimed that no test names.
"""

import argparse
import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from tools.coverage_features import FEATURE_LANGUAGES, FEATURES, LOCAL, NOT_YET, SECTIONS, Section

ROOT: Final = Path(__file__).resolve().parents[1]
TESTS: Final = ROOT / "tests"
PAGE: Final = ROOT / "docs" / "reference" / "coverage.md"
NODE_SCRIPT: Final = TESTS / "e2e" / "node" / "methods.js"
PYTHON_MODULES: Final = {
    "azure-eventhub": "azure.eventhub",
    "azure-iot-device": "azure.iot.device",
    "azure-iot-hub": "azure.iot.hub",
}
"""By the name of the package."""

Methods = Mapping[str, frozenset[str]]
"""By "py:Class" or "node:Class": what can be called."""


class MarkersWrong(Exception):
    """A marker names what no SDK has."""


def python_methods() -> dict[str, frozenset[str]]:
    """Return what the installed Python SDKs offer."""
    found = {}
    for section in SECTIONS:
        if section.language == "py":
            module = import_module(PYTHON_MODULES[section.package])
            names = (name for name, _ in inspect.getmembers(getattr(module, section.name)))
            found[f"py:{section.name}"] = frozenset(name for name in names if not name.startswith("_"))
    return found


def node_methods() -> dict[str, frozenset[str]]:
    """Return what the installed Node SDKs offer. Raises CalledProcessError when they are not there."""
    said = subprocess.run(["node", NODE_SCRIPT], check=True, capture_output=True, text=True, timeout=60)
    return {f"node:{name}": frozenset(methods) for name, methods in json.loads(said.stdout).items()}


def markers(tests: Path = TESTS) -> dict[str, list[str]]:
    """Return the tests by the name of what they show, as "e2e/test_x.py::test_y"."""
    shown: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for test, name in _marked(tree):
            shown.setdefault(name, []).append(f"{path.relative_to(tests).as_posix()}::{test}")
    return shown


def page(methods: Methods, shown: Mapping[str, list[str]]) -> str:
    """Return the page. Raises MarkersWrong."""
    known = {f"{owner}.{name}" for owner, names in methods.items() for name in names}
    known |= {f"{language}:feature.{name}" for language in FEATURE_LANGUAGES for name in FEATURES}
    strangers = sorted((shown.keys() | NOT_YET.keys() | LOCAL) - known)
    if strangers:
        raise MarkersWrong(f"no SDK has {', '.join(strangers)}")
    both = sorted(NOT_YET.keys() & shown.keys())
    if both:
        raise MarkersWrong(f"said not to work, and shown at work: {', '.join(both)}")
    return "\n".join([*_head(known - LOCAL, shown), *_features(shown), *_sections(methods, shown)]) + "\n"


def _head(known: set[str], shown: Mapping[str, list[str]]) -> Iterator[str]:
    yield "# What of the vendor's SDKs works"
    yield ""
    yield "Written by `python -m tools.coverage_table` from the installed SDKs and the tests; do not edit."
    yield ""
    yield "`works`: an end-to-end test with the unmodified SDK shows it. `not shown`: nobody has tried. `no`: known"
    yield "not to work. Methods that ask the hub for nothing are left out."
    yield ""
    yield f"{len(shown)} of {len(known)} are shown at work, {len(NOT_YET)} are known not to work."


def _features(shown: Mapping[str, list[str]]) -> Iterator[str]:
    yield from ("", "## Ways in", "", "| what | Python | Node |", "|---|---|---|")
    for name, title in FEATURES.items():
        cells = " | ".join(_state(f"{language}:feature.{name}", shown) for language in FEATURE_LANGUAGES)
        yield f"| {title} | {cells} |"


def _sections(methods: Methods, shown: Mapping[str, list[str]]) -> Iterator[str]:
    for section in SECTIONS:
        yield from ("", f"## {_title(section)}", "", "| method | state |", "|---|---|")
        owner = f"{section.language}:{section.name}"
        for name in sorted(methods[owner]):
            if f"{owner}.{name}" not in LOCAL:
                yield f"| `{name}` | {_state(f'{owner}.{name}', shown)} |"


def _title(section: Section) -> str:
    language = {"py": "Python", "node": "Node"}[section.language]
    return f"{language} `{section.package}`: {section.title} (`{section.name}`)"


def _state(name: str, shown: Mapping[str, list[str]]) -> str:
    if tests := shown.get(name):
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        return f"works: `{tests[0]}`{more}"
    if name in NOT_YET:
        return f"no: {NOT_YET[name]}"
    return "not shown"


def _marked(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Name(id="covers"), args=names):
                        yield from ((node.name, ast.literal_eval(name)) for name in names)


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = page({**python_methods(), **node_methods()}, markers())
    if not check:
        PAGE.write_text(text, "utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text("utf-8") == text:
        return 0
    print("docs/reference/coverage.md is not true: run python -m tools.coverage_table", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
