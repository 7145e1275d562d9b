"""Writes docs/reference/ from the code: every error, setting and metric, and what both REST APIs can do.

python -m tools.reference            write the pages
python -m tools.reference --check    exit with 1 when one is not what the code says
"""

import argparse
import ast
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from tools import azure_rest
from tools.azure_routes import served_routes

import ironhub
from ironhub.app.settings import Settings
from ironhub.console import metric_names
from ironhub.console.api import admin_document
from ironhub.core.errors import HubError

PAGES: Final = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE: Final = "Written by `python -m tools.reference` from the code; do not edit.\n"


def errors_page() -> str:
    """Return the page of all errors, by code."""
    rows = {error.code: error for error in sorted(_errors(), key=lambda each: each.__qualname__)}
    lines = [
        "# Errors",
        "",
        NOTE,
        "Clients match on the code; it never changes.",
        "",
        "| code | HTTP | what | what to do |",
    ]
    lines += ["|---|---|---|---|"]
    for code, error in sorted(rows.items()):
        what = (inspect.getdoc(error) or "").split("\n", 1)[0]
        lines.append(f"| `{code}` | {error.status} | {_cell(what)} | {_cell(error.next_step)} |")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return the page of all settings."""
    described = _attribute_docs(Settings)
    lines = ["# Settings", "", NOTE]
    lines += ["Defaults < `ironhub.toml` in the data directory < environment < command line of `ironhub serve`.", ""]
    lines += ["| `ironhub.toml` | environment | default | what |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = _cell(", ".join(default) if isinstance(default, tuple) else str(default)) or "none"
        lines.append(f"| `{name}` | `IRONHUB_{name.upper()}` | {shown} | {_cell(described[name])} |")
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Return the page of all metrics."""
    described = _attribute_docs(metric_names)
    lines = ["# Metrics", "", NOTE, "`http://127.0.0.1:9464/metrics`, in the Prometheus text format.", ""]
    lines += ["| metric | what |", "|---|---|"]
    for name, text in described.items():
        lines.append(f"| `{getattr(metric_names, name)}` | {_cell(text)} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Return every page by file name."""
    return {
        "errors.md": errors_page(),
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        "admin-api.json": document_text(admin_document()),
        "azure-rest.json": document_text(azure_rest.document(served_routes())),
    }


def document_text(document: dict[str, Any]) -> str:
    """Return an OpenAPI document as it lies in the repository."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, text in pages().items():
        path = PAGES / name
        if check:
            if not path.is_file() or path.read_text("utf-8") != text:
                stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    for name in stale:
        print(f"docs/reference/{name} is not what the code says: run python -m tools.reference", file=sys.stderr)
    return 1 if stale else 0


def _errors() -> set[type[HubError]]:
    for module in pkgutil.walk_packages(ironhub.__path__, "ironhub."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    found: set[type[HubError]] = set()
    waiting = [HubError]
    while waiting:
        error = waiting.pop()
        if error not in found:
            found.add(error)
            waiting += error.__subclasses__()
    return {error for error in found if error.__module__.startswith("ironhub.")}


def _attribute_docs(owner: object) -> dict[str, str]:
    """The string behind each attribute of a class or module."""
    tree = ast.parse(inspect.getsource(owner))  # type: ignore[arg-type]  # a class or a module
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else tree.body
    return dict(_documented(body))


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for before, after in pairwise(body):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, " ".join(inspect.cleandoc(text).split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
