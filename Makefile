# Everything a newcomer types. `make help` lists it; `make run` is the one to begin with.
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # the hub is begun as a process so often that compiling it each time is felt

# The first Python that really runs and is one of 3.11 to 3.13. Looked for only when .venv is made; `make PYTHON=... setup` decides otherwise.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c '$(SUPPORTED)' 2>/dev/null && { echo $$p; break; }; done)
PIP := .venv/bin/python -m pip --quiet install
ARGS ?=

# More at once than there are processors: much of it is waiting, for processes that begin and for databases that are away. The longest
# modules come first (tests/conftest.py).
AT_ONCE := -n 3 --dist loadscope --no-loadscope-reorder

# What `make check` also runs on Motor: whatever talks to the database most, but for what is decided before or after that.
OFF_MOTOR := $(addprefix tests/graphql/test_, allowed_acts.py bad_input.py cost.py descriptions.py generated.py schema.py schema_changes.py slices.py step_up.py) \
	$(addprefix tests/streams/test_, chaos.py crowds.py machine.py rendering.py)
ON_MOTOR := tests/store tests/graphql tests/streams $(addprefix tests/journal/test_, committer.py feed.py bus.py failures.py) $(addprefix --ignore=, $(OFF_MOTOR))

.DEFAULT_GOAL := help
.PHONY: help setup run test check prove bench schema lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: .venv/run ## make .venv with everything that the hub needs to run

run: .venv/run ## start a hub on an embedded MongoDB with demo data (ARGS="--port 8001" goes to `hub serve`)
	@exec .venv/bin/hub serve --demo $(ARGS)

test: .venv/dev ## run the tests (ARGS="-k journal" goes to pytest)
	@.venv/bin/python -m pytest $(AT_ONCE) $(ARGS)

check: .venv/dev ## lint, types, tests with warnings as errors, the committed schema, and what it breaks: what CI runs
	.venv/bin/ruff check .
	.venv/bin/mypy
	HUB_MONGO_DRIVER=pymongo .venv/bin/python -m pytest $(AT_ONCE)
	HUB_MONGO_DRIVER=motor .venv/bin/python -m pytest $(AT_ONCE) $(ON_MOTOR)
	@.venv/bin/hub schema | diff -u schema.graphql - || { echo 'schema.graphql is not what the code says: run `make schema` and commit it.'; exit 1; }
	@.venv/bin/hub schema --diff "$$(ls docs/releases/*.graphql | sort -V | tail -1)" --accept docs/releases/accepted.txt \
		|| { echo 'The schema breaks clients of the last release: docs/releases/README.md says how that is meant.'; exit 1; }

prove: .venv/dev ## run the long proofs: kills, many processes, figures
	@.venv/bin/python -m pytest -m prove $(ARGS)

bench: .venv/dev ## measure the hub (ARGS go to the bench)
	@.venv/bin/python -m bench $(ARGS)

schema: .venv/run ## write schema.graphql from the code
	@.venv/bin/hub schema > .venv/schema.graphql && mv .venv/schema.graphql schema.graphql

LOCK := uv pip compile pyproject.toml requirements/build.in --extra embedded --universal --python-version 3.11 --quiet --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
lock: ## resolve the requirements anew; the one target that needs uv
	$(LOCK) --output-file requirements/run.txt
	$(LOCK) --extra dev --constraint requirements/run.txt --output-file requirements/dev.txt

clean: ## remove .venv and what tools left behind; data (.hub) stays
	rm -rf .venv dist .hypothesis .mypy_cache .pytest_cache .ruff_cache

.venv/made:
	@$(if $(PYTHON),,echo 'The hub needs Python 3.11, 3.12 or 3.13 and found none on the PATH: install one, or say `make PYTHON=/path/to/python3.12 setup`.'; exit 1)
	@'$(PYTHON)' -c '$(SUPPORTED)' || { echo 'The hub needs Python 3.11, 3.12 or 3.13; PYTHON=$(PYTHON) is none of them.'; exit 1; }
	@echo 'Making .venv with $(PYTHON): a minute or so, once.'
	@'$(PYTHON)' -m venv .venv
	@touch $@

.venv/run: .venv/made requirements/run.txt pyproject.toml
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/run requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
