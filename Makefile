# Headwater in short words. `make` alone lists them.
# Needs Python >= 3.11 (with pip and venv), make and git; uv is fetched into .venv when the machine has none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(or $(shell command -v uv 2>/dev/null),$(BIN)/uv)
READY := $(VENV)/.ready
APP ?= my-app
BROWSER_LOCK := "template/{% if frontend != 'none' %}requirements-browser.lock{% endif %}"
PORT ?= 3210

# Compiled modules are kept whatever the shell says: without them each process compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help start test prove again bench docs docs-pages format lint complete lock clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Headwater needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Say: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x "$(UV)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip sync --python $(BIN)/python --quiet --require-hashes requirements.lock
	$(UV) pip install --python $(BIN)/python --quiet --no-deps --editable .
	@touch $@

start: $(READY)  ## a project in ./my-app, served with sample data at http://127.0.0.1:3210
	@test -d $(APP) || { echo "Making a project in ./$(APP)"; $(BIN)/headwater new $(APP) --defaults >/dev/null; }
	@$(MAKE) --silent -C $(APP) env UV=$(abspath $(UV))
	@$(BIN)/python -m headwater_workshop.start $(APP) --port $(PORT)

test: $(READY) lint docs  ## the daily gate: format, lint, types, tests, docs
	$(BIN)/pytest -rs -n 2 --dist loadfile --no-loadscope-reorder -m "not prove"

prove: $(READY)  ## what takes longer: mutants, long histories, the whole template matrix
	HYPOTHESIS_PROFILE=prove $(BIN)/pytest -rs -n 2 --dist loadfile --no-loadscope-reorder -m prove

again: $(READY)  ## the tests that failed last, once more and one after the other
	$(BIN)/pytest -rs --last-failed --last-failed-no-failures none

bench: $(READY)  ## ratios against the baselines; docs/benchmarks.md says how to read them
	$(BIN)/python -m benchmarks

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)  ## put the code in order
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: docs-pages  ## the documentation site, strict, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs-pages: $(READY)
	$(BIN)/python -m headwater_workshop.lesson_docs docs/lessons
	$(BIN)/python -m headwater.rules_docs docs/rules
	$(BIN)/python -m headwater_workshop.reference_docs docs/reference

complete: $(READY)  ## rebuild the complete backend in template/ from the lessons
	$(BIN)/python -m headwater_workshop.stages build

lock: $(READY)  ## pin the dependencies again
	$(UV) pip compile pyproject.toml --extra workshop --extra project --extra mcp --group dev --universal --generate-hashes --no-emit-index-url -o requirements.lock --python-version 3.11 --custom-compile-command "make lock"
	$(UV) pip compile pyproject.toml --extra workshop --extra project --extra mcp --universal --generate-hashes --no-emit-index-url -c requirements.lock -o template/requirements.lock --python-version 3.11 --custom-compile-command "make lock"
	$(UV) pip compile --group browser --universal --generate-hashes --no-emit-index-url -c requirements.lock -o $(BROWSER_LOCK) --python-version 3.11 --custom-compile-command "make lock"

clean:  ## take away what was generated; my-app stays
	rm -rf $(VENV) site docs/lessons docs/rules .mypy_cache .ruff_cache .pytest_cache
