"""Is each module covered by its own tests? Lines that only somebody else's test happens to run count for nothing.

    python tools/coverage_by_own_test.py                       everything
    python tools/coverage_by_own_test.py twins wire/mqtt       these packages or modules, by their own tests only

One process for each core runs a share of the test files; what each says is printed when it has ended.

The own tests of `src/ironhub/a/b/c.py` are

1. `tests/unit/a/b/test_c.py` (`test_init.py` for a package's `__init__.py`);
2. files in `tests/properties`, `tests/conformance` and `tests/contracts` that name it: take the words of the file's
   name, and drop words at the end until what is left is a run of words in the path of some module; the file belongs to
   all modules in whose path that run stands (`test_azure_topics.py` to `dialects/azure/topics`, `test_mqtt_codec.py` to
   all below `wire/mqtt` and `heads/mqtt`);
3. a file in `tests/contracts` belongs to all modules beside the one it names, since they implement that port, and each
   belongs to everything below `storage` and `streams`, which implement most of them.

Lines outside functions run once per process, at the first import, and count as covered whoever imported them.

The least share of lines, and the modules that are allowed less, stand in `pyproject.toml`, `[tool.ironhub.coverage]`.
The list of exceptions only shrinks: a module that got better than its entry must have its entry raised or removed.
"""

import ast
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "ironhub"
TESTS = ROOT / "tests"
SHARE = "--share"
"""What a process is given that runs a share: where it measures, and the files."""
SLACK = 5.0
"""Percentage points by which a module may be better than its exception before the exception must follow."""


@dataclass(frozen=True)
class Rules:
    """What is asked for. Shares in per cent of lines."""

    threshold: float
    exceptions: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Rules":
        """Return what `pyproject.toml` says."""
        tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
        given: dict[str, Any] = tools.get("ironhub", {}).get("coverage", {})
        return cls(
            float(given.get("threshold", 90)), {name: float(x) for name, x in given.get("exceptions", {}).items()}
        )


class Contexts:
    """A pytest plugin: whatever runs, in any task or thread, is written down under the test file that made it run."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self._file = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Switch when the tests of another file begin."""
        file = item.path.relative_to(TESTS).as_posix()
        if file != self._file:
            self._file = file
            self._measured.switch_context(file)


def modules() -> list[str]:
    """Every module of the product, as "twins/model"."""
    paths = (path.relative_to(SRC).with_suffix("").as_posix() for path in SRC.rglob("*.py"))
    return sorted(name for name in paths if not name.endswith("__main__") and "/migrations/" not in name)


def words(name: str) -> list[str]:
    """The words of a path, as "wire/mqtt/session" or "test_mqtt_session.py"."""
    return name.removesuffix(".py").replace("/", "_").strip("_").split("_")


def has_run(path: Sequence[str], run: Sequence[str]) -> bool:
    """Whether the words of `run` stand in `path` one after the other."""
    return any(list(path[start : start + len(run)]) == list(run) for start in range(len(path) - len(run) + 1))


def named_by(file: str, names: Sequence[str]) -> set[str]:
    """The modules that a test file names (rule 2)."""
    run = words(Path(file).name)[1:]
    while run:
        if found := {name for name in names if has_run(words(name), run)}:
            return found
        run = run[:-1]
    return set()


def own_tests(names: Sequence[str]) -> dict[str, set[str]]:
    """The test files of each module, relative to tests/."""
    shared = [
        path.relative_to(TESTS).as_posix()
        for folder in ("properties", "conformance", "contracts")
        for path in sorted((TESTS / folder).rglob("test_*.py"))
    ]
    own: dict[str, set[str]] = {}
    for name in names:
        package, _, last = f"unit/{name}".rpartition("/")
        unit = f"{package}/test_{'init' if last == '__init__' else last}.py"
        own[name] = {unit} if (TESTS / unit).exists() else set()
        if name.startswith(("storage/", "streams/")):
            own[name] |= {file for file in shared if file.startswith("contracts/")}
    for file in shared:
        named = named_by(file, names)
        packages = {str(Path(name).parent) for name in named} if file.startswith("contracts/") else set()
        for name in names:
            if name in named or str(Path(name).parent) in packages:
                own[name].add(file)
    return own


def all_tests() -> list[str]:
    """Every test file that needs no running hub, relative to tests/."""
    folders = ("unit", "properties", "conformance", "contracts")
    return [
        path.relative_to(TESTS).as_posix() for folder in folders for path in sorted((TESTS / folder).rglob("test_*.py"))
    ]


