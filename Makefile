# Every target does its own set-up: git, make, Python 3.11 or newer with venv, and a package index
# suffice. With Node.js and npm, GitHub's own workflow parser judges too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.txt
NODE_MODULES := tests/judges/node_modules

.DEFAULT_GOAL := help
.PHONY: help setup judges render check reference test slow verify e2e lint format house bench bench-restore lock hooks clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/installed judges ## the virtual environment, and npm's modules where npm is

# What the stamp depends on decides what is installed. Nothing is fetched but the lock's files: wfgen
# itself is built by the lock's own hatchling.
$(VENV)/installed: $(LOCK) pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(LOCK)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

judges: $(if $(shell command -v npm),$(NODE_MODULES)/.package-lock.json) ## npm's modules for the tests

$(NODE_MODULES)/.package-lock.json: tests/judges/package-lock.json
	npm ci --prefix tests/judges --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

render: $(VENV)/installed ## render specs/ into .github/ and docs/
	$(BIN)/wfgen render

check: $(VENV)/installed ## is what is generated up to date?
	$(BIN)/wfgen check

reference: $(VENV)/installed ## write docs/reference.md from the models
	$(BIN)/python -m wfgen.reference docs/reference.md

RUN_TESTS := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal --durations 10

test: setup ## the everyday tests; more: make test PYTEST='-k pins -x'
	$(RUN_TESTS) -m 'not slow and not e2e' $(PYTEST)

slow: setup ## the tests that take long: whole pipelines under act, renders killed, random faults
	$(RUN_TESTS) -m slow $(PYTEST)

verify: $(VENV)/installed ## every outcome of every job of our own pipelines
	$(BIN)/wfgen verify

# A KUBECONFIG of the environment is not taken: it may be anybody's.
e2e: setup ## releases on a real Kubernetes, or on yours: make e2e KUBECONFIG=... REGISTRY=...
	E2E_KUBECONFIG=$(if $(filter command line,$(origin KUBECONFIG)),$(KUBECONFIG)) E2E_REGISTRY=$(REGISTRY) \
	  $(BIN)/python -m tests.e2e $(PYTEST)

lint: $(VENV)/installed ## ruff, mypy, shellcheck, and the release program against Python 3.9
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	PATH="$(BIN):$$PATH" shellcheck .ci/run
	$(BIN)/vermin --quiet --target=3.9- --no-tips --violations wfgen/release_program

format: $(VENV)/installed ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

house: setup ## how large and how tangled the code is
	$(BIN)/python -m tests.house

bench: $(VENV)/installed ## measure wfgen
	$(BIN)/python benchmarks/run.py

bench-restore: setup ## how long a bad release is live: ours, kubectl, a loop, Helm
	$(BIN)/python benchmarks/restore.py $(PARTS)

# Not the stamp: what changed in pyproject.toml is resolved before anything is installed.
lock: | $(BIN)/uv ## resolve pyproject.toml anew, with hashes of all files and no addresses
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command 'make lock' --quiet --output-file $(LOCK)
	cd tests/judges && npm install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel error

$(BIN)/uv:
	$(MAKE) $(VENV)/installed

hooks: $(VENV)/installed ## check before each commit
	$(BIN)/pre-commit install

clean: ## remove all that the targets made, but for what is generated from specs/
	rm -rf $(VENV) $(NODE_MODULES) dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
