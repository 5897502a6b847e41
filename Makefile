# make demo    the whole story on this machine, with a browser page
# make test    what continuous integration runs: checks, page tests, every test, the wheel's contents
# make check   style and types alone
# make bench   the benchmarks; the first time it installs what ours is compared with into .venv/rivals
# make rivals  that alone, trying again what could not be installed
# make accuracy the readings against annotated recordings
# make soak    long runs, ten thousand simulated duty days, many more random examples, every mutant of the pure cores
# make mutants the mutants alone (ARGS="--core alerts/timeline.py")
# make drill   the outage drill: a real service, one night of failures, who received what and when
# make serve   the service (ARGS="--port 9000")
# make setup   .venv and the page; the others call it. A second time it does nothing
# make lock    requirements/dev.txt anew, after a change in pyproject.toml
# make clean   remove all that is made

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/setup.stamp

.DEFAULT_GOAL := help
.PHONY: help demo test check bench rivals accuracy lock setup soak mutants drill serve clean

help:
	@sed -n 's/^# //p' Makefile

$(STAMP): requirements/dev.txt pyproject.toml tools/page_backend.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "greenchannel: expected Python 3.11 or newer, got $$($(PYTHON) --version 2>&1); use make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	GREENCHANNEL_PAGE=skip $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP)
	@$(BIN)/python viewer/web/build_page.py

demo: setup
	$(BIN)/greenchannel demo $(ARGS)

serve: setup
	$(BIN)/greenchannel serve $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python viewer/web/build_page.py check

test: check
	$(BIN)/python viewer/web/build_page.py test
	$(BIN)/python tools/check_wheel.py
	$(BIN)/python tools/mutate.py --sample 12 --at-least 0.75
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

mutants: setup
	$(BIN)/python tools/mutate.py $(ARGS)

soak: setup
	GREENCHANNEL_SOAK=1 $(BIN)/python -m pytest -m soak $(ARGS)
	$(BIN)/python tools/mutate.py

drill: setup
	$(BIN)/python -m tools.drill

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

rivals: setup
	$(BIN)/python -m benchmarks.rivals

accuracy: setup
	$(BIN)/python -m benchmarks.accuracy $(ARGS)

lock:
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra dev \
	  --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt

clean:
	rm -rf $(VENV) build dist viewer/static viewer/web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
