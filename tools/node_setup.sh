#!/bin/bash
# Install the vendor's Node SDKs for the end-to-end tests, once: again only when the lock file has changed.
set -euo pipefail

cd "$(dirname "$0")/../tests/e2e/node"
command -v npm >/dev/null || { echo "error: the end-to-end tests need Node.js 20 or later with npm" >&2; exit 1; }

exec 9<package-lock.json # two test workers may get here at once
flock 9

wanted=$(sha256sum package-lock.json | cut -d ' ' -f 1)
stamp=node_modules/.installed
if [[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  echo "$wanted" >"$stamp"
fi
