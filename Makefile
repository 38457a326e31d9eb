# One command each: `make reproduce` does the main job, `make test` the tests; both set up .venv first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: reproduce test lint types bench long clean
.DEFAULT_GOAL := reproduce

# A virtual environment even where Debian's python3 comes without ensurepip: then pip is fetched into it by name.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "archsim needs Python 3.11 or newer; set PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || $(PYTHON) -m virtualenv -q $(VENV) || { echo "make: $(PYTHON) can make no virtual environment: install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

reproduce: $(STAMP)
	$(BIN)/archsim reproduce

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

long: $(STAMP)
	$(BIN)/python -m pytest -m long

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m archsim.bench

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
