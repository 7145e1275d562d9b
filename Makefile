# Two commands matter: `make up` (a hub with two simulated devices) and `make test` (everything that CI checks).
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help up test test-full lint bench lock clean

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: $(VENV)/up.stamp ## Set up, start a hub, drive two devices with the vendor's SDK, show their telemetry
	$(BIN)/ironhub quickstart $(if $(MESSAGES),--messages $(MESSAGES))

test: $(VENV)/test.stamp ## Set up and check everything that CI checks
	tools/check.sh $(VENV)

test-full: $(VENV)/test.stamp ## As test, with the long forms (50 crashes instead of 5, ...)
	IRONHUB_FULL=1 tools/check.sh $(VENV)

lint: $(VENV)/test.stamp ## Formatting, lint, types, import contracts
	tools/lint.sh $(VENV)

bench: $(VENV)/test.stamp ## Measure this hub beside its peers in one run
	$(BIN)/python -m tools.bench $(BENCH)

lock: ## Pin what pyproject.toml asks for
	tools/lock.sh

clean: ## Remove what make made
	rm -rf $(VENV) build dist node_modules tests/e2e/node/node_modules

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/up.stamp: requirements/up.lock pyproject.toml setup.py $(shell find src -name '*.py' -o -name '*.json') | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements/up.lock
	$(PIP) --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(VENV)/test.stamp: requirements/test.lock pyproject.toml setup.py $(shell find src -name '*.py' -o -name '*.json') | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements/test.lock
	$(PIP) --no-deps --no-build-isolation --force-reinstall .
	@touch $@
