# Everything here needs Python 3.11 or later with its venv module, and a package index. Nothing is installed outside .venv.

PYTHON ?= python3
PORT ?= 8080

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: help venv demo test clients lint check prove bench lock vendor screenshot clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    the gateway beside a provider to try things on, at http://127.0.0.1:$(PORT) (PORT= for another)"
	@echo "make test    the tests"
	@echo "make clients install others' clients of the Cloud API, so that make test runs them too; those of npm need Node.js"
	@echo "make check   format, lint, types, spelling and tests: what CI runs"
	@echo "make prove   the long proofs"
	@echo "make bench   the gateway against a bare endpoint and a naive proxy; needs wrk (BENCH_ARGS=--help for more)"
	@echo "make lock    pin the newest dependencies that pyproject.toml allows"
	@echo "make vendor  fetch the page's libraries again, and check them (needs npm)"
	@echo "make screenshot  play the demo's story in Chromium, and take its pictures for docs/"
	@echo "make clean   remove $(VENV) and caches"

venv: $(VENV)/dev

demo: $(VENV)/runtime
	@$(BIN)/gateway demo --port $(PORT)

test: $(VENV)/dev $(VENV)/bench
	@$(BIN)/python -m pytest -m "not prove" --numprocesses auto --maxprocesses 4 --dist loadfile

clients: $(VENV)/clients/node_modules $(VENV)/clients/pypi

lint: $(VENV)/dev $(VENV)/bench
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/codespell

check: lint test

prove: $(VENV)/dev
	@$(BIN)/python -m pytest -m prove

bench: $(VENV)/bench
	@$(BIN)/python -m bench $(BENCH_ARGS)

lock: $(VENV)/dev
	@$(PIP) uv==0.13.9
	@sh requirements/lock.sh $(BIN)/uv

vendor:
	@sh requirements/vendor.sh

screenshot: $(VENV)/dev
	@$(BIN)/python -m tests.page.screenshot

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# --- stamps: each stands for a step that was done whole, so that it is not done twice ---------------------------------

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "$(PYTHON) is not Python 3.11 or later; name one that is: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime: requirements/runtime.lock pyproject.toml | $(VENV)/python
	@echo "Installing what the gateway needs into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/runtime.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/bench: requirements/bench.lock $(VENV)/runtime
	@echo "Installing what the benchmark needs into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/bench.lock
	@touch $@

$(VENV)/clients/pypi: requirements/clients.lock $(VENV)/dev
	@echo "Installing the clients from PyPI that the tests run into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/clients.lock
	@mkdir -p $(VENV)/clients && touch $@

$(VENV)/clients/node_modules: requirements/clients/package-lock.json requirements/clients/package.json
	@mkdir -p $(VENV)/clients && cp requirements/clients/package*.json $(VENV)/clients/
	@if command -v npm >/dev/null; then \
		echo "Installing the clients from npm that the tests run into $(VENV)/clients ..." && \
		npm ci --prefix $(VENV)/clients --silent --ignore-scripts --no-audit --no-fund && touch $@; \
	else \
		echo "Without npm the clients that come from there are not run." >&2; \
	fi

$(VENV)/dev: requirements/dev.lock $(VENV)/runtime
	@echo "Installing what its tests need into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@
