# The two commands that matter: `make run` and `make test`. `make` prints the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first interpreter that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --no-strip-extras --universal --generate-hashes --no-header --python-version 3.11
PACKAGES := assistant_project accounts audit chat functions
# `make check` asks no database; makemigrations only warns that it could not.
NO_DATABASE := DATABASE_POOL_SIZE=0 $(BIN)/python -W "ignore::RuntimeWarning" manage.py

.PHONY: help run test check fmt lock bench clean python-is-new-enough

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python-is-new-enough:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "error: Python 3.11 or newer is needed; install it or say PYTHON=/path/to/python3.11" >&2; exit 1; }

$(BIN)/python: | python-is-new-enough
	@"$(PYTHON)" -m venv $(VENV) >/dev/null 2>&1 && $(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV); \
		echo "error: $(PYTHON) cannot make an environment with pip (on Debian: apt-get install python3-venv)" >&2; exit 1; }

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	@echo "installing packages (only when requirements.txt has changed)"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.develop: requirements-dev.txt | $(BIN)/python
	@echo "installing packages (only when requirements-dev.txt has changed)"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

run: $(VENV)/.runtime ## run the product on this machine until Ctrl-C
	@$(BIN)/python manage.py demo

test: $(VENV)/.develop ## run every test on a PostgreSQL and a Redis of its own
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --cov --cov-report term:skip-covered

check: $(VENV)/.develop ## format, lint, types, imports, migrations, documents
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy $(PACKAGES) tests manage.py
	@$(BIN)/lint-imports
	@$(NO_DATABASE) check
	@$(NO_DATABASE) makemigrations --check --dry-run
	@$(NO_DATABASE) export_asyncapi --check
	@$(NO_DATABASE) export_functions --check
	@mkdir -p build && $(NO_DATABASE) spectacular --validate --fail-on-warn --file build/openapi.yaml
	@diff -u docs/openapi.yaml build/openapi.yaml || { \
		echo "error: docs/openapi.yaml is out of date: cp build/openapi.yaml docs/openapi.yaml" >&2; exit 1; }

fmt: $(VENV)/.develop ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(VENV)/.develop ## compile the hashed requirements from pyproject.toml
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) --extra dev pyproject.toml -o requirements-dev.txt

bench: $(VENV)/.develop ## measure speed and memory against a bare relay in the same run
	@$(BIN)/python -m tests.bench

clean: ## remove the environment, caches and what `make run` keeps
	@if [ -d .run ]; then $(BIN)/python manage.py demo --forget; fi
	@rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* staticfiles
