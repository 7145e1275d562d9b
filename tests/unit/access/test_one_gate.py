"""There is no second way in: whoever wants a principal or a grant goes through the one place that checks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ironhub

SOURCE = Path(ironhub.__file__).parent
MAKERS = {
    "DevicePrincipal": {"identity/gate.py"},
    "ServicePrincipal": {"identity/gate.py"},
    "LinkPrincipal": {"identity/links.py"},
    "OperatorPrincipal": {"identity/gate.py"},
    "Grant": {"access/service.py"},
}
COPIERS = {
    "replace",
    "dataclasses.replace",
    "copy.replace",
    "copy.copy",
    "copy.deepcopy",
    "object.__setattr__",
    "object.__new__",
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the source as (file, last part of the called name, call)."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                function = node.func
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                yield path.relative_to(SOURCE).as_posix(), name, node


@pytest.mark.parametrize(("made", "makers"), MAKERS.items())
def test_only_the_place_that_checks_makes_one(made: str, makers: set[str]) -> None:
    assert {file for file, name, _ in calls() if name == made} == makers


@pytest.mark.parametrize("made", MAKERS)
def test_nobody_else_gets_hold_of_the_constructor_under_another_name(made: str) -> None:
    """No alias on import, no assignment, no argument: the class is only called, matched, or named in an annotation."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.alias):
                assert not (node.name == made and node.asname), f"{path}:{node.lineno} renames {made}"
            values: list[ast.expr | None] = []
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.Return):
                values = [node.value]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") not in {"isinstance", "issubclass"}:
                values = [*node.args, *(keyword.value for keyword in node.keywords)]
            for value in values:
                name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
                assert name != made, f"{path}:{getattr(node, 'lineno', 0)} hands {made} on"


def test_nobody_changes_a_copy_of_one() -> None:
    for file, _, call in calls():
        if ast.unparse(call.func) in COPIERS and call.args:
            copied = ast.unparse(call.args[0]).lower()
            assert "principal" not in copied, f"{file}: {ast.unparse(call)}"
            assert "grant" not in copied, f"{file}: {ast.unparse(call)}"


def test_the_check_finds_what_it_looks_for() -> None:
    tree = ast.parse("model.Grant(a, b, c)")
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert isinstance(call.func, ast.Attribute)
    assert call.func.attr == "Grant"
