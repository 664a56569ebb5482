# Every target does its own set-up: git, make, Python 3.11 or newer with venv, and a package index
# suffice. With Node.js and npm, GitHub's own workflow parser judges too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RENDER_LOCK := requirements/render.txt
DEV_LOCK := requirements/dev.txt
NODE_MODULES := tests/judges/node_modules

.DEFAULT_GOAL := help
.PHONY: help setup judges render check reference test slow verify e2e lint format house bench bench-restore lock hooks clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/dev judges ## the virtual environment with all tools, and npm's modules where npm is

INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

# Two stamps: rendering needs a third of the packages. Each depends on what decides
# what is installed. Nothing is fetched except files of the locks: the lock's hatchling builds wfgen.
$(VENV)/render: $(RENDER_LOCK) pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes --only-binary :all: -r $(RENDER_LOCK)
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev: $(DEV_LOCK) $(VENV)/render
	$(INSTALL) --require-hashes --only-binary :all: -r $(DEV_LOCK)
	touch $@

judges: $(if $(shell command -v npm),$(NODE_MODULES)/.package-lock.json) ## npm's modules for the tests

$(NODE_MODULES)/.package-lock.json: tests/judges/package-lock.json
	npm ci --prefix tests/judges --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

render: $(VENV)/render ## render specs/ into .github/ and docs/
	$(BIN)/wfgen render

check: $(VENV)/render ## is what is generated up to date?
	$(BIN)/wfgen check

reference: $(VENV)/render ## write docs/reference.md from the models
	$(BIN)/python -m wfgen.report.reference docs/reference.md

RUN_TESTS := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

test: setup ## the everyday tests; more: make test PYTEST='-k pins -x'
	$(RUN_TESTS) -m 'not slow and not e2e' $(PYTEST)

slow: setup ## the tests that take long: whole pipelines under act, renders killed, random faults
	$(RUN_TESTS) -m slow $(PYTEST)

verify: $(VENV)/render ## every outcome of every job of our own pipelines
	$(BIN)/wfgen verify

# A KUBECONFIG of the environment is not taken: it may be anybody's.
e2e: setup ## releases on a real Kubernetes, or on yours: make e2e KUBECONFIG=... REGISTRY=...
	E2E_KUBECONFIG=$(if $(filter command line,$(origin KUBECONFIG)),$(KUBECONFIG)) E2E_REGISTRY=$(REGISTRY) \
	  $(BIN)/python -m tests.e2e $(PYTEST)

lint: $(VENV)/dev ## ruff, mypy, shellcheck, and the release program against Python 3.9
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	PATH="$(BIN):$$PATH" shellcheck .ci/run
	$(BIN)/vermin --quiet --target=3.9- --no-tips --violations wfgen/release_program

format: $(VENV)/dev ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

house: setup ## how large and how tangled the code is
	$(BIN)/python -m tests.house

bench: $(VENV)/dev ## measure wfgen
	$(BIN)/python benchmarks/run.py

bench-restore: setup ## how long a bad release is live: ours, kubectl, a loop, Helm
	$(BIN)/python benchmarks/restore.py $(PARTS)

# Not the stamp: what changed in pyproject.toml is resolved before anything is installed.
RESOLVE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --quiet $(UPGRADE)

lock: | $(BIN)/uv ## resolve pyproject.toml, with hashes of all files; newer versions: UPGRADE=--upgrade
	$(RESOLVE) --group dev --output-file $(DEV_LOCK)
	$(RESOLVE) --group build --constraint $(DEV_LOCK) --output-file $(RENDER_LOCK)
	cd tests/judges && npm install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel error

$(BIN)/uv:
	$(MAKE) $(VENV)/dev

hooks: $(VENV)/dev ## check before each commit
	$(BIN)/pre-commit install

clean: ## remove all that the targets made, but for what is generated from specs/
	rm -rf $(VENV) $(NODE_MODULES) dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
