# The two commands that matter: `make run` and `make test`. `make` prints the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first interpreter that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help test check fmt lock clean python-is-new-enough

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python-is-new-enough:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "error: Python 3.11 or newer is needed; install it or say PYTHON=/path/to/python3.11"; exit 1; }

$(VENV)/.runtime: requirements.txt | python-is-new-enough
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.develop: requirements-dev.txt | python-is-new-enough
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

test: $(VENV)/.develop ## run every test on a PostgreSQL and a Redis of its own
	@$(BIN)/python -m pytest

check: $(VENV)/.develop ## format, lint, types, import contracts, migrations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy assistant_project accounts audit chat functions tests
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py check
	@$(BIN)/python -W "ignore::RuntimeWarning" manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py export_asyncapi --check

fmt: $(VENV)/.develop ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(VENV)/.develop ## compile the hashed requirements from pyproject.toml
	@$(BIN)/uv pip compile --quiet --no-strip-extras --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --no-strip-extras --universal --generate-hashes --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.txt

clean: ## remove the environment, caches and what `make run` keeps
	@rm -rf $(VENV) .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* staticfiles
