# One command each for what people do with a clone. Every target sets up what it needs in .venv;
# stamps under .venv/stamps make the second run start in seconds and work without a network.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Exactly these files, whatever would suit the machine better.
DEMO_MODEL := qwen2.5-coder-0.5b:q4_k_m
TEST_MODEL := smollm2-135m:q4_1
SENTENCE_MODEL := all-minilm-l6-v2

# `make bench SUITES=route ROUNDS=1` runs one suite once.
SUITES ?= all
ROUNDS ?= 5

# The type checker ships inside its package: no look for a newer one.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.cache
export NO_MKDOCS_2_WARNING := 1

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: engine ## Set up, fetch the demo's model and hold the demo conversation
	$(BIN)/smallhold pull $(DEMO_MODEL)
	$(BIN)/smallhold demo

.PHONY: test
test: models ## Run the fast tests
	scripts/with-postgresql $(BIN)/python -m pytest -m "not slow"

.PHONY: test-all
test-all: models ## Run every test
	scripts/with-postgresql $(BIN)/python -m pytest

.PHONY: check check-lint check-format check-types check-floors check-docs
check: check-lint check-format check-types check-floors check-docs ## Lint, format, types, floors, docs

check-lint: $(STAMPS)/dev
	$(BIN)/ruff check .

check-format: $(STAMPS)/dev
	$(BIN)/ruff format --check .

check-types: $(STAMPS)/dev engine
	$(BIN)/pyright

check-floors: $(STAMPS)/dev
	$(BIN)/lint-imports --no-logo

check-docs: $(STAMPS)/dev
	$(BIN)/mkdocs build --strict --quiet

.PHONY: format
format: $(STAMPS)/dev ## Format the code and apply safe lint fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: models ## Run the benchmarks, ours and peers in turns (about an hour)
	@for script in benchmarks/{hardware_limits,import_time,spin_count}.py; do echo "== $$script"; $(BIN)/python "$$script"; done
	@for suite in $(SUITES); do $(BIN)/smallhold bench --suite "$$suite" --rounds $(ROUNDS); done

.PHONY: chaos-state
chaos-state: $(STAMPS)/dev ## Kill agents 500 times in mid-run and count what is lost or repeated
	$(BIN)/python -m benchmarks.chaos_state --kills 500

.PHONY: docs
docs: $(STAMPS)/dev ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

.PHONY: lock
lock: $(STAMPS)/dev ## Pin the dependencies anew, with hashes
	@scripts/lock

.PHONY: clean
clean: ## Remove the environment and everything made by the tools; caches outside stay
	@rm -rf $(VENV) .cache .hypothesis .import_linter_cache .pytest_cache .ruff_cache build dist site
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Set-up, from here on.

$(STAMPS)/venv: scripts/make-venv
	@scripts/make-venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/runtime: $(STAMPS)/venv requirements/build.txt requirements/runtime.txt pyproject.toml
	@echo "Installing the pinned dependencies ..."
	@$(PIP) install --quiet --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(STAMPS)/dev: $(STAMPS)/runtime requirements/dev.txt
	@echo "Installing the pinned development tools ..."
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: engine
engine: $(STAMPS)/runtime ## Compile the engine for this CPU (about 6 minutes, once)
	@$(BIN)/python -m smallhold.engine.build

.PHONY: models
models: $(STAMPS)/dev engine
	$(BIN)/smallhold pull $(TEST_MODEL)
	$(BIN)/smallhold pull $(DEMO_MODEL)
	$(BIN)/smallhold pull $(SENTENCE_MODEL)
