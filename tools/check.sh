#!/bin/bash
# Everything that CI checks. Usage: tools/check.sh VENV   (IRONHUB_FULL=1: the long forms too)
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
bin=$PWD/$venv/bin
export PATH="$bin:$PATH"

step() { printf '\n== %s\n' "$*"; }

# Debian packages that tests need, by name: package and a command or a file that it brings.
need() {
  [ -e "$2" ] || command -v "$2" >/dev/null && return
  step "installing $1"
  if [ "$(id -u)" != 0 ]; then
    echo "tools/check.sh: this needs $2: install it with: sudo apt-get install $1" >&2
    exit 1
  fi
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

need strace strace
need openssl openssl
if command -v cc >/dev/null; then need libssl-dev /usr/include/openssl/ssl.h; fi # for the load generators
need nodejs node
need npm npm
step "the vendor's Node SDKs"
tools/node_setup.sh

step "formatting, lint, types, import contracts"
tools/lint.sh "$venv"

step "unit, property, contract and conformance tests; each module covered by its own"
python tools/coverage_by_own_test.py

# Three at a time on two cores: these tests mostly wait for hubs to start, for SDKs, and for locks to end.
if python -c 'import glob, sysconfig, sys; sys.exit(not glob.glob(sysconfig.get_path("platlib") + "/ironhub/wire/mqtt/*.so"))'
then
  step "a running hub from source, in pure Python: vendor SDKs"
  pytest -q -n 3 tests/e2e
  step "as it is installed, compiled: the hot path's own tests, a running hub, vendor SDKs, abuse, durability"
  IRONHUB_EXPECT_COMPILED=1 pytest -q -n 3 -o pythonpath=. \
    tests/unit/wire tests/unit/heads tests/unit/messaging/telemetry tests/properties tests/conformance \
    tests/e2e tests/abuse tests/durability
else
  step "no C compiler at install, so all of it is pure Python: a running hub, vendor SDKs, abuse, durability"
  pytest -q -n 3 tests/e2e tests/abuse tests/durability
fi
