# Every target works in a fresh clone with Python 3.11 or newer and make; nothing has to be activated.
.DEFAULT_GOAL := help
.PHONY: help setup lock lint format test dynamodb-local test-dynamodb-local run bench simulate package deploy e2e diagrams clean

PYTHON ?= python3
BIN    := .venv/bin
PY     := $(BIN)/python
STAMP  := .venv/installed
E2E    := .venv-e2e/installed

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Create .venv with the pinned dependencies (again, when they change)

$(STAMP): pyproject.toml infra/lock/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: needs Python 3.11 or newer as $(PYTHON); name another one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "setup: $(PYTHON) has no venv module; install it (Debian: python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --require-hashes -r infra/lock/dev.txt
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

LOCK := .venv-lock/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate \
	--universal --python-version 3.11 --custom-compile-command 'make lock' $(ARGS)

lock: .venv-lock/bin/uv ## Write infra/lock anew from pyproject.toml (ARGS=--upgrade for newer versions)
	$(LOCK) pyproject.toml --all-extras -o infra/lock/dev.txt
	$(LOCK) pyproject.toml --constraint infra/lock/dev.txt -o infra/lock/runtime.txt
	$(LOCK) infra/lock/e2e.in -o infra/lock/e2e.txt

.venv-lock/bin/uv:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet uv==0.13.9

lint: setup ## Check style, formatting, types and templates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PY) -m infra.check

format: setup ## Format the code and apply the linter's safe fixes
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

test: setup ## Run the tests; reconciler/ must be covered in full (some: ARGS="-k join --no-cov")
	$(PY) -m pytest -n auto $(ARGS) --cov

dynamodb-local: setup ## Fetch DynamoDB Local by Maven, once (needs a JDK 17 or newer)
	@$(PY) -m replay_tools.dynamodb_local

test-dynamodb-local: dynamodb-local ## Run the tests that need DynamoDB Local: real conditions, real streams
	$(PY) -m pytest -n auto -m dynamodb_local $(ARGS)

run: setup $(filter dynamodb-local,$(ENGINE)) ## Play the demo offline (ENGINE=dynamodb-local on the real engine; ARGS=--narrate tells the story)
	@$(PY) -m replay_tools demo $(if $(ENGINE),--engine $(ENGINE)) $(ARGS)

bench: setup ## Measure this worker against a plain one, and how its cost grows (ARGS=--json)
	@$(PY) -m tests.bench $(ARGS)

simulate: setup ## Search random histories for a lost write (HISTORIES=1000)
	@$(PY) -m replay_tools simulate --histories $(or $(HISTORIES),1000)

package: setup ## Make build/function.zip: the same bytes from the same files (ARGS="--policy FILE", --help)
	@$(PY) -m infra.package $(ARGS)

deploy: setup ## Deploy build/function.zip to AWS (ARGS=--dry-run prints every command and runs none)
	@$(PY) -m infra.deploy $(ARGS)

$(E2E): infra/lock/e2e.txt
	$(PYTHON) -m venv .venv-e2e
	.venv-e2e/bin/python -m pip install --quiet --require-hashes -r infra/lock/e2e.txt
	@touch $@

e2e: setup $(E2E) ## Deploy to ministack on loopback: two Regions, the real templates, the real package
	$(PY) -m pytest -x -m e2e tests/e2e $(ARGS)

diagrams: setup ## Draw the README's pictures again (needs Graphviz)
	@command -v dot > /dev/null || { echo "diagrams: needs Graphviz's dot (Debian: graphviz)" >&2; exit 1; }
	$(PY) -m infra.diagrams

clean: ## Remove whatever these targets made, .venv included
	rm -rf .venv .venv-lock .venv-e2e .dynamodb-local build dist *.egg-info .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
