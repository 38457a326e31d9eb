# One command each: `make reproduce` does the main job, `make test` the tests; both set up .venv first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: reproduce test lint types docs bench long clean
.DEFAULT_GOAL := reproduce

$(STAMP): pyproject.toml
	@$(PYTHON) tools/make_venv.py $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

reproduce: $(STAMP)
	$(BIN)/archsim reproduce

test: $(STAMP)
	$(BIN)/python -m pytest -n 3 # the third works while another waits for clusters and commands

long: $(STAMP)
	$(BIN)/python -m pytest -m long

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict # with --quiet it counts no warnings
	@echo "site: build/site/index.html"

bench: $(STAMP)
	$(BIN)/python tests/bench/bench.py
	$(BIN)/python tests/bench/leaves.py
	$(BIN)/python tests/bench/steps.py
	$(BIN)/python tests/bench/meter.py
	$(BIN)/python tests/bench/workers.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
