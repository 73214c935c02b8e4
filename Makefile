# Every word of this file works on a fresh machine with Python >= 3.10 and make; each installs what it needs.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
.DEFAULT_GOAL := help
.PHONY: help demo test test-all bench lint js chromium clean

help:  ## list these words
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 10) and f"Python >= 3.10 is needed, this is {v.major}.{v.minor}; name one with PYTHON=")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.installed: .venv/.python pyproject.toml constraints.txt $(wildcard native/*)
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	@$(BIN)/nbinterp --version
	@touch $@

.venv/.test: .venv/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test]'
	@touch $@

.venv/.lint: .venv/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[lint]'
	@touch $@

chromium:
	@bash tests/browser/install_chromium.sh

demo: .venv/.installed  ## run the attribution report on the embedded model; prints where it is
	$(BIN)/nbinterp report attribution --demo -o demo-report

test: .venv/.test chromium  ## the default tests
	$(PYTEST) -m 'not slow'

test-all: .venv/.test chromium  ## every test, the slow and real ones too
	$(PYTEST)

bench: .venv/.test  ## ratios against the peers, measured in this run
	$(BIN)/python -m tests.benchmarks

lint: .venv/.test .venv/.lint  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

js:  ## rebuild the browser half (needs Node); the result is committed
	cd js && npm ci && npm run typecheck && npm test && npm run build

clean:  ## remove what make made
	rm -rf .venv demo-report js/node_modules .pytest_cache .mypy_cache .ruff_cache
