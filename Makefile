# The verbs of the house. `make run` and `make test` are all a new user needs.
SHELL := /bin/bash
PY := .venv/bin/python
PYTHON ?= python3
WORKERS ?= 2

.PHONY: run test check format bench soak install install-dev lock audit clean

run: install ## the main job: stack up, sample desk in, books proved, UI left running
	.venv/bin/desk run

test: install-dev ## all tests but the soaks
	$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "not soak"

check: install-dev ## format, lint, types, import rules, architecture tests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/architecture

format: install-dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: install-dev ## each hot path against its limit or peer, in one run, as a ratio
	set -e; for file in benchmarks/*.py; do echo "== $$file"; $(PY) $$file; done

soak: install-dev ## kills, soaks and second environments at the stated size
	$(PY) -m pytest -m soak --timeout 3600 -p no:xdist

install: .venv/.run-installed
install-dev: .venv/.dev-installed

.venv/.run-installed: requirements.lock pyproject.toml
	PYTHON=$(PYTHON) deploy/install.sh requirements.lock
	touch $@

.venv/.dev-installed: requirements-dev.lock pyproject.toml
	PYTHON=$(PYTHON) deploy/install.sh requirements-dev.lock
	touch $@ .venv/.run-installed

lock: ## pin all dependencies with their hashes
	uv pip compile pyproject.toml --extra embedded --extra build --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra embedded --extra build --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -q -c requirements.lock -o requirements-dev.lock

audit: install-dev ## known vulnerabilities of the locked packages
	.venv/bin/pip-audit -r requirements.lock --disable-pip --require-hashes

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
