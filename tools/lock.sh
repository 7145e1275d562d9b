#!/bin/bash
# Pins what pyproject.toml asks for, for every supported Python, with hashes.
set -euo pipefail
cd "$(dirname "$0")/.."
pin() {
  uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-emit-find-links --no-annotate --custom-compile-command "make lock" --output-file "$@"
}
pin requirements/up.lock --extra quickstart --group build
pin requirements/test.lock --extra quickstart --group build --group test
