#!/bin/bash
# Formatting, lint, types, import contracts. Usage: tools/lint.sh VENV
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${1:-.venv}/bin
"$bin/ruff" format --check --quiet .
"$bin/ruff" check --quiet .
"$bin/mypy"
PYTHONPATH=src "$bin/lint-imports" --no-timing 2>/dev/null || PYTHONPATH=src "$bin/lint-imports"
