# `make` lists the targets. Every target installs what it needs into .venv first, from the lock.

.DEFAULT_GOAL := help
SHELL := bash

PYTHON ?= python3.11
ARGS ?=
SEED ?= 1
RUNS ?= 100
# `make test COVERAGE=` runs the tests without the coverage gate.
COVERAGE ?= --cov
PIP_COMPILE := .venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: help env demo test system check format bench simulate parts lock clean

help: ## this list
	@echo "tropplein: exact live call counts and overflow decisions"; echo
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
	@echo; echo "  ARGS=\"...\" is handed on to the command behind demo, test, system, bench and simulate."

env: .venv/ready ## the environment in .venv, from the lock

demo: .venv/ready ## the simulated campaign, live: switches, worker, wallboard, metrics
	@.venv/bin/tropplein demo $(ARGS)

test: .venv/ready ## every test that needs no installed part and no network
	.venv/bin/python -m pytest -n 2 -m "not system" $(COVERAGE) $(ARGS)

system: .venv/ready parts ## the tests on real parts: Kafka, registry, Prometheus
	PATH="$(CURDIR)/.parts/bin:$$PATH" .venv/bin/python -m pytest -m system $(ARGS)

check: .venv/ready ## format, lint, types and the rules of the house
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/python -m pytest -q tests/test_house.py

format: .venv/ready ## put the format right, and what the linter can mend
	.venv/bin/ruff check --fix-only --exit-zero .
	.venv/bin/ruff format .

bench: .venv/ready ## drain rate, events per CPU-second and latency on this machine, with the compiled core
	@rm -rf build/compiled build/wheels
	TROPPLEIN_COMPILE=1 .venv/bin/pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir build/wheels .
	.venv/bin/pip install --quiet --no-deps --no-index --target build/compiled build/wheels/*.whl
	@PYTHONPATH=build/compiled .venv/bin/python -P -m streams bench $(ARGS)

simulate: .venv/ready ## worlds drawn from SEED on, as many as RUNS, each recounted by the auditor
	@.venv/bin/python -m tests.simulation --seed $(SEED) --runs $(RUNS) $(ARGS)

parts: ## the parts that `make system` needs, into .parts
	@.ci/parts

lock: .venv/ready ## the locks anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(PIP_COMPILE) $(UPGRADE) --output-file requirements.lock pyproject.toml
	$(PIP_COMPILE) $(UPGRADE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## what make made, but for .parts
	rm -rf .venv build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

# The environment is what the lock says and nothing else, so it is laid anew when the lock changes.
.venv/locked: requirements-dev.lock
	@for python in $(PYTHON) python3; do \
	    if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "laying .venv with $$($$python -V)"; $$python -m venv --clear .venv && exit 0 || exit 1; \
	    fi; \
	done; \
	echo "make: Python 3.11 or later with its venv module is missing. On Debian or Ubuntu this line installs it:" >&2; \
	echo "    apt-get install -y python3.11 python3.11-venv" >&2; \
	echo "Elsewhere: make PYTHON=/path/to/python3.11" >&2; exit 1
	.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

# Without isolation: what builds the package is in the lock too, so nothing is fetched here.
.venv/ready: .venv/locked pyproject.toml
	.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@
