# Two commands do all the set-up: `make search` and `make test`. Wanted on the machine: Python 3.11+, g++, make, git.

VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup-stamp
# The first interpreter that runs and is new enough; override with `make PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Options for the search: the most accurate pair that classifies 4 000 digits a second at 100 MHz; see `cosynth search --help`.
ARGS ?= --constraint 'latency_ms<=0.25'
# Test processes share the cores; NumPy and torch must not each take all of them.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal

.PHONY: search test test-all lint clock characterise bench setup clean

search: setup
	$(BIN)/cosynth search $(ARGS)

test: setup
	$(PYTEST)

test-all: setup
	$(PYTEST) -m ""

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Place and route of the 8x8 preset for an ECP5-85k, in each dataflow: 15 to 40 minutes each.
clock: setup
	$(BIN)/python -m flows.implement.ecp5.clock

# 150 configurations, each minutes to half an hour of a core; `CHARACTERISE='--rows 40 --no-route'` stops after synthesis.
characterise: setup
	$(BIN)/cosynth characterise -o flows/characterisation/ecp5.jsonl --page docs/characterisation.md $(CHARACTERISE)

bench: setup
	$(BIN)/python -m flows.benchmark.job

setup: $(SETUP)

$(SETUP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; found none (set PYTHON=...)" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[implement,test]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
