"""The rules of the house that a machine can check (docs/ARCHITECTURE.md says why they hold)."""

import ast
import dataclasses
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ironhub.core.errors import HubError
from ironhub.identity.model import AuthenticationFailed

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "ironhub"
MAX_LINES = 450
VENDOR_WORDS = re.compile(r"\$iothub|iothub-|x-opt-|\$aws", re.IGNORECASE)
SECRET_WORDS = re.compile(
    r"(^|_)(password|passwd|secret|token|signature|private_key|sas|primary_key|keys?|pin)($|_)", re.IGNORECASE
)
"""Names that no field of a log may have: what stands behind them must not be written down."""
HARMLESS = frozenset({"key_id", "key_ids", "key_digest"})
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
CREDENTIALS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|SharedAccessKey=[A-Za-z0-9+/]{20}|sig=[A-Za-z0-9%+/]{20}|\bAKIA[A-Z0-9]{16}\b"
)


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """One file of the product."""

    name: str
    text: str
    tree: ast.Module


SOURCES = [
    Source(path.relative_to(SRC).as_posix(), text := path.read_text("utf-8"), ast.parse(text))
    for path in sorted(SRC.rglob("*.py"))
]


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[Source, ast.AST]]:
    """All nodes of these kinds in the product."""
    return ((source, node) for source in SOURCES for node in ast.walk(source.tree) if isinstance(node, kinds))


def public(
    body: list[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The public classes and functions of a module, and the public methods of its public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def all_modules() -> list[str]:
    """Every module of the product that can be imported by itself (a migration is run by its tool only)."""
    names = ["ironhub." + source.name.removesuffix(".py").replace("/", ".") for source in SOURCES]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    return [name for name in names if ".migrations" not in name]


@pytest.fixture(scope="module")
def hub_errors() -> list[type[HubError]]:
    """Every error that is raised on purpose."""
    for name in all_modules():
        importlib.import_module(name)
    found: list[type[HubError]] = []
    waiting: list[type[HubError]] = [HubError]
    while waiting:
        error = waiting.pop()
        found.append(error)
        waiting += error.__subclasses__()
    return [error for error in found if error.__module__.startswith("ironhub.")]


def test_imports_go_down_and_never_sideways() -> None:
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(SRC.parent), "COLUMNS": "120"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_everything_public_says_what_it_is_for() -> None:
    silent = [source.name for source in SOURCES if source.name != "__main__.py" and not ast.get_docstring(source.tree)]
    for source in SOURCES:
        silent += [f"{source.name}: {name}" for name, node in public(source.tree.body) if not ast.get_docstring(node)]
    assert silent == []


def test_a_file_is_read_in_one_sitting() -> None:
    long = {source.name: lines for source in SOURCES if (lines := source.text.count("\n")) > MAX_LINES}
    assert long == {}


def test_words_of_a_vendor_stand_in_its_dialect_only() -> None:
    found = [
        f"{source.name}:{number}"
        for source in SOURCES
        if not source.name.startswith("dialects/")
        for number, line in enumerate(source.text.splitlines(), 1)
        if VENDOR_WORDS.search(line)
    ]
    assert found == []


def test_no_error_shares_its_code_with_another(hub_errors: list[type[HubError]]) -> None:
    owners: dict[str, list[str]] = {}
    for error in hub_errors:
        if "code" in vars(error):
            owners.setdefault(error.code, []).append(f"{error.__module__}.{error.__name__}")
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}
    assert len(owners) > 20


def test_each_error_has_a_code_of_its_own_and_says_what_to_do_next(hub_errors: list[type[HubError]]) -> None:
    """Refusals at the gate are all alike: which it was, nobody learns."""
    silent = [
        f"{error.__module__}.{error.__name__}"
        for error in hub_errors
        if ("code" not in vars(error) and not issubclass(error, AuthenticationFailed))
        or not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", error.code)
        or not 400 <= error.status <= 599
        or not error.next_step.strip()
        or (error is not HubError and error.next_step == HubError.next_step)
    ]
    assert silent == []


def test_each_setting_says_what_it_does() -> None:
    silent = []
    for source, node in nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        if not node.name.endswith("Settings"):
            continue
        fields = [
            (statement, follower)
            for statement, follower in zip(node.body, [*node.body[1:], None], strict=True)
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        ]
        for statement, follower in fields:
            assert isinstance(statement.target, ast.Name)
            if statement.target.id.startswith("_") or "ClassVar" in ast.unparse(statement.annotation):
                continue
            described = isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant)
            if not described:
                silent.append(f"{source.name}: {node.name}.{statement.target.id}")
    assert silent == []


def test_no_log_has_a_field_for_a_secret() -> None:
    """A token or key in a log is a token or key in every backup of it."""
    found = []
    for source, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS):
            continue
        names = [str(keyword.arg) for keyword in node.keywords if keyword.arg not in {None, "extra", "exc_info"}]
        for keyword in node.keywords:
            if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
                names += [str(key.value) for key in keyword.value.keys if isinstance(key, ast.Constant)]
        found += [
            f"{source.name}:{node.lineno}: {name}"
            for name in names
            if name not in HARMLESS and SECRET_WORDS.search(name)
        ]
    assert found == []


def test_no_credential_stands_in_the_product() -> None:
    assert [source.name for source in SOURCES if CREDENTIALS.search(source.text)] == []


def test_values_of_the_services_are_frozen() -> None:
    """What a service hands out, nobody changes behind its back."""
    loose = []
    for name in all_modules():
        if not name.endswith(".model"):
            continue
        module = importlib.import_module(name)
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == name and dataclasses.is_dataclass(value):
                parameters = value.__dict__["__dataclass_params__"]
                if not parameters.frozen:
                    loose.append(f"{name}.{value.__name__}")
    assert loose == []