def lines_in_functions(source: str) -> set[int]:
    """The lines that run when something is called, and not when the module is imported."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside.update(range(node.body[0].lineno, (node.end_lineno or 0) + 1))
        elif isinstance(node, ast.Lambda):
            inside.update(range(node.lineno + 1, (node.end_lineno or 0) + 1))
    return inside


def missing_lines(measured: coverage.Coverage, name: str, own: set[str]) -> tuple[int, list[int]]:
    """How many statements the module has, and which of them its own tests do not run."""
    path = SRC / f"{name}.py"
    _, statements, _, _, _ = measured.analysis2(str(path))
    contexts = measured.get_data().contexts_by_lineno(str(path))
    inside = lines_in_functions(path.read_text("utf-8"))
    missing = [
        line
        for line in statements
        if not (own.intersection(contexts.get(line, ())) if line in inside else contexts.get(line))
    ]
    return len(statements), missing


def ranges(lines: Sequence[int]) -> Iterator[str]:
    """Runs of lines as "3-7"."""
    start = end = -1
    for line in (*lines, -1):
        if line == end + 1:
            end = line
            continue
        if start > 0:
            yield f"{start}-{end}" if end > start else str(start)
        start = end = line


def run_tests(data_file: Path, files: Sequence[str]) -> int:
    """Run these test files under measurement, in this process; returns pytest's exit code."""
    arguments = ["-q", "-p", "no:cacheprovider", "--no-header", "--rootdir", str(ROOT)]
    measured = measurement(data_file)
    measured.start()
    try:
        return int(pytest.main([*arguments, *(str(TESTS / file) for file in files)], plugins=[Contexts(measured)]))
    finally:
        measured.stop()
        measured.save()


def measurement(data_file: Path) -> coverage.Coverage:
    """What is measured, kept in `data_file`."""
    return coverage.Coverage(data_file=str(data_file), branch=False, source=["ironhub"], config_file=False)


def run_shares(folder: Path, files: Sequence[str]) -> tuple[list[Path], bool]:
    """Run the test files in a process for each core; returns where each measured, and whether any of them failed."""
    cores = os.cpu_count() or 1
    shares = [share for place in range(cores) if (share := files[place::cores])]
    parts = [folder / f"part{place}" for place in range(len(shares))]
    reports = [part.with_suffix(".txt") for part in parts]
    running = []
    for part, report, share in zip(parts, reports, shares, strict=True):
        command = [sys.executable, __file__, SHARE, str(part), *share]
        with report.open("wb") as output:
            running.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT))
    failed = False
    for process, report in zip(running, reports, strict=True):
        failed = process.wait() != 0 or failed
        print(report.read_text("utf-8", "replace"), flush=True)
    return parts, failed


def complaints(measured: coverage.Coverage, names: Sequence[str], own: dict[str, set[str]], rules: Rules) -> list[str]:
    """What is wrong, a line each."""
    found = [
        f"{name}: is an exception and not a module" for name in rules.exceptions if not (SRC / f"{name}.py").exists()
    ]
    for name in names:
        statements, missing = missing_lines(measured, name, own[name])
        share = 100.0 * (1 - len(missing) / statements) if statements else 100.0
        wanted = rules.exceptions.get(name, rules.threshold)
        if share < wanted:
            where = ", ".join(ranges(missing)) if own[name] else "it has no test file of its own"
            found.append(f"{name}: {share:.0f} % of its lines by its own tests, {wanted:.0f} % wanted: {where}")
        elif name in rules.exceptions and share >= min(rules.threshold, wanted + SLACK):
            found.append(f"{name}: {share:.0f} % is better than its exception of {wanted:.0f} %: raise or remove that")
    return found


def main(arguments: Sequence[str]) -> int:
    """Run and report; 0: all is well."""
    if arguments[:1] == [SHARE]:
        return run_tests(Path(arguments[1]), arguments[2:])
    names = modules()
    own = own_tests(names)
    if arguments:
        names = [name for name in names if any(f"{name}/".startswith(f"{part.strip('/')}/") for part in arguments)]
    files = sorted({file for name in names for file in own[name]}) if arguments else all_tests()
    with tempfile.TemporaryDirectory() as folder:
        parts, failed = run_shares(Path(folder), files)
        measured = measurement(Path(folder) / "coverage")
        measured.combine([str(part) for part in parts if part.exists()])
        found = complaints(measured, names, own, Rules.read())
    for line in found:
        print(line)
    print(f"{len(names)} modules, {len(found)} complaints")
    return 1 if found or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
