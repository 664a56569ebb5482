# Every target installs what it needs. Required: git, make, Python 3.11 or newer with venv, a package
# index. With Node.js and npm, the tests also run GitHub's own workflow parser.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RENDER_LOCK := requirements/render.txt
DEV_LOCK := requirements/dev.txt
PUBLISH_LOCK := requirements/publish.txt
NODE_MODULES := tests/judges/node_modules

.DEFAULT_GOAL := help
.PHONY: help setup judges render check reference test slow slow-all matrix verify e2e e2e-all lint format house bench bench-restore cost dist lock hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/dev judges ## install everything that the tests need into .venv, and npm's modules if npm exists

INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

# Two stamps: rendering needs a third of the packages. Each depends on what decides
# what is installed; --clear removes what the locks no longer name. Nothing is fetched except files of
# the locks: the lock's hatchling builds wfgen.
$(VENV)/render: $(RENDER_LOCK) pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) --require-hashes --only-binary :all: -r $(RENDER_LOCK)
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev: $(DEV_LOCK) $(VENV)/render
	$(INSTALL) --require-hashes --only-binary :all: -r $(DEV_LOCK)
	touch $@

judges: $(if $(shell command -v npm),$(NODE_MODULES)/.package-lock.json) ## install npm's modules for the tests

$(NODE_MODULES)/.package-lock.json: tests/judges/package-lock.json
	npm ci --prefix tests/judges --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

render: $(VENV)/render ## render specs/ into .github/ and docs/
	$(BIN)/wfgen render

check: $(VENV)/render ## compare the generated files with specs/
	$(BIN)/wfgen check

reference: $(VENV)/render ## generate docs/reference.md from the models
	$(BIN)/python -m wfgen.report.reference docs/reference.md

RUN_TESTS := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal --durations 10

test: setup ## run the tests, 2 to 4 minutes; a part: make test PYTEST='-k pins -x'
	$(RUN_TESTS) -m 'not slow and not e2e' $(PYTEST)

slow: setup ## run a random quarter of the long tests, as CI does; again: make slow WFGEN_SEED=<seed>
	WFGEN_SAMPLE=1 $(RUN_TESTS) -m slow $(PYTEST)

slow-all: setup ## run all long tests: pipelines under act, killed renders, random faults
	$(RUN_TESTS) -m slow $(PYTEST)

matrix: setup ## render 160 kinds of projects, judge their files, check their safety properties
	WFGEN_MATRIX=all $(RUN_TESTS) tests/matrix $(PYTEST)

verify: $(VENV)/render ## check the safety properties of this repository's pipelines
	$(BIN)/wfgen verify

# The environment's KUBECONFIG is ignored: it may name a cluster that must not be changed.
ON_CLUSTER := E2E_KUBECONFIG=$(if $(filter command line,$(origin KUBECONFIG)),$(KUBECONFIG)) \
  E2E_REGISTRY=$(REGISTRY) $(BIN)/python -m tests.e2e

e2e: setup ## test a random sample of releases on a temporary Kubernetes, as CI does, or on yours: make e2e KUBECONFIG=... REGISTRY=...
	WFGEN_SAMPLE=$(if $(PYTEST),,1) $(ON_CLUSTER) $(PYTEST)

e2e-all: setup ## test all releases on a Kubernetes, and write docs/release-behaviour.md
	$(ON_CLUSTER)

lint: $(VENV)/dev ## run ruff, mypy, import-linter, shellcheck; check the release program against Python 3.9
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	PATH="$(BIN):$$PATH" shellcheck .ci/run
	$(BIN)/vermin --quiet --target=3.9- --no-tips --violations wfgen/release_program

format: $(VENV)/dev ## apply ruff's fixes and formatting
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

house: setup ## print sizes and imports of the code, and phrases to avoid
	$(BIN)/python -m tests.house
	$(BIN)/python -m tests.writing

# Has a separate environment: it is only measured, nothing here imports it.
YAMLOOM := .cache/yamloom

$(YAMLOOM)/bin/yamloom:
	$(PYTHON) -m venv --clear $(YAMLOOM)
	$(YAMLOOM)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: yamloom==0.6.1

bench: $(VENV)/dev $(YAMLOOM)/bin/yamloom ## measure how long wfgen takes, also compared with yamloom
	$(BIN)/python benchmarks/run.py --yamloom $(YAMLOOM)/bin/yamloom
	$(BIN)/python benchmarks/run.py

bench-restore: setup ## measure how long a bad release is live with wfgen, kubectl, a loop, Helm
	$(BIN)/python benchmarks/restore.py $(PARTS)

MEASURE := measure

cost: $(VENV)/dev ## measure what jobs fetch, and write docs/cost.md; only the page: make cost MEASURE=
	$(BIN)/python -m benchmarks.cost $(MEASURE) page

dist: $(VENV)/dev ## build the distributions into dist/, and check them for PyPI
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*

# Needs uv, not the stamp: a change in pyproject.toml is resolved before it is installed.
RESOLVE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --quiet $(UPGRADE)

lock: | $(BIN)/uv ## resolve pyproject.toml into the locks; newer versions: make lock UPGRADE=--upgrade
	$(RESOLVE) pyproject.toml --group dev --output-file $(DEV_LOCK)
	$(RESOLVE) pyproject.toml --group build --constraint $(DEV_LOCK) --output-file $(RENDER_LOCK)
	$(RESOLVE) --no-strip-extras --group publish --constraint $(DEV_LOCK) --output-file $(PUBLISH_LOCK)
	cd tests/judges && npm install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel error

$(BIN)/uv:
	$(MAKE) $(VENV)/dev

hooks: $(VENV)/dev ## install the pre-commit hooks
	$(BIN)/pre-commit install

clean: ## remove what the targets installed or built
	rm -rf $(VENV) $(NODE_MODULES) dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
